"""What is told of a person elsewhere, and what their browser is called there: to hand out, and to forget.

Erasing does not reach what Google, Meta or TikTok were told already: the README of each connector says where
that is asked for. Call it before orders are erased: a conversion is found by its order.
"""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

TOLD: Final = """
    SELECT connection.connector AS told_to, conversion.event_name, conversion.event_id, conversion.state,
        conversion.reason, conversion.event_at, conversion.sent_at, conversion.value_minor,
        conversion.currency, conversion.payload_sealed
    FROM conversion JOIN connection ON connection.id = conversion.connection_id
    WHERE conversion.brand_id = :brand AND conversion.order_id = ANY(:orders)
    ORDER BY conversion.event_at, conversion.id
"""
NAMES: Final = """
    SELECT at, ga_client, ga_sessions, gclid, fbp, fbc, ttp, ttclid, user_agent_sealed, ip_sealed
    FROM ad_ids WHERE brand_id = :brand AND visitor_id = ANY(:visitors) ORDER BY at
"""
FORGET_TOLD: Final = """
    UPDATE conversion SET payload_sealed = NULL, diagnostics = '{}',
        reason = CASE WHEN state = 'waiting' THEN 'What was known of it has been erased.' ELSE reason END,
        state = CASE WHEN state = 'waiting' THEN 'withheld' ELSE state END
    WHERE brand_id = :brand AND order_id = ANY(:orders)
        AND (payload_sealed IS NOT NULL OR diagnostics::text <> '{}' OR state = 'waiting')
"""
FORGET_NAMES: Final = "DELETE FROM ad_ids WHERE brand_id = :brand AND visitor_id = ANY(:visitors)"


async def export(session: AsyncSession, who: Who) -> Rows:
    """Who was told what of them, and what their browsers are called."""
    return {
        "conversion": await rows_of(session, who, TOLD, "orders"),
        "ad_ids": await rows_of(session, who, NAMES, "visitors"),
    }


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Nothing more is told of them. That something was, and for how much, stays with the order."""
    return {
        "conversion": await done(session, who, FORGET_TOLD, "orders"),
        "ad_ids": await done(session, who, FORGET_NAMES, "visitors"),
    }
