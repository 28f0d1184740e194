"""What screens hear of the stock: the newest numbers of a variant, to every show that sells it."""

from __future__ import annotations

from collections.abc import Set
from uuid import UUID

from sqlalchemy import text

from hub.bus import Event
from hub.db import Database, announce, run

NUMBERS = text(
    """
    SELECT show.id AS show_id, stock.variant_id, on_hand, held, committed, stock.version
    FROM stock JOIN variant ON variant.id = stock.variant_id
    JOIN show_product USING (product_id) JOIN show ON show.id = show_product.show_id
    WHERE stock.variant_id = ANY(:variants) AND show.state <> 'ended'
    """
)


async def tell_stock(db: Database, variants: Set[UUID]) -> None:
    """Viewers hear what is available, staff hear everything."""
    async with db.session() as session:
        for row in await run(session, NUMBERS, {"variants": list(variants)}):
            available = row.on_hand - row.held - row.committed
            variant = str(row.variant_id)
            public = {"variant_id": variant, "available": available, "version": row.version}
            private = public | {"on_hand": row.on_hand, "held": row.held, "committed": row.committed}
            news = Event(show_id=row.show_id, kind="stock.changed", latest=variant, data=public)
            announce(session, news)
            announce(session, news.model_copy(update={"audience": "staff", "data": private}))
