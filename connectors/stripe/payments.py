"""Moving money through PaymentIntents that are captured by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.base import Session
from connectors.errors import Refused
from connectors.stripe.api import ANSWER_SECONDS, FOUND, THING, Api, Config, Declined
from connectors.stripe.results import (
    REFUND_KEY,
    declined,
    must_come_back,
    refund_of,
    result_of,
    stripe_amount,
)
from connectors.types import Money, PaymentForm, PaymentRequest, PaymentResult, RefundResult

TOO_LATE = frozenset({"payment_intent_unexpected_state", "charge_expired_for_capture"})
"""Codes that mean: the payment is not where you think it is. The payment itself then answers."""
WHOLE = ["latest_charge"]
"""The charge has the card and the end of the hold."""
FIRST = ("captured", "refunded", "authorised", "action_required", "pending", "declined", "voided")
"""Of several payments for one order the one that moved money comes first."""


class StripePayments:
    """One PaymentIntent per payment; its id is the reference."""

    def __init__(self, session: Session[Config], answer_seconds: float = ANSWER_SECONDS) -> None:
        self._api = Api(session, answer_seconds)
        self._page_key = session.config.publishable_key
        self._script_url = session.addresses.script_url

    async def form(self, amount: Money, *, customer: str | None) -> PaymentForm:
        """What Stripe.js needs to draw its Payment Element; nothing to draw without a publishable key."""
        if self._page_key is None:
            return PaymentForm()
        public = {"publishable_key": self._page_key, "currency": amount.currency.lower()}
        return PaymentForm(
            script_url=self._script_url, public={**public, "amount": str(stripe_amount(amount))}
        )

    async def authorise(self, request: PaymentRequest, *, key: str) -> PaymentResult:
        """Hold the amount; `source` is a PaymentMethod id (pm_…), fresh or saved.

        Without the buyer a bank that wants to ask them answers `action_required` and no action yet: `confirm`
        brings it when they are back.
        """
        customer = request.customer
        if request.save and customer is None:
            customer = await self._customer(request, key)
        params = params_of(request, customer)
        options = {"idempotency_key": key}
        try:
            return result_of(await self._api.write(lambda v1: v1.payment_intents.create(params, options)))
        except Declined as refusal:
            result = declined(refusal.error)
            return result.model_copy(update={"order_id": result.order_id or request.order_id})

    async def confirm(self, ref: str, answer: Mapping[str, str], *, key: str) -> PaymentResult:
        """What became of it after the bank asked; the script has told Stripe already, `answer` says nothing.

        One that was refused because the buyer was not there is tried again, now that they are.
        """
        intent = await self._intent(ref)
        method = must_come_back(intent)
        if method is None:
            return result_of(intent)
        params = {"payment_method": method, "use_stripe_sdk": True, "expand": WHOLE}
        options = {"idempotency_key": key}
        return await self._change(ref, lambda v1: v1.payment_intents.confirm(ref, params, options))

    async def capture(self, ref: str, amount: Money, *, key: str) -> PaymentResult:
        """Take what was held; less than that lets the rest go. `voided` when the hold has run out."""
        params = {"amount_to_capture": stripe_amount(amount), "expand": WHOLE}
        options = {"idempotency_key": key}
        return await self._change(ref, lambda v1: v1.payment_intents.capture(ref, params, options))

    async def void(self, ref: str, *, key: str) -> PaymentResult:
        """Cancel; `captured` when the money was taken already, `voided` when it was let go already."""
        params = {"cancellation_reason": "abandoned"}
        options = {"idempotency_key": key}
        return await self._change(ref, lambda v1: v1.payment_intents.cancel(ref, params, options))

    async def refund(self, ref: str, amount: Money, *, key: str) -> RefundResult:
        """Give back all or a part; `pending` while the bank takes its time. The key stays with the refund."""
        params = {"payment_intent": ref, "amount": stripe_amount(amount), "metadata": {REFUND_KEY: key}}
        options = {"idempotency_key": key}
        try:
            return refund_of(await self._api.write(lambda v1: v1.refunds.create(params, options)))
        except Declined as refusal:
            raise Refused("The bank refused the refund.", code=refusal.error.get("code")) from None

    async def get(self, ref: str) -> PaymentResult:
        """Stripe's own word, refunds included."""
        return result_of(await self._intent(ref))

    async def find(self, order_id: str) -> PaymentResult | None:
        """By our metadata. Stripe's search may be a minute behind; it is asked hours after the fact."""
        if "'" in order_id or "\\" in order_id:
            return None
        params = {"query": f"metadata['order_id']:'{order_id}'", "limit": 20}
        answer = await self._api.read(lambda v1: v1.payment_intents.search(params), shape=FOUND)
        found = [result_of(intent) for intent in answer["data"]]
        if not found:
            return None
        first = min(found, key=lambda one: FIRST.index(one.state) if one.state in FIRST else len(FIRST))
        return await self.get(first.ref)

    async def forget(self, saved_ref: str, customer: str | None) -> None:
        """Detach a saved card."""
        try:
            await self._api.write(lambda v1: v1.payment_methods.detach(saved_ref), shape=THING)
        except Refused as refused:
            # Gone, or detached before: of that Stripe says only a sentence.
            if refused.code not in ("resource_missing", "400"):
                raise

    async def _customer(self, request: PaymentRequest, key: str) -> str:
        params: dict[str, Any] = {"metadata": {"order_id": request.order_id}}
        if request.email:
            params["email"] = request.email
        options = {"idempotency_key": f"{key}:customer"}
        made = await self._api.write(lambda v1: v1.customers.create(params, options), shape=THING)
        return str(made["id"])

    async def _intent(self, ref: str) -> dict[str, Any]:
        params = {"expand": WHOLE}
        return await self._api.read(lambda v1: v1.payment_intents.retrieve(ref, params))

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


def params_of(request: PaymentRequest, customer: str | None) -> dict[str, Any]:
    """A PaymentIntent that is confirmed at once and captured by hand."""
    params: dict[str, Any] = {
        "amount": stripe_amount(request.amount),
        "currency": request.amount.currency.lower(),
        "capture_method": "manual",
        "confirm": True,
        "payment_method": request.source,
        # Cards alone: other methods cannot be held, or need a page to return to.
        "payment_method_types": ["card"],
        "metadata": {"order_id": request.order_id},
        "expand": WHOLE,
    }
    if request.buyer_present:
        params["use_stripe_sdk"] = True
    else:
        params["off_session"] = True
    if request.save and request.buyer_present:
        params["setup_future_usage"] = "off_session"
    if customer:
        params["customer"] = customer
    if request.description:
        params["description"] = request.description
    if request.email:
        params["receipt_email"] = request.email
    return params
