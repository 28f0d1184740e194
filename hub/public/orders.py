"""Orders of the watch page: placed, watched, paid once more; watched by its link, too."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Money
from hub.auth.guard import Hub, Watching, viewer_of
from hub.auth.models import Brand
from hub.auth.tokens import Viewer
from hub.carts.addresses import Address
from hub.errors import Conflict, NotFound, Unauthorised
from hub.orders.checkout import Wanted
from hub.orders.models import Order, OrderLine
from hub.payments.out import ActionOut, FormOut, PaymentChoice
from hub.payments.pan import refuse_card
from hub.public.routes import Email
from hub.risk.identity import Visit
from hub.services import Services
from hub.shoppers.guard import Shopping
from hub.shoppers.service import Shopper

router = APIRouter(prefix="/api/v1/public", tags=["public"])

Key = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[!-~]+$")]
Answer = Annotated[dict[str, Annotated[str, StringConstraints(max_length=20_000)]], Field(max_length=50)]
CONSENT = "Keep this card for my next orders at this shop, so that I can pay in one tap."
"""What a buyer agrees to who lets the gateway keep their card."""


class PaymentIn(BaseModel):
    """The gateway's own token for a payment method, never card data; or a method kept for this buyer.

    `gateway`: the `connection_id` of the form the token came from. `save`: keep it for next time.
    """

    source: str | None = Field(default=None, min_length=1, max_length=8000)
    gateway: Annotated[str, StringConstraints(max_length=64)] | None = None
    save: bool = False
    saved_method_id: UUID | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.source is None) == (self.saved_method_id is None):
            raise ValueError("give either a source or a saved method")
        return self


class OrderIn(BaseModel):
    """Order what is held. `payment` may be left out when there is nothing to pay.

    `hold_id` and `hold_ids` name reservations; `key`: a fresh random text for each order. `news`: the buyer
    ticked the box under their e-mail address (`hub.consent.texts.NEWS`).
    """

    hold_id: UUID | None = None
    hold_ids: list[UUID] = Field(default=[], max_length=50)
    email: Email
    name: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=120),
        AfterValidator(refuse_card),
    ]
    payment: PaymentIn | None = None
    address: Address | None = None
    shipping_method_id: UUID | None = None
    code: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] | None = None
    key: Key | None = None
    news: bool = False

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.hold_id is None and not self.hold_ids:
            raise ValueError("name what to order: hold_id or hold_ids")
        if self.address:
            # A telephone's number may be as long.
            for line in self.address.model_dump(exclude={"phone"}).values():
                refuse_card(line)
        return self


class PayIn(BaseModel):
    """Another way to pay an order whose payment failed."""

    payment: PaymentIn


class LineOut(BaseModel):
    """One line. `paid_minor` is for all of it, after its coupon."""

    title: str
    quantity: int
    unit_minor: int
    list_minor: int
    paid_minor: int


class OrderStatus(BaseModel):
    """The truth about an order. No name, address or mail: who has the link need not know them.

    `hold_expires_at`: until when it is reserved. `can_pay`: another card may be tried. `action`: what the
    bank asks, for the buyer's own page alone. `token` opens the status page.
    """

    order_id: UUID
    number: str
    state: str
    message: str
    currency: str
    subtotal_minor: int
    discount_minor: int
    shipping_minor: int
    tax_minor: int
    total_minor: int
    refunded_minor: int
    prices_include_tax: bool
    shipping_method: str
    shop: str = ""
    placed_at: datetime
    server_time: datetime
    hold_expires_at: datetime | None = None
    can_pay: bool = False
    lines: list[LineOut] = []
    action: ActionOut | None = None
    token: str | None = None


COLUMNS = set(OrderStatus.model_fields) & set(Order.model_fields)


@router.post("/orders", status_code=202)
async def order(
    body: OrderIn, request: Request, viewer: Watching, shopper: Shopping, hub: Hub
) -> OrderStatus:
    """Order what is held; the payment follows in the background."""
    wanted = Wanted(
        hold_ids=[*dict.fromkeys([*([body.hold_id] if body.hold_id else []), *body.hold_ids])],
        name=body.name,
        email=body.email,
        payment=choice_of(hub, viewer, body.payment, shopper, request),
        address=body.address,
        shipping_method_id=body.shipping_method_id,
        code=body.code,
        key=body.key,
        customer_id=shopper.customer_id if shopper else None,
        visit=visit_of(request),
    )
    async with hub.checkout.turnstile.turn(viewer.brand_id), hub.db.session() as session:
        placed = await hub.checkout.place(session, viewer, wanted)
        await check_proof(hub, session, viewer, shopper, placed, body.payment)
        if body.news:
            await hub.consent_book.wants_news(session, placed)
        return await status_of(hub, session, placed, own=True)


@router.post("/orders/{order_id}/payment", status_code=202)
async def pay_again(
    order_id: UUID, body: PayIn, request: Request, viewer: Watching, shopper: Shopping, hub: Hub
) -> OrderStatus:
    """Try another card on the same order, while its stock is reserved."""
    async with hub.checkout.turnstile.turn(viewer.brand_id), hub.db.session() as session:
        choice = choice_of(hub, viewer, body.payment, shopper, request)
        found = await hub.checkout.pay_again(session, viewer, order_id, choice)
        await check_proof(hub, session, viewer, shopper, found, body.payment)
        return await status_of(hub, session, found, own=True)


@router.post("/orders/{order_id}/confirmation", status_code=202)
async def confirm(order_id: UUID, body: Answer, viewer: Watching, hub: Hub) -> OrderStatus:
    """What the bank's page or the gateway's script answered; the payment goes on with it."""
    async with hub.db.session() as session:
        found, _ = await hub.checkout.get(session, viewer, order_id)
        await hub.payments.confirm(session, order_id, body)
        return await status_of(hub, session, found, own=True)


@router.get("/orders/{order_id}/form")
async def payment_form(order_id: UUID, viewer: Watching, shopper: Shopping, hub: Hub) -> FormOut:
    """How to pay an order that is placed already, or to answer its bank."""
    async with hub.db.session() as session:
        found, _ = await hub.checkout.get(session, viewer, order_id)
        amount = Money(amount=found.total_minor, currency=found.currency)
        customer = shopper.customer_id if shopper else None
        return await hub.payments.form(session, viewer.brand_id, amount, customer, order_id)


@router.get("/orders/{order}")
async def order_status(order: str, request: Request, hub: Hub) -> OrderStatus:
    """What became of it. `order` is the token of the link, or the id beside the token of the page."""
    try:
        order_id = UUID(order)
    except ValueError:
        order_id = hub.tokens.read_order(order)
        async with hub.db.session() as session:
            found = await session.get(Order, order_id)
            if found is None:
                raise NotFound("order_unknown", "There is no such order.") from None
            return await status_of(hub, session, found, own=False)
    viewer = viewer_of(hub, request.headers.get("authorization", ""))
    async with hub.db.session() as session:
        found, _ = await hub.checkout.get(session, viewer, order_id)
        return await status_of(hub, session, found, own=True)


def choice_of(
    hub: Services,
    viewer: Viewer,
    payment: PaymentIn | None,
    shopper: Shopper | None,
    request: Request,
) -> PaymentChoice:
    """How the buyer wants to pay. A saved method is charged for who is signed in, and for nobody else."""
    if payment is None:
        return PaymentChoice()
    if payment.saved_method_id and shopper is None:
        raise Unauthorised("sign_in_first", "Sign in first. We send you a code by mail.")
    return PaymentChoice(
        source=payment.source,
        gateway=payment.gateway,
        saved_method_id=payment.saved_method_id,
        save=payment.save,
        consent=CONSENT if payment.save else "",
        customer_id=shopper.customer_id if shopper else None,
        # Not the page's own address: that may hold the key to a private show.
        return_url=f"{hub.settings.site_url()}/watch/{viewer.slug}?paying=1",
        ip=request.client.host if request.client else None,
    )


def visit_of(request: Request) -> Visit:
    """What the request says about where it comes from."""
    said = request.headers
    ip = request.client.host if request.client else None
    return Visit(ip, said.get("user-agent", ""), said.get("accept-language", ""))


async def check_proof(
    hub: Services,
    session: AsyncSession,
    viewer: Viewer,
    shopper: Shopper | None,
    placed: Order,
    payment: PaymentIn | None,
) -> None:
    """A saved card is charged only for who showed that it is they; refused here, no order was made."""
    if shopper is None or payment is None or payment.saved_method_id is None:
        return
    terms = await hub.quotes.terms(session, viewer.brand_id)
    if hub.shoppers.needs_proof(shopper, placed.total_minor, terms.confirm_above_minor):
        raise Conflict("proof_needed", "Confirm that it is you.", passkey=shopper.passkeys > 0)


async def status_of(hub: Services, session: AsyncSession, order: Order, *, own: bool) -> OrderStatus:
    """As the buyer's own page, or whoever has the link, may see it."""
    held = await hub.checkout.held_until(session, order)
    query = select(OrderLine).where(col(OrderLine.order_id) == order.id).order_by(col(OrderLine.id))
    shop = select(Brand.name).where(col(Brand.id) == order.brand_id)
    private: dict[str, Any] = {}
    if own:
        private = {
            "token": hub.tokens.order(order.id),
            "action": await hub.payments.action(session, order.id),
        }
    return OrderStatus(
        **order.model_dump(include=COLUMNS),
        order_id=order.id,
        shop=(await session.exec(shop)).one(),
        server_time=hub.clock(),
        hold_expires_at=held,
        can_pay=order.state == "failed" and held is not None and held > hub.clock(),
        lines=[
            LineOut(
                title=line.title,
                quantity=line.quantity,
                unit_minor=line.unit_minor,
                list_minor=line.list_minor,
                paid_minor=line.unit_minor * line.quantity - line.discount_minor,
            )
            for line in await session.exec(query)
        ],
        **private,
    )
