"""WebRTC or LL-HLS by the show's mode; when one fails the other one's picture moves within five seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.restream.encoder import publishing
from tests.restream.hls.feed import Shape
from tests.restream.webrtc.browser import browser
from tests.soak.players.front import ALL_HLS, Front, front
from tests.soak.players.site import Site, serving
from tests.soak.players.watching import WATCH, moving, now, seen, told
from tests.soak.test_players import playable, wanted
from tests.soak.worker import Ports, worker

pytestmark = [pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]

MOST_MS: Final = 5_000
SETTLED_MS: Final = 3_000
SHAPE: Final = Shape(size="640x360", seconds=20.0, gop=60)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def ports(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ports]:
    """A worker with a live show."""
    made = Ports()
    with worker(tmp_path_factory.mktemp("worker") / "data", made):
        await wanted(made)
        async with publishing(SHAPE, made.ingest, live=True):
            await playable(made)
            yield made


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@dataclass
class Viewer:
    """A page that is about to watch, and the way from it to the show."""

    page: Page
    front: Front
    site: Site

    async def comes(self, mode: Literal["interactive", "balanced"]) -> None:
        """To a show of that mode, which can be had both ways."""
        live = f"{self.front.address}/live/show"
        self.site.show("show", f"{live}/index.m3u8", f"{live}/whep")
        self.site.shows["show"]["playback"]["mode"] = mode
        query = {"engine": "ours", "name": "viewer", "show": "show"}
        await self.page.goto(f"{self.site.address}?{urlencode(query)}")

    async def settled(self, transport: str) -> float:
        """When it has played that way for a while: the moment, by the page's clock (ms)."""
        await moving(self.page, transport, await moving(self.page, transport) + SETTLED_MS)
        return await now(self.page)


@pytest_asyncio.fixture(loop_scope="module")
async def viewer(ports: Ports, site: Site) -> AsyncIterator[Viewer]:
    """In Chromium."""
    async with front(ports.media) as way, browser() as page:
        await page.add_init_script(WATCH)
        yield Viewer(page, way, site)


@pytest.mark.parametrize("packets", ["lost", "unheard"])
async def test_a_network_without_udp_shows_ll_hls_within_five_seconds_of_loading(
    viewer: Viewer, packets: Literal["lost", "unheard"]
) -> None:
    viewer.front.packets = packets
    await viewer.comes("interactive")
    came = await moving(viewer.page, "hls")
    print(f"{came:.0f} ms", await told(viewer.page))
    assert came < MOST_MS
    assert viewer.front.sessions == 1, "WebRTC was tried first"
    assert {by for _, by in await seen(viewer.page)} == {"hls"}


@pytest.mark.parametrize("lost", ["media", "everything"])
async def test_webrtc_whose_packets_stop_gives_way_to_ll_hls_within_five_seconds(
    viewer: Viewer, lost: str
) -> None:
    await viewer.comes("interactive")
    stopped = await viewer.settled("whep")
    if lost == "media":
        viewer.front.way.loss = 1.0
    else:
        viewer.front.cut()
    came = await moving(viewer.page, "hls", stopped)
    print(f"{came - stopped:.0f} ms since {stopped:.0f}", await told(viewer.page))
    assert came - stopped < MOST_MS


@pytest.mark.parametrize("away", [ALL_HLS, ("/live.m3u8",)], ids=["everything", "playlists"])
async def test_ll_hls_that_answers_503_shows_webrtc_within_five_seconds_of_loading(
    viewer: Viewer, away: tuple[str, ...]
) -> None:
    viewer.front.away = away
    await viewer.comes("balanced")
    came = await moving(viewer.page, "whep")
    print(f"{came:.0f} ms", await told(viewer.page))
    assert came < MOST_MS
    assert {by for _, by in await seen(viewer.page)} == {"whep"}


async def test_ll_hls_that_stops_gives_way_to_webrtc_within_five_seconds(viewer: Viewer) -> None:
    await viewer.comes("balanced")
    stopped = await viewer.settled("hls")
    assert viewer.front.sessions == 0, "LL-HLS was enough"
    viewer.front.away = ALL_HLS
    came = await moving(viewer.page, "whep", stopped)
    print(f"{came - stopped:.0f} ms since {stopped:.0f}", await told(viewer.page))
    assert came - stopped < MOST_MS
