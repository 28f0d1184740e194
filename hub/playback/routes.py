"""A show's player over HTTP: its settings, keys, private links, chapters, and the poster."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from hub.auth.guard import Hub, SignedIn
from hub.playback.out import CueOut, PlayerSettings, PrivateLink
from hub.playback.wishes import ChapterIn, KeyChange, LinkIn, PlayerChange
from hub.public.routes import find_show

router = APIRouter(prefix="/api/v1", tags=["playback"])


@router.get("/shows/{show_id}/playback")
async def settings(show_id: UUID, staff: SignedIn, hub: Hub) -> PlayerSettings:
    """How the show is played and by whom."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return await hub.playback.out(session, show)


@router.patch("/shows/{show_id}/playback")
async def change(show_id: UUID, body: PlayerChange, staff: SignedIn, hub: Hub) -> PlayerSettings:
    """Mode, parts, ladder, WHEP, poster, access, sites, room."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        open_before = show.access != "signed"
        await hub.playback.change(session, show, body)
        if open_before and show.access == "signed":
            await hub.edges.forget(session, show)
        return await hub.playback.out(session, show)


@router.post("/shows/{show_id}/playback/keys")
async def rotate(show_id: UUID, body: KeyChange, staff: SignedIn, hub: Hub) -> PlayerSettings:
    """A new signing key; private links made before stop working when the grace is over."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        await hub.playback.rotate(session, show, timedelta(minutes=body.grace_minutes))
        if not body.grace_minutes:
            await hub.edges.forget(session, show)  # what a CDN has kept is not for everybody any more
        return await hub.playback.out(session, show)


@router.post("/shows/{show_id}/playback/links", status_code=201)
async def invite(show_id: UUID, body: LinkIn, staff: SignedIn, hub: Hub) -> PrivateLink:
    """A link for one person to a signed show."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return await hub.playback.invite(session, show, body)


@router.post("/shows/{show_id}/chapters", status_code=201)
async def add_chapter(show_id: UUID, body: ChapterIn, staff: SignedIn, hub: Hub) -> CueOut:
    """A chapter begins now."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id, lock=True)
        return CueOut.of(await hub.playback.add_chapter(session, show, body.title))


@router.get("/public/shows/{slug}/poster", response_class=Response)
async def poster(slug: str, hub: Hub) -> Response:
    """The picture before the play button; for everybody who has the show's address."""
    async with hub.db.session() as session:
        asset = await hub.playback.poster(session, await find_show(session, slug))
    # Its address changes with the picture, so that it may be kept.
    headers = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}
    return Response(asset.data, media_type=asset.media_type, headers=headers)
