"""WooCommerce's products, and the variations of those that have some."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from connectors.base import Session
from connectors.errors import Refused
from connectors.types import Listing, Product
from connectors.woocommerce.api import PER_PAGE, Api, Config
from connectors.woocommerce.money import money


class WooCatalog:
    """Published products that have a SKU: without one, nothing of ours could be tied to them."""

    def __init__(self, session: Session[Config], api: Api | None = None) -> None:
        self._api = api or Api(session)

    async def products(self) -> AsyncIterator[Product]:
        """Every simple product and every variation; quantities are None where WooCommerce counts none."""
        currency = await self._currency()
        async for product in self._all("products", status="publish"):
            if product.get("type") != "variable":
                if product.get("sku"):
                    yield product_of(product, None, currency)
                continue
            async for variation in self._all(f"products/{product['id']}/variations"):
                if variation.get("sku"):
                    yield product_of(product, variation, currency)

    async def _all(self, path: str, **query: str) -> AsyncIterator[dict[str, Any]]:
        page = 1
        while True:
            found = await self._api.get(
                path, per_page=PER_PAGE, page=page, orderby="id", order="asc", **query
            )
            if not isinstance(found, list):
                raise Refused("WooCommerce's catalogue cannot be read.")
            for one in found:
                yield one
            if len(found) < PER_PAGE:
                return
            page += 1

    async def _currency(self) -> str:
        found = await self._api.get("data/currencies/current")
        code = found.get("code") if isinstance(found, dict) else None
        if not isinstance(code, str):
            raise Refused("WooCommerce does not say which currency its prices are in.")
        return code


def product_of(product: dict[str, Any], variation: dict[str, Any] | None, currency: str) -> Product:
    """One thing on sale; Refused when it cannot be read."""
    it = variation or product
    try:
        # A variation may leave the counting to its product ("parent"): then it has no number of its own.
        counted = it.get("manage_stock") is True
        pictures = [it.get("image"), *(product.get("images") or ())]
        return Product(
            listing=Listing(
                sku=it["sku"],
                product_id=str(product["id"]),
                variant_id=str(it["id"]),
                inventory_item_id=str(it["id"]) if counted else None,
            ),
            title=product["name"],
            variant_title=words_of(variation),
            price=money(it.get("price") or "0", currency),
            quantity=quantity_of(it) if counted else None,
            image_url=next((one["src"] for one in pictures if one and one.get("src")), None),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(f"A product of WooCommerce cannot be read ({type(error).__name__}).") from None


def words_of(variation: dict[str, Any] | None) -> str:
    """What sets a variation apart, like "Red / L"."""
    attributes = (variation or {}).get("attributes") or ()
    return " / ".join(str(one["option"]) for one in attributes if one.get("option"))


def quantity_of(it: dict[str, Any]) -> int | None:
    """Pieces on the shelf; some plugins say it as a text. Oversold backorders are below nought: none left."""
    count = it.get("stock_quantity")
    return None if count is None else max(0, int(float(count)))
