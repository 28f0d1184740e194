"""What WooCommerce sends us: orders as they are at the moment of sending, not of the event."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Any

from connectors.errors import Refused
from connectors.types import Fact, LevelNews, OrderHint, Webhook
from connectors.woocommerce.api import Config, decoded
from connectors.woocommerce.catalog import quantity_of
from connectors.woocommerce.orders import CARTS, order_of

GREETING = re.compile(rb"webhook_id=\d{1,10}")
"""The first thing a new webhook sends, unsigned; it is switched off when nobody answers."""


class WooWebhooks:
    """The signature covers the body alone. X-WC-Webhook-Delivery-ID is no id: it names a second, in which
    several orders may have been sent. So a delivery is known by its topic and what it says."""

    def __init__(self, config: Config) -> None:
        self._secret = config.webhook_secret.get_secret_value().encode()
        self._site = config.site

    def verify(self, hook: Webhook) -> str:
        """Topic and hash of the body; empty for a greeting."""
        if "x-wc-webhook-signature" not in hook.headers and GREETING.fullmatch(hook.body):
            return ""
        made = base64.b64encode(hmac.new(self._secret, hook.body, hashlib.sha256).digest())
        given = hook.headers.get("x-wc-webhook-signature", "")
        if not hmac.compare_digest(made, given.encode()):
            raise Refused("The signature is not WooCommerce's.")
        topic = hook.headers.get("x-wc-webhook-topic", "")[:80]
        return f"{topic}:{hashlib.sha256(hook.body).hexdigest()}"

    def parse(self, body: bytes) -> Sequence[Fact]:
        """Kinds are told by shape. An order with refunds is read again: the delivery does not say of what."""
        said = decoded(body)
        if not isinstance(said, dict):
            raise Refused("The delivery is not a JSON object.")
        try:
            if "line_items" in said and "status" in said:
                return self._order(said)
            if "stock_quantity" in said and "manage_stock" in said:
                return (level_of(said),)
            # Deleted: nothing is left of it but its number.
            return (OrderHint(order_id=str(int(said["id"]))),) if said.get("id") else ()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Refused(f"The delivery cannot be read ({type(error).__name__}).") from None

    def _order(self, said: dict[str, Any]) -> Sequence[Fact]:
        if said["status"] in CARTS:
            return ()
        if said.get("refunds"):
            return (OrderHint(order_id=str(int(said["id"]))),)
        order = order_of(said, (), self._site)
        return (order,) if order else ()


def level_of(said: dict[str, Any]) -> LevelNews:
    """A product as it is now, whatever changed about it."""
    counted = said["manage_stock"] is True
    return LevelNews(variant_id=str(said["id"]), quantity=quantity_of(said) if counted else None)
