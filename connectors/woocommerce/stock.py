"""Stock we set in WooCommerce, and read back: absolute, because the hub is where the truth is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.base import Session
from connectors.errors import STALE, Refused, RetryLater
from connectors.types import Level, Listing, Stock
from connectors.woocommerce.api import PER_PAGE, Api, Config
from connectors.woocommerce.catalog import quantity_of
from connectors.woocommerce.order_source import numbered

UNCOUNTED = (
    "WooCommerce does not count this product. Switch on “Track stock quantity” for it, not for its parent."
)
ENDLESS = (
    "WooCommerce goes on selling this product when none is left. Set “Allow backorders” to “Do not allow”."
)


class WooStock:
    """There is no comparing on WooCommerce's side: we read, compare, write, and check what came of it."""

    def __init__(self, session: Session[Config], api: Api | None = None) -> None:
        self._api = api or Api(session)

    async def set_stock(self, stock: Stock, *, key: str) -> None:
        """Repeatable: a number that is there already is not written again.

        A sale between our reading and our writing is undone by the write; the order it belongs to comes to
        us all the same and makes us write once more. STALE: such a sale happened before we read.
        """
        path = path_of(stock.listing)
        held = held_by(await self._api.find(path))
        if stock.expected is not None and held not in (stock.expected, stock.quantity):
            raise Refused("WooCommerce holds another number than we told it.", code=STALE)
        if held != stock.quantity:
            written = await self._api.send("PUT", path, {"stock_quantity": stock.quantity})
            if held_by(written) != stock.quantity:
                # Caches and plugins answer with what was there before.
                raise RetryLater("WooCommerce has not taken the new stock yet.", 10.0, unknown=True)
            if stock.quantity == 0 and written.get("backorders") not in (None, "no"):
                raise Refused(ENDLESS, code="backorders")

    async def levels(self, listings: Sequence[Listing]) -> Sequence[Level]:
        """What WooCommerce would sell; None for what it does not count."""
        groups: dict[str, list[Listing]] = {}
        for one in listings:
            parent = one.product_id if one.variant_id != one.product_id else ""
            groups.setdefault(parent, []).append(one)
        found: list[Level] = []
        for parent, here in groups.items():
            path = f"products/{numbered(parent)}/variations" if parent else "products"
            for start in range(0, len(here), PER_PAGE):
                found += await self._levels(path, here[start : start + PER_PAGE])
        return found

    async def _levels(self, path: str, listings: Sequence[Listing]) -> list[Level]:
        include = ",".join(numbered(one.variant_id) for one in listings)
        answer = await self._api.get(path, include=include, per_page=PER_PAGE)
        try:
            known = {str(one["id"]): one for one in answer}
            return [
                Level(listing=one, quantity=count_of(known[one.variant_id]))
                for one in listings
                if one.variant_id in known
            ]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Refused(f"WooCommerce's stock cannot be read ({type(error).__name__}).") from None


def path_of(listing: Listing) -> str:
    """Where the thing is; its own stock or none."""
    if listing.variant_id == listing.product_id:
        return f"products/{numbered(listing.product_id)}"
    return f"products/{numbered(listing.product_id)}/variations/{numbered(listing.variant_id)}"


def held_by(found: dict[str, Any] | None) -> int:
    """What WooCommerce counts; Refused when it does not, or knows no such product."""
    if found is None:
        raise Refused("WooCommerce has this product no longer.", code="gone")
    try:
        count = count_of(found)
    except (TypeError, ValueError) as error:
        raise Refused(f"WooCommerce's stock cannot be read ({type(error).__name__}).") from None
    if count is None:
        raise Refused(UNCOUNTED, code="uncounted")
    return count


def count_of(found: dict[str, Any]) -> int | None:
    """None for what is not counted, or is counted by its parent."""
    return quantity_of(found) if found.get("manage_stock") is True else None
