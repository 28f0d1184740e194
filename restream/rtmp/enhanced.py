"""Enhanced RTMP v2 (veovera, 2026): tags with a FourCC, ModEx and several tracks; the negotiation. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from restream.rtmp import amf0

EX_VIDEO: Final = 0x80
EX_AUDIO: Final = 9
SEQUENCE_START, CODED_FRAMES, SEQUENCE_END, CODED_FRAMES_X = 0, 1, 2, 3
AUDIO_MULTITRACK, VIDEO_MULTITRACK, MOD_EX = 5, 6, 7
METADATA: Final = 4
VIDEO_COMMAND: Final = 5
ONE_TRACK, MANY_TRACKS, MANY_CODECS = 0, 1, 2
DEFAULT_TRACK: Final = 0

AVC, HEVC, AV1, OPUS, AAC = b"avc1", b"hvc1", b"av01", b"Opus", b"mp4a"

MOST_MODIFIERS: Final = 16
MOST_TRACKS: Final = 256
"""In one tag: as many as there are numbers for. A tag of millions would hold up everybody."""

CAN_RECONNECT, CAN_MULTITRACK, CAN_MOD_EX = 1, 2, 4
"""Bits of capsEx. ModEx is read over: its nanoseconds are less than RTMP's clock can say."""
CAN_FORWARD: Final = 4
"""Of the FourCC maps: what comes in is passed on as it is."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One track's part of a tag. `form` is the packet type, `frame_type` that of a picture (1: keyframe);
    `plain` says that the tag held nothing else: no ModEx, no other track."""

    form: int
    codec: bytes
    body: bytes
    frame_type: int = 0
    plain: bool = False


def video_packet(payload: bytes) -> Packet | None:
    """The default track of an ExVideoTagHeader and its body; None where it has no part in the tag.

    Raises EOFError when the tag breaks off.
    """
    form, at = _skip_mod_ex(payload)
    frame_type = payload[0] >> 4 & 7
    if frame_type == VIDEO_COMMAND and form != METADATA:
        return None
    return _packet(payload, form, at, VIDEO_MULTITRACK, frame_type)


def audio_packet(payload: bytes) -> Packet | None:
    """The default track of an ExAudioTagHeader and its body; None where it has no part in the tag.

    Raises EOFError when the tag breaks off.
    """
    form, at = _skip_mod_ex(payload)
    return _packet(payload, form, at, AUDIO_MULTITRACK, 0)


def tag(audio: bool, packet: Packet) -> bytes:
    """The packet as a tag of its own, the plainest there is."""
    first = EX_AUDIO << 4 if audio else EX_VIDEO | packet.frame_type << 4
    return b"".join((bytes([first | packet.form]), packet.codec, packet.body))


def _skip_mod_ex(payload: bytes) -> tuple[int, int]:
    """The packet type behind all modifiers, and the place behind it."""
    form, at = payload[0] & 15, 1
    for _ in range(MOST_MODIFIERS + 1):
        if form != MOD_EX:
            return form, at
        size = _byte(payload, at) + 1
        at += 1
        if size == 256:
            size = (_byte(payload, at) << 8 | _byte(payload, at + 1)) + 1
            at += 2
        at += size
        form = _byte(payload, at) & 15  # the high half is the kind of modifier; none matters to us
        at += 1
    raise EOFError("modifiers without end")


def _packet(payload: bytes, form: int, at: int, multitrack: int, frame_type: int) -> Packet | None:
    if form == multitrack:
        return _default_track(payload, at, frame_type)
    if at + 4 > len(payload):
        raise EOFError("no FourCC")
    return Packet(form, payload[at : at + 4], payload[at + 4 :], frame_type, plain=at == 1)


def _default_track(payload: bytes, at: int, frame_type: int) -> Packet | None:
    """The track with number 0 among all that are in the tag."""
    layout, form = _byte(payload, at) >> 4, payload[at] & 15
    at += 1
    codec = b""
    if layout != MANY_CODECS:
        codec, at = payload[at : at + 4], at + 4
    if at >= len(payload):
        raise EOFError("no track")
    for _ in range(MOST_TRACKS):
        if at >= len(payload):
            break
        if layout == MANY_CODECS:
            codec, at = payload[at : at + 4], at + 4
        track = _byte(payload, at)
        at += 1
        size = len(payload) - at
        if layout != ONE_TRACK:
            if at + 3 > len(payload):
                raise EOFError("no size")
            size, at = int.from_bytes(payload[at : at + 3], "big"), at + 3
        if at + size > len(payload):
            raise EOFError("a track breaks off")
        if track == DEFAULT_TRACK:
            return Packet(form, codec, payload[at : at + size], frame_type)
        at += size
    return None


def _byte(payload: bytes, at: int) -> int:
    if at >= len(payload):
        raise EOFError("no more bytes")
    return payload[at]


def offer() -> dict[str, amf0.Value]:
    """What our client adds to `connect`: it passes on whatever it is given."""
    return {
        "fourCcList": ["*"],
        "videoFourCcInfoMap": {"*": float(CAN_FORWARD)},
        "audioFourCcInfoMap": {"*": float(CAN_FORWARD)},
    }


def answer(offered: dict[str, amf0.Value]) -> dict[str, amf0.Value]:
    """What our server says to whoever offered something enhanced; nothing to all others."""
    if not offered.keys() & {"fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"}:
        return {}
    forward = float(CAN_FORWARD)
    return {
        "fourCcList": [codec.decode() for codec in (AVC, HEVC, AV1, AAC, OPUS)],
        "videoFourCcInfoMap": {codec.decode(): forward for codec in (AVC, HEVC, AV1)},
        "audioFourCcInfoMap": {codec.decode(): forward for codec in (AAC, OPUS)},
        "capsEx": float(CAN_RECONNECT | CAN_MULTITRACK | CAN_MOD_EX),
    }


def reconnects(offered: dict[str, amf0.Value]) -> bool:
    """Whether an encoder says it understands a request to reconnect."""
    caps = offered.get("capsEx")
    return isinstance(caps, int | float) and 0 < caps < 1 << 31 and bool(int(caps) & CAN_RECONNECT)
