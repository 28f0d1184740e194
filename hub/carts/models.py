"""Tables of carts, and of what a brand says about delivery and tax."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, Numeric, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, big, brand, key, now, ref


class CartLine(SQLModel, table=True):
    """One variant in a viewer's cart. `hold_id` names the reservation (its group) while there is one."""

    __tablename__ = "cart_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="cart_line_quantity_positive"),
        UniqueConstraint("show_id", "viewer_id", "variant_id"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = ref("show.id", ondelete="CASCADE")
    viewer_id: str
    variant_id: UUID = ref("variant.id", ondelete="CASCADE")
    offer_id: OptionalId = Field(default=None)
    quantity: int = 1
    hold_id: OptionalId = Field(default=None)
    created_at: datetime = now()


class ShippingMethod(SQLModel, table=True):
    """A way of delivery. No countries: everywhere. Free from an order's value of `free_from_minor` on."""

    __tablename__ = "shipping_method"
    __table_args__ = (CheckConstraint("price_minor >= 0", name="shipping_method_price_not_negative"),)

    id: UUID = key()
    brand_id: UUID = brand()
    title: str
    countries: list[str] = Field(default_factory=list, sa_type=JSON)
    price_minor: int = big()
    free_from_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str
    position: int = 0
    days: str = ""


class TaxRate(SQLModel, table=True):
    """The tax of a class of goods in a country, or in one region of it."""

    __tablename__ = "tax_rate"
    __table_args__ = (
        CheckConstraint("percent >= 0 AND percent < 100", name="tax_rate_percent_sane"),
        UniqueConstraint("brand_id", "country", "region", "tax_class", postgresql_nulls_not_distinct=True),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    country: str
    region: str | None = None
    tax_class: str = "standard"
    percent: Decimal = Field(sa_type=Numeric(6, 3))
    title: str = ""


class ShopTerms(SQLModel, table=True):
    """What holds for all orders of a brand; a brand without a row has the defaults.

    `country`: whose tax an order without an address bears. `confirm_above_minor`: from this total on, a
    buyer who pays with a saved card confirms that it is they.
    """

    __tablename__ = "shop_terms"

    brand_id: UUID = Field(primary_key=True, foreign_key="brand.id")
    prices_include_tax: bool = True
    country: str | None = None
    confirm_above_minor: int = big(20_000)
    withdrawal_days: int = 14
    return_policy: str = ""
    contact: str = ""
