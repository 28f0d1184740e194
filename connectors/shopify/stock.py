"""Stock we set in Shopify, and read back: absolute, because the hub is where the truth is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from connectors.base import Session
from connectors.errors import STALE, Refused
from connectors.shopify.api import Config, Graph, agreed
from connectors.shopify.queries import LEVELS, SET_STOCK
from connectors.types import Level, Listing, Stock

FAILED_BEFORE = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
CHANGED = "CHANGE_FROM_QUANTITY_STALE"
AT_ONCE = 50
"""Items of one question: well below the points that one query may cost."""


class ShopifyStock:
    """Sets and reads the sellable ("available") quantity of variants at their location."""

    def __init__(self, session: Session[Config], graph: Graph | None = None) -> None:
        self._graph = graph or Graph(session)

    async def set_stock(self, stock: Stock, *, key: str) -> None:
        """The same key twice changes nothing. Refused when Shopify counts no stock of the variant.

        STALE: a sale or a hand changed what Shopify holds, and nothing was set.
        """
        listing = stock.listing
        if not listing.inventory_item_id or not listing.location_id:
            raise Refused("Shopify does not track this product's stock at this location.")
        quantity = {
            "inventoryItemId": listing.inventory_item_id,
            "locationId": listing.location_id,
            "quantity": stock.quantity,
            # Compulsory; null means that whatever Shopify counted, ours is right.
            "changeFromQuantity": stock.expected,
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
            if refused.code == CHANGED:
                raise Refused("Shopify holds another number than we told it.", code=STALE) from None
            if refused.code != FAILED_BEFORE:
                raise
            # Shopify remembers that an attempt failed; another try needs another key.
            await self._set(setting, f"{key}:again")

    async def levels(self, listings: Sequence[Listing]) -> Sequence[Level]:
        """What Shopify would sell; None for what it does not track."""
        found: list[Level] = []
        places: dict[str, list[Listing]] = {}
        for one in listings:
            if one.inventory_item_id and one.location_id:
                places.setdefault(one.location_id, []).append(one)
        for place, here in places.items():
            for start in range(0, len(here), AT_ONCE):
                found += await self._levels(place, here[start : start + AT_ONCE])
        return found

    async def _levels(self, place: str, listings: Sequence[Listing]) -> list[Level]:
        ids = [one.inventory_item_id for one in listings]
        answer = await self._graph.run(LEVELS, ids=ids, location=place)
        try:
            known = {node["id"]: quantity_of(node) for node in answer.data["nodes"] if node}
        except (KeyError, TypeError, IndexError) as error:
            raise Refused(f"Shopify's stock cannot be read ({type(error).__name__}).") from None
        named = [(one, one.inventory_item_id or "") for one in listings]
        return [Level(listing=one, quantity=known[item]) for one, item in named if item in known]

    async def _set(self, setting: dict[str, Any], key: str) -> None:
        # Shopify wants a UUID; the same key of ours always makes the same one.
        answer = await self._graph.run(SET_STOCK, input=setting, key=str(uuid5(NAMESPACE_URL, key)))
        agreed(answer.data["inventorySetQuantities"])


def quantity_of(node: dict[str, Any]) -> int | None:
    """Of one inventory item; None where Shopify does not track it, or not at this location."""
    level = node["inventoryLevel"]
    return int(level["quantities"][0]["quantity"]) if node["tracked"] and level else None
