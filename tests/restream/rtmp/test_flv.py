"""FLV tag bodies: what real encoders write is understood; anything else is one of two errors."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable

import imageio_ffmpeg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from restream.media import Kind
from restream.rtmp.flv import (
    BrokenTag,
    UnsupportedCodec,
    audio_frame,
    audio_track,
    picture_size,
    video_frame,
    video_track,
)
from tests.restream.hls.feed import Shape, frames_of, stream


def test_a_real_stream_is_headers_keyframes_and_frames() -> None:
    frames = stream(Shape(seconds=2, gop=30, bframes=2))
    headers = [frame for frame in frames if frame.header]
    assert [frame.kind for frame in headers] == [Kind.VIDEO, Kind.AUDIO]
    assert not any(frame.keyframe for frame in headers if frame.kind == Kind.VIDEO)
    shown = [frame for frame in frames if frame.kind == Kind.VIDEO and not frame.header]
    assert [n for n, frame in enumerate(shown) if frame.keyframe] == [0, 30]
    assert any(frame.cts > 0 for frame in shown)
    assert all(frame.payload.endswith(frame.body) for frame in frames)
    track = video_track(headers[0].body)
    assert (track.width, track.height) == (320, 180)
    assert track.codec.startswith("avc1.")
    assert track.codec[5:] == headers[0].body[1:4].hex()
    sound = audio_track(headers[1].body)
    assert (sound.codec, sound.rate, sound.channels) == ("mp4a.40.2", 48_000, 2)


@pytest.mark.parametrize(
    ("size", "options"),
    [
        ("1920x1080", ["-pix_fmt", "yuv420p"]),
        ("1280x720", ["-pix_fmt", "yuv420p", "-profile:v", "baseline"]),
        ("854x480", ["-pix_fmt", "yuv420p"]),
        ("1080x1920", ["-pix_fmt", "yuv420p"]),
        ("426x238", ["-pix_fmt", "yuv422p"]),
        ("427x239", ["-pix_fmt", "yuv444p"]),
        ("640x362", ["-pix_fmt", "yuv420p10le"]),
        ("640x364", ["-pix_fmt", "yuv420p", "-x264-params", "interlaced=1"]),
        ("640x362", ["-pix_fmt", "gray"]),
        ("320x182", ["-pix_fmt", "yuv420p", "-x264-params", "cqm=jvt"]),
    ],
)
def test_the_size_of_a_picture_is_what_the_encoder_was_given(size: str, options: list[str]) -> None:
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    source = ["-f", "lavfi", "-i", f"testsrc=size={size}:rate=1:duration=1"]
    command = [ffmpeg, "-loglevel", "error", *source, "-c:v", "libx264", *options, "-f", "flv", "-"]
    made = subprocess.run(command, capture_output=True, timeout=60, check=True)
    header = next(frame for frame in frames_of(made.stdout) if frame.header)
    track = video_track(header.body)
    assert f"{track.width}x{track.height}" == size


def test_order_counts_of_kind_1_are_passed_over() -> None:
    """No encoder here writes them: profile 66, level 30, ue(0) twice, kind 1, two offsets, 320x240."""
    bits = "01000010 00000000 00011110 1 1 010 1 1 1 011 010 00110 1 0 000010100 0001111 1 1 0 1"
    packed = bits.replace(" ", "")
    packed += "0" * (-len(packed) % 8)
    assert picture_size(b"\x67" + int(packed, 2).to_bytes(len(packed) // 8, "big")) == (320, 240)


def test_an_sps_full_of_offsets_costs_no_time() -> None:
    endless = b"\x67\x42\x00\x1e" + bytes.fromhex("d8000000ff") + b"\xff" * 60_000
    config = b"\x01\x42\x00\x1e\xff\xe1" + len(endless).to_bytes(2, "big") + endless
    with contextlib.suppress(BrokenTag):
        video_track(config)


@pytest.mark.parametrize(
    ("config", "codec", "rate", "channels"),
    [
        ("1190", "mp4a.40.2", 48_000, 2),
        ("1210", "mp4a.40.2", 44_100, 2),
        ("2b098800", "mp4a.40.5", 24_000, 1),
        ("11b8", "mp4a.40.2", 48_000, 8),
        ("1780bb8010", "mp4a.40.2", 96_000, 2),
        ("f95020", "mp4a.40.42", 16_000, 1),
    ],
)
def test_audio_configurations(config: str, codec: str, rate: int, channels: int) -> None:
    track = audio_track(bytes.fromhex(config))
    assert (track.codec, track.rate, track.channels) == (codec, rate, channels)


@pytest.mark.parametrize("config", ["", "11", "1690", "1790bb"])
def test_a_broken_audio_configuration_says_so(config: str) -> None:
    with pytest.raises(BrokenTag):
        audio_track(bytes.fromhex(config))


def test_other_codecs_are_refused_with_what_to_do() -> None:
    with pytest.raises(UnsupportedCodec, match=r"Set the encoder's video codec to H\.264"):
        video_frame(b"\x12\0\0\0\0", 0, 0.0)  # Sorenson
    for codec in (b"vp08", b"vp09", b"vvc1", b"????"):
        with pytest.raises(UnsupportedCodec, match=r"H\.264, HEVC and AV1"):
            video_frame(b"\x90" + codec, 0, 0.0)
    with pytest.raises(UnsupportedCodec, match="Set the encoder's audio codec to AAC"):
        audio_frame(b"\x2f\0", 0, 0.0)  # MP3
    for codec in (b"ac-3", b"ec-3", b".mp3", b"fLaC"):
        with pytest.raises(UnsupportedCodec, match="AAC and Opus"):
            audio_frame(b"\x91" + codec, 0, 0.0)


def test_what_carries_no_picture_or_sound_is_no_frame() -> None:
    assert video_frame(b"\x17\x02\0\0\0", 0, 0.0) is None  # end of sequence
    assert video_frame(b"\x57\x01", 0, 0.0) is None  # a command frame
    assert audio_frame(b"", 0, 0.0) is None  # silence


def test_the_composition_offset_is_signed() -> None:
    frame = video_frame(b"\x27\x01\xff\xff\xfepicture", 40, 1.5)
    assert frame is not None
    assert (frame.cts, frame.dts, frame.body, frame.arrived) == (-2, 40, b"picture", 1.5)


@pytest.mark.parametrize("payload", [b"", b"\x17", b"\x17\x00\0\0\0\1", b"\x17\x09\0\0\0"])
def test_a_video_tag_that_breaks_off_says_so(payload: bytes) -> None:
    with pytest.raises(BrokenTag):
        video_frame(payload, 0, 0.0)


@pytest.mark.parametrize("payload", [b"\xaf", b"\xaf\x00\x11"])
def test_an_audio_tag_that_breaks_off_says_so(payload: bytes) -> None:
    with pytest.raises(BrokenTag):
        audio_frame(payload, 0, 0.0)


@pytest.mark.parametrize("read", [video_frame, audio_frame])
@given(first=st.sampled_from([b"\x17", b"\x27", b"\xaf", b"\x57", b""]), rest=st.binary(max_size=60))
@example(first=b"", rest=b"")
def test_garbage_is_a_frame_or_one_of_two_errors(
    read: Callable[[bytes, int, float], object], first: bytes, rest: bytes
) -> None:
    with contextlib.suppress(BrokenTag, UnsupportedCodec):
        read(first + rest, 0, 0.0)


@given(
    sps=st.binary(min_size=4, max_size=80),
    profile=st.sampled_from([66, 77, 100, 244]),
    cut=st.integers(0, 12),
)
@example(sps=b"\0\0\0\0", profile=100, cut=0)
def test_a_garbled_decoder_configuration_is_a_track_or_broken(sps: bytes, profile: int, cut: int) -> None:
    sps = b"\x67" + bytes([profile]) + sps
    config = b"\x01" + sps[1:4] + b"\xff\xe1" + len(sps).to_bytes(2, "big") + sps
    for broken in (config, config[: len(config) - cut], sps, config[: min(cut, len(config))]):
        try:
            track = video_track(broken)
        except BrokenTag:
            continue
        assert track.config == broken


@given(st.binary(max_size=12))
def test_a_garbled_audio_configuration_is_a_track_or_broken(config: bytes) -> None:
    try:
        track = audio_track(config)
    except BrokenTag:
        return
    assert track.rate >= 0
