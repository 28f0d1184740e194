"""Orders as a file: CSV for spreadsheets, JSON for programs. Streamed, so that any number fits.

Read page by page, each in a transaction of its own: a slow reader holds no connection. No addresses, no
tokens, nothing sealed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from typing import Final
from uuid import UUID

from connectors.types import Money
from hub.db import Database
from hub.orders.listing import Filter, OrderList, OrderRow

AT_A_TIME: Final = 500
MONEY: Final = ("subtotal", "discount", "shipping", "tax", "total", "captured", "refunded")
COLUMNS: Final = (
    *("number", "placed_at", "state", "channel", "show", "buyer", "country", "pieces", "lines", "currency"),
    *MONEY,
    *("net_of_refunds", "test", "id"),
)
DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins with one of these is a formula to a spreadsheet, and anybody may be called "=cmd|…"."""


class Export:
    """Streams a brand's orders."""

    def __init__(self, db: Database, orders: OrderList) -> None:
        self._db = db
        self._orders = orders

    async def csv(self, brand_id: UUID, wanted: Filter) -> AsyncIterator[str]:
        """The file in pieces. A byte order mark first: spreadsheets would else guess the letters."""
        yield "\ufeff" + line_of(COLUMNS)
        async for row in self._every(brand_id, wanted):
            cells = cells_of(row)
            yield line_of([cells[name] for name in COLUMNS])

    async def json(self, brand_id: UUID, wanted: Filter) -> AsyncIterator[str]:
        """One JSON array, a row at a time; amounts in minor units."""
        before = "["
        async for row in self._every(brand_id, wanted):
            yield before + json.dumps(row.model_dump(mode="json"), ensure_ascii=False)
            before = ",\n"
        yield "]\n" if before != "[" else "[]\n"

    async def _every(self, brand_id: UUID, wanted: Filter) -> AsyncIterator[OrderRow]:
        cursor: str | None = None
        while True:
            async with self._db.session() as session:
                found = await self._orders.page(session, brand_id, wanted, cursor=cursor, limit=AT_A_TIME)
            for row in found.orders:
                yield row
            cursor = found.next
            if cursor is None:
                return


def cells_of(row: OrderRow) -> dict[str, str]:
    """One order by column. Amounts as decimal numbers, so that a spreadsheet can add them."""

    def money(minor: int) -> str:
        return Money(amount=minor, currency=row.currency).decimal()

    amounts = {name: money(getattr(row, f"{name}_minor")) for name in MONEY}
    return {
        "number": harmless(row.number),
        "placed_at": row.placed_at.isoformat(),
        "state": row.state,
        "channel": row.channel,
        "show": harmless(row.show_title or ""),
        "buyer": harmless(row.buyer_name or ""),
        "country": harmless(row.country or ""),
        "pieces": str(row.pieces),
        "lines": harmless(row.lines or ""),
        "currency": row.currency,
        **amounts,
        "net_of_refunds": money(row.captured_minor - row.refunded_minor),
        "test": "yes" if row.test else "",
        "id": str(row.id),
    }


def harmless(words: str) -> str:
    """Text that no spreadsheet runs: what looks like a formula begins with an apostrophe."""
    return f"'{words}" if words.startswith(DANGEROUS) else words


def line_of(cells: Sequence[str]) -> str:
    """One line of CSV (RFC 4180)."""
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
