"""The values media travels in: tracks and frames, as RTMP/FLV carries them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class Kind(IntEnum):
    """RTMP message types that carry media (RTMP 1.0, 7.1)."""

    AUDIO = 8
    VIDEO = 9
    DATA = 18


@dataclass(frozen=True, slots=True)
class Frame:
    """One access unit, or a track's header.

    `payload` is the FLV tag body exactly as the publisher sent it, so that relaying copies nothing;
    `body` is the codec data behind the FLV bytes (AVCC length-prefixed NALs, raw AAC, or the AVC/AAC
    decoder configuration when `header` is set). `dts` is milliseconds on the publisher's clock,
    unwrapped; `cts` is the composition offset in milliseconds. `arrived` is the wall clock (seconds).
    """

    kind: Kind
    dts: int
    payload: bytes
    body: bytes
    cts: int = 0
    keyframe: bool = False
    header: bool = False
    arrived: float = 0.0


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """What the decoder configuration says. `config` is the AVCDecoderConfigurationRecord."""

    codec: str  # RFC 6381, for example avc1.42c01f
    width: int
    height: int
    config: bytes


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """`config` is the AudioSpecificConfig."""

    codec: str  # mp4a.40.2
    rate: int
    channels: int
    config: bytes


class Reader(Protocol):
    """Whoever wants frames. `push` is called in the live's own task: it must not block and not raise."""

    def push(self, frame: Frame) -> None:
        """Headers come first, then frames from a keyframe on."""
        ...

    def ended(self) -> None:
        """The publisher is gone; a new one may come, with headers first again."""
        ...
