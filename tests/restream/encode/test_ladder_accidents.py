"""What happens to a ladder, and what the feed's own readers notice of it: nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from restream.media import Kind
from restream.rtmp.flv import video_track
from tests.restream.continuity.broadcast import broadcast
from tests.restream.encode.ladder_stage import (
    PACE,
    SECONDS,
    Camera,
    Desk,
    Scene,
    aligned,
    keyframes,
    moments,
    numbers,
)
from tests.restream.encode.stage import Collector, decoded, until
from tests.restream.hls.feed import Shape


def passed_through(desk: Desk) -> None:
    """Who copies the feed has got every picture, whatever became of the ladder."""
    times = [frame.dts for frame in desk.source.media(Kind.VIDEO)]
    assert all(30 <= after - before <= 37 for before, after in pairwise(times))


async def test_a_killed_child_is_followed_by_another_and_no_moment_comes_twice() -> None:
    async with Desk(180, 144) as desk:
        await desk.start(Scene())
        await desk.play(1500)
        killed = desk.ladder.pid
        assert killed
        os.kill(killed, signal.SIGKILL)
        await until(lambda: desk.status("180p").state == "retrying", "the accident to be noticed")
        assert "stopped" in (desk.status("180p").reason or "")
        await until(lambda: desk.ladder.pid not in (None, killed), "another child")
        await desk.play(4000)
        assert desk.closed == []
    passed_through(desk)
    for name in ("180p", "144p"):
        _goes_on(desk.source, desk.out[name])
        _shows_the_same(desk.source, desk.out[name])
        assert desk.out[name].ends == 2  # after the accident, and at the end
        made = [frame.dts for frame in desk.out[name].media(Kind.VIDEO)]
        assert all(after - before <= 37 for before, after in pairwise(made))  # nothing is missing
    assert desk.states("144p")[:4] == ["starting", "running", "retrying", "starting"]


async def test_a_hung_child_is_killed_and_copies_lose_nothing() -> None:
    async with Desk(144, pace=replace(PACE, hung=0.5)) as desk:
        await desk.start(Scene())
        hung = desk.ladder.pid
        assert hung
        os.kill(hung, signal.SIGSTOP)
        assert desk.camera
        desk.camera.send(3000)
        await until(lambda: desk.status("144p").state == "retrying", "the end of the hung child")
        assert "gave no picture" in (desk.status("144p").reason or "")
        await until(lambda: desk.ladder.pid not in (None, hung), "another child")
        await desk.play(3000)
    passed_through(desk)
    _goes_on(desk.source, desk.out["144p"])


def _goes_on(source: Collector, rung: Collector) -> None:
    """All pictures are the feed's, in order, and where the feed has a keyframe there is one."""
    made = [frame.dts for frame in rung.media(Kind.VIDEO)]
    assert all(after > before for before, after in pairwise(made))
    assert set(made) <= set(moments(source.media(Kind.VIDEO)))
    assert set(keyframes(source.media(Kind.VIDEO))) & set(made) <= set(keyframes(rung.media(Kind.VIDEO)))
    assert len(decoded(rung.frames)) == len(made)


def _shows_the_same(source: Collector, rung: Collector) -> None:
    feed, shown = numbers(source.frames), numbers(rung.frames)
    assert all(feed[moment] == number for moment, number in shown.items())


@asynccontextmanager
async def held_back(pid: int) -> AsyncIterator[None]:
    """A child that runs for a small share of the time: what a busy machine does to it."""

    async def hold() -> None:
        while True:
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(0.1)
            os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(0.005)

    holding = asyncio.create_task(hold())
    try:
        yield
    finally:
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)


async def test_where_the_machine_is_too_slow_whole_rungs_go_and_come_back_later() -> None:
    pace = replace(PACE, window=0.8)
    async with Desk(240, 180, 144, pace=pace, forgiven=3.0) as desk:
        await desk.start(Scene())
        slow, camera = desk.ladder.pid, desk.camera
        assert slow
        assert camera
        async with held_back(slow), asyncio.timeout(SECONDS):
            while desk.ladder.pid == slow:
                camera.send(200)
                await asyncio.sleep(0.02)
        await until(lambda: "240p" in desk.closed, "the largest to go")
        assert "starved" in desk.states("180p")
        shed = desk.status("240p")
        assert shed.state == "starved"
        assert (
            shed.reason
            == "This machine is too slow for 240p right now, so it is left out and tried again later."
        )
        assert desk.ladder.feed("240p") is None
        await until(lambda: desk.ladder.pid not in (None, slow), "the child with fewer rungs")
        await desk.play(2000)
        assert desk.status("180p").state == "running"
        await until(lambda: [rung.name for rung in desk.opened].count("240p") == 2, "another trial")
        await until(lambda: desk.ladder.pid, "its child")
        await desk.play(2000)
        assert desk.status("240p").state == "running"
    passed_through(desk)
    for name in ("180p", "144p"):
        _goes_on(desk.source, desk.out[name])


