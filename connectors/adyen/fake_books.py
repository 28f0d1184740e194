"""The fake's books: payments with Adyen's result codes, its test cards, and modifications told later."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Tell = Callable[[dict[str, Any]], None]

# https://docs.adyen.com/development-resources/testing/test-card-numbers
CARDS = {
    "4111111111111111": "visa",
    "4988438843884305": "visa",
    "5555444433331111": "mc",
    "2222400070000005": "mc",
    "370000000000002": "amex",
}
# …/3d-secure/test-cards: the first asks in place, the second sends the buyer to the bank.
CHALLENGED, REDIRECTED = "5201281505129736", "5212345678901234"
EXPIRY, CODES = ("03", "2030"), {"737", "7373"}
ASKING = {CHALLENGED: "mc", REDIRECTED: "mc"}
# …/testing/result-codes: the card holder's name decides.
HOLDERS = {
    "DECLINED": ("Refused", "2", "Refused"),
    "REFERRAL": ("Refused", "3", "Referral"),
    "ERROR": ("Error", "4", "Acquirer Error"),
    "BLOCK_CARD": ("Refused", "5", "Blocked Card"),
    "CARD_EXPIRED": ("Refused", "6", "Expired Card"),
    "ISSUER_UNAVAILABLE": ("Refused", "9", "Issuer Unavailable"),
    "NOT_3D_AUTHENTICATED": ("Refused", "11", "3D Not Authenticated"),
    "NOT_ENOUGH_BALANCE": ("Refused", "12", "Not enough balance"),
    "ACQUIRER_FRAUD": ("Refused", "14", "Acquirer Fraud"),
    "CANCELLED": ("Cancelled", "15", "Cancelled"),
    "PIN_TRIES_EXCEEDED": ("Refused", "18", "Pin tries exceeded"),
    "FRAUD": ("Refused", "20", "FRAUD"),
    "CVC_DECLINED": ("Refused", "24", "CVC Declined"),
    "REVOCATION_OF_AUTH": ("Refused", "26", "Revocation Of Auth"),
    "WITHDRAWAL_COUNT_EXCEEDED": ("Refused", "29", "Withdrawal count exceeded"),
}
NOTHING_YET = {"captures": 0, "captured": 0, "refunded": 0}
SMALLEST, LARGEST = 1, 99_999_999_99


class Problem(Exception):
    """An error answer: (status, errorCode, message, errorType)."""

    def __init__(self, status: int, code: str, message: str, kind: str = "validation") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"status": status, "errorCode": code, "message": message, "errorType": kind}


class Books:
    """Payments, stored cards and what is waiting for the buyer. Every change tells what a webhook would."""

    def __init__(self, rng: random.Random, tell: Tell, account: str) -> None:
        self._random = rng
        self._tell = tell
        self.account = account
        self.base_url = ""
        self.payments: dict[str, dict[str, Any]] = {}
        self.waiting: dict[str, dict[str, Any]] = {}
        self.results: dict[str, tuple[str, bool]] = {}
        self.cards: dict[str, dict[str, str]] = {}
        """What was typed, by what the fields made of it: parts that mean nothing to anybody else."""
        self.stored: dict[str, dict[str, str]] = {}

    def pay(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST /payments."""
        self._check(body, ("amount", "reference", "returnUrl", "paymentMethod"))
        amount = self._amount(body)
        if body.get("additionalData", {}).get("manualCapture") != "true":
            raise Problem(422, "137", "This fake only knows payments that are captured by hand.")
        card = self._card(body["paymentMethod"], body.get("shopperReference"))
        refusal = refusal_of(card, body["shopperInteraction"])
        payment = {"reference": body["reference"], "amount": amount, "card": card, "body": body}
        if refusal:
            return self._refused(payment, *refusal)
        if card["number"] in ASKING and body["shopperInteraction"] == "Ecommerce":
            return self._ask(payment)
        return self._authorise(payment)

    def details(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST /payments/details."""
        given = body.get("details", {})
        result = given.get("redirectResult") or given.get("threeDSResult")
        if result not in self.results:
            raise Problem(422, "101", "Invalid details.")
        asked, success = self.results[result]
        payment = self.waiting.pop(asked, None)
        if payment is None:
            raise Problem(422, "702", "The details have been used already.")
        return (
            self._authorise(payment)
            if success
            else self._refused(payment, "Refused", "11", "3D Not Authenticated")
        )

    def asked(self, reference: str) -> str:
        """What an order's buyer was asked."""
        found = [key for key, one in self.waiting.items() if one["reference"] == reference]
        if not found:
            raise Problem(404, "000", "Nobody was asked.")
        return found[-1]

    def answered(self, asked: str, success: bool) -> str:
        """The buyer answered the bank; what the page brings back."""
        if asked not in self.waiting:
            raise Problem(404, "000", "Nobody was asked.")
        result = f"res{self.psp()}"
        self.results[result] = (asked, success)
        return result

    def modify(self, ref: str, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /payments/{ref}/captures, /cancels or /refunds: received now, decided by webhook."""
        self._check(body, () if verb == "cancels" else ("amount",))
        payment = self.payments.get(ref)
        if payment is None:
            raise Problem(422, "167", "Original pspReference required for this operation")
        amount = payment["amount"] if verb == "cancels" else self._amount(body)
        psp, code = self.psp(), {"captures": "CAPTURE", "cancels": "CANCELLATION", "refunds": "REFUND"}[verb]
        reason = self._booked(payment, verb, amount, psp)
        self.say(code, psp, payment, amount, not reason, reason)
        answer = {"merchantAccount": self.account, "paymentPspReference": ref, "pspReference": psp}
        answer |= {"status": "received", "reference": body.get("reference", "")}
        return answer if verb == "cancels" else answer | {"amount": amount}

    def cancel_by_reference(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST /cancels: by the order's reference; what waits for the buyer is forgotten."""
        self._check(body, ("paymentReference",))
        reference, psp = body["paymentReference"], self.psp()
        for asked in [key for key, one in self.waiting.items() if one["reference"] == reference]:
            del self.waiting[asked]
        for payment in self.payments.values():
            if payment["reference"] == reference:
                reason = self._booked(payment, "cancels", payment["amount"], psp)
                self.say("TECHNICAL_CANCEL", psp, payment, payment["amount"], not reason, reason)
        return {"merchantAccount": self.account, "paymentReference": reference, "pspReference": psp} | {
            "status": "received",
            "reference": body.get("reference", ""),
        }

    def delete_stored(self, ref: str, shopper: str) -> None:
        """DELETE /storedPaymentMethods/{ref}."""
        if self.stored.get(ref, {}).get("shopper") != shopper:
            raise Problem(422, "803", "PaymentDetail not found")
        del self.stored[ref]

    def settle(self, ref: str, what: str) -> None:
        """What is decided later. Captures and refunds are decided and told at once."""
        payment = self.payments.get(ref)
        if payment is None:
            raise Problem(404, "000", "There is no such payment.")
        amount = payment["amount"]
        match what:
            case "expire":
                payment["state"] = "expired"
                self.say("EXPIRE", self.psp(), payment, amount, True)
            case "capture_failed":
                payment |= {"state": "capture_failed", "captured": 0}
                self.say("CAPTURE_FAILED", self.psp(), payment, amount, True, "Capture rejected")
            case "refund_failed":
                last, value = payment["refunds"].popitem()
                payment["refunded"] -= value
                self.say("REFUND_FAILED", last, payment, {**amount, "value": value}, True, "Rejected")
            case "dispute":
                self.say("CHARGEBACK", self.psp(), payment, amount, True, "Fraud")

    def state(self) -> list[dict[str, Any]]:
        """Every payment, briefly."""
        names = ("state", "captures", "captured", "refunded")
        return [
            {"ref": ref, "order_id": one["reference"], "amount": one["amount"]["value"]}
            | {"currency": one["amount"]["currency"]}
            | {name: one[name] for name in names}
            for ref, one in self.payments.items()
        ]

    def psp(self) -> str:
        """A reference as Adyen makes them."""
        return "".join(self._random.choices("BCDFGHJKLMNPQRSTVWXZ23456789", k=16))

    def say(
        self, code: str, psp: str, payment: dict[str, Any], amount: Any, success: bool, reason: str = ""
    ) -> None:
        """One webhook item; `originalReference` where it is about an earlier payment."""
        item: dict[str, Any] = {
            "eventCode": code,
            "success": "true" if success else "false",
            "pspReference": psp,
        }
        item |= {"merchantAccountCode": self.account, "merchantReference": payment["reference"]}
        item |= {"amount": dict(amount), "eventDate": "2026-11-24T20:01:09+01:00", "reason": reason}
        if payment.get("ref", psp) != psp:
            item["originalReference"] = payment["ref"]
        self._tell(item | {"paymentMethod": payment["card"]["brand"], "operations": []})

    def _authorise(self, payment: dict[str, Any]) -> dict[str, Any]:
        ref, card, body = self.psp(), payment["card"], payment["body"]
        payment |= {"ref": ref, "state": "authorised", **NOTHING_YET, "refunds": {}}
        self.payments[ref] = payment
        extra = {"cardSummary": card["number"][-4:], "expiryDate": "3/2030", "paymentMethod": card["brand"]}
        if body.get("storePaymentMethod"):
            stored = self.psp()
            self.stored[stored] = {**card, "shopper": body["shopperReference"]}
            extra |= {
                "tokenization.storedPaymentMethodId": stored,
                "tokenization.store.operationType": "created",
            }
            extra["tokenization.shopperReference"] = body["shopperReference"]
        self.say("AUTHORISATION", ref, payment, payment["amount"], True, "033899:1111:03/2030")
        answer = {"pspReference": ref, "resultCode": "Authorised", "merchantReference": payment["reference"]}
        return answer | {"amount": payment["amount"], "additionalData": extra}

    def _refused(self, payment: dict[str, Any], code: str, number: str, reason: str) -> dict[str, Any]:
        ref = self.psp()
        payment |= {"ref": ref, "state": "refused", **NOTHING_YET, "refunds": {}}
        self.payments[ref] = payment
        self.say("AUTHORISATION", ref, payment, payment["amount"], False, reason)
        answer = {"pspReference": ref, "resultCode": code, "merchantReference": payment["reference"]}
        return answer | {"refusalReason": reason, "refusalReasonCode": number}

    def _ask(self, payment: dict[str, Any]) -> dict[str, Any]:
        asked = self.psp()
        self.waiting[asked] = payment
        if payment["card"]["number"] == REDIRECTED:
            action = {"type": "redirect", "method": "GET", "url": f"{self.base_url}bank/{asked}"}
            return {"resultCode": "RedirectShopper", "action": action | {"paymentMethodType": "scheme"}}
        action = {"type": "threeDS2", "subtype": "challenge", "token": asked, "paymentMethodType": "scheme"}
        return {"resultCode": "ChallengeShopper", "action": action | {"authorisationToken": f"auth{asked}"}}

    def _booked(self, payment: dict[str, Any], verb: str, amount: dict[str, Any], psp: str) -> str:
        """Changes the books and returns "", or why not."""
        value = amount["value"]
        if amount["currency"] != payment["amount"]["currency"]:
            return "Currency mismatch"
        match verb:
            case "captures":
                if payment["state"] != "authorised" or value > payment["amount"]["value"]:
                    return "Insufficient balance on payment"
                payment |= {"state": "captured", "captured": value, "captures": payment["captures"] + 1}
            case "cancels":
                if payment["state"] != "authorised":
                    return "Transaction has not been authorised, or was captured already"
                payment["state"] = "cancelled"
            case "refunds":
                if payment["refunded"] + value > payment["captured"]:
                    return "Insufficient balance on payment"
                payment["refunded"] += value
                payment["refunds"][psp] = value
        return ""

    def _card(self, method: dict[str, Any], shopper: str | None) -> dict[str, str]:
        if "storedPaymentMethodId" in method:
            stored = self.stored.get(method["storedPaymentMethodId"])
            if stored is None or stored["shopper"] != shopper:
                raise Problem(422, "803", "PaymentDetail not found")
            return stored
        blob = str(method.get("encryptedCardNumber", ""))
        card = self.cards.get(blob) or typed(method)
        number = card["number"]
        return {**card, "brand": CARDS.get(number) or ASKING.get(number, "unknown")}

    def _amount(self, body: dict[str, Any]) -> dict[str, Any]:
        amount = body["amount"]
        value, currency = amount.get("value"), str(amount.get("currency"))
        if not isinstance(value, int) or not SMALLEST <= value <= LARGEST:
            raise Problem(422, "100", "No amount specified")
        if len(currency) != 3 or not currency.isupper():
            raise Problem(422, "138", "Unsupported currency specified")
        return {"value": value, "currency": currency}

    def _check(self, body: dict[str, Any], needed: tuple[str, ...]) -> None:
        if body.get("merchantAccount") != self.account:
            raise Problem(403, "901", "Invalid Merchant Account", "security")
        for name in needed:
            if not body.get(name):
                raise Problem(422, "130", f"Required field '{name}' is not provided.")


def typed(method: dict[str, Any]) -> dict[str, str]:
    """A card as server tests may send it: each encrypted part as `test_` and the plain value."""
    names = {"number": "CardNumber", "month": "ExpiryMonth", "year": "ExpiryYear", "code": "SecurityCode"}
    parts = {name: str(method.get(f"encrypted{part}", "")) for name, part in names.items()}
    if not all(value.startswith("test_") for value in parts.values()):
        raise Problem(422, "174", "Unable to decrypt data")
    plain = {name: value.removeprefix("test_") for name, value in parts.items()}
    return plain | {"holder": str(method.get("holderName", ""))}


def refusal_of(card: dict[str, str], interaction: str) -> tuple[str, str, str] | None:
    """Why a card is refused, as (resultCode, refusalReasonCode, refusalReason)."""
    if card["brand"] == "unknown":
        return ("Refused", "8", "Invalid Card Number")
    if card.get("holder") in HOLDERS:
        return HOLDERS[card["holder"]]
    if (card["month"].zfill(2), card["year"]) != EXPIRY:
        return ("Refused", "6", "Expired Card")
    if interaction == "Ecommerce" and card["code"] not in CODES:
        return ("Refused", "24", "CVC Declined")
    if interaction == "ContAuth" and card["number"] in ASKING:
        return ("Refused", "38", "Authentication required")
    return None
