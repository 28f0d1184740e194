"""What the watch page and its viewers may do; no account, only the token the page brings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.guard import Hub, Watching
from hub.auth.models import Brand
from hub.auth.tokens import Viewer
from hub.catalog.service import Shelf
from hub.chat.out import MessageOut
from hub.errors import Conflict, Forbidden, NotFound, Unauthorised
from hub.ids import new_id
from hub.playback.keys import Invitation
from hub.playback.out import PlaybackOut
from hub.services import Services
from hub.shows.models import Show

router = APIRouter(prefix="/api/v1/public", tags=["public"])

VISITOR = "simulcast_visitor"
A_YEAR = 365 * 24 * 3600
PRIVATE = "This show is private. Open it with the link you were given."

Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=320, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class PublicVariant(BaseModel):
    """What a buyer chooses."""

    id: UUID
    sku: str
    title: str
    price_minor: int
    currency: str
    available: int


class PublicProduct(BaseModel):
    """A product on the watch page."""

    id: UUID
    title: str
    description: str
    image_url: str | None
    highlighted: bool
    variants: list[PublicVariant]

    @classmethod
    def of(cls, shelf: Shelf) -> PublicProduct:
        """From the tables."""
        return cls(
            **shelf.product.model_dump(include={"id", "title", "description", "image_url"}),
            highlighted=shelf.highlighted,
            variants=[
                PublicVariant(
                    **variant.model_dump(include={"id", "sku", "title", "price_minor", "currency"}),
                    available=stock.on_hand - stock.held - stock.committed,
                )
                for variant, stock in shelf.variants
            ],
        )


class WatchPage(BaseModel):
    """Everything the page needs to begin.

    `access` is private when the show is for those who were given a link, and none came along, or one that is
    no good: `access_reason` is a sentence for the viewer, and there is no player, chat or shop.
    """

    show: dict[str, Any]
    access: Literal["open", "private"]
    access_reason: str | None
    poster_url: str | None
    playback: PlaybackOut | None
    gateway: dict[str, str]
    viewer_token: str
    viewer_id: str
    server_time: datetime
    products: list[PublicProduct]
    messages: list[MessageOut]
    seq: int
    payment: dict[str, Any] | None


class Landing(BaseModel):
    """The address the viewer came in by, tags and all."""

    show: str
    landing: str = Field(max_length=4000)


class Say(BaseModel):
    """A chat message of a viewer."""

    show: str
    text: Words
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = "Guest"


class PaymentIn(BaseModel):
    """The gateway's own token for a payment method; never card data."""

    source: str = Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9_\-:.]+$")


class OrderIn(BaseModel):
    """Order what is held."""

    hold_id: UUID
    email: Email
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    payment: PaymentIn


class OrderStatus(BaseModel):
    """The truth about an order."""

    order_id: UUID
    number: str
    state: str
    message: str
    total_minor: int
    currency: str
    hold_expires_at: datetime | None = None


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
    """Who asks for a watch page, and from where. `player` counts as one viewer over its renewals."""

    visitor: str
    player: str
    link: str | None
    address: str | None


@router.get("/shows/{slug}")
async def watch_page(
    slug: str,
    request: Request,
    response: Response,
    hub: Hub,
    access: Annotated[str | None, Query(max_length=2000)] = None,
    viewer: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
) -> WatchPage:
    """The watch page's document, with a token for whoever asks.

    `access`: the token of a private link. `viewer`: the `viewer_id` of the document before, where a page
    keeps no cookie; a renewed player's token then counts as the same viewer.
    """
    visitor = request.cookies.get(VISITOR, "")
    visitor = visitor if len(visitor) == 32 and visitor.isalnum() else new_id().hex
    address = request.client.host if request.client else None
    visit = Visit(visitor, viewer or visitor, access, address)
    async with hub.db.session() as session:
        page = await page_for(hub, session, await find_show(session, slug), visit)
    # The player asks from whatever site it is embedded in; without credentials, so it gets no cookie there.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.set_cookie(
        VISITOR,
        visitor,
        max_age=A_YEAR,
        httponly=True,
        samesite="lax",
        secure=hub.settings.site_url().startswith("https"),
    )
    return page


