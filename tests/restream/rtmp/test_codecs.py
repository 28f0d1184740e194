"""Decoder configurations of HEVC, AV1 and Opus: what real encoders write is read; garbage is no surprise."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restream.media import Kind
from restream.rtmp import codecs
from restream.rtmp.flv import BrokenTag, audio_track, video_track
from tests.restream.rtmp.encodings import AV1_OPUS, HEVC_AAC, Encoding, frames, of


def config(encoding: Encoding, kind: Kind = Kind.VIDEO) -> bytes:
    """What the encoder says of itself."""
    (header,) = of(kind, frames(encoding), header=True)
    return header.body


@pytest.mark.parametrize("size", ["320x180", "854x480", "426x240", "1080x1920", "1920x1080"])
def test_the_size_of_an_hevc_picture_is_what_the_encoder_was_given(size: str) -> None:
    track = video_track(config(replace(HEVC_AAC, size=size, seconds=0.1)))
    assert f"{track.width}x{track.height}" == size
    assert track.codec.startswith("hvc1.1.6.L")


@pytest.mark.parametrize(
    ("pixels", "profile"), [("yuv420p10le", "hvc1.2."), ("yuv422p", "hvc1.4."), ("yuv444p", "hvc1.4.")]
)
def test_other_pixels_are_another_profile_of_the_same_size(pixels: str, profile: str) -> None:
    made = replace(HEVC_AAC, pixels=pixels, size="426x238", seconds=0.1)
    track = video_track(config(made))
    assert (track.width, track.height) == (426, 238)
    assert track.codec.startswith(profile)


@pytest.mark.parametrize("encoder", ["libsvtav1", "libaom-av1"])
@pytest.mark.parametrize("size", ["320x180", "854x480", "1080x1920"])
def test_the_size_of_an_av1_picture_is_what_the_encoder_was_given(encoder: str, size: str) -> None:
    speed = ("-preset", "12") if encoder == "libsvtav1" else ("-cpu-used", "8", "-usage", "realtime")
    made = replace(AV1_OPUS, video=("-c:v", encoder, *speed), size=size, seconds=0.1)
    track = video_track(config(made))
    assert f"{track.width}x{track.height}" == size
    assert track.codec.startswith("av01.0.")
    assert track.codec.endswith("M.08")


def test_codec_strings_are_those_of_the_specifications() -> None:
    """ISO 14496-15, E.3: the compatibility flags with their bits reversed, trailing zeros left out."""
    head = bytes.fromhex("01 01 60000000 b00000000000 5d f000 fc fd f8 f8 0000 0f")
    sps = config(HEVC_AAC)
    sps = sps[sps.index(b"\x42\x01\x01") :][:43]
    made = head + b"\1" + bytes([33]) + b"\0\1" + len(sps).to_bytes(2, "big") + sps
    assert video_track(made).codec == "hvc1.1.6.L93.B0"
    high = made[:1] + b"\x22\x20\0\0\0" + bytes.fromhex("900000000000") + b"\x99" + made[13:]
    assert video_track(high).codec == "hvc1.2.4.H153.90"
    units = config(AV1_OPUS)[4:]
    assert video_track(b"\x81\x08\x4c\0" + units).codec == "av01.0.08M.10"
    assert video_track(b"\x81\x4d\xec\0" + units).codec == "av01.2.13H.12"


def test_opus_is_read_from_its_head() -> None:
    track = audio_track(config(AV1_OPUS, Kind.AUDIO))
    assert (track.codec, track.rate, track.channels) == ("opus", 48_000, 2)
    with pytest.raises(BrokenTag):
        audio_track(b"OpusHead\1\2")


def test_a_reduced_header_and_timing_are_passed_over() -> None:
    """No encoder here writes them: AV1 5.5.1 with timing, a decoder model and two operating points."""
    bits = "000001" + "0" * 64 + "10101" + "00111" + "0" * 32 + "0000000000" + "1" + "00001"
    for level, tier in (("01000", "1"), ("00100", "")):
        bits += "0" * 12 + level + tier + "1" + "0" * 17 + "1" + "0000"
    size = "10000111" + f"{319:09b}" + f"{179:08b}"
    assert codecs.av1_picture_size(packed(bits + size)) == (320, 180)
    assert codecs.av1_picture_size(packed("0001100000" + size)) == (320, 180)


def packed(bits: str) -> bytes:
    """Bits as bytes, with some to spare."""
    bits += "0" * (8 - len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big") + bytes(4)


@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        (b"\xf8", 960),
        (b"\xe0", 120),
        (b"\x18", 2880),
        (b"\x68", 960),
        (b"\xf9", 1920),
        (b"\xfb\x03", 2880),
        (b"\xfb", 0),
        (b"", 0),
    ],
)
def test_an_opus_packet_says_how_long_it_sounds(packet: bytes, samples: int) -> None:
    """RFC 6716, 3.1: 20 ms and 2.5 ms CELT, 60 ms SILK, 20 ms hybrid, two frames, a counted number."""
    assert codecs.opus_samples(packet) == samples


@settings(deadline=None)  # the first try waits for ffmpeg
@given(
    cut=st.integers(0, 200), noise=st.lists(st.tuples(st.integers(0, 199), st.integers(0, 255)), max_size=8)
)
def test_a_garbled_configuration_is_a_track_or_broken(cut: int, noise: list[tuple[int, int]]) -> None:
    for kind, encoding in ((Kind.VIDEO, HEVC_AAC), (Kind.VIDEO, AV1_OPUS), (Kind.AUDIO, AV1_OPUS)):
        garbled = bytearray(config(encoding, kind)[:cut])
        for place, value in noise:
            if place < len(garbled):
                garbled[place] = value
        with contextlib.suppress(BrokenTag):
            track = (video_track if kind == Kind.VIDEO else audio_track)(bytes(garbled))
            assert track.config == garbled


def test_a_configuration_without_end_is_not_looked_through() -> None:
    hevc = config(HEVC_AAC)[:22] + b"\xff" + b"\x20\xff\xff" + bytes(4_000_000)
    for endless in (hevc, b"\x81\0\x0c\0" + b"\x12\0" * 2_000_000):
        with pytest.raises(BrokenTag):
            video_track(endless)


@given(st.binary(max_size=80))
def test_garbage_is_a_track_or_broken(garbage: bytes) -> None:
    for begin in (b"", b"\x81", b"\1\1", b"\1\x42", b"OpusHead"):
        with contextlib.suppress(BrokenTag):
            video_track(begin + garbage)
        with contextlib.suppress(BrokenTag):
            audio_track(begin + garbage)
