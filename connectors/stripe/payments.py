"""Moving money through PaymentIntents that are captured by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.base import Session
from connectors.errors import Refused
from connectors.stripe.api import ANSWER_SECONDS, Api, Config, Declined
from connectors.stripe.results import declined, result_of, stripe_amount
from connectors.types import Money, PaymentRequest, PaymentResult

TOO_LATE = frozenset({"payment_intent_unexpected_state", "charge_expired_for_capture"})
"""Codes that mean: the payment is not where you think it is. The payment itself then answers."""


class StripePayments:
    """One PaymentIntent per payment; its id is the reference."""

    def __init__(self, session: Session[Config], answer_seconds: float = ANSWER_SECONDS) -> None:
        self._api = Api(session, answer_seconds)

    async def authorise(self, request: PaymentRequest, *, key: str) -> PaymentResult:
        """Hold the amount while the buyer is there; `source` is a PaymentMethod id (pm_…)."""
        params: dict[str, Any] = {
            "amount": stripe_amount(request.amount),
            "currency": request.amount.currency.lower(),
            "capture_method": "manual",
            "confirm": True,
            "payment_method": request.source,
            # Cards alone: other methods cannot be held, or need a page to return to.
            "payment_method_types": ["card"],
            "metadata": {"order_id": request.order_id, "hold_id": request.hold_id},
        }
        if request.description:
            params["description"] = request.description
        if request.email:
            params["receipt_email"] = request.email
        options = {"idempotency_key": key}
        try:
            return result_of(await self._api.write(lambda v1: v1.payment_intents.create(params, options)))
        except Declined as refusal:
            result = declined(refusal.error)
            return result.model_copy(update={"order_id": result.order_id or request.order_id})

    async def capture(self, ref: str, amount: Money, *, key: str) -> PaymentResult:
        """Take what was held; less than that lets the rest go. `voided` when the hold has run out."""
        params = {"amount_to_capture": stripe_amount(amount)}
        options = {"idempotency_key": key}
        return await self._change(ref, lambda v1: v1.payment_intents.capture(ref, params, options))

    async def void(self, ref: str, *, key: str) -> PaymentResult:
        """Cancel; `captured` when the money was taken already, `voided` when it was let go already."""
        params = {"cancellation_reason": "abandoned"}
        options = {"idempotency_key": key}
        return await self._change(ref, lambda v1: v1.payment_intents.cancel(ref, params, options))

    async def refund(self, ref: str, amount: Money, *, key: str) -> PaymentResult:
        """Give back all or a part; `pending` while the bank takes its time."""
        params = {"payment_intent": ref, "amount": stripe_amount(amount)}
        options = {"idempotency_key": key}
        try:
            refund = await self._api.write(lambda v1: v1.refunds.create(params, options))
        except Declined as refusal:
            raise Refused("The bank refused the refund.", code=refusal.error.get("code")) from None
        if refund["status"] in ("failed", "canceled"):
            raise Refused("The bank refused the refund.", code=refund.get("failure_reason"))
        return PaymentResult(ref=ref, state="refunded" if refund["status"] == "succeeded" else "pending")

    async def get(self, ref: str) -> PaymentResult:
        """Stripe's own word, refunds included."""
        params = {"expand": ["latest_charge"]}
        return result_of(await self._api.read(lambda v1: v1.payment_intents.retrieve(ref, params)))

    async def _change(self, ref: str, make: Callable[[Any], Any]) -> PaymentResult:
        try:
            return result_of(await self._api.write(make))
        except Declined as refusal:
            return declined(refusal.error).model_copy(update={"ref": ref})
        except Refused as refused:
            if refused.code not in TOO_LATE:
                raise
            now = await self.get(ref)
            if now.state in ("captured", "voided", "refunded"):
                return now
            raise
