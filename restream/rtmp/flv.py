"""FLV tag bodies, as RTMP carries them: to frames, and from decoder configurations to tracks. Pure.

H.264 and AAC come out in the plain form of 2008 even when they came in under a FourCC, because every platform
reads that; HEVC, AV1 and Opus have only the enhanced form.
"""

from __future__ import annotations

from typing import Final

from restream.media import AudioTrack, Frame, Kind, VideoTrack
from restream.rtmp import codecs, enhanced
from restream.rtmp.bits import BitReader

AVC, AAC = 7, 10
SEQUENCE_HEADER, CODED, SEQUENCE_END = 0, 1, 2
KEYFRAME, COMMAND_FRAME = 1, 5
PLAIN_AAC: Final = b"\xaf"
"""AAC, and the rest as it has to be: 44 kHz, 16 bit, stereo, whatever the configuration says."""
LARGEST_CONFIGURATION: Final = 64 << 10
"""Bytes; x265, which puts its whole command line into it, needs 3 kB."""
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
    if first & enhanced.EX_VIDEO:
        return _enhanced_video(payload, dts, arrived)
    if first & 15 != AVC:
        raise _other_video()
    if first >> 4 == COMMAND_FRAME:
        return None
    if len(payload) < 5:
        raise BrokenTag("an H.264 tag has at least 5 bytes")
    kind = payload[1]
    if kind == CODED:
        cts = int.from_bytes(payload[2:5], "big", signed=True)
        return Frame(Kind.VIDEO, dts, payload, payload[5:], cts, first >> 4 == KEYFRAME, False, arrived)
    if kind == SEQUENCE_END:
        return None
    if kind == SEQUENCE_HEADER:
        body = payload[5:]
        if len(body) < 7 or body[0] != 1:
            raise BrokenTag("the H.264 decoder configuration breaks off")
        return Frame(Kind.VIDEO, dts, payload, body, keyframe=False, header=True, arrived=arrived)
    raise BrokenTag(f"unknown video packet type {kind}")


def audio_frame(payload: bytes, dts: int, arrived: float) -> Frame | None:
    """An audio message as a frame; None for silence (an empty message)."""
    if not payload:
        return None
    if payload[0] >> 4 == enhanced.EX_AUDIO:
        return _enhanced_audio(payload, dts, arrived)
    if payload[0] >> 4 != AAC:
        raise _other_audio()
    if len(payload) < 2:
        raise BrokenTag("an AAC tag has at least 2 bytes")
    header = payload[1] == SEQUENCE_HEADER
    if header and len(payload) < 4:
        raise BrokenTag("the AAC configuration breaks off")
    return Frame(Kind.AUDIO, dts, payload, payload[2:], 0, True, header, arrived)


def _enhanced_video(payload: bytes, dts: int, arrived: float) -> Frame | None:
    try:
        packet = enhanced.video_packet(payload)
    except EOFError as error:
        raise BrokenTag(f"an enhanced video tag breaks off: {error}") from None
    if packet is None or packet.form in (enhanced.SEQUENCE_END, enhanced.METADATA):
        return None
    if packet.codec not in (enhanced.AVC, enhanced.HEVC, enhanced.AV1):
        raise _other_video()
    header = packet.form == enhanced.SEQUENCE_START
    if header and not packet.body:
        return None  # ffmpeg, before libaom has told it anything; the true one follows
    if not header and packet.form not in (enhanced.CODED_FRAMES, enhanced.CODED_FRAMES_X):
        raise BrokenTag(f"unknown video packet type {packet.form}")
    body, offset = packet.body, b"\0\0\0"
    if packet.form == enhanced.CODED_FRAMES and packet.codec != enhanced.AV1:
        offset, body = body[:3], body[3:]
        if len(offset) < 3:
            raise BrokenTag("an enhanced video tag has a composition time")
    if packet.codec == enhanced.AVC:
        first = bytes([packet.frame_type << 4 | AVC, SEQUENCE_HEADER if header else CODED])
        return video_frame(first + offset + body, dts, arrived)
    if header and packet.codec != _configured(body):
        raise BrokenTag("the decoder configuration is not one of the codec it comes with")
    plain = payload if packet.plain else enhanced.tag(False, packet)
    key = packet.frame_type == KEYFRAME and not header
    cts = int.from_bytes(offset, "big", signed=True)
    return Frame(Kind.VIDEO, dts, plain, body, cts, key, header, arrived)


