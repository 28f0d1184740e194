"""Tables of products, variants and listings."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from hub.columns import OptionalTime, big, brand, key, now, ref, when


class Product(SQLModel, table=True):
    """What a host talks about."""

    id: UUID = key()
    brand_id: UUID = brand()
    title: str
    description: str = ""
    image_url: str | None = None
    created_at: datetime = now()


class Variant(SQLModel, table=True):
    """What a buyer buys: one SKU with one price."""

    __table_args__ = (UniqueConstraint("brand_id", "sku"),)

    id: UUID = key()
    brand_id: UUID = brand()
    product_id: UUID = ref("product.id", ondelete="CASCADE")
    sku: str
    title: str = ""
    price_minor: int = big()
    currency: str = "EUR"


class Listing(SQLModel, table=True):
    """One variant on one platform, and what stock we last told it (version -1: none yet)."""

    __table_args__ = (UniqueConstraint("connection_id", "variant_ref"),)

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
