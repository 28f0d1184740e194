"""A show over time over HTTP: the feed's history, delays, recordings, clips, pictures, the upload test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.responses import Response, StreamingResponse
from pydantic import AwareDatetime

from hub.auth.guard import Hub, SignedIn
from hub.shows.archive import UplinkOut
from hub.shows.clips import ClipIn, ClipOut
from restream.api import Delay, HealthSample, RecordingInfo

router = APIRouter(prefix="/api/v1/shows/{show_id}", tags=["archive"])

ClipName = Annotated[str, Path(pattern="^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$")]


@router.get("/health")
async def health(
    show_id: UUID, staff: SignedIn, hub: Hub, since: AwareDatetime | None = None
) -> list[HealthSample]:
    """The feed over time: by the second for the last hour, by ten seconds before."""
    return await hub.archive.health(staff.brand_id, show_id, since)


@router.get("/delays")
async def delays(
    show_id: UUID,
    staff: SignedIn,
    hub: Hub,
    destination: str | None = None,
    since: AwareDatetime | None = None,
) -> list[Delay]:
    """How late every destination is now; with `destination` (a target's id or `player`), over time."""
    return await hub.archive.delays(staff.brand_id, show_id, destination, since)


@router.get("/recordings")
async def recordings(show_id: UUID, staff: SignedIn, hub: Hub) -> list[RecordingInfo]:
    """What was recorded, the oldest first."""
    return await hub.archive.recordings(staff.brand_id, show_id)


@router.post("/clips", status_code=201)
async def cut(show_id: UUID, body: ClipIn, staff: SignedIn, hub: Hub) -> ClipOut:
    """Cut a piece out of the recording; takes some seconds."""
    return await hub.archive.clip(staff.brand_id, show_id, body)


@router.get("/clips/{name}", response_class=StreamingResponse)
async def clip(show_id: UUID, name: ClipName, staff: SignedIn, hub: Hub) -> StreamingResponse:
    """A clip as a download."""
    pieces = hub.archive.clip_file(staff.brand_id, show_id, name)
    # The first piece now: what goes wrong before it is a problem document and not a broken download.
    first = await anext(pieces, b"")
    return StreamingResponse(
        joined(first, pieces),
        media_type="video/mp4",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/picture", response_class=Response)
async def picture(show_id: UUID, staff: SignedIn, hub: Hub, at: AwareDatetime | None = None) -> Response:
    """A JPEG of what is sent now, or of a recorded moment."""
    found = await hub.archive.picture(staff.brand_id, show_id, at)
    return Response(found, media_type="image/jpeg")


@router.get("/uplink")
async def uplink(show_id: UUID, staff: SignedIn, hub: Hub) -> UplinkOut:
    """Where the upload of whoever sends can be measured, before the show too."""
    return await hub.archive.uplink(staff.brand_id, show_id)


async def joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The piece that was read beforehand, and the others."""
    yield first
    async for piece in rest:
        yield piece
