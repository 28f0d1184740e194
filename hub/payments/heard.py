"""What gateways tell by webhook: a word on a payment, a refund or a dispute, in any order and any number."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Dispute as Complaint
from connectors.types import PaymentResult, RefundResult
from hub.clock import Clock
from hub.connections.models import Connection
from hub.orders.models import Order
from hub.orders.timeline import note
from hub.payments.book import DECLINED, Book, queue
from hub.payments.models import ENDED, OVER, Dispute, Payment
from hub.payments.refunds import Refunds
from hub.payments.states import step_for

log = structlog.get_logger()

DISPUTES: Final = {
    "open": "The buyer's bank disputes this payment{why}. Answer at the gateway, it sets a deadline.",
    "won": "The dispute was decided for the shop.",
    "lost": "The dispute was lost{why}: the bank took the money back.",
}


class Heard:
    """Applies words to rows; a word that is older than what is known changes nothing."""

    def __init__(self, clock: Clock, *, book: Book, refunds: Refunds) -> None:
        self._clock = clock
        self._book = book
        self._refunds = refunds

    async def hear(
        self, session: AsyncSession, connection: Connection, fact: PaymentResult | RefundResult | Complaint
    ) -> None:
        """One word. A payment that is none of ours (another system's at the same account) is passed over."""
        ref = fact.ref if isinstance(fact, PaymentResult) else fact.payment_ref
        order_id = None if isinstance(fact, Complaint) else fact.order_id
        found = await self._payment(session, connection, ref, order_id)
        if found is None:
            return
        payment = await self._book.locked(session, found.id)
        if isinstance(fact, PaymentResult):
            await self._word(session, payment, fact)
        elif isinstance(fact, RefundResult):
            await self._refunds.heard(session, payment, fact)
        else:
            await self._dispute(session, payment, fact)

    async def _payment(
        self, session: AsyncSession, connection: Connection, ref: str, order_id: str | None
    ) -> Payment | None:
        """By the gateway's reference; by our order where that has not arrived here yet."""
        mine = select(Payment).where(col(Payment.connection_id) == connection.id)
        found = (await session.exec(mine.where(col(Payment.ref) == ref))).first() if ref else None
        if found or not order_id:
            return found
        try:
            order = UUID(order_id)
        except ValueError:
            return None
        rows = (await session.exec(mine.where(col(Payment.order_id) == order))).all()
        alive = [row for row in rows if row.state not in OVER]
        # A word on an earlier payment of this order would carry that one's reference.
        return next((row for row in alive if row.ref in (None, "", ref)), None)

    async def _word(self, session: AsyncSession, payment: Payment, said: PaymentResult) -> None:
        step = step_for(payment.state, said.state)
        match step:
            case "ask":
                # Ask again with the same key: the answer that got lost, or is on its way, comes back whole.
                await queue(session, "payment.authorise", payment.id)
            case "settle":
                await self._book.money(session, payment, said)
            case "captured":
                await self._book.captured(session, payment, said, payment.amount_minor)
            case "capture_failed":
                await self._book.capture_failed(session, payment, said.message)
            case "declined":
                why = f" ({said.message.rstrip('.')})" if said.message else ""
                await self._book.declined(session, payment, DECLINED.format(why=why))
            case "voided" if payment.state == "voiding":
                await self._book.voided(session, payment)
            case "voided":
                await self._book.given_up(session, payment)
            case "refunded":
                # Which refund it was, and whether it was ours, its own word says.
                log.info("payment.refunded", payment=str(payment.id))
            case "late":
                await self._late(session, payment, said)
            case None:
                return

    async def _late(self, session: AsyncSession, payment: Payment, said: PaymentResult) -> None:
        """Money for a payment that was over: it is let go of at once."""
        payment.ref = said.ref or payment.ref
        if payment.state in ENDED:
            payment.cause = "late_success"
            log.warning("payment.late", payment=str(payment.id), state=payment.state)
        await queue(session, "payment.void", payment.id)

    async def _dispute(self, session: AsyncSession, payment: Payment, told: Complaint) -> None:
        query = select(Dispute).where(
            col(Dispute.connection_id) == payment.connection_id, col(Dispute.ref) == told.ref
        )
        row = (await session.exec(query.with_for_update())).first()
        if row and (row.state == told.state or row.state != "open"):
            return
        if row is None:
            row = Dispute(
                brand_id=payment.brand_id,
                order_id=payment.order_id,
                payment_id=payment.id,
                connection_id=payment.connection_id,
                ref=told.ref,
                amount_minor=told.amount.amount,
                currency=told.amount.currency,
            )
            session.add(row)
        row.state, row.reason, row.updated_at = told.state, told.reason, self._clock()
        await session.flush()
        order = await session.get(Order, payment.order_id)
        if order:
            why = f" ({told.reason})" if told.reason else ""
            await note(session, order, f"dispute.{told.state}", DISPUTES[told.state].format(why=why))
