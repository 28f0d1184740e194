"""What is measured is what a real encoder was told to send."""

from __future__ import annotations

from dataclasses import replace

import pytest

from restream.health.meter import MOST_KEPT, Measurements, Meter
from restream.media import Frame, Kind
from tests.restream.health.stage import STARTED, Stage, made, without

NTSC = "30000/1001"


def measured(frames: tuple[Frame, ...] | list[Frame]) -> Measurements:
    stage = Stage()
    stage.play(frames)
    found = stage.health._meter.measure(stage.now)
    assert found
    return found


@pytest.mark.parametrize(
    ("fps", "rate", "expected"),
    [("30", 48_000, 30.0), (NTSC, 44_100, 29.97), ("25", 44_100, 25.0), ("60", 48_000, 60.0)],
)
def test_rates_are_the_encoders_own(fps: str, rate: int, expected: float) -> None:
    found = measured(made(fps=fps, rate=rate, gop=round(expected) * 2))
    assert found.frame_rate == pytest.approx(expected, abs=0.06)
    assert found.fps == pytest.approx(expected, abs=0.1)
    assert found.keyframe_seconds == pytest.approx(2.0, abs=0.07)
    assert (found.audio_codec, found.audio_rate, found.audio_channels) == ("AAC", rate, 2)
    assert (found.video_codec, found.width, found.height) == ("H.264", 320, 180)
    assert found.frames_missing == 0
    assert found.drift_ms == pytest.approx(0, abs=40)
    assert found.late_ms == pytest.approx(0, abs=40)
    assert not found.b_frames
    assert not found.open_gop


def test_bit_rates_are_the_bytes_sent() -> None:
    frames = made()
    found = measured(frames)
    last = max(frame.dts for frame in frames)
    recent = [frame for frame in frames if not frame.header and frame.dts >= last - 10_000]
    sent = {
        kind: sum(len(f.payload) for f in recent if f.kind == kind) * 8 / 10_000
        for kind in (Kind.VIDEO, Kind.AUDIO)
    }
    assert found.video_kbps == pytest.approx(sent[Kind.VIDEO], rel=0.1)
    assert found.audio_kbps == pytest.approx(sent[Kind.AUDIO], rel=0.1)
    assert found.arrival_kbps == pytest.approx(sum(sent.values()), rel=0.15)


@pytest.mark.parametrize(
    ("options", "video", "audio"),
    [
        (("-c:v", "libx265", "-x265-params", "log-level=none"), "HEVC", "AAC"),
        (("-c:a", "libopus"), "H.264", "Opus"),
    ],
)
def test_newer_codecs_are_named(options: tuple[str, ...], video: str, audio: str) -> None:
    found = measured(made(*options, seconds=3))
    assert (found.video_codec, found.audio_codec) == (video, audio)
    assert found.level
    assert found.frame_rate == pytest.approx(30, abs=0.1)


def test_profile_and_level_are_those_of_the_header() -> None:
    found = measured(made("-profile:v", "high", "-level", "4.2", seconds=2))
    assert found.level == 4.2
    assert found.profile in ("High", "Main", "Baseline")


def test_b_frames_are_seen_and_a_closed_group_is_closed() -> None:
    found = measured(made("-bf", "2"))
    assert found.b_frames
    assert not found.open_gop


def test_an_open_group_of_pictures_is_seen() -> None:
    options = ("-bf", "2", "-flags", "-cgop", "-x264-params", "open-gop=1:b-adapt=0")
    assert measured(made(*options)).open_gop


def test_a_variable_group_shows_its_shortest_and_longest() -> None:
    forced = "expr:eq(n,0)+eq(n,30)+eq(n,150)+eq(n,180)+eq(n,360)"
    found = measured(made("-force_key_frames", forced, gop=600))
    assert found.shortest_keyframe_seconds == pytest.approx(1, abs=0.1)
    assert found.longest_keyframe_seconds == pytest.approx(6, abs=0.1)


def test_a_feed_without_another_keyframe_shows_how_long_it_waits() -> None:
    found = measured(made(gop=600))
    assert found.keyframe_seconds == pytest.approx(14, abs=0.2)


def test_pictures_left_out_are_counted() -> None:
    frames = made()
    pictures = [
        frame for frame in frames if frame.kind == Kind.VIDEO and not frame.keyframe and not frame.header
    ]
    dropped = set(map(id, pictures[200:400:10]))
    found = measured([frame for frame in frames if id(frame) not in dropped])
    assert found.frames_missing == len(dropped)
    assert 0.03 < found.missing_share < 0.12


