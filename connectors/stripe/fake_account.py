"""The fake's books: PaymentIntents with Stripe's states, its test cards and its refusals."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable
from typing import Any

Form = dict[str, Any]
Tell = Callable[[dict[str, Any]], None]

DECLINES = {
    # The ending of pm_card_…: (code, decline_code). https://docs.stripe.com/testing#declined-payments
    "chargeDeclined": ("card_declined", "generic_decline"),
    "chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
    "chargeDeclinedFraudulent": ("card_declined", "fraudulent"),
    "chargeDeclinedVelocityLimitExceeded": ("card_declined", "card_velocity_exceeded"),
    "chargeDeclinedExpiredCard": ("expired_card", None),
    "chargeDeclinedIncorrectCvc": ("incorrect_cvc", None),
    "chargeDeclinedProcessingError": ("processing_error", None),
    "chargeCustomerFail": ("card_declined", "generic_decline"),
}
GOOD = frozenset({"visa", "visa_debit", "mastercard", "mastercard_debit", "amex", "discover", "jcb", "us"})
ASKING = frozenset({"authenticationRequired", "authenticationRequiredOnSetup", "threeDSecure2Required"})
SENTENCES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}
NO_DECIMALS = frozenset({"jpy", "krw", "clp", "vnd", "xaf", "xof", "xpf", "mga", "pyg", "bif", "djf"})
OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"})
HOLD_SECONDS = 7 * 86400
CREATE = frozenset(
    {"amount", "currency", "capture_method", "confirm", "payment_method", "payment_method_types", "metadata"}
    | {"description", "receipt_email", "off_session", "return_url", "customer", "expand"}
)


class Problem(Exception):
    """An error answer. `before_execution`: refused by validation, so no idempotency key remembers it."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"type": kind, "message": message}
        self.before_execution = status < 500 and status != 402

    def but(self, **more: Any) -> Problem:
        """The same with more fields: code, param, payment_intent…"""
        self.error.update({name: value for name, value in more.items() if value is not None})
        return self


