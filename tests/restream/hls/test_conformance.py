"""More than a thousand reloads through the origin, publishers coming and going, every rule checked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from restream.hls.origin import Origin
from restream.media import Frame
from tests.restream.hls.browser import Browser
from tests.restream.hls.feed import Shape, Studio, synthetic
from tests.restream.hls.linter import Linted, Reloads
from tests.restream.hls.parsing import Run, runs

VISITS = ((30.0, 150.0), (25.0, 80.0), (30000 / 1001, 120.0))
"""(Frames a second, seconds) of each publisher."""


class Player:
    """Reloads as hls.js does, fetches each new part, and compares what was said of it with what it is."""

    def __init__(self, browser: Browser) -> None:
        self.reloads = Reloads()
        self.fetched = 0
        self._browser = browser
        self._newest = ""
        self._last: Run | None = None

    async def watch(self) -> None:
        """Until the end."""
        wanted = "_HLS_msn=0&_HLS_part=0"
        while True:
            answer = await self._browser.ok(f"/live/show/live.m3u8?{wanted}")
            linted = self.reloads.load(answer.text)
            await self._fetch(linted)
            if linted.ended:
                return
            newest = linted.segments[-1]
            following = (newest.number + 1, 0) if newest.uri else (newest.number, len(newest.parts))
            wanted = f"_HLS_msn={following[0]}&_HLS_part={following[1]}"

    async def _fetch(self, linted: Linted) -> None:
        newest = linted.segments[-1]
        part = newest.parts[-1]
        if part.uri == self._newest:
            return
        run = next(runs((await self._browser.ok(f"/live/show/{part.uri}")).body))
        self.fetched += 1
        assert abs(part.seconds - (run.ends - run.begins) / 90_000) < 1e-5, "DURATION is what it lasts"
        if self._last and len(newest.parts) > 1:
            assert run.begins == self._last.ends, "a hole between parts"
        self._newest, self._last = part.uri, run


def visits() -> Iterable[Iterable[Frame]]:
    """The publishers' frames."""
    return (synthetic(Shape(seconds=2), 48_000, fps, seconds) for fps, seconds in VISITS)


async def test_a_thousand_reloads_break_no_rule() -> None:
    studio = Studio()
    player = Player(Browser(Origin({"show": studio.packager}.get, patience=1000.0)))
    watching = asyncio.create_task(player.watch())

    async def settle() -> None:
        while not len(studio.packager.bell) and not watching.done():
            await asyncio.sleep(0)
        if watching.done():
            watching.result()

    await settle()
    for frames in visits():
        session = studio.publisher()
        for frame in frames:
            changes = studio.changes
            session.frame(frame)
            if studio.changes != changes:
                await settle()
        session.closed("bye")
        await settle()
    studio.packager.finish()
    await watching
    assert player.reloads.count >= 1000
    assert player.fetched >= 1000
    assert player.reloads.seen is not None
    assert player.reloads.seen.ended
    assert player.reloads.seen.segments[-1].discontinuities == len(VISITS) - 1
    assert player.reloads.hints_wrong <= 2 * len(VISITS)
