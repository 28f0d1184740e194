"""Two people who may be one: found by a sweep and by evidence that waits, for a person to decide.

A suggestion joins nobody. Its confidence is that of all its reasons together: 1 - (1-a)(1-b)….
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.customers.graph import Graph, Link, contradicts
from hub.customers.models import Identity
from hub.customers.region import Region, node_of
from hub.customers.words import handle_words, title_of
from hub.db import Database, run
from hub.ids import new_id

LOOK_BACK: Final = timedelta(days=2)
"""What is new is compared with everything, several times over: a sweep that fails loses nothing."""
WEIGHTS: Final = {"like": 0.75, "loose": 0.7, "phone": 0.5, "payment": 0.8, "network": 0.35, "mention": 0.6}
REASONS: Final = {
    "like": "Both have the same name and their parcels go to the same postcode.",
    "loose": "Their e-mail addresses are the same but for dots or what stands behind a plus.",
    "phone": "Their phone numbers end alike, and one is written without its country.",
    "payment": "Both have paid with the same card.",
    "network": "Both claimed in the same show from the same network.",
    "mention": "One was named in an order or a claim of the other.",
}

FOUND: Final = text(
    """
    WITH fresh AS (
        SELECT * FROM identity WHERE greatest(created_at, coalesce(named_at, created_at)) > :since
    ), pairs AS (
        SELECT 'like' AS reason, fresh.brand_id, fresh.customer_id AS one, other.customer_id AS two
        FROM fresh JOIN identity AS other USING (brand_id, likeness_hash)
        UNION
        SELECT CASE fresh.kind WHEN 'phone' THEN 'phone' ELSE 'loose' END, fresh.brand_id, fresh.customer_id,
            other.customer_id FROM fresh JOIN identity AS other USING (brand_id, loose_hash)
        WHERE fresh.kind <> 'phone' OR fresh.state = 'ignored' OR other.state = 'ignored'
        UNION
        SELECT 'payment', card.brand_id, one.customer_id, two.customer_id FROM identity AS card
        JOIN identity_edge AS first ON first.b_id = card.id OR first.a_id = card.id
        JOIN identity_edge AS second ON second.b_id = card.id OR second.a_id = card.id
        JOIN identity AS one ON one.id IN (first.a_id, first.b_id) AND one.id <> card.id
        JOIN identity AS two ON two.id IN (second.a_id, second.b_id) AND two.id <> card.id
        WHERE card.kind = 'payment' AND card.state = 'ok' AND first.created_at > :since
        UNION
        SELECT 'mention', edge.brand_id, one.customer_id, two.customer_id FROM identity_edge AS edge
        JOIN identity AS one ON one.id = edge.a_id JOIN identity AS two ON two.id = edge.b_id
        WHERE edge.strength = 'hint' AND edge.kind <> 'cookie' AND edge.revoked_at IS NULL
            AND edge.created_at > :since AND one.met AND two.met AND one.state = 'ok' AND two.state = 'ok'
        UNION
        SELECT 'network', mine.brand_id, mine.customer_id, theirs.customer_id
        FROM claim JOIN orders AS mine ON mine.id = claim.order_id
        JOIN risk_trace ON risk_trace.order_id = mine.id AND risk_trace.kind = 'network'
        JOIN risk_trace AS same ON same.value_hash = risk_trace.value_hash AND same.kind = 'network'
            AND same.order_id <> mine.id
        JOIN claim AS other ON other.order_id = same.order_id AND other.show_id = claim.show_id
        JOIN orders AS theirs ON theirs.id = other.order_id
        WHERE claim.updated_at > :since AND mine.brand_id = theirs.brand_id
    ), couples AS (
        SELECT DISTINCT brand_id, reason, least(one, two) AS a, greatest(one, two) AS b
        FROM pairs WHERE one <> two
    ), rare AS (
        -- What many have in common says nothing of two of them.
        SELECT *, count(*) OVER (PARTITION BY brand_id, reason, a) AS of_a,
            count(*) OVER (PARTITION BY brand_id, reason, b) AS of_b FROM couples
    )
    SELECT brand_id, a, b, array_agg(reason ORDER BY reason) AS reasons FROM rare
    WHERE of_a <= 5 AND of_b <= 5
        AND EXISTS (SELECT FROM customer WHERE id = a AND merged_into IS NULL)
        AND EXISTS (SELECT FROM customer WHERE id = b AND merged_into IS NULL)
    GROUP BY brand_id, a, b ORDER BY a, b LIMIT 5000
    """
)
NOTE: Final = text(
    """
    INSERT INTO suggestion (id, brand_id, a, b, confidence, reasons, state, created_at)
    SELECT :id, :brand, :a, :b, :confidence, CAST(:reasons AS json), 'open', :now
    WHERE NOT EXISTS (
        SELECT FROM suggestion AS said JOIN customer AS one ON one.id = said.a
        JOIN customer AS two ON two.id = said.b
        WHERE said.brand_id = :brand AND said.state = 'dismissed'
            AND least(coalesce(one.merged_into, one.id), coalesce(two.merged_into, two.id)) = :a
            AND greatest(coalesce(one.merged_into, one.id), coalesce(two.merged_into, two.id)) = :b)
    ON CONFLICT (brand_id, a, b) DO UPDATE SET
        confidence = greatest(suggestion.confidence, excluded.confidence),
        reasons = CASE WHEN excluded.confidence >= suggestion.confidence THEN excluded.reasons
            ELSE suggestion.reasons END,
        state = 'open', decided_at = NULL, author = NULL
        WHERE suggestion.state <> 'dismissed'
            AND (suggestion.state = 'confirmed' OR suggestion.confidence < excluded.confidence)
    """
)


@dataclass(frozen=True)
class Reason:
    """One reason: how sure it makes (0 to 1), and in words."""

    confidence: float
    words: str


async def suggest(
    session: AsyncSession, brand_id: UUID, pair: tuple[UUID, UUID], reasons: Sequence[Reason], now: datetime
) -> None:
    """Write a suggestion down, unless a person has said no to it."""
    doubt = 1.0
    for reason in reasons:
        doubt *= 1 - reason.confidence
    values = {
        "id": new_id(),
        "brand": brand_id,
        "a": min(pair),
        "b": max(pair),
        "confidence": Decimal(str(round(min(1 - doubt, 0.99), 2))),
        "reasons": json.dumps([reason.words for reason in reasons]),
        "now": now,
    }
    await run(session, NOTE, values)


async def suggest_held(
    session: AsyncSession,
    brand_id: UUID,
    region: Region,
    found: Graph,
    people: dict[UUID, UUID],
    clock: Clock,
) -> None:
    """Evidence that would join two people who both have an account on one platform: a person must say."""
    pairs: dict[tuple[UUID, UUID], list[Reason]] = {}
    for link in found.held:
        one, other = people[link.a], people[link.b]
        if one != other:
            pairs.setdefault((min(one, other), max(one, other)), []).append(reason_of(link, region.rows))
    for pair, reasons in sorted(pairs.items()):
        await suggest(session, brand_id, pair, reasons[:3], clock())


def reason_of(link: Link, rows: dict[UUID, Identity]) -> Reason:
    """Why it is thought, and why it was not simply done."""
    a, b = (handle_words(row.kind, row.hint, row.source) for row in (rows[link.a], rows[link.b]))
    accounts = [row for row in (rows[link.a], rows[link.b]) if row.kind == "platform_user"]
    ends = [node_of(rows[end]) for end in (link.a, link.b)]
    if contradicts(*ends) or contradicts(*reversed(ends)):
        return Reason(
            0.4, f"An order ties {a} to {b}, under another name than that of who signed in with it."
        )
    where = f"on {title_of(accounts[0].source)}" if accounts else "with you"
    return Reason(0.8, f"An order ties {a} to {b}, but both people already have an account {where}.")


class Suggestions:
    """The sweep. Repeatable; several may run at once."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def sweep(self) -> None:
        """Compare what is new with everything."""
        await self.look_at(self._clock() - LOOK_BACK)

    async def look_at(self, since: datetime) -> int:
        """Compare what was seen since then; how many pairs were found."""
        async with self._db.session() as session:
            rows = (await run(session, FOUND, {"since": since})).all()
            for row in rows:
                reasons = [Reason(WEIGHTS[one], REASONS[one]) for one in row.reasons]
                await suggest(session, row.brand_id, (row.a, row.b), reasons, self._clock())
        return len(rows)
