"""What a buyer may do with their own order. They bring the page's token, or the link they were sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator, BaseModel, Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.aftersale.book import Opened, opened
from hub.aftersale.detail import InvoiceOut, RightsOut
from hub.aftersale.letters import said_at
from hub.aftersale.models import ReturnRequest
from hub.aftersale.money import RefundWish
from hub.aftersale.refunds import Why, planned_of
from hub.aftersale.returns import Asked, pieces_of, whole
from hub.aftersale.routes import Key, LineIn, Reason, Remark, WishIn, as_pdf
from hub.aftersale.terms import terms_of
from hub.auth.guard import Hub, viewer_of
from hub.errors import NotFound
from hub.orders.models import Order
from hub.payments.pan import refuse_card
from hub.public.routes import Email, Words
from hub.services import Services

router = APIRouter(prefix="/api/v1/public/orders/{order}", tags=["public"])


@dataclass(frozen=True)
class Mine:
    """An order that whoever asks may act on."""

    brand_id: UUID
    order_id: UUID


async def mine_of(order: str, request: Request, hub: Hub) -> Mine:
    """`order` is the token of the link in the buyer's mail, or the id beside the token of the page."""
    try:
        order_id = UUID(order)
    except ValueError:
        order_id = hub.tokens.read_order(order)
        async with hub.db.session() as session:
            found = await session.get(Order, order_id)
        if found is None:
            raise NotFound("order_unknown", "There is no such order.") from None
        return Mine(found.brand_id, order_id)
    viewer = viewer_of(hub, request.headers.get("authorization", ""))
    async with hub.db.session() as session:
        await hub.checkout.get(session, viewer, order_id)
    return Mine(viewer.brand_id, order_id)


Buyer = Annotated[Mine, Depends(mine_of)]


class MyLine(BaseModel):
    """A line, and how many pieces of it may still go back. `paid_minor` is for all of it."""

    id: UUID
    title: str
    quantity: int
    paid_minor: int
    refunded_minor: int
    returnable: int


class MyReturn(BaseModel):
    """A cancel, withdrawal or return and how it stands. `answer` is what the shop wrote."""

    number: str
    kind: str
    state: str
    answer: str
    created_at: datetime


class AfterOut(BaseModel):
    """The order after the sale, as its buyer may see it. No name: who has the link need not know it."""

    number: str
    state: str
    message: str
    currency: str
    total_minor: int
    refunded_minor: int
    rights: RightsOut
    lines: list[MyLine]
    returns: list[MyReturn]
    invoices: list[InvoiceOut]
    return_address: str


class WithdrawIn(BaseModel):
    """`lines` null: everything. `email`: where the proof is sent, else to the order's own address.

    With `confirm` false nothing happens: the answer says what would be declared.
    """

    key: Key
    name: Annotated[Words, AfterValidator(refuse_card)]
    email: Email | None = None
    lines: list[LineIn] | None = Field(default=None, max_length=200)
    confirm: bool = False


class WithdrawalOut(BaseModel):
    """What is declared, and what comes of it. `number` and `at` once it is confirmed."""

    statement: str
    refund_minor: int
    currency: str
    number: str | None
    at: datetime | None


class ReturnIn(BaseModel):
    """What to send back and why."""

    key: Key
    lines: list[LineIn] = Field(min_length=1, max_length=200)
    reason: Reason
    note: Remark = ""


@router.get("/after")
async def after(mine: Buyer, hub: Hub) -> AfterOut:
    """What may be done with the order, until when, and what was done."""
    async with hub.db.session() as session:
        return await shown(hub, session, await opened(session, mine.brand_id, mine.order_id, lock=False))


@router.post("/cancel")
async def cancel(mine: Buyer, hub: Hub) -> AfterOut:
    """One tap within 24 hours: all of it, at no cost. 409 `cancel_over`, `already_sent`. Repeatable."""
    async with hub.db.session() as session:
        book = await opened(session, mine.brand_id, mine.order_id)
        await hub.aftersale.buyers.cancel(session, book, Why("cancel", ""))
    return await after(mine, hub)


