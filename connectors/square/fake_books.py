"""The fake's books: payments with Square's states, its test tokens and refusals, cards on file."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Tell = Callable[[str, dict[str, Any]], None]
Thing = dict[str, Any]

# https://developer.squareup.com/docs/devtools/sandbox/payments
CARDS = {
    "4111111111111111": "VISA",
    "5105105105105100": "MASTERCARD",
    "6011000000000004": "DISCOVER",
    "340000000000009": "AMERICAN_EXPRESS",
    "4000000000000002": "VISA",
    "4310000000201019": "VISA",
}
DECLINED, ASKING = "4000000000000002", "4310000000201019"
"""A card that is declined, and one whose bank wants to ask its owner."""
CVV_REJECTED, POSTAL_REJECTED, EXPIRY_REJECTED = "911", "99999", ("01", "2040")
TOKENS = {
    "cnon:card-nonce-ok": None,
    "cnon:card-nonce-declined": "GENERIC_DECLINE",
    "cnon:card-nonce-rejected-cvv": "CVV_FAILURE",
    "cnon:card-nonce-rejected-postalcode": "ADDRESS_VERIFICATION_FAILURE",
    "cnon:card-nonce-rejected-expiration": "INVALID_EXPIRATION",
    "cnon:card-nonce-already-used": "CARD_TOKEN_USED",
    "ccof:customer-card-id-ok": None,
    "ccof:customer-card-id-declined": "CARD_DECLINED",
    "ccof:customer-card-id-requires-verification": "CARD_DECLINED_VERIFICATION_REQUIRED",
}
HOLD = timedelta(days=7)
PAGE = 3
LARGEST = 5_000_000
FIELDS = frozenset(
    {"source_id", "idempotency_key", "amount_money", "autocomplete", "delay_action", "delay_duration"}
    | {"location_id", "reference_id", "customer_id", "verification_token", "buyer_email_address", "note"}
    | {"customer_details"}
)


class Problem(Exception):
    """An error answer: {"errors": [{category, code, detail}]}, and the failed payment if there is one."""

    def __init__(
        self, status: int, code: str, detail: str, category: str = "INVALID_REQUEST_ERROR", **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"errors": [{"category": category, "code": code, "detail": detail}], **more}


class Books:
    """Payments, refunds, customers and cards. Every change tells what a subscriber would hear."""

    def __init__(self, rng: random.Random, tell: Tell, location: str) -> None:
        self._random = rng
        self._tell = tell
        self.location = location
        self.payments: dict[str, Thing] = {}
        self.refunds: dict[str, Thing] = {}
        self.captures: dict[str, int] = {}
        self.customers: dict[str, Thing] = {}
        self.cards: dict[str, Thing] = {}
        self.tokens: dict[str, Thing] = {}

    def token(self, number: str = "4111111111111111", code: str | None = None, verified: bool = False) -> str:
        """A card token as Square's field makes them, good for one payment."""
        token = f"cnon:CB{self.id()}"
        self.tokens[token] = {"number": number, "code": code, "verified": verified}
        return token

    def create(self, body: Thing) -> Thing:
        """POST /v2/payments: held, for this fake knows only payments that are completed by hand."""
        for name in body:
            if name not in FIELDS:
                raise Problem(400, "UNKNOWN_BODY_PARAMETER", f"Unknown parameter {name}.")
        if body.get("location_id") != self.location:
            raise Problem(400, "INVALID_LOCATION", "The location is not this account's.")
        if body.get("autocomplete") is not False:
            raise Problem(400, "INVALID_VALUE", "This fake knows no payment that completes by itself.")
        amount = amount_of(body.get("amount_money"))
        card = self._card(str(body.get("source_id", "")), body)
        now = datetime.now(UTC)
        payment: Thing = {"id": self.id(), "created_at": now.isoformat(), "status": "APPROVED"}
        payment |= {"amount_money": amount, "total_money": amount, "approved_money": amount, "version": 1}
        payment |= {"location_id": self.location, "source_type": "CARD", "delay_action": "CANCEL"}
        payment |= {"delayed_until": (now + HOLD).isoformat(), "delay_duration": "PT168H"}
        payment |= {name: body[name] for name in ("reference_id", "customer_id", "note") if name in body}
        kept = {name: card[name] for name in ("card_brand", "last_4", "exp_month", "exp_year")}
        payment["card_details"] = {"status": "AUTHORIZED", "card": kept}
        payment["capabilities"] = ["EDIT_AMOUNT_UP", "EDIT_AMOUNT_DOWN"]
        self.payments[payment["id"]] = payment
        self.captures[payment["id"]] = 0
        if card["code"]:
            self._fail(payment, card["code"])
        self.say("payment.created", payment)
        return {"payment": payment}

    def get(self, ref: str) -> Thing:
        """GET /v2/payments/{id}."""
        return {"payment": self._find(ref)}

    def update(self, ref: str, body: Thing) -> Thing:
        """PUT /v2/payments/{id}: another amount, while it is held."""
        payment = self._approved(ref)
        amount = amount_of(body["payment"].get("amount_money"))
        if amount["amount"] > payment["approved_money"]["amount"]:
            raise Problem(400, "AMOUNT_TOO_HIGH", "The new amount is more than what was approved.")
        self._change(payment, amount_money=amount, total_money=amount, approved_money=amount)
        return {"payment": payment}

    def complete(self, ref: str) -> Thing:
        """POST /v2/payments/{id}/complete."""
        payment = self._approved(ref)
        self.captures[ref] += 1
        self._change(payment, status="COMPLETED")
        payment["card_details"]["status"] = "CAPTURED"
        return {"payment": payment}

    def cancel(self, ref: str) -> Thing:
        """POST /v2/payments/{id}/cancel."""
        payment = self._approved(ref)
        payment["card_details"]["status"] = "VOIDED"
        self._change(payment, status="CANCELED")
        return {"payment": payment}

    def refund(self, body: Thing) -> Thing:
        """POST /v2/refunds: pending until the bank has taken it."""
        payment = self._find(str(body.get("payment_id")))
        amount = amount_of(body.get("amount_money"))
        if payment["status"] != "COMPLETED":
            why = "The payment has to be completed before it can be refunded."
            raise Problem(400, "REFUND_ERROR_PAYMENT_NEEDS_COMPLETION", why, "REFUND_ERROR")
        before = payment.get("refunded_money", {}).get("amount", 0)
        if before + amount["amount"] > payment["total_money"]["amount"]:
            why = "The requested refund is more than is left of the payment."
            raise Problem(400, "REFUND_AMOUNT_INVALID", why, "REFUND_ERROR")
        refund = {"id": f"{payment['id']}_{self.id()}", "status": "PENDING", "payment_id": payment["id"]}
        refund |= {"amount_money": amount, "location_id": self.location}
        self.refunds[str(refund["id"])] = refund
        self._change(payment, refunded_money={**amount, "amount": before + amount["amount"]})
        self.say("refund.created", refund)
        return {"refund": refund}

    def page(self, cursor: str | None, limit: int) -> Thing:
        """GET /v2/payments, latest first; a page may be smaller than was asked for, or empty."""
        found = list(reversed(self.payments.values()))
        if cursor is None and found:
            return {"cursor": "0"}
        start, limit = int(cursor or 0), min(limit, PAGE)
        shown = found[start : start + limit]
        more = {"cursor": str(start + limit)} if start + limit < len(found) else {}
        return {"payments": shown, **more} if shown else more

    def customer(self, body: Thing) -> Thing:
        """POST /v2/customers."""
        if not body.get("email_address") and not body.get("given_name"):
            raise Problem(400, "MISSING_REQUIRED_PARAMETER", "A customer needs a name or an address.")
        customer = {"id": self.id(), **{key: body[key] for key in body if key != "idempotency_key"}}
        self.customers[str(customer["id"])] = customer
        return {"customer": customer}

    def keep(self, body: Thing) -> Thing:
        """POST /v2/cards: the card of a payment, kept for a customer."""
        customer = body.get("card", {}).get("customer_id")
        payment = self.payments.get(str(body.get("source_id")))
        if customer not in self.customers:
            raise Problem(404, "NOT_FOUND", "There is no such customer.")
        if payment is None or payment["status"] not in ("APPROVED", "COMPLETED"):
            raise Problem(400, "INVALID_CARD_DATA", "Invalid card data.")
        card = {"id": f"ccof:{self.id()}", "customer_id": customer, "enabled": True}
        card |= payment["card_details"]["card"]
        self.cards[str(card["id"])] = card
        return {"card": card}

    def disable(self, ref: str) -> Thing:
        """POST /v2/cards/{id}/disable."""
        if ref not in self.cards:
            raise Problem(404, "NOT_FOUND", "There is no such card.")
        return {"card": {**self.cards.pop(ref), "enabled": False}}

    def settle(self, ref: str, what: str) -> None:
        """What the bank, or time, decides later."""
        payment = self._find(ref)
        refunds = [one for one in self.refunds.values() if one["payment_id"] == ref]
        match what:
            case "expire" if payment["status"] == "APPROVED":
                self._change(payment, status="CANCELED")
            case "refund" if refunds:
                refunds[-1]["status"] = "COMPLETED"
                self.say("refund.updated", refunds[-1])
            case "refund_failed" if refunds:
                refunds[-1]["status"] = "FAILED"
                back = payment["refunded_money"]["amount"] - refunds[-1]["amount_money"]["amount"]
                self._change(payment, refunded_money={**payment["refunded_money"], "amount": back})
                self.say("refund.updated", refunds[-1])
            case "dispute":
                dispute = {
                    "id": self.id(),
                    "amount_money": payment["total_money"],
                    "state": "EVIDENCE_REQUIRED",
                }
                dispute |= {"reason": "NO_KNOWLEDGE", "disputed_payment": {"payment_id": ref}}
                self.say("dispute.created", {**dispute, "location_id": self.location})

    def state(self) -> list[Thing]:
        """Every payment, briefly."""
        found = []
        for ref, one in self.payments.items():
            row = {"ref": ref, "order_id": one.get("reference_id"), "state": one["status"]}
            row |= {"amount": one["amount_money"]["amount"], "currency": one["amount_money"]["currency"]}
            row["captured"] = one["total_money"]["amount"] if one["status"] == "COMPLETED" else 0
            row["refunded"] = one.get("refunded_money", {}).get("amount", 0)
            found.append({**row, "captures": self.captures[ref]})
        return found

    def id(self) -> str:
        """An id as Square makes them."""
        return "".join(self._random.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=22))

    def say(self, kind: str, thing: Thing) -> None:
        """An event with its object as it is now."""
        self._tell(kind, copy.deepcopy(thing))

    def _card(self, source: str, body: Thing) -> Thing:
        """The card behind a token or on file, with the code it is refused with, if it is."""
        plain = {"card_brand": "VISA", "last_4": "1111", "exp_month": 12, "exp_year": 2030}
        if source in self.cards:
            kept = self.cards[source]
            if kept["customer_id"] != body.get("customer_id"):
                raise Problem(404, "NOT_FOUND", "The card on file is not this customer's.")
            asks = kept["last_4"] == ASKING[-4:]
            return {**kept, "code": "CARD_DECLINED_VERIFICATION_REQUIRED" if asks else None}
        if source in TOKENS:
            return {**plain, "code": TOKENS[source]}
        token = self.tokens.get(source)
        if token is None:
            raise Problem(404, "NOT_FOUND", "Card nonce not found")
        if token.get("used"):
            raise Problem(400, "CARD_TOKEN_USED", "Card nonce already used", "PAYMENT_METHOD_ERROR")
        token["used"] = True
        number, code = token["number"], token["code"]
        if number == ASKING and not token["verified"]:
            code = "CARD_DECLINED_VERIFICATION_REQUIRED"
        return {**plain, "card_brand": CARDS.get(number, "OTHER_BRAND"), "last_4": number[-4:], "code": code}

    def _fail(self, payment: Thing, code: str) -> None:
        error = {"category": "PAYMENT_METHOD_ERROR", "code": code, "detail": f"Authorization error: '{code}'"}
        payment["card_details"] |= {"status": "FAILED", "errors": [error]}
        payment |= {"status": "FAILED"}
        for name in ("approved_money", "delayed_until"):
            del payment[name]
        self.say("payment.created", payment)
        raise Problem(400, code, error["detail"], error["category"], payment=copy.deepcopy(payment))

    def _find(self, ref: str) -> Thing:
        if ref not in self.payments:
            raise Problem(404, "NOT_FOUND", f"Could not find payment with id: {ref}")
        return self.payments[ref]

    def _approved(self, ref: str) -> Thing:
        payment = self._find(ref)
        if payment["status"] != "APPROVED":
            raise Problem(400, "BAD_REQUEST", f"The payment is {payment['status']}, not APPROVED.")
        return payment

    def _change(self, payment: Thing, **changes: Any) -> None:
        payment |= {**changes, "version": payment["version"] + 1}
        payment["version_token"] = self.id()
        self.say("payment.updated", payment)


def amount_of(money: Any) -> Thing:
    """An amount Square takes."""
    if not isinstance(money, dict) or not isinstance(money.get("amount"), int):
        raise Problem(400, "MISSING_REQUIRED_PARAMETER", "Field must be set: amount_money")
    if money["amount"] < 1:
        raise Problem(400, "AMOUNT_TOO_LOW", "The amount is too low.")
    if money["amount"] > LARGEST:
        raise Problem(400, "AMOUNT_TOO_HIGH", "The amount is too high.")
    return {"amount": money["amount"], "currency": money["currency"]}
