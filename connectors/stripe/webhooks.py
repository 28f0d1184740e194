"""What Stripe sends us. The event is a word on a payment, never the order of things: events overtake."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import stripe

from connectors.errors import Refused
from connectors.stripe.api import Config
from connectors.stripe.results import dispute_of, refund_of, result_of
from connectors.types import Fact, PaymentResult, Webhook

OLDEST_SECONDS = 300
AHEAD_SECONDS = 60


class StripeWebhooks:
    """Signed events about PaymentIntents, their refunds and disputes."""

    def __init__(self, config: Config) -> None:
        self._secret = config.webhook_secret.get_secret_value()
        self._test = config.test_mode

    def verify(self, hook: Webhook) -> str:
        """The event's id; Refused when forged, altered, stale, or from the future."""
        header = hook.headers.get("stripe-signature", "")
        if not header.isascii():
            # The vendor's comparison raises TypeError on these.
            raise Refused("The signature is not Stripe's.")
        try:
            # No tolerance: theirs would ask the wall clock; ours is in the request.
            stripe.WebhookSignature.verify_header(hook.body, header, self._secret, None)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            raise Refused("The signature is not Stripe's.") from None
        stamp = int(next(part[2:] for part in header.split(",") if part.startswith("t=")))
        age = hook.received_at.timestamp() - stamp
        if not -AHEAD_SECONDS <= age <= OLDEST_SECONDS:
            raise Refused("The delivery is too old, or a clock is wrong.")
        event_id = read(hook.body).get("id")
        if not isinstance(event_id, str) or not event_id:
            raise Refused("The delivery has no id.")
        return event_id

    def parse(self, body: bytes) -> Sequence[Fact]:
        """The payment, refund or dispute as it was when the event happened."""
        event = read(body)
        try:
            kind, thing = str(event["type"]), event["data"]["object"]
            if isinstance(event.get("livemode"), bool) and event["livemode"] is self._test:
                raise Refused(
                    "This event is about play money and the linked key is not, or the other way round."
                )
            return facts(kind, thing)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Refused(f"The delivery cannot be read ({type(error).__name__}).") from None


def facts(kind: str, thing: dict[str, Any]) -> Sequence[Fact]:
    """What an event's object says; nothing for kinds that add nothing."""
    if kind.startswith("payment_intent."):
        return (result_of(thing),)
    if kind.startswith("refund."):
        return (refund_of(thing),) if thing.get("payment_intent") else ()
    if kind.startswith("charge.dispute."):
        return (dispute_of(thing),) if thing.get("payment_intent") else ()
    ref = str(thing.get("payment_intent") or "")
    if kind == "charge.expired" and ref:
        return (PaymentResult(ref=ref, state="voided"),)
    # A void gives the uncaptured amount "back" as well; that is no refund.
    if kind == "charge.refunded" and thing["refunded"] and thing.get("amount_captured"):
        return (PaymentResult(ref=str(thing["payment_intent"]), state="refunded"),)
    return ()


def read(body: bytes) -> dict[str, Any]:
    """The event; Refused when it is not a JSON object."""
    try:
        event = json.loads(body)
    except ValueError:
        raise Refused("The delivery is not JSON.") from None
    if not isinstance(event, dict):
        raise Refused("The delivery is not an event.")
    return event
