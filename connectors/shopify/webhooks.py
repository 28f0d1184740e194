"""What Shopify sends us: whole orders, things that happened to one, and what it counts now."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from connectors.errors import Refused
from connectors.http import decoded
from connectors.shopify.api import Config
from connectors.shopify.orders import from_webhook, gid
from connectors.types import Fact, LevelNews, OrderHint, Webhook


class ShopifyWebhooks:
    """The signature covers the body alone: no time in it, so an old delivery is told by its content."""

    def __init__(self, config: Config) -> None:
        self._secret = config.webhook_secret.get_secret_value().encode()
        self._shop = config.shop

    def verify(self, hook: Webhook) -> str:
        """Topic and event: an event's repeats share it, whatever subscription or attempt they come by."""
        made = base64.b64encode(hmac.new(self._secret, hook.body, hashlib.sha256).digest())
        given = hook.headers.get("x-shopify-hmac-sha256", "")
        if not hmac.compare_digest(made, given.encode()):
            raise Refused("The signature is not Shopify's.")
        if hook.headers.get("x-shopify-shop-domain", self._shop) != self._shop:
            raise Refused("The delivery is another store's.")
        names = ("x-shopify-event-id", "x-shopify-webhook-id")
        delivery = next((hook.headers[name] for name in names if hook.headers.get(name)), None)
        if delivery is None:
            raise Refused("The delivery has no id.")
        return f"{hook.headers.get('x-shopify-topic', '')}:{delivery}"

    def parse(self, body: bytes) -> Sequence[Fact]:
        """Topics are told by shape: the order itself, or something that names an order to read again."""
        said = decoded(body)
        if said is None:
            raise Refused("The delivery is not a JSON object.")
        try:
            # Fulfilments have lines too, but no money.
            if "line_items" in said and "financial_status" in said:
                return (from_webhook(said, self._shop),)
            if "inventory_item_id" in said and "available" in said:
                return (level_of(said),)
            about = said.get("order_id") or (said.get("order_edit") or {}).get("order_id")
            return (OrderHint(order_id=gid("Order", about)),) if about else ()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # A ValueError of the parser quotes the order, which is a buyer's business.
            raise Refused(f"The delivery cannot be read ({type(error).__name__}).") from None


def level_of(said: dict[str, Any]) -> LevelNews:
    """inventory_levels/update: no cause, no SKU; null where Shopify does not count."""
    return LevelNews(
        inventory_item_id=gid("InventoryItem", int(said["inventory_item_id"])),
        location_id=gid("Location", int(said["location_id"])),
        quantity=said["available"],
    )
