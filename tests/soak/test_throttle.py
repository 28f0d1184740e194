"""A viewer whose network becomes slow: the picture gets smaller, and goes on."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page, async_playwright

from restream.api import LadderSpec
from tests.restream.encoder import publishing
from tests.restream.hls.feed import Shape
from tests.soak.players.site import Site, serving
from tests.soak.test_players import START_SECONDS, page_of, playable, playing, until, wanted
from tests.soak.worker import Ports, worker

pytestmark = pytest.mark.soak

MEGABIT: Final = {"offline": False, "latency": 40, "downloadThroughput": 125_000, "uploadThroughput": 125_000}
SLOW_SECONDS: Final = 60.0
LARGE: Final = "simulcast-player { width: 1280px !important; height: 720px !important }"
SHAPE: Final = Shape(size="1280x720", seconds=20.0, gop=60)
HEIGHT: Final = (
    "() => document.querySelector('simulcast-player').shadowRoot.querySelector('video').videoHeight"
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


async def until_height(page: Page, wanted: Callable[[int], bool]) -> None:
    """Wait for a picture of such a height."""
    async with asyncio.timeout(START_SECONDS):
        while not wanted(await page.evaluate(HEIGHT)):
            await asyncio.sleep(0.5)


async def test_a_viewer_on_one_megabit_gets_480p_or_less_without_a_stall_of_a_second(
    tmp_path: Path, site: Site
) -> None:
    ports, name = Ports(), "chromium/ours"
    flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
    with worker(tmp_path / "data", ports):
        await wanted(ports, ladder=LadderSpec(heights=[480, 360]))
        async with publishing(SHAPE, ports.ingest, live=True):
            await playable(ports)
            async with async_playwright() as playwright:
                binary = shutil.which("chromium")
                chromium = await playwright.chromium.launch(executable_path=binary, args=flags)
                page = await chromium.new_page()
                await page.goto(page_of(site, ports, "chromium", "ours"))
                await page.add_style_tag(content=LARGE)  # it plays nothing larger than it is
                await until(site, lambda: playing(site, [name]), START_SECONDS)
                await until_height(page, lambda height: height > 480)
                network = await page.context.new_cdp_session(page)
                await network.send("Network.enable")
                await network.send("Network.emulateNetworkConditions", MEGABIT)
                await asyncio.sleep(SLOW_SECONDS)
                told = site.told[name]
                assert await page.evaluate(HEIGHT) <= 480, told
                assert told["longest_ms"] <= 1000, told
                await chromium.close()
