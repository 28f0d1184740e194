"""How often one identity may buy, try new cards, and be declined. Exact, however many processes count.

Each attempt is one statement that commits by itself: the row of an identity is locked, what is older than the
pace's time is forgotten, and the attempt is written down if there is room. An attempt has a mark (its order's
key): asked again with the same mark, it counts once. What is refused leaves no mark.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import structlog

from hub.clock import Clock
from hub.db import Database
from hub.errors import SlowDown
from hub.risk.identity import Who
from hub.risk.rules import long

log = structlog.get_logger()

Deed = Literal["buys", "cards", "declines"]


@dataclass(frozen=True)
class Limit:
    """At most `most` of a deed by one identity of `kind` within `seconds`."""

    deed: Deed
    kind: str
    title: str
    most: int
    seconds: int

    @property
    def id(self) -> str:
        """Its name in settings and in the table."""
        return f"{self.deed}_{self.kind}"


LIMITS: Final = (
    Limit("buys", "viewer", "Orders from one browser", 5, 30),
    Limit("buys", "email", "Orders of one e-mail address", 5, 30),
    Limit("buys", "method", "Orders with one saved card", 5, 30),
    # Phones of one kind behind one mobile network look the same.
    Limit("buys", "device", "Orders from one kind of device in one network", 20, 30),
    Limit("buys", "network", "Orders from one network", 40, 30),
    Limit("cards", "viewer", "New cards from one browser", 12, 3_600),
    Limit("cards", "network", "New cards from one network", 60, 86_400),
    Limit("declines", "viewer", "Declined payments from one browser", 5, 600),
    Limit("declines", "email", "Declined payments of one e-mail address", 5, 600),
    Limit("declines", "network", "Declined payments from one network", 20, 600),
)
BY_ID: Final = {limit.id: limit for limit in LIMITS}
WORDS: Final = {
    "buys": ("too_many_buys", "That was very many orders in a short time. Nothing was charged."),
    "cards": ("too_many_cards", "Very many different cards were tried from here. Nothing was charged."),
    "declines": ("too_many_declines", "Several payments were declined. Nothing was charged."),
}

COUNT: Final = """
WITH asked AS (
    SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::float8[])
        AS one(pace, value_hash, mark, most, seconds)
)
INSERT INTO risk_pace AS kept (brand_id, pace, value_hash, marks, refused, until)
SELECT $1, pace, value_hash, jsonb_build_object(mark, $7::float8), 0, to_timestamp($7::float8 + seconds)
FROM asked ORDER BY pace, value_hash
ON CONFLICT (brand_id, pace, value_hash) DO UPDATE
SET (marks, refused, refused_at, until) = (
    SELECT CASE WHEN fits THEN live || jsonb_build_object(mark, coalesce((live->>mark)::float8, $7::float8))
                ELSE live END,
           kept.refused + CASE WHEN fits THEN 0 ELSE 1 END,
           CASE WHEN fits THEN kept.refused_at ELSE to_timestamp($7::float8) END,
           greatest(kept.until, excluded.until)
    FROM (
        SELECT live, mark, live ? mark OR (SELECT count(*) FROM jsonb_object_keys(live)) < most AS fits
        FROM (
            SELECT asked.mark, asked.most, coalesce((
                SELECT jsonb_object_agg(key, value) FROM jsonb_each(kept.marks)
                WHERE value::float8 > $7::float8 - asked.seconds), '{}') AS live
            FROM asked WHERE asked.pace = excluded.pace AND asked.value_hash = excluded.value_hash
        ) AS counted
    ) AS judged
)
RETURNING pace,
    marks ? (SELECT mark FROM asked
             WHERE (asked.pace, asked.value_hash) = (kept.pace, kept.value_hash)) AS fits,
    (SELECT min(value::float8) FROM jsonb_each(marks)) AS oldest
