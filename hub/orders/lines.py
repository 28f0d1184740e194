"""What the lines of an order from outside have of the stock, kept level with what the platform says of them.

A line has a wanted number of pieces; what it has differs from that by one sale or one return, and each of
those is a cause of its own in the ledger (`moves`). So it does not matter in which order news comes, or how
often: the newest version says how many, and the difference is taken or put back once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors import types as platform
from hub.catalog.bundles import parts_of
from hub.catalog.models import Listing, Variant
from hub.connections.models import Connection
from hub.db import run
from hub.orders.models import Order, OrderLine
from hub.stock.changes import LOCK_SHELVES
from hub.stock.service import StockRoom

FREE = text(
    "SELECT variant_id, on_hand - held - committed AS free FROM stock WHERE variant_id = ANY(:variants)"
)
FORGET = text(
    """
    UPDATE listing SET pushed_quantity = NULL
    WHERE connection_id = :connection_id AND variant_id = ANY(:variants)
    """
)
"""The shop counted its own sale, before or after our last push: nobody can say what it holds now."""

Parts = Mapping[UUID, Mapping[UUID, int]]
"""Variant → what one piece of it takes from the shelf."""


@dataclass
class Settled:
    """What came of it: lines that found nothing, and those that have less than an edit asked for."""

    lines: list[OrderLine]
    changes: list[str] = field(default_factory=list)
    short: list[OrderLine] = field(default_factory=list)
    older: bool = False
    """It was ordered before its account was linked."""

    @property
    def sold_out(self) -> bool:
        """A line found nothing when its order came, and the order cannot be kept."""
        return any(line.state == "sold_out" for line in self.lines)


class Lines:
    """Every statement here belongs to the transaction of its order, whose row is locked."""

    def __init__(self, stock: StockRoom) -> None:
        self._stock = stock

    async def bring(
        self,
        session: AsyncSession,
        connection: Connection,
        order: Order,
        found: platform.Order,
        *,
        fresh: bool,
    ) -> Settled:
        """Rows and stock in line with the platform's order. `fresh`: it is the first we hear of it.

        What was ordered before the account was linked never was in our stock: the number that we took over
        from the shop had it subtracted already. Only what is added to such an order later is taken.
        """
        query = select(OrderLine).where(col(OrderLine.order_id) == order.id).order_by(col(OrderLine.id))
        rows = {line.external_line_id: line for line in await session.exec(query)}
        # Platforms stamp whole seconds.
        linked = connection.created_at.replace(microsecond=0)
        settled = Settled([], older=fresh and found.placed_at < linked)
        for line in found.lines:
            row = rows.get(line.id)
            if row is None:
                rows[line.id] = row = self._row(session, order, line)
                row.put_back = line.quantity if settled.older else 0
                if not fresh:
                    settled.changes.append(f"{line.quantity} × {line.title} added")
            elif row.quantity != line.quantity:
                settled.changes.append(f"{line.title}: {line.quantity} instead of {row.quantity}")
            if row.variant_id is None:
                row.variant_id = await self._variant(session, connection, line)
                row.state = "open" if row.variant_id else "unknown_sku"
            describe(row, line)
            if row.state == "open" and row.put_back:
                row.state = "released"
        gone = rows.keys() - {line.id for line in found.lines}
        settled.changes += [f"{rows[one].title} taken out" for one in gone if rows[one].taken]
        settled.lines = [*rows.values()]
        for row in settled.lines:
            row.returned = refunded_pieces(found, row.external_line_id)
        await session.flush()
        wanted = {line.id: wanted_of(order, found, line, rows[line.id].put_back) for line in found.lines}
        await self._settle(session, connection, settled, wanted, fresh=fresh)
        return settled

    async def _settle(
        self,
        session: AsyncSession,
        connection: Connection,
        settled: Settled,
        wanted: Mapping[str, int],
        *,
        fresh: bool,
    ) -> None:
        moving = [row for row in settled.lines if row.variant_id and row.state != "sold_out"]
        moving = [row for row in moving if wanted.get(row.external_line_id, 0) != row.taken]
        # A line that found nothing has nothing to give back, and its order is on its way to be cancelled.
        if not moving:
            return
        bundles = await parts_of(session, {row.variant_id for row in moving if row.variant_id})
        parts = {
            row.variant_id: bundles.get(row.variant_id, {row.variant_id: 1})
            for row in moving
            if row.variant_id
        }
        # All at once and in the order in which everybody locks stock: orders have many lines.
        await run(session, LOCK_SHELVES, {"variants": sorted({one for of in parts.values() for one in of})})
        # What goes back first: it may be what another line of this order is waiting for.
        moving.sort(key=lambda row: wanted.get(row.external_line_id, 0) - row.taken)
        for row in moving:
            await self._move(session, row, wanted.get(row.external_line_id, 0), parts, fresh=fresh)
            if row.taken < wanted.get(row.external_line_id, 0) and row.state != "sold_out":
                settled.short.append(row)
        variants = sorted({row.variant_id for row in moving if row.variant_id})
        await run(session, FORGET, {"connection_id": connection.id, "variants": variants})

    async def _move(
        self, session: AsyncSession, row: OrderLine, wanted: int, parts: Parts, *, fresh: bool
    ) -> None:
        if row.variant_id is None:
            return
        by, needs = wanted - row.taken, parts[row.variant_id]
        if by > 0:
            rows = await run(session, FREE, {"variants": [*needs]})
            free = {one.variant_id: one.free for one in rows}
            if any(free.get(part, 0) < by * each for part, each in needs.items()):
                # Of an order that we know already only an edit can ask for more: that is for a person to say.
                row.state = "sold_out" if fresh else row.state
                return
        for part, each in needs.items():
            cause = cause_of(row, part)
            if by > 0:
                await self._stock.sell(session, part, by * each, cause)
            else:
                await self._stock.restock(session, part, -by * each, "order_line", cause, None)
        row.taken, row.moves = wanted, row.moves + 1
        row.state = "committed" if wanted else "released"

    def _row(self, session: AsyncSession, order: Order, line: platform.OrderLine) -> OrderLine:
        made = OrderLine(
            brand_id=order.brand_id,
            order_id=order.id,
            external_line_id=line.id,
            sku=line.sku,
            title=line.title,
            state="open",
        )
        session.add(made)
        return made

    async def _variant(
        self, session: AsyncSession, connection: Connection, line: platform.OrderLine
    ) -> UUID | None:
        if line.listing:
            tied = select(Listing.variant_id).where(
                col(Listing.connection_id) == connection.id,
                col(Listing.variant_ref) == line.listing.variant_id,
            )
            found = (await session.exec(tied)).first()
            if found:
                return found
        by_sku = select(Variant.id).where(
            col(Variant.brand_id) == connection.brand_id, col(Variant.sku) == line.sku
        )
        return (await session.exec(by_sku)).first()


def wanted_of(order: Order, found: platform.Order, line: platform.OrderLine, put_back: int) -> int:
    """How many pieces of a line are to be kept off the shelf. Pure.

    `put_back`: pieces that lie on our shelf in any case: our own staff put them there again, and the platform
    may have counted the same ones; or they never left it.

    A refund gives back money; only what the platform put on the shelf again comes back. A cancelled order
    gives everything back, but for pieces that are said to stay away. Where it ended because we had nothing to
    sell, no piece of it ever left.
    """
    if order.state == "sold_out" and found.state not in ("pending", "paid"):
        return 0
    if found.state == "failed":
        return 0
    if found.state == "cancelled":
        return min(max(0, line.quantity - put_back), kept_away(found, line.id))
    return max(0, line.quantity - max(line.restocked, put_back))


def kept_away(found: platform.Order, line_id: str) -> int:
    """Refunded pieces that the platform says are not on the shelf again."""
    return sum(
        one.quantity
        for refund in found.refunds
        for one in refund.lines
        if one.line_id == line_id and one.restocked is False
    )


def refunded_pieces(found: platform.Order, line_id: str) -> int:
    """Pieces of a line that money was given back for."""
    return sum(one.quantity for refund in found.refunds for one in refund.lines if one.line_id == line_id)


def describe(row: OrderLine, line: platform.OrderLine) -> None:
    """The platform's words and prices."""
    row.quantity, row.unit_minor, row.list_minor = (
        line.quantity,
        line.unit_price.amount,
        line.unit_price.amount,
    )
    row.tax_minor = line.tax.amount if line.tax else 0
    row.discount_minor = line.discount.amount if line.discount else 0


def cause_of(row: OrderLine, part: UUID) -> UUID:
    """The name of a line's next movement in the ledger; its first one is called like the line."""
    if row.moves == 0 and part == row.variant_id:
        return row.id
    return uuid5(row.id, f"{row.moves}:{part}")


def shortage(short: Sequence[OrderLine]) -> str:
    """What a person must do about an edit that asked for more than there is."""
    names = ", ".join(row.sku or row.title for row in short)
    return (
        f"This order was changed on the platform and now asks for more {names} than there is. "
        "Take it out of the order again, or add stock and save the order there once more."
    )
