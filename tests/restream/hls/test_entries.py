"""Sample entries, read back byte by byte; those of H.264 and AAC are what they always were."""

from __future__ import annotations

import hashlib
import struct
from typing import Final

import pytest

from restream.hls.boxes import initialisation
from restream.hls.entries import audio_entry, video_entry
from restream.media import AudioTrack, Kind, VideoTrack
from restream.rtmp.flv import audio_track, video_track
from tests.restream.hls.parsing import parse
from tests.restream.rtmp.encodings import AV1_OPUS, HEVC_AAC, Encoding, frames, of

AVC: Final = VideoTrack("avc1.42c01e", 640, 360, bytes.fromhex("0142c01effe1000467 42c01e 01000468ce3c80"))
AAC: Final = AudioTrack("mp4a.40.2", 44_100, 2, bytes.fromhex("1210"))
BEFORE: Final = (1080, "d114c400355a427df769e0ea62b625aefb6817735bf56f2e2a7dc306082a131b")
"""Length and SHA-256 of the initialisation that was written for them before there were other codecs."""


def tracks(encoding: Encoding) -> tuple[VideoTrack, AudioTrack]:
    """What ffmpeg's headers say."""
    (video,), (audio,) = (of(kind, frames(encoding), header=True) for kind in (Kind.VIDEO, Kind.AUDIO))
    return video_track(video.body), audio_track(audio.body)


@pytest.mark.parametrize(
    ("encoding", "entry", "box"), [(HEVC_AAC, b"hvc1", b"hvcC"), (AV1_OPUS, b"av01", b"av1C")]
)
def test_the_configuration_stands_in_the_codecs_own_box(encoding: Encoding, entry: bytes, box: bytes) -> None:
    video, _ = tracks(encoding)
    made = video_entry(video)
    assert made[4:8] == entry
    assert len(made) == int.from_bytes(made[:4], "big")
    assert struct.unpack_from(">HH", made, 32) == (320, 180)
    size = (8 + len(video.config)).to_bytes(4, "big")
    assert made[86:] == size + box + video.config


def test_opus_is_described_with_the_fields_of_its_head_turned_round() -> None:
    _, audio = tracks(AV1_OPUS)
    made = audio_entry(audio)
    assert made[4:8] == b"Opus"
    assert struct.unpack_from(">HHHHI", made, 24) == (2, 16, 0, 0, 48_000 << 16)
    skip = int.from_bytes(audio.config[10:12], "little")
    assert skip > 0
    assert made[36:] == b"\0\0\0\x13dOps" + struct.pack(">BBHIhB", 0, 2, skip, 48_000, 0, 0)


def test_the_places_of_many_opus_channels_are_kept() -> None:
    head = b"OpusHead\x01\x06" + struct.pack("<HIhB", 312, 44_100, -256, 1) + b"\x04\x02\0\4\1\2\3\5"
    made = audio_entry(audio_track(head))
    specific = struct.pack(">BBHIhB", 0, 6, 312, 44_100, -256, 1) + b"\x04\x02\0\4\1\2\3\5"
    assert made.endswith(b"dOps" + specific)


def test_the_scale_of_opus_is_its_own_rate() -> None:
    video, audio = tracks(AV1_OPUS)
    moov = parse(initialisation(video, audio))[1]
    sound = moov.all(b"trak")[1].one(b"mdia", b"mdhd")
    assert struct.unpack_from(">I", sound.content, 12) == (48_000,)


def test_h264_and_aac_are_written_as_before() -> None:
    """Players keep an initialisation for hours; what was written for the same tracks must not change."""
    made = initialisation(AVC, AAC)
    assert (len(made), hashlib.sha256(made).hexdigest()) == BEFORE
