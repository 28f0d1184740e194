"""Tables of returns, of what refunds paid back, of invoices, and of a brand's own terms."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, ref, when


class AftersaleTerms(SQLModel, table=True):
    """A brand's own rules and legal details. A brand without a row has the defaults."""

    __tablename__ = "aftersale_terms"

    brand_id: UUID = Field(primary_key=True, foreign_key="brand.id")
    legal_name: str = ""
    legal_address: str = ""
    """Lines of an address, with line breaks between them."""
    vat_id: str = ""
    invoice_prefix: str = "INV-"
    invoice_note: str = ""
    return_address: str = ""
    return_days: int = 30
    """Days after delivery in which a return may be asked for; the legal right stands beside it."""
    longest_delivery_days: int = 30
    """Counted where nobody noted a delivery and the shipping method states no time (Directive 2011/83/EU,
    Art. 18: thirty days where nothing else was agreed)."""
    returner_orders: int = 3
    returner_percent: int = 50
    high_value_minor: int | None = Field(default=None, sa_type=BigInteger)
    """From this price on the host is asked to say the return terms; None: never."""
    updated_at: datetime = now()


class OrderDelivery(SQLModel, table=True):
    """When an order left the house and when it arrived."""

    __tablename__ = "order_delivery"

    order_id: UUID = Field(primary_key=True, foreign_key="orders.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    sent_at: OptionalTime = when(default=None)
    delivered_at: OptionalTime = when(default=None)
    tracking: str = ""


class ReturnRequest(SQLModel, table=True):
    """One wish to give something back, by which right, and how far it has come."""

    __tablename__ = "return_request"
    __table_args__ = (
        one_of(
            "return_request",
            "state",
            *("asked", "approved", "received", "refunded", "rejected", "closed"),
        ),
        one_of("return_request", "kind", "cancel", "withdrawal", "return"),
        UniqueConstraint("brand_id", "number"),
        UniqueConstraint("order_id", "key"),
        Index("return_request_open", "brand_id", "created_at"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    order_id: UUID = ref("orders.id", ondelete="CASCADE")
    number: str
    state: str = "asked"
    kind: str
    reason: str = ""
    note: str = ""
    answer: str = ""
    """What staff wrote with their last decision."""
    author: str | None = None
    """The member who asked for it in the buyer's name; None when the buyer did."""
    key: str
    refund_id: OptionalId = Field(default=None, index=True)
    created_at: datetime = now()
    updated_at: datetime = now()


class ReturnLine(SQLModel, table=True):
    """Some pieces of one line of the order; `restock` is decided when they arrive."""

    __tablename__ = "return_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="return_line_quantity_positive"),
        CheckConstraint("received >= 0 AND received <= quantity", name="return_line_received_within"),
        UniqueConstraint("return_id", "order_line_id"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    return_id: UUID = ref("return_request.id", ondelete="CASCADE")
    order_line_id: UUID = ref("order_line.id", ondelete="CASCADE")
    quantity: int
    received: int = 0
    restock: bool | None = None
    reason: str = ""


class RefundPart(SQLModel, table=True):
    """What one refund gave back, and for what: a line (some pieces, or an amount) or the shipping."""

    __tablename__ = "refund_part"
    __table_args__ = (
        CheckConstraint("amount_minor >= 0", name="refund_part_amount_not_negative"),
        CheckConstraint("quantity >= 0", name="refund_part_quantity_not_negative"),
        CheckConstraint("restocked >= 0 AND restocked <= quantity", name="refund_part_restocked_within"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    order_id: UUID = ref("orders.id", ondelete="CASCADE")
    refund_id: UUID = Field(index=True)
    order_line_id: OptionalId = Field(default=None, foreign_key="order_line.id", ondelete="CASCADE")
    """None for shipping."""
    quantity: int = 0
    amount_minor: int = big()
    tax_minor: int = big()
    restocked: int = 0
    """Pieces that went back to the shelf with it."""


class InvoiceSeries(SQLModel, table=True):
    """The last number a brand gave. Locked while an invoice is made, so that no number is left out."""

    __tablename__ = "invoice_series"

    brand_id: UUID = Field(primary_key=True, foreign_key="brand.id")
    last: int = big()


class Invoice(SQLModel, table=True):
    """An invoice or credit note as it was issued. `data` is all of it and never changes."""

    __table_args__ = (
        one_of("invoice", "kind", "invoice", "credit_note"),
        UniqueConstraint("brand_id", "number"),
        UniqueConstraint("brand_id", "n"),
        Index("invoice_of_order_once", "order_id", unique=True, postgresql_where="kind = 'invoice'"),
        Index("credit_note_once", "refund_id", unique=True, postgresql_where="refund_id IS NOT NULL"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    order_id: UUID = ref("orders.id")
    refund_id: OptionalId = Field(default=None)
    number: str
    n: int = big()
    kind: str
    issued_at: datetime = when()
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class TermsSaid(SQLModel, table=True):
    """The host said the return terms of a product in this show; who ticked it, and when."""

    __tablename__ = "terms_said"

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    product_id: UUID = Field(primary_key=True, foreign_key="product.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    member_id: UUID = Field(foreign_key="member.id")
    said_at: datetime = when()
