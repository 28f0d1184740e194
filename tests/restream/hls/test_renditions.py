"""Real ffmpeg streams through the live and its renditions: what comes out decodes to what went in."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av
import pytest

from restream.hls.boxes import AUDIO_ID, NOT_SYNC, SYNC, VIDEO_ID, VIDEO_SCALE
from restream.hls.finished import FinishedSegment
from restream.hls.rendition import Rendition
from restream.hls.sounds import MOST_SOUNDS
from restream.hls.timeline import Part
from restream.media import Frame, Kind
from tests.restream.hls.feed import DELAY, STARTED, Shape, Studio, looped, pictures, sounds, stream, synthetic
from tests.restream.hls.parsing import Run, parse, runs

SHAPES = [
    pytest.param(Shape(), id="30fps"),
    pytest.param(Shape(bframes=2), id="30fps-bframes"),
    pytest.param(Shape(fps="25", gop=50, rate=44_100), id="25fps-44100"),
    pytest.param(Shape(fps="30000/1001", gop=30, bframes=3), id="ntsc-bframes"),
    pytest.param(Shape(fps="60", gop=120), id="60fps"),
    pytest.param(Shape(fps="50", gop=100, rate=44_100, bframes=1), id="50fps-bframes"),
    pytest.param(Shape(fps="24", gop=48, audio=False), id="24fps-silent"),
]
PRESETS = (200, 333, 500, 1000)


def packaged(shape: Shape, part_ms: int = 333) -> Studio:
    """A show that was published once and is over."""
    studio = Studio(part_ms)
    for _ in studio.publish(stream(shape)):
        pass
    studio.renditions.finish()
    return studio


def whole(rendition: Rendition) -> bytes:
    """Everything a player of a rendition would have loaded."""
    timeline = rendition.timeline
    return timeline.initialisations[0] + b"".join(part.data for part in parts(rendition))


def parts(rendition: Rendition) -> list[Part]:
    """All its parts."""
    return [part for segment in rendition.timeline.segments for part in segment.parts]


def fragments(rendition: Rendition) -> list[Run]:
    """Its parts, looked into; one track each."""
    found = [run for part in parts(rendition) for run in runs(part.data)]
    assert len(found) == len(parts(rendition))
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_every_picture_and_sound_sent_is_in_the_fragments_unchanged(shape: Shape) -> None:
    frames, studio = stream(shape), packaged(shape)
    sent = pictures(frames)
    shown = fragments(studio.source)
    assert {run.track for run in shown} == {VIDEO_ID}
    assert [body for run in shown for body in run.bodies] == [frame.body for frame in sent]
    flags = [flag for run in shown for flag in run.flags]
    assert flags == [SYNC if frame.keyframe else NOT_SYNC for frame in sent]
    found = fragments(studio.audio)
    assert {run.track for run in found} == ({AUDIO_ID} if shape.audio else set())
    heard = [body for run in found for body in run.bodies]
    all_sounds = [frame.body for frame in sounds(frames)]
    # What stands before the first picture or after the last one belongs to no part.
    assert len(all_sounds) - len(heard) <= 8
    begins = all_sounds.index(heard[0]) if heard else 0
    assert all_sounds[begins : begins + len(heard)] == heard


@pytest.mark.parametrize("shape", SHAPES)
def test_both_tracks_are_continuous_and_presentation_times_are_kept(shape: Shape) -> None:
    studio = packaged(shape)
    for rendition in (studio.source, studio.audio):
        for before, after in itertools.pairwise(fragments(rendition)):
            assert after.begins == before.ends
    shown = []
    for run in fragments(studio.source):
        at = run.begins
        for duration, offset in zip(run.durations, run.offsets, strict=True):
            assert offset >= 0
            shown.append(at + offset)
            at += duration
    wanted = [(frame.dts + frame.cts) * 90 for frame in pictures(stream(shape))]
    assert max(abs(a - b + wanted[0] - shown[0]) for a, b in zip(shown, wanted, strict=True)) <= 90 * 2


@pytest.mark.parametrize("shape", SHAPES)
def test_a_decoder_gets_every_frame_at_its_time(shape: Shape) -> None:
    studio, frames = packaged(shape), stream(shape)
    with av.open(io.BytesIO(whole(studio.source)), "r") as container:
        decoded = list(container.decode(video=0))
    assert len(decoded) == len(pictures(frames))
    assert not any(frame.is_corrupt for frame in decoded)
    times = [Fraction(frame.pts or 0) * (frame.time_base or 1) for frame in decoded]
    every = 1 / Fraction(shape.fps)
    assert all(abs(b - a - every) <= Fraction(3, 1000) for a, b in itertools.pairwise(times))
    if not shape.audio:
        assert not studio.audio.timeline.segments
        return
    with av.open(io.BytesIO(whole(studio.audio)), "r") as container:
        heard = list(container.decode(audio=0))
    assert {frame.sample_rate for frame in heard} == {shape.rate}
    assert all(b.pts - a.pts == a.samples for a, b in itertools.pairwise(heard) if a.pts and b.pts)
    assert len(heard) >= len(sounds(frames)) - 8


def test_pictures_decode_to_the_same_pixels_as_the_stream_that_was_sent() -> None:
    shape = Shape(seconds=2, bframes=2)
    with av.open(io.BytesIO(whole(packaged(shape).source)), "r") as container:
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


@pytest.mark.parametrize("part_ms", [100, *PRESETS, 2000])
@pytest.mark.parametrize("shape", SHAPES)
def test_parts_keep_to_part_target_whatever_the_frame_rate(shape: Shape, part_ms: int) -> None:
    source = packaged(shape, part_ms).source
    target = source.timeline.part_target
    assert target is not None
    assert abs(target * 1000 - part_ms) <= 500 / Fraction(shape.fps) + 6
    for segment in source.timeline.segments:
        assert all(part.seconds <= target for part in segment.parts)
        assert all(part.seconds >= 0.85 * target for part in segment.parts[:-1])
        assert segment.parts[0].independent


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("part_ms", PRESETS)
@pytest.mark.parametrize("fps", [24.0, 25.0, 30000 / 1001, 30.0, 50.0, 60.0])
def test_each_preset_holds_at_each_frame_rate_for_long(fps: float, part_ms: int, rate: int) -> None:
    studio = Studio(part_ms)
    session = studio.publisher()
    for frame in synthetic(Shape(seconds=2, rate=rate), rate, fps, 20.0, gop=1.0):
        session.frame(frame)
    whole_frames = round(part_ms * fps / 1000) / fps
    hold_back = studio.source.terms.hold_back
    assert hold_back
    for rendition in (studio.source, studio.audio):
        target = rendition.timeline.part_target
        assert target is not None
        assert hold_back >= 3 * target
        for segment in list(rendition.timeline.segments)[:-1]:
            assert all(0 < part.seconds <= target for part in segment.parts)
            if rendition is studio.source:
                assert whole_frames <= target <= whole_frames + 0.006
                assert all(part.seconds >= 0.85 * target for part in segment.parts[:-1])
    pairs = zip(studio.source.timeline.segments, studio.audio.timeline.segments, strict=True)
    for shown, heard in list(pairs)[:-1]:
        assert (shown.number, len(shown.parts)) == (heard.number, len(heard.parts))


def test_a_part_is_out_with_the_arrival_of_its_last_frame() -> None:
    studio = Studio()
    counted = 0
    for frame in studio.publish(stream(Shape())):
        before, counted = counted, len(parts(studio.source))
        if counted != before:
            assert frame.kind == Kind.VIDEO
            if before:
                assert fragments(studio.source)[-1].bodies[-1] == frame.body
    assert counted == 18


def test_the_first_segment_is_dated_by_its_least_delayed_frame() -> None:
    timeline = packaged(Shape()).timeline
    first = pictures(stream(Shape()))[0].dts / 1000
    assert timeline.segments[0].wall == pytest.approx(STARTED + DELAY + first, abs=0.002)
    for before, after in itertools.pairwise(timeline.segments):
        assert after.wall - before.wall == pytest.approx(before.seconds, abs=0.002)


@pytest.mark.parametrize(
    ("rate", "fps"), [(48_000, 30), (44_100, 30000 / 1001), (44_100, 29.5), (48_000, 60)]
)
def test_audio_and_video_stay_aligned_over_ten_minutes(rate: int, fps: float) -> None:
    studio = Studio()
    session = studio.publisher()
    ends: dict[int, int] = {}
    checked = {"source": 0, "audio": 0}
    lasted = {"source": 0.0, "audio": 0.0}
    for frame in synthetic(Shape(seconds=2, rate=rate), rate, fps, 600):
        changes = studio.changes
        session.frame(frame)
        for rendition in (studio.source, studio.audio) if studio.changes != changes else ():
            fresh = [p for segment in list(rendition.timeline.segments)[-2:] for p in segment.parts]
            for part in fresh:
                if number(part) <= checked[rendition.name]:
                    continue
                checked[rendition.name] = number(part)
                (run,) = runs(part.data)
                assert ends.get(run.track, run.begins) == run.begins, "a hole or an overlap"
                ends[run.track] = run.ends
                lasted[rendition.name] += part.seconds
        if checked["source"] == checked["audio"] > 0:
            shown, heard = ends[VIDEO_ID] / VIDEO_SCALE, ends[AUDIO_ID] / rate
            assert abs(shown - heard) < 0.026, f"apart after {frame.dts} ms"
    assert ends[VIDEO_ID] / VIDEO_SCALE == pytest.approx(600, abs=0.4)
    assert lasted["source"] == pytest.approx(lasted["audio"], abs=0.4)


def number(part: Part) -> int:
    """The sequence number in its movie fragment header."""
    return int.from_bytes(parse(part.data)[0].one(b"mfhd").content[4:], "big")


def test_sound_without_pictures_is_not_kept_for_ever() -> None:
    studio = Studio()
    session = studio.publisher()
    for frame in stream(Shape(seconds=2)):
        session.frame(frame)
    for count in range(3 * MOST_SOUNDS):
        session.frame(Frame(Kind.AUDIO, 2000 + count * 21, b"\xaf\x01s", b"s", keyframe=True))
    assert len(studio.audio._held) <= MOST_SOUNDS


def test_a_show_without_pictures_is_led_by_its_sound() -> None:
    studio = Studio()
    for frame in stream(Shape(seconds=10)):
        if frame.kind == Kind.AUDIO:
            studio.renditions.leader.push(frame)
    assert [one.name for one in studio.renditions.current()] == ["audio"]
    assert studio.renditions.timeline is studio.audio.timeline
    text = studio.renditions.index()
    assert text.splitlines()[-1] == "audio/live.m3u8"
    assert "AUDIO=" not in text
    assert not studio.source.timeline.segments
    with av.open(io.BytesIO(whole(studio.audio)), "r") as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) / 48_000 > 9


def test_pictures_that_come_later_begin_anew() -> None:
    studio = Studio()
    leader = studio.renditions.leader
    frames = stream(Shape(seconds=10))
    later = [frame for frame in frames if frame.kind == Kind.AUDIO or frame.header or frame.dts >= 4000]
    for frame in sorted(later, key=lambda one: 4000 if one.header and one.kind == Kind.VIDEO else one.dts):
        leader.push(frame)
    assert [one.name for one in studio.renditions.current()] == ["source", "audio"]
    assert studio.audio.timeline.segments[-1].discontinuity or len(studio.audio.timeline.segments) > 2
    assert studio.source.timeline.first_number > 0
    assert studio.source.timeline.segments[0].discontinuity


def test_silence_is_heard_where_a_publisher_sends_no_sound() -> None:
    studio = Studio()
    session = studio.publisher()
    for frame in stream(Shape(seconds=8)):
        if frame.kind == Kind.AUDIO and not frame.header and 3000 < frame.dts < 6000:
            continue  # the microphone's cable
        session.frame(frame)
    audio = studio.audio
    for before, after in itertools.pairwise(fragments(audio)):
        assert after.begins == before.ends
    with av.open(io.BytesIO(whole(audio)), "r") as container:
        heard = list(container.decode(audio=0))
    at = {round((frame.pts or 0) / 48_000, 1): any(bytes(frame.planes[0])) for frame in heard}
    assert at[2.0]
    assert not at[4.5]
    assert at[7.0]


def test_sound_that_ends_is_missed_once_and_comes_back_however_late_it_runs() -> None:
    studio = Studio()
    leader = studio.renditions.leader
    frames = list(synthetic(Shape(seconds=2), 48_000, 30.0, 40.0))

    def arrives(frame: Frame) -> int:
        return frame.dts if frame.kind == Kind.VIDEO or frame.header else frame.dts + 700

    behind = []
    for frame in sorted(frames, key=arrives):
        if frame.kind == Kind.VIDEO or frame.header or not 10_000 < frame.dts < 20_000:
            leader.push(frame)
        if frame.kind == Kind.VIDEO and frame.keyframe and studio.audio.timeline.playable:
            behind.append(studio.source.timeline.ends - studio.audio.timeline.ends)
    heard = fragments(studio.audio)
    assert max(behind) < 2.5
    assert all(late < 1.5 for late in behind[8:]), "the wait for sound is not repeated"
    silent = [run for run in heard if b"s" not in run.bodies]
    assert 8 < sum((run.ends - run.begins) / 48_000 for run in silent) < 11.5
    assert b"s" in heard[-1].bodies
    for before, after in itertools.pairwise(heard):
        assert after.begins == before.ends


def test_who_keeps_the_show_is_given_each_finished_segment() -> None:
    studio = Studio(first_number=1000)
    kept: list[FinishedSegment] = []
    studio.renditions.on_segment = kept.append
    for _ in studio.publish(stream(Shape(seconds=8))):
        pass
    studio.renditions.finish()
    shown = [one for one in kept if one.rendition == "source"]
    heard = [one for one in kept if one.rendition == "audio"]
    assert [one.number for one in shown] == [one.number for one in heard] == [1000, 1001, 1002, 1003]
    assert {(one.kind, one.width, one.height, one.init_number) for one in shown} == {
        ("video", 320, 180, 1000)
    }
    assert {(one.kind, one.codec, one.fps) for one in heard} == {("audio", "mp4a.40.2", None)}
    data = shown[0].init + b"".join(b"".join(one.data) for one in shown)
    with av.open(io.BytesIO(data), "r") as container:
        assert len(list(container.decode(video=0))) == 240
    assert sum(one.seconds for one in shown) == pytest.approx(8.0, abs=0.01)


def test_lengths_may_be_wished_anew_until_the_first_frames_were_measured() -> None:
    studio = Studio()
    studio.renditions.set_lengths(200, 1000)
    assert studio.renditions.segment_seconds == 1.0
    visit = studio.publish(looped(Shape(gop=30), 3))
    for frame in visit:
        if frame.dts > 3000:
            break
    frozen = studio.timeline.part_target
    studio.renditions.set_lengths(1000, 6000)
    for _ in visit:
        pass
    assert frozen is not None
    assert frozen < 0.3
    assert studio.timeline.part_target == frozen
    assert studio.renditions.segment_seconds == 1.0


def test_the_dates_of_a_feed_that_stays_late_follow_the_clock_and_those_of_a_hiccup_do_not() -> None:
    for slower, apart in ((1.25, 4.5), (1.0, 0.1)):
        studio = Studio()
        session, held_up = studio.publisher(), 0.0
        for frame in looped(Shape(), 12):
            held_up = 3.0 if slower == 1.0 and 4000 < frame.dts < 8000 else 0.0
            studio.now = STARTED + frame.dts * slower / 1000 + DELAY + held_up
            session.frame(replace(frame, arrived=studio.now))
        newest = studio.timeline.segments[-1]
        media = newest.wall + newest.seconds
        assert abs(studio.now - media) < apart, (slower, studio.now - media)
        for before, after in itertools.pairwise(studio.timeline.segments):
            assert after.wall >= before.wall + before.seconds - 0.002
