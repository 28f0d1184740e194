"""Tables of products, variants, bundles, prices, listings, and of what comes in from files and shops."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, ref, when

OptionalMoney = int | None


class Product(SQLModel, table=True):
    """What a host talks about. `version` grows with every edit of it or of its variants.

    `image_url` is its first picture, copied from `ProductMedia` for who wants only one. `live_only`: bought
    while a show is live and at no other time. `own_site_only`: never offered in other shops. `external_ref`:
    its id in the shop or file it came from.
    """

    __table_args__ = (one_of("product", "state", "draft", "active", "archived"),)

    id: UUID = key()
    brand_id: UUID = brand()
    title: str
    description: str = ""
    image_url: str | None = None
    state: str = "active"
    tax_class: str = "standard"
    live_only: bool = False
    own_site_only: bool = False
    return_policy: str = ""
    external_ref: str | None = None
    version: int = big()
    created_at: datetime = now()


class Variant(SQLModel, table=True):
    """What a buyer buys: one SKU with one base price. `cost_minor` is for staff's eyes alone."""

    __table_args__ = (UniqueConstraint("brand_id", "sku"),)

    id: UUID = key()
    brand_id: UUID = brand()
    product_id: UUID = ref("product.id", ondelete="CASCADE")
    sku: str
    title: str = ""
    price_minor: int = big()
    currency: str = "EUR"
    cost_minor: OptionalMoney = Field(default=None, sa_type=BigInteger)
    position: int = 0
    options: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    archived: bool = False


class ProductMedia(SQLModel, table=True):
    """One picture or video of a product, in the brand's order; `alt` is what it shows, in words."""

    __tablename__ = "product_media"
    __table_args__ = (
        one_of("product_media", "kind", "image", "video"),
        UniqueConstraint("product_id", "position"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    product_id: UUID = Field(foreign_key="product.id", ondelete="CASCADE")
    position: int
    kind: str = "image"
    url: str
    alt: str = ""


class Price(SQLModel, table=True):
    """A variant's price in a currency that is not its base one."""

    __table_args__ = (
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        UniqueConstraint("variant_id", "currency"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    variant_id: UUID = Field(foreign_key="variant.id", ondelete="CASCADE")
    currency: str
    price_minor: int = big()


class PriceHistory(SQLModel, table=True):
    """A price that was shown from `starts_at` until just before `ends_at` (None: still)."""

    __tablename__ = "price_history"
    __table_args__ = (
        CheckConstraint("ends_at >= starts_at", name="price_history_ends_after_start"),
        Index("price_history_of_variant", "variant_id", "currency", "starts_at"),
        # One base price at a time; of an offer, one row for each price it has.
        Index(
            "price_history_shown",
            *("variant_id", "currency"),
            unique=True,
            postgresql_where="offer_id IS NULL AND ends_at IS NULL",
        ),
        Index(
            "price_history_of_offer",
            *("offer_id", "variant_id", "currency", "price_minor"),
            unique=True,
            postgresql_where="offer_id IS NOT NULL",
        ),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    variant_id: UUID = Field(foreign_key="variant.id", ondelete="CASCADE")
    currency: str
    price_minor: int = big()
    offer_id: OptionalId = Field(default=None)
    starts_at: datetime = when()
    ends_at: OptionalTime = when(default=None)


class BundleItem(SQLModel, table=True):
    """So many of one variant in a bundle, which has no stock of its own and is part of no other bundle."""

    __tablename__ = "bundle_item"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="bundle_item_quantity_positive"),
        CheckConstraint("variant_id <> bundle_variant_id", name="bundle_item_not_itself"),
    )

    bundle_variant_id: UUID = Field(primary_key=True, foreign_key="variant.id", ondelete="CASCADE")
    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id", index=True)
    brand_id: UUID = brand()
    quantity: int = 1


class Listing(SQLModel, table=True):
    """One variant on one platform, and what stock we last told it (version -1: none yet).

    `buffer` units are never offered there. `paused`: by hand, nothing is offered. `gone`: no longer in the
    platform's catalogue. `source`: products are read from there, and it takes no stock. `theirs` is what the
    platform said of it when it was last read; `hidden` in it: why nobody sees it there, or null.
    """

    __table_args__ = (
        UniqueConstraint("connection_id", "variant_ref"),
        one_of("listing", "state", "on", "paused", "gone", "source"),
        CheckConstraint("buffer >= 0", name="listing_buffer_not_negative"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    variant_id: UUID = ref("variant.id", ondelete="CASCADE")
    connection_id: UUID = ref("connection.id", ondelete="CASCADE")
    product_ref: str
    variant_ref: str
    location_ref: str | None = None
    inventory_ref: str | None = None
    pushed_quantity: int | None = None
    pushed_version: int = big(-1)
    pushed_at: OptionalTime = when(default=None)
    push_error: str | None = None
    buffer: int = 0
    state: str = "on"
    theirs: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class UnmatchedListing(SQLModel, table=True):
    """Something a platform sells that is none of our SKUs yet. `theirs` as in `Listing`."""

    __tablename__ = "unmatched_listing"
    __table_args__ = (UniqueConstraint("connection_id", "variant_ref"),)

    id: UUID = key()
    brand_id: UUID = brand()
    connection_id: UUID = Field(foreign_key="connection.id", ondelete="CASCADE")
    product_ref: str
    variant_ref: str
    location_ref: str | None = None
    inventory_ref: str | None = None
    theirs: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    ignored: bool = False
    found_at: datetime = now()


class Intake(SQLModel, table=True):
    """Products coming in from a file (`csv`) or a shop (`sync`): how far it is, and what became of each.

    `step`: whether it is only looked at (`check`) or done (`apply`). `done` of `total` lines. `counts` by
    outcome; `report` is the first of them, one by one. `body` is the file while it is still wanted.
    """

    __table_args__ = (
        one_of("intake", "kind", "csv", "sync"),
        one_of("intake", "step", "check", "apply"),
        one_of("intake", "state", "queued", "running", "checked", "done", "failed"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    kind: str
    connection_id: OptionalId = ref("connection.id", default=None, ondelete="CASCADE")
    state: str = "queued"
    step: str = "check"
    wish: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    total: int = 0
    done: int = 0
    counts: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    report: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    error: str | None = None
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    author: str | None = None
    created_at: datetime = now()
    ended_at: OptionalTime = when(default=None)