def test_sound_that_runs_ahead_of_the_picture_is_drift() -> None:
    frames = [
        Frame(f.kind, f.dts + 400, f.payload, f.body, keyframe=True) if is_sound(f) else f for f in made()
    ]
    stage = Stage()
    for frame in frames:
        at = frame.dts / 1000 - (0.4 if is_sound(frame) else 0)
        stage.pass_time(max(0.0, STARTED + at - stage.now))
        stage.publisher.frame(replace(frame, arrived=stage.now))
    found = stage.health._meter.measure(stage.now)
    assert found
    assert found.drift_ms == pytest.approx(400, abs=60)


def is_sound(frame: Frame) -> bool:
    return frame.kind == Kind.AUDIO and not frame.header


def test_a_connection_that_carries_less_than_is_sent_is_seen_by_growing_lateness() -> None:
    stage = Stage()
    stage.play(made(), delay=lambda at: at * 0.25)
    found = stage.health._meter.measure(stage.now)
    assert found
    assert found.late_ms == pytest.approx(14_000 * 0.25, rel=0.2)
    # Each second of ours brings 0.8 s of media: 200 ms later with each second.
    assert found.falling_behind == pytest.approx(200, rel=0.15)
    assert found.arrival_kbps == pytest.approx(0.8 * (found.video_kbps + found.audio_kbps), rel=0.15)


def test_a_burst_is_jitter_and_not_lateness() -> None:
    stage = Stage()
    stage.play(made(), delay=lambda at: 0.3 - at % 0.3)
    found = stage.health._meter.measure(stage.now)
    assert found
    assert found.jitter_ms == pytest.approx(270, abs=60)
    assert abs(found.falling_behind or 0) < 20


def test_a_slow_clock_is_not_lateness() -> None:
    """An encoder whose quartz is 80 ppm slow, for six hours."""
    now = STARTED
    meter = Meter(lambda: now)
    for _ in range(6 * 3600):
        now += 1
        meter.push(picture(round((now - STARTED) * 1000 * (1 - 80e-6)), now))
    found = meter.measure(now)
    assert found
    assert found.late_ms is not None
    assert found.late_ms < 100


def picture(dts: int, arrived: float) -> Frame:
    return Frame(Kind.VIDEO, dts, bytes(100), b"", keyframe=True, arrived=arrived)


def test_a_feed_of_sound_alone_and_one_of_pictures_alone_are_measured() -> None:
    heard = measured(without(made(), Kind.VIDEO))
    assert heard.video_silent is None
    assert heard.audio_kbps > 10
    assert heard.drift_ms is None
    shown = measured(made(rate=None))
    assert shown.audio_silent is None
    assert shown.video_kbps > 100


def test_the_next_publisher_is_measured_anew() -> None:
    stage = Stage()
    stage.play(made("-bf", "2"))
    stage.leave()
    assert stage.health._meter.measure(stage.now) is None
    stage.play(made(seconds=4, gop=30))
    found = stage.health._meter.measure(stage.now)
    assert found
    assert not found.b_frames
    assert found.seconds == pytest.approx(4, abs=0.2)
    assert found.late_ms == pytest.approx(0, abs=40)


def test_a_publisher_that_was_replaced_is_not_seen_any_more_and_ends_nothing() -> None:
    stage = Stage()
    first = stage.publisher
    stage.play(made())
    stage.publisher = stage.health.observe(first)
    stage.play(made(seconds=4, fps="25"))
    first.frame(picture(99_000, stage.now))
    first.metadata({"framerate": 99.0})
    first.closed("replaced")
    stage.pass_time(1)
    found = stage.health.measured
    assert found
    assert found.frame_rate == pytest.approx(25, abs=0.1)
    assert found.declared_fps is None


def test_a_clock_that_stands_still_costs_no_memory() -> None:
    meter = Meter(lambda: STARTED)
    for _ in range(2 * MOST_KEPT):
        meter.push(picture(0, STARTED))
    assert len(meter._pictures) == MOST_KEPT
    assert meter.measure(STARTED)


def test_the_frame_rate_an_encoder_declares_is_read() -> None:
    stage = Stage()
    stage.publisher.metadata({"framerate": 30.0, "encoder": "OBS"})
    stage.play(made(fps="15", gop=30))
    found = stage.health._meter.measure(stage.now)
    assert found
    assert found.declared_fps == 30.0
    assert found.frame_rate == pytest.approx(15, abs=0.1)
