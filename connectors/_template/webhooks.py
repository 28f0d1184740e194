"""What the platform sends us. Pure functions: no network, no clock but the request's own."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime

from connectors._template.api import Config
from connectors.errors import Refused
from connectors.types import ChatMessage, Fact, Webhook

TOLERANCE_SECONDS = 300


class ExampleWebhooks:
    """Verify first, store, answer 202; only then parse."""

    def __init__(self, config: Config) -> None:
        self._secret = config.client_secret.get_secret_value().encode()

    def verify(self, hook: Webhook) -> str:
        """The delivery's id. The signature covers the raw bytes, so nothing is parsed before this."""
        stamp, given = hook.headers.get("x-timestamp", ""), hook.headers.get("x-signature", "")
        expected = hmac.new(self._secret, stamp.encode() + b"." + hook.body, hashlib.sha256).hexdigest()
        # compare_digest takes the same time whatever differs; bytes, because headers may be non-ASCII.
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise Refused("The signature is not the platform's.")
        if not stamp.isdecimal() or abs(hook.received_at.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
            raise Refused("The delivery is too old.")
        return hook.headers.get("x-delivery", given)

    def parse(self, body: bytes) -> Sequence[Fact]:
        """Unknown kinds are no facts; a body that cannot be read is refused."""
        try:
            event = json.loads(body)
            if event["type"] != "message":
                return ()
            return (
                ChatMessage(id=event["id"], text=event["text"], sent_at=datetime.fromisoformat(event["at"])),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(f"The delivery cannot be read ({type(error).__name__}).") from None
