"""A show's feed over HTTP: standby key, take-over, slate, SRT, recording, profiles and what they cost."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from hub.auth.guard import Hub, SignedIn
from hub.errors import BadInput
from hub.shows.feeds import LARGEST_ASSET
from hub.shows.out import FeedOut
from hub.shows.presets import PROFILE_PRESETS
from hub.shows.profiles import profiles_of
from hub.shows.wishes import FeedChange
from restream.api import PlanStatus, ProfileSpec

router = APIRouter(prefix="/api/v1", tags=["feed"])


class AssetOut(BaseModel):
    """A file that was kept."""

    sha256: str
    media_type: str


@router.get("/profile-presets")
async def profile_presets(_: SignedIn) -> list[ProfileSpec]:
    """Profiles that a show may begin with."""
    return [*PROFILE_PRESETS]


@router.patch("/shows/{show_id}/feed")
async def change_feed(show_id: UUID, body: FeedChange, staff: SignedIn, hub: Hub) -> FeedOut:
    """Take-over, fail-back, grace, slate, SRT, recording."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        replay = show.state == "ended" and show.recording
        await hub.feeds.change(session, show, body)
        if replay and not show.recording:
            await hub.edges.forget(session, show)
        return await hub.feeds.out(session, show)


@router.post("/shows/{show_id}/backup-key")
async def rotate_backup_key(show_id: UUID, staff: SignedIn, hub: Hub) -> FeedOut:
    """A new key for the hot standby; the old one stops working at once."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        await hub.feeds.new_backup_key(session, show)
        return await hub.feeds.out(session, show)


@router.put("/shows/{show_id}/profiles")
async def put_profile(show_id: UUID, body: ProfileSpec, staff: SignedIn, hub: Hub) -> list[ProfileSpec]:
    """Add a profile, or change the one of this name."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        await hub.feeds.put_profile(session, show, body)
        return profiles_of(show)


@router.delete("/shows/{show_id}/profiles")
async def drop_profile(show_id: UUID, staff: SignedIn, hub: Hub, name: str = "") -> list[ProfileSpec]:
    """Remove a profile that no target uses."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        await hub.feeds.drop_profile(session, show, name)
        return profiles_of(show)


@router.get("/shows/{show_id}/cost")
async def cost(show_id: UUID, staff: SignedIn, hub: Hub) -> PlanStatus:
    """What the chosen profiles will cost the media server, and which it refuses."""
    return await hub.media.cost(staff.brand_id, show_id)


@router.post("/shows/{show_id}/assets", status_code=201)
async def add_asset(show_id: UUID, request: Request, staff: SignedIn, hub: Hub) -> AssetOut:
    """Keep a picture or a short loop: the body is the file itself, up to 5 MB."""
    async with hub.db.session() as session:
        await hub.shows.get(session, staff.brand_id, show_id)
    data = await body_of(request)
    async with hub.db.session() as session:
        asset = await hub.feeds.add_asset(session, staff.brand_id, data)
        return AssetOut(sha256=asset.sha256, media_type=asset.media_type)


@router.get("/shows/{show_id}/assets/{sha256}", response_class=Response)
async def asset(show_id: UUID, sha256: str, staff: SignedIn, hub: Hub) -> Response:
    """The file."""
    async with hub.db.session() as session:
        await hub.shows.get(session, staff.brand_id, show_id)
        found = await hub.feeds.asset(session, staff.brand_id, sha256)
    return Response(found.data, media_type=found.media_type)


async def body_of(request: Request) -> bytes:
    """The file, given up as soon as it is too large: it is never all in memory."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LARGEST_ASSET:
            raise BadInput("asset_too_large", "This file is larger than 5 MB. Make it smaller first.")
    return bytes(data)
