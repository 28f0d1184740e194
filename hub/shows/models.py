"""Tables of shows, targets and media workers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, ref, when


class MediaWorker(SQLModel, table=True):
    """A restream worker. Not a tenant row: workers serve all brands of an installation."""

    __tablename__ = "media_worker"

    id: UUID = key()
    address: str = Field(unique=True)
    playback_url: str
    ingest_url: str
    capacity: int = 4
    last_event: int = big()
    last_seen: datetime = now()


class Show(SQLModel, table=True):
    """One live event. `seq` numbers its messages and cues; `ingest` is the worker's last word on the feed."""

    __table_args__ = (one_of("show", "state", "scheduled", "live", "ended"),)

    id: UUID = key()
    brand_id: UUID = brand()
    slug: str = Field(unique=True)
    title: str
    description: str = ""
    state: str = "scheduled"
    starts_at: OptionalTime = when(default=None)
    live_at: OptionalTime = when(default=None)
    ended_at: OptionalTime = when(default=None)
    stream_key_sealed: bytes
    stream_key_hash: str = Field(unique=True)
    media_worker_id: OptionalId = ref("media_worker.id", default=None)
    spec_version: int = big()
    seq: int = big()
    ingest: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    playable: bool = False
    created_at: datetime = now()


class ShowTarget(SQLModel, table=True):
    """One place a show is pushed to: what is wanted, and what the worker and the platform say."""

    __tablename__ = "show_target"
    __table_args__ = (
        one_of("show_target", "state", "idle", "connecting", "live", "retrying", "paused", "failed"),
        UniqueConstraint("show_id", "connection_id"),
    )

    id: UUID = key()
    brand_id: UUID = brand()
    show_id: UUID = ref("show.id", ondelete="CASCADE")
    connection_id: UUID = ref("connection.id", ondelete="CASCADE")
    connector: str
    name: str
    wanted: bool = True
    state: str = "idle"
    reason: str | None = None
    state_since: datetime = now()
    next_try_at: OptionalTime = when(default=None)
    url_sealed: bytes | None = None
    key_sealed: bytes | None = None
    ref: str | None = None
    chat_ref: str | None = None
    chat_state: str = "off"
    chat_detail: str = ""
    chat_cursor: str | None = None
    watch_url: str | None = None
    platform_state: str | None = None
    bytes_sent: int = big()
    frames_sent: int = big()
    frames_dropped: int = big()
    connects: int = 0


class ShowProduct(SQLModel, table=True):
    """A product of a show, in the order of the host's table."""

    __tablename__ = "show_product"

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    product_id: UUID = Field(primary_key=True, foreign_key="product.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    position: int = 0
    highlighted: bool = False
