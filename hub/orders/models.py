"""Tables of orders and their lines."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, ref, when


class Order(SQLModel, table=True):
    """An order, wherever it was placed. `source_version` guards against stale news."""

    __tablename__ = "orders"
    __table_args__ = (
        one_of(
            "orders",
            "state",
            *("reserved", "authorising", "paid", "failed", "expired", "cancelled", "refunded", "sold_out"),
        ),
        UniqueConstraint("connection_id", "external_id"),
        Index("orders_of_show", "show_id", "placed_at"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: OptionalId = Field(default=None, foreign_key="show.id")
    channel: str
    connection_id: OptionalId = Field(default=None, foreign_key="connection.id")
    external_id: str | None = None
    number: str
    state: str
    message: str = ""
    currency: str
    total_minor: int = big()
    customer_id: OptionalId = ref("customer.id", default=None)
    viewer_id: str | None = None
    buyer_name: str | None = None
    buyer_email_sealed: bytes | None = None
    first_touch_id: OptionalId = Field(default=None, foreign_key="touch.id")
    last_touch_id: OptionalId = Field(default=None, foreign_key="touch.id")
    landing_url: str | None = None
    test: bool = False
    placed_at: datetime = when()
    updated_at: datetime = now()
    source_version: OptionalTime = when(default=None)


class OrderLine(SQLModel, table=True):
    """One line and what it did to the stock."""

    __tablename__ = "order_line"
    __table_args__ = (
        one_of("order_line", "state", "open", "committed", "sold_out", "unknown_sku", "released"),
        UniqueConstraint("order_id", "external_line_id"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    order_id: UUID = ref("orders.id", ondelete="CASCADE")
    variant_id: OptionalId = Field(default=None, foreign_key="variant.id")
    external_line_id: str
    sku: str | None = None
    title: str
    quantity: int = 1
    unit_minor: int = big()
    state: str = "open"
