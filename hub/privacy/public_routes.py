"""A signed-in buyer's own copy of what is kept about them, from their account on the watch page."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from hub.auth.guard import Hub
from hub.errors import NotFound
from hub.privacy.models import RightsRequest
from hub.privacy.routes import zip_of
from hub.shoppers.guard import Known

router = APIRouter(prefix="/api/v1/public/me", tags=["privacy"])


class CopyOut(BaseModel):
    """How far it is: `step` of `steps`; once `done`, the file is there until `expires_at`."""

    state: Literal["none", "queued", "working", "done", "expired", "failed"]
    step: int = 0
    steps: int = 0
    expires_at: datetime | None = None

    @classmethod
    def of(cls, row: RightsRequest | None) -> CopyOut:
        """As the page shows it."""
        if row is None:
            return cls(state="none")
        return cls.model_validate(row.model_dump(include=set(cls.model_fields)))


@router.post("/copy", status_code=202)
async def ask_copy(shopper: Known, hub: Hub) -> CopyOut:
    """Make a copy of everything kept about this buyer. One a day."""
    async with hub.db.session() as session:
        row = await hub.rights.ask_copy(session, shopper.brand_id, shopper.customer_id, None)
    return CopyOut.of(row)


@router.get("/copy")
async def copy_now(shopper: Known, hub: Hub) -> CopyOut:
    """The one they asked for last."""
    async with hub.db.session() as session:
        return CopyOut.of(await hub.rights.newest_copy(session, shopper.customer_id))


@router.get("/copy/file")
async def copy_file(shopper: Known, hub: Hub) -> Response:
    """The ZIP, for a week."""
    async with hub.db.session() as session:
        row = await hub.rights.newest_copy(session, shopper.customer_id)
    if row is None:
        raise NotFound("export_gone", "There is no copy yet. Ask for one.")
    return zip_of(await hub.rights.exporting.opened(row))
