"""Tables of shows, targets and media workers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub.columns import OptionalId, OptionalTime, big, brand, key, now, one_of, ref, when


class MediaWorker(SQLModel, table=True):
    """A restream worker. Not a tenant row: workers serve all brands of an installation."""

    __tablename__ = "media_worker"

    id: UUID = key()
    address: str = Field(unique=True)
    playback_url: str
    ingest_url: str
    srt_url: str | None = None
    capacity: int = 4
    last_event: int = big()
    last_seen: datetime = now()


class Show(SQLModel, table=True):
    """One live event. `seq` numbers its messages and cues; `ingest` and `health` are the worker's last word.

    `profiles` holds `restream.api.ProfileSpec` documents: the re-encodings its targets may choose from.
    `privacy` to `picture_asset` are told to the platforms; None leaves a choice to the connection or the
    platform. A `cancelled` show has ended before it began.
    `viewers_shown`: the watch page says how many watch.
    `hold_policy` to `units_per_network`: how its stock is shared out (`hub/stock/decide.py`); None leaves the
    seconds to the installation.
    """

    __table_args__ = (
        one_of("show", "state", "scheduled", "live", "ended"),
        one_of("show", "takeover", "newest", "refuse"),
        one_of("show", "failback", "sticky", "return"),
        one_of("show", "playback_mode", "balanced", "interactive"),
        one_of("show", "access", "public", "unlisted", "signed"),
        one_of("show", "privacy", "public", "unlisted", "private"),
        one_of("show", "latency", "normal", "low", "ultra_low"),
        one_of("show", "hold_policy", "hold", "first_paid", "hybrid"),
        CheckConstraint("part_ms IN (200, 333, 500, 1000)", name="show_part_ms_known"),
        CheckConstraint("hold_seconds BETWEEN 5 AND 3600", name="show_hold_seconds_sane"),
        CheckConstraint("units_per_buyer > 0", name="show_units_per_buyer_positive"),
        CheckConstraint("units_per_network >= 0", name="show_units_per_network_sane"),
    )

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
    backup_key_sealed: bytes | None = None
    backup_key_hash: str | None = Field(default=None, unique=True)
    takeover: str = "newest"
    failback: str = "return"
    grace_seconds: int = 60
    slate_text: str = "We'll be right back"
    slate_asset: str | None = None
    srt_passphrase_sealed: bytes | None = None
    recording: bool = False
    source_sealed: bytes | None = None
    profiles: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    media_worker_id: OptionalId = ref("media_worker.id", default=None)
    spec_version: int = big()
    seq: int = big()
    ingest: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    health: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    playable: bool = False
    playback_mode: str = "balanced"
    part_ms: int = 333
    ladder: bool = True
    whep: bool = True
    whep_url: str | None = None
    poster_asset: str | None = None
    access: str = "public"
    origins: list[str] = Field(default_factory=list, sa_type=JSON)
    viewer_cap: int | None = None
    path_secret_sealed: bytes | None = None
    cancelled: bool = False
    privacy: str = "public"
    latency: str | None = None
    made_for_kids: bool | None = None
    category: str | None = None
    tags: list[str] = Field(default_factory=list, sa_type=JSON)
    language: str | None = None
    picture_asset: str | None = None
    viewers_shown: bool = True
    hold_policy: str = "hold"
    hold_seconds: int | None = None
    units_per_buyer: int = 5
    units_per_network: int = 40
    created_at: datetime = now()


class ShowTarget(SQLModel, table=True):
    """One place a show is pushed to: what is wanted, and what the worker and the platform say.

    A removed one stays for the report; its place in the show is free. The counters add up over the worker's
    restarts: `last_counts` is what it said last.

    `title` and `description` stand in for the show's on this platform. `details_state` says whether the
    platform has the texts: `waiting` ones are tried (again) from `details_at` on. `round` counts the
    broadcasts that were given up: each has a marker of its own. `look_at` is when the platform is asked next
    how it goes.
    """

    __tablename__ = "show_target"
    __table_args__ = (
        one_of("show_target", "state", "idle", "connecting", "live", "retrying", "paused", "failed"),
        one_of("show_target", "details_state", "waiting", "applied", "refused"),
        one_of("show_target", "ingest_state", "good", "fair", "bad", "nothing"),
        Index(
            "show_target_once",
            "show_id",
            "connection_id",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
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
    passphrase_sealed: bytes | None = None
    backup_url_sealed: bytes | None = None
    backup_key_sealed: bytes | None = None
    backup_wanted: bool = True
    backup_state: str | None = None
    backup_reason: str | None = None
    plan: str = "steady"
    platform: str = ""
    profile: str | None = None
    attempt: int = 0
    removed_at: OptionalTime = when(default=None)
    ref: str | None = None
    chat_ref: str | None = None
    chat_state: str = "off"
    chat_detail: str = ""
    chat_cursor: str | None = None
    watch_url: str | None = None
    platform_state: str | None = None
    receiving: bool | None = None
    round: int = 0
    title: str | None = None
    description: str | None = None
    details_state: str | None = None
    details_reason: str | None = None
    details_at: OptionalTime = when(default=None)
    look_at: OptionalTime = when(default=None)
    viewers: int | None = None
    viewers_peak: int | None = None
    reactions: int | None = None
    ingest_state: str | None = None
    ingest_issues: list[str] = Field(default_factory=list, sa_type=JSON)
    key_expires_at: OptionalTime = when(default=None)
    bytes_sent: int = big()
    bytes_acknowledged: int = big()
    frames_sent: int = big()
    frames_dropped: int = big()
    connects: int = 0
    gaps: int = 0
    seconds_wanted: float = 0
    seconds_live: float = 0
    last_counts: dict[str, Any] | None = Field(default=None, sa_type=JSON)


class Asset(SQLModel, table=True):
    """A picture or a short loop that the media worker draws, known by the SHA-256 of its bytes."""

    __table_args__ = (UniqueConstraint("brand_id", "sha256"),)

    id: UUID = key()
    brand_id: UUID = brand()
    sha256: str
    media_type: str
    data: bytes
    created_at: datetime = now()


class ShowProduct(SQLModel, table=True):
    """A product of a show, in the order of the host's table."""

    __tablename__ = "show_product"

    show_id: UUID = Field(primary_key=True, foreign_key="show.id", ondelete="CASCADE")
    product_id: UUID = Field(primary_key=True, foreign_key="product.id", ondelete="CASCADE")
    brand_id: UUID = brand()
    position: int = 0
    highlighted: bool = False
