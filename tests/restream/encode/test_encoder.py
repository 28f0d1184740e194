"""A profile's encoder, with real ffmpeg: what it makes, what it costs others, and what it survives."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from dataclasses import replace
from itertools import pairwise

import av
import pytest
import segno

from restream.api import ProfileSpec, QrLayer, TextLayer
from restream.encode.encoder import Pace
from restream.encode.overlay import QUIET_ZONE, render
from restream.media import Kind
from tests.restream.encode.stage import (
    BLACK,
    BLUE,
    GREEN,
    PACE,
    RED,
    WHITE,
    Camera,
    Collector,
    Scene,
    Stage,
    attached,
    decoded,
    flv,
    like,
    modules,
    until,
)

HD = Scene(seconds=3, width=1280, height=720)


def profile(**changes: object) -> ProfileSpec:
    wish = {"name": "tall", "width": 180, "height": 320, "video_kbps": 600, "keyframe_seconds": 1.0}
    return ProfileSpec.model_validate({**wish, **changes})


async def test_a_letterboxed_picture_is_whole_between_black_bars() -> None:
    async with Stage(profile(width=720, height=1280, video_kbps=2500), HD) as stage:
        await stage.play(until_ms=2000)
    shown = decoded(stage.out.frames)[-1]
    assert shown.picture.size == (720, 1280)
    assert like(shown.colour(0.5, 0.1), BLACK)
    assert like(shown.colour(0.5, 0.9), BLACK)
    for x, colour in ((0.12, RED), (0.37, GREEN), (0.62, BLUE), (0.87, WHITE)):
        assert like(shown.colour(x, 0.5), colour)


async def test_a_crop_fills_the_picture_with_the_chosen_part() -> None:
    async with Stage(profile(width=720, height=1280, video_kbps=2500, fit="crop", crop_x=0), HD) as stage:
        await stage.play(until_ms=2000)
    shown = decoded(stage.out.frames)[-1]
    assert shown.picture.size == (720, 1280)
    assert all(like(shown.colour(0.5, y), RED) for y in (0.02, 0.5, 0.98))
    assert like(shown.colour(0.95, 0.5), GREEN)  # 404 of 1280 pixels: a stripe of 320, and a little


async def test_a_blurred_fill_shows_the_whole_picture_before_its_enlargement() -> None:
    async with Stage(profile(width=720, height=1280, video_kbps=2500, fit="blur"), HD) as stage:
        await stage.play(until_ms=2000)
    shown = decoded(stage.out.frames)[-1]
    for x, colour in ((0.12, RED), (0.37, GREEN), (0.62, BLUE), (0.87, WHITE)):
        assert like(shown.colour(x, 0.5), colour)
    # Above it the enlarged middle: green on the left, blue on the right, and softly one into the other.
    assert like(shown.colour(0.1, 0.1), GREEN)
    assert like(shown.colour(0.9, 0.1), BLUE)
    assert not like(shown.colour(0.5, 0.1), GREEN)
    assert not like(shown.colour(0.5, 0.1), BLUE)


async def test_keyframes_come_exactly_at_the_wanted_interval_and_nothing_is_reordered() -> None:
    async with Stage(profile(keyframe_seconds=1.5), Scene(gop=50, fps=25)) as stage:
        await stage.play(until_ms=6500)
    pictures = stage.out.media(Kind.VIDEO)
    moments = [frame.dts for frame in pictures if frame.keyframe]
    assert len(moments) >= 4
    assert all(abs(after - before - 1500) <= 41 for before, after in pairwise(moments))
    assert abs(moments[-1] - moments[0] - 1500 * (len(moments) - 1)) <= 41  # they don't creep
    assert not any(frame.cts for frame in pictures)


async def test_the_rate_stays_under_its_cap() -> None:
    """Noise is the worst there is: any encoder would rather send ten times as much."""
    async with Stage(profile(video_kbps=500), Scene(seconds=2, width=320, height=180, noise=True)) as stage:
        await stage.play(until_ms=8000)
    pictures = stage.out.media(Kind.VIDEO)
    seconds = (pictures[-1].dts - pictures[0].dts) / 1000
    assert 350 <= sum(len(frame.payload) for frame in pictures) * 8 / 1000 / seconds <= 600
    for begins in range(pictures[0].dts, pictures[-1].dts - 2000, 500):
        window = [f for f in pictures if begins <= f.dts < begins + 2000]
        assert sum(len(frame.payload) for frame in window) * 8 / 1000 <= 500 * 3  # 2 s, and 1 s of buffer


async def test_pictures_keep_the_feeds_own_moments_and_when_they_arrived() -> None:
    async with Stage(profile()) as stage:
        source = attached(stage.live)
        await stage.play(until_ms=2500)
    came = {frame.dts + frame.cts for frame in source.media(Kind.VIDEO)}
    made = [frame.dts for frame in stage.out.media(Kind.VIDEO)]
    assert len(made) > 30
    assert set(made) <= came
    arrivals = {frame.dts: frame.arrived for frame in source.media(Kind.VIDEO)}
    assert all(frame.arrived == arrivals[frame.dts] for frame in stage.out.media(Kind.VIDEO))
    assert all(after > before for before, after in pairwise(made))
    heard = stage.out.media(Kind.AUDIO)
    assert abs(heard[-1].dts - made[-1]) < 700


async def test_fewer_pictures_a_second_come_evenly() -> None:
    async with Stage(profile(fps=15)) as stage:
        await stage.play(until_ms=3500)
    made = [frame.dts for frame in stage.out.media(Kind.VIDEO)]
    assert all(66 <= after - before <= 67 for before, after in pairwise(made))


@pytest.mark.parametrize(("rate", "wanted", "given"), [(44_100, 48_000, 48_000), (48_000, None, 48_000)])
async def test_sound_gets_the_wanted_rate_or_keeps_its_own(rate: int, wanted: int | None, given: int) -> None:
    async with Stage(profile(audio_rate=wanted), Scene(rate=rate)) as stage:
        await stage.play(until_ms=2000)
    with av.open(io.BytesIO(flv(stage.out.frames)), mode="r", format="flv") as file:
        assert file.streams.audio[0].codec_context.sample_rate == given
        heard = sum(frame.samples for frame in file.decode(audio=0) if isinstance(frame, av.AudioFrame))
    span = stage.out.media(Kind.AUDIO)[-1].dts - stage.out.media(Kind.AUDIO)[0].dts
    assert abs(heard / given * 1000 - span) < 60  # no sample lost, none made up


async def test_a_feed_without_sound_is_encoded_without_sound() -> None:
    async with Stage(profile(), Scene(rate=None)) as stage:
        await stage.play(until_ms=2000)
    assert not [frame for frame in stage.out.frames if frame.kind == Kind.AUDIO]


async def test_b_frames_of_the_feed_come_out_in_order() -> None:
    async with Stage(profile(), Scene(bframes=2)) as stage:
        await stage.play(until_ms=2500)
    made = stage.out.media(Kind.VIDEO)
    assert not any(frame.cts for frame in made)
    assert all(30 <= after.dts - before.dts <= 37 for before, after in pairwise(made))


async def test_the_crop_and_the_layers_change_while_the_same_child_runs() -> None:
    async with Stage(profile(fit="crop", crop_x=0)) as stage:
        await stage.play(until_ms=1500)
        child = stage.encoder.pid
        assert like(decoded(stage.out.frames)[-1].colour(0.3, 0.5), RED)
        await stage.encoder.adjust(profile(fit="crop", crop_x=1))
        await _played_until(stage, lambda: like(decoded(stage.out.frames)[-1].colour(0.7, 0.5), WHITE))
        band = TextLayer(text="Sold out", width=1, margin=0, anchor="bottom")
        await stage.encoder.adjust(profile(fit="crop", crop_x=1, layers=[band]))
        await _played_until(
            stage, lambda: like(decoded(stage.out.frames)[-1].colour(0.99, 0.99), (85, 85, 85))
        )
        moved = band.model_copy(update={"anchor": "top"})
        await stage.encoder.adjust(profile(fit="crop", crop_x=1, layers=[moved]))
        await _played_until(
            stage, lambda: like(decoded(stage.out.frames)[-1].colour(0.99, 0.01), (85, 85, 85))
        )
        assert like(decoded(stage.out.frames)[-1].colour(0.99, 0.99), WHITE)
        await stage.encoder.adjust(profile(fit="crop", crop_x=1))
        await _played_until(stage, lambda: like(decoded(stage.out.frames)[-1].colour(0.99, 0.01), WHITE))
        assert stage.encoder.pid == child
    assert stage.states == ["starting", "running", "idle"]
    assert stage.out.ends == 1


async def test_a_qr_code_survives_the_encoding() -> None:
    """Every module of it can be told in the decoded picture, so every reader can read it."""
    text = "https://example.com/watch/spring?utm_source=tiktok"
    layer = QrLayer(text=text, width=0.6, anchor="centre")
    async with Stage(profile(width=360, height=640, fit="crop", layers=[layer])) as stage:
        await stage.play(until_ms=2000)
    box = render((360, 640), [layer], lambda sha: None).getchannel("A").getbbox()
    assert box
    seen = modules(decoded(stage.out.frames)[-1].picture, text, box)
    code = segno.make(text, micro=False, error="m", boost_error=False)
    assert seen == [[bool(dark) for dark in row] for row in code.matrix_iter(border=QUIET_ZONE)]


async def _played_until(stage: Stage, so: object) -> None:
    assert callable(so)
    for _ in range(20):
        await stage.play(until_ms=stage.camera.sent + 500)
        if so():
            return
    raise AssertionError("it never showed")


async def test_a_killed_child_is_followed_by_another_and_time_goes_on() -> None:
    async with Stage(profile()) as stage:
        source = attached(stage.live)
        await stage.play(until_ms=2000)
        killed = stage.encoder.pid
        assert killed
        os.kill(killed, signal.SIGKILL)
        await until(lambda: "retrying" in stage.states, "the accident to be noticed")
        await stage.camera.send(until_ms=2500)
        await until(lambda: stage.encoder.pid not in (None, killed), "another child")
        await stage.play(until_ms=4500)
        assert stage.encoder.status().restarts == 1
    made = [frame.dts for frame in stage.out.media(Kind.VIDEO)]
    assert all(after > before for before, after in pairwise(made))
    assert stage.states == ["starting", "running", "retrying", "starting", "running", "idle"]
    assert stage.rests == [0.2]
    _nothing_lost(source, stage)


async def test_a_hung_child_is_killed_and_copies_lose_nothing() -> None:
    pace = Pace(check=0.05, first=40.0, hung=0.5, window=1.0, gone=0.2)
    async with Stage(profile(), pace=pace) as stage:
        source = attached(stage.live)
        await stage.play(until_ms=1500)
        hung = stage.encoder.pid
        assert hung
        os.kill(hung, signal.SIGSTOP)
        await stage.camera.send(until_ms=9000)
        await until(lambda: stage.encoder.status().restarts == 1, "the end of the hung child")
        reason = next(status.reason for status in stage.news if status.state == "retrying")
        assert reason
        assert "gave no picture" in reason
        await until(lambda: stage.encoder.pid not in (None, hung), "another child")
    _nothing_lost(source, stage)
    with pytest.raises(ProcessLookupError):
        os.kill(hung, 0)


def _nothing_lost(source: Collector, stage: Stage) -> None:
    """Who copies has got every picture up to the last one sent."""
    pictures = source.media(Kind.VIDEO)
    assert pictures[-1].dts == stage.camera.sent
    assert all(30 <= after.dts - before.dts <= 37 for before, after in pairwise(pictures))


async def test_a_starved_encoder_says_so_leaves_out_pictures_and_recovers() -> None:
    """The feed comes faster and faster, so that any machine is too slow in the end."""
    pace = Pace(check=0.05, first=60.0, hung=60.0, window=0.8, gone=60.0)
    scene = Scene(seconds=4, width=320, height=180)
    async with Stage(profile(width=720, height=1280, video_kbps=4000), scene, pace) as stage:
        source = attached(stage.live)
        child, ahead = stage.encoder.pid, 60.0
        status = stage.encoder.status()
        async with asyncio.timeout(60):
            # Between two measurements no speed is known.
            while status.state != "starved" or not stage.left_out_ms or (status.speed or 1.0) >= 0.95:
                await stage.camera.send(until_ms=stage.camera.sent + round(ahead))
                await asyncio.sleep(0.02)
                ahead *= 1.02
                status = stage.encoder.status()
        assert status.reason
        assert "smaller size" in status.reason
        _nothing_lost(source, stage)
        async with asyncio.timeout(60):
            while stage.encoder.status().state != "running":
                await stage.camera.send(until_ms=stage.camera.sent + 200)
                await stage.rest()
        assert stage.encoder.pid == child
    made = [frame.dts for frame in stage.out.media(Kind.VIDEO)]
    assert max(after - before for before, after in pairwise(made)) > 500  # something was left out
    assert all(after > before for before, after in pairwise(made))


async def test_without_a_feed_there_is_no_child_and_the_next_feed_starts_one() -> None:
    async with Stage(profile()) as stage:
        await stage.play(until_ms=1500)
        first = stage.encoder.pid
        stage.live.end_readers()
        await until(lambda: stage.encoder.status().state == "idle", "the child to be let go")
        assert stage.encoder.pid is None
        await stage.camera.send(until_ms=stage.camera.sent + 1500)
        await until(lambda: stage.encoder.pid not in (None, first), "another child")
        await stage.play(until_ms=stage.camera.sent + 1500)
    assert stage.encoder.status().restarts == 0


async def test_a_publisher_who_is_soon_back_with_the_same_parameters_finds_the_same_child() -> None:
    """Another encoder's parameter sets, as a slate has them too: the child takes them in passing."""
    pace = replace(PACE, gone=60.0)
    async with Stage(profile(), pace=pace) as stage:
        await stage.play(until_ms=1500)
        child = stage.encoder.pid
        headers = [frame for frame in stage.live.backlog() if frame.header]
        stage.camera.leave()
        stage.camera = Camera(stage.live, replace(stage.scene, bframes=2))
        await stage.camera.send(until_ms=stage.live.now + 100)
        assert [frame.body for frame in stage.live.backlog() if frame.header] != [f.body for f in headers]
        await stage.play(until_ms=stage.camera.sent + 2000)
        assert stage.encoder.pid == child
    made = stage.out.media(Kind.VIDEO)
    assert all(0 < after.dts - before.dts < 200 for before, after in pairwise(made))
    assert len(decoded(stage.out.frames)) == len(made)
    assert stage.states == ["starting", "running", "idle"]


async def test_who_attaches_late_can_decode_at_once() -> None:
    async with Stage(profile(keyframe_seconds=5)) as stage:
        await stage.play(until_ms=2500)
        late = Collector()
        stage.encoder.output.attach(late)
    kinds = [(frame.kind, frame.header) for frame in late.frames]
    assert (Kind.VIDEO, True) in kinds
    assert (Kind.AUDIO, True) in kinds
    assert len(decoded(late.frames)) == len(stage.out.media(Kind.VIDEO))
