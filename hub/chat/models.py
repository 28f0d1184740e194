"""Tables of messages and of what became of our replies."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, ref, when


class Message(SQLModel, table=True):
    """One message of the merged feed; `platform` is a connector's name or `own`."""

    __table_args__ = (
        UniqueConstraint("show_id", "platform", "external_id"),
        Index("message_feed", "show_id", "seq"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = Field(foreign_key="show.id", ondelete="CASCADE")
    seq: int = big()
    target_id: OptionalId = Field(default=None, foreign_key="show_target.id", ondelete="SET NULL")
    platform: str
    external_id: str
    author_id: str | None = None
    author_name: str | None = None
    text: str
    kind: str = "text"
    amount_minor: int | None = None
    currency: str | None = None
    sent_at: OptionalTime = when(default=None)
    received_at: datetime = now()
    show_time_ms: int | None = None
    deleted: bool = False
    outgoing: bool = False


class Delivery(SQLModel, table=True):
    """One reply on its way to one place. `unknown`: sent, but nobody confirmed it."""

    __table_args__ = (
        one_of("delivery", "state", "queued", "sent", "confirmed", "failed", "unknown"),
        UniqueConstraint("message_id", "platform", "target_id"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = ref("show.id", ondelete="CASCADE")
    message_id: UUID = ref("message.id", ondelete="CASCADE")
    target_id: OptionalId = Field(default=None, foreign_key="show_target.id", ondelete="CASCADE")
    platform: str
    state: str = "queued"
    reason: str | None = None
    external_id: str | None = Field(default=None, index=True)
    attempts: int = 0
    updated_at: datetime = now()