async def test_another_size_of_the_feed_makes_other_rungs() -> None:
    async with Desk(360, 240, 144) as desk:
        await desk.start(Scene(size="480x270"))
        await desk.play(1500)
        assert desk.camera
        first = desk.ladder.pid
        desk.camera.leave()
        desk.camera = Camera(desk.live, Scene(size="360x640"))
        desk.camera.send(300)
        await until(lambda: desk.ladder.pid not in (None, first), "another child")
        await desk.play(2500)
    assert sorted(desk.closed[:2]) == ["144p", "240p"]
    assert [(rung.name, rung.width, rung.height) for rung in desk.opened] == [
        ("240p", 426, 240),
        ("144p", 256, 144),
        ("240p", 240, 426),
        ("144p", 144, 256),
    ]
    for name, size in (("240p", (240, 426)), ("144p", (144, 256))):
        made = [frame.dts for frame in desk.out[name].media(Kind.VIDEO)]
        assert all(after > before for before, after in pairwise(made))
        assert set(made) <= set(moments(desk.source.media(Kind.VIDEO)))
        assert decoded(desk.out[name].frames)[-1].picture.size == size


async def test_a_feed_that_becomes_twice_as_fast_gets_rungs_made_for_it() -> None:
    async with Desk(144) as desk:
        await desk.start(Scene(size="320x180", keys=(0, 1, 2, 3, 4, 5, 6, 7)))
        await desk.play(1500)
        assert desk.camera
        desk.camera.leave()
        desk.camera = Camera(desk.live, Scene(size="320x180", fps=60, keys=(0, 1, 2, 3, 4, 5, 6, 7)))
        await desk.play(5000)
        await until(lambda: len(desk.opened) == 2, "another rung")
        await until(lambda: desk.ladder.pid, "its child")
        await desk.play(500)
        await until(lambda: desk.ladder.running == ["144p"], "the new rung")
        await desk.play(2500)
    assert [rung.fps for rung in desk.opened] == [30.0, 60.0]
    assert desk.news[-1].state == "running"
    _goes_on(desk.source, desk.out["144p"])


async def test_a_standby_with_b_frames_takes_over_and_the_same_child_goes_on() -> None:
    """The standby's whole group comes squeezed into a moment; after it, all moments are the feed's again."""
    async with Desk(180, 144) as desk:
        scene = Scene(bframes=3, keys=tuple(range(8)))
        await desk.start(scene)
        await desk.play(1500)
        standby = Camera(desk.live, scene, "backup")
        assert desk.camera
        for _ in range(8):
            standby.send(200)
            desk.camera.send(200)
            await asyncio.sleep(0.05)
        await desk.rest()
        child, switched = desk.ladder.pid, desk.live.now
        desk.camera.leave()
        desk.camera = standby
        await desk.play(6000)
        assert desk.ladder.pid == child
        assert desk.live.director.on_air == "backup"
    for name in ("180p", "144p"):
        made = desk.out[name].media(Kind.VIDEO)
        assert all(after.dts >= before.dts for before, after in pairwise(made))
        later = Collector()
        later.frames = [frame for frame in desk.out[name].frames if frame.dts > switched + 2000]
        aligned(desk.source, later)
        assert len(later.frames) > 100
        shown = decoded(desk.out[name].frames)
        assert len(shown) == len(made)


async def test_a_publisher_drop_with_its_slate_and_a_return_keep_all_moments(tmp_path: Path) -> None:
    """Real encoders, the real ingest. The slate has its own parameter sets, the return has B-frames."""
    first = Shape(seconds=20, gop=25, size="480x270")
    back = Shape(seconds=20, gop=40, size="480x270", bframes=2)
    async with broadcast(tmp_path) as show, Desk(180, 144, live=show.programme.live) as desk:
        async with show.encoder(first):
            await show.ready()
            await until(lambda: desk.status("144p").state == "running", "the rungs")
            child = desk.ladder.pid
            await show.lasts(2.0)
        await show.until(lambda now: now.on_air == "slate")
        await show.lasts(2.0)
        async with show.encoder(back):
            await show.until(lambda now: now.on_air == "primary")
            await show.lasts(3.0)
            await desk.rest()
        assert desk.ladder.pid == child
    headers = [frame for frame in desk.source.frames if frame.header and frame.kind == Kind.VIDEO]
    assert len({frame.body for frame in headers}) == 3
    assert {video_track(frame.body).width for frame in headers} == {480}
    for name in ("180p", "144p"):
        aligned(desk.source, desk.out[name])
        made = desk.out[name].media(Kind.VIDEO)
        assert len(decoded(desk.out[name].frames)) == len(made)
        assert made[-1].dts > 6000
