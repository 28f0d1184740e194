"""Shopify's products, variant by variant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from connectors.base import Session
from connectors.errors import Refused
from connectors.shopify.api import Config, Graph
from connectors.shopify.queries import PRIMARY_LOCATION, VARIANTS
from connectors.types import Listing, Money, Product

NO_TITLE = "Default Title"
"""What Shopify calls the only variant of a product without options."""


class ShopifyCatalog:
    """Active variants that have a SKU: without one, nothing of ours could be tied to them."""

    def __init__(self, session: Session[Config], graph: Graph | None = None) -> None:
        self._graph = graph or Graph(session)
        self._location = session.config.location_id

    async def products(self) -> AsyncIterator[Product]:
        """Every active variant; quantities are those of one location, None where Shopify counts none."""
        location = self._location or await self._primary()
        async for page in self._graph.pages(VARIANTS, "productVariants", location=location):
            currency = page.data["shop"]["currencyCode"]
            for node in page.data["productVariants"]["nodes"]:
                if node["sku"]:
                    yield product_of(node, currency, location)

    async def _primary(self) -> str:
        location = (await self._graph.run(PRIMARY_LOCATION)).data["location"]
        if not location:
            raise Refused("This Shopify store has no location that holds stock.")
        return str(location["id"])


def product_of(node: dict[str, Any], currency: str, location: str) -> Product:
    """One variant as the VARIANTS query gives it."""
    item, owner = node["inventoryItem"], node["product"]
    level = item["inventoryLevel"]
    quantities = level["quantities"] if level else []
    picture = ((owner["featuredMedia"] or {}).get("preview") or {}).get("image") or {}
    return Product(
        listing=Listing(
            sku=node["sku"],
            product_id=owner["id"],
            variant_id=node["id"],
            location_id=location if level else None,
            inventory_item_id=item["id"] if item["tracked"] else None,
        ),
        title=owner["title"],
        variant_title="" if node["title"] == NO_TITLE else node["title"],
        price=Money.of(node["price"], currency),
        quantity=quantities[0]["quantity"] if item["tracked"] and quantities else None,
        image_url=picture.get("url"),
    )
