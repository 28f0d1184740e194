"""Conversions for staff, and the ad ids of a viewer's browser."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from hub.auth.guard import Hub, SignedIn, Watching
from hub.conversions.ad_ids import Seen
from hub.conversions.board import Account, EventOut, Tested
from hub.public.routes import own_show

router = APIRouter(tags=["conversions"])
STAFF = "/api/v1/conversions"

State = Literal["waiting", "withheld", "sent", "refused", "too_old"]


class Choice(BaseModel):
    """What may be chosen for an account; what is left out stays."""

    shops: bool | None = None
    paused: bool | None = None


class AdIdsIn(Seen):
    """From the page of a show."""

    show: str


@router.get(STAFF)
async def accounts(staff: SignedIn, hub: Hub) -> list[Account]:
    """Every account that is told of conversions, and how it is doing."""
    async with hub.db.session() as session:
        return await hub.conversions.board.accounts(session, staff.brand_id)


@router.get(STAFF + "/{connection_id}/events")
async def events(
    connection_id: UUID, staff: SignedIn, hub: Hub, state: Annotated[State, Query()] = "refused"
) -> list[EventOut]:
    """The newest 100 in one state."""
    async with hub.db.session() as session:
        return await hub.conversions.board.events(session, staff.brand_id, connection_id, state)


@router.patch(STAFF + "/{connection_id}")
async def change(connection_id: UUID, body: Choice, staff: SignedIn, hub: Hub) -> list[Account]:
    """Which orders it is told of, and whether at all."""
    async with hub.db.session() as session:
        changes = body.model_dump(exclude_none=True)
        await hub.conversions.board.change(session, staff.brand_id, connection_id, changes)
        return await hub.conversions.board.accounts(session, staff.brand_id)


@router.post(STAFF + "/{connection_id}/test")
async def test(connection_id: UUID, staff: SignedIn, hub: Hub) -> Tested:
    """Send a test event, and say what the platform answered."""
    async with hub.db.session() as session:
        row = await hub.conversions.board.taker(session, staff.brand_id, connection_id)
    return await hub.conversions.board.test(row.id)


@router.post(STAFF + "/events/{conversion_id}/again", status_code=204)
async def again(conversion_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Send a refused event once more."""
    async with hub.db.session() as session:
        await hub.conversions.board.again(session, staff.brand_id, conversion_id)


@router.post(STAFF + "/events/{conversion_id}/seen", status_code=204)
async def seen(conversion_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Leave a refused event at that."""
    async with hub.db.session() as session:
        await hub.conversions.board.dismiss(session, staff.brand_id, conversion_id)


@router.post("/api/v1/public/ad-ids", status_code=204)
async def ad_ids(body: AdIdsIn, viewer: Watching, request: Request, hub: Hub) -> None:
    """What the viewer's browser is called elsewhere. Kept as far as the viewer agreed, else forgotten."""
    own_show(viewer, body.show)
    ip = request.client.host if request.client else None
    async with hub.db.session() as session:
        await hub.consent_book.hold(session, [viewer.id])
        allowed = await hub.consent_book.of(session, viewer.brand_id, viewer.id, viewer.customer_id)
        await hub.conversions.ad_ids.note(
            *(session, viewer.brand_id, viewer.id, body, allowed),
            ip=ip,
            user_agent=request.headers.get("user-agent"),
        )
