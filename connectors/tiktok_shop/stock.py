"""Stock we set in TikTok Shop: absolute, because the hub is where the truth is."""

from __future__ import annotations

from connectors.base import Session
from connectors.errors import Refused
from connectors.tiktok_shop.api import Api, Config, agreed, numbered
from connectors.types import Listing, Stock

LEVELS = "/product/202309/inventory/search"
ALL_WAREHOUSES = frozenset({"12019028", "12052037", "12052533"})
"""All of the SKU's warehouses must be named, and no others."""
MOST = 99_999
"""TikTok counts no further."""


class TikTokShopStock:
    """Sets the sellable quantity of one SKU in its warehouse."""

    def __init__(self, session: Session[Config], api: Api | None = None) -> None:
        self._api = api or Api(session)

    async def set_stock(self, stock: Stock, *, key: str) -> None:
        """TikTok knows no keys: a repeat sets the same number again, so the newest version must come last."""
        listing, quantity = stock.listing, min(stock.quantity, MOST)
        if not listing.location_id:
            raise Refused(
                "This product has several TikTok Shop warehouses. Enter the one whose stock is kept."
            )
        wanted = {listing.location_id: quantity}
        try:
            await self._write(listing, wanted)
        except Refused as refused:
            if refused.code not in ALL_WAREHOUSES:
                raise
            # Only then, because a sale elsewhere between reading and writing would be undone.
            await self._write(listing, await self._levels(listing) | wanted)

    async def _write(self, listing: Listing, levels: dict[str, int]) -> None:
        inventory = [{"warehouse_id": place, "quantity": quantity} for place, quantity in levels.items()]
        path = f"/product/202309/products/{numbered(listing.product_id)}/inventory/update"
        agreed(await self._api.post(path, {"skus": [{"id": listing.variant_id, "inventory": inventory}]}))

    async def _levels(self, listing: Listing) -> dict[str, int]:
        data = await self._api.post(LEVELS, {"sku_ids": [listing.variant_id]})
        try:
            return {
                str(level["warehouse_id"]): int(level["available_quantity"])
                for product in data.get("inventory") or ()
                for sku in product["skus"]
                if str(sku["id"]) == listing.variant_id
                for level in sku["warehouse_inventory"]
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Refused(f"TikTok Shop's stock cannot be read ({type(error).__name__}).") from None
