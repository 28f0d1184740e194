"""Giving money back: a row before the call, and never more than was taken, whoever asks how often at once."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.errors import Refused, RetryLater
from connectors.types import Money, PaymentResult, RefundResult
from hub.clock import Clock
from hub.connections.models import Connection
from hub.db import Database, run
from hub.errors import BadInput, Conflict
from hub.payments.book import Book, queue
from hub.payments.gateways import Gateways
from hub.payments.models import Payment, Refund

log = structlog.get_logger()

CLAIM: Final = text(
    """
    UPDATE payment SET refunded_minor = refunded_minor + :amount
    WHERE id = :id AND refunded_minor + :amount <= captured_minor
    RETURNING refunded_minor
    """
)
"""The row's lock and its CHECK make parallel refunds take turns."""
OUTSIDE: Final = "Given back at the gateway itself."
ITS_TURN: Final = "A refund is on its way; its answer comes first."
ONE_BY_ONE: Final = "Another refund of this payment has not been answered yet."


class Refunds:
    """Refunds of payments that went through a gateway of ours."""

    def __init__(self, db: Database, clock: Clock, *, gateways: Gateways, book: Book) -> None:
        self._db = db
        self._clock = clock
        self._gateways = gateways
        self._book = book

    async def ask(
        self,
        session: AsyncSession,
        order_id: UUID,
        amount_minor: int,
        reason: str,
        author: str | None,
        key: str,
    ) -> Refund:
        """Queue a refund. The same key again answers the same one. Conflict `too_much` says what is left."""
        before = (await session.exec(select(Refund).where(col(Refund.key) == key))).first()
        if before:
            return before
        if amount_minor <= 0:
            raise BadInput("nothing_to_refund", "Say how much is to be given back.")
        payment = await self._taken(session, order_id)
        left = payment.captured_minor - payment.refunded_minor
        claim = {"id": payment.id, "amount": amount_minor}
        if (await run(session, CLAIM, claim)).first() is None:
            money = Money(amount=left, currency=payment.currency)
            words = f"Only {money.decimal()} {money.currency} of this order are left to give back."
            raise Conflict("too_much", words, left_minor=left)
        await session.refresh(payment)
        refund = Refund(
            brand_id=payment.brand_id,
            order_id=order_id,
            payment_id=payment.id,
            amount_minor=amount_minor,
            currency=payment.currency,
            reason=reason,
            author=author,
            key=key,
        )
        session.add(refund)
        await session.flush()
        await queue(session, "payment.refund", payment.id, refund_id=str(refund.id))
        return refund

    async def send(self, refund_id: UUID) -> None:
        """The job: ask the gateway. Safe to repeat: its key tells what happened, later its sum of refunds."""
        started = await self._start(refund_id)
        if started is None:
            return
        refund, payment, forgotten = started
        ref, order = payment.ref or "", str(payment.id)
        amount = Money(amount=refund.amount_minor, currency=refund.currency)
        if forgotten and (found := await self._known(refund, payment)):
            await self._over(refund_id, found)
            return
        try:
            result = await self._gateways.ask(
                payment.connection_id, "refund", order, lambda one: one.refund(ref, amount, key=refund.key)
            )
        except Refused as refused:
            if payment.state == "capturing":
                # Nothing to give back before the gateway has taken it.
                raise RetryLater(
                    "The money has not been taken yet, so it can't be given back.", 600
                ) from None
            result = RefundResult(ref="", payment_ref=ref, state="failed", message=refused.reason)
            if refused.code == "idempotency_error":
                # An older version of ours asked in other words with this key: it may have happened.
                result = await self._known(refund, payment) or result
        await self._over(refund_id, result)

    async def heard(self, session: AsyncSession, payment: Payment, told: RefundResult) -> None:
        """The gateway's word on a refund: ours, later than we asked, or one made there by hand."""
        query = select(Refund).where(col(Refund.payment_id) == payment.id, col(Refund.ref) == told.ref)
        refund = (await session.exec(query.with_for_update())).first()
        if refund is None and told.key:
            refund = await self._named(session, payment, told)
        if refund is None:
            await self._unknown(session, payment, told)
        elif told.state == "failed" and refund.state in ("sent", "done"):
            await self._book.refund_over(session, refund, "failed", told.message or "The bank refused it.")
        elif told.state == "done" and refund.state == "sent":
            await self._book.refund_over(session, refund, "done", told.message)

    async def _taken(self, session: AsyncSession, order_id: UUID) -> Payment:
        query = (
            select(Payment)
            .where(col(Payment.order_id) == order_id, col(Payment.captured_minor) > 0)
            .order_by(col(Payment.id).desc())
            .with_for_update()
        )
        payment = (await session.exec(query.execution_options(populate_existing=True))).first()
        if payment is None:
            raise Conflict("nothing_taken", "No money was taken for this order, so none can be given back.")
        return payment

    async def _start(self, refund_id: UUID) -> tuple[Refund, Payment, bool] | None:
        """The refund, noted as being sent now, its payment, and whether its key may be worth nothing."""
        async with self._db.session() as session:
            refund = await session.get(Refund, refund_id)
            if refund is None or refund.payment_id is None:
                return None
            payment = await self._book.locked(session, refund.payment_id)
            refund = await session.get(Refund, refund_id, with_for_update=True, populate_existing=True)
            # With a reference it is the gateway's turn to speak.
            if refund is None or refund.state not in ("queued", "sent") or refund.ref:
                return None
            if refund.sent_at is None and await self._undecided(session, payment):
                # Two that nobody knows the outcome of could be taken for each other.
                raise RetryLater(ONE_BY_ONE, 60.0)
            row = await session.get(Connection, payment.connection_id)
            # Where there are no keys, a repeat finds the refund itself.
            memory = self._gateways.connector_of(row.connector).payment_memory if row else None
            now = self._clock()
            refund.state, refund.sent_at = "sent", refund.sent_at or now
            return refund, payment, memory is not None and now - refund.sent_at > memory

    async def _undecided(self, session: AsyncSession, payment: Payment) -> bool:
        """Whether a refund of this payment was sent and not answered."""
        query = select(Refund.id).where(
            col(Refund.payment_id) == payment.id, col(Refund.state) == "sent", col(Refund.ref).is_(None)
        )
        return (await session.exec(query)).first() is not None

    async def _known(self, refund: Refund, payment: Payment) -> RefundResult | None:
        """Its key is forgotten: what was given back beyond the others tells whether it happened."""
        ref = payment.ref or ""
        now: PaymentResult = await self._gateways.ask(
            payment.connection_id, "get", str(payment.id), lambda one: one.get(ref)
        )
        others = select(Refund.amount_minor).where(
            col(Refund.payment_id) == payment.id,
            col(Refund.id) != refund.id,
            col(Refund.state).in_(["sent", "done"]),
        )
        async with self._db.session() as session:
            elsewhere = sum(await session.exec(others))
        more = now.refunded.amount - elsewhere if now.refunded else None
        if more == refund.amount_minor:
            return RefundResult(ref="", payment_ref=ref, state="done")
        if more == 0:
            return None
        raise RetryLater("It is not known whether this refund went through; look at the gateway.", 600)

    async def _named(self, session: AsyncSession, payment: Payment, told: RefundResult) -> Refund | None:
        """Ours by its key, which the gateway kept with it: now we know what it is called there."""
        query = select(Refund).where(
            col(Refund.payment_id) == payment.id, col(Refund.key) == told.key, col(Refund.state) != "failed"
        )
        refund = (await session.exec(query.with_for_update())).first()
        if refund is None:
            return None
        taken_for_it, refund.ref = refund.ref, told.ref
        await session.flush()
        if taken_for_it:
            # One made by hand was taken for this one, for its amount alone: so both happened.
            by_hand = told.model_copy(update={"ref": taken_for_it, "state": "done", "message": ""})
            await self._outside(session, payment, by_hand, undecided=await self._under_way(session, payment))
        return refund

    async def _under_way(self, session: AsyncSession, payment: Payment) -> bool:
        """Whether one of ours is to be made, or has been sent and not answered."""
        ours = select(Refund.id).where(
            col(Refund.payment_id) == payment.id,
            col(Refund.state).in_(["queued", "sent"]),
            col(Refund.ref).is_(None),
        )
        return (await session.exec(ours)).first() is not None

    async def _nameless(self, session: AsyncSession, payment: Payment, amount_minor: int) -> Refund | None:
        """One that was found done by its sum (`_known`), so that nobody said what the gateway calls it."""
        query = select(Refund).where(
            col(Refund.payment_id) == payment.id,
            col(Refund.state) == "done",
            col(Refund.ref).is_(None),
            col(Refund.amount_minor) == amount_minor,
        )
        return (await session.exec(query.order_by(col(Refund.id)).limit(1).with_for_update())).first()

    async def _over(self, refund_id: UUID, result: RefundResult) -> None:
        async with self._db.session() as session:
            refund = await session.get(Refund, refund_id)
            if refund is None or refund.payment_id is None:
                return
            await self._book.locked(session, refund.payment_id)
            refund = await session.get(Refund, refund_id, with_for_update=True, populate_existing=True)
            if refund is None or refund.state != "sent":
                return
            refund.ref = result.ref or refund.ref
            if result.state != "pending":
                await self._book.refund_over(session, refund, result.state, result.message)

    async def _unknown(self, session: AsyncSession, payment: Payment, told: RefundResult) -> None:
        """One of ours whose answer is still on its way, or one that somebody made at the gateway."""
        undecided = await self._under_way(session, payment)
        if undecided and told.key is None:
            # Whether it is that one its own call will tell; then this word finds it, or was about another.
            raise RetryLater(ITS_TURN, 5.0)
        if told.amount and (found := await self._nameless(session, payment, told.amount.amount)):
            found.ref = told.ref
            if told.state == "failed":
                await self._book.refund_over(session, found, "failed", told.message or "The bank refused it.")
            return
        if told.state != "failed":
            await self._outside(session, payment, told, undecided=undecided)

    async def _outside(
        self, session: AsyncSession, payment: Payment, told: RefundResult, *, undecided: bool
    ) -> None:
        """Write down what somebody gave back at the gateway; `undecided`: one of ours may be in its way."""
        if told.amount is None:
            return
        claim = {"id": payment.id, "amount": told.amount.amount}
        if (await run(session, CLAIM, claim)).first() is None:
            if undecided:
                # Both are more than was taken, so ours will be refused: that makes room for this one.
                raise RetryLater(ITS_TURN, 5.0)
            log.error("payment.refund_beyond", payment=str(payment.id), refund=told.ref)
            return
        await session.refresh(payment)
        refund = Refund(
            brand_id=payment.brand_id,
            order_id=payment.order_id,
            payment_id=payment.id,
            amount_minor=told.amount.amount,
            currency=payment.currency,
            reason=OUTSIDE,
            state="sent",
            ref=told.ref,
            key=f"{payment.connection_id}:{told.ref}",
            sent_at=self._clock(),
        )
        session.add(refund)
        await session.flush()
        if told.state == "done":
            await self._book.refund_over(session, refund, "done", told.message)
