"""What a line of a file means: cells into a change of a product, and a shelf into lines. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from connectors.types import Money
from hub.catalog.changes import MediaIn, PriceIn, ProductChange, VariantChange
from hub.catalog.models import ProductMedia, Variant
from hub.catalog.service import Shelf
from hub.catalog.sheet import Line, paired, unpaired

T = TypeVar("T")
YES, NO = ("yes", "true", "1", "y", "x"), ("no", "false", "0", "n")
SAID_ONCE = (
    "title",
    "description",
    "state",
    "media",
    "tax_class",
    "live_only",
    "own_site_only",
    "return_policy",
)
"""What belongs to the product: the first line of its group says it, others may repeat it."""
WORDS = {
    "sku": "A SKU has 1 to 64 characters.",
    "title": "A title has 1 to 200 characters.",
    "variant": "The variant's name has at most 200 characters.",
    "description": "A description has at most 5,000 characters.",
    "return_policy": "The return policy has at most 5,000 characters.",
    "state": "The state is draft, active or archived.",
    "tax_class": "A tax class is one short word, like standard or reduced.",
    "price": "The price must be a number like 24.90, without a thousands separator, and not below 0.",
    "cost": "The cost must be a number like 12.50, without a thousands separator, and not below 0.",
    "currency": "A currency is three letters, like EUR.",
    "prices": "Other prices are written like USD=29.90; SEK=299.00, each currency once.",
    "options": "Options are written like Colour=Red; Size=M, at most five of them.",
    "on_hand": "On hand must be a whole number from 0 to 1,000,000,000.",
    "media": "Each line in the cell is one https address, and after a blank what is seen in it; at most 20.",
    "components": "A bundle's parts are written like BAG-RED=2; CAP=1: SKU and how many, from 1 to 1,000.",
}


class LineProblem(Exception):
    """What is wrong with a line, in words."""


@dataclass
class Row:
    """One line, understood. `parts` is SKU → how many; None: the file does not say."""

    line: int
    sku: str
    group: str
    product: ProductChange
    variant: VariantChange
    parts: Mapping[str, int] | None = None
    said: Mapping[str, str] = field(default_factory=dict)


class Cells:
    """Reads a line's cells and gathers what is wrong with them."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells
        self.problems: list[str] = []

    def read(self, name: str, how: Callable[[str], T], words: str = "") -> T | None:
        """What the cell means; None where it is empty, or wrong."""
        cell = self._cells.get(name)
        if cell is None:
            return None
        try:
            return how(cell)
        except ValueError:  # a ValidationError is one
            self.problems.append(words or WORDS[name])
            return None

    def truth(self, name: str) -> bool | None:
        """Yes or no."""
        return self.read(name, truth, f"In {name}, write yes or no.")


def row_of(line: Line, currency: str) -> Row:
    """A line's meaning. `currency` is the base currency of this SKU unless the line names another.

    LineProblem with all that is wrong.
    """
    if line.problem:
        raise LineProblem(line.problem)
    if any("\0" in cell for cell in line.cells.values()):
        raise LineProblem("It has characters in it that can't be kept.")
    cells = Cells(line.cells)
    if "sku" not in line.cells:
        cells.problems.append("It has no SKU.")
    sku = cells.read("sku", sku_of)
    variant = variant_cells(cells, currency) | {"sku": sku}
    product = product_cells(cells)
    parts = cells.read("components", parts_of)
    if cells.problems:
        raise LineProblem(" ".join(cells.problems))
    return Row(
        line=line.number,
        sku=str(sku),
        group=line.cells.get("product", "").strip(),
        product=ProductChange.model_validate({k: v for k, v in product.items() if v is not None}),
        variant=VariantChange.model_validate({k: v for k, v in variant.items() if v is not None}),
        parts=parts,
        said={name: line.cells[name] for name in SAID_ONCE if name in line.cells},
    )


def variant_cells(cells: Cells, currency: str) -> dict[str, object]:
    """What the line says of the variant; amounts are read in its base currency."""
    named = cells.read("currency", currency_of)
    base = named or currency
    return {
        "title": cells.read("variant", lambda cell: limited(cell, 200)),
        "price_minor": cells.read("price", lambda cell: minor_of(cell, base)),
        "currency": named,
        "cost_minor": cells.read("cost", lambda cell: minor_of(cell, base)),
        "options": cells.read("options", options_of),
        "archived": cells.truth("archived"),
        "prices": cells.read("prices", prices_of),
        "on_hand": cells.read("on_hand", count_of),
    }


