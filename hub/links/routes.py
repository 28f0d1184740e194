"""Staff's links over HTTP: make, change, archive, post them; QR codes; the list and its files."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.guard import Hub, SignedIn
from hub.links import qr
from hub.links.listing import Filter, LinkOut
from hub.links.overlay import spoken
from hub.links.service import new_code
from hub.links.tags import UTM, tagged
from hub.links.wishes import HostWish, LinkWish, NewLink, Placement, PostWish, Text
from hub.services import Services

router = APIRouter(prefix="/api/v1", tags=["links"])


class HostOut(BaseModel):
    """A host of the brand's own shop."""

    id: UUID
    host: str
    created_at: datetime


class LinkPreview(BaseModel):
    """What a link would be: its short address, its code's picture, where it leads, its tags.

    `ruled`: the tags as the rule alone would fill them. `code` is proposed, not kept: send it along when the
    link is made.
    """

    code: str
    url: str
    lands_on: str
    tags: dict[str, str | None]
    ruled: dict[str, str | None]
    qr_svg: str


class Everywhere(BaseModel):
    """How every target's own link is posted."""

    every_minutes: Annotated[int, Field(ge=2, le=240)] | None = None
    message: Text = ""


def wanted_of(
    q: Text | None = None,
    show_id: UUID | None = None,
    placement: Placement | None = None,
    archived: Literal["no", "yes", "all"] = "no",
) -> Filter:
    """`q` is looked for in all that names a link."""
    kept = {"no": False, "yes": True, "all": None}[archived]
    return Filter(words=q or None, show_id=show_id, placement=placement, archived=kept)


Wanted = Annotated[Filter, Depends(wanted_of)]


async def told(hub: Services, session: AsyncSession, brand_id: UUID, link_id: UUID) -> LinkOut:
    """A link as the studio sees it, with what was just changed."""
    return await hub.link_list.one(session, brand_id, link_id)


@router.get("/links")
async def links(
    staff: SignedIn,
    hub: Hub,
    wanted: Wanted,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> list[LinkOut]:
    """The newest links with what they brought; `before` (an id) asks for older ones."""
    async with hub.db.session() as session:
        return await hub.link_list.page(session, staff.brand_id, wanted, before=before, limit=limit)


@router.get("/links/export.csv")
async def export_csv(staff: SignedIn, hub: Hub, wanted: Wanted) -> StreamingResponse:
    """All links of the filter for a spreadsheet."""
    rows = hub.link_list.csv(staff.brand_id, wanted)
    return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=named("links.csv"))


@router.get("/links/export.json")
async def export_json(staff: SignedIn, hub: Hub, wanted: Wanted) -> StreamingResponse:
    """All links of the filter for a program."""
    rows = hub.link_list.json(staff.brand_id, wanted)
    return StreamingResponse(rows, media_type="application/json", headers=named("links.json"))


@router.get("/links/hosts")
async def hosts(staff: SignedIn, hub: Hub) -> list[HostOut]:
    """The shop's hosts: where links may lead besides our own pages."""
    async with hub.db.session() as session:
        return [HostOut(**one.model_dump()) for one in await hub.links.hosts(session, staff.brand_id)]


@router.post("/links/hosts", status_code=201)
async def add_host(body: HostWish, staff: SignedIn, hub: Hub) -> HostOut:
    """Let links lead there."""
    async with hub.db.session() as session:
        return HostOut(**(await hub.links.add_host(session, staff.brand_id, body.host)).model_dump())


