"""An order opened to be changed after the sale: locked, with its lines and what of its money is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.aftersale.documents import pots_of
from hub.aftersale.models import OrderDelivery, RefundPart, ReturnLine, ReturnRequest
from hub.aftersale.money import Pot, fitted
from hub.errors import NotFound
from hub.orders.models import Order, OrderLine
from hub.payments.models import Payment, Refund
from hub.stock.models import Hold

OWN = "own"
"""The channel of our own checkout. Of orders from elsewhere, their shop keeps money and rights."""
NO_MORE = ("rejected", "closed")
"""States of a return that will bring nothing back."""


@dataclass
class Opened:
    """An order, its lines, its money by pots, and how it travels.

    `confirmed`: no gateway has yet to say whether it got the money. `paid_minor`: captured; `left_minor`: of
    that, neither given back nor on its way back. `on_return`: pieces of each line that are asked for or came
    back by returns. `restocked`: pieces of each line that went back to the shelf.
    """

    order: Order
    lines: Sequence[OrderLine]
    pots: list[Pot]
    confirmed: bool
    paid_minor: int
    left_minor: int
    delivery: OrderDelivery | None
    on_return: Counter[UUID]
    restocked: Counter[UUID]

    @property
    def sent(self) -> bool:
        """Whether it has left the house, as far as anybody noted."""
        return self.delivery is not None and bool(self.delivery.sent_at or self.delivery.delivered_at)

    def returnable(self, line: OrderLine) -> int:
        """Pieces that may still be asked back: neither on a return nor refunded without one."""
        pot = next(pot for pot in self.pots if pot.line_id == line.id)
        return max(0, line.quantity - max(self.on_return[line.id], pot.pieces_back))

    def shelvable(self, line: OrderLine) -> int:
        """Pieces that may still go back to the shelf.

        A return may bring what a refund has put there already: then more came back than there was.
        """
        left = max(0, line.quantity - self.restocked[line.id])
        return left if line.state == "committed" else 0


async def opened(session: AsyncSession, brand_id: UUID, order_id: UUID, *, lock: bool = True) -> Opened:
    """The order as it is now. With `lock` nobody else changes it, its payments or its returns meanwhile."""
    paying = select(Payment).where(col(Payment.order_id) == order_id, col(Payment.brand_id) == brand_id)
    query = select(Order).where(col(Order.id) == order_id, col(Order.brand_id) == brand_id)
    if lock:
        # Payments, order, holds: as the checkout and the reviews do it. Another way round would deadlock.
        paying, query = paying.order_by(col(Payment.id)).with_for_update(), query.with_for_update()
    payments = (await session.exec(paying.execution_options(populate_existing=True))).all()
    order = (await session.exec(query.execution_options(populate_existing=True))).first()
    if lock:
        holds = select(Hold.id).where(col(Hold.order_id) == order_id, col(Hold.brand_id) == brand_id)
        await session.exec(holds.order_by(col(Hold.id)).with_for_update())
    if order is None:
        raise NotFound("order_unknown", "There is no such order.")
    wanted = select(OrderLine).where(col(OrderLine.order_id) == order_id).order_by(col(OrderLine.id))
    lines = (await session.exec(wanted.execution_options(populate_existing=True))).all()
    on_return, shelved = await returns_of(session, order_id)
    given = await given_back(session, order_id)
    paid = sum(payment.captured_minor for payment in payments)
    return Opened(
        order=order,
        lines=lines,
        pots=[
            replace(pot, pieces_back=given.pieces[pot.line_id], back_minor=given.amounts[pot.line_id])
            for pot in fitted(pots_of(order, lines), order.total_minor)
        ],
        confirmed=all(payment.state != "capturing" for payment in payments),
        paid_minor=paid,
        left_minor=paid - given.total_minor,
        delivery=await session.get(OrderDelivery, order_id, populate_existing=True),
        on_return=on_return,
        restocked=given.restocked + shelved,
    )


@dataclass(frozen=True)
class GivenBack:
    """What refunds of an order gave back, or are about to, by line (None: shipping), and in all."""

    pieces: Counter[UUID | None]
    amounts: Counter[UUID | None]
    restocked: Counter[UUID]
    total_minor: int


async def given_back(session: AsyncSession, order_id: UUID) -> GivenBack:
    """A refund that failed gave nothing back, but what was put on the shelf with it stays there."""
    query = (
        select(RefundPart, Refund.state)
        .join(Refund, col(Refund.id) == col(RefundPart.refund_id))
        .where(col(RefundPart.order_id) == order_id)
    )
    pieces: Counter[UUID | None] = Counter()
    amounts: Counter[UUID | None] = Counter()
    restocked: Counter[UUID] = Counter()
    for part, state in (await session.exec(query)).all():
        if state != "failed":
            pieces[part.order_line_id] += part.quantity
            amounts[part.order_line_id] += part.amount_minor
        if part.order_line_id:
            restocked[part.order_line_id] += part.restocked
    total = select(func.coalesce(func.sum(col(Refund.amount_minor)), 0)).where(
        col(Refund.order_id) == order_id, col(Refund.state) != "failed"
    )
    return GivenBack(pieces, amounts, restocked, int((await session.exec(total)).one()))


async def returns_of(session: AsyncSession, order_id: UUID) -> tuple[Counter[UUID], Counter[UUID]]:
    """By line: pieces on a return that may bring them back; pieces that a return put on the shelf."""
    query = (
        select(ReturnLine, ReturnRequest.state)
        .join(ReturnRequest, col(ReturnRequest.id) == col(ReturnLine.return_id))
        .where(col(ReturnRequest.order_id) == order_id)
    )
    asked: Counter[UUID] = Counter()
    shelved: Counter[UUID] = Counter()
    for line, state in (await session.exec(query)).all():
        if state not in NO_MORE:
            # Once it has arrived, only what did arrive counts: the rest may be asked for again.
            waits = state in ("asked", "approved")
            asked[line.order_line_id] += line.quantity if waits else line.received
        if line.restock:
            shelved[line.order_line_id] += line.received
    return asked, shelved
