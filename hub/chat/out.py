"""A message as screens see it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from hub.chat.models import Delivery, Message


class DeliveryOut(BaseModel):
    """What became of a reply on one platform."""

    target_id: UUID | None
    platform: str
    state: str
    reason: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryOut:
        """From the table."""
        return cls(**delivery.model_dump(include=set(DeliveryOut.model_fields)))


class MessageOut(BaseModel):
    """One message of the merged feed."""

    id: UUID
    seq: int
    platform: str
    target_id: UUID | None
    author_name: str | None
    text: str
    kind: str
    amount_minor: int | None
    currency: str | None
    at: datetime
    received_at: datetime
    show_time_ms: int | None
    deleted: bool
    outgoing: bool
    deliveries: list[DeliveryOut] = []

    @classmethod
    def of(cls, message: Message, deliveries: list[DeliveryOut] | None = None) -> MessageOut:
        """From the table; what a platform deleted keeps no text."""
        kept = set(MessageOut.model_fields) - {"at", "deliveries", "text"}
        return cls(
            **message.model_dump(include=kept),
            text="" if message.deleted else message.text,
            at=message.sent_at or message.received_at,
            deliveries=deliveries or [],
        )
