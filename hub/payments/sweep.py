"""What happens to payments by the clock: those not decided in time, and those nobody works on any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.db import Database, run
from hub.payments.book import LETTING_GO, Book, Outcomes, queue
from hub.payments.models import Payment
from hub.payments.silence import Silence

log = structlog.get_logger()

AT_ONCE: Final = 200
FORSAKEN_AFTER: Final = timedelta(minutes=10)
STUCK: Final = (
    "The gateway has not said for {minutes} minutes what became of this payment. It is asked again every ten "
    "minutes; nothing is charged twice. To be sure, look it up at the gateway{ref}."
)
JOBS: Final = {
    "queued": "payment.authorise",
    "authorising": "payment.authorise",
    "authorised": "payment.capture",
    "voiding": "payment.void",
}
FORSAKEN: Final = text(
    """
    SELECT id FROM payment
    WHERE state IN ('queued', 'authorising', 'authorised', 'voiding') AND updated_at < :before
      AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE lock = 'payment:' || payment.id
                      AND status IN ('todo', 'doing'))
    ORDER BY updated_at LIMIT 100
    """
)
SETTLES: Final = timedelta(hours=6)
"""Money that was promised comes overnight; so often a gateway that does not tell is asked for it."""
PROMISED: Final = text(
    """
    SELECT payment.id FROM payment JOIN connection ON connection.id = payment.connection_id
    WHERE payment.state = 'capturing' AND payment.updated_at < :before
      AND connection.state = 'ok' AND connection.connector <> ALL(:telling)
      AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE lock = 'payment:' || payment.id
                      AND status IN ('todo', 'doing'))
    ORDER BY payment.updated_at LIMIT 100
    """
)
FORSAKEN_REFUNDS: Final = text(
    """
    SELECT id, payment_id FROM refund
    WHERE state IN ('queued', 'sent') AND ref IS NULL AND payment_id IS NOT NULL AND updated_at < :before
      AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE args->>'refund_id' = refund.id::text
                      AND status IN ('todo', 'doing'))
    ORDER BY updated_at LIMIT 100
    """
)
ASKED_AGAIN: Final = text("UPDATE refund SET updated_at = :now WHERE id = :id")


class Sweep:
    """Two sweeps; both may run at any time and twice."""

    def __init__(
        self, db: Database, clock: Clock, *, book: Book, outcomes: Outcomes, silence: Silence
    ) -> None:
        self._db = db
        self._clock = clock
        self._book = book
        self._outcomes = outcomes
        self._silence = silence

    async def let_go_of_late(self) -> int:
        """Payments not decided in time: first the payment is cancelled, then the stock is free."""
        is_late = (
            col(Payment.state).in_(["queued", "authorising", "action_required"]),
            col(Payment.due_at) <= self._clock(),
        )
        async with self._db.session() as session:
            query = select(Payment.id).where(*is_late).order_by(col(Payment.id)).limit(AT_ONCE)
            late = (await session.exec(query)).all()
        for payment_id in late:
            # Each by itself: together they would lock stock in the order of payments, and others by variant.
            async with self._db.session() as session:
                one = select(Payment).where(col(Payment.id) == payment_id, *is_late)
                payment = (await session.exec(one.with_for_update(skip_locked=True))).first()
                if payment:
                    await self._late(session, payment)
        return len(late)

    async def look_after(self) -> int:
        """Payments whose jobs gave up are taken up again, and silent gateways noticed; a person is told.

        Gateways that tell nothing by themselves are asked what they did.
        """
        await self._silence.find()
        before = self._clock() - FORSAKEN_AFTER
        asked = {"before": self._clock() - SETTLES, "telling": self._silence.telling}
        async with self._db.session() as session:
            found = (await run(session, FORSAKEN, {"before": before})).all()
            for row in found:
                await self._again(session, row.id)
            refunds = (await run(session, FORSAKEN_REFUNDS, {"before": before})).all()
            for row in refunds:
                await queue(session, "payment.refund", row.payment_id, refund_id=str(row.id))
                await run(session, ASKED_AGAIN, {"id": row.id, "now": self._clock()})
            promised = (await run(session, PROMISED, asked)).all()
            for row in promised:
                await queue(session, "payment.capture", row.id)
        return len(found) + len(refunds) + len(promised)

    async def _late(self, session: AsyncSession, payment: Payment) -> None:
        if payment.state == "queued" and payment.sent_at is None:
            payment.cause = "late"
            await self._book.voided(session, payment)
            return
        await self._book.let_go(session, payment, "late")
        await self._outcomes.settled(session, payment.order_id, "authorising", LETTING_GO)

    async def _again(self, session: AsyncSession, payment_id: UUID) -> None:
        payment = await self._book.locked(session, payment_id)
        if payment.state not in JOBS:
            return
        minutes = int((self._clock() - payment.created_at).total_seconds() // 60)
        where = f" under {payment.ref}" if payment.ref else f" by the order's id {payment.order_id}"
        payment.problem = STUCK.format(minutes=minutes, ref=where)
        payment.updated_at = self._clock()
        log.warning("payment.stuck", payment=str(payment.id), state=payment.state, minutes=minutes)
        await queue(session, JOBS[payment.state], payment.id)
