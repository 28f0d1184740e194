"""A message as screens see it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from hub.chat.models import Delivery, Message


class DeliveryOut(BaseModel):
    """What became of a message of ours on one platform; `due_at`: when it goes out, if it must wait."""

    target_id: UUID | None
    platform: str
    state: str
    reason: str | None
    purpose: str
    due_at: datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryOut:
        """From the table."""
        return cls(**delivery.model_dump(include=set(DeliveryOut.model_fields)))


class MessageOut(BaseModel):
    """One message of the merged feed. `at` is the platform's time, `received_at` ours."""

    id: UUID
    seq: int
    platform: str
    target_id: UUID | None
    external_id: str
    author_name: str | None
    author_picture: str | None
    badges: list[dict[str, Any]]
    text: str
    fragments: list[dict[str, Any]]
    kind: str
    amount_minor: int | None
    currency: str | None
    reply_to: str | None
    at: datetime
    received_at: datetime
    show_time_ms: int | None
    deleted: bool
    outgoing: bool
    hidden: bool
    staff_only: bool
    deliveries: list[DeliveryOut] = []

    @classmethod
    def of(cls, message: Message, deliveries: list[DeliveryOut] | None = None) -> MessageOut:
        """From the table; what a platform deleted keeps no text."""
        out = cls.from_row(message.model_dump())
        out.deliveries = deliveries or []
        return out

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> MessageOut:
        """From the table's columns."""
        out = cls.model_validate({**row, "at": row["sent_at"] or row["received_at"]})
        if out.deleted:
            out.text, out.fragments = "", []
        return out
