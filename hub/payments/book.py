"""What a payment becomes, and what that means for its order and its stock: one transaction each.

The caller has the payment's row locked: of two who change the order or its holds, one waits there. Who has no
payment to lock takes order, holds, stock, offers, in this order, and a coupon last.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Money, PaymentResult, SavedMethod
from hub.clock import Clock
from hub.db import run
from hub.jobs import defer
from hub.orders.models import Order
from hub.payments import models
from hub.payments.models import Payment, Refund
from hub.secrets import Vault
from hub.stock.service import StockRoom

log = structlog.get_logger()

DECLINED: Final = "The payment was declined{why}. Nothing was charged. Try another card."
TOO_LATE: Final = (
    "Your reservation ended before the payment was confirmed, and it is sold out. Nothing was charged."
)
NOT_IN_TIME: Final = "The payment was not confirmed in time. Nothing was charged. Buy again if you like."
LETTING_GO: Final = "The payment takes too long. We make sure that nothing is charged, then tell you."
GIVEN_UP: Final = "The bank let go of this payment. Nothing was charged. Try another card."
NOT_TAKEN: Final = "The bank took its promise back, so this order is not paid. Please order again."
PAID: Final = "Paid. Thank you!"
NEVER_TAKEN: Final = "The bank promised this money and then did not give it: do not ship. {why}"
TAKEN_TOO_LATE: Final = "Money came for an order that was over already. It is being given back at once."

CAPTURED: Final = text(
    """
    UPDATE orders SET captured_minor = (
        SELECT coalesce(sum(captured_minor), 0) FROM payment WHERE order_id = orders.id)
    WHERE id = :order_id
    """
)
"""Of all its payments: one that was over may bring money after all, and what came of it goes back."""


class Outcomes(Protocol):
    """Whom the payment room reports to: the order learns what became of its money."""

    async def settled(self, session: AsyncSession, order_id: UUID, state: str, message: str) -> None:
        """Paid, failed or expired; or authorising, with news of it."""
        ...

    async def action(self, session: AsyncSession, order_id: UUID) -> None:
        """The bank asks the buyer."""
        ...

    async def refunded(self, session: AsyncSession, refund: Refund) -> None:
        """Money went back, or did not after all."""
        ...


class Book:
    """Writes down what happened."""

    def __init__(self, clock: Clock, vault: Vault, stock: StockRoom, outcomes: Outcomes) -> None:
        self._clock = clock
        self._vault = vault
        self._stock = stock
        self._outcomes = outcomes

    async def locked(self, session: AsyncSession, payment_id: UUID) -> Payment:
        """The payment as it is now; nobody else changes it meanwhile."""
        query = select(Payment).where(col(Payment.id) == payment_id).with_for_update()
        return (await session.exec(query.execution_options(populate_existing=True))).one()

    def request_of(self, payment: Payment) -> dict[str, Any]:
        """What was asked for beside amount and source."""
        sealed = payment.request_sealed
        found: dict[str, Any] = json.loads(self._vault.open(sealed)) if sealed else {}
        return found

    def change(self, payment: Payment, state: str, result: PaymentResult | None = None) -> None:
        """A new state: whatever was a problem is none any more."""
        payment.state, payment.updated_at, payment.problem = state, self._clock(), None
        if result:
            payment.ref = result.ref or payment.ref
            payment.message = result.message or payment.message
            payment.expires_at = result.expires_at or payment.expires_at
        if state != "action_required":
            payment.action_sealed = None

    async def money(self, session: AsyncSession, payment: Payment, result: PaymentResult) -> None:
        """The gateway holds the money: the stock is the buyer's, or the money is let go of."""
        self.change(payment, "authorised", result)
        payment.sent_at, payment.attempts = None, 0
        await self._keep_method(session, payment, result.saved)
        if await self._stock.commit_order(session, payment.order_id):
            await queue(session, "payment.capture", payment.id)
            return
        await self._outcomes.settled(session, payment.order_id, "expired", TOO_LATE)
        await self.let_go(session, payment, "sold_out")

    async def asked(self, session: AsyncSession, payment: Payment, result: PaymentResult) -> None:
        """The bank wants to ask the buyer: the page gets the action, the reservation more time, once."""
        fresh = payment.state != "action_required"
        self.change(payment, "action_required", result)
        payment.answer_sealed, payment.sent_at = None, None
        if result.action:
            data = result.action.data
            told = {**result.action.model_dump(exclude={"data"}), "data": data and data.get_secret_value()}
            payment.action_sealed = self._vault.seal(json.dumps(told))
        await self._outcomes.action(session, payment.order_id)
        if fresh and payment.cause != "asked":
            # Once: whoever fails at the bank again and again does not keep the stock from others.
            payment.cause, payment.due_at = "asked", self._clock() + models.BANK_TAKES
            await self._stock.keep(session, payment.order_id, payment.due_at + models.VOID_TAKES)

    async def declined(self, session: AsyncSession, payment: Payment, message: str) -> None:
        """No money. The buyer may try another card for as long as their own reservation lasts."""
        self.change(payment, "declined")
        payment.message = message
        await self._back_to_buyer(session, payment)
        await self._outcomes.settled(session, payment.order_id, "failed", message)

    async def captured(
        self, session: AsyncSession, payment: Payment, result: PaymentResult, asked: int
    ) -> None:
        """The money is ours, or will be: the gateway has promised to take it."""
        came = result.state in ("captured", "refunded")
        self.change(payment, "captured" if came else "capturing", result)
        # Where a webhook came first, only the capture's answer has the card.
        await self._keep_method(session, payment, result.saved)
        amount = result.amount.amount if result.amount else asked
        payment.captured_minor = max(payment.refunded_minor, min(amount, payment.amount_minor))
        await self._count(session, payment)
        await self._outcomes.settled(session, payment.order_id, "paid", PAID)
        if came and await self._all_back(session, payment):
            self.change(payment, "refunded")

    async def capture_failed(self, session: AsyncSession, payment: Payment, why: str) -> None:
        """The promise did not hold: order and payment go back where they were, for everybody to see."""
        self.change(payment, "capture_failed")
        payment.problem = NEVER_TAKEN.format(why=why).strip()
        query = select(Refund).where(
            col(Refund.payment_id) == payment.id, col(Refund.state).in_(["queued", "sent"])
        )
        for refund in await session.exec(query):
            refund.state, refund.message = "failed", "There was no money to give back."
            payment.refunded_minor -= refund.amount_minor
        payment.captured_minor = payment.refunded_minor
        await self._count(session, payment)
        await self._stock.release_order(session, payment.order_id)
        await self._outcomes.settled(session, payment.order_id, "failed", NOT_TAKEN)

    async def let_go(self, session: AsyncSession, payment: Payment, cause: str) -> None:
        """It will bring nothing: void it. What is reserved stays so until that is certain."""
        self.change(payment, "voiding")
        payment.cause, payment.attempts = cause, 0
        await queue(session, "payment.void", payment.id)

    async def voided(self, session: AsyncSession, payment: Payment) -> None:
        """Certain now: there is no money, and the stock is free."""
        cause = payment.cause
        self.change(payment, "voided")
        if cause == "late":
            await self._stock.release_order(session, payment.order_id)
            await self._outcomes.settled(session, payment.order_id, "expired", NOT_IN_TIME)

    async def given_up(self, session: AsyncSession, payment: Payment) -> None:
        """The gateway let go of it by itself while the buyer was to act."""
        self.change(payment, "voided")
        await self._back_to_buyer(session, payment)
        await self._outcomes.settled(session, payment.order_id, "failed", GIVEN_UP)

    async def taken_too_late(self, session: AsyncSession, payment: Payment, result: PaymentResult) -> None:
        """Money was taken that was to be let go of: it pays the order if it still can, else it goes back."""
        wanted = payment.cause == "late"
        if wanted and await self._stock.commit_order(session, payment.order_id):
            await self.captured(session, payment, result, payment.amount_minor)
            return
        if await self._followed(session, payment):
            # The order has another payment by now; this one stays over, and its money goes back once.
            known = select(Refund.id).where(col(Refund.key) == f"{payment.id}:late")
            if (await session.exec(known)).first():
                return
            payment.ref, payment.updated_at = result.ref or payment.ref, self._clock()
        else:
            self.change(payment, "captured", result)
        payment.captured_minor = payment.amount_minor
        payment.refunded_minor = payment.amount_minor
        refund = Refund(
            brand_id=payment.brand_id,
            order_id=payment.order_id,
            payment_id=payment.id,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            reason=TAKEN_TOO_LATE,
            key=f"{payment.id}:late",
        )
        session.add(refund)
        await session.flush()
        log.warning("payment.late", payment=str(payment.id), order=str(payment.order_id))
        await queue(session, "payment.refund", payment.id, refund_id=str(refund.id))
        if wanted:
            await self._stock.release_order(session, payment.order_id)
            await self._outcomes.settled(session, payment.order_id, "expired", TAKEN_TOO_LATE)

    async def refund_over(self, session: AsyncSession, refund: Refund, state: str, message: str) -> None:
        """Given back, or not: what did not go back can be given back another time."""
        before, refund.state, refund.updated_at = refund.state, state, self._clock()
        refund.message = message
        if refund.payment_id is None or before == state:
            return
        payment = await self.locked(session, refund.payment_id)
        if state == "failed":
            payment.refunded_minor -= refund.amount_minor
            payment.state = "captured" if payment.state == "refunded" else payment.state
            payment.problem = f"A refund did not go through: {message}"
        await session.flush()
        await self._count(session, payment)
        if state == "done" and payment.state == "captured" and await self._all_back(session, payment):
            self.change(payment, "refunded")
        await session.flush()
        await self._outcomes.refunded(session, refund)

    async def _followed(self, session: AsyncSession, payment: Payment) -> bool:
        """Whether the order has a later payment that is, or was, good."""
        query = select(Payment.id).where(
            col(Payment.order_id) == payment.order_id,
            col(Payment.id) != payment.id,
            col(Payment.state).not_in(models.OVER),
        )
        return (await session.exec(query)).first() is not None

    async def _all_back(self, session: AsyncSession, payment: Payment) -> bool:
        query = select(Refund.amount_minor).where(
            col(Refund.payment_id) == payment.id, col(Refund.state) == "done"
        )
        return sum(await session.exec(query)) >= payment.captured_minor > 0

    async def _count(self, session: AsyncSession, payment: Payment) -> None:
        """The order says what was taken for it."""
        await run(session, CAPTURED, {"order_id": payment.order_id})

    async def _back_to_buyer(self, session: AsyncSession, payment: Payment) -> None:
        if payment.held_until:
            await self._stock.keep(session, payment.order_id, payment.held_until)

    async def _keep_method(self, session: AsyncSession, payment: Payment, saved: SavedMethod | None) -> None:
        asked = self.request_of(payment)
        if saved is None or payment.saved_method_id or not (asked.get("save") and asked.get("customer_id")):
            return
        # Whose order it is may have turned out since it was placed.
        query = select(Order.customer_id, Order.identity_id).where(col(Order.id) == payment.order_id)
        customer_id, node_id = (await session.exec(query)).one()
        row = models.SavedMethod(
            brand_id=payment.brand_id,
            customer_id=customer_id or UUID(asked["customer_id"]),
            identity_id=node_id,
            connection_id=payment.connection_id,
            ref_sealed=self._vault.seal(saved.ref.get_secret_value()),
            gateway_customer=saved.customer,
            card_brand=saved.brand,
            last4=saved.last4,
            exp_month=saved.exp_month,
            exp_year=saved.exp_year,
            consent=str(asked.get("consent") or ""),
            consented_at=payment.created_at,
        )
        session.add(row)
        await session.flush()
        payment.saved_method_id = row.id


async def queue(session: AsyncSession, task: str, payment_id: UUID, **more: str) -> None:
    """A job about a payment; one waits at most, and they run one after another."""
    key = f"{task}:{more.get('refund_id', payment_id)}"
    arguments: dict[str, Any] = {**more} if more else {"payment_id": str(payment_id)}
    await defer(session, task, key=key, lock=lock_of(payment_id), **arguments)


def lock_of(payment_id: UUID) -> str:
    """Jobs about one payment run one after another: its webhook often overtakes the gateway's answer."""
    return f"payment:{payment_id}"


def money_of(payment: Payment) -> Money:
    """All of it."""
    return Money(amount=payment.amount_minor, currency=payment.currency)


def since(at: datetime | None, now: datetime) -> float:
    """Seconds; 0 for what has not happened."""
    return (now - at).total_seconds() if at else 0.0
