"""Decides claims in the order of the stream, and follows what becomes of them. Sweeps; repeatable anywhere.

A claim waits `intake.WINDOW`, then it is decided together with all that were said before it, even such as
came in later. The reservation is taken first, under the claim's own key; then state and answer are written in
one transaction. Killed in between, the next sweep gets the same reservation for the same key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.claims.answers import Answers, tell_staff
from hub.claims.links import hold_key, viewer_for
from hub.claims.models import Claim, ClaimRules
from hub.clock import Clock
from hub.customers.service import Customers, Evidence, Person
from hub.db import Database, run
from hub.errors import Conflict, HubError, NotFound
from hub.orders.models import Order
from hub.shows.models import Show
from hub.stock.facts import Taken, Wish
from hub.stock.reserve import Reservations
from hub.stock.waitlist import Queue
from hub.visits.service import Visits

AT_ONCE: Final = 400
DUE: Final = text(
    """
    SELECT show_id, max(said_at) AS until FROM claim
    WHERE state = 'waiting' AND due_at <= :now GROUP BY show_id
    """
)
NEXT: Final = text(
    """
    SELECT claim.id, claim.round, message.hidden OR message.deleted AS gone,
        EXISTS (SELECT 1 FROM claim_block AS block WHERE block.brand_id = claim.brand_id
            AND block.platform = claim.platform AND block.author_id = claim.author_id) AS blocked
    FROM claim JOIN message ON message.id = claim.message_id
    WHERE claim.show_id = :show_id AND claim.state = 'waiting' AND claim.said_at <= :until
    ORDER BY claim.said_at, message.seq, claim.id LIMIT :most
    """
)
ENDED: Final = text(
    """
    UPDATE claim SET updated_at = :now, order_id = hold.order_id,
        state = CASE hold.state WHEN 'committed' THEN 'paid' ELSE 'lapsed' END
    FROM hold WHERE claim.state = 'held' AND hold.id = claim.hold_id AND hold.state <> 'held'
    RETURNING claim.id, claim.show_id, claim.state
    """
)
FREED: Final = text(
    """
    SELECT claim.id AS claim_id, line.id, line.hold_id FROM claim
    JOIN waitlist AS line ON line.viewer_id = claim.viewer_id AND line.show_id = claim.show_id
        AND line.variant_id = claim.variant_id AND line.state = 'offered'
    WHERE claim.state = 'queued' ORDER BY claim.n LIMIT 100
    """
)
LONGER: Final = text("UPDATE hold SET expires_at = :until WHERE group_id = :group AND state = 'held'")
LONGER_LINE: Final = text("UPDATE waitlist SET offered_until = :until WHERE id = :id AND state = 'offered'")

Outcome = Taken | HubError


@dataclass(frozen=True)
class Asked:
    """A claim to be decided; `refusal` when no stock need be asked."""

    claim: Claim
    refusal: tuple[str, str] | None


class Judge:
    """Run `sweep` twice a second, `follow` every second."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        reservations: Reservations,
        waitlist: Queue,
        *,
        answers: Answers,
        customers: Customers,
        visits: Visits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._reservations = reservations
        self._waitlist = waitlist
        self._answers = answers
        self._customers = customers
        self._visits = visits

    async def sweep(self) -> int:
        """Decide what is due; how many were decided."""
        async with self._db.session() as session:
            due = (await run(session, DUE, {"now": self._clock()})).all()
        return sum([await self._show(row.show_id, row.until) for row in due])

    async def _show(self, show_id: UUID, until: datetime) -> int:
        async with self._db.session() as session:
            rules = await session.get(ClaimRules, show_id) or ClaimRules(show_id=show_id, brand_id=show_id)
            session.expunge_all()
            values = {"show_id": show_id, "until": until, "most": AT_ONCE}
            rows = (await run(session, NEXT, values)).all()
            query = select(Claim).where(col(Claim.id).in_([row.id for row in rows]))
            found = {claim.id: claim for claim in await session.exec(query)}
        asked = [Asked(found[row.id], refusal_of(found[row.id], row)) for row in rows]
        # All at once, in their order: they are judged in the order they are handed over.
        outcomes = await asyncio.gather(
            *(self._take(one.claim, rules) for one in asked if one.refusal is None), return_exceptions=True
        )
        won = dict(zip([one.claim.id for one in asked if one.refusal is None], outcomes, strict=True))
        return await self._write(show_id, asked, won, rules)

    async def _take(self, claim: Claim, rules: ClaimRules) -> Taken:
        if claim.variant_id is None:
            raise NotFound("variant_unknown", "This product is not on sale in this show.")
        wish = Wish(
            claim.brand_id,
            claim.show_id,
            claim.viewer_id,
            claim.variant_id,
            claim.quantity,
            hold_key(claim.id, claim.round),
            channel="claim",
            at=claim.said_at,
            seconds=rules.seconds,
        )
        return await self._reservations.take(wish)

    async def _write(
        self,
        show_id: UUID,
        asked: Sequence[Asked],
        won: dict[UUID, Taken | BaseException],
        rules: ClaimRules,
    ) -> int:
        decided: list[Claim] = []
        async with self._db.session() as session:
            # Not against orders: they refer to this row, and would have to wait.
            query = select(Show).where(col(Show.id) == show_id).with_for_update(key_share=True)
            show = (await session.exec(query)).one()
            for one in asked:
                claim = await session.get_one(Claim, one.claim.id, with_for_update=True)
                outcome = won.get(claim.id)
                if (claim.state, claim.round) != ("waiting", one.claim.round) or later(outcome):
                    continue
                claim.updated_at = self._clock()
                if one.refusal:
                    claim.state, claim.detail = one.refusal
                elif isinstance(outcome, Taken):
                    claim.state, claim.hold_id, claim.expires_at = (
                        "held",
                        outcome.group_id,
                        outcome.expires_at,
                    )
                    claim.detail = "soft" if show.hold_policy == "first_paid" else ""
                    claim.opened_by = claim.viewer_id if claim.platform == "own" else None
                elif isinstance(outcome, HubError):
                    await self._refuse(session, show, claim, outcome, rules)
                decided.append(claim)
            # Who may not claim, and what was taken down, is not answered in front of everybody.
            quiet = ("withdrawn",)
            heard = [one for one in decided if one.state not in quiet and one.detail != BLOCKED]
            await self._answers.tell(session, show, heard, self._clock())
            tell_staff(session, show_id)
        return len(decided)

    async def _refuse(
        self, session: AsyncSession, show: Show, claim: Claim, why: HubError, rules: ClaimRules
    ) -> None:
        claim.state, claim.detail = ("sold_out" if why.code == "sold_out" else "refused"), why.detail
        if why.code == "sold_out" and rules.waitlist and claim.variant_id:
            try:
                await self._waitlist.join(session, viewer_for(claim, show.slug), claim.variant_id)
                claim.state, claim.detail = "queued", "Waits for the next free one."
            except (Conflict, NotFound) as refusal:
                claim.detail = refusal.detail

    async def follow(self) -> None:
        """Claims that were paid, or not in time; and those whose turn in the waitlist has come."""
        async with self._db.session() as session:
            ended = (await run(session, ENDED, {"now": self._clock()})).all()
            paid = [await session.get_one(Claim, row.id) for row in ended if row.state == "paid"]
            await self._tie(session, paid)
            for show_id in {row.show_id for row in ended}:
                tell_staff(session, show_id)
        async with self._db.session() as session:
            freed = (await run(session, FREED)).all()
        for row in freed:
            await self._promote(row)

    async def _promote(self, row: Any) -> None:
        """A comment's author needs longer than a screen's viewer to use a unit that became free."""
        async with self._db.session() as session:
            claim = await session.get_one(Claim, row.claim_id)
            query = select(Show).where(col(Show.id) == claim.show_id).with_for_update(key_share=True)
            show = (await session.exec(query)).one()
            await session.refresh(claim, with_for_update=True)
            if claim.state != "queued":
                return
            rules = await session.get(ClaimRules, show.id)
            until = self._clock() + timedelta(seconds=rules.seconds if rules else 900)
            done = await run(session, LONGER, {"until": until, "group": row.hold_id})
            if done.rowcount == 0:
                return
            await run(session, LONGER_LINE, {"until": until, "id": row.id})
            claim.state, claim.hold_id, claim.expires_at, claim.detail = "held", row.hold_id, until, ""
            claim.quantity, claim.updated_at = 1, self._clock()
            claim.opened_by = claim.viewer_id if claim.platform == "own" else None
            await self._answers.tell(session, show, [claim], self._clock())
            tell_staff(session, show.id)

    async def _tie(self, session: AsyncSession, claims: Sequence[Claim]) -> None:
        """Who paid is who claimed. A public link proves less: it makes a new tie, and joins no two people."""
        met = []
        for claim in claims:
            order = await session.get(Order, claim.order_id) if claim.order_id else None
            if order and order.identity_id and claim.author_id and claim.platform != "own":
                person = Person(platform=claim.platform, platform_user=claim.author_id)
                met.append((claim, order, order.identity_id, person))
        # All at once: two transactions that meet the same people one by one could wait for each other.
        brands = [claim.brand_id for claim, *_ in met] if len(met) > 1 else []
        await self._customers.lock(session, brands, [who for *_, who in met], [node for _, _, node, _ in met])
        for claim, _, node_id, person in met:
            private = claim.answer == "private"
            evidence = Evidence("claim", "claim", str(claim.id), claim.said_at, proof=private)
            await self._customers.meet(session, claim.brand_id, person, evidence, node_id=node_id)
        for claim, order, *_ in met:
            await session.refresh(order, ["customer_id"])
            await self._note(session, claim, order)

    async def _note(self, session: AsyncSession, claim: Claim, order: Order) -> None:
        """Whoever it is that paid, they came by what was claimed there."""
        await self._visits.note_touch(
            *(session, claim.brand_id),
            kind="claim",
            source_id=claim.id,
            customer_id=order.customer_id,
            identity_id=order.identity_id,
            show_id=claim.show_id,
            utm={"utm_source": claim.platform, "utm_medium": "social"},
            at=claim.said_at,
        )


BLOCKED: Final = "You restricted this person's claims."


def refusal_of(claim: Claim, row: Any) -> tuple[str, str] | None:
    """Why it is nothing, whatever is in stock."""
    if row.gone:
        return "withdrawn", "The message was taken down before it was decided."
    if row.blocked:
        return "refused", BLOCKED
    if claim.variant_id is None:
        return "unclear", f"Which one? {claim.between}"
    return None


def later(outcome: object) -> bool:
    """The database was away: the claim keeps its place, and is asked again."""
    return isinstance(outcome, BaseException) and not isinstance(outcome, Conflict | NotFound)
