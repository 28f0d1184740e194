"""A person's touches and visits: to hand out, and to forget whose they were."""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

TOUCHES: Final = """
    SELECT at, kind, show_id, channel_group, utm_source, utm_medium, utm_campaign, utm_content, utm_term,
        utm_id, referrer_host, host, landing, click_ids
    FROM touch WHERE brand_id = :brand AND (visitor_id = ANY(:visitors) OR customer_id = ANY(:customers))
    ORDER BY at
"""
VISITS: Final = """
    SELECT started_at, last_at, show_id, source, medium, campaign, content, term, channel_group, landing,
        views, seconds, engaged
    FROM visit WHERE brand_id = :brand AND visitor_id = ANY(:visitors) ORDER BY started_at
"""
UNNAME_TOUCHES: Final = """
    UPDATE touch SET visitor_id = CASE WHEN visitor_id LIKE 'order:%' THEN visitor_id ELSE :nobody END,
        customer_id = NULL, identity_id = NULL, click_ids = '{}', click_id = NULL, referrer_host = NULL,
        utm_term = NULL, landing = ''
    WHERE brand_id = :brand AND (visitor_id = ANY(:visitors) OR customer_id = ANY(:customers))
"""
UNNAME_VISITS: Final = """
    UPDATE visit SET visitor_id = :nobody, term = NULL, landing = ''
    WHERE brand_id = :brand AND visitor_id = ANY(:visitors)
"""


async def export(session: AsyncSession, who: Who) -> Rows:
    """How they came, and how long they stayed."""
    return {
        "touch": await rows_of(session, who, TOUCHES, "visitors", "customers"),
        "visit": await rows_of(session, who, VISITS, "visitors"),
    }


async def erase(session: AsyncSession, who: Who) -> Counts:
    """The rows stay, as nobody's: a show's figures must still add up. No click id, no address, no name."""
    return {
        "touch": await done(session, who, UNNAME_TOUCHES, "visitors", "customers", "nobody"),
        "visit": await done(session, who, UNNAME_VISITS, "visitors", "nobody"),
    }
