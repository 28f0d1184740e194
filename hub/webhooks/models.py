"""The inbox of webhooks: raw, as signed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import brand, key, now, one_of


class WebhookEvent(SQLModel, table=True):
    """One delivery. Nothing is processed before it is here.

    `order_ref`: not a delivery but an order that could not be read, to be read again.
    """

    __tablename__ = "webhook_event"
    __table_args__ = (
        one_of("webhook_event", "state", "stored", "done", "parked"),
        UniqueConstraint("connection_id", "delivery_id"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    connection_id: UUID = Field(foreign_key="connection.id", ondelete="CASCADE")
    delivery_id: str
    headers: dict[str, Any] = Field(sa_type=JSON)
    body: bytes
    state: str = "stored"
    error: str | None = None
    order_ref: str | None = None
    received_at: datetime = now()
