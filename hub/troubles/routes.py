"""Parked jobs over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from hub.auth.guard import Hub, SignedIn

router = APIRouter(prefix="/api/v1/jobs/parked", tags=["troubles"])


class ParkedOut(BaseModel):
    """A job that was given up; `about` is the id of what it was about."""

    id: int
    task: str
    what: str
    about: str
    attempts: int
    given_up_at: datetime


@router.get("")
async def parked(staff: SignedIn, hub: Hub) -> list[ParkedOut]:
    """The brand's jobs that were tried for hours, or refused for good."""
    async with hub.db.session() as session:
        return [ParkedOut(**asdict(one)) for one in await hub.troubles.parked(session, staff.brand_id)]


@router.post("/{job_id}/retry", status_code=202)
async def retry(job_id: int, staff: SignedIn, hub: Hub) -> None:
    """Do it once more."""
    async with hub.db.session() as session:
        await hub.troubles.again(session, staff.brand_id, job_id)


@router.delete("/{job_id}", status_code=204)
async def forget(job_id: int, staff: SignedIn, hub: Hub) -> None:
    """Take it off the list: somebody saw to it by hand."""
    async with hub.db.session() as session:
        await hub.troubles.forget(session, staff.brand_id, job_id)
