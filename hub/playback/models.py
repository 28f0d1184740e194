"""Tables of playback: the keys that tokens are signed with, and the moments of a show."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from hub.columns import OptionalTime, brand, key, now, one_of, ref, when


class PlaybackKey(SQLModel, table=True):
    """An Ed25519 pair of one show. `verifies_until` is None for the one that signs.

    The private key (base64url of its 32 bytes) is sealed; the media workers are told the public one.
    """

    __tablename__ = "playback_key"
    __table_args__ = (
        Index("playback_key_signs", "show_id", unique=True, postgresql_where=text("verifies_until IS NULL")),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = ref("show.id", ondelete="CASCADE")
    public_key: str
    private_key_sealed: bytes
    verifies_until: OptionalTime = when(default=None)
    created_at: datetime = now()


class ShowCue(SQLModel, table=True):
    """A moment of a show, by the feed's clock: told to players while it is live, a chapter of its replay."""

    __tablename__ = "show_cue"
    __table_args__ = (one_of("show_cue", "kind", "product", "offer", "poll", "chapter", "disclosure"),)

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = ref("show.id", ondelete="CASCADE")
    kind: str
    reference: str = Field(default="")
    title: str = Field(default="")
    begins_at: datetime = when()
    ends_at: OptionalTime = when(default=None)
