"""The fake's books: transactions with Braintree's states, its test nonces and refusals, a vault."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

Tell = Callable[[str, dict[str, Any]], None]
Thing = dict[str, Any]

# https://developer.paypal.com/braintree/docs/reference/general/testing
CARDS = {
    "4111111111111111": "Visa",
    "5555555555554444": "MasterCard",
    "378282246310005": "American Express",
    "4000000000001091": "Visa",
    "4000000000000002": "Visa",
}
ASKING, DECLINED = "4000000000001091", "4000000000000002"
"""A card whose bank asks its owner, and one that is declined (4000000000000002: 2000, Do Not Honor)."""
NONCES = {
    "fake-valid-nonce": (None, False),
    "fake-valid-visa-nonce": (None, False),
    "fake-processor-declined-visa-nonce": ("2000", False),
    "fake-gateway-rejected-fraud-nonce": ("fraud", False),
    "fake-gateway-rejected-cvv-nonce": ("cvv", False),
    "fake-three-d-secure-visa-full-authentication-nonce": (None, True),
}
CONSUMED = "fake-consumed-nonce"
DUPLICATE_SECONDS = 30
HOLD = timedelta(days=7)
LARGEST = Decimal(50000)


class Problem(Exception):
    """A validation that failed (422): Braintree's code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Missing(Exception):
    """There is no such thing (404)."""


