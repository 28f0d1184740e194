"""Returns, withdrawals and cancels: one kind of row, one way.

    asked ─▶ approved ─▶ received ─▶ refunded
      └────────┴───────────┴───▶ rejected        (asked or approved ─▶ closed: the buyer thought better of it)

Money goes back once what was sent is back, or earlier if staff say so. What goes back on the shelf is
decided on arrival, once. What was never sent arrives at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.aftersale.book import Opened, opened
from hub.aftersale.models import ReturnLine, ReturnRequest
from hub.aftersale.money import SHIPPING, RefundWish
from hub.aftersale.refunds import Refunds, Why, shelved
from hub.clock import Clock
from hub.errors import BadInput, Conflict, NotFound
from hub.orders.checkout import ALPHABET
from hub.orders.models import OrderLine
from hub.orders.timeline import note
from hub.payments.models import Refund
from hub.stock.service import StockRoom

FROM: Final = {
    "approve": ("asked",),
    "reject": ("asked", "approved", "received"),
    "receive": ("asked", "approved"),
    "refund": ("approved", "received"),
    "close": ("asked", "approved"),
}
"""In which states each step may be taken."""
KINDS: Final = {"cancel": "Cancelled", "withdrawal": "Withdrawal", "return": "Return"}


@dataclass(frozen=True)
class Asked:
    """What somebody wants to give back: pieces by line of the order; None: all that can be."""

    kind: str
    why: Why
    lines: Mapping[UUID, int] | None = None
    note: str = ""
    state: str = "asked"


@dataclass(frozen=True)
class Arrived:
    """What came of one line of a return, and whether it can be sold again."""

    pieces: int
    restock: bool


class Returns:
    """Every verb works on an order that is locked, so that two clicks at once are one after the other."""

    def __init__(self, clock: Clock, refunds: Refunds, stock: StockRoom) -> None:
        self._clock = clock
        self._refunds = refunds
        self._stock = stock

    async def ask(self, session: AsyncSession, book: Opened, asked: Asked) -> ReturnRequest:
        """A new request; the same key answers the one there is."""
        order = book.order
        before = await self.known(session, order.id, asked.why.key)
        if before:
            return before
        wanted = pieces_of(book, asked.lines)
        request = ReturnRequest(
            brand_id=order.brand_id,
            order_id=order.id,
            number="RT-" + "".join(secrets.choice(ALPHABET) for _ in range(7)),
            state=asked.state,
            kind=asked.kind,
            reason=asked.why.reason,
            note=asked.note,
            author=asked.why.author,
            key=asked.why.key,
            created_at=self._clock(),
            updated_at=self._clock(),
        )
        session.add(request)
        await session.flush()
        for line_id, quantity in wanted.items():
            session.add(
                ReturnLine(
                    brand_id=order.brand_id, return_id=request.id, order_line_id=line_id, quantity=quantity
                )
            )
        count = sum(wanted.values())
        words = f"{KINDS[asked.kind]} {request.number}: {count} {'piece' if count == 1 else 'pieces'}"
        reason = f", because: {asked.why.reason}" if asked.why.reason else ""
        await note(session, order, f"{asked.kind}.asked", words + reason, asked.why.author)
        return request

    async def known(self, session: AsyncSession, order_id: UUID, key: str) -> ReturnRequest | None:
        """What was made with this key."""
        query = select(ReturnRequest).where(
            col(ReturnRequest.order_id) == order_id, col(ReturnRequest.key) == key
        )
        return (await session.exec(query)).first()

    async def open(
        self, session: AsyncSession, brand_id: UUID, return_id: UUID
    ) -> tuple[ReturnRequest, Opened]:
        """A brand's return with its order, locked."""
        request = await session.get(ReturnRequest, return_id)
        if request is None or request.brand_id != brand_id:
            raise NotFound("return_unknown", "There is no such return.")
        book = await opened(session, brand_id, request.order_id)
        await session.refresh(request)
        return request, book

    async def decide(
        self, session: AsyncSession, request: ReturnRequest, book: Opened, step: str, why: Why
    ) -> None:
        """Approve, reject or close it; once it is so, the same again changes nothing."""
        state = {"approve": "approved", "reject": "rejected", "close": "closed"}[step]
        if request.state == state:
            return
        self._check(request, step)
        await self._set(session, request, state, answer=why.reason)
        reason = f": {why.reason}" if why.reason else ""
        words = f"{KINDS[request.kind]} {request.number} {state}{reason}"
        await note(session, book.order, f"return.{state}", words, why.author)

    async def receive(
        self,
        session: AsyncSession,
        request: ReturnRequest,
        book: Opened,
        arrived: Mapping[UUID, Arrived],
        why: Why,
        *,
        counted: bool = True,
    ) -> None:
        """What arrived, by line of the return; lines not named did not. Decided once.

        `counted`: as pieces that came back, in the brand's figures.
        """
        if request.state == "received":
            return
        self._check(request, "receive")
        rows = {row.id: row for row in await lines_of(session, request)}
        if set(arrived) - set(rows):
            raise BadInput("line_unknown", "This return has no such line.")
        of = {line.id: line for line in book.lines}
        for row_id, came in sorted(
            arrived.items(), key=lambda one: str(of[rows[one[0]].order_line_id].variant_id)
        ):
            row, line = rows[row_id], of[rows[row_id].order_line_id]
            if came.pieces > row.quantity:
                raise Conflict("pieces_too_many", f"Only {row.quantity} of these were to come back.")
            row.received, row.restock = came.pieces, came.restock
            line.returned += came.pieces if counted else 0
            if came.restock:
                pieces = min(came.pieces, book.shelvable(line))
                await shelved(session, self._stock, line, pieces, ("return_line", row.id, why.author))
                book.restocked[line.id] += pieces
        await self._set(session, request, "received")
        count = sum(came.pieces for came in arrived.values())
        words = (
            f"{KINDS[request.kind]} {request.number}: {count} {'piece' if count == 1 else 'pieces'} came back"
        )
        await note(session, book.order, "return.received", words, why.author)

    async def refund(
        self,
        session: AsyncSession,
        request: ReturnRequest,
        book: Opened,
        why: Why,
        *,
        shipping_minor: int | None = None,
    ) -> Refund:
        """Give back what these pieces cost; again only when the refund before failed.

        `shipping_minor` None: all of it when the buyer withdrew from the whole order (Directive 2011/83/EU,
        Art. 13), else nothing.
        """
        before = await session.get(Refund, request.refund_id) if request.refund_id else None
        if before and before.state != "failed":
            return before
        self._check(request, "refund")
        left = {pot.line_id: pot.pieces_left for pot in book.pots}
        wanted: dict[UUID, int] = {}
        for row in await lines_of(session, request):
            pieces = row.received if request.state == "received" else row.quantity
            wanted[row.order_line_id] = min(pieces, left[row.order_line_id])
        if shipping_minor is None:
            by_law = request.kind == "withdrawal" and whole(book, {})
            shipping_minor = shipping_left(book) if by_law else 0
        wish = RefundWish(lines=wanted, shipping_minor=shipping_minor)
        # After a refund that failed, another one: its key must be another.
        again = f":{before.id}" if before else ""
        once = Why(f"return:{request.id}{again}", why.reason, why.author)
        refund = await self._refunds.give(session, book, wish, once, restock=False)
        await self._set(session, request, request.state, refund_id=refund.id)
        return refund

    async def arrive_at_once(
        self, session: AsyncSession, request: ReturnRequest, book: Opened, why: Why
    ) -> None:
        """It was never sent: all of it is back on the shelf."""
        if request.state == "received":
            return
        rows = await lines_of(session, request)
        arrived = {row.id: Arrived(row.quantity, restock=True) for row in rows}
        await self.receive(session, request, book, arrived, why, counted=False)

    def _check(self, request: ReturnRequest, step: str) -> None:
        if request.state not in FROM[step]:
            raise Conflict(
                "return_state", f"This return is {request.state}; that can't be done to it any more."
            )

    async def _set(
        self,
        session: AsyncSession,
        request: ReturnRequest,
        state: str,
        *,
        answer: str | None = None,
        refund_id: UUID | None = None,
    ) -> None:
        request.state, request.updated_at = state, self._clock()
        request.answer = answer or request.answer
        request.refund_id = refund_id or request.refund_id
        await session.flush()


