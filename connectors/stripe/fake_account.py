"""The fake's books: PaymentIntents with Stripe's states, their charges, and its refusals."""

from __future__ import annotations

import copy
import random
import re
import time
from typing import Any

from connectors.stripe.fake_cards import SENTENCES
from connectors.stripe.fake_money import Till
from connectors.stripe.fake_vault import Form, Problem, Tell, Wallet, number

NO_DECIMALS = frozenset({"jpy", "krw", "clp", "vnd", "xaf", "xof", "xpf", "mga", "pyg", "bif", "djf"})
OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"})
HOLD_SECONDS = 7 * 86400
CREATE = frozenset(
    {"amount", "currency", "capture_method", "confirm", "payment_method", "payment_method_types", "metadata"}
    | {"description", "receipt_email", "off_session", "return_url", "customer", "expand"}
    | {"setup_future_usage", "use_stripe_sdk"}
)
CONFIRM = frozenset({"payment_method", "use_stripe_sdk", "return_url", "off_session", "expand"})
MOST = 99_999_999


class Account:
    """Intents. Every change tells what a subscriber would hear, once it is done."""

    def __init__(self, rng: random.Random, tell: Tell) -> None:
        self.wallet = Wallet(rng, tell)
        self.money = Till(self.wallet.id, tell)
        self._tell = tell
        self._intents: dict[str, dict[str, Any]] = {}
        self._captures: dict[str, int] = {}

    def create(self, form: Form) -> dict[str, Any]:
        """POST /v1/payment_intents, with or without confirm."""
        known(form, CREATE)
        amount, currency = number(form, "amount"), str(form.get("currency", ""))
        if currency != currency.lower() or len(currency) != 3:
            raise Problem(f"Invalid currency: {currency}").but(param="currency")
        if amount < (1 if currency in NO_DECIMALS else 50):
            raise Problem("Amount must be at least 0.50.").but(code="amount_too_small", param="amount")
        if amount > MOST:
            raise Problem("Amount must be no more than 999,999.99.").but(
                code="amount_too_large", param="amount"
            )
        customer = self.wallet.customer(form.get("customer"))
        method = self._method(form, customer) if form.get("payment_method") else None
        intent = self._blank(amount, currency, form)
        self._intents[intent["id"]] = intent
        self._captures[intent["id"]] = 0
        self._say("payment_intent.created", intent)
        if method is not None:
            intent.update(payment_method=method["id"], status="requires_confirmation")
            if form.get("confirm") == "true":
                self._try(intent, off_session=form.get("off_session") == "true")
        return self._shown(intent, form)

    def confirm(self, ref: str, form: Form) -> dict[str, Any]:
        """POST …/confirm: try (again), with the buyer there or not."""
        known(form, CONFIRM)
        intent = self._in(ref, {"requires_payment_method", "requires_confirmation"}, "confirmed")
        if form.get("payment_method"):
            intent["payment_method"] = self._method(form, intent["customer"])["id"]
        if not intent["payment_method"]:
            raise Problem("You cannot confirm this PaymentIntent because it's missing a payment method.").but(
                code="payment_intent_unexpected_state"
            )
        intent.update(status="requires_confirmation", last_payment_error=None)
        self._try(intent, off_session=form.get("off_session") == "true")
        return self._shown(intent, form)

    def get(self, ref: str, form: Form) -> dict[str, Any]:
        """GET /v1/payment_intents/{ref}; the charge whole when `expand` asks for it."""
        return self._shown(self._find(ref), form)

    def search(self, form: Form) -> dict[str, Any]:
        """GET /v1/payment_intents/search, for the one kind of query we ask."""
        found = re.fullmatch(r"metadata\['(\w+)'\]:'([^']*)'", str(form.get("query", "")))
        if not found:
            raise Problem("We were unable to parse your search query.").but(param="query")
        rows = [one for one in self._intents.values() if one["metadata"].get(found[1]) == found[2]]
        data = [self._shown(one, {}) for one in reversed(rows)]
        return {
            "object": "search_result",
            "url": "/v1/payment_intents/search",
            "has_more": False,
            "data": data,
        }

    def capture(self, ref: str, form: Form) -> dict[str, Any]:
        """POST …/capture: once, all or a part."""
        intent = self._in(ref, {"requires_capture"}, "captured")
        amount = number(form, "amount_to_capture") if "amount_to_capture" in form else intent["amount"]
        if amount > intent["amount_capturable"] or amount < 1:
            why = "The amount to capture is greater than what can be captured."
            raise Problem(why).but(code="amount_too_large", param="amount_to_capture")
        self._captures[ref] += 1
        self._take(intent, amount)
        return self._shown(intent, form)

    def cancel(self, ref: str, form: Form) -> dict[str, Any]:
        """POST …/cancel: lets go of what is held."""
        intent = self._in(ref, OPEN, "canceled")
        self._let_go(intent, form.get("cancellation_reason"))
        return self._shown(intent, form)

    def refund(self, form: Form) -> dict[str, Any]:
        """POST /v1/refunds: never more than was taken."""
        intent = self._find(str(form.get("payment_intent")), status=400)
        return self.money.refund(intent, form)

    def act(self, ref: str, ok: bool) -> dict[str, Any]:
        """The buyer answered the bank's question."""
        intent = self._in(ref, {"requires_action"}, "authenticated")
        intent["next_action"] = None
        method = self.wallet.find(intent["payment_method"])
        card = self.wallet.card_of(method)
        if not ok:
            error = {"type": "card_error", "code": "payment_intent_authentication_failure"}
            error["message"] = "The buyer did not authenticate."
            intent.update(status="requires_payment_method", last_payment_error=error, payment_method=None)
            self._say("payment_intent.payment_failed", intent)
        elif card.code:
            self._refuse(intent, card.code, card.decline_code)
        else:
            self._charge(intent, asked=True)
        return intent

    def expire(self, ref: str) -> None:
        """The week is over and nobody captured."""
        intent = self._in(ref, {"requires_capture"}, "expired")
        self._say("charge.expired", self.money.charge(intent))
        self._let_go(intent, "expired")

    def by_secret(self, secret: str) -> dict[str, Any]:
        """The intent a browser knows by its client secret."""
        for intent in self._intents.values():
            if intent["client_secret"] == secret:
                return intent
        raise Problem("The client_secret provided does not match any associated PaymentIntent.")

    def state(self) -> list[dict[str, Any]]:
        """Every intent, briefly. `captures` counts captures, `captured` and `refunded` are amounts."""
        found = []
        for ref, intent in self._intents.items():
            row = {name: intent[name] for name in ("id", "amount", "currency", "metadata", "description")}
            row |= {"state": intent["status"], "captures": self._captures[ref], "ref": ref}
            row |= {"captured": intent["amount_received"], "order_id": intent["metadata"].get("order_id")}
            found.append(row | {"refunded": self.money.refunded(intent)})
        return found

    def intent(self, ref: str) -> dict[str, Any]:
        """One, as it is."""
        return self._find(ref)

    def _blank(self, amount: int, currency: str, form: Form) -> dict[str, Any]:
        ref = f"pi_{self.wallet.id()}"
        return {
            "id": ref,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": form.get("capture_method", "automatic_async"),
            "client_secret": f"{ref}_secret_{self.wallet.id()}",
            "created": int(time.time()),
            "currency": currency,
            "customer": form.get("customer"),
            "description": form.get("description"),
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": form.get("metadata", {}),
            "next_action": None,
            "payment_method": None,
            "payment_method_types": list(form.get("payment_method_types", {"0": "card"}).values()),
            "receipt_email": form.get("receipt_email"),
            "setup_future_usage": form.get("setup_future_usage"),
            "status": "requires_payment_method",
        }

    def _method(self, form: Form, customer: str | None) -> dict[str, Any]:
        return self.wallet.charge_with(str(form["payment_method"]), customer)

    def _try(self, intent: dict[str, Any], *, off_session: bool) -> None:
        method = self.wallet.find(intent["payment_method"])
        card = self.wallet.card_of(method)
        if self.wallet.asks(method):
            if off_session:
                raise self._refuse(intent, "authentication_required", "authentication_required")
            intent.update(status="requires_action", next_action={"type": "use_stripe_sdk"})
            self._say("payment_intent.requires_action", intent)
        elif card.code:
            raise self._refuse(intent, card.code, card.decline_code)
        else:
            self._charge(intent, asked=False)

    def _charge(self, intent: dict[str, Any], *, asked: bool) -> None:
        method = self.wallet.find(intent["payment_method"])
        save = intent["setup_future_usage"] == "off_session"
        self.wallet.used(method, intent["customer"], save, asked)
        self.money.hold(intent, method, self.wallet.card_of(method), HOLD_SECONDS)
        if intent["capture_method"] == "manual":
            self._say("payment_intent.amount_capturable_updated", intent)
        else:
            self._take(intent, intent["amount"])

    def _take(self, intent: dict[str, Any], amount: int) -> None:
        intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
        self.money.take(intent, amount)
        self._say("payment_intent.succeeded", intent)

    def _let_go(self, intent: dict[str, Any], reason: str | None) -> None:
        intent.update(status="canceled", amount_capturable=0, canceled_at=int(time.time()), next_action=None)
        intent["cancellation_reason"] = reason
        self.money.let_go(intent)
        self._say("payment_intent.canceled", intent)

    def _refuse(self, intent: dict[str, Any], code: str, decline_code: str | None) -> Problem:
        sentence = SENTENCES.get(decline_code or code, "Your card was declined.")
        error: dict[str, Any] = {"type": "card_error", "code": code, "message": sentence}
        error["charge"] = f"ch_{self.wallet.id()}"
        if decline_code:
            error["decline_code"] = decline_code
        kept = {"id": intent["payment_method"], "object": "payment_method", "type": "card"}
        intent.update(status="requires_payment_method", payment_method=None)
        intent["last_payment_error"] = {**error, "payment_method": kept}
        self._say("payment_intent.payment_failed", intent)
        problem = Problem(sentence, status=402, kind="card_error")
        return problem.but(**error, payment_intent=copy.deepcopy(intent))

    def _shown(self, intent: dict[str, Any], form: Form) -> dict[str, Any]:
        if "latest_charge" in dict(form.get("expand", {})).values() and intent["latest_charge"]:
            return {**intent, "latest_charge": self.money.charge(intent)}
        return dict(intent)

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
            raise Problem(why).but(code="payment_intent_unexpected_state", payment_intent=dict(intent))
        return intent

    def _say(self, kind: str, thing: dict[str, Any]) -> None:
        self._tell(kind, thing)


def known(form: Form, names: frozenset[str]) -> None:
    """Stripe takes no parameter it does not know."""
    for name in form:
        if name not in names:
            raise Problem(f"Received unknown parameter: {name}").but(code="parameter_unknown", param=name)
