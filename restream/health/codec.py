"""What a track's RFC 6381 codec string says: which codec, which profile, which level. Pure.

Sources: RFC 6381 (avc1, mp4a), ISO 14496-15 annex E (hvc1), the AV1 codec ISO media binding, 5 (av01).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FAMILIES: Final = {
    "avc1": "H.264",
    "avc3": "H.264",
    "hvc1": "HEVC",
    "hev1": "HEVC",
    "av01": "AV1",
    "opus": "Opus",
}
H264_PROFILES: Final = {
    66: "Baseline",
    77: "Main",
    88: "Extended",
    100: "High",
    110: "High 10",
    122: "High 4:2:2",
}
AAC_OBJECTS: Final = {"2": "AAC", "5": "HE-AAC", "29": "HE-AAC v2", "34": "MP3"}


@dataclass(frozen=True, slots=True)
class Codec:
    """`name` as people say it; `profile` and `level` (4.2) where the string says them."""

    name: str
    profile: str | None = None
    level: float | None = None


def describe(codec: str) -> Codec:
    """Read a codec string; one that is not understood keeps its own name."""
    kind, *rest = codec.split(".")
    name = FAMILIES.get(kind.lower(), codec)
    try:
        if name == "H.264":
            profile, level = int(rest[0][:2], 16), int(rest[0][4:6], 16)
            return Codec(name, H264_PROFILES.get(profile), level / 10)
        if name == "HEVC":
            return Codec(name, {"1": "Main", "2": "Main 10"}.get(rest[0]), int(rest[2][1:]) / 30)
        if name == "AV1":
            index = int(rest[1][:2])
            return Codec(name, {"0": "Main", "1": "High"}.get(rest[0]), 2 + index // 4 + index % 4 / 10)
        if kind == "mp4a":
            return Codec(AAC_OBJECTS.get(rest[1], codec))
    except (IndexError, ValueError):
        pass
    return Codec(name)


def begins_at_idr(picture: bytes, length_size: int = 4) -> bool:
    """Whether an H.264 access unit's first slice is an IDR one, which nothing before it is needed for.

    `picture` holds NAL units, each behind its length (ISO 14496-15, 5.3.2). Without a slice: True.
    """
    at = 0
    while at + length_size < len(picture):
        kind = picture[at + length_size] & 31
        if kind in (1, 5):
            return kind == 5
        at += length_size + int.from_bytes(picture[at : at + length_size], "big")
    return True
