"""The control API of a media worker: what the hub wants, and what the worker says is so.

Wanted state goes down whole (`PUT /lives/{slug}`), state and news come up (`GET /lives`,
`GET /events`). These schemas are all the hub ever imports from here, with `restream.client`.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr


class Schema(BaseModel):
    """Base: unknown fields are a mistake."""

    model_config = ConfigDict(extra="forbid")


RetryPlan = Literal["steady", "twitch", "youtube", "facebook", "single_use"]
"""How long a platform keeps a broken show, and so how we try again. `single_use`: the key dies with the
connection's grace (TikTok, Instagram), afterwards a person must fetch another."""


class TargetSpec(Schema):
    """One place to push to. `id` is stable for the life of the target.

    A platform's backup ingest is a target of its own (`<id>.backup`), so that it fails on its own.
    """

    id: str
    name: str
    url: str = Field(description="rtmp://, rtmps://, srt:// or http(s):// (WHIP) address without the key")
    key: SecretStr = Field(description="verbatim: RTMP stream key, SRT stream id, WHIP bearer token")
    passphrase: SecretStr | None = Field(default=None, description="SRT encryption, 10 to 79 characters")
    wanted: bool = True
    chunk_size: int = Field(default=60_000, ge=128, le=1 << 20)
    plan: RetryPlan = "steady"
    profile: str | None = Field(default=None, description="name of a profile; None copies the feed as it is")
    platform: str = Field(default="", description="row of the limits table; empty: no limits known")
    attempt: int = Field(default=0, description="counts a person's wishes to try again now")


Anchor = Literal[
    "top-left", "top", "top-right", "left", "centre", "right", "bottom-left", "bottom", "bottom-right"
]


class Layer(Schema):
    """Something drawn over the picture. `width` is a share of the picture's width."""

    anchor: Anchor = "bottom"
    width: float = Field(default=0.3, gt=0, le=1)
    margin: float = Field(default=0.03, ge=0, le=0.5)


class PictureLayer(Layer):
    """A picture of the worker's assets."""

    kind: Literal["picture"] = "picture"
    asset: str = Field(pattern="^[0-9a-f]{64}$")


class TextLayer(Layer):
    """A line of text, white on a dark band."""

    kind: Literal["text"] = "text"
    text: str = Field(max_length=200)


class QrLayer(Layer):
    """A QR code."""

    kind: Literal["qr"] = "qr"
    text: str = Field(max_length=500)


class CardLayer(Layer):
    """A product: its picture, its name, its price as words."""

    kind: Literal["card"] = "card"
    title: str = Field(max_length=120)
    price: str = Field(default="", max_length=40)
    asset: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")


AnyLayer = Annotated[PictureLayer | TextLayer | QrLayer | CardLayer, Field(discriminator="kind")]


class ProfileSpec(Schema):
    """One re-encoding of the feed, shared by every target that names it.

    `fit`: letterbox, crop (at `crop_x`, 0 left to 1 right), or blur (the whole picture before its own
    blurred enlargement). `crop_x` and `layers` change without a new encoder.
    """

    name: str = Field(min_length=1, max_length=40)
    width: int = Field(ge=128, le=3840, multiple_of=2)
    height: int = Field(ge=128, le=3840, multiple_of=2)
    fit: Literal["letterbox", "crop", "blur"] = "letterbox"
    crop_x: float = Field(default=0.5, ge=0, le=1)
    fps: float | None = Field(default=None, gt=0, le=60, description="None: as the feed")
    video_kbps: int = Field(ge=100, le=50_000)
    keyframe_seconds: float = Field(default=2.0, ge=0.5, le=10)
    audio_kbps: int = Field(default=128, ge=32, le=320)
    audio_rate: Literal[44_100, 48_000] | None = Field(default=None, description="Hz; None: as the feed")
    layers: list[AnyLayer] = []


class SlateSpec(Schema):
    """What is sent while no publisher is there; without an asset a dark picture with `text`."""

    asset: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="picture, or short video loop"
    )
    text: str = Field(default="We'll be right back", max_length=80)


class SourceSpec(Schema):
    """A feed the worker fetches or makes itself, for channels without an encoder. A publisher's key wins."""

    kind: Literal["pull", "file", "playlist", "pattern"]
    addresses: list[SecretStr] = Field(default=[], description="one address or file; several for a playlist")
    loop: bool = True


class RecordingSpec(Schema):
    """`keep_hours` after the show's end; `least_free_gb` is left to everybody else on the disk."""

    keep_hours: float = Field(default=168, gt=0)
    least_free_gb: float = Field(default=2.0, ge=0)


class LiveSpec(Schema):
    """The whole wanted state of one show. A lower `version` than the one known is ignored."""

    slug: str
    version: int
    key_hashes: list[str] = Field(description="SHA-256 hex of each stream key that may publish")
    backup_key_hashes: list[str] = Field(default=[], description="the same for the hot standby")
    takeover: Literal["newest", "refuse"] = Field(
        default="newest", description="a second publisher with the same key: cuts the first, or is refused"
    )
    failback: Literal["sticky", "return"] = Field(
        default="return", description="stay on the standby until it drops, or go back when the first is back"
    )
    grace_seconds: float = Field(
        default=60, ge=0, le=1800, description="how long a slate covers a lost publisher"
    )
    slate: SlateSpec | None = SlateSpec()
    srt_passphrase: SecretStr | None = None
    source: SourceSpec | None = None
    targets: list[TargetSpec] = []
    profiles: list[ProfileSpec] = []
    recording: RecordingSpec | None = None
    player: bool = Field(default=True, description="False: nothing is packaged for our own player")
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
    refused: dict[str, str] = {}


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
    encoders: list[EncoderStatus] = []
    plan: PlanStatus | None = None
    findings: list[Finding] = []
    recording: RecordingStatus = RecordingStatus(state="off")
    delays: list[Delay] = []
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


class HealthSample(Schema):
    """The feed at one moment, or its mean over ten seconds when it is older than an hour. None: not known."""

    at: AwareDatetime
    video_kbps: float | None = None
    audio_kbps: float | None = None
    arrival_kbps: float | None = Field(default=None, description="by our clock, not by the encoder's")
    uplink_kbps: float | None = Field(
        default=None, description="what the sender's connection carries, while it can't carry what is sent"
    )
    fps: float | None = None
    keyframe_seconds: float | None = None
    missing_percent: float | None = Field(default=None, description="of the pictures of the last seconds")
    late_ms: float | None = Field(default=None, description="later than the feed's earliest frame")
    jitter_ms: float | None = None
    drift_ms: float | None = Field(default=None, description="sound later than picture (positive)")
    alarms: float | None = None


class RecordingInfo(Schema):
    """One file of a show's recording; a new one begins with every change of codec or size."""

    name: str
    begins_at: AwareDatetime
    seconds: float
    bytes: int
    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None


class ClipWish(Schema):
    """What to cut out: wall-clock times, as they were received."""

    begins_at: AwareDatetime
    ends_at: AwareDatetime


class Clip(Schema):
    """A piece cut from the recording. It begins at the keyframe at or before what was asked for."""

    name: str
    begins_at: AwareDatetime
    ends_at: AwareDatetime
    seconds: float
    bytes: int


def uplink_token(media_token: str, slug: str) -> str:
    """What opens `POST /uplink` on the media port for the staff of one show."""
    return hmac.new(media_token.encode(), f"uplink:{slug}".encode(), hashlib.sha256).hexdigest()