def product_cells(cells: Cells) -> dict[str, object]:
    """What the line says of the product."""
    return {
        "title": cells.read("title", lambda cell: limited(cell, 200)),
        "description": cells.read("description", lambda cell: limited(cell, 5000)),
        "state": cells.read("state", state_of),
        "media": cells.read("media", media_of),
        "tax_class": cells.read("tax_class", lambda cell: ProductChange(tax_class=cell).tax_class),
        "live_only": cells.truth("live_only"),
        "own_site_only": cells.truth("own_site_only"),
        "return_policy": cells.read("return_policy", lambda cell: limited(cell, 5000)),
    }


def limited(cell: str, most: int) -> str:
    """A text of so many characters."""
    if len(cell) > most:
        raise ValueError("too long")
    return cell


def sku_in(line: Line) -> str:
    """The line's SKU as it would be kept, or its cell where that is none."""
    cell = line.cells.get("sku", "")
    try:
        return sku_of(cell)
    except ValueError:
        return cell


def sku_of(cell: str) -> str:
    """A SKU as it is kept."""
    return str(VariantChange(sku=cell).sku)


def currency_of(cell: str) -> str:
    """Three letters."""
    return str(VariantChange(currency=cell.strip().upper()).currency)


def minor_of(cell: str, currency: str) -> int:
    """Minor units of "24.90", "24,90" or "24,90 EUR"."""
    text = cell.strip().removesuffix(currency).removeprefix(currency).strip().replace(",", ".")
    return int(VariantChange(price_minor=Money.of(text, currency).amount).price_minor or 0)


def prices_of(cell: str) -> list[PriceIn]:
    """Prices in other currencies."""
    found = unpaired(cell)
    return [
        PriceIn(currency=code, price_minor=minor_of(amount, code))
        for code, amount in ((currency_of(name), amount) for name, amount in found.items())
    ]


def options_of(cell: str) -> dict[str, str]:
    """Options by name."""
    return VariantChange(options=unpaired(cell)).options or {}


def parts_of(cell: str) -> dict[str, int]:
    """SKUs with how many of each."""
    found = {sku_of(sku): int(count) for sku, count in unpaired(cell).items()}
    if not found or len(found) > 20 or any(not 1 <= count <= 1000 for count in found.values()):
        raise ValueError("not that many")
    return found


def count_of(cell: str) -> int:
    """A whole number."""
    return int(VariantChange(on_hand=int(cell)).on_hand)


def state_of(cell: str) -> str:
    """A product's state."""
    return str(ProductChange.model_validate({"state": cell.strip().lower()}).state)


def truth(cell: str) -> bool:
    """Yes or no, in the ways spreadsheets write it."""
    word = cell.strip().lower()
    if word not in YES + NO:
        raise ValueError(word)
    return word in YES


def media_of(cell: str) -> list[MediaIn]:
    """One per line: `[video ]ADDRESS[ what it shows]`."""
    found = []
    for line in cell.splitlines():
        kind, rest = ("video", line.strip()[6:]) if line.strip().startswith("video ") else ("image", line)
        url, _, alt = rest.strip().partition(" ")
        if url:
            found.append(MediaIn.model_validate({"kind": kind, "url": url, "alt": alt}))
    return list(ProductChange(media=found).media or [])


def lines_of(shelf: Shelf, skus: Mapping[UUID, str]) -> Iterator[dict[str, str]]:
    """A product as lines; `skus` has at least those of its bundles' parts."""
    product = shelf.product
    shared = {
        "product": str(product.id),
        "title": product.title,
        "description": product.description,
        "state": product.state,
        "media": "\n".join(medium(one) for one in shelf.media),
        "tax_class": product.tax_class,
        "live_only": yes(product.live_only),
        "own_site_only": yes(product.own_site_only),
        "return_policy": product.return_policy,
    }
    for variant, stock in shelf.variants:
        parts = shelf.parts.get(variant.id, {})
        yield {
            **shared,
            **own_cells(variant),
            "prices": paired(
                {p.currency: amount(p.price_minor, p.currency) for p in shelf.prices.get(variant.id, ())}
            ),
            "on_hand": "" if parts else str(stock.on_hand),
            "components": paired({skus[part]: str(count) for part, count in parts.items()}),
        }


def own_cells(variant: Variant) -> dict[str, str]:
    """What stands in a variant's own row."""
    return {
        "sku": variant.sku,
        "variant": variant.title,
        "options": paired(variant.options),
        "price": amount(variant.price_minor, variant.currency),
        "currency": variant.currency,
        "cost": "" if variant.cost_minor is None else amount(variant.cost_minor, variant.currency),
        "archived": yes(variant.archived),
    }


def medium(one: ProductMedia) -> str:
    """One line of the media cell."""
    return f"{'video ' if one.kind == 'video' else ''}{one.url} {one.alt}".strip()


def amount(minor: int, currency: str) -> str:
    """As people write it."""
    return Money(amount=minor, currency=currency).decimal()


def yes(value: bool) -> str:
    """For a cell."""
    return "yes" if value else "no"
