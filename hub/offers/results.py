"""What came of offers: sold, held, revenue, and how many holds became orders; by offer and by kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.offers.models import Offer
from hub.offers.out import Results

OF_OFFERS: Final = text(
    """
    SELECT offer_id,
        coalesce(sum(units) FILTER (WHERE state = 'committed'), 0) AS sold,
        coalesce(sum(units) FILTER (WHERE state = 'held'), 0) AS held,
        coalesce(sum(quantity * unit_minor) FILTER (WHERE state = 'committed'), 0) AS revenue_minor,
        min(currency) AS currency,
        count(*) FILTER (WHERE units > 0) AS holds,
        count(*) FILTER (WHERE units > 0 AND state = 'committed') AS converted,
        count(*) FILTER (WHERE units > 0 AND state <> 'held') AS decided
    FROM hold WHERE offer_id = ANY(:offers) GROUP BY offer_id
    """
)
OF_COUPONS: Final = text(
    """
    SELECT offer_use.offer_id, count(*) AS uses, min(orders.currency) AS currency,
        coalesce(sum(orders.total_minor) FILTER (WHERE orders.state = 'paid'), 0) AS revenue_minor
    FROM offer_use JOIN orders ON orders.id = offer_use.order_id
    WHERE offer_use.offer_id = ANY(:offers) AND offer_use.state = 'used' GROUP BY offer_use.offer_id
    """
)
BY_KIND: Final = text(
    """
    WITH mine AS (SELECT id, kind FROM offer WHERE brand_id = :brand_id AND state <> 'draft'),
    taken AS (
        SELECT mine.kind, sum(hold.units) FILTER (WHERE hold.state = 'committed') AS sold,
            count(*) FILTER (WHERE hold.units > 0 AND hold.state = 'committed') AS converted,
            count(*) FILTER (WHERE hold.units > 0 AND hold.state <> 'held') AS decided
        FROM mine JOIN hold ON hold.offer_id = mine.id GROUP BY mine.kind),
    first AS (
        SELECT mine.kind, orders.customer_id, min(orders.placed_at) AS at
        FROM mine JOIN order_line ON order_line.offer_id = mine.id
        JOIN orders ON orders.id = order_line.order_id
        WHERE orders.state IN ('paid', 'refunded') AND orders.customer_id IS NOT NULL
        GROUP BY mine.kind, orders.customer_id),
    again AS (
        SELECT kind, at, (
            SELECT min(later.placed_at) FROM orders AS later
            WHERE later.customer_id = first.customer_id AND later.brand_id = :brand_id
                AND later.state IN ('paid', 'refunded') AND later.placed_at > first.at) AS back_at
        FROM first),
    repeats AS (
        SELECT kind,
            count(*) FILTER (WHERE at <= CAST(:now AS timestamptz) - interval '30 days') AS buyers_30,
            count(*) FILTER (WHERE at <= CAST(:now AS timestamptz) - interval '30 days'
                AND back_at <= at + interval '30 days') AS back_30,
            count(*) FILTER (WHERE at <= CAST(:now AS timestamptz) - interval '90 days') AS buyers_90,
            count(*) FILTER (WHERE at <= CAST(:now AS timestamptz) - interval '90 days'
                AND back_at <= at + interval '90 days') AS back_90
        FROM again GROUP BY kind)
    SELECT kinds.kind, kinds.offers, coalesce(taken.sold, 0) AS sold, taken.converted, taken.decided,
        buyers_30, back_30, buyers_90, back_90
    FROM (SELECT kind, count(*) AS offers FROM mine GROUP BY kind) AS kinds
    LEFT JOIN taken USING (kind) LEFT JOIN repeats USING (kind) ORDER BY kinds.kind
    """
)


class KindOut(BaseModel):
    """How one kind of offer does. `repeat_30`, `repeat_90`: of the buyers whose first purchase with it is at
    least as many days ago, who came back within them. None where there is nobody to speak of."""

    kind: str
    offers: int
    units: int
    conversion: float | None
    repeat_30: float | None
    repeat_90: float | None


async def results_of(session: AsyncSession, offers: Sequence[Offer]) -> dict[UUID, Results]:
    """By offer; those nobody took are in it with zeros. Read from holds and uses, never from a field."""
    asked = {"offers": [offer.id for offer in offers]}
    found = {offer.id: Results() for offer in offers}
    for row in await run(session, OF_OFFERS, asked):
        found[row.offer_id] = Results(
            units=row.sold,
            held=row.held,
            revenue_minor=row.revenue_minor,
            currency=row.currency,
            holds=row.holds,
            conversion=share(row.converted, row.decided),
        )
    for row in await run(session, OF_COUPONS, asked):
        found[row.offer_id] = Results(uses=row.uses, revenue_minor=row.revenue_minor, currency=row.currency)
    return found


async def by_kind(session: AsyncSession, brand_id: UUID, now: object) -> list[KindOut]:
    """Every kind the brand has run."""
    rows = await run(session, BY_KIND, {"brand_id": brand_id, "now": now})
    return [
        KindOut(
            kind=row.kind,
            offers=row.offers,
            units=row.sold,
            conversion=share(row.converted, row.decided),
            repeat_30=share(row.back_30, row.buyers_30),
            repeat_90=share(row.back_90, row.buyers_90),
        )
        for row in rows
    ]


def share(part: int | None, whole: int | None) -> float | None:
    """A fraction of 1, or None of nothing."""
    return round((part or 0) / whole, 4) if whole else None
