"""Tables of payments. Card data never comes here; what is sealed are the gateways' own tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, ref, when

LIVE = ("queued", "authorising", "action_required", "voiding")
"""Nobody knows yet whether there will be money; the order keeps its stock meanwhile."""
PAY_WITHIN = timedelta(minutes=5)
"""So long an order waits for its turn and the bank's answer; its stock stays reserved meanwhile."""
BANK_TAKES = timedelta(minutes=10)
"""So long a buyer may take at the bank, once."""
VOID_TAKES = timedelta(minutes=5)
"""So much longer stock stays reserved for a payment that is let go of, until that is certain."""
OVER = ("declined", "voided")
"""This payment brings nothing any more; the order may have another."""
ENDED = (*OVER, "capture_failed")
"""Payments that are over for us; the gateway may still hold money for one."""


class SavedMethod(SQLModel, table=True):
    """A payment method a customer let us keep. `consent` is the sentence they agreed to.

    `ref_sealed` is the gateway's token, good for this account alone.
    """

    __tablename__ = "saved_method"
    __table_args__ = (one_of("saved_method", "state", "ok", "gone"),)

    id: UUID = key()
    brand_id: UUID = brand()
    customer_id: UUID = ref("customer.id", ondelete="CASCADE")
    identity_id: OptionalId = Field(default=None, index=True)
    connection_id: UUID = ref("connection.id")
    ref_sealed: bytes
    gateway_customer: str | None = None
    card_brand: str = ""
    last4: str = ""
    exp_month: int | None = None
    exp_year: int | None = None
    consent: str
    consented_at: datetime = when()
    state: str = "ok"
    created_at: datetime = now()


class Payment(SQLModel, table=True):
    """One attempt to have an order paid. Key and parameters are stored before the first byte is sent.

    `request_sealed` is the request beside amount and source, as JSON; `round` counts the keys of the
    authorisation: a new one only after the gateway said that it knows nothing of the one before.
    `sent_at`: when the step under way was first sent with its key. `due_at`: when an undecided payment is let
    go of; `held_until`: the end of the buyer's own reservation. `cause`: why it is being voided. `problem`:
    what a person should look at.
    """

    __table_args__ = (
        one_of(
            "payment",
            "state",
            *("queued", "authorising", "action_required", "authorised", "capturing", "captured"),
            *("capture_failed", "declined", "voiding", "voided", "refunded"),
        ),
        CheckConstraint(
            "0 <= refunded_minor AND refunded_minor <= captured_minor AND captured_minor <= amount_minor",
            name="payment_money_conserved",
        ),
        # One at a time: a second may begin only when the first will certainly bring nothing.
        Index(
            "payment_of_order",
            "order_id",
            unique=True,
            postgresql_where="state NOT IN ('declined', 'voided')",
        ),
        Index(
            "payment_due",
            "due_at",
            postgresql_where="state IN ('queued', 'authorising', 'action_required')",
        ),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    order_id: UUID = ref("orders.id")
    hold_id: OptionalId = ref("hold.id", default=None)
    connection_id: UUID = ref("connection.id")
    saved_method_id: OptionalId = Field(default=None, foreign_key="saved_method.id")
    state: str = "queued"
    ref: str | None = Field(default=None, index=True)
    amount_minor: int = big()
    captured_minor: int = big()
    refunded_minor: int = big()
    currency: str
    source_sealed: bytes
    request_sealed: bytes | None = None
    action_sealed: bytes | None = None
    answer_sealed: bytes | None = None
    key: str = Field(unique=True)
    round: int = 1
    attempts: int = 0
    message: str = ""
    cause: str | None = None
    problem: str | None = None
    sent_at: OptionalTime = when(default=None)
    due_at: OptionalTime = when(default=None)
    held_until: OptionalTime = when(default=None)
    expires_at: OptionalTime = when(default=None)
    created_at: datetime = now()
    updated_at: datetime = now()


class Refund(SQLModel, table=True):
    """Money to be given back; a row before the call. Without a payment: a shop outside gave it back."""

    __table_args__ = (
        one_of("refund", "state", "queued", "sent", "done", "failed"),
        CheckConstraint("amount_minor > 0", name="refund_of_something"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    order_id: UUID = ref("orders.id")
    payment_id: OptionalId = ref("payment.id", default=None)
    amount_minor: int = big()
    currency: str
    reason: str = ""
    author: str | None = None
    state: str = "queued"
    ref: str | None = Field(default=None, index=True)
    key: str = Field(unique=True)
    message: str = ""
    sent_at: OptionalTime = when(default=None)
    created_at: datetime = now()
    updated_at: datetime = now()


class Dispute(SQLModel, table=True):
    """A buyer's bank takes a payment back, or wants to."""

    __table_args__ = (
        one_of("dispute", "state", "open", "won", "lost"),
        UniqueConstraint("connection_id", "ref"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    order_id: UUID = ref("orders.id")
    payment_id: UUID = ref("payment.id")
    connection_id: UUID = Field(foreign_key="connection.id")
    ref: str
    amount_minor: int = big()
    currency: str
    state: str = "open"
    reason: str = ""
    created_at: datetime = now()
    updated_at: datetime = now()


class GatewayRank(SQLModel, table=True):
    """The order in which a brand's gateways are used, and the time each may take."""

    __tablename__ = "gateway_rank"

    connection_id: UUID = Field(primary_key=True, foreign_key="connection.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    position: int = 0
    budget_ms: int | None = None


class GatewayTiming(SQLModel, table=True):
    """How many calls of a minute took up to `le_ms`, and went how: what the routing goes by, kept a day.

    The minute of 1970 counts all there ever were.
    """

    __tablename__ = "gateway_timing"
    __table_args__ = (Index("gateway_timing_minute", "minute"),)

    connection_id: UUID = Field(primary_key=True, foreign_key="connection.id", ondelete="CASCADE")
    minute: datetime = when(primary_key=True)
    operation: str = Field(primary_key=True)
    outcome: str = Field(primary_key=True)
    le_ms: int = Field(primary_key=True)
    brand_id: UUID = Field(foreign_key="brand.id")
    calls: int = big()
    total_ms: int = big()
