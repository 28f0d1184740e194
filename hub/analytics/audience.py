"""Who was there: viewers, reservations and lost demand, and buyers who came again.

Viewers come from the event log. A show that has none there is counted from its tagged visits, and the answer
says so: a number without its source would be compared with one of another kind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.analytics.asking import PRESENT, ask
from hub.analytics.money import SALE, Scope, share
from hub.db import run
from hub.events.log import EventLog

SHOWS = text(
    """
    SELECT id FROM show WHERE brand_id = :brand_id
      AND (CAST(:show_id AS uuid) IS NULL OR id = CAST(:show_id AS uuid))
      AND (CAST(:since AS timestamptz) IS NULL
           OR coalesce(live_at, starts_at, created_at) >= CAST(:since AS timestamptz))
      AND (CAST(:until AS timestamptz) IS NULL
           OR coalesce(live_at, starts_at, created_at) < CAST(:until AS timestamptz))
    ORDER BY id
    """
)
VISITS = text(
    """
    SELECT count(DISTINCT visitor_id) AS viewers, count(*) AS views FROM touch
    WHERE brand_id = :brand_id AND show_id = ANY(:shows) AND kind = 'visit'
    """
)
BUYERS = text(
    f"""
    WITH {SALE},
    kept AS (SELECT * FROM sale WHERE NOT off),
    first AS (SELECT buyer, min(placed_at) AS at FROM kept GROUP BY 1),
    every AS (
        SELECT coalesce(customer_id::text, viewer_id, id::text) AS buyer, placed_at FROM orders
        WHERE brand_id = :brand_id AND NOT test AND state IN ('paid', 'refunded')),
    again AS (
        SELECT first.buyer, first.at, count(*) AS orders,
            min(every.placed_at) FILTER (WHERE every.placed_at > first.at) AS next_at
        FROM first JOIN every USING (buyer) GROUP BY 1, 2)
    SELECT count(*) AS buyers,
        (SELECT count(DISTINCT buyer) FROM kept WHERE channel = 'own') AS own_buyers,
        (SELECT count(*) FROM kept WHERE channel = 'own') AS own_orders,
        count(*) FILTER (WHERE orders > 1) AS repeated,
        count(*) FILTER (WHERE at <= CAST(:now AS timestamptz) - interval '30 days') AS old_30,
        count(*) FILTER (WHERE at <= CAST(:now AS timestamptz) - interval '30 days'
                         AND next_at <= at + interval '30 days') AS again_30,
        count(*) FILTER (WHERE at <= CAST(:now AS timestamptz) - interval '90 days') AS old_90,
        count(*) FILTER (WHERE at <= CAST(:now AS timestamptz) - interval '90 days'
                         AND next_at <= at + interval '90 days') AS again_90
    FROM again
    """  # noqa: S608 - made of constants
)
HOLDS = text(
    """
    WITH chosen AS (
        SELECT hold.* FROM hold LEFT JOIN show ON show.id = hold.show_id
        LEFT JOIN offer ON offer.id = hold.offer_id
        WHERE hold.brand_id = :brand_id AND NOT soft
          AND (CAST(:channel AS text) IS NULL OR CAST(:channel AS text) = 'own')
          AND (CAST(:show_id AS uuid) IS NULL OR hold.show_id = CAST(:show_id AS uuid))
          AND (CAST(:since AS timestamptz) IS NULL
               OR coalesce(show.live_at, show.starts_at, hold.created_at) >= CAST(:since AS timestamptz))
          AND (CAST(:until AS timestamptz) IS NULL
               OR coalesce(show.live_at, show.starts_at, hold.created_at) < CAST(:until AS timestamptz))
          AND (CAST(:offer_kind AS text) IS NULL OR offer.kind = CAST(:offer_kind AS text))),
    taken AS (
        SELECT group_id, min(created_at) AS at, bool_or(state = 'committed') AS converted,
            bool_or(state = 'expired') AS expired, bool_or(state = 'released') AS released,
            (SELECT min(order_event.at) FROM order_event WHERE order_event.kind = 'payment.paid'
             AND order_event.order_id = (array_agg(chosen.order_id))[1]) AS paid_at
        FROM chosen GROUP BY 1)
    SELECT count(*) AS holds, count(*) FILTER (WHERE converted) AS converted,
        count(*) FILTER (WHERE expired AND NOT converted) AS expired,
        count(*) FILTER (WHERE released AND NOT expired AND NOT converted) AS released,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY floor(extract(epoch FROM paid_at - at) * 1000)::bigint)
            FILTER (WHERE converted AND paid_at >= at) AS pay_ms
    FROM taken
    """
)
IN_VAIN = text(
    """
    SELECT
        (SELECT count(*) FROM waitlist WHERE brand_id = :brand_id AND show_id = ANY(:shows)
         AND state IN ('waiting', 'offered', 'lapsed', 'left')) AS waitlist_unserved,
        (SELECT count(*) FROM orders WHERE brand_id = :brand_id AND show_id = ANY(:shows)
         AND state = 'sold_out' AND NOT test
         AND (CAST(:channel AS text) IS NULL OR channel = CAST(:channel AS text))) AS sold_out_orders
    """
)
SEEN: Final = f"""
    SELECT count(DISTINCT viewer_id) FILTER (WHERE {PRESENT}), count(*) FILTER (WHERE kind = 'join'),
        count(*) FILTER (WHERE kind = 'product_click'), count(*) FILTER (WHERE kind = 'sold_out')
    FROM {{events}} AS event"""  # noqa: S608 - made of constants
COVERED: Final = f"SELECT DISTINCT show_id FROM {{events}} AS event WHERE {PRESENT}"  # noqa: S608


class Audience(BaseModel):
    """Viewers and buyers of a scope. `source`: events, visits, both (some shows have no events) or none."""

    source: Literal["events", "visits", "both", "none"]
    viewers: int
    views: int
    product_clicks: int | None
    buyers: int
    own_buyers: int
    own_orders: int
    conversion: float | None
    ctor: float | None
    repeat_rate: float | None
    repeat_30: float | None
    repeat_90: float | None
    old_30: int
    old_90: int
    """How many buyers the two repeat figures are about."""


class Holds(BaseModel):
    """Reservations (a bundle is one) and demand that found nothing."""

    holds: int
    holds_converted: int
    holds_expired: int
    holds_released: int
    pay_seconds: float | None
    sold_out_hits: int | None
    sold_out_orders: int
    waitlist_unserved: int
    lost_demand: int


class Seen(BaseModel):
    """What was counted of viewers, and from what."""

    source: Literal["events", "visits", "both", "none"]
    viewers: int
    views: int
    clicks: int | None = None
    hits: int | None = None


async def shows_of(session: AsyncSession, scope: Scope) -> list[UUID]:
    """The shows of a scope."""
    return [*(await run(session, SHOWS, scope.values())).scalars()]


async def seen(session: AsyncSession, log: EventLog, brand_id: UUID, shows: Sequence[UUID]) -> Seen:
    """Viewers of these shows. Somebody in a show with events and in one without counts twice."""
    covered, told = await asyncio.to_thread(from_log, log, brand_id, shows)
    rest = [show for show in shows if show not in covered]
    row = (await run(session, VISITS, {"brand_id": brand_id, "shows": rest})).mappings().one()
    if told is None:
        return Seen(source="visits" if row["views"] else "none", viewers=row["viewers"], views=row["views"])
    viewers, views, clicks, hits = told
    return Seen(
        source="both" if row["views"] else "events",
        viewers=viewers + row["viewers"],
        views=views + row["views"],
        clicks=clicks,
        hits=hits,
    )


def from_log(
    log: EventLog, brand_id: UUID, shows: Sequence[UUID]
) -> tuple[set[UUID], tuple[int, ...] | None]:
    """Which shows the log knows viewers of, and (viewers, views, clicks, sold-out hits). For a thread."""
    if not any(log.files(brand_id, show) for show in shows):
        return set(), None
    covered = {row[0] for row in ask(log, brand_id, shows, COVERED)}
    return covered, ask(log, brand_id, shows, SEEN)[0] if covered else None


async def audience(session: AsyncSession, scope: Scope, found: Seen, now: datetime) -> Audience:
    """Viewers beside buyers."""
    row = (await run(session, BUYERS, {**scope.values(), "now": now})).mappings().one()
    return Audience(
        source=found.source,
        viewers=found.viewers,
        views=found.views,
        product_clicks=found.clicks,
        buyers=row["buyers"],
        own_buyers=row["own_buyers"],
        own_orders=row["own_orders"],
        conversion=share(row["own_buyers"], found.viewers),
        ctor=share(row["own_orders"], found.clicks or 0),
        repeat_rate=share(row["repeated"], row["buyers"]),
        repeat_30=share(row["again_30"], row["old_30"]),
        repeat_90=share(row["again_90"], row["old_90"]),
        old_30=row["old_30"],
        old_90=row["old_90"],
    )


async def holds(session: AsyncSession, scope: Scope, shows: Sequence[UUID], found: Seen) -> Holds:
    """Reservations, and who went away with nothing."""
    row: Any = (await run(session, HOLDS, scope.values())).mappings().one()
    values = {"brand_id": scope.brand_id, "shows": [*shows], "channel": scope.channel}
    lost = (await run(session, IN_VAIN, values)).mappings().one()
    return Holds(
        holds=row["holds"],
        holds_converted=row["converted"],
        holds_expired=row["expired"],
        holds_released=row["released"],
        pay_seconds=None if row["pay_ms"] is None else row["pay_ms"] / 1000,
        sold_out_hits=found.hits,
        sold_out_orders=lost["sold_out_orders"],
        waitlist_unserved=lost["waitlist_unserved"],
        lost_demand=(found.hits or 0) + lost["sold_out_orders"] + lost["waitlist_unserved"],
    )
