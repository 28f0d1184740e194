"""What the studio shows of a show's sales."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import TextClause, text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run

TOTAL = text(
    """
    SELECT count(*) FILTER (WHERE state = 'paid') AS orders,
           coalesce(sum(total_minor) FILTER (WHERE state = 'paid'), 0) AS revenue_minor,
           count(*) FILTER (WHERE state = 'sold_out') AS sold_out,
           count(DISTINCT customer_id) AS customers
    FROM orders WHERE show_id = :show_id
    """
)
BY_CHANNEL = text(
    """
    SELECT channel, count(*) AS orders, sum(total_minor) AS revenue_minor
    FROM orders WHERE show_id = :show_id AND state = 'paid' GROUP BY channel ORDER BY 3 DESC, 1
    """
)
BY_FIRST = text(
    """
    SELECT coalesce(touch.utm_source, 'direct') AS source, count(*) AS orders,
           sum(total_minor) AS revenue_minor
    FROM orders LEFT JOIN touch ON touch.id = orders.first_touch_id
    WHERE orders.show_id = :show_id AND state = 'paid' GROUP BY 1 ORDER BY 3 DESC, 1
    """
)
BY_LAST = text(BY_FIRST.text.replace("first_touch_id", "last_touch_id"))
NEWEST = text(
    """
    SELECT orders.id, number, channel, state, message, total_minor, currency, placed_at, buyer_name,
           orders.customer_id, coalesce(first.utm_source, 'direct') AS first_source,
           coalesce(last.utm_source, 'direct') AS last_source,
           (SELECT coalesce(json_agg(json_build_object('sku', sku, 'title', title, 'quantity', quantity,
                'unit_minor', unit_minor, 'state', state) ORDER BY id), '[]')
            FROM order_line WHERE order_id = orders.id) AS lines
    FROM orders LEFT JOIN touch AS first ON first.id = first_touch_id
    LEFT JOIN touch AS last ON last.id = last_touch_id
    WHERE orders.show_id = :show_id AND (CAST(:only AS uuid) IS NULL OR orders.id = CAST(:only AS uuid))
    ORDER BY placed_at DESC, orders.id DESC LIMIT :limit
    """
)


class ChannelSales(BaseModel):
    """One channel's part."""

    channel: str
    orders: int
    revenue_minor: int


class SourceSales(BaseModel):
    """What visitors from one source bought."""

    source: str
    orders: int
    revenue_minor: int


class SalesOut(BaseModel):
    """Paid orders of a show. Each model credits every order to exactly one source."""

    orders: int
    revenue_minor: int
    currency: str
    sold_out: int
    customers: int
    by_channel: list[ChannelSales]
    by_first_touch: list[SourceSales]
    by_last_touch: list[SourceSales]


class LineOut(BaseModel):
    """One line of an order."""

    sku: str | None
    title: str
    quantity: int
    unit_minor: int
    state: str


class OrderOut(BaseModel):
    """An order as the studio lists it."""

    id: UUID
    number: str
    channel: str
    state: str
    message: str
    total_minor: int
    currency: str
    placed_at: datetime
    buyer_name: str | None
    customer_id: UUID | None
    first_source: str
    last_source: str
    lines: list[LineOut]


async def sales(session: AsyncSession, show_id: UUID, currency: str) -> SalesOut:
    """A show's sales now."""
    values = {"show_id": show_id}
    total = (await run(session, TOTAL, values)).mappings().one()

    async def rows(query: TextClause) -> list[dict[str, object]]:
        return [dict(row) for row in (await run(session, query, values)).mappings()]

    return SalesOut.model_validate(
        {
            **total,
            "currency": currency,
            "by_channel": await rows(BY_CHANNEL),
            "by_first_touch": await rows(BY_FIRST),
            "by_last_touch": await rows(BY_LAST),
        }
    )


async def newest(
    session: AsyncSession, show_id: UUID, limit: int = 50, only: UUID | None = None
) -> list[OrderOut]:
    """The newest orders of a show, or only one."""
    rows = await run(session, NEWEST, {"show_id": show_id, "limit": limit, "only": only})
    return [OrderOut.model_validate(dict(row)) for row in rows.mappings()]
