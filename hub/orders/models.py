"""Tables of orders and their lines."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, Index, Numeric, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, ref, when


class Order(SQLModel, table=True):
    """An order, wherever it was placed. `source_version` guards against stale news.

    total = subtotal - discount + shipping, plus tax where prices do not include it. `key` is the buyer's
    own: one key, one order. `source_digest` tells two versions of the same second apart; `paid_minor` is the
    total in the buyer's own currency, where the shop took another than its own. `erased_at`: the buyer was
    forgotten; nobody fills them in again.
    """

    __tablename__ = "orders"
    __table_args__ = (
        one_of(
            "orders",
            "state",
            *("reserved", "authorising", "review", "paid", "failed", "expired"),
            *("cancelled", "refunded", "sold_out"),
        ),
        UniqueConstraint("connection_id", "external_id"),
        UniqueConstraint("brand_id", "key"),
        Index("orders_of_show", "show_id", "placed_at"),
        Index("orders_newest", "brand_id", "placed_at", "id"),
        Index("orders_changed", "brand_id", "updated_at"),
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
    subtotal_minor: int = big()
    discount_minor: int = big()
    shipping_minor: int = big()
    tax_minor: int = big()
    total_minor: int = big()
    captured_minor: int = big()
    refunded_minor: int = big()
    prices_include_tax: bool = True
    shipping_method: str = ""
    country: str | None = None
    region: str | None = None
    address_sealed: bytes | None = None
    key: str | None = None
    customer_id: OptionalId = ref("customer.id", default=None)
    identity_id: OptionalId = Field(default=None, index=True)
    viewer_id: str | None = None
    signed_in: bool = False
    buyer_name: str | None = None
    buyer_email_sealed: bytes | None = None
    first_touch_id: OptionalId = ref("touch.id", default=None)
    last_touch_id: OptionalId = ref("touch.id", default=None)
    landing_url: str | None = None
    test: bool = False
    placed_at: datetime = when()
    updated_at: datetime = now()
    source_version: OptionalTime = when(default=None)
    source_digest: str | None = None
    paid_minor: int | None = Field(default=None, sa_type=BigInteger)
    paid_currency: str | None = None
    erased_at: OptionalTime = when(default=None)


class OrderLine(SQLModel, table=True):
    """One line, what it cost, and what it did to the stock.

    `list_minor` and `unit_minor` are for one unit, without and with its offer; `discount_minor` (the line's
    share of a coupon) and `tax_minor` are for the whole line; `cost_minor` is what one unit cost the brand.
    Of an order from outside, `taken` is how much of the stock the line has now, and `moves` how often that
    changed: each change is a cause of its own in the ledger. `put_back`: pieces our staff put on the shelf
    again, which the shop may count as well; or all, of an order from before its account was linked.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        one_of("order_line", "state", "open", "committed", "sold_out", "unknown_sku", "released"),
        UniqueConstraint("order_id", "external_line_id"),
        # Orders that still wait for their money: few, and looked at again and again.
        Index("order_line_open", "order_id", postgresql_where=text("state = 'open'")),
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
    list_minor: int = big()
    discount_minor: int = big()
    tax_minor: int = big()
    tax_percent: Decimal = Field(default=Decimal(0), sa_type=Numeric(6, 3))
    tax_title: str = ""
    cost_minor: int | None = Field(default=None, sa_type=BigInteger)
    offer_id: OptionalId = Field(default=None)
    tier_id: OptionalId = Field(default=None)
    bundle_id: OptionalId = Field(default=None)
    hold_id: OptionalId = Field(default=None)
    returned: int = 0
    taken: int = 0
    moves: int = 0
    put_back: int = 0
    state: str = "open"
