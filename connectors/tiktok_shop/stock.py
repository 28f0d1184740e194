"""Stock we set in TikTok Shop, and read back: absolute, because the hub is where the truth is."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Session
from connectors.errors import Refused
from connectors.tiktok_shop.api import Api, Config, agreed, numbered
from connectors.types import Level, Listing, Stock

LEVELS = "/product/202309/inventory/search"
ALL_WAREHOUSES = frozenset({"12019028", "12052037", "12052533"})
"""All of the SKU's warehouses must be named, and no others."""
MOST = 99_999
"""TikTok counts no further."""
AT_ONCE = 600
"""SKUs of one question."""


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
            held = await self._held([listing.variant_id])
            await self._write(listing, held.get(listing.variant_id, {}) | wanted)

    async def levels(self, listings: Sequence[Listing]) -> Sequence[Level]:
        """What TikTok would sell out of our warehouse; campaigns' and creators' shares are apart."""
        found: list[Level] = []
        for start in range(0, len(listings), AT_ONCE):
            here = listings[start : start + AT_ONCE]
            held = await self._held([one.variant_id for one in here])
            for one in here:
                places = held.get(one.variant_id)
                if places is not None and one.location_id:
                    found.append(Level(listing=one, quantity=places.get(one.location_id)))
        return found

    async def _write(self, listing: Listing, levels: dict[str, int]) -> None:
        inventory = [{"warehouse_id": place, "quantity": quantity} for place, quantity in levels.items()]
        path = f"/product/202309/products/{numbered(listing.product_id)}/inventory/update"
        agreed(await self._api.post(path, {"skus": [{"id": listing.variant_id, "inventory": inventory}]}))

    async def _held(self, skus: Sequence[str]) -> dict[str, dict[str, int]]:
        """SKU → warehouse → what is available there."""
        data = await self._api.post(LEVELS, {"sku_ids": list(skus)})
        try:
            return {
                str(sku["id"]): {
                    str(level["warehouse_id"]): int(level["available_quantity"])
                    for level in sku["warehouse_inventory"]
                }
                for product in data.get("inventory") or ()
                for sku in product["skus"]
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Refused(f"TikTok Shop's stock cannot be read ({type(error).__name__}).") from None
