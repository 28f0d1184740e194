"""A product as anybody may see it, on the watch page and in the player. Never what it cost us."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel

from hub.catalog.models import ProductMedia, Variant
from hub.catalog.service import Shelf
from hub.stock.models import Stock


class PublicMedia(BaseModel):
    """A picture or a video; `alt` says what it shows."""

    kind: str
    url: str
    alt: str

    @classmethod
    def of(cls, row: ProductMedia) -> PublicMedia:
        """From the table."""
        return cls(kind=row.kind, url=row.url, alt=row.alt)


class PublicPart(BaseModel):
    """One part of a bundle."""

    variant_id: UUID
    quantity: int


class PublicVariant(BaseModel):
    """What a buyer chooses. `parts`: what a bundle is made of; empty for what is none."""

    id: UUID
    sku: str
    title: str
    options: dict[str, str]
    price_minor: int
    currency: str
    available: int
    parts: list[PublicPart]

    @classmethod
    def of(cls, shelf: Shelf, variant: Variant, stock: Stock) -> PublicVariant:
        """From the tables, at the base price: the one that offers and our own checkout go by."""
        return cls(
            **variant.model_dump(include={"id", "sku", "title", "options", "price_minor", "currency"}),
            available=stock.on_hand - stock.held - stock.committed,
            parts=[
                PublicPart(variant_id=part, quantity=count)
                for part, count in shelf.parts.get(variant.id, {}).items()
            ],
        )


class PublicProduct(BaseModel):
    """A product on the watch page. `image_url` is the first picture of `media`."""

    id: UUID
    title: str
    description: str
    image_url: str | None
    media: list[PublicMedia]
    return_policy: str
    live_only: bool
    own_site_only: bool
    highlighted: bool
    variants: list[PublicVariant]

    @classmethod
    def of(cls, shelf: Shelf) -> PublicProduct:
        """From the tables, without archived variants."""
        shown = {"id", "title", "description", "image_url", "return_policy", "live_only", "own_site_only"}
        return cls(
            **shelf.product.model_dump(include=shown),
            media=[PublicMedia.of(row) for row in shelf.media],
            highlighted=shelf.highlighted,
            variants=[
                PublicVariant.of(shelf, variant, stock)
                for variant, stock in shelf.variants
                if not variant.archived
            ],
        )


def public_of(shelves: Sequence[Shelf]) -> list[PublicProduct]:
    """Of these, the products that are on sale: no drafts, nothing archived."""
    return [
        PublicProduct.of(shelf)
        for shelf in shelves
        if shelf.product.state == "active" and not all(variant.archived for variant, _ in shelf.variants)
    ]
