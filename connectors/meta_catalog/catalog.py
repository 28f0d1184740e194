"""The catalogue's items. Our SKU is what Meta calls the retailer's id."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

from connectors.base import Session
from connectors.errors import Refused
from connectors.meta_catalog.api import Api, Config
from connectors.meta_catalog.shown import SHOWN_FIELDS, hidden_why
from connectors.types import Listing, Money, Product, exponent

FIELDS = f"id,retailer_id,name,price,currency,availability,inventory,image_url,{SHOWN_FIELDS}"
SELLABLE = frozenset({"in stock", "available for order", "preorder"})


class MetaCatalog:
    """Items that have a retailer's id."""

    def __init__(self, session: Session[Config], api: Api | None = None) -> None:
        self._api = api or Api(session)

    async def products(self) -> AsyncIterator[Product]:
        """Every one of them, `hidden` ones too; quantities are None where the catalogue keeps none."""
        async for node in self._api.pages("products", fields=FIELDS):
            if not node.get("retailer_id"):
                continue
            try:
                yield product_of(node)
            except Refused:
                # A draft may lack a price; what shoppers see may not.
                if not hidden_why(node):
                    raise


def product_of(node: dict[str, Any]) -> Product:
    """One item; Refused when it cannot be read."""
    try:
        return Product(
            listing=listing_of(node),
            title=node["name"],
            price=shown_price(node["price"], node["currency"]),
            quantity=quantity_of(node),
            image_url=node.get("image_url"),
            hidden=hidden_why(node),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(f"An item of the Meta catalogue cannot be read ({type(error).__name__}).") from None


def listing_of(node: dict[str, Any]) -> Listing:
    """Where it is: writes name it by the retailer's id, not by Meta's."""
    sku = str(node["retailer_id"])
    return Listing(sku=sku, product_id=str(node["id"]), variant_id=sku)


def quantity_of(node: dict[str, Any]) -> int | None:
    """What shoppers see: nothing of what is out of stock, whatever number stands beside it."""
    if str(node.get("availability")) not in SELLABLE:
        return 0
    count = node.get("inventory")
    return None if count is None else max(0, int(count))


def shown_price(text: str, currency: str) -> Money:
    """From what is written for people: "€1,234.50", "1.234,50 €". ValueError when there is no number."""
    found = re.search(r"[0-9][0-9.,' \u00a0\u202f]*", text)
    if not found:
        raise ValueError("no price")
    number, digits = found[0].rstrip(".,' \u00a0\u202f"), exponent(currency)
    whole, mark, part = number, "", ""
    if digits and (cut := re.fullmatch(rf"(.*)[.,]([0-9]{{{digits}}})", number)):
        whole, mark, part = cut[1], ".", cut[2]
    return Money.of(re.sub(r"[^0-9]", "", whole) + mark + part, currency)
