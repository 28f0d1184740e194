"""Tables of what players report: a row per player and show, and the show's figures over time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, String
from sqlmodel import Field, SQLModel

from hub.columns import big, brand, one_of, when


class PlaybackSession(SQLModel, table=True):
    """One player that played one show, as its newest beacon (the highest `seq`) told it.

    Counters are those of the whole session. There is nothing in here about who watched: the id was made by
    the player for this one sitting, and `device` is one of five words.
    """

    __tablename__ = "playback_session"
    __table_args__ = (
        one_of("playback_session", "kind", "viewer", "probe"),
        one_of("playback_session", "transport", "hls", "whep", "native"),
        one_of("playback_session", "device", "phone", "tablet", "computer", "tv", "other"),
    )

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    session: UUID = Field(primary_key=True)
    brand_id: UUID = brand()
    kind: str
    device: str
    transport: str
    seq: int
    seen_at: datetime = when()
    ended: bool
    at_ms: int = big()
    startup_ms: int | None
    watched_ms: int = big()
    stalls: int
    stalled_ms: int = big()
    height: int | None
    height_ms: int = big()
    latency_ms: int | None
    dropped: int = big()
    frames: int = big()
    switches: int
    fallbacks: int
    error_codes: list[str] = Field(sa_type=ARRAY(String))
    error_detail: str | None


class PlaybackPoint(SQLModel, table=True):
    """A live show's viewers at one moment, every ten seconds. Sums are those of all its sessions so far."""

    __tablename__ = "playback_point"

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    at: datetime = when(primary_key=True)
    brand_id: UUID = brand()
    viewers: int
    latency_ms: float | None
    height: float | None
    watched_ms: int = big()
    stalled_ms: int = big()
    stalls: int = big()