async def page_for(hub: Services, session: AsyncSession, show: Show, visit: Visit) -> WatchPage:
    """Everything for who may watch; for who may not, the show's name and why."""
    brand = (await session.exec(select(Brand).where(col(Brand.id) == show.brand_id))).one()
    reason, invitation = None, None
    try:
        invitation = await hub.playback.invited(session, show, visit.link, visit.address)
    except Unauthorised as error:
        reason = error.detail
    about = show.model_dump(mode="json", include={"slug", "title", "state", "starts_at", "live_at"})
    page = WatchPage(
        show={**about, "description": "", "brand": brand.name},
        access="private",
        access_reason=reason or PRIVATE,
        poster_url=hub.playback.poster_url(show),
        playback=None,
        gateway={"url": f"{hub.settings.gateway_url()}/ws"},
        viewer_token="",
        viewer_id=visit.visitor,
        server_time=hub.clock(),
        products=[],
        messages=[],
        seq=show.seq,
        payment=None,
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
    page.viewer_token = hub.tokens.viewer(Viewer(visit.visitor, show.id, show.brand_id, show.slug))
    page.products = [PublicProduct.of(shelf) for shelf in await hub.catalog.shelves_of_show(session, show.id)]
    page.messages = await hub.chat.feed(session, show.id, limit=100, viewers=True)
    page.payment = await payment_of(hub, session, show)


async def payment_of(hub: Services, session: AsyncSession, show: Show) -> dict[str, Any] | None:
    """How one pays here; a test account offers its test card."""
    try:
        gateway = await hub.payments.choose(session, show.brand_id)
    except Conflict:
        return None
    return {"gateway": gateway.connector, "test_source": "pm_card_visa" if gateway.test else None}


@router.post("/touches", status_code=204)
async def touch(body: Landing, viewer: Watching, hub: Hub) -> None:
    """Record how the viewer came here."""
    own_show(viewer, body.show)
    async with hub.db.session() as session:
        show = await find_show(session, body.show)
        await hub.attribution.visit(session, show, viewer.id, body.landing)


@router.post("/messages", status_code=201)
async def say(body: Say, viewer: Watching, hub: Hub) -> MessageOut:
    """Say something in the show's chat."""
    own_show(viewer, body.show)
    hub.pace.check(viewer.id)
    async with hub.db.session() as session:
        show = await find_show(session, body.show)
        if show.state == "ended":
            raise Conflict("show_ended", "The show has ended.")
        message = await hub.chat.say(session, show, viewer, body.name or "Guest", body.text)
    return MessageOut.of(message)


@router.delete("/holds/{hold_id}", status_code=204)
async def release(hold_id: UUID, viewer: Watching, hub: Hub) -> None:
    """Let go of a reservation."""
    async with hub.db.session() as session:
        await hub.checkout.release(session, viewer, hold_id)


@router.post("/orders", status_code=202)
async def order(body: OrderIn, viewer: Watching, hub: Hub) -> OrderStatus:
    """Order what is held; the payment follows in the background."""
    async with hub.db.session() as session:
        gateway = await hub.payments.choose(session, viewer.brand_id)
        buyer = (body.name, body.email)
        placed = await hub.checkout.place(
            session, viewer, body.hold_id, buyer, (gateway, body.payment.source)
        )
    return OrderStatus(order_id=placed.id, **placed.model_dump(include=STATUS))


@router.get("/orders/{order_id}")
async def order_status(order_id: UUID, viewer: Watching, hub: Hub) -> OrderStatus:
    """What became of it."""
    async with hub.db.session() as session:
        found, expires = await hub.checkout.get(session, viewer, order_id)
    return OrderStatus(order_id=found.id, hold_expires_at=expires, **found.model_dump(include=STATUS))


STATUS = {"number", "state", "message", "total_minor", "currency"}
