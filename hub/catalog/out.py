"""Products as screens see them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel

from hub.catalog.models import Variant
from hub.catalog.service import Shelf
from hub.stock.models import Stock


class StockOut(BaseModel):
    """The counters of a variant; `available` is what can still be promised."""

    on_hand: int
    held: int
    committed: int
    available: int
    version: int

    @classmethod
    def of(cls, stock: Stock) -> StockOut:
        """From the table."""
        available = stock.on_hand - stock.held - stock.committed
        return cls(available=available, **stock.model_dump(exclude={"variant_id", "brand_id"}))


class Refusal(BaseModel):
    """A shop that did not take our stock: it may sell what is not there until the stock changes again."""

    platform: str
    account: str
    reason: str


class VariantOut(BaseModel):
    """A variant with its stock."""

    id: UUID
    sku: str
    title: str
    price_minor: int
    currency: str
    stock: StockOut
    refused: list[Refusal]

    @classmethod
    def of(cls, variant: Variant, stock: Stock, refused: Sequence[dict[str, str]] = ()) -> VariantOut:
        """From the tables."""
        return cls(
            stock=StockOut.of(stock),
            refused=[Refusal.model_validate(one) for one in refused],
            **variant.model_dump(exclude={"brand_id", "product_id", "created_at"}),
        )


class ProductOut(BaseModel):
    """A product with its variants."""

    id: UUID
    title: str
    description: str
    image_url: str | None
    highlighted: bool = False
    variants: list[VariantOut]

    @classmethod
    def of(cls, shelf: Shelf) -> ProductOut:
        """From the tables."""
        return cls(
            **shelf.product.model_dump(include={"id", "title", "description", "image_url"}),
            highlighted=shelf.highlighted,
            variants=[
                VariantOut.of(variant, stock, shelf.refused.get(variant.id, ()))
                for variant, stock in shelf.variants
            ],
        )
