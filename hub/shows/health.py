"""What a media worker says, as the show and its targets keep it. Pure.

Figures are rounded, so that they are news only when they change for a person.
"""

from __future__ import annotations

from typing import Any, Final

from hub.shows.models import ShowTarget
from restream.api import LiveStatus, PublisherStatus, TargetStatus

COUNTERS: Final = (
    "bytes_sent",
    "bytes_acknowledged",
    "frames_sent",
    "frames_dropped",
    "connects",
    "gaps",
    "seconds_wanted",
    "seconds_live",
)


def ingest_of(publisher: PublisherStatus | None) -> dict[str, Any] | None:
    """What the studio shows of a feed."""
    if publisher is None:
        return None
    found = publisher.model_dump(mode="json")
    found["bitrate_kbps"] = round(publisher.bitrate_kbps, -2)
    found["audio_kbps"] = round(publisher.audio_kbps, -1)
    found["fps"] = round(publisher.fps) if publisher.fps else None
    found["drift_ms"] = round(publisher.drift_ms / 20) * 20
    if publisher.keyframe_interval_ms is not None:
        found["keyframe_interval_ms"] = round(publisher.keyframe_interval_ms, -2)
    return {"publishing": True, **found}


def health_of(status: LiveStatus) -> dict[str, Any]:
    """What is on air, the standby's feed, encoders, the player's rungs, findings, recording, delays."""
    said = status.model_dump(
        mode="json", include={"on_air", "encoders", "plan", "rungs", "findings", "recording"}
    )
    for encoder in said["encoders"]:
        if encoder["speed"] is not None:
            encoder["speed"] = round(encoder["speed"], 1)
    for rung in said["rungs"]:
        rung["video_kbps"] = round(rung["video_kbps"], -2)
        rung["behind_ms"] = None if rung["behind_ms"] is None else round(rung["behind_ms"], -2)
    said["recording"]["seconds"] = status.recording.seconds // 10 * 10
    said["recording"]["bytes"] = round(status.recording.bytes, -7)
    said["backup"] = ingest_of(status.backup)
    said["delays"] = {one.destination: {"ms": round(one.ms, -2), "way": one.way} for one in status.delays}
    return said


def count(target: ShowTarget, status: TargetStatus) -> None:
    """Add what the counters grew by. A worker that was restarted counts from nothing again.

    One that says a little less than before was overtaken by its own newer word, and is passed over.
    """
    before, now = target.last_counts or {}, status.model_dump(include=set(COUNTERS))
    if any(now[name] < before.get(name, 0) for name in COUNTERS):
        if 2 * now["bytes_sent"] >= before["bytes_sent"]:
            return
        before = {}
    for name in COUNTERS:
        setattr(target, name, getattr(target, name) + now[name] - before.get(name, 0))
    target.last_counts = now
