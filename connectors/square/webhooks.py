"""What Square sends us: each event shows its payment, refund or dispute whole, as it was then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from square.utils.webhooks_helper import verify_signature

from connectors.errors import Refused, RetryLater
from connectors.square.api import Config
from connectors.square.results import dispute_of, refund_of, result_of
from connectors.types import Fact, Webhook

NO_ADDRESS = "Square signs the webhook's address: enter it in this connection's settings as it is at Square."


class SquareWebhooks:
    """Events signed together with the address they are sent to."""

    def __init__(self, config: Config) -> None:
        self._secret = config.signature_key_secret.get_secret_value()
        self._url = config.notification_url
        self._location = config.location_id

    def verify(self, hook: Webhook) -> str:
        """The event's id. Events have no time in their signature: an old one says again what was true."""
        if not self._url:
            raise Refused(NO_ADDRESS)
        try:
            genuine = verify_signature(
                request_body=hook.body.decode(),
                signature_header=hook.headers.get("x-square-hmacsha256-signature", ""),
                signature_key=self._secret,
                notification_url=self._url,
            )
        except ValueError:
            genuine = False
        if not genuine:
            raise Refused("The signature is not Square's.")
        event_id = read(hook.body).get("event_id")
        if not isinstance(event_id, str) or not event_id:
            raise Refused("The delivery has no id.")
        return event_id

    def parse(self, body: bytes) -> Sequence[Fact]:
        """A payment, refund or dispute of our location; the rest is nothing."""
        event = read(body)
        try:
            kind = str(event["type"]).partition(".")[0]
            if kind not in ("payment", "refund", "dispute"):
                return ()
            thing: dict[str, Any] = event["data"]["object"][kind]
            if thing.get("location_id", self._location) != self._location:
                return ()
            made: dict[str, Any] = {"payment": result_of, "refund": refund_of, "dispute": dispute_of}
            fact = made[kind](thing)
            return () if fact is None else (fact,)
        except (KeyError, TypeError, AttributeError, ValueError, RetryLater) as error:
            raise Refused(f"The delivery cannot be read ({type(error).__name__}).") from None


def read(body: bytes) -> dict[str, Any]:
    """The event; Refused when it is not a JSON object."""
    try:
        event = json.loads(body)
    except ValueError:
        raise Refused("The delivery is not JSON.") from None
    if not isinstance(event, dict):
        raise Refused("The delivery is not an event.")
    return event
