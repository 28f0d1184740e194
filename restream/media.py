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

    `payload` is the FLV tag body as the publisher sent it (one track, without enhanced RTMP's wrappings), so
    that relaying copies nothing; `body` is the codec data behind the FLV bytes (length-prefixed NALs of H.264
    or HEVC, AV1's OBUs, raw AAC, an Opus packet, or the decoder configuration when `header` is set). `dts` is
    milliseconds on the publisher's clock, unwrapped; `cts` is the composition offset in milliseconds.
    `arrived` is the wall clock (seconds).
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
    """What the decoder configuration says. `config` is that configuration, as in avcC, hvcC or av1C."""

    codec: str  # RFC 6381, for example avc1.42c01f, hvc1.1.6.L93.B0 or av01.0.04M.08
    width: int
    height: int
    config: bytes


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """`config` is the AudioSpecificConfig, or an OpusHead (RFC 7845). `rate` is samples a second."""

    codec: str  # mp4a.40.2 or opus
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
