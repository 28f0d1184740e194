"""What somebody gave back and was billed: to hand out, and to forget but for what tax law keeps."""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

RETURNS: Final = """
    SELECT order_id, number, state, kind, reason, note, answer, created_at FROM return_request
    WHERE brand_id = :brand AND order_id = ANY(:orders) ORDER BY created_at
"""
PARCELS: Final = """
    SELECT order_id, sent_at, delivered_at, tracking FROM order_delivery
    WHERE brand_id = :brand AND order_id = ANY(:orders) ORDER BY sent_at
"""
PAPERS: Final = """
    SELECT order_id, number, kind, issued_at, data FROM invoice
    WHERE brand_id = :brand AND order_id = ANY(:orders) ORDER BY n
"""
UNSAID: Final = """
    UPDATE return_request SET reason = '', note = '', answer = ''
    WHERE brand_id = :brand AND order_id = ANY(:orders)
"""
UNSAID_LINES: Final = """
    UPDATE return_line SET reason = '' FROM return_request
    WHERE return_line.return_id = return_request.id AND return_request.brand_id = :brand
      AND return_request.order_id = ANY(:orders)
"""
UNTRACKED: Final = """
    UPDATE order_delivery SET tracking = '' WHERE brand_id = :brand AND order_id = ANY(:orders)
"""


async def export(session: AsyncSession, who: Who) -> Rows:
    """Returns, parcels, invoices and credit notes."""
    return {
        "return_request": await rows_of(session, who, RETURNS, "orders"),
        "order_delivery": await rows_of(session, who, PARCELS, "orders"),
        "invoice": await rows_of(session, who, PAPERS, "orders"),
    }


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Words and parcel numbers go. Invoices stay as issued until their period ends (retention)."""
    return {
        "return_request": await done(session, who, UNSAID, "orders"),
        "return_line": await done(session, who, UNSAID_LINES, "orders"),
        "order_delivery": await done(session, who, UNTRACKED, "orders"),
    }
