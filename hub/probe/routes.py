"""Probes that come again and again: for the studio, and for machines elsewhere that report."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from hub.auth.guard import Hub, SignedIn, bearer
from hub.errors import NotFound
from hub.probe.asks import NextShow, PlaceChange, PlaceIn, PlaceOut, RunIn, RunOut, TokenOut
from hub.probe.rounds import NOTHING

router = APIRouter(prefix="/api/v1", tags=["probes"])


async def reporting(request: Request, hub: Hub) -> UUID:
    """The brand behind a probe token."""
    token = bearer(request.headers.get("authorization", ""))
    async with hub.db.session() as session:
        return await hub.probes.whose(session, token)


Reporting = Annotated[UUID, Depends(reporting)]


@router.get("/probes/places")
async def places(staff: SignedIn, hub: Hub) -> list[PlaceOut]:
    """The regions that the brand's shows are probed for, by name."""
    async with hub.db.session() as session:
        found = await hub.probes.places(session, staff.brand_id)
    return [PlaceOut.model_validate(one, from_attributes=True) for one in found]


@router.post("/probes/places", status_code=201)
async def add_place(wish: PlaceIn, staff: SignedIn, hub: Hub) -> PlaceOut:
    """One more region."""
    async with hub.db.session() as session:
        place = await hub.probes.add(session, staff.brand_id, wish)
    return PlaceOut.model_validate(place, from_attributes=True)


@router.patch("/probes/places/{place_id}")
async def change_place(place_id: UUID, wish: PlaceChange, staff: SignedIn, hub: Hub) -> PlaceOut:
    """Other hours, another name or origin."""
    async with hub.db.session() as session:
        place = await hub.probes.change(session, staff.brand_id, place_id, wish)
    return PlaceOut.model_validate(place, from_attributes=True)


@router.delete("/probes/places/{place_id}", status_code=204)
async def remove_place(place_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """The region and all its runs."""
    async with hub.db.session() as session:
        await hub.probes.remove(session, staff.brand_id, place_id)


@router.post("/probes/places/{place_id}/runs", status_code=202)
async def probe_now(place_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Probe from this hub now; the run is listed when it is done, half a minute later."""
    async with hub.db.session() as session:
        await hub.probes.once(session, staff.brand_id, place_id)


@router.get("/probes/runs")
async def runs(staff: SignedIn, hub: Hub, days: Annotated[int, Query(ge=1, le=180)] = 30) -> list[RunOut]:
    """Every run of the last days, the newest first, at most 5,000."""
    async with hub.db.session() as session:
        return await hub.probes.runs(session, staff.brand_id, days)


@router.post("/probes/token", status_code=201)
async def make_token(staff: SignedIn, hub: Hub) -> TokenOut:
    """For machines that report; shown once. The one before is no longer good."""
    async with hub.db.session() as session:
        return TokenOut(token=await hub.probes.token(session, staff.brand_id))


@router.post("/public/probes", status_code=204)
async def report(told: RunIn, brand_id: Reporting, hub: Hub) -> None:
    """What a machine elsewhere found. `Authorization: Bearer` with the brand's probe token."""
    async with hub.db.session() as session:
        await hub.probes.take(session, brand_id, told)


@router.get("/public/probes/show")
async def next_show(brand_id: Reporting, hub: Hub) -> NextShow:
    """What such a machine should play now. The same token; 404 when there is nothing to play."""
    async with hub.db.session() as session:
        found = await hub.probes.next_show(session, brand_id)
    if found is None:
        raise NotFound("nothing_to_play", NOTHING)
    return found[1]
