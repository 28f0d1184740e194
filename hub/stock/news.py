"""What screens hear of the stock: the newest numbers of a variant, to every show that sells it.

`stock.changed` says what is left and how that stands (in_stock, low, sold_out). Screens see by themselves
what has run out and what is back: any process may tell, and none remembers what another said.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final
from uuid import UUID

from hub.bus import Event
from hub.db import Database
from hub.stock.overview import standing

NUMBERS: Final = """
    WITH touched AS (
        SELECT variant_id FROM stock WHERE variant_id = ANY($1)
        UNION SELECT bundle_variant_id FROM bundle_item WHERE variant_id = ANY($1)),
    bundle AS (
        SELECT item.bundle_variant_id AS variant_id, sum(part.version) AS version,
               greatest(0, min((part.on_hand - part.held - part.committed) / item.quantity)) AS available
        FROM bundle_item AS item JOIN stock AS part ON part.variant_id = item.variant_id
        WHERE item.bundle_variant_id IN (SELECT variant_id FROM touched) GROUP BY 1)
    SELECT show.id AS show_id, variant.id AS variant_id, coalesce(stock.on_hand, 0) AS on_hand,
        coalesce(stock.held, 0) AS held, coalesce(stock.committed, 0) AS committed, stock.low_at,
        CAST(coalesce(bundle.version, stock.version) AS bigint) AS version,
        CAST(coalesce(bundle.available, stock.on_hand - stock.held - stock.committed) AS bigint) AS available
    FROM touched JOIN variant ON variant.id = touched.variant_id
    LEFT JOIN stock ON stock.variant_id = variant.id LEFT JOIN bundle ON bundle.variant_id = variant.id
    JOIN show_product USING (product_id) JOIN show ON show.id = show_product.show_id
    WHERE show.state <> 'ended'
"""
"""$1 the variants that were touched."""


class StockNews:
    """Tells shows about variants."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def tell(self, variants: Set[UUID]) -> None:
        """Viewers hear what is available, staff hear everything."""
        if not self._db.bus:
            return
        # Twenty times a second in a drop, and nothing is written: no session.
        for row in await self._db.pool.fetch(NUMBERS, list(variants)):
            variant = str(row["variant_id"])
            public = {
                "variant_id": variant,
                "available": row["available"],
                "version": row["version"],
                "state": standing(row["available"], row["low_at"]),
            }
            private = public | {name: row[name] for name in ("on_hand", "held", "committed")}
            news = Event(show_id=row["show_id"], kind="stock.changed", latest=variant, data=public)
            await self._db.bus.publish(news)
            await self._db.bus.publish(news.model_copy(update={"audience": "staff", "data": private}))
