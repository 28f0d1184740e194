"""A show's ladder, with real ffmpeg: what comes out of its rungs is the feed, moment for moment."""

from __future__ import annotations

import asyncio
import io
import statistics
import time

import av
import pytest

from restream.api import LadderSpec
from restream.encode.encoders import Machine
from restream.media import Frame, Kind
from restream.rtmp.flv import video_track
from tests.restream.encode.ladder_stage import (
    Camera,
    Desk,
    Scene,
    aligned,
    keyframes,
    moments,
    numbers,
)
from tests.restream.encode.stage import Collector, decoded, flv, until


@pytest.mark.parametrize(("bframes", "seconds"), [(0, 16), (3, 60)])
async def test_over_a_minute_all_moments_and_keyframes_are_the_feeds(bframes: int, seconds: int) -> None:
    async with Desk(180, 144) as desk:
        await desk.start(Scene(size="384x216", bframes=bframes))
        await desk.play(seconds * 1000)
    for name in ("180p", "144p"):
        aligned(desk.source, desk.out[name])
        made = desk.out[name].media(Kind.VIDEO)
        assert len(made) > (seconds - 2) * 30
        assert len(keyframes(made)) >= seconds // 8 * 6 - 2
        assert desk.out[name].ends == 1  # at the end
    assert desk.states("180p") == ["starting", "running"]


@pytest.mark.parametrize("bframes", [0, 3])
async def test_every_picture_shows_what_the_feed_shows_at_its_moment(bframes: int) -> None:
    async with Desk(180, 144) as desk:
        await desk.start(Scene(bframes=bframes))
        await desk.play(4000)
    feed = numbers(desk.source.frames)
    for name in ("180p", "144p"):
        shown = numbers(desk.out[name].frames)
        assert len(shown) > 100
        assert all(feed[moment] == number for moment, number in shown.items())


async def test_a_ladder_that_begins_amid_a_long_group_begins_with_the_next_keyframe() -> None:
    async with Desk() as desk:
        desk.camera = Camera(desk.live, Scene(keys=(0.0, 5.7)))
        desk.camera.send(3000)
        await desk.ladder.apply(LadderSpec(heights=[144]))
        await until(lambda: desk.ladder.pid, "the child")
        await desk.play(4000)
    aligned(desk.source, desk.out["144p"])
    assert desk.out["144p"].media(Kind.VIDEO)[0].dts == keyframes(desk.source.media(Kind.VIDEO))[1]


async def test_colours_and_shape_are_kept_and_every_browser_can_decode_it() -> None:
    tags = "setsar=16/15,setparams=color_primaries=bt470bg:color_trc=bt709:colorspace=bt470bg:range=pc"
    scene = Scene(size="360x288", fps=25, filters=f",format=yuvj420p,{tags}", more=("-pix_fmt", "yuvj420p"))
    async with Desk(144) as desk:
        await desk.start(scene)
        await desk.play(1000)
    (rung,) = desk.opened
    assert (rung.name, rung.width, rung.height, rung.fps) == ("144p", 180, 144, 25.0)
    shown, given = _stream_of(desk.source.frames), _stream_of(desk.out["144p"].frames)
    for what in ("color_primaries", "color_trc", "colorspace", "color_range"):
        assert getattr(given, what) == getattr(shown, what), what
    assert given.display_aspect_ratio == shown.display_aspect_ratio
    assert given.color_range == 2
    header = next(frame for frame in desk.out["144p"].frames if frame.header)
    track = video_track(header.body)
    assert track.codec.startswith("avc1.42c0")  # Constrained Baseline
    assert int(track.codec[-2:], 16) <= 0x1F  # and a level that fits the size
    assert not any(frame.cts for frame in desk.out["144p"].frames)


async def test_an_upright_feed_has_upright_rungs_named_by_the_shorter_side() -> None:
    async with Desk(360, 240, 180) as desk:
        await desk.start(Scene(size="270x480"))
        await desk.play(1000)
        assert [(r.name, r.width, r.height) for r in desk.opened] == [("240p", 240, 426), ("180p", 180, 320)]
        refused = desk.status("360p")
        assert refused.state == "refused"
        assert refused.reason == "360p is not smaller than the feed (270p), which viewers get as it is."
    assert decoded(desk.out["180p"].frames)[-1].picture.size == (180, 320)


async def test_the_rate_stays_under_its_cap_and_an_easy_picture_takes_less() -> None:
    noise = ",scale=320:180,geq=lum='random(1)*255':cb=128:cr=128"
    async with Desk(144) as desk:
        await desk.start(Scene(seconds=4, size="320x180", keys=(0.0, 2.0), filters=noise))
        await desk.play(6000)
        cap = desk.status("144p").video_kbps
    made = desk.out["144p"].media(Kind.VIDEO)
    for begins in range(made[0].dts, made[-1].dts - 2000, 500):
        window = [frame for frame in made if begins <= frame.dts < begins + 2000]
        assert (
            sum(len(frame.body) for frame in window) * 8 / 1000 <= cap * 2.6
        )  # 2 s, and half a second's buffer
    async with Desk(144) as desk:
        await desk.start(Scene(seconds=4, size="320x180", filters=",lutyuv=y=100"))
        await desk.play(4000)
    made = desk.out["144p"].media(Kind.VIDEO)
    assert sum(len(frame.body) for frame in made) * 8 / (made[-1].dts - made[0].dts) < cap / 2


