"""FLV tag bodies, as RTMP carries them: to frames, and from decoder configurations to tracks. Pure."""

from __future__ import annotations

from typing import Final

from restream.media import AudioTrack, Frame, Kind, VideoTrack
from restream.rtmp.bits import BitReader

AVC, AAC = 7, 10
SEQUENCE_HEADER, CODED, SEQUENCE_END = 0, 1, 2
KEYFRAME, COMMAND_FRAME = 1, 5
EX_HEADER: Final = 0x80
LARGEST_SPS: Final = 2048
"""Bytes looked at; the picture's size stands well before, behind the scaling lists at most."""
MOST_ORDER_OFFSETS: Final = 255
AAC_RATES: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


class BrokenTag(ValueError):
    """A tag body that cannot be what it says it is."""


class UnsupportedCodec(ValueError):
    """A codec we do not carry; the sentence says what to set in the encoder."""


def video_frame(payload: bytes, dts: int, arrived: float) -> Frame | None:
    """A video message as a frame; None for what carries no picture (end of sequence, info frames)."""
    if not payload:
        raise BrokenTag("a video tag is not empty")
    first = payload[0]
    if first & EX_HEADER or first & 15 != AVC:
        raise UnsupportedCodec("Only H.264 video is accepted. Set the encoder's video codec to H.264.")
    if first >> 4 == COMMAND_FRAME:
        return None
    if len(payload) < 5:
        raise BrokenTag("an H.264 tag has at least 5 bytes")
    kind = payload[1]
    if kind == SEQUENCE_END:
        return None
    if kind == SEQUENCE_HEADER:
        body = payload[5:]
        if len(body) < 7 or body[0] != 1:
            raise BrokenTag("the H.264 decoder configuration breaks off")
        return Frame(Kind.VIDEO, dts, payload, body, keyframe=False, header=True, arrived=arrived)
    if kind != CODED:
        raise BrokenTag(f"unknown video packet type {kind}")
    cts = int.from_bytes(payload[2:5], "big", signed=True)
    return Frame(
        Kind.VIDEO, dts, payload, payload[5:], cts=cts, keyframe=first >> 4 == KEYFRAME, arrived=arrived
    )


def audio_frame(payload: bytes, dts: int, arrived: float) -> Frame | None:
    """An audio message as a frame; None for silence (an empty message)."""
    if not payload:
        return None
    if payload[0] >> 4 != AAC:
        raise UnsupportedCodec("Only AAC audio is accepted. Set the encoder's audio codec to AAC.")
    if len(payload) < 2:
        raise BrokenTag("an AAC tag has at least 2 bytes")
    header = payload[1] == SEQUENCE_HEADER
    if header and len(payload) < 4:
        raise BrokenTag("the AAC configuration breaks off")
    return Frame(Kind.AUDIO, dts, payload, payload[2:], keyframe=True, header=header, arrived=arrived)


def video_track(config: bytes) -> VideoTrack:
    """The track an AVCDecoderConfigurationRecord (ISO 14496-15, 5.3.3) describes. Raises BrokenTag."""
    try:
        length = int.from_bytes(config[6:8], "big")
        sps = config[8 : 8 + length]
        if config[5] & 31 < 1 or len(sps) != length or length < 4:
            raise BrokenTag("the H.264 configuration holds no SPS")
        width, height = picture_size(sps)
    except (IndexError, EOFError) as error:
        raise BrokenTag("the H.264 configuration breaks off") from error
    return VideoTrack(f"avc1.{config[1:4].hex()}", width, height, config)


def audio_track(config: bytes) -> AudioTrack:
    """The track an AudioSpecificConfig (ISO 14496-3, 1.6.2.1) describes. Raises BrokenTag."""
    bits = BitReader(config)
    try:
        kind = bits.read(5)
        if kind == 31:
            kind = 32 + bits.read(6)
        index = bits.read(4)
        rate = bits.read(24) if index == 15 else AAC_RATES[index]
        channels = bits.read(4)
    except (IndexError, EOFError) as error:
        raise BrokenTag("the AAC configuration makes no sense") from error
    return AudioTrack(f"mp4a.40.{kind}", rate, {7: 8}.get(channels, channels), config)


def picture_size(sps: bytes) -> tuple[int, int]:
    """Width and height, cropped, from a sequence parameter set (ITU-T H.264, 7.3.2.1.1). Raises EOFError."""
    bits = BitReader(sps[1:LARGEST_SPS].replace(b"\0\0\3", b"\0\0"))
    profile = bits.read(8)
    bits.read(16)
    bits.ue()
    chroma = 1
    if profile in (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135):
        chroma = bits.ue()
        _skip_high_profile(bits, chroma)
    bits.ue()
    _skip_order_count(bits)
    bits.ue()
    bits.read(1)
    columns, rows = bits.ue() + 1, bits.ue() + 1
    frames_only = bits.read(1)
    if not frames_only:
        bits.read(1)
    bits.read(1)
    left = right = top = bottom = 0
    if bits.read(1):
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
    step_x = 1 if chroma in (0, 3) else 2
    step_y = (2 if chroma == 1 else 1) * (2 - frames_only)
    height = rows * 16 * (2 - frames_only)
    return columns * 16 - (left + right) * step_x, height - (top + bottom) * step_y


def _skip_high_profile(bits: BitReader, chroma: int) -> None:
    if chroma == 3:
        bits.read(1)
    bits.ue()
    bits.ue()
    bits.read(1)
    if not bits.read(1):
        return
    for index in range(8 if chroma != 3 else 12):
        if not bits.read(1):
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + bits.se() + 256) % 256
            last = following or last


def _skip_order_count(bits: BitReader) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.read(1)
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), MOST_ORDER_OFFSETS)):
            bits.se()
