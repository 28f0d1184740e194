"""Gives money back: planned to the cent, once per key, told in the timeline with author and reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Money
from hub.aftersale.book import OWN, Opened, opened
from hub.aftersale.models import RefundPart
from hub.aftersale.money import Part, RefundWish, planned
from hub.errors import Conflict
from hub.orders.models import OrderLine
from hub.orders.timeline import note
from hub.payments.models import Refund
from hub.payments.service import Payments
from hub.stock.service import StockRoom


@dataclass(frozen=True)
class Why:
    """Who wants it and why. `key` makes it once; `author` is the member, None when the buyer asked."""

    key: str
    reason: str
    author: str | None = None


class Refunds:
    """Through the payment room; what was paid elsewhere is given back there."""

    def __init__(self, payments: Payments, stock: StockRoom) -> None:
        self._payments = payments
        self._stock = stock

    async def preview(
        self, session: AsyncSession, brand_id: UUID, order_id: UUID, wish: RefundWish
    ) -> Sequence[Part]:
        """What a refund would give back; nothing is changed."""
        book = await opened(session, brand_id, order_id, lock=False)
        return planned_of(book, wish)

    async def give(
        self, session: AsyncSession, book: Opened, wish: RefundWish, why: Why, *, restock: bool
    ) -> Refund:
        """Queue the refund of a locked order. The same key again answers the same refund."""
        order = book.order
        key = f"{order.id}:{why.key}"
        before = (await session.exec(select(Refund).where(col(Refund.key) == key))).first()
        if before:
            return before
        given = planned_of(book, wish)
        if restock and not book.confirmed:
            # A payment that comes to nothing gives all its goods back: these would be counted twice.
            raise Conflict(
                "not_confirmed",
                "The bank has not confirmed this payment yet. Give the money back without the goods, or wait "
                "until it has.",
            )
        total = sum(part.amount_minor for part in given)
        refund = await self._payments.refund(session, order.id, total, why.reason, why.author, key)
        lines: dict[UUID | None, OrderLine] = {line.id: line for line in book.lines}
        # In the order of variants, as everybody locks stock.
        for part in sorted(given, key=lambda part: variant_of(lines.get(part.line_id))):
            await self._write(session, book, refund, part, lines.get(part.line_id) if restock else None)
        amount = Money(amount=total, currency=order.currency)
        words = f"{amount.decimal()} {amount.currency} are being given back: {why.reason}"
        await note(session, order, "refund.asked", words, why.author)
        return refund

    async def _write(
        self, session: AsyncSession, book: Opened, refund: Refund, part: Part, shelve: OrderLine | None
    ) -> None:
        """Keep what the refund is for; with `shelve` its pieces are for sale again."""
        row = RefundPart(
            brand_id=book.order.brand_id,
            order_id=book.order.id,
            refund_id=refund.id,
            order_line_id=part.line_id,
            quantity=part.quantity,
            amount_minor=part.amount_minor,
            tax_minor=part.tax_minor,
        )
        session.add(row)
        if shelve:
            row.restocked = min(part.quantity, book.shelvable(shelve))
            await shelved(session, self._stock, shelve, row.restocked, ("refund_part", row.id, refund.author))
        await session.flush()


def planned_of(book: Opened, wish: RefundWish) -> list[Part]:
    """What the wish takes from this order's pots. Conflict when it has no money of ours to give back."""
    if book.order.channel != OWN:
        raise Conflict(
            "refund_elsewhere",
            "This order was paid on another platform. Refund it there; it will show here by itself.",
        )
    if book.left_minor <= 0:
        raise Conflict("nothing_left", "There is nothing left to give back of this order.", left_minor=0)
    found = planned(book.pots, wish, book.left_minor)
    if not any(part.amount_minor for part in found):
        raise Conflict("nothing_asked", "This comes to nothing. Say what to give back.")
    return found


def variant_of(line: OrderLine | None) -> str:
    """The variant's id as text; empty for shipping."""
    return str(line.variant_id) if line and line.variant_id else ""


async def shelved(
    session: AsyncSession,
    stock: StockRoom,
    line: OrderLine,
    pieces: int,
    cause: tuple[str, UUID, str | None],
) -> None:
    """Put pieces of a line back on the shelf; once for each cause (its kind, its id, and who decided it)."""
    if pieces and line.variant_id:
        ref_type, ref_id, author = cause
        await stock.restock(session, line.variant_id, pieces, ref_type, str(ref_id), author or "buyer")
