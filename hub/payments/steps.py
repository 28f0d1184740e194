"""The jobs of a payment. Each may run twice and die anywhere: key and parameters are stored before the call,
the state guards every change, and a call whose outcome is not known is repeated with its key or looked up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlmodel import col, select

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import Money, PaymentRequest, PaymentResult
from hub.clock import Clock
from hub.connections.models import Connection
from hub.db import Database
from hub.errors import NotFound
from hub.orders.models import Order
from hub.payments.book import DECLINED, Book, money_of, queue, since
from hub.payments.gateways import Gateways
from hub.payments.models import ENDED, Payment, SavedMethod
from hub.payments.states import MONEY, TAKING, step_for
from hub.secrets import Vault

log = structlog.get_logger()

NO_GATEWAY: Final = "The shop's payment account has a problem. Nothing was charged. Please try again later."
SEARCHABLE: Final = timedelta(seconds=90)
"""A search that finds nothing proves something only when the payment would be in the index by now."""


@dataclass(frozen=True)
class Started:
    """A step about to be sent. `sent`: it was sent before; `forgotten`: its key may be worth nothing."""

    payment: Payment
    sent: bool
    forgotten: bool


class Steps:
    """Authorise, confirm, capture, void: each by the id of its payment."""

    def __init__(self, db: Database, clock: Clock, vault: Vault, *, gateways: Gateways, book: Book) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._gateways = gateways
        self._book = book

    async def authorise(self, payment_id: UUID) -> None:
        """Hold the money, then commit the stock. RetryLater passes through to the job's retry rule."""
        started = await self._start(payment_id, ("queued", "authorising"), "authorising")
        if started is None:
            return
        payment = started.payment
        try:
            result = await self._authorised(started)
        except (Refused, Reconnect, NotFound) as error:
            if started.sent and (
                isinstance(error, Reconnect | NotFound) or error.code == "idempotency_error"
            ):
                # An earlier attempt may have gone through: "nothing was charged" would be a guess.
                raise
            log.error("payment.not_taken", payment=str(payment.id), reason=str(error))
            await self._refused(payment_id)
            return
        await self._hear(payment_id, result, ("authorising",))

    async def confirm(self, payment_id: UUID) -> None:
        """Go on with what the buyer's page brought back from the bank."""
        started = await self._start(payment_id, ("action_required",), "action_required")
        if started is None or started.payment.ref is None or started.payment.answer_sealed is None:
            return
        payment = started.payment
        answer: dict[str, str] = json.loads(self._vault.open(payment.answer_sealed or b""))
        given = hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()[:12]
        # The same answer again asks the same question; after a day the gateway's own word is asked anyway.
        key = f"{payment.key}:confirm:{payment.round}:{given}"
        result = await self._ask(payment, "confirm", lambda one, ref: one.confirm(ref, answer, key=key))
        await self._hear(payment_id, result, ("action_required",))

    async def capture(self, payment_id: UUID) -> None:
        """Take the money of a committed order; of money that was promised already, ask whether it came."""
        started = await self._start(payment_id, ("authorised",), "authorised")
        if started is None or started.payment.ref is None:
            await self._promised(payment_id)
            return
        payment = started.payment
        amount = await self._to_take(payment)
        why = ""
        try:
            result = await self._repeated(started)
            if result is None:
                key = f"{payment.key}:capture"
                result = await self._ask(
                    payment, "capture", lambda one, ref: one.capture(ref, amount, key=key)
                )
        except Refused as refused:
            result = await self._ask(payment, "get", lambda one, ref: one.get(ref))
            why = refused.reason
        if result.state in ("authorised", "pending") and not why:
            raise RetryLater("The gateway still works on this capture.", 5.0)
        async with self._db.session() as session:
            payment = await self._book.locked(session, payment_id)
            if payment.state not in ("authorised", "voiding"):
                return
            if payment.state == "authorised" and result.state in TAKING:
                await self._book.captured(session, payment, result, amount.amount)
            elif payment.state == "authorised":
                await self._book.capture_failed(session, payment, why or result.message)
                if result.state == "authorised":
                    # Not ours to take and still held from the buyer: that must not last a week.
                    payment.cause = "late_success"
                    await queue(session, "payment.void", payment.id)

    async def _promised(self, payment_id: UUID) -> None:
        """Some gateways never tell what became of money that they said they would take."""
        started = await self._start(payment_id, ("capturing",), None)
        if started is None:
            return
        now = await self._ask(started.payment, "get", lambda one, ref: one.get(ref))
        async with self._db.session() as session:
            payment = await self._book.locked(session, payment_id)
            match step_for(payment.state, now.state):
                case "captured":
                    await self._book.captured(session, payment, now, payment.captured_minor)
                case "capture_failed":
                    await self._book.capture_failed(session, payment, now.message)

    async def void(self, payment_id: UUID) -> None:
        """Let go of money held for nothing; money that was taken meanwhile pays the order or goes back."""
        started = await self._start(payment_id, ("voiding", *ENDED), None)
        if started is None:
            return
        payment = started.payment
        if payment.state in ENDED and payment.cause != "late_success":
            return
        ref, result = payment.ref, None
        if ref is None:
            result = await self._known(started)
            if result is None:
                return
            ref = result.ref
        if result is None or result.state not in ("voided", "declined", *TAKING):
            key = f"{payment.key}:void"
            result = await self._ask(payment, "void", lambda one, _: one.void(ref, key=key))
        await self._let_go(payment_id, result)

    async def forget(self, saved_method_id: UUID) -> None:
        """The gateway forgets a method that its owner wants kept no longer."""
        async with self._db.session() as session:
            row = await session.get(SavedMethod, saved_method_id)
        if row is None or row.state != "gone":
            return
        ref = self._vault.open(row.ref_sealed)
        await self._gateways.ask(
            row.connection_id, "forget", "", lambda one: one.forget(ref, row.gateway_customer)
        )

    async def _authorised(self, started: Started) -> PaymentResult:
        """The gateway's answer to the authorisation: to this attempt, or to an earlier one that is found."""
        payment = started.payment
        if started.sent and started.forgotten:
            found = await self._found(payment)
            if found is not None:
                return found
            payment = await self._next_round(payment.id)
        key = f"{payment.key}:authorise" + (f":{payment.round}" if payment.round > 1 else "")
        request = self._request(payment)
        try:
            return await self._gateways.ask(
                payment.connection_id,
                "authorise",
                str(payment.id),
                lambda gateway: gateway.authorise(request, key=key),
            )
        except RetryLater as error:
            if not error.unknown and not started.sent:
                await self._unsent(payment.id)
            raise

    async def _found(self, payment: Payment) -> PaymentResult | None:
        """What the gateway has for this order, leaving out what earlier payments of it came to."""
        found: PaymentResult | None = await self._gateways.ask(
            payment.connection_id, "find", "", lambda gateway: gateway.find(str(payment.order_id))
        )
        if found is not None:
            async with self._db.session() as session:
                query = select(Payment.id).where(col(Payment.ref) == found.ref, col(Payment.id) != payment.id)
                if (await session.exec(query)).first() is None:
                    return found
        wait = SEARCHABLE.total_seconds() - since(payment.sent_at, self._clock())
        if wait > 0:
            raise RetryLater("It is not sure yet that the gateway knows nothing of this payment.", wait)
        return None

    async def _known(self, started: Started) -> PaymentResult | None:
        """What became of a payment that is to be let go of and has no reference; None when that was all."""
        payment = started.payment
        if not started.sent:
            await self._let_go(payment.id, PaymentResult(ref="", state="voided"))
            return None
        if started.forgotten:
            result = await self._found(payment) or PaymentResult(ref="", state="voided")
        else:
            result = await self._authorised(started)
        if result.state == "pending":
            raise RetryLater("The gateway still works on this payment.", 5.0)
        async with self._db.session() as session:
            now = await self._book.locked(session, payment.id)
            if now.state != "voiding":
                return None
            now.ref = result.ref or None
            if result.state == "authorised" and now.cause == "late":
                # The bank said yes after all. What is still reserved for this buyer is theirs.
                await self._book.money(session, now, result)
                return None
        return result

    async def _let_go(self, payment_id: UUID, result: PaymentResult) -> None:
        if result.state == "authorised":
            raise RetryLater("The gateway has not let go of this payment yet.", 5.0)
        async with self._db.session() as session:
            payment = await self._book.locked(session, payment_id)
            if payment.state not in ("voiding", *ENDED):
                return
            if result.state in ("voided", "declined"):
                await self._book.voided(session, payment)
            elif result.state in TAKING:
                await self._book.taken_too_late(session, payment, result)
            # pending: a webhook will say.

    async def _hear(self, payment_id: UUID, result: PaymentResult, expected: tuple[str, ...]) -> None:
        """What an authorisation or the bank's question came to."""
        if result.state == "pending":
            raise RetryLater("The payment is still being worked on.", 2.0)
        async with self._db.session() as session:
            payment = await self._book.locked(session, payment_id)
            if payment.state not in expected:
                # It was given up meanwhile: whoever lets go of it must know what to let go of.
                payment.ref = payment.ref or result.ref or None
            elif result.state == "action_required":
                await self._book.asked(session, payment, result)
            elif result.state in MONEY:
                await self._book.money(session, payment, result)
            else:
                payment.ref = result.ref or payment.ref
                why = f" ({result.message.rstrip('.')})" if result.message else ""
                await self._book.declined(session, payment, DECLINED.format(why=why))

    async def _refused(self, payment_id: UUID) -> None:
        async with self._db.session() as session:
            payment = await self._book.locked(session, payment_id)
            if payment.state == "authorising":
                await self._book.declined(session, payment, NO_GATEWAY)

    async def _start(self, payment_id: UUID, states: tuple[str, ...], state: str | None) -> Started | None:
        """The payment, noted as being sent now; None when there is nothing to do.

        Without a `state` it is only looked at: a void that is killed has not sent what was never sent.
        """
        async with self._db.session() as session:
            payment = await self._book.locked(session, payment_id)
            if payment.state not in states:
                return None
            now, sent = self._clock(), payment.sent_at is not None
            row = await session.get(Connection, payment.connection_id)
            memory = self._gateways.connector_of(row.connector).payment_memory if row else None
            payment.state, payment.updated_at = state or payment.state, now
            payment.attempts += 1
            if state is not None:
                payment.sent_at = payment.sent_at or now
            forgotten = memory is None or now - (payment.sent_at or now) > memory
            return Started(payment, sent, forgotten)

    async def _unsent(self, payment_id: UUID) -> None:
        """The gateway certainly did nothing: the next attempt is the first."""
        async with self._db.session() as session:
            payment = await self._book.locked(session, payment_id)
            payment.sent_at = None

    async def _next_round(self, payment_id: UUID) -> Payment:
        """A new key, stored before it is used: the gateway has forgotten, or never knew, the one before."""
        async with self._db.session() as session:
            payment = await self._book.locked(session, payment_id)
            payment.round, payment.sent_at = payment.round + 1, self._clock()
            return payment

    async def _repeated(self, started: Started) -> PaymentResult | None:
        """For a capture that was sent before and whose key is worth nothing: what became of it."""
        if not (started.sent and started.forgotten):
            return None
        now = await self._ask(started.payment, "get", lambda one, ref: one.get(ref))
        return now if now.state in (*TAKING, "voided", "declined", "capture_failed") else None

    def _request(self, payment: Payment) -> PaymentRequest:
        asked = self._book.request_of(payment)
        kept = {name: asked[name] for name in REQUESTED if asked.get(name) is not None}
        return PaymentRequest(
            amount=money_of(payment),
            source=self._vault.open(payment.source_sealed),
            order_id=str(payment.order_id),
            **kept,
        )

    async def _to_take(self, payment: Payment) -> Money:
        """What is captured: an order that has become smaller since is not paid more than it costs."""
        async with self._db.session() as session:
            order = await session.get(Order, payment.order_id)
        total = order.total_minor if order and order.total_minor > 0 else payment.amount_minor
        return Money(amount=min(payment.amount_minor, total), currency=payment.currency)

    async def _ask(
        self, payment: Payment, operation: str, call: Callable[[Any, str], Awaitable[PaymentResult]]
    ) -> PaymentResult:
        ref = payment.ref or ""
        return await self._gateways.ask(
            payment.connection_id, operation, str(payment.id), lambda gateway: call(gateway, ref)
        )


REQUESTED: Final = (
    *("email", "description", "customer", "save", "buyer_present"),
    *("return_url", "ip"),
)
"""Fields of the stored request that go to the gateway."""
