"""What a worker has kept of a show: its health, its recording, clips."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from restream.api.schema import Schema


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
