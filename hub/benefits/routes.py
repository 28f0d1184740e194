"""Segments and the report on benefits over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.auth.guard import Hub, SignedIn
from hub.benefits.models import Segment
from hub.benefits.report import Report, report

router = APIRouter(prefix="/api/v1", tags=["benefits"])

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class SegmentIn(BaseModel):
    """Who is to be given something. `orders` with the rule buyers, `cohort_id` with the rule cohort."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    rule: Literal["members", "migrated", "buyers", "cohort"]
    orders: int | None = Field(default=None, ge=1, le=1000)
    cohort_id: UUID | None = None


class SegmentOut(BaseModel):
    """A segment and how many are in it, as of `counted_at`."""

    id: UUID
    name: str
    rule: str
    orders: int | None
    cohort_id: UUID | None
    people: int
    counted_at: datetime | None

    @classmethod
    def of(cls, segment: Segment, people: int) -> SegmentOut:
        """From the table."""
        return cls(people=people, **segment.model_dump(include=set(cls.model_fields) - {"people"}))


@router.get("/segments")
async def segments(staff: SignedIn, hub: Hub) -> list[SegmentOut]:
    """By name."""
    async with hub.db.session() as session:
        return [SegmentOut.of(*one) for one in await hub.segments.all(session, staff.brand_id)]


@router.post("/segments", status_code=201)
async def add(body: SegmentIn, staff: SignedIn, hub: Hub) -> SegmentOut:
    """A new one, counted at once. 409 `name_taken` | `too_many`."""
    segment = Segment(brand_id=staff.brand_id, **body.model_dump())
    async with hub.db.session() as session:
        return SegmentOut.of(segment, await hub.segments.add(session, segment))


@router.post("/segments/{segment_id}/count")
async def count(segment_id: UUID, staff: SignedIn, hub: Hub) -> SegmentOut:
    """Look for its people now, without waiting for the next time."""
    async with hub.db.session() as session:
        segment = await hub.segments.get(session, staff.brand_id, segment_id)
        return SegmentOut.of(segment, await hub.segments.count(session, segment))


@router.delete("/segments/{segment_id}", status_code=204)
async def remove(segment_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """409 `in_use` while an offer is made for it."""
    async with hub.db.session() as session:
        await hub.segments.remove(session, await hub.segments.get(session, staff.brand_id, segment_id))


@router.get("/benefits")
async def benefits(staff: SignedIn, hub: Hub, show_id: UUID | None = None) -> Report:
    """What benefits cost and bring, in one show or in all."""
    async with hub.db.session() as session:
        if show_id:
            await hub.shows.get(session, staff.brand_id, show_id)
        return await report(session, staff.brand_id, show_id)