@router.delete("/links/hosts/{host_id}", status_code=204)
async def drop_host(host_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Let no link lead there any more."""
    async with hub.db.session() as session:
        await hub.links.drop_host(session, staff.brand_id, host_id)


@router.post("/links/preview")
async def preview(body: NewLink, staff: SignedIn, hub: Hub) -> LinkPreview:
    """What this link would be. Nothing is kept."""
    code = body.code or new_code()
    url = hub.links.url(code)
    async with hub.db.session() as session:
        place = await hub.links.place(session, staff.brand_id, body)
        tags = await hub.links.tags(session, staff.brand_id, body)
        plain = body.model_copy(update=dict.fromkeys(UTM))
        ruled = await hub.links.tags(session, staff.brand_id, plain)
    lands_on = tagged(place, {**tags, "sh_link": code})
    drawn = qr.svg(url, spoken(url))
    return LinkPreview(code=code, url=url, lands_on=lands_on, tags=tags, ruled=ruled, qr_svg=drawn)


@router.post("/links", status_code=201)
async def make(body: NewLink, staff: SignedIn, hub: Hub) -> LinkOut:
    """A new link. Asked twice with the same code, it is made once."""
    async with hub.db.session() as session:
        link = await hub.links.make(session, staff.brand_id, body, body.code)
        return await told(hub, session, staff.brand_id, link.id)


@router.get("/links/{link_id}")
async def link(link_id: UUID, staff: SignedIn, hub: Hub) -> LinkOut:
    """One link."""
    async with hub.db.session() as session:
        await hub.links.get(session, staff.brand_id, link_id)
        return await told(hub, session, staff.brand_id, link_id)


@router.put("/links/{link_id}")
async def change(link_id: UUID, body: LinkWish, staff: SignedIn, hub: Hub) -> LinkOut:
    """Another purpose, destination, tags or cost; the code stays."""
    async with hub.db.session() as session:
        found = await hub.links.get(session, staff.brand_id, link_id)
        await hub.links.change(session, found, body)
        return await told(hub, session, staff.brand_id, link_id)


@router.post("/links/{link_id}/archive")
async def archive(link_id: UUID, staff: SignedIn, hub: Hub) -> LinkOut:
    """Out of the list, the chats and the pictures; whoever follows it still arrives."""
    async with hub.db.session() as session:
        found = await hub.links.get(session, staff.brand_id, link_id)
        await hub.links.archive(found)
        await hub.link_posts.pictures.archived(session, found)
        return await told(hub, session, staff.brand_id, link_id)


@router.post("/links/{link_id}/restore")
async def restore(link_id: UUID, staff: SignedIn, hub: Hub) -> LinkOut:
    """Take that back."""
    async with hub.db.session() as session:
        found = await hub.links.get(session, staff.brand_id, link_id)
        await hub.links.restore(found)
        await hub.link_posts.pictures.restored(session, found)
        return await told(hub, session, staff.brand_id, link_id)


@router.get("/links/{link_id}/qr.{kind}", response_class=Response)
async def qr_code(link_id: UUID, kind: Literal["svg", "png"], staff: SignedIn, hub: Hub) -> Response:
    """Its QR code to print or show, with the address in letters below."""
    async with hub.db.session() as session:
        found = await hub.links.get(session, staff.brand_id, link_id)
    url = hub.links.url(found.code)
    headers = named(f"link-{found.code}.{kind}")
    if kind == "svg":
        return Response(qr.svg(url, spoken(url)), media_type="image/svg+xml", headers=headers)
    drawn = await asyncio.to_thread(qr.png, url, spoken(url))
    return Response(drawn, media_type="image/png", headers=headers)


@router.post("/links/{link_id}/posts", status_code=201)
async def post(link_id: UUID, body: PostWish, staff: SignedIn, hub: Hub) -> LinkOut:
    """Post it in a target's chat while the show is live, or show it in its picture."""
    async with hub.db.session() as session:
        found = await hub.links.get(session, staff.brand_id, link_id)
        await hub.link_posts.post(session, found, body)
        return await told(hub, session, staff.brand_id, link_id)


@router.delete("/links/{link_id}/posts/{post_id}")
async def unpost(link_id: UUID, post_id: UUID, staff: SignedIn, hub: Hub) -> LinkOut:
    """Post it there no longer."""
    async with hub.db.session() as session:
        found = await hub.links.get(session, staff.brand_id, link_id)
        await hub.link_posts.remove(session, found, post_id)
        return await told(hub, session, staff.brand_id, link_id)


@router.post("/shows/{show_id}/link-posts", status_code=201)
async def post_everywhere(show_id: UUID, body: Everywhere, staff: SignedIn, hub: Hub) -> list[LinkOut]:
    """Each target's own link, in its chat where that can be written to, else in its picture."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        posts = await hub.link_posts.post_everywhere(session, show, body.every_minutes, body.message)
        ids = dict.fromkeys(one.link_id for one in posts)
        return [await told(hub, session, staff.brand_id, one) for one in ids]


def named(file: str) -> dict[str, str]:
    """To be saved, not shown."""
    return {"Content-Disposition": f'attachment; filename="{file}"'}
