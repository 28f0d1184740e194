"""Delivers the fake's webhook items, signed by the vendor's own function, again until they arrive."""

from __future__ import annotations

import json
from typing import Any

from Adyen.util import generate_notification_sig  # type: ignore[import-untyped]  # it ships no types

from connectors.fakes import Deliveries


class Hooks(Deliveries):
    """The account's one Standard webhook."""

    def __init__(self, secret: str) -> None:
        super().__init__(lambda _: {"content-type": "application/json"})
        self.secret = secret

    def tell(self, item: dict[str, Any]) -> None:
        """Send an item some time soon; nothing waits for it."""
        self.send(json.dumps(signed(item, self.secret)))


def signed(item: dict[str, Any], secret: str) -> dict[str, Any]:
    """A delivery with one item, as Adyen sends them."""
    signature: bytes = generate_notification_sig(item, secret)
    item = {**item, "additionalData": {"hmacSignature": signature.decode()}}
    return {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
