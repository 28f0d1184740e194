"""The fake's customers and payment methods, and how its errors look."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from connectors.stripe.fake_cards import CARDS, Card, ready

Form = dict[str, Any]
Tell = Callable[[str, dict[str, Any]], None]
"""(kind of event, its object): a subscriber hears of it."""


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


class Wallet:
    """Cards that buyers typed into the fields, and whose they are. Numbers are forgotten at once."""

    def __init__(self, rng: random.Random, tell: Tell) -> None:
        self._random = rng
        self._tell = tell
        self._customers: dict[str, dict[str, Any]] = {}
        self._methods: dict[str, dict[str, Any]] = {}
        self._cards: dict[str, Card] = {}
        self._set_up: set[str] = set()

    def create_customer(self, form: Form) -> dict[str, Any]:
        """POST /v1/customers."""
        customer: dict[str, Any] = {
            "id": f"cus_{self.id()}",
            "object": "customer",
            "email": form.get("email"),
        }
        customer |= {"metadata": form.get("metadata", {}), "livemode": False}
        self._customers[customer["id"]] = customer
        return customer

    def create_method(self, form: Form) -> dict[str, Any]:
        """POST /v1/payment_methods, as the fields in the browser ask with the publishable key."""
        given = form.get("card", {})
        number = str(given.get("number", "")).replace(" ", "")
        if number not in CARDS:
            raise Problem("Your card number is incorrect.", status=402, kind="card_error").but(
                code="incorrect_number", param="number"
            )
        return self._keep(CARDS[number])

    def detach(self, method_id: str) -> dict[str, Any]:
        """POST /v1/payment_methods/{id}/detach: from its customer; of no use afterwards."""
        method = self.find(method_id)
        if method["customer"] is None:
            raise Problem("The payment method you provided is not attached to a customer.")
        method["customer"], method["_spent"] = None, True
        self._tell("payment_method.detached", public(method))
        return public(method)

    def charge_with(self, method_id: str, customer: str | None) -> dict[str, Any]:
        """The method for a payment; refused when it is another's, or was used up."""
        if card := ready(method_id):
            return self._keep(card)
        method = self.find(method_id)
        if customer is not None and customer not in self._customers:
            raise Problem(f"No such customer: '{customer}'").but(code="resource_missing", param="customer")
        if method["customer"] and method["customer"] != customer:
            raise Problem("The provided PaymentMethod belongs to a customer: name that customer.").but(
                param="payment_method"
            )
        if method["_spent"] and not method["customer"]:
            raise Problem(
                "The provided PaymentMethod was previously used without being attached to a Customer, "
                "and may not be used again."
            ).but(param="payment_method")
        return method

    def card_of(self, method: dict[str, Any]) -> Card:
        """How it behaves."""
        return self._cards[method["id"]]

    def asks(self, method: dict[str, Any]) -> bool:
        """Whether the bank wants to ask the buyer."""
        card = self.card_of(method)
        return card.asks == "always" or (card.asks == "unless_set_up" and method["id"] not in self._set_up)

    def used(self, method: dict[str, Any], customer: str | None, save: bool, asked: bool) -> None:
        """A payment went through with it."""
        method["_spent"] = True
        if save and customer:
            if asked:
                self._set_up.add(method["id"])
            method["customer"] = customer
            self._tell("payment_method.attached", public(method))

    def find(self, method_id: str) -> dict[str, Any]:
        """By id; of this account only."""
        if method_id not in self._methods:
            raise Problem(f"No such PaymentMethod: '{method_id}'").but(
                code="resource_missing", param="payment_method"
            )
        return self._methods[method_id]

    def customer(self, customer: str | None) -> str | None:
        """Its id, if there is such a customer."""
        if customer is not None and customer not in self._customers:
            raise Problem(f"No such customer: '{customer}'").but(code="resource_missing", param="customer")
        return customer

    def id(self) -> str:
        """The random part of an id."""
        return f"{self._random.getrandbits(96):024x}"

    def _keep(self, card: Card) -> dict[str, Any]:
        method: dict[str, Any] = {
            "id": f"pm_{self.id()}",
            "object": "payment_method",
            "type": "card",
            "customer": None,
        }
        method |= {"card": shown(card), "livemode": False, "_spent": False}
        self._methods[method["id"]] = method
        self._cards[method["id"]] = card
        return method


def shown(card: Card) -> dict[str, Any]:
    """What Stripe tells of a card."""
    return {
        "brand": card.brand,
        "last4": card.last4,
        "exp_month": 12,
        "exp_year": 2034,
        "country": "DE",
        "funding": "credit",
    }


def public(thing: dict[str, Any]) -> dict[str, Any]:
    """Without the fake's own notes."""
    return {name: value for name, value in thing.items() if not name.startswith("_")}


def number(form: Form, name: str) -> int:
    """A whole number from the form."""
    given = str(form.get(name, ""))
    if not given.isascii() or not given.isdecimal():
        raise Problem(f"Invalid integer: {given}").but(code="parameter_invalid_integer", param=name)
    return int(given)
