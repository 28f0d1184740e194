"""What viewers may do with stock: reserve, and wait for a unit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from hub.auth.guard import Hub, Watching
from hub.auth.tokens import Viewer
from hub.errors import Forbidden
from hub.stock.lane import HoldIn, HoldOut, answer_of, wish_of
from hub.stock.waitlist import Place

router = APIRouter(prefix="/api/v1/public", tags=["stock"])


class WaitIn(BaseModel):
    """What to wait for. `offer_id`: the offer one wants it in; when that is over, as priced then."""

    show: str
    variant_id: UUID
    offer_id: UUID | None = None


class LeaveIn(BaseModel):
    """What to wait for no longer."""

    show: str
    variant_id: UUID


class PlaceOut(BaseModel):
    """A place in the waitlist; 1 is next. While `offered`, the hold is theirs until `offered_until`."""

    variant_id: UUID
    state: str
    position: int
    hold_id: UUID | None
    offered_until: datetime | None
    server_time: datetime

    @classmethod
    def of(cls, place: Place, now: datetime) -> PlaceOut:
        """From the table."""
        return cls(**vars(place), server_time=now)


@router.post("/holds", status_code=201, response_model=HoldOut)
async def hold(body: HoldIn, viewer: Watching, hub: Hub) -> Response:
    """Reserve, now. Refusals (409): `sold_out`, `limit`, `hold_over`, `offer_over`, `members_only`,
    `tier_split`, `hoarding`, `live_only`. Served by the fast lane; this is its description and its double."""
    taken = await hub.reservations.take(wish_of(body.model_dump_json().encode(), viewer, hub.clock()))
    return Response(answer_of(taken, hub.clock()), 201, media_type="application/json")


@router.get("/waitlist")
async def waitlist(viewer: Watching, hub: Hub) -> list[PlaceOut]:
    """What the viewer waits for, and what is kept for them right now."""
    async with hub.db.session() as session:
        found = await hub.waitlist.places(session, viewer)
    return [PlaceOut.of(place, hub.clock()) for place in found]


@router.post("/waitlist", status_code=201)
async def wait(body: WaitIn, viewer: Watching, hub: Hub) -> PlaceOut:
    """Wait for the next free unit. 409 `in_stock` when there is one."""
    own_page(viewer, body.show)
    async with hub.db.session() as session:
        place = await hub.waitlist.join(session, viewer, body.variant_id, body.offer_id)
    return PlaceOut.of(place, hub.clock())


@router.delete("/waitlist", status_code=204)
async def leave(body: LeaveIn, viewer: Watching, hub: Hub) -> None:
    """Wait no longer. A unit that was kept goes to the next."""
    own_page(viewer, body.show)
    async with hub.db.session() as session:
        await hub.waitlist.leave(session, viewer, body.variant_id)


def own_page(viewer: Viewer, slug: str) -> None:
    """A viewer's token is good for the show it was made for."""
    if slug != viewer.slug:
        raise Forbidden("other_show", "This page belongs to another show. Load it again.")
