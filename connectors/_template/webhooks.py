"""What the platform sends us. Pure functions: no network, no clock but the request's own."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from connectors._template.api import Config
from connectors._template.chat import message_of
from connectors.errors import Refused
from connectors.types import ChatNews, Fact, Webhook

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
            # Named by its chat, so that the hub finds the show. The same message comes by reading, with the
            # same id: whichever is first counts.
            return (ChatNews(chat_ref=event["broadcast"], items=(message_of(event),)),)
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(f"The delivery cannot be read ({type(error).__name__}).") from None


def handshake(config: Config, query: Mapping[str, str]) -> str:
    """The answer to a GET that asks whether this address is ours: their question, but only to who knows us.

    Without the comparison anybody could make our server say anything.
    """
    asked = query.get("verify_token", "").encode()
    if not hmac.compare_digest(asked, verify_token(config).encode()):
        raise Refused("The verify token is not ours.")
    return query.get("challenge", "")


def verify_token(config: Config) -> str:
    """What the brand enters at the platform; made from the secret, so that there is nothing more to keep."""
    secret = config.client_secret.get_secret_value().encode()
    return hmac.new(secret, b"verify token", hashlib.sha256).hexdigest()[:32]
