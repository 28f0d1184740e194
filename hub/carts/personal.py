"""What lies in somebody's carts: to hand out, and to forget."""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

IN_CARTS: Final = """
    SELECT show_id, variant.sku, quantity, cart_line.created_at
    FROM cart_line JOIN variant ON variant.id = cart_line.variant_id
    WHERE cart_line.brand_id = :brand AND viewer_id = ANY(:visitors) ORDER BY cart_line.created_at
"""
EMPTY: Final = "DELETE FROM cart_line WHERE brand_id = :brand AND viewer_id = ANY(:visitors)"


async def export(session: AsyncSession, who: Who) -> Rows:
    """Lines of carts that were not bought."""
    return {"cart_line": await rows_of(session, who, IN_CARTS, "visitors")}


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Carts are thrown away; what is reserved for them comes back by itself."""
    return {"cart_line": await done(session, who, EMPTY, "visitors")}
