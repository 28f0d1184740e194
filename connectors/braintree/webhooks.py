"""What Braintree sends us: a signed form with XML in it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import parse_qs
from xml.parsers.expat import ExpatError

from braintree import (  # type: ignore[import-untyped]  # it ships no types
    BraintreeGateway,
    Configuration,
    Environment,
)
from braintree.exceptions.braintree_error import (  # type: ignore[import-untyped]  # it ships no types
    BraintreeError,
)
from braintree.util.xml_util import XmlUtil  # type: ignore[import-untyped]  # it ships no types

from connectors.braintree.api import Config
from connectors.braintree.results import money_of, result_of
from connectors.errors import Refused, RetryLater
from connectors.types import Dispute, Fact, Money, RefundResult, Webhook

DISPUTES: dict[str, Literal["open", "won", "lost"]] = {
    **dict.fromkeys(("dispute_opened", "dispute_under_review", "dispute_disputed"), "open"),
    "dispute_won": "won",
    **dict.fromkeys(("dispute_lost", "dispute_accepted", "dispute_auto_accepted", "dispute_expired"), "lost"),
}
PAYMENTS = frozenset({"transaction_settled", "transaction_settlement_declined", "transaction_disbursed"})
BROKEN = (KeyError, TypeError, AttributeError, ValueError, ExpatError, RetryLater)


class BraintreeWebhooks:
    """`bt_signature` covers `bt_payload`, which has no id of its own."""

    def __init__(self, config: Config) -> None:
        keys = (config.merchant_id, config.public_key, config.private_key_secret.get_secret_value())
        # Which environment is nothing to a signature; nothing is called.
        self._reader = BraintreeGateway(Configuration(Environment.Sandbox, *keys)).webhook_notification

    def verify(self, hook: Webhook) -> str:
        """A digest of the payload: a repeat is the same payload, whatever signatures come with it."""
        signature, payload = form_of(hook.body)
        try:
            self._reader.parse(signature, payload)
        except BraintreeError:
            raise Refused("The signature is not Braintree's.") from None
        except BROKEN as error:
            raise Refused(f"The delivery cannot be read ({type(error).__name__}).") from None
        return hashlib.sha256(payload.encode()).hexdigest()

    def parse(self, body: bytes) -> Sequence[Fact]:
        """A settled or failed payment, a failed refund, a dispute; the rest is nothing."""
        _, payload = form_of(body)
        try:
            notification = XmlUtil.dict_from_xml(base64.b64decode(payload))["notification"]
            kind, subject = str(notification["kind"]), notification["subject"]
            if kind in PAYMENTS:
                return (result_of(subject["transaction"]),)
            if kind == "refund_failed":
                return (refund_of(subject["transaction"]),)
            return (dispute_of(subject["dispute"], kind),) if kind in DISPUTES else ()
        except (*BROKEN, binascii.Error) as error:
            raise Refused(f"The delivery cannot be read ({type(error).__name__}).") from None


def form_of(body: bytes) -> tuple[str, str]:
    """Signature and payload; Refused when they are not there."""
    try:
        form = parse_qs(body.decode("ascii"), strict_parsing=True)
        return form["bt_signature"][0], form["bt_payload"][0]
    except (ValueError, KeyError):
        raise Refused("The delivery is not Braintree's.") from None


def refund_of(transaction: dict[str, Any]) -> RefundResult:
    """A refund that the bank sent back, days later."""
    return RefundResult(
        ref=str(transaction["id"]),
        payment_ref=str(transaction["refunded_transaction_id"]),
        state="failed",
        amount=money_of(transaction),
        message="The bank did not take the refund.",
    )


def dispute_of(dispute: dict[str, Any], kind: str) -> Dispute:
    """A dispute, from its beginning to its end."""
    amount = str(dispute.get("amount_disputed") or dispute["amount"])
    return Dispute(
        ref=str(dispute["id"]),
        payment_ref=str(dispute["transaction"]["id"]),
        amount=Money.of(amount, str(dispute["currency_iso_code"])),
        state=DISPUTES[kind],
        reason=str(dispute.get("reason") or "").replace("_", " ").capitalize(),
    )
