"""Coupons as touches: whoever used the code that one link was made for came by that link.

Found by a sweep, so that the checkout does nothing for it. A code that several links or none were made for
says nothing of where its user came from, and is no touch.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.links.tags import UTM
from hub.visits.service import Visits

BACK: Final = timedelta(days=2)
"""As long as the worker may have been away."""
NEW: Final = text(
    """
    WITH told AS (
        SELECT offer_id, min(id::text)::uuid AS link_id FROM tracked_link
        WHERE offer_id IS NOT NULL AND archived_at IS NULL GROUP BY offer_id HAVING count(*) = 1
    )
    SELECT used.id AS source_id, used.brand_id, orders.customer_id, orders.identity_id, orders.show_id,
        orders.placed_at AS at, link.id AS link_id, link.host, link.utm_source, link.utm_medium,
        link.utm_campaign, link.utm_content, link.utm_term, link.utm_id
    FROM told JOIN tracked_link link ON link.id = told.link_id
    JOIN offer ON offer.id = told.offer_id AND offer.brand_id = link.brand_id AND offer.kind = 'coupon'
    JOIN offer_use AS used ON used.offer_id = offer.id AND used.state = 'used' AND used.created_at > :since
    JOIN orders ON orders.id = used.order_id AND orders.brand_id = link.brand_id
    WHERE orders.customer_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM touch WHERE touch.kind = 'coupon' AND touch.source_id = used.id)
    LIMIT 500
    """
)


async def note_coupons(session: AsyncSession, visits: Visits, now: datetime) -> int:
    """The uses that are no touches yet; how many there were."""
    rows = (await run(session, NEW, {"since": now - BACK})).mappings().all()
    for row in rows:
        about = {name: value for name, value in row.items() if name not in UTM and name != "brand_id"}
        utm = {name: row[name] for name in UTM}
        await visits.note_touch(session, row["brand_id"], kind="coupon", utm=utm, **about)
    return len(rows)
