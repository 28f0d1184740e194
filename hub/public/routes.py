"""What the watch page and its viewers may do; no account, only the token the page brings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, StringConstraints
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.guard import Hub, Watching
from hub.auth.models import Brand
from hub.auth.tokens import Viewer
from hub.catalog.public import PublicProduct, public_of
from hub.chat.out import MessageOut
from hub.chat.turns import take_turn
from hub.conversions.pixels import Pixel
from hub.errors import Conflict, Forbidden, NotFound, Unauthorised
from hub.ids import new_id
from hub.offers.out import ViewerOffer
from hub.playback.keys import Invitation
from hub.playback.out import PlaybackOut
from hub.services import Services
from hub.shoppers.guard import COOKIE
from hub.shows.models import Show
from hub.visits.cookie import visitor_of
from hub.web import problem

router = APIRouter(prefix="/api/v1/public", tags=["public"])

PRIVATE = "This show is private. Open it with the link you were given."
CORS: Final = {"Access-Control-Allow-Origin": "*"}
"""The player asks from whatever site it is embedded in; without credentials, so it gets no cookie there."""

Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=320, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class ShopperHint(BaseModel):
    """Who is signed in, as far as a page shows it at once; the rest is at `/me`."""

    name: str
    member: bool
    segments: list[UUID] = []


class WatchPage(BaseModel):
    """Everything the page needs to begin.

    `access` is private when the show is for those who were given a link, and none came along, or one that is
    no good: `access_reason` is a sentence for the viewer, and there is no player, chat or shop.
    `visitor_kept`: this browser keeps the viewer's cookie.
    """

    show: dict[str, Any]
    access: Literal["open", "private"]
    access_reason: str | None
    poster_url: str | None
    playback: PlaybackOut | None
    gateway: dict[str, str]
    viewer_token: str
    viewer_id: str
    visitor_kept: bool
    server_time: datetime
    products: list[PublicProduct]
    messages: list[MessageOut]
    seq: int
    payment: dict[str, Any] | None
    offers: list[ViewerOffer]
    shopper: ShopperHint | None
    pixels: list[Pixel]


class Say(BaseModel):
    """A chat message of a viewer."""

    show: str
    text: Words
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = "Guest"


async def find_show(session: AsyncSession, slug: str) -> Show:
    """A show by its address."""
    show = (await session.exec(select(Show).where(col(Show.slug) == slug))).first()
    if show is None:
        raise NotFound("show_unknown", "There is no show at this address.")
    return show


def own_show(viewer: Viewer, slug: str) -> None:
    """A viewer's token is good for the show it was made for."""
    if slug != viewer.slug:
        raise Forbidden("other_show", "This page belongs to another show. Load it again.")


@dataclass(frozen=True)
class Visit:
    """Who asks for a watch page, and from where. `player` counts as one viewer over its renewals.

    `session`: the token of a buyer's own session, if they are signed in. `kept`: `visitor` is the cookie's.
    """

    visitor: str
    player: str
    link: str | None
    address: str | None
    session: str
    kept: bool


@router.get("/shows/{slug}", response_model=WatchPage)
async def watch_page(
    slug: str,
    request: Request,
    response: Response,
    hub: Hub,
    access: Annotated[str | None, Query(max_length=2000)] = None,
    viewer: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
) -> WatchPage | Response:
    """The watch page's document, with a token for whoever asks.

    `access`: the token of a private link. `viewer`: the `viewer_id` of the document before, where a page
    keeps no cookie; a renewed player's token then counts as the same viewer. No cookie is set here.
    """
    kept = visitor_of(hub, request)
    visitor = kept or new_id().hex
    address = request.client.host if request.client else None
    visit = Visit(
        visitor, viewer or visitor, access, address, request.cookies.get(COOKIE, ""), kept is not None
    )
    try:
        async with hub.db.session() as session:
            page = await page_for(hub, session, await find_show(session, slug), visit)
    except NotFound as unknown:
        return problem(
            unknown.status, unknown.problem(), CORS
        )  # or the player would hear of a broken network
    response.headers.update(CORS)
    return page


