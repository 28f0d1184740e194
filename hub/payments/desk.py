"""What staff see of payments: gateways in their order of use, and what needs a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.errors import BadInput, Conflict, NotFound
from hub.payments.book import queue
from hub.payments.gateways import Gateways, budget_of
from hub.payments.models import GatewayRank, Payment
from hub.payments.sweep import JOBS
from hub.payments.timing import Timing, Timings

DAY: Final = timedelta(days=1)
MOST_LISTED: Final = 200
TROUBLES: Final = text(
    """
    SELECT payment.id, payment.order_id, orders.number, payment.state, payment.amount_minor,
           payment.currency, payment.ref, payment.updated_at, connection.name AS gateway,
           coalesce(payment.problem, complaint.words) AS problem
    FROM payment
    JOIN orders ON orders.id = payment.order_id
    JOIN connection ON connection.id = payment.connection_id
    LEFT JOIN LATERAL (
        SELECT 'The buyer''s bank disputes this payment'
               || CASE WHEN reason = '' THEN '' ELSE ' (' || reason || ')' END
               || '. Answer at the gateway; it sets a deadline.' AS words
        FROM dispute WHERE dispute.payment_id = payment.id AND dispute.state = 'open' LIMIT 1) AS complaint
        ON true
    WHERE payment.brand_id = :brand_id AND (payment.problem IS NOT NULL OR complaint.words IS NOT NULL)
    ORDER BY payment.updated_at DESC LIMIT :most
    """
)
ADVICE: Final = {
    "capture_failed": "Do not ship. If it was shipped already, ask the buyer to pay again.",
    "voiding": "Nothing to do: the money is let go of as soon as the gateway answers.",
    "authorising": "Wait, or look it up at the gateway. The order is not paid until the gateway says so.",
    "queued": "Check that the gateway is linked and works.",
    "authorised": "Wait: the money is promised and will be taken as soon as the gateway answers.",
}


class StepOut(BaseModel):
    """Calls of the last 24 hours that took up to `le_ms`."""

    le_ms: int
    calls: int


class GatewayOut(BaseModel):
    """One gateway. `well`: new payments go to it; `bad`: calls of the day that failed or took too long."""

    connection_id: UUID
    connector: str
    title: str
    name: str
    linked: bool
    reason: str | None
    test: bool
    well: bool
    budget_ms: int
    usual_budget_ms: int
    calls: int
    bad: int
    authorise: list[StepOut]


class TroubleOut(BaseModel):
    """A payment that needs a person, and what they can do."""

    id: UUID
    order_id: UUID
    number: str
    state: str
    amount_minor: int
    currency: str
    gateway: str
    ref: str | None
    problem: str
    advice: str
    can_retry: bool
    updated_at: datetime


class Desk:
    """The studio's page of payments."""

    def __init__(self, gateways: Gateways, timings: Timings) -> None:
        self._gateways = gateways
        self._timings = timings

    async def gateways(self, session: AsyncSession, brand_id: UUID) -> list[GatewayOut]:
        """All that take payments, in the order in which new payments try them."""
        day = defaultdict(list)
        for timing in await self._timings.recent(session, brand_id, DAY):
            if timing.operation == "authorise":
                day[timing.connection_id].append(timing)
        found = []
        for one in await self._gateways.ranked(session, brand_id):
            mine = day[one.row.id]
            choice = self._gateways.choice(one.row) if one.usable else None
            found.append(
                GatewayOut(
                    connection_id=one.row.id,
                    connector=one.row.connector,
                    title=one.connector.title,
                    name=one.row.name,
                    linked=one.usable,
                    reason=one.row.reason,
                    test=bool(choice and choice.test),
                    well=one.usable and not one.unwell,
                    budget_ms=one.budget_ms,
                    usual_budget_ms=budget_of(one.connector),
                    calls=sum(timing.calls for timing in mine),
                    bad=sum(t.calls for t in mine if t.outcome == "trouble" or t.le_ms > one.budget_ms),
                    authorise=steps(mine),
                )
            )
        return found

    async def arrange(self, session: AsyncSession, brand_id: UUID, order: Sequence[UUID]) -> None:
        """New payments try the gateways in this order; name them all."""
        known = {one.row.id for one in await self._gateways.ranked(session, brand_id)}
        if not set(order) <= known:
            raise NotFound("connection_unknown", "There is no such connection.")
        if set(order) != known or len(order) != len(known):
            raise Conflict("stale", "The gateways changed since you looked. Load the page again.")
        for place, connection_id in enumerate(order):
            row = await self._rank(session, brand_id, connection_id)
            row.position = place

    async def allow(
        self, session: AsyncSession, brand_id: UUID, connection_id: UUID, budget_ms: int | None
    ) -> None:
        """How long an authorisation may take before others are tried first; None: as usual."""
        known = {one.row.id: one for one in await self._gateways.ranked(session, brand_id)}
        if connection_id not in known:
            raise NotFound("connection_unknown", "There is no such connection.")
        if budget_ms is not None and not 200 <= budget_ms <= 20_000:
            raise BadInput("budget_odd", "Allow between 0.2 and 20 seconds.")
        row = await self._rank(session, brand_id, connection_id)
        if row.position < 0:
            row.position = [*known].index(connection_id)
        row.budget_ms = budget_ms

    async def troubles(self, session: AsyncSession, brand_id: UUID) -> list[TroubleOut]:
        """Payments that need a person, the newest first."""
        rows = await run(session, TROUBLES, {"brand_id": brand_id, "most": MOST_LISTED})
        return [trouble_of(row._asdict()) for row in rows]

    async def again(self, session: AsyncSession, brand_id: UUID, payment_id: UUID) -> None:
        """Ask the gateway now."""
        payment = await self._payment(session, brand_id, payment_id)
        if payment.state not in JOBS:
            raise Conflict("nothing_to_ask", "The gateway has said what became of this payment.")
        await queue(session, JOBS[payment.state], payment.id)

    async def seen(self, session: AsyncSession, brand_id: UUID, payment_id: UUID) -> None:
        """A person has looked after it: it leaves the list until something new happens."""
        payment = await self._payment(session, brand_id, payment_id)
        payment.problem = None

    async def _payment(self, session: AsyncSession, brand_id: UUID, payment_id: UUID) -> Payment:
        query = select(Payment).where(col(Payment.id) == payment_id, col(Payment.brand_id) == brand_id)
        payment = (await session.exec(query.with_for_update())).first()
        if payment is None:
            raise NotFound("payment_unknown", "There is no such payment.")
        return payment

    async def _rank(self, session: AsyncSession, brand_id: UUID, connection_id: UUID) -> GatewayRank:
        row = await session.get(GatewayRank, connection_id, with_for_update=True)
        if row is None:
            row = GatewayRank(connection_id=connection_id, brand_id=brand_id, position=-1)
            session.add(row)
        return row


def steps(timings: Sequence[Timing]) -> list[StepOut]:
    """Calls by how long they took."""
    calls: defaultdict[int, int] = defaultdict(int)
    for timing in timings:
        calls[timing.le_ms] += timing.calls
    return [StepOut(le_ms=le_ms, calls=count) for le_ms, count in sorted(calls.items())]


def trouble_of(row: dict[str, Any]) -> TroubleOut:
    """With what to do about it."""
    advice = ADVICE.get(row["state"], "Look it up at the gateway.")
    return TroubleOut(**row, advice=advice, can_retry=row["state"] in JOBS)
