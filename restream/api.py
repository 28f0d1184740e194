"""The control API of a media worker: what the hub wants, and what the worker says is so.

Wanted state goes down whole (`PUT /lives/{slug}`), state and news come up (`GET /lives`,
`GET /events`). These schemas are all the hub ever imports from here, with `restream.client`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr


class Schema(BaseModel):
    """Base: unknown fields are a mistake."""

    model_config = ConfigDict(extra="forbid")


class TargetSpec(Schema):
    """One place to push to. `id` is stable for the life of the target."""

    id: str
    name: str
    url: str = Field(description="rtmp:// or rtmps:// address without the key")
    key: SecretStr = Field(description="pushed verbatim, query and all")
    wanted: bool = True
    chunk_size: int = Field(default=60_000, ge=128, le=1 << 20)


class LiveSpec(Schema):
    """The whole wanted state of one show. A lower `version` than the one known is ignored."""

    slug: str
    version: int
    key_hashes: list[str] = Field(description="SHA-256 hex of each stream key that may publish")
    targets: list[TargetSpec] = []
    part_ms: int = Field(default=333, ge=100, le=2000)
    segment_ms: int = Field(default=2000, ge=1000, le=6000)
    open: bool = Field(
        default=True, description="False ends the show: publishers out, ENDLIST, targets closed"
    )


TargetState = Literal["idle", "connecting", "live", "retrying", "paused", "failed"]


class TargetStatus(Schema):
    """What a target is doing. `live` is said only after the far end accepted and acknowledged bytes."""

    id: str
    name: str
    wanted: bool
    state: TargetState
    reason: str | None = None
    since: AwareDatetime
    next_try_at: AwareDatetime | None = None
    bytes_sent: int = 0
    frames_sent: int = 0
    frames_dropped: int = 0
    connects: int = 0


class PublisherStatus(Schema):
    """Who publishes and what."""

    since: AwareDatetime
    peer: str
    encoder: str = ""
    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    bitrate_kbps: int = 0
    keyframe_interval_ms: int | None = None


class LiveStatus(Schema):
    """One show on this worker."""

    slug: str
    version: int
    open: bool
    publisher: PublisherStatus | None
    targets: list[TargetStatus]
    playable: bool = Field(description="a player that asks now gets a playlist with media")


EventKind = Literal[
    "publisher.started", "publisher.stopped", "publisher.refused", "target.changed", "live.stats"
]


class WorkerEvent(Schema):
    """One line of `GET /events?after=SEQ` (newline-delimited JSON, resumable, newest kept)."""

    seq: int
    at: AwareDatetime
    slug: str
    kind: EventKind
    publisher: PublisherStatus | None = None
    target: TargetStatus | None = None
    reason: str | None = None
    status: LiveStatus | None = Field(default=None, description="with live.stats, once a second")
