"""What must be over before somebody can be forgotten: money and goods that are on their way."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.privacy.who import Who

UNDER_WAY: Final = text(
    """
    WITH theirs AS (
        SELECT id, number, state, channel FROM orders WHERE brand_id = :brand AND id = ANY(:orders)
    )
    SELECT number, 'is not paid yet' AS why FROM theirs WHERE state IN ('reserved', 'authorising', 'review')
    UNION ALL
    SELECT number, 'has a payment that is not certain yet' FROM theirs JOIN payment ON order_id = theirs.id
    WHERE payment.state IN ('queued', 'authorising', 'action_required', 'authorised', 'capturing', 'voiding')
    UNION ALL
    SELECT number, 'has a refund that is not done yet' FROM theirs JOIN refund ON order_id = theirs.id
    WHERE refund.state IN ('queued', 'sent')
    UNION ALL
    SELECT number, 'is disputed at a bank' FROM theirs JOIN dispute ON order_id = theirs.id
    WHERE dispute.state = 'open'
    UNION ALL
    SELECT theirs.number, 'has an open return' FROM theirs JOIN return_request ON order_id = theirs.id
    WHERE return_request.state IN ('asked', 'approved', 'received')
    UNION ALL
    SELECT theirs.number, 'has no invoice yet' FROM theirs
    WHERE channel = 'own'
      AND EXISTS (SELECT FROM payment WHERE order_id = theirs.id AND payment.captured_minor > 0)
      AND NOT EXISTS (SELECT FROM invoice WHERE order_id = theirs.id AND invoice.kind = 'invoice')
    ORDER BY 1 LIMIT 5
    """
)
KEPT: Final = text(
    """
    SELECT number, issued_at FROM invoice WHERE brand_id = :brand AND order_id = ANY(:orders) ORDER BY n
    """
)


async def under_way(session: AsyncSession, who: Who) -> str | None:
    """Why it has to wait, in a sentence; None when nothing is in the way."""
    rows = (await run(session, UNDER_WAY, who.values("orders"))).all()
    if not rows:
        return None
    why = "; ".join(f"order {row.number} {row.why}" for row in rows)
    return f"Not yet: {why}. Finish that first, then erase."


async def papers(session: AsyncSession, who: Who) -> list[tuple[str, str]]:
    """Invoices and credit notes that stay: number, and the day it was issued (ISO)."""
    rows = (await run(session, KEPT, who.values("orders"))).all()
    return [(row.number, row.issued_at.date().isoformat()) for row in rows]
