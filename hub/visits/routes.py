"""What the watch page says of a visit, and the passes for the brand's own shop."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.guard import Hub, Watching
from hub.auth.tokens import Viewer
from hub.errors import Forbidden, NotFound
from hub.services import Services
from hub.shows.models import Show
from hub.visits.cookie import keep, visitor_of
from hub.visits.referrers import host_of

router = APIRouter(prefix="/api/v1/public", tags=["public"])

LONGEST_PASS = 300


Address = Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00]*$")]


class Landing(BaseModel):
    """The address the viewer came in by, tags and all, and the page that led there."""

    show: str
    landing: Address
    referrer: Address | None = None


class Attention(BaseModel):
    """How long the page was in front since it last said so."""

    show: str
    seconds: int = Field(ge=0, le=1800)


class OnShow(BaseModel):
    """Which show the page is of."""

    show: str


class Way(BaseModel):
    """An address a viewer is about to follow."""

    url: Address


class CarriedOut(BaseModel):
    """Who came to the shop. `ticket` fetches a pass for each link back, for a day."""

    visitor_id: str
    ticket: str


class PassOut(BaseModel):
    """To be appended to a link to the watch page as `sh_v`, within two minutes."""

    sh_v: str


@router.post("/touches", status_code=204)
async def touch(body: Landing, request: Request, viewer: Watching, hub: Hub) -> None:
    """Record how the viewer came here."""
    hub.visits.quota.check(viewer.id)
    async with hub.db.session() as session:
        show = await show_of(session, viewer, body.show)
        await hub.visits.visit(session, show, viewer.id, body.landing, body.referrer)
        if says_gpc(request):
            await hub.consent_book.heard_gpc(session, viewer.brand_id, viewer.id, viewer.customer_id)


@router.post("/visits", status_code=204)
async def attend(body: Attention, viewer: Watching, hub: Hub) -> None:
    """The viewer is still here."""
    hub.visits.quota.check(viewer.id)
    async with hub.db.session() as session:
        show = await show_of(session, viewer, body.show)
        await hub.visits.seen(session, viewer.brand_id, viewer.id, show_id=show.id, seconds=body.seconds)


@router.post("/visitor", status_code=204)
async def needed(body: OnShow, request: Request, response: Response, viewer: Watching, hub: Hub) -> None:
    """Remember the viewer over a reload: they reserved, filled a cart, chatted or signed in. Repeatable.

    Until the browser is closed; a cookie that was allowed for longer stays as it is.
    """
    hub.visits.quota.check(viewer.id)
    async with hub.db.session() as session:
        show = await show_of(session, viewer, body.show)
        await hub.visits.seen(session, viewer.brand_id, viewer.id, show_id=show.id, key_event=True)
        await remember(hub, session, request, response, viewer)


async def remember(
    hub: Services, session: AsyncSession, request: Request, response: Response, viewer: Viewer
) -> None:
    """The cookie of this page's viewer. Another page's, opened before there was one, gives way to it."""
    before = visitor_of(hub, request)
    if before == viewer.id:
        return
    year = False
    if before is not None:
        await hub.consent_book.carry_over(session, viewer.brand_id, before, viewer.id)
        year = (await hub.consent_book.of(session, viewer.brand_id, viewer.id)).analytics
    keep(hub, response, viewer.id, year=year)


@router.post("/passes")
async def sign(body: Way, viewer: Watching, hub: Hub) -> Way:
    """The address to follow: with a pass for the brand's own shop, as it is for any other."""
    hub.visits.quota.check(viewer.id)
    async with hub.db.session() as session:
        return Way(url=await hub.visits.passes.sign(session, viewer.brand_id, viewer.id, body.url))


@router.post("/passes/trade")
async def trade(request: Request, response: Response, hub: Hub) -> CarriedOut:
    """The shop's page hands in the pass it was opened with, as the plain text of the body."""
    host, said = await from_shop(request, response)
    async with hub.db.session() as session:
        found = await hub.visits.passes.trade(session, said, host)
    if found is None:
        raise NotFound("pass_unknown", "This pass was used, is too old, or was made for another shop.")
    carried, ticket = found
    return CarriedOut(visitor_id=carried.visitor_id, ticket=ticket)


@router.post("/passes/back")
async def back(request: Request, response: Response, hub: Hub) -> PassOut:
    """The shop's page asks for a pass for a link back, with its ticket as the plain text of the body."""
    host, said = await from_shop(request, response)
    async with hub.db.session() as session:
        made = await hub.visits.passes.back(session, said, host)
    if made is None:
        raise NotFound("ticket_unknown", "This ticket is too old, or was made for another shop.")
    return PassOut(sh_v=made)


async def from_shop(request: Request, response: Response) -> tuple[str, str]:
    """(host, body) of a call from a shop's page. A browser cannot say another origin than its page's.

    Plain text and no cookies, so that no preflight is asked; the answer is for that origin alone.
    """
    origin = request.headers.get("origin", "")
    host = host_of(origin)
    if host is None:
        raise Forbidden("origin_missing", "Ask from a page of the shop.")
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Vary"] = "Origin"
    said = b""
    async for piece in request.stream():
        said += piece
        if len(said) > LONGEST_PASS:
            break
    return host, said.decode("ascii", "replace").strip()


async def show_of(session: AsyncSession, viewer: Viewer, slug: str) -> Show:
    """The viewer's show; their token is good for that one."""
    if slug != viewer.slug:
        raise Forbidden("other_show", "This page belongs to another show. Load it again.")
    show = await session.get(Show, viewer.show_id)
    if show is None:
        raise NotFound("show_unknown", "There is no show at this address.")
    return show


def says_gpc(request: Request) -> bool:
    """Whether the browser sends Global Privacy Control (https://www.w3.org/TR/gpc/)."""
    return request.headers.get("sec-gpc", "").strip() == "1"
