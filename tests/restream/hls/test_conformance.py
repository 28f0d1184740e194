"""More than a thousand reloads of every rendition, publishers coming and going, every rule checked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from restream.api import CueSpec
from restream.hls.origin import Origin
from restream.hls.renditions import Rung
from restream.media import Frame
from tests.restream.hls.browser import Browser
from tests.restream.hls.conformance import Checker, Watcher
from tests.restream.hls.feed import DELAY, STARTED, Shape, Studio, synthetic
from tests.restream.hls.ladder import Encoder

Moments = dict[int, Callable[[], Awaitable[None]]]
"""What happens in which second."""
LARGE, LARGER = Shape(seconds=2), Shape(seconds=2, size="480x270")
WITH_B_FRAMES = Shape(seconds=2, bframes=1)
SMALL, SMALLER = Shape(seconds=2, size="256x144"), Shape(seconds=2, size="160x90")


@dataclass
class Visit:
    """A publisher's stay. Without a rate it has no sound."""

    shape: Shape
    fps: float
    seconds: float
    rate: int = 48_000


class Show:
    """A studio, its encoders, and watchers who are given time to take in every change."""

    def __init__(self) -> None:
        self.studio = Studio()
        origin = Origin({"show": self.studio.renditions}.get, patience=100_000.0)
        self.checker = Checker(Browser(origin), "/live/show")
        self.encoders: dict[str, Encoder] = {}
        self.watching: dict[str, asyncio.Task[None]] = {}

    def rung(self, name: str, shape: Shape, late: int) -> Encoder:
        """Another rendition."""
        reader = self.studio.renditions.open_rung(Rung(name, 0, 0, 30.0))
        encoder = self.encoders[name] = Encoder(reader, shape, late)
        self.studio.live.attach(encoder)
        return encoder

    def watch(self, name: str, most_at_once: int = 1) -> Watcher:
        """Somebody begins to watch."""
        watcher = self.checker.watcher(name, most_at_once)
        self.watching[name] = asyncio.create_task(watcher.watch())
        return watcher

    async def settle(self) -> None:
        """Until everybody waits for something that is still to come."""
        for name, task in self.watching.items():
            rendition = self.studio.renditions.rendition(name)
            while rendition and not task.done() and (rendition.bell.ringing or not len(rendition.bell)):
                await asyncio.sleep(0)
            if task.done():
                task.result()

    async def play(self, visit: Visit, moments: Moments | None = None) -> None:
        """A publisher from beginning to end; `moments` are what happens after so many seconds."""
        await self.send(synthetic(visit.shape, visit.rate, visit.fps, visit.seconds), moments)

    async def send(self, frames: Iterable[Frame], moments: Moments | None = None) -> None:
        """The same, frame by frame."""
        live, began, left = self.studio.live, self.studio.now, dict(moments or {})
        session = self.studio.publisher()
        for frame in frames:
            self.studio.now = began + frame.dts / 1000 + DELAY
            changes = self.studio.changes
            session.frame(replace(frame, arrived=self.studio.now))
            if self.studio.changes != changes:
                await self.settle()
            happens = left.pop(frame.dts // 1000, None)
            if happens:
                await happens()
        session.closed("bye")
        for encoder in self.encoders.values():
            encoder.until(live.now + 60_000)
        await self.settle()


def cue(name: str, at: float, lasts: float | None = None) -> CueSpec:
    """A product, some seconds after the beginning of the show."""
    begins = datetime.fromtimestamp(STARTED, UTC) + timedelta(seconds=at)
    ends = begins + timedelta(seconds=lasts) if lasts else None
    return CueSpec(
        id=name, kind="product", begins_at=begins, ends_at=ends, title=f'The "{name}"\n', reference="7"
    )


async def test_a_thousand_reloads_of_every_rendition_break_no_rule() -> None:
    show = Show()
    renditions = show.studio.renditions
    steady = show.rung("144p", SMALL, 120)
    shaky = show.rung("90p", SMALLER, 300)
    cues = [cue("first", 12.0)]

    async def watch() -> None:
        for name, most in (("source", 1), ("audio", 4), ("144p", 4), ("90p", 8)):
            show.watch(name, most)
        await show.settle()

    async def look() -> None:
        await show.checker.look_at_index()
        for name in ("source", "144p"):
            await show.checker.watchers[name].look_at_keyframes()

    async def tell() -> None:
        cues.append(cue(f"at-{show.studio.now:.0f}", show.studio.now - STARTED, 5.0))
        renditions.set_cues(cues)

    async def end_first() -> None:
        cues[0] = cue("first", 12.0, 30.0)
        renditions.set_cues(cues)

    async def die() -> None:
        shaky.dead = True

    async def live_again() -> None:
        shaky.dead = False

    async def lag() -> None:
        assert set(await show.checker.look_at_index()) == {"source", "144p", "90p", "audio"}
        shaky.late = 2500

    async def catch_up() -> None:
        assert "90p" not in await show.checker.look_at_index(), "a rung that lags is not offered"
        shaky.late = 300

    moments: Moments = {
        5: watch,
        13: tell,
        20: look,
        30: end_first,
        33: tell,
        40: die,
        47: look,
        55: live_again,
    }
    moments |= {70: lag, 85: catch_up, 100: tell, 110: look}
    await show.play(Visit(WITH_B_FRAMES, 30.0, 150.0), moments)
    await show.play(Visit(LARGE, 25.0, 60.0), {20: look, 30: tell})
    await show.play(Visit(LARGER, 30000 / 1001, 60.0, rate=0), {30: look, 50: tell})
    await show.play(Visit(LARGE, 30000 / 1001, 80.0), {30: look})
    assert steady.late < 1000
    renditions.finish()
    await asyncio.gather(*show.watching.values())
    await look()
    watchers = show.checker.watchers
    assert all(watcher.reloads.count >= 1000 for watcher in watchers.values())
    assert all(watcher.deltas >= 500 for watcher in watchers.values())
    assert watchers["source"].gaps == watchers["audio"].gaps == 0
    assert 0 < watchers["90p"].gaps < 150
    assert watchers["source"].parts >= 1000
    assert watchers["source"].keyframes >= 60
    assert show.checker.check_alignment() >= 400
    show.checker.check_dates()
    last = watchers["source"].reloads.seen
    assert last is not None
    assert last.ended
    assert last.segments[-1].discontinuities == 3
