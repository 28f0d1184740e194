"""Moving money through Adyen's Checkout API: held by /payments, everything later told by webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from connectors.adyen.api import ANSWER_SECONDS, Api, Config, Make, short
from connectors.adyen.results import UNNAMED, adyen_amount, result_of
from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.types import Money, PaymentForm, PaymentRequest, PaymentResult, RefundResult

CARD_FIELDS = ("holderName", "brand", "checkoutAttemptId", "sdkData")
"""What Adyen's fields send beside the encrypted parts. Anything else a page sends is left out."""
BROWSER_FIELDS = (
    *("acceptHeader", "colorDepth", "javaEnabled", "javaScriptEnabled", "language"),
    *("screenHeight", "screenWidth", "timeZoneOffset", "userAgent"),
)
NOWHERE = "https://simulcast.invalid/"
"""Adyen asks for an address to return to even where nobody is there to return."""
GONE = frozenset({"404", "800", "803"})
"""Adyen's codes for a saved method that is not there: contract, or payment detail, not found."""


class AdyenPayments:
    """A payment is known by the pspReference of its authorisation."""

    def __init__(self, session: Session[Config], answer_seconds: float = ANSWER_SECONDS) -> None:
        self._api = Api(session, answer_seconds)
        self._config = session.config
        self._script_url = session.addresses.script_url

    async def form(self, amount: Money, *, customer: str | None) -> PaymentForm:
        """The client key and the amount; Adyen's card fields need no session."""
        live, script = not self._config.test_mode, self._script_url
        if live and script:
            script = script.replace("//checkoutshopper-test.", "//checkoutshopper-live.")
        public = {
            "client_key": self._config.client_key,
            "environment": "live" if live else "test",
            "country": self._config.country,
            "value": str(adyen_amount(amount)["value"]),
            "currency": amount.currency,
        }
        return PaymentForm(script_url=script, public=public)

    async def authorise(self, request: PaymentRequest, *, key: str) -> PaymentResult:
        """Hold the amount. `source` is what Adyen's fields gave, as JSON, or a stored card's id."""
        shopper = request.customer or (f"order-{request.order_id}" if request.save else None)
        body = {
            "merchantAccount": self._config.merchant_account,
            "amount": adyen_amount(request.amount),
            "reference": request.order_id,
            "returnUrl": request.return_url or NOWHERE,
            "channel": "Web",
            # The account's own setting may be to take money at once; this payment is held whatever it says.
            "additionalData": {"manualCapture": "true"},
            **method_of(request),
        }
        optional = {
            "shopperReference": shopper,
            "shopperEmail": request.email,
            "shopperIP": request.ip,
            "storePaymentMethod": request.save or None,
        }
        body |= {name: value for name, value in optional.items() if value is not None}
        answer = await self._api.write(lambda adyen: adyen.payments.payments(body, short(key)))
        result = result_of(answer, request.order_id, shopper)
        if result.state == "authorised" and result.amount is None:
            result = result.model_copy(update={"amount": request.amount})
        return result

    async def confirm(self, ref: str, answer: Mapping[str, str], *, key: str) -> PaymentResult:
        """Tell Adyen what the bank's page brought; the result's ref is the payment's from then on."""
        body = details_of(answer)
        order_id = ref.removeprefix(UNNAMED) if ref.startswith(UNNAMED) else None
        answered = await self._api.write(lambda adyen: adyen.payments.payments_details(body, short(key)))
        result = result_of(answered, order_id)
        return result.model_copy(update={"ref": ref}) if not result.ref else result

    async def capture(self, ref: str, amount: Money, *, key: str) -> PaymentResult:
        """`capture_pending`: the CAPTURE webhook says whether the money came."""
        body = {**self._account(), "amount": adyen_amount(amount)}
        await self._modify(
            lambda adyen: adyen.modifications.capture_authorised_payment(
                body, quote(ref, safe=""), short(key)
            )
        )
        return PaymentResult(ref=ref, state="capture_pending", amount=amount)

    async def void(self, ref: str, *, key: str) -> PaymentResult:
        """`pending`: the CANCELLATION webhook says whether it was let go of.

        `voided` at once where Adyen has named no reference yet: nothing is held before it was told what the
        bank's page brought. Had that call's answer been lost, what it held is let go of by our order's id.
        """
        if ref.startswith(UNNAMED):
            named = {**self._account(), "paymentReference": ref.removeprefix(UNNAMED)}
            await self._modify(lambda adyen: adyen.modifications.cancel_authorised_payment(named, short(key)))
            return PaymentResult(ref=ref, state="voided")
        body, path = self._account(), quote(ref, safe="")
        await self._modify(
            lambda adyen: adyen.modifications.cancel_authorised_payment_by_psp_reference(
                body, path, short(key)
            )
        )
        return PaymentResult(ref=ref, state="pending", message="Adyen has been told to let go of it.")

    async def refund(self, ref: str, amount: Money, *, key: str) -> RefundResult:
        """`pending`: the REFUND webhook says whether it was given back, also when it was too much."""
        body = {**self._account(), "amount": adyen_amount(amount)}
        answer = await self._modify(
            lambda adyen: adyen.modifications.refund_captured_payment(body, quote(ref, safe=""), short(key))
        )
        return RefundResult(ref=answer["pspReference"], payment_ref=ref, state="pending", amount=amount)

    async def get(self, ref: str) -> PaymentResult:
        """Always `pending`: Adyen has no call that reads a payment, it tells by webhook only.

        A harmless call is made all the same, so that a dead key or an outage shows here as anywhere.
        """
        body = self._account()
        await self._api.read(lambda adyen: adyen.payments.payment_methods(body))
        return PaymentResult(ref=ref, state="pending", message="Adyen tells of payments by webhook only.")

    async def find(self, order_id: str) -> PaymentResult | None:
        """Never answers: "none" would be a guess. The same key repeats safely, and the webhook tells."""
        raise RetryLater("Adyen cannot be asked for an order's payment; its webhook tells.", 60, unknown=True)

    async def forget(self, saved_ref: str, customer: str | None) -> None:
        """Delete a stored card."""
        # The client puts these into the address as they are.
        query = {
            "merchantAccount": quote(self._config.merchant_account, safe=""),
            "shopperReference": quote(customer or "", safe=""),
        }
        path = quote(saved_ref, safe="")
        try:
            await self._api.write(
                lambda adyen: adyen.recurring.delete_token_for_stored_payment_details(
                    path, query_parameters=query
                )
            )
        except Refused as refused:
            if refused.code not in GONE:
                raise

    def _account(self) -> dict[str, Any]:
        return {"merchantAccount": self._config.merchant_account}

    async def _modify(self, make: Make) -> dict[str, Any]:
        answer = await self._api.write(make)
        if answer.get("status") != "received" or not isinstance(answer.get("pspReference"), str):
            # A success that is not Adyen's: what was done, if anything, is not known.
            raise RetryLater("Adyen answered with something unreadable.", 30.0, unknown=True)
        return answer


