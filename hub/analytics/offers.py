"""How the kinds of offers compare: who buys in them, who stays for them, who comes back (S59)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.analytics.asking import PRESENT, ask
from hub.analytics.audience import seen, shows_of
from hub.analytics.definitions import SMALL
from hub.analytics.money import SALE, Scope, share
from hub.db import run
from hub.events.log import EventLog

BOUGHT = text(
    f"""
    WITH {SALE},
    bought AS (
        SELECT offer.kind, sale.buyer, sale.channel, sale.placed_at, sale.id FROM sale
        JOIN order_line ON order_line.order_id = sale.id JOIN offer ON offer.id = order_line.offer_id
        WHERE NOT off
        UNION
        SELECT offer.kind, sale.buyer, sale.channel, sale.placed_at, sale.id FROM sale
        JOIN offer_use ON offer_use.order_id = sale.id AND offer_use.state = 'used'
        JOIN offer ON offer.id = offer_use.offer_id WHERE NOT off),
    first AS (SELECT kind, buyer, min(placed_at) AS at, bool_or(channel = 'own') AS own FROM bought
              GROUP BY 1, 2),
    every AS (
        SELECT coalesce(customer_id::text, viewer_id, id::text) AS buyer, placed_at FROM orders
        WHERE brand_id = :brand_id AND NOT test AND state IN ('paid', 'refunded')),
    again AS (
        SELECT kind, first.buyer, at, own, min(placed_at) FILTER (WHERE placed_at > at) AS next_at
        FROM first JOIN every USING (buyer) GROUP BY 1, 2, 3, 4)
    SELECT kind, count(*) AS buyers, count(*) FILTER (WHERE own) AS own_buyers,
        count(*) FILTER (WHERE at <= CAST(:now AS timestamptz) - interval '30 days') AS old_30,
        count(*) FILTER (WHERE at <= CAST(:now AS timestamptz) - interval '30 days'
                         AND next_at <= at + interval '30 days') AS again_30,
        count(*) FILTER (WHERE at <= CAST(:now AS timestamptz) - interval '90 days') AS old_90,
        count(*) FILTER (WHERE at <= CAST(:now AS timestamptz) - interval '90 days'
                         AND next_at <= at + interval '90 days') AS again_90
    FROM again GROUP BY 1
    """  # noqa: S608 - made of constants
)
RAN = text(
    """
    SELECT kind, show_id, live_at, coalesce(ended_at, ends_at) AS ended_at FROM offer
    WHERE brand_id = :brand_id AND show_id = ANY(:shows) AND live_at IS NOT NULL ORDER BY kind, live_at
    """
)
STAYED: Final = f"""
    WITH event AS (
        SELECT CAST(show_id AS VARCHAR) AS show_id, viewer_id, "at" AS seen_at FROM {{events}} AS every
        WHERE {PRESENT}),
    present AS (
        SELECT DISTINCT given.n, given.kind, given.show_id, given.ended_at, viewer_id
        FROM given JOIN event ON event.show_id = given.show_id
            AND seen_at > given.live_at - INTERVAL 60 SECOND AND seen_at <= given.live_at)
    SELECT kind, count(*), count(*) FILTER (WHERE EXISTS (
        SELECT 1 FROM event WHERE event.show_id = present.show_id AND event.viewer_id = present.viewer_id
          AND seen_at >= present.ended_at - INTERVAL 60 SECOND))
    FROM present GROUP BY 1"""  # noqa: S608 - made of constants


class OfferKind(BaseModel):
    """One kind of offer. `offers`: how many were launched; shares are None where nobody is in their base."""

    kind: str
    offers: int
    offer_buyers: int
    viewers: int
    offer_conversion: float | None
    offer_retention: float | None
    present: int
    """Viewers the share above is of."""
    repeat_30: float | None
    old_30: int
    repeat_90: float | None
    old_90: int
    small: bool


async def offer_kinds(session: AsyncSession, log: EventLog, scope: Scope, now: datetime) -> list[OfferKind]:
    """Every kind that was launched or bought in the scope."""
    shows = await shows_of(session, scope)
    ran = (await run(session, RAN, {"brand_id": scope.brand_id, "shows": shows})).all()
    rows = (await run(session, BOUGHT, {**scope.values(), "now": now})).mappings().all()
    bought = {row["kind"]: row for row in rows}
    stayed = await asyncio.to_thread(retention, log, scope.brand_id, ran) if ran else {}
    found = []
    for kind in sorted({row.kind for row in ran} | set(bought)):
        own = [row.show_id for row in ran if row.kind == kind]
        viewers = (await seen(session, log, scope.brand_id, sorted(set(own)))).viewers
        found.append(kind_of(kind, len(own), viewers, bought.get(kind, {}), stayed.get(kind, (0, 0))))
    return found


def kind_of(kind: str, offers: int, viewers: int, row: Any, stayed: tuple[int, int]) -> OfferKind:
    """One row of the table."""
    old_30, old_90 = row.get("old_30", 0), row.get("old_90", 0)
    buyers = row.get("buyers", 0)
    return OfferKind(
        kind=kind,
        offers=offers,
        offer_buyers=buyers,
        viewers=viewers,
        offer_conversion=share(row.get("own_buyers", 0), viewers),
        offer_retention=share(stayed[1], stayed[0]),
        present=stayed[0],
        repeat_30=share(row.get("again_30", 0), old_30),
        old_30=old_30,
        repeat_90=share(row.get("again_90", 0), old_90),
        old_90=old_90,
        small=buyers < SMALL,
    )


def retention(log: EventLog, brand_id: UUID, ran: Sequence[Any]) -> dict[str, tuple[int, int]]:
    """Kind → (viewers present at the start, of them still there at the end). For a thread."""
    over = [(n, row.kind, str(row.show_id), row.live_at, row.ended_at) for n, row in enumerate(ran)]
    over = [one for one in over if one[4] is not None]
    if not over:
        return {}
    columns = "n INT, kind VARCHAR, show_id VARCHAR, live_at TIMESTAMPTZ, ended_at TIMESTAMPTZ"
    shows = sorted({row.show_id for row in ran})
    rows = ask(log, brand_id, shows, STAYED, (columns, over))
    return {kind: (present, stayed) for kind, present, stayed in rows}
