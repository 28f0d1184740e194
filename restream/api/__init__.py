"""The control API of a media worker: what the hub wants, and what the worker says is so.

Wanted state goes down whole (`PUT /lives/{slug}`), state and news come up (`GET /lives`,
`GET /events`). These schemas are all the hub ever imports from here, with `restream.client`.
"""

from __future__ import annotations

import hashlib
import hmac

from restream.api.archive import Clip, ClipWish, HealthSample, RecordingInfo
from restream.api.status import (
    Delay,
    EncoderStatus,
    EventKind,
    Finding,
    LiveStatus,
    PlanStatus,
    PublisherStatus,
    RecordingStatus,
    RungStatus,
    TargetState,
    TargetStatus,
    ViewersStatus,
    WorkerEvent,
)
from restream.api.wish import (
    Anchor,
    AnyLayer,
    CardLayer,
    CueSpec,
    LadderSpec,
    Layer,
    LiveSpec,
    PictureLayer,
    PlaybackSpec,
    ProfileSpec,
    QrLayer,
    RecordingSpec,
    RetryPlan,
    SlateSpec,
    SourceSpec,
    TargetSpec,
    TextLayer,
    VerificationKey,
    WhepSpec,
)

__all__ = [
    "Anchor",
    "AnyLayer",
    "CardLayer",
    "Clip",
    "ClipWish",
    "CueSpec",
    "Delay",
    "EncoderStatus",
    "EventKind",
    "Finding",
    "HealthSample",
    "LadderSpec",
    "Layer",
    "LiveSpec",
    "LiveStatus",
    "PictureLayer",
    "PlanStatus",
    "PlaybackSpec",
    "ProfileSpec",
    "PublisherStatus",
    "QrLayer",
    "RecordingInfo",
    "RecordingSpec",
    "RecordingStatus",
    "RetryPlan",
    "RungStatus",
    "SlateSpec",
    "SourceSpec",
    "TargetSpec",
    "TargetState",
    "TargetStatus",
    "TextLayer",
    "VerificationKey",
    "ViewersStatus",
    "WhepSpec",
    "WorkerEvent",
    "uplink_token",
]


def uplink_token(media_token: str, slug: str) -> str:
    """What opens `POST /uplink` on the media port for the staff of one show."""
    return hmac.new(media_token.encode(), f"uplink:{slug}".encode(), hashlib.sha256).hexdigest()
