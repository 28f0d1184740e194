"""The fake's charges, refunds and disputes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from connectors.stripe.fake_cards import Card
from connectors.stripe.fake_vault import Form, Problem, Tell, number, shown


class Till:
    """What was held, taken and given back, by charge."""

    def __init__(self, new_id: Callable[[], str], tell: Tell) -> None:
        self._new_id = new_id
        self._tell = tell
        self._charges: dict[str, dict[str, Any]] = {}
        self._refunds: dict[str, dict[str, Any]] = {}
        self._cards: dict[str, Card] = {}

    def hold(self, intent: dict[str, Any], method: dict[str, Any], card: Card, seconds: int) -> None:
        """The bank said yes."""
        charge = {
            "id": f"ch_{self._new_id()}",
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "captured": False,
            "currency": intent["currency"],
            "disputed": False,
            "livemode": False,
            "outcome": {
                "network_status": "approved_by_network",
                "risk_level": "normal",
                "type": "authorized",
            },
            "paid": True,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {
                "type": "card",
                "card": {**shown(card), "capture_before": int(time.time()) + seconds},
            },
            "refunded": False,
            "status": "succeeded",
        }
        self._charges[str(charge["id"])] = charge
        self._cards[str(charge["id"])] = card
        intent.update(latest_charge=charge["id"], amount_capturable=intent["amount"])
        intent["status"] = "requires_capture"
        self._tell("charge.succeeded", charge)

    def take(self, intent: dict[str, Any], amount: int) -> None:
        """Captured; a buyer of a certain kind complains at once."""
        charge = self._charges[intent["latest_charge"]]
        charge.update(captured=True, amount_captured=amount)
        self._tell("charge.captured", charge)
        if reason := self._cards[charge["id"]].dispute:
            self.dispute(intent, reason)

    def let_go(self, intent: dict[str, Any]) -> None:
        """What was held goes back; Stripe calls that refunded as well."""
        if intent["latest_charge"]:
            charge = self._charges[intent["latest_charge"]]
            charge.update(refunded=True, amount_refunded=charge["amount"])
            self._tell("charge.refunded", charge)

    def refund(self, intent: dict[str, Any], form: Form) -> dict[str, Any]:
        """A new refund; never more than was taken."""
        charge = self._charges.get(intent["latest_charge"] or "")
        if charge is None or not charge["captured"]:
            raise Problem("This PaymentIntent does not have a successful charge to refund.")
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = number(form, "amount") if "amount" in form else left
        if left <= 0:
            raise Problem("Charge has already been refunded.").but(code="charge_already_refunded")
        if amount > left or amount < 1:
            raise Problem(f"Refund amount ({amount}) is greater than unrefunded amount ({left}).").but(
                param="amount"
            )
        pending = self._cards[charge["id"]].refund == "pending"
        refund: dict[str, Any] = {"id": f"re_{self._new_id()}", "object": "refund", "amount": amount}
        refund |= {"status": "pending" if pending else "succeeded", "created": int(time.time())}
        refund |= {"charge": charge["id"], "payment_intent": intent["id"], "currency": intent["currency"]}
        refund |= {"metadata": form.get("metadata", {}), "reason": form.get("reason")}
        self._refunds[refund["id"]] = refund
        self._count(charge, amount)
        self._tell("refund.created", refund)
        self._tell("charge.refunded", charge)
        if self._cards[charge["id"]].refund == "fails":
            self.settle(intent, failed=True)
        return dict(refund)

    def settle(self, intent: dict[str, Any], *, failed: bool) -> None:
        """What the bank says of the last refund, some time later."""
        mine = [one for one in self._refunds.values() if one["payment_intent"] == intent["id"]]
        if not mine:
            raise Problem("There is no refund.")
        refund = mine[-1]
        if not failed:
            refund["status"] = "succeeded"
            self._tell("refund.updated", refund)
            return
        refund.update(status="failed", failure_reason="expired_or_canceled_card")
        self._count(self._charges[refund["charge"]], -refund["amount"])
        self._tell("refund.failed", refund)

    def dispute(self, intent: dict[str, Any], reason: str) -> None:
        """The buyer went to their bank."""
        charge = self._charges[intent["latest_charge"]]
        charge["disputed"] = True
        dispute: dict[str, Any] = {
            "id": f"du_{self._new_id()}",
            "object": "dispute",
            "amount": charge["amount_captured"],
        }
        dispute |= {"charge": charge["id"], "payment_intent": intent["id"], "currency": intent["currency"]}
        dispute |= {"reason": reason, "status": "needs_response", "is_charge_refundable": False}
        self._tell("charge.dispute.created", dispute)

    def charge(self, intent: dict[str, Any]) -> dict[str, Any]:
        """An intent's charge, whole."""
        return self._charges[intent["latest_charge"]]

    def refunded(self, intent: dict[str, Any]) -> int:
        """What was given back of what was taken."""
        charge = self._charges.get(intent["latest_charge"] or "", {})
        return int(charge.get("amount_refunded", 0)) if intent["amount_received"] else 0

    def _count(self, charge: dict[str, Any], amount: int) -> None:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
