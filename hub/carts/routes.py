"""The cart and the payment step of the watch page."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Money
from hub.auth.guard import Hub, Watching
from hub.auth.tokens import Viewer
from hub.carts.addresses import Address, complete
from hub.carts.out import CartOut, CheckoutOut, DeliveryOut, LineOut, SumsOut
from hub.carts.quote import Priced, Quote
from hub.carts.reserving import Wanting
from hub.carts.service import Line
from hub.carts.taxes import Place
from hub.errors import BadInput, Conflict
from hub.offers.coupons import CouponLine
from hub.payments.out import FormOut
from hub.services import Services
from hub.shoppers.guard import Shopping
from hub.shoppers.service import Shopper

router = APIRouter(prefix="/api/v1/public", tags=["cart"])

Key = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[!-~]+$")]


class LineIn(BaseModel):
    """So many of a variant from now on; 0 takes it out. `key`: a fresh random text per change."""

    quantity: int = Field(ge=0, le=99)
    key: Key
    offer_id: UUID | None = None


class CheckoutIn(BaseModel):
    """Where it goes, and how. `key`: the same one reserves nothing twice."""

    key: Key
    address: Address | None = None
    shipping_method_id: UUID | None = None
    code: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] | None = None


@router.get("/cart")
async def cart(viewer: Watching, hub: Hub) -> CartOut:
    """What is in the cart, and what of it is reserved until when."""
    return await cart_of(hub, viewer)


@router.put("/cart/lines/{variant_id}")
async def put_line(variant_id: UUID, body: LineIn, viewer: Watching, hub: Hub) -> CartOut:
    """Put so many of a variant into the cart; 409 `sold_out`, `limit` … leave it as it was."""
    await hub.reserving.put(viewer, Wanting(variant_id, body.quantity, body.key, body.offer_id))
    return await cart_of(hub, viewer)


@router.post("/checkout")
async def checkout(body: CheckoutIn, viewer: Watching, shopper: Shopping, hub: Hub) -> CheckoutOut:
    """Open the payment step: reserve all of it, and only then say what it costs and how to pay.

    409 `some_gone` with `lines` when something could not be reserved: no card has been asked for.
    """
    address = complete(body.address) if body.address else None
    lines = await hub.reserving.secure(viewer, body.key)
    if not lines:
        raise Conflict("cart_empty", "There is nothing in your cart.")
    return await payment_step(hub, viewer, shopper, lines, body, address)


async def payment_step(
    hub: Services,
    viewer: Viewer,
    shopper: Shopper | None,
    lines: list[Line],
    body: CheckoutIn,
    address: Address | None,
) -> CheckoutOut:
    """The sums of what is reserved, and the form to pay them with."""
    currency = lines[0].currency
    if any(line.currency != currency for line in lines):
        raise BadInput(
            "two_currencies", "These products have prices in different currencies. Buy them apart."
        )
    async with hub.db.session() as session:
        method = await hub.quotes.chosen(session, viewer.brand_id, currency, address, body.shipping_method_id)
        off = await coupon_off(hub, session, viewer, lines, body.code)
        quote = await hub.quotes.quote(
            session,
            viewer.brand_id,
            currency,
            [Priced(line.amount_minor, line.product.tax_class) for line in lines],
            off_minor=off,
            method=method,
            place=Place(address.country, address.region or None) if address else Place(),
        )
        form = await form_of(hub, session, viewer, shopper, quote)
        terms = await hub.quotes.terms(session, viewer.brand_id)
    proof = bool(shopper and hub.shoppers.needs_proof(shopper, quote.total_minor, terms.confirm_above_minor))
    return CheckoutOut(
        lines=[LineOut.of(line) for line in lines],
        hold_ids=[group for line in lines for group in line.group_ids],
        expires_at=min(line.expires_at for line in lines if line.expires_at),
        server_time=hub.clock(),
        sums=SumsOut.of(quote),
        shipping_method_id=method.id if method else None,
        form=form,
        proof=proof,
    )


async def coupon_off(
    hub: Services, session: AsyncSession, viewer: Viewer, lines: list[Line], code: str | None
) -> tuple[int, ...]:
    """What a code takes off each line."""
    if not code:
        return ()
    wanted = [
        CouponLine(line.variant.id, line.amount_minor, line.currency, line.holds[0].offer_id)
        for line in lines
    ]
    terms = await hub.offers.coupon(session, viewer.brand_id, viewer.show_id, code, wanted, viewer)
    return terms.off_minor


async def form_of(
    hub: Services, session: AsyncSession, viewer: Viewer, shopper: Shopper | None, quote: Quote
) -> FormOut | None:
    """How to pay; None when there is nothing to pay."""
    if quote.total_minor == 0:
        return None
    amount = Money(amount=quote.total_minor, currency=quote.currency)
    customer = shopper.customer_id if shopper else None
    return await hub.payments.form(session, viewer.brand_id, amount, customer)


async def cart_of(hub: Services, viewer: Viewer) -> CartOut:
    """The cart with what has to be said about delivery."""
    async with hub.db.session() as session:
        lines = await hub.carts.lines(session, viewer)
        currency = lines[0].currency if lines else ""
        methods = await hub.quotes.methods(session, viewer.brand_id, currency) if lines else []
    return CartOut(
        lines=[LineOut.of(line) for line in lines],
        delivery=DeliveryOut.of(methods),
        server_time=hub.clock(),
    )