async def page_for(hub: Services, session: AsyncSession, show: Show, visit: Visit) -> WatchPage:
    """Everything for who may watch; for who may not, the show's name and why."""
    brand = (await session.exec(select(Brand).where(col(Brand.id) == show.brand_id))).one()
    reason, invitation = None, None
    try:
        invitation = await hub.playback.invited(session, show, visit.link, visit.address)
    except Unauthorised as error:
        reason = error.detail
    told = {"slug", "title", "state", "starts_at", "live_at", "hold_policy", "viewers_shown"}
    about = show.model_dump(mode="json", include=told)
    page = WatchPage(
        show={**about, "description": "", "brand": brand.name},
        access="private",
        access_reason=reason or PRIVATE,
        poster_url=hub.playback.poster_url(show),
        playback=None,
        gateway={"url": f"{hub.settings.gateway_url()}/ws"},
        viewer_token="",
        viewer_id=visit.visitor,
        visitor_kept=visit.kept,
        server_time=hub.clock(),
        products=[],
        messages=[],
        seq=show.seq,
        payment=None,
        offers=[],
        shopper=None,
        pixels=[],
    )
    if show.access != "signed" or invitation:
        await let_in(hub, session, show, page, visit, invitation)
    return page


async def let_in(
    hub: Services,
    session: AsyncSession,
    show: Show,
    page: WatchPage,
    visit: Visit,
    invitation: Invitation | None,
) -> None:
    """Fill in what only those get who may watch."""
    page.access, page.access_reason = "open", None
    page.show["description"] = show.description
    if show.state != "scheduled":
        page.playback = await hub.playback.play(session, show, invitation, visit.player)
    shopper = await hub.shoppers.who(session, show.brand_id, visit.session)
    viewer = Viewer(visit.visitor, show.id, show.brand_id, show.slug)
    if shopper:
        member = shopper.member_since is not None
        theirs = await hub.segments.of(session, show.brand_id, shopper.customer_id, member=member)
        viewer = replace(viewer, customer_id=shopper.customer_id, member=member, segments=theirs)
        page.shopper = ShopperHint(name=shopper.name, member=member, segments=sorted(theirs))
    page.viewer_token = hub.tokens.viewer(viewer)
    page.products = public_of(await hub.catalog.shelves_of_show(session, show.id))
    page.offers = await hub.offers.public_of(session, show.id, viewer)
    page.messages = await hub.chat.feed(session, show.id, limit=100, viewers=True)
    page.payment = await payment_of(hub, session, show)
    page.pixels = await hub.conversions.pixels.of(session, show.brand_id)


async def payment_of(hub: Services, session: AsyncSession, show: Show) -> dict[str, Any] | None:
    """How one pays here; a test account offers its test card."""
    try:
        gateway = await hub.payments.choose(session, show.brand_id)
    except Conflict:
        return None
    return {"gateway": gateway.connector, "test_source": "pm_card_visa" if gateway.test else None}


@router.post("/messages", status_code=201)
async def say(body: Say, viewer: Watching, hub: Hub) -> MessageOut:
    """Say something in the show's chat."""
    own_show(viewer, body.show)
    hub.pace.check(viewer.id)
    async with hub.db.session() as session:
        show = await find_show(session, body.show)
        if show.state == "ended":
            raise Conflict("show_ended", "The show has ended.")
        await take_turn(session, show, viewer, hub.clock(), hub.settings.chat_every)
        message = await hub.chat.say(session, show, viewer, body.name or "Guest", body.text)
    return MessageOut.of(message)


@router.delete("/holds/{hold_id}", status_code=204)
async def release(hold_id: UUID, viewer: Watching, hub: Hub) -> None:
    """Let go of a reservation."""
    async with hub.db.session() as session:
        await hub.checkout.release(session, viewer, hold_id)