class Books:
    """Transactions, card tokens and the vault. `check` refuses new cards that were not authenticated."""

    def __init__(self, rng: random.Random, tell: Tell, currencies: dict[str, str]) -> None:
        self._random = rng
        self._tell = tell
        self._currencies = currencies
        self.transactions: dict[str, Thing] = {}
        self.captures: dict[str, int] = {}
        self.nonces: dict[str, Thing] = {}
        self.vault: dict[str, Thing] = {}
        self._recent: dict[tuple[str, str, str], float] = {}

    def nonce(self, number: str = "4111111111111111", code: str | None = None, verified: bool = False) -> str:
        """A card token as Braintree's fields make them, good for one transaction."""
        nonce = f"tokencc_{self.id()}"
        self.nonces[nonce] = {"number": number, "code": code, "verified": verified}
        return nonce

    def verified(self, nonce: str, success: bool) -> str:
        """The enriched nonce after the bank was asked; without success the bank's no goes with it."""
        card = self.nonces.pop(nonce)
        return self.nonce(card["number"], card["code"], success)

    def sale(self, body: Thing) -> Thing:
        """POST /transactions, held."""
        options = body.get("options") or {}
        if options.get("submit_for_settlement"):
            raise Problem("91537", "This fake knows no transaction that settles by itself.")
        currency = self._currencies.get(str(body.get("merchant_account_id")))
        if currency is None:
            raise Problem("91513", "Merchant account ID is invalid.")
        amount = amount_of(body.get("amount"), currency)
        card = self._card(body)
        made = self._transaction(amount, currency, body, card)
        code = card["code"]
        if not card["verified"] and card["number"] == ASKING:
            code = "2099"
        if (options.get("three_d_secure") or {}).get("required") and card["number"] == ASKING and code:
            code = "three_d_secure"
        again = (str(body.get("order_id")), amount, card["number"])
        if time.monotonic() - self._recent.get(again, -DUPLICATE_SECONDS) < DUPLICATE_SECONDS:
            code = "duplicate"
        if code is None:
            self._recent[again] = time.monotonic()
            made |= {"processor_response_code": "1000", "processor_response_text": "Approved"}
            if options.get("store_in_vault_on_success"):
                self._keep(made, card, body)
        elif code.isdecimal():
            made |= {"status": "processor_declined", "processor_response_code": code}
        else:
            made |= {"status": "gateway_rejected", "gateway_rejection_reason": code}
        self.transactions[made["id"]] = made
        self.captures[made["id"]] = 0
        return made

    def find(self, ref: str) -> Thing:
        """GET /transactions/{id}."""
        if ref not in self.transactions:
            raise Missing
        return self.transactions[ref]

    def submit(self, ref: str, body: Thing) -> Thing:
        """PUT …/submit_for_settlement: all or less, once."""
        transaction = self.find(ref)
        if transaction["status"] != "authorized":
            raise Problem("91507", "Cannot submit for settlement unless status is authorized.")
        amount = amount_of(body.get("amount") or transaction["amount"], transaction["currency_iso_code"])
        if Decimal(amount) > Decimal(transaction["amount"]):
            raise Problem("91522", "Settlement amount is too large.")
        self.captures[ref] += 1
        transaction |= {"status": "submitted_for_settlement", "amount": amount}
        return transaction

    def void(self, ref: str) -> Thing:
        """PUT …/void: until it is settling."""
        transaction = self.find(ref)
        if transaction["status"] not in ("authorized", "submitted_for_settlement", "settlement_pending"):
            raise Problem("91504", "Transaction can only be voided if status is authorized or submitted.")
        self._note(transaction)
        transaction["status"] = "voided"
        return transaction

    def refund(self, ref: str, body: Thing) -> Thing:
        """POST …/refund: a credit of its own, once the sale is settled."""
        sale = self.find(ref)
        if sale["status"] not in ("settling", "settled"):
            raise Problem("91506", "Cannot refund transaction unless it is settled.")
        amount = amount_of(body.get("amount") or sale["amount"], sale["currency_iso_code"])
        if self.given_back(ref) + Decimal(amount) > Decimal(sale["amount"]):
            raise Problem("91521", "Refund amount is too large.")
        credit = {**sale, "id": self.id(), "type": "credit", "status": "submitted_for_settlement"}
        credit |= {"amount": amount, "order_id": body.get("order_id"), "refunded_transaction_id": ref}
        credit |= {"refund_ids": [], "status_history": []}
        self.transactions[credit["id"]] = credit
        sale["refund_ids"].append(("item", credit["id"]))
        return credit

    def search(self, criteria: Thing) -> list[str]:
        """POST …/advanced_search_ids: by order, exactly."""
        wanted = (criteria.get("order_id") or {}).get("is")
        return [ref for ref, one in self.transactions.items() if wanted is None or one["order_id"] == wanted]

    def forget(self, token: str) -> None:
        """DELETE /payment_methods/any/{token}."""
        if self.vault.pop(token, None) is None:
            raise Missing

    def settle(self, ref: str, what: str) -> None:
        """What the bank, or time, decides later."""
        transaction = self.find(ref)
        match what:
            case "capture" if transaction["status"] == "submitted_for_settlement":
                transaction["status"] = "settled"
                self._tell("transaction_settled", {"transaction": transaction})
            case "capture_failed":
                transaction |= {"status": "settlement_declined", "processor_settlement_response_code": "4001"}
                self._tell("transaction_settlement_declined", {"transaction": transaction})
            case "expire" if transaction["status"] == "authorized":
                transaction["status"] = "authorization_expired"
            case "refund":
                for credit in self._credits(ref):
                    credit["status"] = "settled"
            case "refund_failed":
                last = self._credits(ref)[-1]
                last["status"] = "settlement_declined"
                self._tell("refund_failed", {"transaction": last})
            case "dispute":
                dispute = {"id": self.id(), "amount_disputed": transaction["amount"], "kind": "chargeback"}
                dispute |= {"currency_iso_code": transaction["currency_iso_code"], "reason": "fraud"}
                dispute |= {"status": "open", "transaction": {"id": ref, "amount": transaction["amount"]}}
                self._tell("dispute_opened", {"dispute": dispute})

    def given_back(self, ref: str) -> Decimal:
        """What was given back of a sale, failed refunds left out."""
        rows = [one for one in self._credits(ref) if one["status"] != "settlement_declined"]
        return sum((Decimal(one["amount"]) for one in rows), Decimal(0))

    def sales(self) -> list[tuple[Thing, int, Decimal]]:
        """Every sale, how often it was captured, and what was given back."""
        rows = [one for one in self.transactions.values() if one["type"] == "sale"]
        return [(one, self.captures[one["id"]], self.given_back(one["id"])) for one in rows]

    def id(self) -> str:
        """An id as Braintree makes them."""
        return "".join(self._random.choices("bcdfghjkmnpqrstvwxyz23456789", k=8))

    def _note(self, transaction: Thing) -> None:
        """What it was goes into its history."""
        event = {"status": transaction["status"], "timestamp": datetime.now(UTC), "user": "api"}
        transaction["status_history"].append(("status-event", {**event, "amount": transaction["amount"]}))

    def _credits(self, ref: str) -> list[Thing]:
        return [one for one in self.transactions.values() if one.get("refunded_transaction_id") == ref]

    def _transaction(self, amount: str, currency: str, body: Thing, card: Thing) -> Thing:
        month, year = card.get("until", ("12", "2030"))
        now = datetime.now(UTC)
        shown = {"token": card.get("token"), "bin": card["number"][:6], "last_4": card["number"][-4:]}
        shown |= {"card_type": CARDS.get(card["number"], "Visa"), "expiration_month": month}
        made: Thing = {"id": self.id(), "type": "sale", "status": "authorized", "amount": amount}
        made |= {"currency_iso_code": currency, "order_id": body.get("order_id")}
        made |= {"refund_ids": [], "status_history": []}
        made |= {"merchant_account_id": body["merchant_account_id"], "created_at": now}
        made |= {"authorization_expires_at": now + HOLD, "payment_instrument_type": "credit_card"}
        made["credit_card"] = {**shown, "expiration_year": year}
        made["customer"] = {"id": card.get("customer"), "email": (body.get("customer") or {}).get("email")}
        return made

    def _keep(self, made: Thing, card: Thing, body: Thing) -> None:
        token, customer = self.id(), body.get("customer_id") or self.id()
        self.vault[token] = {**card, "token": token, "customer": customer, "verified": False}
        made["credit_card"]["token"], made["customer"]["id"] = token, customer

    def _card(self, body: Thing) -> Thing:
        if token := body.get("payment_method_token"):
            kept = self.vault.get(str(token))
            if kept is None:
                raise Problem("91518", "Payment method token is invalid.")
            if body.get("customer_id") not in (None, kept["customer"]):
                raise Problem("91512", "The payment method does not belong to the customer.")
            return kept
        nonce = str(body.get("payment_method_nonce"))
        if nonce in NONCES:
            code, verified = NONCES[nonce]
            return {"number": "4111111111111111", "code": code, "verified": verified}
        card = self.nonces.get(nonce)
        if nonce == CONSUMED or (card and card.get("used")):
            raise Problem("91564", "Cannot use a payment_method_nonce more than once.")
        if card is None:
            raise Problem("91565", "Unknown or expired payment_method_nonce.")
        card["used"] = True
        return card


def amount_of(given: Any, currency: str) -> str:
    """An amount Braintree takes."""
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        raise Problem("81503", "Amount is an invalid format.") from None
    if amount <= 0:
        raise Problem("81531", "Amount must be greater than zero.")
    if amount > LARGEST:
        raise Problem("81528", "Amount is too large.")
    if currency in ("JPY", "KRW") and amount != amount.to_integral_value():
        raise Problem("81503", "Amount is an invalid format.")
    return str(given)
