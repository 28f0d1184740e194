"""Tables of customers and the identities that lead to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, brand, key, now, one_of, ref, when


class Customer(SQLModel, table=True):
    """A person. `merged_into` points to whom they turned out to be; members have joined the brand."""

    id: UUID = key()
    brand_id: UUID = brand()
    name: str | None = None
    email_sealed: bytes | None = None
    merged_into: OptionalId = Field(default=None, foreign_key="customer.id")
    member_since: OptionalTime = when(default=None)
    created_at: datetime = now()


class Identity(SQLModel, table=True):
    """One handle of a customer; only a keyed hash of it is kept."""

    __table_args__ = (
        one_of("identity", "kind", "email", "phone", "platform_user", "visitor"),
        UniqueConstraint("brand_id", "kind", "value_hash"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    customer_id: UUID = ref("customer.id")
    kind: str
    value_hash: str
    source: str
    created_at: datetime = now()
