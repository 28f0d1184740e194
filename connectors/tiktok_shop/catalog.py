"""TikTok Shop's products, SKU by SKU."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from connectors.base import Session
from connectors.errors import Refused
from connectors.tiktok_shop.api import Api, Config
from connectors.types import Listing, Money, Product

SEARCH = "/product/202502/products/search"


class TikTokShopCatalog:
    """Active SKUs that have a seller SKU: without one, nothing of ours could be tied to them."""

    def __init__(self, session: Session[Config], api: Api | None = None) -> None:
        self._api = api or Api(session)
        self._warehouse = session.config.warehouse_id

    async def products(self) -> AsyncIterator[Product]:
        """Every active SKU. The search tells neither pictures nor names of variants."""
        async for page in self._api.pages(SEARCH, {"status": "ACTIVATE"}):
            for product in page.get("products") or ():
                for sku in product.get("skus") or ():
                    if sku.get("seller_sku"):
                        yield product_of(product, sku, self._warehouse)


def product_of(product: dict[str, Any], sku: dict[str, Any], warehouse: str | None) -> Product:
    """One SKU as the search gives it; Refused when it cannot be read."""
    try:
        stock = {str(one["warehouse_id"]): int(one["quantity"]) for one in sku.get("inventory") or ()}
        # None while it is not said which of several warehouses is ours to write.
        kept = warehouse or (next(iter(stock)) if len(stock) == 1 else "")
        price = sku["price"]
        return Product(
            listing=Listing(
                sku=sku["seller_sku"],
                product_id=str(product["id"]),
                variant_id=str(sku["id"]),
                location_id=kept if kept in stock else None,
            ),
            title=product["title"],
            price=Money.of(price.get("sale_price") or price["tax_exclusive_price"], price["currency"]),
            quantity=stock.get(kept),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(f"A product of TikTok Shop cannot be read ({type(error).__name__}).") from None
