"""What Adyen sends us: the only word on what became of captures, refunds and cancellations.

The signature of an item covers its references, account, amount, code and success, and nothing else
(docs.adyen.com/development-resources/webhooks/verify-hmac-signatures). What it does not cover is not
believed: neither reasons nor saved cards are taken from here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any, Literal

from Adyen.util import generate_notification_sig  # type: ignore[import-untyped]  # it ships no types

from connectors.adyen.api import Config
from connectors.adyen.results import PLAIN, money_of
from connectors.errors import Refused
from connectors.types import Dispute, Fact, PaymentResult, RefundResult, Webhook

LONGEST_ID = 200
NO_MONEY = "The payment could not be taken."
NOT_RETURNED = "The bank did not take the refund."
DISPUTES: dict[str, Literal["open", "won", "lost"]] = {
    "NOTIFICATION_OF_CHARGEBACK": "open",
    "CHARGEBACK": "open",
    "CHARGEBACK_REVERSED": "won",
    "PREARBITRATION_WON": "won",
    "SECOND_CHARGEBACK": "lost",
    "PREARBITRATION_LOST": "lost",
}


class AdyenWebhooks:
    """Standard webhook, JSON: one delivery may hold several items, each signed for itself."""

    def __init__(self, config: Config) -> None:
        self._account = config.merchant_account
        self._secret = config.hmac_secret.get_secret_value()

    def verify(self, hook: Webhook) -> str:
        """Made from each item's (pspReference, eventCode, success): all a repeat has in common.

        Refused unless every single item is signed. Items have no time, so an old one is no forgery; it says
        again what was true, and does nothing twice.
        """
        items = items_of(hook.body)
        ids = []
        for item in items:
            if not self._signed(item):
                raise Refused("The signature is not Adyen's.")
            ids.append(":".join(str(item.get(name)) for name in ("pspReference", "eventCode", "success")))
        delivery = ",".join(ids)
        return delivery if len(delivery) <= LONGEST_ID else hashlib.sha256(delivery.encode()).hexdigest()

    def parse(self, body: bytes) -> Sequence[Fact]:
        """Payments, refunds and disputes; of other merchant accounts under the same key nothing."""
        try:
            found = [fact_of(item) for item in items_of(body) if item["merchantAccountCode"] == self._account]
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"The delivery cannot be read ({type(error).__name__}).") from None
        return tuple(fact for fact in found if fact is not None)

    def _signed(self, item: dict[str, Any]) -> bool:
        try:
            given = item["additionalData"]["hmacSignature"]
            # The vendor's check looks at the first item only, and passes one without a signature by.
            expected: bytes = generate_notification_sig(item, self._secret)
            return hmac.compare_digest(expected, given.encode())
        except (KeyError, TypeError, AttributeError, ValueError):
            return False


def items_of(body: bytes) -> list[dict[str, Any]]:
    """The items; Refused when there are none."""
    try:
        wrapped = json.loads(body)["notificationItems"]
        found = [one["NotificationRequestItem"] for one in wrapped]
    except (ValueError, KeyError, TypeError):
        raise Refused("The delivery is not Adyen's.") from None
    if not found or not all(isinstance(item, dict) for item in found):
        raise Refused("The delivery has nothing in it.")
    return found


def fact_of(item: dict[str, Any]) -> Fact | None:
    """One item. Codes that are no news of money, or that nobody knows yet, give None."""
    code, done = str(item["eventCode"]), str(item["success"]) == "true"
    if code in DISPUTES:
        return dispute_of(item, code) if done else None
    if code.startswith("REFUND"):
        return refund_of(item, code, done)
    return payment_of(item, code, done)


def payment_of(item: dict[str, Any], code: str, done: bool) -> PaymentResult | None:
    """What became of an authorisation. A later event carries a reference of its own beside the payment's."""
    ref = str(item.get("originalReference") or item["pspReference"])
    order_id, amount = item.get("merchantReference") or None, money_of(item.get("amount"))
    match code, done:
        case "AUTHORISATION", True:
            return PaymentResult(ref=ref, state="authorised", amount=amount, order_id=order_id)
        case "AUTHORISATION", False:
            return PaymentResult(
                ref=ref, state="declined", decline="opaque", message=PLAIN, order_id=order_id
            )
        case "CAPTURE", True:
            return PaymentResult(ref=ref, state="captured", amount=amount, order_id=order_id)
        case ("CAPTURE", False) | ("CAPTURE_FAILED", True):
            return PaymentResult(ref=ref, state="capture_failed", message=NO_MONEY, order_id=order_id)
        case ("CANCELLATION" | "TECHNICAL_CANCEL" | "EXPIRE", True):
            return PaymentResult(ref=ref, state="voided", order_id=order_id)
        case _:
            # A cancellation that came too late among them: the CAPTURE event says what there is instead.
            return None


def refund_of(item: dict[str, Any], code: str, done: bool) -> RefundResult | None:
    """REFUND, and REFUND_FAILED or REFUNDED_REVERSED days after it."""
    if code not in ("REFUND", "REFUND_FAILED", "REFUNDED_REVERSED"):
        return None
    given_back = code == "REFUND" and done
    return RefundResult(
        ref=str(item["pspReference"]),
        payment_ref=str(item["originalReference"]),
        state="done" if given_back else "failed",
        amount=money_of(item.get("amount")),
        order_id=item.get("merchantReference") or None,
        message="" if given_back else NOT_RETURNED,
    )


def dispute_of(item: dict[str, Any], code: str) -> Dispute | None:
    """A chargeback, from its announcement to its end."""
    amount = money_of(item.get("amount"))
    if amount is None:
        return None
    return Dispute(
        ref=str(item["pspReference"]),
        payment_ref=str(item.get("originalReference") or item["pspReference"]),
        amount=amount,
        state=DISPUTES[code],
        reason=code.replace("_", " ").capitalize(),
    )
