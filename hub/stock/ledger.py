"""The ledger: what each kind of movement does to the counters, and whether everything adds up.

`check` proves that the counters are the sum of the ledger, that holds, places, offers and tiers agree with
them, and names every row that does not. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select, tuple_
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.stock.models import StockMovement

EFFECTS: Final[Mapping[str, tuple[int, int, int]]] = {
    "receive": (1, 0, 0),
    "adjust": (1, 0, 0),
    "hold": (0, 1, 0),
    "release": (0, -1, 0),
    "expire": (0, -1, 0),
    "commit": (0, -1, 1),
    "late_commit": (0, 0, 1),
    "external_sale": (0, 0, 1),
    "uncommit": (0, 0, -1),
    "return": (0, 0, -1),
}
"""Kind → what one unit of it adds to (on hand, held, committed). A late commit takes from the shelf what its
hold had given back; a return leaves on hand as it was, because what is sold is on hand until it is sent."""


def folded(column: int) -> str:
    """SQL: one counter, as the sum of a variant's movements."""
    cases = " ".join(
        f"WHEN '{kind}' THEN {effect[column]} * quantity"
        for kind, effect in EFFECTS.items()
        if effect[column]
    )
    return f"coalesce(sum(CASE kind {cases} ELSE 0 END), 0)"


CHECK: Final = text(
    f"""
    WITH fold AS (
        SELECT variant_id, {folded(0)} AS on_hand, {folded(1)} AS held, {folded(2)} AS committed
        FROM stock_movement GROUP BY variant_id),
    holds AS (
        SELECT variant_id, sum(quantity) AS held FROM hold WHERE state = 'held' AND NOT soft GROUP BY 1),
    places AS (
        SELECT variant_id, sum(on_hand) AS on_hand, sum(committed) AS committed FROM stock_at GROUP BY 1),
    place_fold AS (
        SELECT place_id, variant_id, sum(quantity) AS on_hand FROM stock_movement
        WHERE place_id IS NOT NULL GROUP BY 1, 2),
    taken AS (
        SELECT offer_id, tier_id, sum(units) AS n FROM hold
        WHERE state IN ('held', 'committed') AND offer_id IS NOT NULL GROUP BY 1, 2)
    SELECT 'ledger' AS what, variant_id AS id,
        format('counters %s/%s/%s, ledger %s/%s/%s', stock.on_hand, stock.held, stock.committed,
               fold.on_hand, fold.held, fold.committed) AS detail
    FROM stock LEFT JOIN fold USING (variant_id)
    WHERE (stock.on_hand, stock.held, stock.committed)
        IS DISTINCT FROM (coalesce(fold.on_hand, 0), coalesce(fold.held, 0), coalesce(fold.committed, 0))
    UNION ALL
    SELECT 'holds', variant_id, format('counter %s, holds %s', stock.held, coalesce(holds.held, 0))
    FROM stock LEFT JOIN holds USING (variant_id) WHERE stock.held <> coalesce(holds.held, 0)
    UNION ALL
    SELECT 'places', variant_id, format('counters %s/%s, places %s/%s', stock.on_hand, stock.committed,
                                        places.on_hand, places.committed)
    FROM stock LEFT JOIN places USING (variant_id)
    WHERE (stock.on_hand, stock.committed)
        IS DISTINCT FROM (coalesce(places.on_hand, 0), coalesce(places.committed, 0))
    UNION ALL
    SELECT 'place', variant_id,
        format('%s on hand at a place, ledger %s', stock_at.on_hand, place_fold.on_hand)
    FROM stock_at LEFT JOIN place_fold USING (place_id, variant_id)
    WHERE stock_at.on_hand <> coalesce(place_fold.on_hand, 0)
    UNION ALL
    SELECT 'offer', offer.id, format('counter %s, holds %s', offer.taken, coalesce(sum(n), 0))
    FROM offer LEFT JOIN taken ON taken.offer_id = offer.id WHERE kind <> 'coupon'
    GROUP BY offer.id HAVING offer.taken <> coalesce(sum(n), 0)
    UNION ALL
    SELECT 'tier', offer_tier.id, format('counter %s, holds %s', offer_tier.taken, coalesce(n, 0))
    FROM offer_tier LEFT JOIN taken ON taken.tier_id = offer_tier.id
    WHERE offer_tier.taken <> coalesce(n, 0)
    """  # noqa: S608 - made of constants
)


@dataclass(frozen=True)
class Finding:
    """Something that does not add up."""

    what: str
    id: UUID
    detail: str


async def check(session: AsyncSession) -> list[Finding]:
    """Everything that does not add up, as of one moment; empty is how it must be."""
    return [Finding(row.what, row.id, row.detail) for row in await run(session, CHECK)]


async def movements(
    session: AsyncSession,
    brand_id: UUID,
    variant_id: UUID,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[StockMovement]:
    """A variant's ledger, newest first; `before`: (created_at, id) of the last one seen."""
    key = (col(StockMovement.created_at), col(StockMovement.id))
    query = select(StockMovement).where(
        col(StockMovement.variant_id) == variant_id, col(StockMovement.brand_id) == brand_id
    )
    if before:
        query = query.where(tuple_(*key) < tuple_(*before))
    return [*await session.exec(query.order_by(*(one.desc() for one in key)).limit(limit))]