@router.post("/withdrawal")
async def withdraw(body: WithdrawIn, mine: Buyer, hub: Hub) -> WithdrawalOut:
    """Withdraw from the contract, in two steps: look (`confirm` false), then confirm.

    409 `withdrawal_over`, `nothing_to_return`, `pieces_too_many`. The same key again answers the same
    withdrawal.
    """
    wanted = WishIn(lines=body.lines).wish().lines if body.lines is not None else None
    buyers, returns = hub.aftersale.buyers, hub.aftersale.returns
    async with hub.db.session() as session:
        book = await opened(session, mine.brand_id, mine.order_id, lock=body.confirm)
        request = await returns.known(session, book.order.id, body.key)
        if request is None and body.confirm:
            who = (body.name, body.email or buyers.email_of(book.order))
            request = await buyers.withdraw(session, book, who, wanted, Why(body.key, ""))
        elif request is None:
            await buyers.may_withdraw(session, book)
        return declared(book, body.name, wanted, request)


@router.post("/returns", status_code=201)
async def send_back(body: ReturnIn, mine: Buyer, hub: Hub) -> AfterOut:
    """Ask to send something back. 409 `return_over`, `not_paid`, `nothing_to_return`, `pieces_too_many`."""
    lines = WishIn(lines=body.lines).wish().lines
    async with hub.db.session() as session:
        book = await opened(session, mine.brand_id, mine.order_id)
        asked = Asked("return", Why(body.key, body.reason), lines, note=body.note)
        await hub.aftersale.buyers.return_some(session, book, asked)
    return await after(mine, hub)


@router.get("/invoices/{invoice_id}")
async def invoice(invoice_id: UUID, mine: Buyer, hub: Hub) -> Response:
    """The PDF of one of the order's documents."""
    async with hub.db.session() as session:
        found = await hub.aftersale.invoices.get(session, mine.brand_id, invoice_id)
    if found.order_id != mine.order_id:
        raise NotFound("invoice_unknown", "There is no such invoice.")
    return as_pdf(await hub.aftersale.invoices.draw(found), found.number)


def declared(
    book: Opened, name: str, wanted: Mapping[UUID, int] | None, request: ReturnRequest | None
) -> WithdrawalOut:
    """The declaration in words, and what it gives back."""
    order = book.order
    chosen = wanted if wanted is not None else {line.id: book.returnable(line) for line in book.lines}
    goods = ", ".join(f"{chosen[line.id]} × {line.title}" for line in book.lines if chosen.get(line.id))
    statement = (
        f"I, {name}, withdraw from the contract of order {order.number}, "
        f"placed {said_at(order.placed_at, order.country)}, for: {goods or 'all goods'}."
    )
    if request:
        at = request.created_at
        return WithdrawalOut(
            statement=statement, refund_minor=0, currency=order.currency, number=request.number, at=at
        )
    pieces = pieces_of(book, wanted)
    wish = RefundWish(everything=True) if whole(book, pieces) else RefundWish(lines=pieces)
    parts = planned_of(book, wish) if book.left_minor > 0 else []
    total = sum(part.amount_minor for part in parts)
    return WithdrawalOut(
        statement=statement, refund_minor=total, currency=order.currency, number=None, at=None
    )


async def shown(hub: Services, session: AsyncSession, book: Opened) -> AfterOut:
    """The order as its buyer may see it."""
    order = book.order
    pots = {pot.line_id: pot for pot in book.pots}
    query = select(ReturnRequest).where(col(ReturnRequest.order_id) == order.id)
    requests = (await session.exec(query.order_by(col(ReturnRequest.id)))).all()
    papers = await hub.aftersale.invoices.of_order(session, order.id)
    terms = await terms_of(session, order.brand_id)
    return AfterOut(
        **order.model_dump(include=set(AfterOut.model_fields) & set(Order.model_fields)),
        rights=RightsOut.of(await hub.aftersale.buyers.rights(session, book)),
        lines=[
            MyLine(
                id=line.id,
                title=line.title,
                quantity=line.quantity,
                paid_minor=pots[line.id].paid_minor,
                refunded_minor=pots[line.id].back_minor,
                returnable=book.returnable(line),
            )
            for line in book.lines
        ],
        returns=[MyReturn.model_validate(one.model_dump()) for one in requests],
        invoices=[InvoiceOut.of(paper) for paper in papers],
        return_address=terms.return_address or terms.legal_address,
    )
