"""Frames of silence, so that a sound track goes on while nobody speaks to it. Pure.

Sources: ISO/IEC 14496-3 4.4.2 (raw_data_block with all spectra zero), RFC 6716 3.1 (an Opus packet of CELT,
20 ms, that holds nothing).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from restream.media import AudioTrack
from restream.rtmp.codecs import opus_samples

AAC_SAMPLES: Final = 1024
OPUS_SAMPLES: Final = 960
_OPUS: Final = b"\xf8\xff\xfe"
_AAC: Final = MappingProxyType({1: bytes.fromhex("00000007"), 2: bytes.fromhex("21000000001c")})
"""By the number of channels: one element with no spectral lines, and the end."""


def sound_samples(track: AudioTrack, body: bytes) -> int:
    """Samples in one audio frame: always the same in AAC, told by each packet in Opus."""
    return opus_samples(body) if track.codec == "opus" else AAC_SAMPLES


def frame_samples(track: AudioTrack) -> int:
    """Samples in a usual frame of a track."""
    return OPUS_SAMPLES if track.codec == "opus" else AAC_SAMPLES


def silence(track: AudioTrack) -> bytes | None:
    """One frame without sound, `frame_samples` long; None where none is known."""
    if track.codec == "opus":
        return _OPUS if track.channels <= 2 else None
    if track.codec == "mp4a.40.2":
        return _AAC.get(track.channels)
    return None