async def lines_of(session: AsyncSession, request: ReturnRequest) -> list[ReturnLine]:
    """The lines of a return."""
    query = select(ReturnLine).where(col(ReturnLine.return_id) == request.id).order_by(col(ReturnLine.id))
    return [*await session.exec(query)]


def pieces_of(book: Opened, lines: Mapping[UUID, int] | None) -> dict[UUID, int]:
    """The wish, checked against what can still come back; None: all of it."""
    can = {line.id: book.returnable(line) for line in book.lines}
    if lines is None:
        found = {line_id: pieces for line_id, pieces in can.items() if pieces}
    else:
        found = {line_id: pieces for line_id, pieces in lines.items() if pieces}
    if set(found) - set(can):
        raise BadInput("line_unknown", "This order has no such line.")
    for line_id, pieces in found.items():
        if pieces > can[line_id]:
            raise Conflict(
                "pieces_too_many",
                f"Only {can[line_id]} of these can still be returned.",
                line_id=str(line_id),
            )
    if not found:
        raise Conflict("nothing_to_return", "There is nothing left of this order to return.")
    return found


def whole(book: Opened, wanted: Mapping[UUID, int]) -> bool:
    """Whether nothing of the order stays with the buyer: then the delivery is paid back too."""

    def stays(line: OrderLine) -> int:
        pot = next(pot for pot in book.pots if pot.line_id == line.id)
        return line.quantity - max(book.on_return[line.id], pot.pieces_back) - wanted.get(line.id, 0)

    return all(stays(line) <= 0 for line in book.lines)


def shipping_left(book: Opened) -> int:
    """What of the shipping has not gone back."""
    return sum(pot.left_minor for pot in book.pots if pot.line_id is SHIPPING)
