"""Moving money through Square payments that are completed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from connectors.base import Session
from connectors.errors import ConnectorError, Refused, RetryLater
from connectors.oauth import utc_now
from connectors.square.api import ANSWER_SECONDS, NO_RETRY, Api, Config, Declined, plain, short
from connectors.square.results import (
    declined,
    refund_of,
    result_of,
    saved_of,
    square_amount,
)
from connectors.types import Money, PaymentForm, PaymentRequest, PaymentResult, RefundResult, SavedMethod

HOLD = timedelta(days=7)
LOOK_BACK = timedelta(days=8)
"""An undecided payment is no older than its hold."""
PAGES = 100
ON_FILE = "ccof:"
BY_KEY = "key:"
"""Before a reference: the payment whose creation's answer was lost, named by the key it was sent with."""
OVER = ("captured", "voided", "refunded", "declined")
SANDBOX_SCRIPT = ("//web.", "//sandbox.web.")


class SquarePayments:
    """A payment is known by Square's id of it; `reference_id` is our order."""

    def __init__(
        self,
        session: Session[Config],
        answer_seconds: float = ANSWER_SECONDS,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._api = Api(session, answer_seconds)
        self._config = session.config
        self._script_url = session.addresses.script_url
        self._now = now

    async def form(self, amount: Money, *, customer: str | None) -> PaymentForm:
        """What Square's card field is made from; the buyer's bank is asked while it makes the token."""
        script = self._script_url
        if script and self._config.test_mode:
            script = script.replace(*SANDBOX_SCRIPT)
        public = {
            "application_id": self._config.application_id,
            "location_id": self._config.location_id,
            "amount": amount.decimal(),
            "currency": amount.currency,
        }
        return PaymentForm(script_url=script, public=public)

    async def authorise(self, request: PaymentRequest, *, key: str) -> PaymentResult:
        """Hold the amount for seven days. `source` is a card token (cnon:…) or a card on file (ccof:…)."""
        token, verification = token_of(request.source)
        customer = request.customer
        if token.startswith(ON_FILE) and not customer:
            raise Refused("A saved card is charged for its owner only.", code="no_customer")
        if request.save and not customer:
            customer = await self._customer(request, key)
        params: dict[str, Any] = {
            "source_id": token,
            "idempotency_key": short(key),
            "amount_money": square_amount(request.amount),
            "autocomplete": False,
            "delay_action": "CANCEL",
            "location_id": self._config.location_id,
            "reference_id": request.order_id,
            "customer_id": customer,
            "verification_token": verification,
            "buyer_email_address": request.email,
            "note": request.description[:500] or None,
        }
        if token.startswith(ON_FILE):
            initiated = {"customer_initiated": request.buyer_present, "seller_keyed_in": False}
            params["customer_details"] = initiated
        given = {name: value for name, value in params.items() if value is not None}
        try:
            payment = await self._api.call(
                lambda square: square.payments.create(**given, request_options=NO_RETRY), "payment"
            )
        except Declined as refusal:
            result = declined(refusal.errors, refusal.payment)
            return result.model_copy(update={"order_id": request.order_id})
        result = result_of(payment)
        if request.save and customer and result.state == "authorised":
            result = result.model_copy(update={"saved": await self._keep(result.ref, customer, key)})
        return result

    async def confirm(self, ref: str, answer: Mapping[str, str], *, key: str) -> PaymentResult:
        """Square asks the buyer before there is a payment, so this answers what the payment is."""
        return await self.get(ref)

    async def capture(self, ref: str, amount: Money, *, key: str) -> PaymentResult:
        """Take what is held; less than that is set first. Where it is too late, what there is instead."""
        held = await self.get(ref)
        if held.state in OVER:
            return held
        path = quote(ref, safe="")
        try:
            if held.amount and amount != held.amount:
                change: Any = {"amount_money": square_amount(amount)}
                options: Any = {"idempotency_key": short(f"{key}:amount"), "request_options": NO_RETRY}
                await self._api.call(
                    lambda square: square.payments.update(path, payment=change, **options), "payment"
                )
            return result_of(
                await self._api.call(
                    lambda square: square.payments.complete(path, request_options=NO_RETRY), "payment"
                )
            )
        except Declined as refusal:
            return declined(refusal.errors, {"id": ref, "reference_id": held.order_id})
        except Refused as refused:
            return await self._unless_over(ref, refused)

    async def void(self, ref: str, *, key: str) -> PaymentResult:
        """Cancel. `key:…` lets go of a payment whose creation's answer was lost, by that creation's key."""
        if ref.startswith(BY_KEY):
            return await self._void_by_key(ref)
        try:
            return result_of(
                await self._api.call(
                    lambda square: square.payments.cancel(quote(ref, safe=""), request_options=NO_RETRY),
                    "payment",
                )
            )
        except Refused as refused:
            return await self._unless_over(ref, refused)

    async def refund(self, ref: str, amount: Money, *, key: str) -> RefundResult:
        """Give back all or a part; `pending` until the bank has taken it."""
        money: Any = square_amount(amount)
        return refund_of(
            await self._api.call(
                lambda square: square.refunds.refund_payment(
                    idempotency_key=short(key), amount_money=money, payment_id=ref, request_options=NO_RETRY
                ),
                "refund",
            )
        )

    async def get(self, ref: str) -> PaymentResult:
        """Square's own word, refunds included."""
        return result_of(
            await self._api.call(
                lambda square: square.payments.get(quote(ref, safe=""), request_options=NO_RETRY), "payment"
            )
        )

    async def find(self, order_id: str) -> PaymentResult | None:
        """The order's payment among the latest; Square cannot look for one, and lists new ones late."""
        wanted: dict[str, Any] = {
            "begin_time": (self._now() - LOOK_BACK).isoformat(),
            "location_id": self._config.location_id,
            "sort_order": "DESC",
            "limit": 100,
        }
        best: PaymentResult | None = None
        for _ in range(PAGES):
            page = await self._api.ask(
                lambda square: square.payments.list(**wanted, request_options=NO_RETRY)
            )
            for payment in page.items or ():
                if payment.reference_id == order_id:
                    found = result_of(plain(payment))
                    if found.state not in ("declined", "voided"):
                        return found
                    best = best or found
            # Not the client's own walk, which ends at the first page that happens to be empty.
            if not (cursor := getattr(page.response, "cursor", None)):
                return best
            wanted["cursor"] = cursor
        raise RetryLater("There are more payments than can be looked through.", 3600, unknown=True)

    async def forget(self, saved_ref: str, customer: str | None) -> None:
        """Disable a card on file."""
        try:
            await self._api.call(
                lambda square: square.cards.disable(quote(saved_ref, safe=""), request_options=NO_RETRY),
                "card",
            )
        except Refused as refused:
            if refused.code != "NOT_FOUND":
                raise

    async def _void_by_key(self, ref: str) -> PaymentResult:
        key = short(ref.removeprefix(BY_KEY))
        await self._api.ask(
            lambda square: square.payments.cancel_by_idempotency_key(
                idempotency_key=key, request_options=NO_RETRY
            )
        )
        return PaymentResult(ref=ref, state="voided")

    async def _unless_over(self, ref: str, refused: Refused) -> PaymentResult:
        """What a payment is that Square would not change; the refusal where that does not explain it."""
        now = await self.get(ref)
        if now.state not in OVER:
            raise refused
        return now

    async def _customer(self, request: PaymentRequest, key: str) -> str | None:
        """A customer to keep the card for. Nobody is one without a name or an address, so Guest is."""
        params: dict[str, Any] = {"idempotency_key": short(f"{key}:customer")}
        params |= {"email_address": request.email} if request.email else {"given_name": "Guest"}
        made = await self._api.call(
            lambda square: square.customers.create(**params, request_options=NO_RETRY), "customer"
        )
        return str(made["id"]) if made.get("id") else None

    async def _keep(self, ref: str, customer: str, key: str) -> SavedMethod | None:
        """The card of a payment, kept. The money is held: that nothing was kept is no reason to fail."""
        card: Any = {"customer_id": customer}
        options: Any = {"idempotency_key": short(f"{key}:card"), "request_options": NO_RETRY}
        try:
            kept = await self._api.call(
                lambda square: square.cards.create(source_id=ref, card=card, **options), "card"
            )
        except ConnectorError:
            return None
        return saved_of(kept)


def token_of(source: str) -> tuple[str, str | None]:
    """The token, and the verification token that a page on the older flow sends beside it, as JSON."""
    if not source.startswith("{"):
        return source, None
    try:
        given = json.loads(source)
        return str(given["token"]), str(given["verification"]) if given.get("verification") else None
    except (ValueError, KeyError, TypeError):
        raise Refused("The card details did not arrive. Enter the card again.", code="no_card") from None
