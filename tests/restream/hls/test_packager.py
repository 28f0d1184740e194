"""Real ffmpeg streams through the live and the packager: what comes out decodes to what went in."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from fractions import Fraction

import av
import pytest

from restream.hls.boxes import AUDIO_ID, NOT_SYNC, SYNC, VIDEO_ID, VIDEO_SCALE
from restream.hls.packager import MOST_SOUNDS
from restream.hls.timeline import Part
from restream.media import Frame, Kind
from tests.restream.hls.feed import DELAY, STARTED, Shape, Studio, pictures, sounds, stream, synthetic
from tests.restream.hls.parsing import Run, parse, runs

SHAPES = [
    pytest.param(Shape(), id="30fps"),
    pytest.param(Shape(bframes=2), id="30fps-bframes"),
    pytest.param(Shape(fps="25", gop=50, rate=44_100), id="25fps-44100"),
    pytest.param(Shape(fps="30000/1001", gop=30, bframes=3), id="ntsc-bframes"),
    pytest.param(Shape(fps="60", gop=120), id="60fps"),
    pytest.param(Shape(fps="24", gop=48, audio=False), id="24fps-silent"),
]


def packaged(shape: Shape, part_ms: int = 333) -> Studio:
    """A show that was published once and is over."""
    studio = Studio(part_ms)
    for _ in studio.publish(stream(shape)):
        pass
    studio.packager.finish()
    return studio


def whole(studio: Studio) -> bytes:
    """Everything a player would have loaded."""
    timeline = studio.timeline
    parts = [part.data for segment in timeline.segments for part in segment.parts]
    return timeline.initialisations[0] + b"".join(parts)


def tracks(studio: Studio) -> dict[int, list[Run]]:
    """The fragments of each track."""
    found: dict[int, list[Run]] = {VIDEO_ID: [], AUDIO_ID: []}
    for segment in studio.timeline.segments:
        for part in segment.parts:
            for run in runs(part.data):
                found[run.track].append(run)
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_every_picture_and_sound_sent_is_in_the_fragments_unchanged(shape: Shape) -> None:
    frames, found = stream(shape), tracks(packaged(shape))
    sent = pictures(frames)
    assert [body for run in found[VIDEO_ID] for body in run.bodies] == [frame.body for frame in sent]
    flags = [flag for run in found[VIDEO_ID] for flag in run.flags]
    assert flags == [SYNC if frame.keyframe else NOT_SYNC for frame in sent]
    heard = [body for run in found[AUDIO_ID] for body in run.bodies]
    all_sounds = [frame.body for frame in sounds(frames)]
    # What stands before the first picture or after the last one belongs to no part.
    assert len(all_sounds) - len(heard) <= 8
    begins = all_sounds.index(heard[0]) if heard else 0
    assert all_sounds[begins : begins + len(heard)] == heard


@pytest.mark.parametrize("shape", SHAPES)
def test_both_tracks_are_continuous_and_presentation_times_are_kept(shape: Shape) -> None:
    found = tracks(packaged(shape))
    for of_track in found.values():
        for before, after in itertools.pairwise(of_track):
            assert after.begins == before.ends
    shown = []
    for run in found[VIDEO_ID]:
        at = run.begins
        for duration, offset in zip(run.durations, run.offsets, strict=True):
            assert offset >= 0
            shown.append(at + offset)
            at += duration
    wanted = [(frame.dts + frame.cts) * 90 for frame in pictures(stream(shape))]
    assert max(abs(a - b + wanted[0] - shown[0]) for a, b in zip(shown, wanted, strict=True)) <= 90 * 2


@pytest.mark.parametrize("shape", SHAPES)
def test_a_decoder_gets_every_frame_at_its_time(shape: Shape) -> None:
    data = whole(packaged(shape))
    frames = stream(shape)
    with av.open(io.BytesIO(data), "r") as container:
        decoded = list(container.decode(video=0))
    assert len(decoded) == len(pictures(frames))
    assert not any(frame.is_corrupt for frame in decoded)
    times = [Fraction(frame.pts or 0) * (frame.time_base or 1) for frame in decoded]
    every = 1 / Fraction(shape.fps)
    assert all(abs(b - a - every) <= Fraction(3, 1000) for a, b in itertools.pairwise(times))
    with av.open(io.BytesIO(data), "r") as container:
        if not shape.audio:
            assert not container.streams.audio
            return
        heard = list(container.decode(audio=0))
    assert {frame.sample_rate for frame in heard} == {shape.rate}
    assert all(b.pts - a.pts == a.samples for a, b in itertools.pairwise(heard) if a.pts and b.pts)
    assert len(heard) >= len(sounds(frames)) - 8


def test_pictures_decode_to_the_same_pixels_as_the_stream_that_was_sent() -> None:
    shape = Shape(seconds=2, bframes=2)
    with av.open(io.BytesIO(whole(packaged(shape))), "r") as container:
        got = [pixels(frame) for frame in container.decode(video=0)]
    assert got == list(decoded_directly(shape))


def pixels(picture: av.VideoFrame) -> bytes:
    """All three planes."""
    return b"".join(bytes(plane) for plane in picture.planes)


def decoded_directly(shape: Shape) -> Iterator[bytes]:
    """The pictures of the FLV frames without any packaging."""
    decoder = av.CodecContext.create("h264", "r")
    frames = stream(shape)
    decoder.extradata = next(f.body for f in frames if f.header and f.kind == Kind.VIDEO)
    for packet in [*(av.Packet(frame.body) for frame in pictures(frames)), None]:
        for picture in decoder.decode(packet):
            yield pixels(picture)


@pytest.mark.parametrize("part_ms", [100, 200, 333, 500, 1000, 2000])
@pytest.mark.parametrize("shape", SHAPES)
def test_parts_keep_to_part_target_whatever_the_frame_rate(shape: Shape, part_ms: int) -> None:
    timeline = packaged(shape, part_ms).timeline
    target = timeline.part_target
    assert target is not None
    assert abs(target * 1000 - part_ms) <= 500 / Fraction(shape.fps) + 6
    for segment in timeline.segments:
        assert all(part.seconds <= target for part in segment.parts)
        assert all(part.seconds >= 0.85 * target for part in segment.parts[:-1])
        assert segment.parts[0].independent


def test_a_part_is_out_with_the_arrival_of_its_last_frame() -> None:
    studio = Studio()
    counted = 0
    for frame in studio.publish(stream(Shape())):
        before, counted = counted, sum(len(s.parts) for s in studio.timeline.segments)
        if counted != before:
            assert frame.kind == Kind.VIDEO
            newest = studio.timeline.segments[-1].parts[-1]
            if before:
                assert next(runs(newest.data)).bodies[-1] == frame.body
    assert counted == 18


def test_the_first_segment_is_dated_by_its_least_delayed_frame() -> None:
    timeline = packaged(Shape()).timeline
    first = pictures(stream(Shape()))[0].dts / 1000
    assert timeline.segments[0].wall == pytest.approx(STARTED + DELAY + first, abs=0.002)
    for before, after in zip(timeline.segments, list(timeline.segments)[1:], strict=False):
        assert after.wall - before.wall == pytest.approx(before.seconds, abs=0.002)


@pytest.mark.parametrize(
    ("rate", "fps"), [(48_000, 30), (44_100, 30000 / 1001), (44_100, 29.5), (48_000, 60)]
)
def test_audio_and_video_stay_aligned_over_ten_minutes(rate: int, fps: float) -> None:
    shape = Shape(seconds=2, rate=rate)
    studio = Studio()
    ends: dict[int, int] = {}
    checked = 0
    for frame in synthetic(shape, rate, fps, 600):
        changes = studio.changes
        feed(studio, frame)
        if studio.changes == changes:
            continue
        fresh = [part for segment in list(studio.timeline.segments)[-2:] for part in segment.parts]
        for run in (run for part in fresh for run in runs(part.data) if number(part) > checked):
            assert ends.get(run.track, run.begins) == run.begins, "a hole or an overlap"
            ends[run.track] = run.ends
        if fresh and number(fresh[-1]) > checked:
            checked = number(fresh[-1])
            shown, heard = ends[VIDEO_ID] / VIDEO_SCALE, ends[AUDIO_ID] / rate
            assert abs(shown - heard) < 0.060, f"apart after {frame.dts} ms"
    assert ends[VIDEO_ID] / VIDEO_SCALE == pytest.approx(600, abs=0.4)
    studio.packager.finish()
    listed = studio.timeline.segments
    lasted = sum(segment.seconds for segment in listed)
    claimed = listed[-1].wall + listed[-1].seconds - listed[0].wall
    assert lasted == pytest.approx(claimed, abs=0.003)


def number(part: Part) -> int:
    """The sequence number in its movie fragment header."""
    return int.from_bytes(parse(part.data)[0].one(b"mfhd").content[4:], "big")


def feed(studio: Studio, frame: Frame) -> None:
    """One synthetic frame, from a publisher that never left."""
    session = studio.live.publisher or studio.publisher()
    session.frame(frame)


def test_sound_without_pictures_is_not_kept_for_ever() -> None:
    studio = Studio()
    session = studio.publisher()
    for frame in stream(Shape(seconds=2)):
        session.frame(frame)
    for number in range(3 * MOST_SOUNDS):
        session.frame(Frame(Kind.AUDIO, 2000 + number * 21, b"\xaf\x01s", b"s", keyframe=True))
    assert len(studio.packager._sounds) <= MOST_SOUNDS
