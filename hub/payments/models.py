"""Tables of payments. Card data never comes here; `source_sealed` is the gateway's own token."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from hub.columns import big, brand, key, now, one_of, ref


class Payment(SQLModel, table=True):
    """The one payment of an order. Its key and parameters are stored before the first byte is sent."""

    __table_args__ = (
        one_of(
            "payment",
            "state",
            *("queued", "authorising", "authorised", "captured", "declined", "action_required"),
            *("voided", "refunded"),
        ),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    order_id: UUID = Field(foreign_key="orders.id", unique=True)
    hold_id: UUID = ref("hold.id")
    connection_id: UUID = Field(foreign_key="connection.id")
    state: str = "queued"
    ref: str | None = Field(default=None, index=True)
    amount_minor: int = big()
    currency: str
    source_sealed: bytes
    key: str = Field(unique=True)
    attempts: int = 0
    message: str = ""
    updated_at: datetime = now()