async def test_pictures_come_soon_after_the_feeds_own_and_say_when_those_arrived() -> None:
    """At a camera's own pace; how long it takes is printed (`-s`), the bound is for the slowest machine."""
    async with Desk(360, 240) as desk:
        await desk.start(Scene(size="960x540"))
        came: dict[int, float] = {}
        late: list[float] = []
        watch = _Late(came, late)
        output = desk.ladder.feed("240p")
        assert output
        assert desk.camera
        output.attach(watch)
        late.clear()
        began = time.monotonic()
        for number in range(60):
            await asyncio.sleep(max(0.0, began + number / 30 - time.monotonic()))
            now = time.monotonic()
            desk.camera.send(0)
            came[desk.source.newest] = now
        await desk.rest()
        arrived = {frame.dts: frame.arrived for frame in desk.source.media(Kind.VIDEO)}
    assert all(frame.arrived == arrived[frame.dts] for frame in desk.out["240p"].media(Kind.VIDEO))
    assert len(late) >= 50
    print(
        f"\nrung behind feed: median {statistics.median(late) * 1000:.0f} ms, most {max(late) * 1000:.0f} ms"
    )
    assert statistics.median(late) < 0.333


class _Late:
    """A Reader that notes how long after the feed's picture each comes."""

    def __init__(self, came: dict[int, float], late: list[float]) -> None:
        self._came, self._late = came, late

    def push(self, frame: Frame) -> None:
        if not frame.header and frame.dts in self._came:
            self._late.append(time.monotonic() - self._came[frame.dts])

    def ended(self) -> None:
        pass


async def test_who_reads_a_rung_later_can_decode_at_once() -> None:
    async with Desk(144) as desk:
        await desk.start(Scene())
        await desk.play(3000)
        late = Collector()
        output = desk.ladder.feed("144p")
        assert output
        output.attach(late)
        assert late.frames[0].header
        assert late.media(Kind.VIDEO)[0].keyframe
        assert len(decoded(late.frames)) == len(late.media(Kind.VIDEO))
        assert desk.ladder.feed("720p") is None


async def test_before_the_show_it_is_known_what_the_machine_leaves_out_and_why() -> None:
    async with Desk(720, 540, 480, 360, machine=Machine(cores=2)) as desk:
        states = {status.name: status.state for status in desk.ladder.statuses()}
        assert states == {"720p": "starting", "540p": "refused", "480p": "refused", "360p": "starting"}
        assert desk.status("720p").reason == "Waiting for pictures."
        assert set(desk.ladder.plan.refused) == {"540p", "480p"}
        assert "cores" in desk.ladder.plan.refused["540p"]
        assert desk.ladder.plan.wanted_cores > 0
        assert desk.machine.ladders == {"show": 0.0}  # nothing runs, so nothing is taken
        assert desk.ladder.pid is None


async def test_another_wish_opens_and_closes_rungs_and_none_ends_them_all() -> None:
    async with Desk(180, 144) as desk:
        await desk.start(Scene())
        child = desk.ladder.pid
        await desk.ladder.apply(LadderSpec(heights=[144, 180]))
        assert desk.ladder.pid == child
        assert desk.machine.ladders["show"] > 0
        await desk.ladder.apply(LadderSpec(heights=[240, 144]))
        assert desk.closed == ["180p"]
        await until(lambda: desk.ladder.pid not in (None, child), "another child")
        await desk.play(1500)
        assert [rung.name for rung in desk.opened] == ["180p", "144p", "240p"]
        await desk.ladder.apply(None)
        assert sorted(desk.closed) == ["144p", "180p", "240p"]
        assert desk.ladder.statuses() == []
        assert desk.ladder.pid is None
        assert desk.machine.ladders == {}
        assert desk.camera
        desk.camera.send(1000)
        assert desk.ladder.pid is None
    made = [frame.dts for frame in desk.out["144p"].media(Kind.VIDEO)]
    assert made == sorted(set(made))
    assert set(made) <= set(moments(desk.source.media(Kind.VIDEO)))


async def test_profiles_and_other_shows_come_before_a_ladder_gets_bigger() -> None:
    machine = Machine(cores=2)
    async with Desk(720, 360, machine=machine) as desk:
        machine.taken["other"] = 1.2
        await desk.ladder.apply(LadderSpec(heights=[720, 360]))
        assert desk.status("720p").state == desk.status("360p").state == "refused"
        machine.taken.clear()
        await until(lambda: desk.status("720p").state == "starting", "the room to be noticed")
        machine.ladders["other"] = 1.2
        await until(lambda: desk.status("720p").state == "refused", "the room to be gone")


def _stream_of(frames: list[Frame]) -> av.VideoCodecContext:
    """What a decoder finds out about it."""
    with av.open(io.BytesIO(flv(frames)), mode="r", format="flv") as file:
        stream = file.streams.video[0]
        next(file.decode(stream))
        return stream.codec_context
