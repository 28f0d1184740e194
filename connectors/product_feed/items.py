"""What an item says, as the boundary's values. Pure.

https://support.google.com/merchants/answer/7052112 (product data specification)
"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import ValidationError

from connectors.product_feed.parse import Item
from connectors.types import Listing, Money, Product, exponent

SkuField = Literal["id", "mpn", "gtin"]

QUANTITIES = ("quantity", "sell_on_google_quantity", "quantity_to_sell_on_facebook", "inventory")
"""A count is not in Google's specification any more, but shops and Meta's catalogues have it."""
OPTIONS = ("color", "size", "material", "pattern")
"""What tells the variants of one item group apart, in the order people say it."""
PRICE = re.compile(r"(?:([A-Z]{3})\s*)?([0-9][0-9.,\s]*?)\s*([A-Z]{3})?")

UNGROUPED = re.compile(r"([0-9]+)(?:[.,]([0-9]+))?")
GROUPED = re.compile(r"([0-9]{1,3}([ .,])[0-9]{3}(?:\2[0-9]{3})*)(?:(?!\2)[.,]([0-9]+))?")


def product_of(item: Item, sku_field: SkuField) -> Product | None:
    """One sellable variant; None for an item that lacks its id, SKU, title or a price that can be read."""
    sku, own, title = item.get(sku_field), item.get("id"), item.get("title")
    price = price_of(item.get("price", ""))
    if not (sku and own and title and price):
        return None
    try:
        return Product(
            listing=Listing(sku=sku, product_id=item.get("item_group_id", own), variant_id=own),
            title=title,
            variant_title=", ".join(item[name] for name in OPTIONS if name in item),
            price=price,
            quantity=quantity_of(item),
            image_url=item.get("image_link"),
        )
    except ValidationError:
        return None


def price_of(text: str) -> Money | None:
    """Of "15.00 USD"; as shops write it also of "USD 15", "15,00 EUR" and "1,299.00 USD".

    The regular price. A sale price is an offer of that shop's own, and not taken.
    """
    found = PRICE.fullmatch(text.strip())
    if not found:
        return None
    before, number, after = found.groups()
    currency = after or before
    if not currency or (before and after and before != after):
        return None
    try:
        return Money.of(plain(number, exponent(currency)), currency)
    except ValueError:
        return None


def plain(number: str, decimals: int) -> str:
    """With a point before the decimals and nothing between the thousands; ValueError for neither form.

    `decimals` as the currency has: "1,299" is a thousand and more, but in a currency of three decimals.
    """
    number = re.sub(r"\s", " ", number)
    if (found := GROUPED.fullmatch(number)) and not (found[3] is None and decimals == 3):
        return re.sub(r"[ .,]", "", found[1]) + (f".{found[3]}" if found[3] else "")
    if found := UNGROUPED.fullmatch(number):
        return found[1] + (f".{found[2]}" if found[2] else "")
    raise ValueError("not a number")


def quantity_of(item: Item) -> int | None:
    """What is there: nothing when it says so, else the count, or None where it counts nothing."""
    availability = item.get("availability", "").lower().replace("_", " ")
    if availability == "out of stock":
        return 0
    for name in QUANTITIES:
        if re.fullmatch(r"[0-9]{1,9}", item.get(name, "")):
            return int(item[name])
    return None