"""
DECLINED: Final = """
SELECT trace.kind, payment.updated_at AS at
FROM risk_trace AS trace JOIN payment ON payment.order_id = trace.order_id
WHERE trace.value_hash = ANY($1::text[]) AND trace.at > $2 AND payment.state = 'declined'
  AND payment.updated_at > $3
"""
FORGET: Final = "DELETE FROM risk_pace WHERE until < $1 AND (refused_at IS NULL OR refused_at < $2)"
TUNED: Final = "SELECT paces FROM risk_terms WHERE brand_id = $1"


class Paces:
    """Counts, and says no."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def admit(self, who: Who, mark: str, *deeds: Deed) -> None:
        """Let an attempt through, or SlowDown `too_many_buys` | `too_many_cards` | `too_many_declines`."""
        tuned = await self._tuned(who)
        limits = [
            limited(limit, tuned) for limit in LIMITS if limit.deed in deeds and limit.kind in who.traces
        ]
        await self._not_declined(who, [limit for limit in limits if limit.deed == "declines"])
        await self._count(
            who,
            mark,
            [one for one in limits if one.deed == "buys" or (one.deed == "cards" and who.card)],
        )

    async def forget(self) -> None:
        """A sweep: rows that say nothing any more."""
        now = self._clock()
        await self._db.pool.execute(FORGET, now, now - timedelta(days=7))

    async def _tuned(self, who: Who) -> Mapping[str, Any]:
        found = await self._db.pool.fetchval(TUNED, who.brand_id)
        return json.loads(found) if found else {}

    async def _count(self, who: Who, mark: str, limits: list[Limit]) -> None:
        if not limits:
            return
        now = self._clock().timestamp()
        marks = {"buys": hashlib.sha256(mark.encode()).hexdigest()[:16], "cards": (who.card or "")[:16]}
        rows = await self._db.pool.fetch(
            COUNT,
            who.brand_id,
            [limit.id for limit in limits],
            [who.traces[limit.kind] for limit in limits],
            [marks[limit.deed] for limit in limits],
            [limit.most for limit in limits],
            [float(limit.seconds) for limit in limits],
            now,
        )
        by_id = {limit.id: limit for limit in limits}
        over = [
            (row["oldest"] + by_id[row["pace"]].seconds - now, row["pace"]) for row in rows if not row["fits"]
        ]
        if over:
            wait, pace = max(over)
            raise refusal(by_id[pace], wait)

    async def _not_declined(self, who: Who, limits: list[Limit]) -> None:
        if not limits:
            return
        now = self._clock()
        since = now - timedelta(seconds=max(limit.seconds for limit in limits))
        hashes = [who.traces[limit.kind] for limit in limits]
        rows = await self._db.pool.fetch(DECLINED, hashes, since - timedelta(days=1), since)
        for limit in limits:
            found = sorted(
                row["at"] for row in rows if row["kind"] == limit.kind and fresh(row["at"], now, limit)
            )
            if len(found) >= limit.most:
                ends = found[-limit.most] + timedelta(seconds=limit.seconds)
                raise refusal(limit, (ends - now).total_seconds())


def fresh(at: datetime, now: datetime, limit: Limit) -> bool:
    """Whether it still counts."""
    return at > now - timedelta(seconds=limit.seconds)


def limited(limit: Limit, tuned: Mapping[str, Any]) -> Limit:
    """As the brand has it."""
    own = tuned.get(limit.id, {})
    most, seconds = own.get("most", limit.most), own.get("seconds", limit.seconds)
    return Limit(limit.deed, limit.kind, limit.title, most, seconds)


def refusal(limit: Limit, wait: float) -> SlowDown:
    """A friendly no."""
    code, words = WORDS[limit.deed]
    seconds = max(1, math.ceil(wait))
    log.info("risk.cut", pace=limit.id)
    return SlowDown(code, f"{words} Try again in {long(seconds)}.", retry_after=seconds)
