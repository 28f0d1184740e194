"""Stock we set in Shopify: absolute, because the hub is where the truth is."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from connectors.base import Session
from connectors.errors import Refused
from connectors.shopify.api import Config, Graph, agreed
from connectors.shopify.queries import SET_STOCK
from connectors.types import Stock

FAILED_BEFORE = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"


class ShopifyStock:
    """Sets the sellable ("available") quantity of one variant at its location."""

    def __init__(self, session: Session[Config], graph: Graph | None = None) -> None:
        self._graph = graph or Graph(session)

    async def set_stock(self, stock: Stock, *, key: str) -> None:
        """The same key twice changes nothing. Refused when Shopify counts no stock of the variant."""
        listing = stock.listing
        if not listing.inventory_item_id or not listing.location_id:
            raise Refused("Shopify does not track this product's stock at this location.")
        quantity = {
            "inventoryItemId": listing.inventory_item_id,
            "locationId": listing.location_id,
            "quantity": stock.quantity,
            # Explicit null: whatever Shopify counted, ours is right. The field itself is compulsory.
            "changeFromQuantity": None,
        }
        setting = {
            "name": "available",
            "reason": "correction",
            "referenceDocumentUri": f"gid://simulcast-hub/Stock/{stock.version}",
            "quantities": [quantity],
        }
        try:
            await self._set(setting, key)
        except Refused as refused:
            if refused.code != FAILED_BEFORE:
                raise
            # Shopify remembers that an attempt failed; another try needs another key.
            await self._set(setting, f"{key}:again")

    async def _set(self, setting: dict[str, Any], key: str) -> None:
        # Shopify wants a UUID; the same key of ours always makes the same one.
        answer = await self._graph.run(SET_STOCK, input=setting, key=str(uuid5(NAMESPACE_URL, key)))
        agreed(answer.data["inventorySetQuantities"])
