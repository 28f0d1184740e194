"""Delivers the fake's events, signed together with the address they were subscribed for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from connectors.fakes import Deliveries


class Hooks(Deliveries):
    """The application's one subscription.

    `subscribed` is the address that is signed; `url`, where deliveries go, may be the way there.
    """

    def __init__(self, secret: str, subscribed: str) -> None:
        super().__init__(self._headers)
        self.secret = secret
        self.subscribed = subscribed

    def tell(self, event: dict[str, Any]) -> None:
        """Send an event some time soon; nothing waits for it."""
        self.send(json.dumps(event))

    def _headers(self, body: str) -> dict[str, str]:
        signed = hmac.new(self.secret.encode(), (self.subscribed + body).encode(), hashlib.sha256).digest()
        signature = base64.b64encode(signed).decode()
        return {"content-type": "application/json", "x-square-hmacsha256-signature": signature}
