"""Sample entries: what a track's `stsd` says about its codec. Pure.

Sources: ISO/IEC 14496-15 (avc1, hvc1), "AV1 Codec ISO Media File Format Binding" (av01), 14496-14 and 14496-1
7.2.6 (mp4a, esds), "Encapsulation of Opus in ISO Base Media File Format" (Opus, dOps).
"""

from __future__ import annotations

import struct
from typing import Final

from restream.hls.box import box, full
from restream.media import AudioTrack, VideoTrack

VIDEO_ENTRIES: Final = {"avc1": b"avcC", "hvc1": b"hvcC", "av01": b"av1C"}
"""By the codec string's beginning, which is the entry's name too: the box that holds the configuration."""
OPUS_RATE: Final = 48_000


def video_entry(track: VideoTrack) -> bytes:
    """avc1, hvc1 or av01, with the decoder configuration as it came."""
    name = track.codec.partition(".")[0]
    head = struct.pack(">6xH16xHHIIIH32xHh", 1, track.width, track.height, 0x480000, 0x480000, 0, 1, 0x18, -1)
    return box(name.encode(), head, box(VIDEO_ENTRIES[name], track.config))


def audio_entry(track: AudioTrack) -> bytes:
    """mp4a or Opus."""
    if track.codec == "opus":
        head = _audio_head(track, OPUS_RATE)
        return box(b"Opus", head, box(b"dOps", _opus_specific(track.config)))
    return box(b"mp4a", _audio_head(track, min(track.rate, 0xFFFF)), _esds(track.config))


def _audio_head(track: AudioTrack, rate: int) -> bytes:
    return struct.pack(">6xH8xHHHHI", 1, track.channels, 16, 0, 0, rate << 16)


def _opus_specific(head: bytes) -> bytes:
    """An OpusHead's fields (RFC 7845, 5.1), little-endian, as dOps has them: big-endian, version 0."""
    channels, skip, rate, gain, family = struct.unpack_from("<BHIhB", head, 9)
    return struct.pack(">BBHIhB", 0, channels, skip, rate, gain, family) + (head[19:] if family else b"")


def _esds(config: bytes) -> bytes:
    """Elementary stream descriptor (ISO 14496-1, 7.2.6): AAC, the AudioSpecificConfig, SL 2."""
    specific = _descriptor(5, config)
    decoder = _descriptor(4, struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + specific)
    return full(b"esds", 0, 0, _descriptor(3, struct.pack(">HB", 0, 0) + decoder + _descriptor(6, b"\x02")))


def _descriptor(tag: int, content: bytes) -> bytes:
    """Tag, size in four groups of seven bits, content."""
    size = len(content)
    groups = (size >> 21 & 127 | 128, size >> 14 & 127 | 128, size >> 7 & 127 | 128, size & 127)
    return bytes([tag, *groups]) + content