class Account:
    """Intents and refunds. Every change tells what a subscriber would hear, once it is done."""

    def __init__(self, rng: random.Random, tell: Tell) -> None:
        self._random = rng
        self._tell = tell
        self._intents: dict[str, dict[str, Any]] = {}
        self._charges: dict[str, dict[str, Any]] = {}
        self._captures: dict[str, int] = {}

    def create(self, form: Form) -> dict[str, Any]:
        """POST /v1/payment_intents, with or without confirm."""
        for name in form:
            if name not in CREATE:
                raise Problem(f"Received unknown parameter: {name}").but(code="parameter_unknown", param=name)
        amount, currency = number(form, "amount"), str(form.get("currency", ""))
        if currency != currency.lower() or len(currency) != 3:
            raise Problem(f"Invalid currency: {currency}").but(param="currency")
        if amount < (1 if currency in NO_DECIMALS else 50):
            raise Problem("Amount must be at least 0.50.").but(code="amount_too_small", param="amount")
        ref = f"pi_{self._id()}"
        intent = {
            "id": ref,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": form.get("capture_method", "automatic_async"),
            "client_secret": f"{ref}_secret_{self._id()}",
            "created": int(time.time()),
            "currency": currency,
            "description": form.get("description"),
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": form.get("metadata", {}),
            "next_action": None,
            "payment_method": form.get("payment_method"),
            "payment_method_types": list(form.get("payment_method_types", {"0": "card"}).values()),
            "receipt_email": form.get("receipt_email"),
            "status": "requires_confirmation" if form.get("payment_method") else "requires_payment_method",
        }
        card = self._card(intent["payment_method"]) if form.get("confirm") == "true" else None
        self._intents[ref] = intent
        self._captures[ref] = 0
        self._say("payment_intent.created", intent)
        if card is not None:
            self._confirm(intent, card, off_session=form.get("off_session") == "true")
        return intent

    def get(self, ref: str, form: Form) -> dict[str, Any]:
        """GET /v1/payment_intents/{ref}; the charge whole when `expand` asks for it."""
        intent = self._find(ref)
        if "latest_charge" in dict(form.get("expand", {})).values() and intent["latest_charge"]:
            return {**intent, "latest_charge": self._charges[intent["latest_charge"]]}
        return intent

    def capture(self, ref: str, form: Form) -> dict[str, Any]:
        """POST …/capture: once, all or a part."""
        intent = self._in(ref, {"requires_capture"}, "captured")
        amount = number(form, "amount_to_capture") if "amount_to_capture" in form else intent["amount"]
        if amount > intent["amount_capturable"]:
            why = "The amount to capture is greater than what can be captured."
            raise Problem(why).but(code="amount_too_large", param="amount_to_capture")
        self._captures[ref] += 1
        self._take(intent, amount)
        return intent

    def cancel(self, ref: str, form: Form) -> dict[str, Any]:
        """POST …/cancel: lets go of what is held."""
        intent = self._in(ref, OPEN, "canceled")
        intent.update(status="canceled", amount_capturable=0, canceled_at=int(time.time()), next_action=None)
        intent["cancellation_reason"] = form.get("cancellation_reason")
        if intent["latest_charge"]:
            charge = self._charges[intent["latest_charge"]]
            charge.update(refunded=True, amount_refunded=charge["amount"])
            self._say("charge.refunded", charge)
        self._say("payment_intent.canceled", intent)
        return intent

    def refund(self, form: Form) -> dict[str, Any]:
        """POST /v1/refunds: never more than was taken."""
        intent = self._find(str(form.get("payment_intent")), status=400)
        charge = self._charges.get(intent["latest_charge"] or "")
        if charge is None or not charge["captured"]:
            raise Problem("This PaymentIntent does not have a successful charge to refund.")
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = number(form, "amount") if "amount" in form else left
        if left <= 0:
            raise Problem("Charge has already been refunded.").but(code="charge_already_refunded")
        if amount > left:
            raise Problem(f"Refund amount ({amount}) is greater than unrefunded amount ({left}).").but(
                param="amount"
            )
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        refund = {"id": f"re_{self._id()}", "object": "refund", "amount": amount, "status": "succeeded"}
        refund |= {"charge": charge["id"], "payment_intent": intent["id"], "currency": intent["currency"]}
        self._say("refund.created", refund)
        self._say("charge.refunded", charge)
        return refund

    def authenticate(self, ref: str, success: bool) -> dict[str, Any]:
        """The buyer answered the bank's question."""
        intent = self._in(ref, {"requires_action"}, "authenticated")
        intent["next_action"] = None
        if success:
            self._charge(intent)
        else:
            error = {"type": "card_error", "code": "payment_intent_authentication_failure"}
            error["message"] = "The buyer did not authenticate."
            intent.update(status="requires_payment_method", last_payment_error=error)
            self._say("payment_intent.payment_failed", intent)
        return intent

    def state(self) -> list[dict[str, Any]]:
        """Every intent, briefly. `captures` counts captures, `captured` and `refunded` are amounts."""
        found = []
        for ref, intent in self._intents.items():
            charge = self._charges.get(intent["latest_charge"] or "", {})
            row = {name: intent[name] for name in ("id", "amount", "currency", "metadata", "description")}
            row |= {"state": intent["status"], "captures": self._captures[ref]}
            row |= {"captured": intent["amount_received"]}
            row["refunded"] = charge.get("amount_refunded", 0) if intent["amount_received"] else 0
            found.append(row)
        return found

    def _confirm(self, intent: dict[str, Any], card: str, *, off_session: bool) -> None:
        if card in DECLINES:
            self._decline(intent, *DECLINES[card])
        if card in ASKING:
            if off_session:
                self._decline(intent, "authentication_required", "authentication_required")
            intent.update(status="requires_action", next_action={"type": "use_stripe_sdk"})
            self._say("payment_intent.requires_action", intent)
        else:
            self._charge(intent)

    def _charge(self, intent: dict[str, Any]) -> None:
        charge = {
            "id": f"ch_{self._id()}",
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "captured": False,
            "currency": intent["currency"],
            "paid": True,
            "payment_intent": intent["id"],
            "payment_method_details": {
                "type": "card",
                "card": {"brand": "visa", "last4": "4242", "capture_before": int(time.time()) + HOLD_SECONDS},
            },
            "refunded": False,
            "status": "succeeded",
        }
        self._charges[str(charge["id"])] = charge
        intent.update(latest_charge=charge["id"], amount_capturable=intent["amount"])
        intent["status"] = "requires_capture"
        if intent["capture_method"] == "manual":
            self._say("payment_intent.amount_capturable_updated", intent)
        else:
            self._take(intent, intent["amount"])

    def _take(self, intent: dict[str, Any], amount: int) -> None:
        intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
        self._charges[intent["latest_charge"]].update(captured=True, amount_captured=amount)
        self._say("payment_intent.succeeded", intent)

    def _decline(self, intent: dict[str, Any], code: str, decline_code: str | None) -> None:
        sentence = SENTENCES.get(decline_code or code, "Your card was declined.")
        error = {"type": "card_error", "code": code, "message": sentence, "charge": f"ch_{self._id()}"}
        if decline_code:
            error["decline_code"] = decline_code
        intent.update(status="requires_payment_method", last_payment_error=dict(error), payment_method=None)
        self._say("payment_intent.payment_failed", intent)
        problem = Problem(sentence, status=402, kind="card_error")
        raise problem.but(**error, payment_intent=copy.deepcopy(intent))

    def _card(self, method: str | None) -> str:
        """The ending of a test PaymentMethod's id, without the brand some have twice."""
        ending = (method or "").removeprefix("pm_card_")
        ending = ending if ending in GOOD else ending.removeprefix("visa_")
        if ending not in GOOD | ASKING | DECLINES.keys() or not (method or "").startswith("pm_card_"):
            raise Problem(f"No such PaymentMethod: '{method}'").but(
                code="resource_missing", param="payment_method"
            )
        return ending

    def _find(self, ref: str, status: int = 404) -> dict[str, Any]:
        if ref not in self._intents:
            raise Problem(f"No such payment_intent: '{ref}'", status=status).but(
                code="resource_missing", param="intent"
            )
        return self._intents[ref]

    def _in(self, ref: str, states: set[str] | frozenset[str], done: str) -> dict[str, Any]:
        intent = self._find(ref)
        if intent["status"] not in states:
            why = f"This PaymentIntent could not be {done} because it has a status of {intent['status']}."
            raise Problem(why).but(code="payment_intent_unexpected_state", payment_intent=intent)
        return intent

    def _say(self, kind: str, thing: dict[str, Any]) -> None:
        # Copied: an event shows its object as it was.
        event = {"id": f"evt_{self._id()}", "object": "event", "type": kind, "created": int(time.time())}
        event |= {"api_version": "2026-10-28.endive", "livemode": False, "pending_webhooks": 1}
        self._tell({**event, "request": {"id": None}, "data": {"object": copy.deepcopy(thing)}})

    def _id(self) -> str:
        return f"{self._random.getrandbits(96):024x}"


def number(form: Form, name: str) -> int:
    """A whole number from the form."""
    given = str(form.get(name, ""))
    if not given.isascii() or not given.isdecimal():
        raise Problem(f"Invalid integer: {given}").but(code="parameter_invalid_integer", param=name)
    return int(given)
