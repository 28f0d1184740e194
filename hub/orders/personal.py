"""Somebody's orders: to hand out, and to forget whose they were.

What stays is what the books need: number, lines, amounts, tax, country and region. Where its buyers came
from stays, too: the touches are nobody's by then.
"""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

ORDERS: Final = """
    SELECT id, number, channel, external_id, state, currency, subtotal_minor, discount_minor, shipping_minor,
           tax_minor, total_minor, refunded_minor, shipping_method, buyer_name, buyer_email_sealed,
           address_sealed, country, region, landing_url, placed_at
    FROM orders WHERE brand_id = :brand AND id = ANY(:orders) ORDER BY placed_at
"""
LINES: Final = """
    SELECT order_id, sku, title, quantity, unit_minor, list_minor, discount_minor, tax_minor, tax_percent,
           returned, state
    FROM order_line WHERE brand_id = :brand AND order_id = ANY(:orders) ORDER BY order_id, id
"""
EVENTS: Final = """
    SELECT order_id, at, kind, text FROM order_event
    WHERE brand_id = :brand AND order_id = ANY(:orders) ORDER BY at, id
"""
BLANK: Final = """
    UPDATE orders SET customer_id = NULL, identity_id = NULL, buyer_name = NULL, buyer_email_sealed = NULL,
           address_sealed = NULL, landing_url = NULL, message = '', erased_at = coalesce(erased_at, now()),
           viewer_id = CASE WHEN viewer_id IS NULL THEN NULL ELSE :nobody END
    WHERE brand_id = :brand AND (id = ANY(:orders) OR customer_id = ANY(:customers))
"""
UNSAID: Final = """
    UPDATE order_event SET text = '' WHERE brand_id = :brand AND order_id = ANY(:orders) AND text <> ''
"""


async def export(session: AsyncSession, who: Who) -> Rows:
    """Orders with their address, their lines, and what happened to them."""
    return {
        "orders": await rows_of(session, who, ORDERS, "orders"),
        "order_line": await rows_of(session, who, LINES, "orders"),
        "order_event": await rows_of(session, who, EVENTS, "orders"),
    }


async def erase(session: AsyncSession, who: Who) -> Counts:
    """What happened to an order stays, without its words: buyer and staff may have named anybody there."""
    return {
        "order_event": await done(session, who, UNSAID, "orders"),
        "orders": await done(session, who, BLANK, "orders", "customers", "nobody"),
    }
