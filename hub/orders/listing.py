"""The brand's orders as the studio lists them: newest first, searched, filtered, page by page."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.errors import BadInput
from hub.secrets import Vault

PAGE: Final = text(
    """
    SELECT orders.id, orders.number, orders.channel, orders.state, orders.message, orders.currency,
           orders.subtotal_minor, orders.discount_minor, orders.shipping_minor, orders.tax_minor,
           orders.total_minor, orders.captured_minor, orders.refunded_minor, orders.placed_at,
           orders.updated_at, orders.buyer_name, orders.country, orders.test, orders.show_id,
           show.title AS show_title,
           (SELECT coalesce(sum(quantity), 0) FROM order_line WHERE order_id = orders.id) AS pieces,
           (SELECT string_agg(quantity || ' × ' || title, ', ' ORDER BY id) FROM order_line
            WHERE order_id = orders.id) AS lines,
           EXISTS (SELECT FROM return_request WHERE order_id = orders.id
                   AND state IN ('asked', 'approved', 'received')) AS open_return
    FROM orders LEFT JOIN show ON show.id = orders.show_id
    WHERE orders.brand_id = :brand_id
      AND (CAST(:state AS text) IS NULL OR orders.state = :state)
      AND (CAST(:channel AS text) IS NULL OR orders.channel = :channel)
      AND (CAST(:show_id AS uuid) IS NULL OR orders.show_id = CAST(:show_id AS uuid))
      AND (CAST(:since AS timestamptz) IS NULL OR orders.placed_at >= CAST(:since AS timestamptz))
      AND (CAST(:until AS timestamptz) IS NULL OR orders.placed_at < CAST(:until AS timestamptz))
      AND (CAST(:words AS text) IS NULL
           OR orders.number ILIKE CAST(:words AS text) OR orders.buyer_name ILIKE CAST(:words AS text)
           OR orders.customer_id IN (SELECT customer_id FROM identity WHERE brand_id = :brand_id
               AND kind = 'email' AND value_hash = CAST(:email AS text))
           OR EXISTS (SELECT FROM order_line WHERE order_id = orders.id AND sku ILIKE CAST(:words AS text)))
      AND (CAST(:at AS timestamptz) IS NULL
           OR (orders.placed_at, orders.id) < (CAST(:at AS timestamptz), CAST(:id AS uuid)))
    ORDER BY orders.placed_at DESC, orders.id DESC LIMIT :limit
    """
)


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What to list. `words` are looked for in number, name and SKU; an e-mail address only as a whole."""

    state: str | None = None
    channel: str | None = None
    show_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str | None = None


class OrderRow(BaseModel):
    """One order of the list. Amounts in minor units of `currency`."""

    id: UUID
    number: str
    channel: str
    state: str
    message: str
    currency: str
    subtotal_minor: int
    discount_minor: int
    shipping_minor: int
    tax_minor: int
    total_minor: int
    captured_minor: int
    refunded_minor: int
    placed_at: datetime
    updated_at: datetime
    buyer_name: str | None
    country: str | None
    test: bool
    show_id: UUID | None
    show_title: str | None
    pieces: int
    lines: str | None
    open_return: bool


class OrderPage(BaseModel):
    """Some orders, and where the next ones begin; None when there are no more."""

    orders: list[OrderRow]
    next: str | None


class OrderList:
    """Reads the list; it needs the vault to find an e-mail address by its hash."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def page(
        self,
        session: AsyncSession,
        brand_id: UUID,
        wanted: Filter,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> OrderPage:
        """A page after `cursor`. New orders never move what is on a later page."""
        at, last = read_cursor(cursor) if cursor else (None, None)
        words = wanted.words
        values = {
            "brand_id": brand_id,
            "state": wanted.state,
            "channel": wanted.channel,
            "show_id": wanted.show_id,
            "since": wanted.since,
            "until": wanted.until,
            "words": f"%{escaped(words)}%" if words else None,
            "email": self._vault.fingerprint(words.lower()) if words and "@" in words else None,
            "at": at,
            "id": last,
            "limit": limit + 1,
        }
        rows = [OrderRow.model_validate(dict(row)) for row in (await run(session, PAGE, values)).mappings()]
        more = len(rows) > limit
        return OrderPage(orders=rows[:limit], next=make_cursor(rows[limit - 1]) if more else None)


def escaped(words: str) -> str:
    """So that % and _ mean themselves."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def make_cursor(row: OrderRow) -> str:
    """Where the page after this row begins."""
    return base64.urlsafe_b64encode(f"{row.placed_at.isoformat()} {row.id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """BadInput for anything `make_cursor` did not make."""
    try:
        text_ = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, _, row_id = text_.partition(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return moment, UUID(row_id)
    except (ValueError, binascii.Error):
        raise BadInput("cursor_unknown", "This page of the list is not known. Load the list again.") from None
