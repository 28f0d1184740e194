"""A show's targets over HTTP: add, edit, pause, try again, remove, each without the others noticing."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from hub.auth.guard import Hub, SignedIn
from hub.shows.out import TargetOut
from hub.shows.presets import TARGET_PRESETS, TargetPreset
from hub.shows.wishes import TargetChange, TargetIn

router = APIRouter(prefix="/api/v1", tags=["targets"])


@router.get("/target-presets")
async def target_presets(_: SignedIn) -> list[TargetPreset]:
    """What is known beforehand of places that are nothing but an address and a key."""
    return [*TARGET_PRESETS]


@router.post("/shows/{show_id}/targets", status_code=201)
async def add_target(show_id: UUID, body: TargetIn, staff: SignedIn, hub: Hub) -> TargetOut:
    """Send the show to one more place."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        if body.custom:
            target = await hub.shows.add_address(session, show, body.custom, body.profile)
        elif body.connection_id:
            target = await hub.shows.add_target(session, show, body.connection_id, body.profile)
        await hub.shows.sync(session, show)
        return hub.shows.target_out(show, target)


@router.patch("/shows/{show_id}/targets/{target_id}")
async def change_target(
    show_id: UUID, target_id: UUID, body: TargetChange, staff: SignedIn, hub: Hub
) -> TargetOut:
    """Pause, resume or edit one target."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        target = await hub.shows.get_target(session, show, target_id)
        await hub.target_edits.change(session, show, target, body)
        return hub.shows.target_out(show, target)


@router.post("/shows/{show_id}/targets/{target_id}/retry")
async def retry_target(show_id: UUID, target_id: UUID, staff: SignedIn, hub: Hub) -> TargetOut:
    """Try it again now."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        target = await hub.shows.get_target(session, show, target_id)
        await hub.target_edits.retry(session, show, target)
        return hub.shows.target_out(show, target)


@router.delete("/shows/{show_id}/targets/{target_id}", status_code=204)
async def remove_target(show_id: UUID, target_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Take it out of the show."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        target = await hub.shows.get_target(session, show, target_id)
        await hub.target_edits.remove(session, show, target)


@router.post("/shows/{show_id}/targets/{target_id}/restore")
async def restore_target(show_id: UUID, target_id: UUID, staff: SignedIn, hub: Hub) -> TargetOut:
    """Take a removal back, as long as its broadcast is there."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        target = await hub.shows.get_target(session, show, target_id, removed=True)
        await hub.target_edits.restore(session, show, target)
        return hub.shows.target_out(show, target)
