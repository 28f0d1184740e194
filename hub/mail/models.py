"""The table of letters."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from hub.columns import OptionalTime, brand, key, now, one_of, when


class Mail(SQLModel, table=True):
    """One letter. Its id makes its Message-ID; `key` names its cause, which is told once.

    `letter_sealed` is the written letter; it is forgotten once it was sent.
    """

    __table_args__ = (one_of("mail", "state", "queued", "sent", "failed"),)

    id: UUID = key()
    brand_id: UUID = brand()
    to_sealed: bytes
    kind: str
    ref: str = Field(index=True)
    state: str = "queued"
    key: str = Field(unique=True)
    letter_sealed: bytes | None = None
    created_at: datetime = now()
    sent_at: OptionalTime = when(default=None)
    error: str | None = None