def method_of(request: PaymentRequest) -> dict[str, Any]:
    """What pays, and who is there. https://docs.adyen.com/online-payments/tokenization/make-token-payments"""
    if not request.source.startswith("{"):
        if not request.customer:
            raise Refused("A saved card is charged for its owner only.", code="no_customer")
        model = "CardOnFile" if request.buyer_present else "UnscheduledCardOnFile"
        return {
            "paymentMethod": {"type": "scheme", "storedPaymentMethodId": request.source},
            "shopperInteraction": "ContAuth",
            "recurringProcessingModel": model,
        }
    given = parsed(request.source)
    found: dict[str, Any] = {"paymentMethod": card_of(given.get("paymentMethod"))}
    found["shopperInteraction"] = "Ecommerce"
    if request.save:
        found["recurringProcessingModel"] = "CardOnFile"
    browser = given.get("browserInfo")
    if isinstance(browser, dict):
        found["browserInfo"] = {name: browser[name] for name in BROWSER_FIELDS if name in browser}
        # Without it Adyen sends the buyer away for 3-D Secure instead of asking in place.
        found["authenticationData"] = {"threeDSRequestData": {"nativeThreeDS": "preferred"}}
    if isinstance(given.get("origin"), str):
        found["origin"] = given["origin"]
    return found


def card_of(method: Any) -> dict[str, Any]:
    """An encrypted card. Only what Adyen's fields make is passed on: a bare number never is."""
    if not isinstance(method, dict) or not isinstance(method.get("encryptedCardNumber"), str):
        raise Refused("The card details did not arrive. Enter the card again.", code="no_card")
    kept = {name: method[name] for name in method if name.startswith("encrypted") or name in CARD_FIELDS}
    return {"type": "scheme", **kept}


def details_of(answer: Mapping[str, str]) -> dict[str, Any]:
    """What /payments/details is told: from the address the buyer came back to, or from Adyen's script."""
    if answer.get("redirectResult"):
        return {"details": {"redirectResult": answer["redirectResult"]}}
    details = parsed(answer.get("details", ""))
    if not details or not all(isinstance(value, str) for value in details.values()):
        raise Refused("The bank's answer did not arrive. Pay again.", code="no_details")
    more = {"paymentData": answer["paymentData"]} if answer.get("paymentData") else {}
    return {"details": details, **more}


def parsed(text: str) -> dict[str, Any]:
    """An object, or an empty one: what a page sends may be anything."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
