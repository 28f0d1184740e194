"""A buyer signs in, joins, and registers a passkey; all from the watch page."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, StringConstraints
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.guard import Hub, Watching
from hub.auth.tokens import Viewer
from hub.carts.addresses import Address
from hub.errors import BadInput, Unauthorised
from hub.orders.models import Order
from hub.payments.out import SavedOut
from hub.services import Services
from hub.shoppers.guard import COOKIE, Known, Shopping, keep
from hub.shoppers.service import Shopper

router = APIRouter(prefix="/api/v1/public", tags=["shoppers"])

Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=320, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
]
Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\d{6}$")]
MOST_BYTES = 20_000


class CodeWish(BaseModel):
    """Where to send a code."""

    email: Email


class CodeEntry(BaseModel):
    """The code that came."""

    email: Email
    code: Code


class Credential(BaseModel):
    """What `navigator.credentials` gave, as JSON."""

    credential: dict[str, Any]


class ShopperOut(BaseModel):
    """A buyer as their own page shows them. `address`: where their last order went."""

    name: str
    email: str
    member_since: datetime | None
    passkeys: int
    saved: list[SavedOut]
    address: Address | None
    segments: list[UUID]


class Me(BaseModel):
    """Who is signed in, if anybody; `viewer_token` takes the place of the page's old one."""

    shopper: ShopperOut | None
    viewer_token: str


@router.post("/sign-in/codes", status_code=204)
async def send_code(body: CodeWish, request: Request, viewer: Watching, hub: Hub) -> None:
    """Send a code. The answer is the same whether the address is known or not."""
    hub.shoppers.places.count(place_of(request))
    async with hub.db.session() as session:
        await hub.shoppers.send_code(session, viewer.brand_id, body.email)


@router.post("/sign-in")
async def enter_code(body: CodeEntry, request: Request, response: Response, viewer: Watching, hub: Hub) -> Me:
    """Sign in with the code; the session lives in an HttpOnly cookie."""
    hub.shoppers.places.count(place_of(request))
    async with hub.db.session() as session:
        token = await hub.shoppers.enter_code(session, viewer.brand_id, body.email, body.code, viewer.id)
        if token:
            await hub.shoppers.own_orders(session, viewer, token)
    if token is None:
        raise Unauthorised("code_wrong", "This code is not right, or too old. Ask for a new one.")
    return await signed_in(hub, viewer, response, token)


@router.delete("/sign-in", status_code=204)
async def sign_out(request: Request, response: Response, viewer: Watching, hub: Hub) -> None:
    """Sign out."""
    async with hub.db.session() as session:
        await hub.shoppers.sign_out(session, request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE)


@router.get("/me")
async def me(shopper: Shopping, viewer: Watching, hub: Hub) -> Me:
    """Who is signed in."""
    return await about(hub, viewer, shopper)


@router.put("/me/membership")
async def join(shopper: Known, viewer: Watching, hub: Hub) -> Me:
    """Become a member of the brand."""
    return await membership(hub, viewer, shopper, member=True)


@router.delete("/me/membership")
async def leave(shopper: Known, viewer: Watching, hub: Hub) -> Me:
    """Stop being one."""
    return await membership(hub, viewer, shopper, member=False)


@router.delete("/me/methods/{method_id}", status_code=204)
async def forget_method(method_id: UUID, shopper: Known, hub: Hub) -> None:
    """Keep a card no longer."""
    async with hub.db.session() as session:
        await hub.payments.forget(session, shopper.customer_id, method_id)


@router.post("/passkeys/registration")
async def to_register(shopper: Known, hub: Hub) -> dict[str, Any]:
    """Options for `navigator.credentials.create`."""
    return await hub.passkeys.to_register(shopper)


@router.post("/passkeys", status_code=204)
async def register(body: Credential, shopper: Known, hub: Hub) -> None:
    """Keep a new passkey."""
    await hub.passkeys.register(shopper, sized(body))


@router.post("/passkeys/question")
async def to_sign(shopper: Shopping, request: Request, viewer: Watching, hub: Hub) -> dict[str, Any]:
    """Options for `navigator.credentials.get`: to sign in, or, signed in, to show that it is you."""
    if shopper:
        return await hub.passkeys.to_confirm(shopper)
    hub.shoppers.places.count(place_of(request))
    return await hub.passkeys.to_sign_in(viewer.brand_id)


@router.post("/passkeys/answer")
async def signed(body: Credential, shopper: Shopping, response: Response, viewer: Watching, hub: Hub) -> Me:
    """What the device signed: the buyer is signed in, or has shown that it is they."""
    if shopper:
        await hub.passkeys.confirm(shopper, sized(body))
        return await about(hub, viewer, shopper)
    token = await hub.passkeys.sign_in(viewer.brand_id, sized(body))
    return await signed_in(hub, viewer, response, token)


async def signed_in(hub: Services, viewer: Viewer, response: Response, token: str) -> Me:
    """The fresh session, in its cookie."""
    keep(response, hub, token)
    async with hub.db.session() as session:
        shopper = await hub.shoppers.who(session, viewer.brand_id, token)
    return await about(hub, viewer, shopper)


async def membership(hub: Services, viewer: Viewer, shopper: Shopper, *, member: bool) -> Me:
    """The buyer, as a member or not."""
    async with hub.db.session() as session:
        since = await hub.shoppers.set_member(session, shopper.customer_id, member)
    return await about(hub, viewer, replace(shopper, member_since=since))


async def about(hub: Services, viewer: Viewer, shopper: Shopper | None) -> Me:
    """What the page is told, with a token that says the same."""
    if shopper is None:
        nobody = replace(viewer, customer_id=None, member=False, segments=frozenset())
        return Me(shopper=None, viewer_token=hub.tokens.viewer(nobody))
    member = shopper.member_since is not None
    async with hub.db.session() as session:
        theirs = await hub.segments.of(session, viewer.brand_id, shopper.customer_id, member=member)
        saved = await hub.payments.saved(session, shopper.customer_id)
        address = await last_address(hub, session, shopper)
    out = ShopperOut(
        name=shopper.name,
        email=shopper.email,
        member_since=shopper.member_since,
        passkeys=shopper.passkeys,
        saved=saved,
        address=address,
        segments=sorted(theirs),
    )
    seen = replace(viewer, customer_id=shopper.customer_id, member=member, segments=theirs)
    return Me(shopper=out, viewer_token=hub.tokens.viewer(seen))


async def last_address(hub: Services, session: AsyncSession, shopper: Shopper) -> Address | None:
    """Where their last order went, so that nobody types it twice."""
    query = (
        select(Order.address_sealed)
        .where(
            col(Order.customer_id) == shopper.customer_id,
            # Anybody may order with another's address for mail: what they typed must not come up here.
            col(Order.signed_in),
            col(Order.address_sealed).is_not(None),
            col(Order.state).in_(["paid", "refunded"]),
        )
        .order_by(col(Order.placed_at).desc())
    )
    sealed = (await session.exec(query)).first()
    return Address.model_validate_json(hub.checkout.opened(sealed)) if sealed else None


def sized(body: Credential) -> dict[str, Any]:
    """A credential of a size that credentials have."""
    if len(body.model_dump_json()) > MOST_BYTES:
        raise BadInput("passkey_unreadable", "This is no passkey.")
    return body.credential


def place_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""
