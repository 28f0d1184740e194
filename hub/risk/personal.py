"""How somebody's orders scored, and the traces they left: to hand out, and to forget.

What an order scored stays with it: points and rules say nothing of who it was.
"""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

SCORES: Final = """
    SELECT order_id, score, reasons, held, at FROM risk_score
    WHERE brand_id = :brand AND order_id = ANY(:orders) ORDER BY at
"""
TRACES: Final = """
    SELECT order_id, kind, at FROM risk_trace WHERE brand_id = :brand AND order_id = ANY(:orders) ORDER BY at
"""
PACES: Final = """
    DELETE FROM risk_pace USING risk_trace WHERE risk_pace.brand_id = :brand
      AND risk_trace.brand_id = :brand AND risk_trace.order_id = ANY(:orders)
      AND risk_trace.kind IN ('viewer', 'email', 'method', 'address')
      AND risk_pace.value_hash = risk_trace.value_hash
"""
FORGET: Final = "DELETE FROM risk_trace WHERE brand_id = :brand AND order_id = ANY(:orders)"
CHOICE: Final = """
    UPDATE risk_review SET choice_sealed = NULL
    WHERE brand_id = :brand AND order_id = ANY(:orders) AND choice_sealed IS NOT NULL
"""


async def export(session: AsyncSession, who: Who) -> Rows:
    """Scores with their reasons, and which kinds of traces there are (they are hashes)."""
    return {
        "risk_score": await rows_of(session, who, SCORES, "orders"),
        "risk_trace": await rows_of(session, who, TRACES, "orders"),
    }


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Counts of what an identity did go before the traces that lead to them."""
    return {
        "risk_pace": await done(session, who, PACES, "orders"),
        "risk_trace": await done(session, who, FORGET, "orders"),
        "risk_review": await done(session, who, CHOICE, "orders"),
    }
