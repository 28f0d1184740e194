"""What a worker says is so: `GET /lives`, and the news of `GET /events`."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from restream.api.schema import Schema

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
    bytes_acknowledged: int = 0
    frames_sent: int = 0
    frames_dropped: int = 0
    connects: int = 0
    seconds_wanted: float = Field(default=0, description="time in which it should have been live")
    seconds_live: float = 0
    gaps: int = Field(default=0, description="times it stopped being live while it should have been")


class PublisherStatus(Schema):
    """Who publishes and what. Rates are of the last seconds of media."""

    since: AwareDatetime
    peer: str
    protocol: Literal["rtmp", "srt", "whip", "source"] = "rtmp"
    encoder: str = ""
    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    bitrate_kbps: int = 0
    audio_kbps: int = 0
    audio_rate: int | None = None
    audio_channels: int | None = None
    keyframe_interval_ms: int | None = None
    b_frames: bool = False
    frames_missing: int = Field(default=0, description="pictures the encoder left out, by its own clock")
    drift_ms: int = Field(default=0, description="sound later than picture (positive) by the timestamps")


class Finding(Schema):
    """Something about the feed that a platform, or a viewer, will not like. `code` is stable."""

    code: str
    severity: Literal["info", "warning", "alarm"]
    sentence: str = Field(description="what is wrong and which setting to change, in plain words")
    target: str | None = Field(default=None, description="id of the target it concerns; None: everybody")
    since: AwareDatetime


class EncoderStatus(Schema):
    """One profile's encoder. `speed` is media seconds per second; below 1 it starves."""

    profile: str
    state: Literal["idle", "starting", "running", "starved", "retrying", "refused"]
    reason: str | None = None
    cost_cores: float = Field(description="cores it is expected to need")
    speed: float | None = None
    restarts: int = 0


class PlanStatus(Schema):
    """What the wanted profiles cost on this machine. `refused`: profile name → why it will not run."""

    cores: float
    wanted_cores: float
    costs: dict[str, float]
    refused: dict[str, str] = Field(default={})


class RungStatus(Schema):
    """One rendition of the ladder. `behind_ms`: its newest picture against the feed's newest."""

    name: str
    height: int
    state: Literal["starting", "running", "starved", "retrying", "refused"]
    reason: str | None = None
    video_kbps: int = 0
    behind_ms: float | None = None


class ViewersStatus(Schema):
    """Who watches here: by LL-HLS (asked for a playlist lately) and by WebRTC."""

    hls: int = 0
    whep: int = 0
    refused: int = Field(default=0, description="turned away since the show began, for lack of room")


class RecordingStatus(Schema):
    """The recording so far."""

    state: Literal["off", "waiting", "recording", "stopped"]
    reason: str | None = None
    seconds: float = 0
    bytes: int = 0


class Delay(Schema):
    """From our ingest to one destination (a target's id, or `player`), as far as it can be measured.

    `way` says up to where: `sent` the bytes left, `acknowledged` the far end said so, `platform` its own
    report, `player` measured in a browser.
    """

    destination: str
    ms: float
    way: Literal["sent", "acknowledged", "platform", "player"]
    at: AwareDatetime


class LiveStatus(Schema):
    """One show on this worker."""

    slug: str
    version: int
    open: bool
    on_air: Literal["primary", "backup", "slate", "nothing"] = "nothing"
    publisher: PublisherStatus | None
    backup: PublisherStatus | None = None
    targets: list[TargetStatus]
    encoders: list[EncoderStatus] = Field(default=[])
    plan: PlanStatus | None = None
    findings: list[Finding] = Field(default=[])
    recording: RecordingStatus = RecordingStatus(state="off")
    rungs: list[RungStatus] = Field(default=[])
    viewers: ViewersStatus = ViewersStatus()
    delays: list[Delay] = Field(default=[])
    playable: bool = Field(description="a player that asks now gets a playlist with media")


EventKind = Literal[
    "publisher.started",
    "publisher.stopped",
    "publisher.refused",
    "source.switched",
    "target.changed",
    "encoder.changed",
    "finding.raised",
    "finding.cleared",
    "recording.changed",
    "live.stats",
]


class WorkerEvent(Schema):
    """One line of `GET /events?after=SEQ` (newline-delimited JSON, resumable, newest kept)."""

    seq: int
    at: AwareDatetime
    slug: str
    kind: EventKind
    role: Literal["primary", "backup", "source"] | None = Field(
        default=None, description="with publisher.started and publisher.stopped: whose place it was"
    )
    publisher: PublisherStatus | None = None
    target: TargetStatus | None = None
    encoder: EncoderStatus | None = None
    finding: Finding | None = None
    recording: RecordingStatus | None = None
    on_air: Literal["primary", "backup", "slate", "nothing"] | None = None
    reason: str | None = None
    status: LiveStatus | None = Field(default=None, description="with live.stats, once a second")