def _enhanced_audio(payload: bytes, dts: int, arrived: float) -> Frame | None:
    try:
        packet = enhanced.audio_packet(payload)
    except EOFError as error:
        raise BrokenTag(f"an enhanced audio tag breaks off: {error}") from None
    if packet is None or packet.form in (enhanced.SEQUENCE_END, enhanced.METADATA):
        return None  # in audio, 4 tells where more than two channels belong; the decoder knows
    if packet.codec not in (enhanced.AAC, enhanced.OPUS):
        raise _other_audio()
    header = packet.form == enhanced.SEQUENCE_START
    if not header and packet.form != enhanced.CODED_FRAMES:
        raise BrokenTag(f"unknown audio packet type {packet.form}")
    if packet.codec == enhanced.AAC:
        kind = bytes([SEQUENCE_HEADER if header else CODED])
        return audio_frame(PLAIN_AAC + kind + packet.body, dts, arrived)
    if header and not codecs.is_opus(packet.body):
        raise BrokenTag("an Opus configuration begins with OpusHead")
    plain = payload if packet.plain else enhanced.tag(True, packet)
    return Frame(Kind.AUDIO, dts, plain, packet.body, 0, True, header, arrived)


def _configured(config: bytes) -> bytes:
    """The FourCC a video decoder configuration is for."""
    if codecs.is_av1(config):
        return enhanced.AV1
    return enhanced.HEVC if codecs.is_hevc(config) else enhanced.AVC


def _other_video() -> UnsupportedCodec:
    return UnsupportedCodec(
        "Only H.264, HEVC and AV1 video is accepted. Set the encoder's video codec to H.264."
    )


def _other_audio() -> UnsupportedCodec:
    return UnsupportedCodec("Only AAC and Opus audio is accepted. Set the encoder's audio codec to AAC.")


def video_track(config: bytes) -> VideoTrack:
    """The track an AVC (ISO 14496-15, 5.3.3), HEVC or AV1 configuration describes. Raises BrokenTag."""
    if len(config) > LARGEST_CONFIGURATION:
        raise BrokenTag("a video configuration is not that long")
    try:
        if codecs.is_av1(config):
            return VideoTrack(*codecs.av1(config), config)
        if codecs.is_hevc(config):
            return VideoTrack(*codecs.hevc(config), config)
        length = int.from_bytes(config[6:8], "big")
        sps = config[8 : 8 + length]
        if config[5] & 31 < 1 or len(sps) != length or length < 4:
            raise BrokenTag("the H.264 configuration holds no SPS")
        width, height = picture_size(sps)
    except (IndexError, EOFError) as error:
        raise BrokenTag(f"the video configuration breaks off: {error}") from error
    return VideoTrack(f"avc1.{config[1:4].hex()}", width, height, config)


def audio_track(config: bytes) -> AudioTrack:
    """The track an AudioSpecificConfig (ISO 14496-3, 1.6.2.1) or an OpusHead describes. Raises BrokenTag."""
    bits = BitReader(config)
    try:
        if codecs.is_opus(config):
            return AudioTrack(*codecs.opus(config), config)
        kind = bits.read(5)
        if kind == 31:
            kind = 32 + bits.read(6)
        index = bits.read(4)
        rate = bits.read(24) if index == 15 else AAC_RATES[index]
        channels = bits.read(4)
    except (IndexError, EOFError) as error:
        raise BrokenTag("the audio configuration makes no sense") from error
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
