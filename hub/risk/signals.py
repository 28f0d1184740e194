"""Everything the rules ask about an order, read in one statement."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.orders.models import Order
from hub.risk.identity import Who
from hub.risk.rules import DAY, HOUR, Signals

FEWEST: Final = 10
"""Orders a median is made of, at least."""

READ: Final = text(
    """
    WITH visits AS (
        SELECT min(at) AS first_at,
               count(DISTINCT show_id) FILTER (WHERE show_id <> CAST(:show AS uuid)) AS shows
        FROM touch WHERE brand_id = :brand
          AND (visitor_id = :viewer OR customer_id = CAST(:customer AS uuid)) AND at <= :now
    ), usual AS (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total_minor) AS median, count(*) AS orders
        FROM (SELECT state, currency, total_minor FROM orders WHERE brand_id = :brand
              ORDER BY placed_at DESC LIMIT 500) AS newest
        WHERE state = 'paid' AND currency = :currency
    ), others AS (
        SELECT count(DISTINCT found.value_hash) FILTER (
                   WHERE found.kind = 'email' AND same.kind IN ('viewer', 'address', 'method')
                     AND found.value_hash IS DISTINCT FROM CAST(:email AS text)) AS emails,
               count(DISTINCT found.value_hash) FILTER (
                   WHERE found.kind = 'address' AND same.kind IN ('viewer', 'email', 'method')
                     AND found.value_hash IS DISTINCT FROM CAST(:address AS text)) AS addresses
        FROM risk_trace AS same JOIN risk_trace AS found ON found.order_id = same.order_id
        WHERE same.value_hash = ANY(:hashes) AND same.kind <> 'network' AND same.kind <> 'device'
          AND same.at > CAST(:now AS timestamptz) - CAST(:day AS interval)
    )
    SELECT visits.first_at, visits.shows, usual.median, usual.orders, others.emails, others.addresses,
        (SELECT count(*) FROM orders WHERE customer_id = CAST(:customer AS uuid) AND id <> :order
            AND state = 'paid') AS bought,
        (SELECT coalesce(sum(units), 0) FROM hold WHERE order_id = :order) AS pieces,
        (SELECT count(DISTINCT group_id) FROM hold WHERE viewer_id = :viewer
            AND show_id = CAST(:show AS uuid) AND state IN ('released', 'expired')) AS let_go,
        (SELECT count(DISTINCT payment.id) FROM risk_trace JOIN payment USING (order_id)
            WHERE risk_trace.value_hash = ANY(:hashes) AND risk_trace.kind <> 'network'
              AND risk_trace.kind <> 'device' AND payment.state = 'declined'
              AND risk_trace.at > CAST(:now AS timestamptz) - CAST(:day AS interval)
              AND payment.updated_at > CAST(:now AS timestamptz) - CAST(:hour AS interval)) AS declines,
        EXISTS (SELECT FROM (SELECT author_id, platform FROM message WHERE show_id = CAST(:show AS uuid)
                             ORDER BY seq DESC LIMIT 1000) AS newest
                WHERE platform = 'own' AND author_id = :viewer) AS chatted
    FROM visits, usual, others
    """
)


async def read(session: AsyncSession, order: Order, who: Who, now: datetime) -> Signals:
    """What is known of an order that was just written, and of who placed it."""
    values = {
        "brand": order.brand_id,
        "show": order.show_id,
        "viewer": order.viewer_id,
        "customer": order.customer_id,
        "order": order.id,
        "currency": order.currency,
        "hashes": [*who.traces.values()],
        "email": who.traces.get("email"),
        "address": who.traces.get("address"),
        "now": now,
        "day": DAY,
        "hour": HOUR,
    }
    row = (await run(session, READ, values)).one()
    return Signals(
        total_minor=order.total_minor,
        currency=order.currency,
        quantity=row.pieces,
        email=who.email,
        signed_in=order.signed_in,
        usual_minor=round(row.median) if row.orders >= FEWEST else None,
        orders_before=row.bought,
        shows_before=row.shows,
        seconds_here=int((now - row.first_at).total_seconds()) if row.first_at else None,
        declines=row.declines,
        emails=row.emails + 1,
        addresses=row.addresses + 1,
        let_go=row.let_go,
        chatted=row.chatted,
    )
