"""The merchandiser's view of a show: what sells, how fast, what runs out when, and what it earns."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run

RATE_OVER: Final = timedelta(minutes=5)
"""Long enough that one sale is no trend, short enough that a rush shows within a song."""

SHELF: Final = text(
    """
    SELECT variant.id, variant.sku, product.title, variant.title AS choice, variant.price_minor,
        variant.currency, variant.cost_minor, on_hand, held, committed, stock.version, low_at,
        coalesce(moved.sold, 0) AS sold_lately, coalesce(moved.wanted, 0) AS held_lately
    FROM show_product JOIN product ON product.id = show_product.product_id
    JOIN variant ON variant.product_id = product.id AND NOT variant.archived
    JOIN stock ON stock.variant_id = variant.id
    LEFT JOIN LATERAL (
        SELECT sum(quantity) FILTER (WHERE kind IN ('commit', 'late_commit', 'external_sale')) AS sold,
               sum(quantity) FILTER (WHERE kind = 'hold') AS wanted
        FROM stock_movement
        WHERE stock_movement.variant_id = variant.id AND stock_movement.created_at > :since) AS moved ON true
    WHERE show_product.show_id = :show_id
    ORDER BY show_product.position, variant.id
    """
)
EARNED: Final = text(
    """
    SELECT order_line.variant_id, order_line.offer_id, sum(order_line.quantity) AS units,
        sum(order_line.quantity * order_line.unit_minor - order_line.discount_minor
            - CASE WHEN orders.prices_include_tax THEN order_line.tax_minor ELSE 0 END) AS revenue_minor,
        sum(order_line.quantity * coalesce(order_line.cost_minor, variant.cost_minor)) AS cost_minor,
        bool_and(coalesce(order_line.cost_minor, variant.cost_minor) IS NOT NULL) AS cost_known
    FROM orders JOIN order_line ON order_line.order_id = orders.id
    JOIN variant ON variant.id = order_line.variant_id
    WHERE orders.show_id = :show_id AND orders.state = 'paid'
    GROUP BY order_line.variant_id, order_line.offer_id
    """
)


class Earned(BaseModel):
    """Of paid orders, without tax. `margin_minor` is None while a cost is missing: a guess would mislead."""

    units: int = 0
    revenue_minor: int = 0
    margin_minor: int | None = 0

    def plus(self, other: Earned) -> Earned:
        """Both together."""
        known = self.margin_minor is not None and other.margin_minor is not None
        return Earned(
            units=self.units + other.units,
            revenue_minor=self.revenue_minor + other.revenue_minor,
            margin_minor=(self.margin_minor or 0) + (other.margin_minor or 0) if known else None,
        )


class MerchLine(BaseModel):
    """One variant. Rates are units per minute of the last five; `gone_in_seconds` at that rate, or None."""

    variant_id: UUID
    sku: str
    title: str
    currency: str
    price_minor: int
    cost_minor: int | None
    on_hand: int
    held: int
    committed: int
    available: int
    version: int
    sold_per_minute: float
    held_per_minute: float
    gone_in_seconds: int | None
    earned: Earned


class MerchOut(BaseModel):
    """A show's shelf, and what each of its offers earned."""

    lines: list[MerchLine]
    offers: dict[UUID, Earned]


async def merch_of(session: AsyncSession, show_id: UUID, now: datetime) -> MerchOut:
    """Read from stock, ledger and orders at this moment."""
    by_variant: dict[UUID, Earned] = {}
    by_offer: dict[UUID, Earned] = {}
    for row in await run(session, EARNED, {"show_id": show_id}):
        margin = row.revenue_minor - row.cost_minor if row.cost_known else None
        one = Earned(units=row.units, revenue_minor=row.revenue_minor, margin_minor=margin)
        by_variant[row.variant_id] = by_variant.get(row.variant_id, Earned()).plus(one)
        if row.offer_id:
            by_offer[row.offer_id] = by_offer.get(row.offer_id, Earned()).plus(one)
    shelf = await run(session, SHELF, {"show_id": show_id, "since": now - RATE_OVER})
    minutes = RATE_OVER / timedelta(minutes=1)
    lines = []
    for row in shelf:
        available = row.on_hand - row.held - row.committed
        # What is taken off the shelf, paid or not yet: that is how fast it empties.
        rate = int(max(row.sold_lately, row.held_lately)) / minutes
        lines.append(
            MerchLine(
                variant_id=row.id,
                title=f"{row.title} · {row.choice}" if row.choice else row.title,
                **{name: getattr(row, name) for name in PLAIN},
                available=available,
                sold_per_minute=int(row.sold_lately) / minutes,
                held_per_minute=int(row.held_lately) / minutes,
                gone_in_seconds=round(60 * available / rate) if rate and available else None,
                earned=by_variant.get(row.id, Earned()),
            )
        )
    return MerchOut(lines=lines, offers=by_offer)


PLAIN: Final = (
    *("sku", "currency", "price_minor", "cost_minor"),
    *("on_hand", "held", "committed", "version"),
)
