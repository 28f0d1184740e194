"""Which coupons somebody used: to hand out, and to forget. The coupon's count stays."""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

THEIRS: Final = """
    offer_use.brand_id = :brand AND (customer_id = ANY(:customers) OR viewer_id = ANY(:visitors)
                                     OR order_id = ANY(:orders))
"""
USED: Final = f"""
    SELECT offer.title, offer.code, offer_use.state, offer_use.created_at
    FROM offer_use JOIN offer ON offer.id = offer_use.offer_id WHERE {THEIRS} ORDER BY offer_use.created_at
"""  # noqa: S608 - words of ours
UNNAME: Final = f"UPDATE offer_use SET viewer_id = :nobody, customer_id = NULL WHERE {THEIRS}"  # noqa: S608
NAMES: Final = ("customers", "visitors", "orders")


async def export(session: AsyncSession, who: Who) -> Rows:
    """Coupons."""
    return {"offer_use": await rows_of(session, who, USED, *NAMES)}


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Somebody used them."""
    return {"offer_use": await done(session, who, UNNAME, *NAMES, "nobody")}
