"""Delivers the fake's notifications, signed as Braintree signs them, again until they arrive."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from braintree.util.crypto import Crypto  # type: ignore[import-untyped]  # it ships no types

from connectors.braintree.fake_xml import document
from connectors.fakes import Deliveries


class Hooks(Deliveries):
    """The merchant's one webhook."""

    def __init__(self, public_key: str, secret: str) -> None:
        super().__init__(lambda _: {"content-type": "application/x-www-form-urlencoded"})
        self.public_key = public_key
        self.secret = secret

    def tell(self, kind: str, subject: dict[str, Any]) -> None:
        """Send a notification some time soon; nothing waits for it."""
        about = {"timestamp": datetime.now(UTC), "kind": kind, "subject": subject}
        self.send(self._signed(document("notification", about)))

    def _signed(self, notification: str) -> str:
        payload = base64.encodebytes(notification.encode()).decode()
        signature = Crypto.sha1_hmac_hash(self.secret, payload)
        # Another key of the account signs as well, as it does while keys are exchanged.
        both = f"anotherkey|{'0' * 40}&{self.public_key}|{signature}"
        return urlencode({"bt_signature": both, "bt_payload": payload})
