"""Products as the brand's own screens see them, costs and all. What viewers see is in `public.py`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from hub.catalog.listings import Placed, Stray
from hub.catalog.models import Intake, Variant
from hub.catalog.service import Shelf
from hub.stock.models import Stock


class StockOut(BaseModel):
    """The counters of a variant; `available` can still be promised. Of a bundle: as if it had stock."""

    on_hand: int
    held: int
    committed: int
    available: int
    version: int

    @classmethod
    def of(cls, stock: Stock) -> StockOut:
        """From the table."""
        return cls(
            on_hand=stock.on_hand,
            held=stock.held,
            committed=stock.committed,
            available=stock.on_hand - stock.held - stock.committed,
            version=stock.version,
        )


class Refusal(BaseModel):
    """A shop that did not take our stock: it may sell what is not there until the stock changes again."""

    platform: str
    account: str
    reason: str


class PriceOut(BaseModel):
    """A price beside the base one."""

    currency: str
    price_minor: int


class PartOut(BaseModel):
    """So many of one variant in a bundle."""

    variant_id: UUID
    quantity: int


class VariantOut(BaseModel):
    """A variant with its stock. `components` makes it a bundle."""

    id: UUID
    sku: str
    title: str
    price_minor: int
    currency: str
    cost_minor: int | None = None
    options: dict[str, str] = {}
    archived: bool = False
    prices: list[PriceOut] = []
    components: list[PartOut] = []
    stock: StockOut
    refused: list[Refusal]

    @classmethod
    def of(cls, shelf: Shelf, variant: Variant, stock: Stock) -> VariantOut:
        """From the tables."""
        return cls(
            **variant.model_dump(exclude={"brand_id", "product_id", "position"}),
            prices=[PriceOut(**p.model_dump()) for p in shelf.prices.get(variant.id, ())],
            components=[
                PartOut(variant_id=part, quantity=count)
                for part, count in shelf.parts.get(variant.id, {}).items()
            ],
            stock=StockOut.of(stock),
            refused=[Refusal.model_validate(one) for one in shelf.refused.get(variant.id, ())],
        )


class MediumOut(BaseModel):
    """A picture or a video."""

    kind: str
    url: str
    alt: str


class ProductOut(BaseModel):
    """A product with its variants. `version`: name it when you change the product."""

    id: UUID
    title: str
    description: str
    image_url: str | None
    state: str
    tax_class: str
    live_only: bool
    own_site_only: bool
    return_policy: str
    version: int
    highlighted: bool = False
    media: list[MediumOut]
    variants: list[VariantOut]

    @classmethod
    def of(cls, shelf: Shelf) -> ProductOut:
        """From the tables."""
        return cls(
            **shelf.product.model_dump(exclude={"brand_id", "external_ref", "created_at"}),
            highlighted=shelf.highlighted,
            media=[MediumOut(**row.model_dump()) for row in shelf.media],
            variants=[VariantOut.of(shelf, variant, stock) for variant, stock in shelf.variants],
        )


class PastPrice(BaseModel):
    """A price that was shown; with an offer where it was the offer's."""

    currency: str
    price_minor: int
    offer_id: UUID | None
    starts_at: datetime
    ends_at: datetime | None


class PricesOut(BaseModel):
    """The newest prices of a variant first. `lowest`: of the last 30 days, by currency."""

    history: list[PastPrice]
    lowest: dict[str, int]


class ListingOut(BaseModel):
    """A variant on a platform. `offered`: what may be sold there now; `pushed`: what the platform was told.

    `state`: on, paused, gone (no longer in the shop), source (products come from there, stock does not go).
    `hidden`: why the platform shows it to nobody, and what to do.
    """

    id: UUID
    connection_id: UUID
    platform: str
    account: str
    variant_id: UUID
    product_id: UUID
    sku: str
    title: str
    their_sku: str
    their_title: str
    buffer: int
    state: str
    offered: int
    pushed: int | None
    pushed_at: datetime | None
    push_error: str | None
    hidden: str | None

    @classmethod
    def of(cls, placed: Placed) -> ListingOut:
        """From the tables."""
        listing, theirs = placed.listing, placed.listing.theirs
        return cls(
            **listing.model_dump(
                include={"id", "connection_id", "variant_id", "buffer", "state", "pushed_at", "push_error"}
            ),
            platform=placed.connection.connector,
            account=placed.connection.name,
            product_id=placed.product.id,
            sku=placed.variant.sku,
            title=named(placed.product.title, placed.variant.title),
            their_sku=theirs.get("sku") or "",
            their_title=named(theirs.get("title") or "", theirs.get("variant") or ""),
            offered=placed.offered.quantity if placed.offered else 0,
            pushed=listing.pushed_quantity,
            hidden=theirs.get("hidden") if listing.state != "gone" else None,
        )


class StrayOut(BaseModel):
    """Something a platform sells that is none of our SKUs. `hidden` as in `ListingOut`."""

    id: UUID
    connection_id: UUID
    platform: str
    account: str
    their_sku: str
    their_title: str
    price_minor: int | None
    currency: str | None
    hidden: str | None
    found_at: datetime

    @classmethod
    def of(cls, stray: Stray) -> StrayOut:
        """From the tables."""
        theirs = stray.unmatched.theirs
        return cls(
            **stray.unmatched.model_dump(include={"id", "connection_id", "found_at"}),
            platform=stray.connection.connector,
            account=stray.connection.name,
            their_sku=theirs.get("sku") or "",
            their_title=named(theirs.get("title") or "", theirs.get("variant") or ""),
            price_minor=theirs.get("price_minor"),
            currency=theirs.get("currency"),
            hidden=theirs.get("hidden"),
        )


class ListingsOut(BaseModel):
    """What is listed where, and what is there that is none of ours."""

    listings: list[ListingOut]
    unmatched: list[StrayOut]

    @classmethod
    def of(cls, placed: Sequence[Placed], strays: Sequence[Stray]) -> ListingsOut:
        """From the tables."""
        return cls(
            listings=[ListingOut.of(one) for one in placed], unmatched=[StrayOut.of(one) for one in strays]
        )


class IntakeOut(BaseModel):
    """How far products from a file or a shop are.

    `state`: queued, running, checked (looked at; nothing is changed yet), done, failed (see `error`).
    `counts` by outcome: added, changed, same, problem; of a shop also kept
    (edited here and left alone), unmatched, gone.
    `report` lists up to 500 of them, problems first; `line` is 0 for a shop.
    """

    id: UUID
    kind: str
    state: str
    step: str
    total: int
    done: int
    counts: dict[str, int]
    report: list[dict[str, Any]]
    error: str | None
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, intake: Intake) -> IntakeOut:
        """From the table."""
        return cls(**intake.model_dump(exclude={"brand_id", "connection_id", "wish", "body", "author"}))


def named(title: str, variant: str) -> str:
    """A product's name with its variant's."""
    return f"{title}, {variant}" if variant else title
