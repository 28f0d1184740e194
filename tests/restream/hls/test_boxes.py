"""Boxes: read back by a parser that shares no code with the writer."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.hls.boxes import AUDIO_ID, NOT_SYNC, SYNC, VIDEO_ID, Sample, fragment, initialisation
from restream.media import AudioTrack, Kind, VideoTrack
from restream.rtmp.flv import audio_track, video_track
from tests.restream.hls.feed import Shape, stream
from tests.restream.hls.parsing import parse, runs

SAMPLES = st.lists(
    st.builds(
        Sample,
        st.binary(min_size=1, max_size=30),
        st.integers(1, 1 << 20),
        st.sampled_from([SYNC, NOT_SYNC]),
        st.integers(-(1 << 20), 1 << 20),
    ),
    max_size=6,
)


def tracks() -> tuple[VideoTrack, AudioTrack]:
    """What ffmpeg's headers say."""
    headers = {frame.kind: frame.body for frame in stream(Shape()) if frame.header}
    return video_track(headers[Kind.VIDEO]), audio_track(headers[Kind.AUDIO])


def test_the_initialisation_holds_both_configurations() -> None:
    video, audio = tracks()
    ftyp, moov = parse(initialisation(video, audio))
    assert (ftyp.kind, moov.kind) == (b"ftyp", b"moov")
    assert b"cmfc" in ftyp.content
    pictures, sounds = moov.all(b"trak")
    entry = pictures.one(b"mdia", b"minf", b"stbl", b"stsd").content[8:]
    assert entry[4:8] == b"avc1"
    assert struct.unpack_from(">HH", entry, 32) == (320, 180)
    assert entry.endswith(b"avcC" + video.config)
    sound = sounds.one(b"mdia", b"minf", b"stbl", b"stsd").content[8:]
    assert sound[4:8] == b"mp4a"
    assert audio.config in sound
    assert [trex.content[4:8] for trex in moov.one(b"mvex").all(b"trex")] == [
        struct.pack(">I", VIDEO_ID),
        struct.pack(">I", AUDIO_ID),
    ]
    assert [struct.unpack_from(">I", t.one(b"mdia", b"mdhd").content, 12)[0] for t in (pictures, sounds)] == [
        90_000,
        48_000,
    ]


def test_a_silent_show_has_one_track() -> None:
    video, _ = tracks()
    moov = parse(initialisation(video, None))[1]
    assert len(moov.all(b"trak")) == len(moov.one(b"mvex").all(b"trex")) == 1


def test_sound_alone_has_one_track() -> None:
    _, audio = tracks()
    moov = parse(initialisation(None, audio))[1]
    assert moov.one(b"trak", b"mdia", b"hdlr").content[8:12] == b"soun"
    assert len(moov.one(b"mvex").all(b"trex")) == 1


@pytest.mark.parametrize("length", [2, 127, 128, 20_000])
def test_a_descriptor_of_any_length_says_its_length(length: int) -> None:
    video, audio = tracks()
    long = AudioTrack(audio.codec, audio.rate, audio.channels, bytes(length))
    moov = parse(initialisation(video, long))[1]
    sound = moov.all(b"trak")[1].one(b"mdia", b"minf", b"stbl", b"stsd").content
    esds = sound[sound.index(b"esds") + 8 :]
    sizes = []
    at = 0
    for _ in range(3):
        groups = esds[at + 1 : at + 5]
        assert all(group & 128 for group in groups[:3])
        sizes.append(sum((group & 127) << 7 * (3 - n) for n, group in enumerate(groups)))
        at += 5 + {3: 3, 4: 13}.get(esds[at], 0)
    assert sizes[2] == length
    assert sizes[1] == length + 5 + 13
    assert sizes[0] == len(esds) - 5


@given(
    number=st.integers(1, 1 << 31),
    times=st.tuples(st.integers(0, 1 << 60), st.integers(0, 1 << 60)),
    video=SAMPLES,
    audio=SAMPLES,
)
def test_a_fragment_reads_back_as_its_samples(
    number: int, times: tuple[int, int], video: list[Sample], audio: list[Sample]
) -> None:
    data = fragment(number, times[0], video, times[1], audio)
    assert parse(data)[0].one(b"mfhd").content == struct.pack(">II", 0, number)
    found = {run.track: run for run in runs(data)}
    for track, begins, samples in ((VIDEO_ID, times[0], video), (AUDIO_ID, times[1], audio)):
        if not samples:
            assert track not in found
            continue
        run = found[track]
        assert run.begins == begins
        assert run.bodies == tuple(sample.data for sample in samples)
        assert run.durations == tuple(sample.duration for sample in samples)
        assert run.flags == tuple(sample.flags for sample in samples)
        assert run.offsets == tuple(sample.offset for sample in samples)
