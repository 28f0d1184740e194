"""All encoders of a show: who shares a child, who gets another, who is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from restream.api import EncoderStatus, ProfileSpec, TextLayer
from restream.encode.encoders import Encoders, Machine
from restream.live import Live
from restream.media import Kind
from tests.restream.encode.stage import PACE, Camera, Collector, Scene, attached, decoded, until


def profile(name: str = "tall", **changes: object) -> ProfileSpec:
    wish = {"name": name, "width": 180, "height": 320, "video_kbps": 400, "keyframe_seconds": 1.0}
    return ProfileSpec.model_validate({**wish, **changes})


class Desk:
    """A live with a camera and its encoders."""

    def __init__(self, machine: Machine) -> None:
        self.live = Live("show")
        self.news: list[EncoderStatus] = []
        self.encoders = Encoders(
            "show", self.live, machine, asset=lambda sha: None, on_change=self.news.append, pace=PACE
        )
        self.scenes = Scene(width=320, height=180)
        self.camera: Camera | None = None

    def reader(self, name: str) -> Collector:
        """Somebody who reads a profile."""
        distribution = self.encoders.live_for(name)
        assert distribution
        collector = Collector()
        distribution.attach(collector)
        return collector

    async def play(self, seconds: float, *readers: Collector) -> None:
        """Media until every reader has got most of it."""
        self.camera = self.camera or Camera(self.live, self.scenes)
        end = self.camera.sent + round(seconds * 1000)
        while self.camera.sent < end:
            await self.camera.send(until_ms=self.camera.sent + 100)
            await until(
                lambda: all(p is None or not self._behind(p) for p in self._encoders()), "the encoders"
            )
        if readers:
            await until(lambda: all(r.newest > end - 1000 for r in readers), "what was encoded")

    def _encoders(self) -> list[object]:
        return list(self.encoders._plugged.values())

    def _behind(self, encoder: object) -> bool:
        run = getattr(encoder, "_running", None)
        return bool(run and run.supply.behind > 1000)

    def pids(self) -> set[int]:
        """Of the children."""
        return {encoder.pid for encoder in self.encoders._plugged.values() if encoder.pid}

    def status(self, name: str) -> EncoderStatus:
        return next(status for status in self.encoders.statuses() if status.profile == name)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk(Machine(cores=8))
    yield made
    await made.encoders.stop()


async def started(desk: Desk, children: int) -> None:
    """Media until so many children run."""
    for _ in range(20):
        await desk.play(0.5)
        if len(desk.pids()) == children:
            return
    await until(lambda: len(desk.pids()) == children, f"{children} children")


async def test_nothing_runs_until_a_target_wants_it_and_media_is_there(desk: Desk) -> None:
    await desk.encoders.apply([profile()], [])
    await desk.play(1)
    assert desk.status("tall").state == "idle"
    assert desk.pids() == set()
    await desk.encoders.apply([profile()], ["tall"])
    tall = desk.reader("tall")
    await started(desk, 1)
    await desk.play(2, tall)
    assert decoded(tall.frames)[-1].picture.size == (180, 320)
    await desk.encoders.apply([profile()], [])
    assert desk.pids() == set()
    assert [status.state for status in desk.news] == ["idle", "idle", "starting", "running", "idle"]


async def test_equal_settings_share_one_child_until_one_of_them_changes(desk: Desk) -> None:
    await desk.encoders.apply([profile("a", fit="crop"), profile("b", fit="crop")], ["a", "b"])
    a, b = desk.reader("a"), desk.reader("b")
    await started(desk, 1)
    await desk.play(1.5, a, b)
    assert a.frames == b.frames
    first = desk.pids()
    sold = TextLayer(text="Sold out", width=1, margin=0)
    await desk.encoders.apply([profile("a", fit="crop"), profile("b", fit="crop", layers=[sold])], ["a", "b"])
    await started(desk, 2)
    assert first < desk.pids()  # `a` noticed nothing
    await desk.play(2, a, b)
    assert a.ends == 0
    assert decoded(a.frames)[-1].colour(0.99, 0.99) != decoded(b.frames)[-1].colour(0.99, 0.99)
    moments = [frame.dts for frame in b.media(Kind.VIDEO)]
    assert all(after > before for before, after in pairwise(moments))


async def test_a_live_edit_keeps_the_child_and_another_size_does_not(desk: Desk) -> None:
    await desk.encoders.apply([profile(fit="crop", crop_x=0)], ["tall"])
    tall = desk.reader("tall")
    await started(desk, 1)
    await desk.play(1.5, tall)
    before = desk.pids()
    await desk.encoders.apply([profile(fit="crop", crop_x=1)], ["tall"])
    assert desk.pids() == before
    await desk.encoders.apply([profile(fit="crop", crop_x=1, width=128, height=228)], ["tall"])
    tall.frames.clear()
    await started(desk, 1)
    await desk.play(2, tall)
    assert desk.pids() != before
    assert decoded(tall.frames)[-1].picture.size == (128, 228)


async def test_what_the_machine_cannot_do_is_refused_and_others_run() -> None:
    desk = Desk(Machine(cores=1.5))
    huge = profile("huge", width=2160, height=3840)
    try:
        await desk.encoders.apply([profile(), huge], ["tall", "huge"])
        refused = desk.status("huge")
        assert refused.state == "refused"
        assert refused.reason
        assert "smaller size" in refused.reason
        assert desk.encoders.plan().refused == {"huge": refused.reason}
        assert refused in desk.news
        tall = desk.reader("tall")
        await started(desk, 1)
        await desk.play(1.5, tall)
        assert desk.reader("huge").frames == []
    finally:
        await desk.encoders.stop()


async def test_shows_share_the_machine() -> None:
    machine = Machine(cores=1.2)
    one, two = Desk(machine), Desk(machine)
    two.encoders = Encoders(
        "other", two.live, machine, asset=lambda sha: None, on_change=two.news.append, pace=PACE
    )
    wish = [profile(width=720, height=1280)]
    await one.encoders.apply(wish, ["tall"])
    await two.encoders.apply(wish, ["tall"])
    assert one.status("tall").state == "idle"
    assert two.status("tall").state == "refused"
    await one.encoders.stop()
    await two.encoders.apply(wish, ["tall"])
    assert two.status("tall").state == "idle"
    await two.encoders.stop()


async def test_another_size_of_the_feed_starts_the_child_again_and_time_goes_on(desk: Desk) -> None:
    await desk.encoders.apply([profile()], ["tall"])
    tall, source = desk.reader("tall"), attached(desk.live)
    await started(desk, 1)
    await desk.play(1.5, tall)
    first = desk.pids()
    assert desk.camera
    desk.camera.leave()
    desk.camera = None
    desk.scenes = Scene(width=180, height=320)
    await started(desk, 1)
    for _ in range(20):
        await desk.play(0.5)
        if desk.pids() and not desk.pids() & first:
            break
    await desk.play(1.5, tall)
    assert not desk.pids() & first
    moments = [frame.dts for frame in tall.media(Kind.VIDEO)]
    assert all(after > before for before, after in pairwise(moments))
    assert max(moments) <= source.newest
    shown = decoded(tall.frames)[-1]  # upright now, so there are no bars any more
    assert max(shown.colour(0.1, 0.02)) > 150
    assert desk.status("tall").restarts == 0


async def test_after_a_stop_no_feed_starts_anything(desk: Desk) -> None:
    await desk.encoders.apply([profile()], ["tall"])
    tall = desk.reader("tall")
    await started(desk, 1)
    await desk.play(1, tall)
    await desk.encoders.stop()
    assert tall.ends == 1
    desk.scenes, desk.camera = Scene(width=180, height=320), None
    await desk.play(2)
    assert desk.pids() == set()
    assert desk.status("tall").state == "idle"


async def test_an_unknown_profile_has_no_live(desk: Desk) -> None:
    await desk.encoders.apply([profile()], ["tall", "typo"])
    assert desk.encoders.live_for("typo") is None
    assert desk.encoders.live_for("tall") is desk.encoders.live_for("tall")
