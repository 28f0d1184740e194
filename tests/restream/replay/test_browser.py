"""Replays in Chromium, by hls.js: over a restart and a gap, from the beginning, to a chapter, to the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Page, async_playwright

from restream.hls.respond import Receive, Scope, Send
from tests.restream.record.test_repair import until
from tests.restream.replay.stage import STARTED, again, show, written
from tests.restream.replay.test_play import Theatre, theatre

CHROMIUM: Final = Path("/usr/bin/chromium")
HLS: Final = Path(__file__).parents[3] / "dashboards" / "node_modules" / "hls.js" / "dist" / "hls.min.js"
FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    "--autoplay-policy=no-user-gesture-required",
)
PAGE: Final = b"<!doctype html><title>replay</title><script src=hls.js></script><video muted></video>"
PLAY: Final = """
({address, rate, at}) => {
    const video = document.querySelector("video");
    const hls = new Hls({startPosition: at, nudgeMaxRetry: 10});
    const seen = window.seen = {video, hls, fatal: [], largest: 0, begun: null};
    hls.on(Hls.Events.ERROR, (_, said) => { if (said.fatal) seen.fatal.push(said.details); });
    video.ontimeupdate = () => {
        seen.begun ??= video.currentTime;
        seen.largest = Math.max(seen.largest, video.currentTime);
    };
    hls.loadSource(address);
    hls.attachMedia(video);
    video.playbackRate = video.defaultPlaybackRate = rate;
    return video.play().then(() => null, error => String(error));
}
"""
STATE: Final = """
() => { const {video, hls, fatal, largest, begun} = window.seen;
    const listed = hls.levels[hls.currentLevel]?.details?.fragments ?? [];
    return {fatal, largest, begun, duration: video.duration, now: video.currentTime,
        dates: listed.map(({start, programDateTime}) => [start, programDateTime / 1000]),
        frames: video.getVideoPlaybackQuality().totalVideoFrames}; }
"""
JUMP: Final = (
    "at => { const {video} = window.seen; video.currentTime = at; video.playbackRate = 1; video.play(); }"
)
SHOWN: Final = """
([from, date]) => { const {video, hls} = window.seen;
    return !video.seeking && video.currentTime > from && video.currentTime < from + 2
        && Math.abs(hls.playingDate?.getTime() / 1000 - video.currentTime - date) < 0.3; }
"""

pytestmark = pytest.mark.skipif(
    not (CHROMIUM.exists() and HLS.exists()), reason="needs Debian's chromium and the front end's packages"
)


class Cinema(Theatre):
    """With a page for the player."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The page, hls.js, or the replay."""
        if scope["path"].startswith("/live/"):
            await super().__call__(scope, receive, send)
            return
        script = scope["path"] == "/hls.js"
        kind, body = (b"text/javascript", HLS.read_bytes()) if script else (b"text/html", PAGE)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def browser(house: Theatre) -> AsyncIterator[Page]:
    """A page of that origin."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = await chromium.new_page()
        await page.goto(f"http://127.0.0.1:{house.port}/")
        yield page
        await chromium.close()


async def play(page: Page, address: str, rate: float = 4.0, at: float = 0.0) -> None:
    assert await page.evaluate(PLAY, {"address": address, "rate": rate, "at": at}) is None


async def state(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(STATE)
    assert found["fatal"] == []
    return found


async def over(page: Page) -> dict[str, Any]:
    """What was seen, at the end."""
    await page.wait_for_function("() => window.seen.video.ended || window.seen.fatal.length", timeout=90_000)
    return await state(page)


async def test_a_replay_plays_over_a_gap_and_a_restart_and_can_be_jumped_in(tmp_path: Path) -> None:
    segments = show(12)
    missing = segments[6].number
    torn = [replace(one, data=(), gap=True) if one.number == missing else one for one in segments]
    async with theatre(tmp_path, torn):
        pass
    async with theatre(tmp_path, again(segments, 100, 300.0), Cinema) as house:
        await house.end()
        async with browser(house) as page:
            await play(page, house.address("index.m3u8"))
            found = await over(page)
            for second, pause in ((8.25, 0), (20.25, 288)):  # a chapter of each run
                await page.evaluate(JUMP, second)
                await page.wait_for_function(SHOWN, arg=[second, STARTED + pause], timeout=60_000)
            assert (await state(page))["fatal"] == []
    assert found["begun"] < 2
    assert found["duration"] == pytest.approx(24, abs=0.3)
    assert found["largest"] == pytest.approx(24, abs=0.3)
    assert found["frames"] > 250, "some are left out at four times the speed"
    assert len(found["dates"]) == 12
    for at, date in found["dates"]:
        assert date == pytest.approx(STARTED + at + (288 if at > 11 else 0), abs=0.1)


async def test_a_running_show_is_seen_from_its_beginning_and_grows_until_it_ends(tmp_path: Path) -> None:
    segments = show(12)
    async with theatre(tmp_path, segments[:9], Cinema) as house, browser(house) as page:
        await play(page, house.address("dvr.m3u8"), at=0.0)
        await page.wait_for_function("() => window.seen.largest > 1", timeout=60_000)
        assert (await state(page))["begun"] < 2
        for segment in segments[9:]:
            house.shelf.take("show", segment)
        await written(house.shelf)
        seen = len(house.asked)
        await until(lambda: any(path.endswith("source/media.m3u8") for path in house.asked[seen:]))
        await house.end()
        found = await over(page)
    assert found["largest"] == pytest.approx(12, abs=0.3)
