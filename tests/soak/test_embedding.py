"""On another website: the player in a frame, under the content security policy that its manual names."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Frame, Page

from tests.bench.rows import ROOT, free_port
from tests.restream.encoder import publishing
from tests.restream.hls.feed import Shape
from tests.restream.webrtc.browser import browser
from tests.soak.players.site import Site, serving
from tests.soak.players.watching import SECONDS, WATCH, moving
from tests.soak.test_players import playable, wanted
from tests.soak.worker import Ports, worker

pytestmark = pytest.mark.soak

MANUAL: Final = ROOT / "docs/player.md"
SHAPE: Final = Shape(size="640x360", seconds=20.0, gop=60)
REFUSED: Final = "Content Security Policy"
"""In what Chromium writes to the console of everything that it refuses, in whatever frame."""

PICTURE: Final = "(address) => { new Image().src = address; }"
TRUSTED: Final = "; require-trusted-types-for 'script'"
MARKUP: Final = (
    "() => { try { document.createElement('p').innerHTML = '<b>'; } catch { /* as it should */ } }"
)


def manual(heading: str) -> str:
    """The example below a heading."""
    _, _, section = MANUAL.read_text().partition(f"{heading}\n")
    found = re.search(r"```\w*\n(.+?)\n```", section, re.DOTALL)
    assert found, heading
    return found[1]


@dataclass
class Places:
    """A shop's page frames one of the brand's, which plays a show of the hub; each is an origin, and two more
    are the hub's."""

    shop: Site
    brand: Site
    hub: Site
    ports: Ports
    gateway: str

    def show(self, slug: str, *, whep: bool, more: str) -> None:
        """A show and the pages for it, whose policy says `more` than the manual's."""
        media = f"http://127.0.0.1:{self.ports.media}"
        live = f"{media}/live/show"
        self.hub.show(slug, f"{live}/index.m3u8", f"{live}/whep" if whep else None)
        document = self.hub.shows[slug]
        document["gateway"]["url"] = f"{self.gateway}/ws"
        document["playback"]["poster_url"] = f"{self.hub.address}poster.svg"
        hub = self.hub.address.rstrip("/")
        origins = {"HUB": hub, "MEDIA": media, "GATEWAY": self.gateway}
        policy = re.sub(
            "|".join(origins), lambda name: origins[name[0]], manual("## Strict content security policies")
        )
        lines = manual("# The player").replace("https://HUB", hub).replace("SLUG", slug)
        framed = f"{self.brand.address}{slug}"
        around = manual("## In a frame").replace("https://YOUR-PAGE", framed)
        self.brand.pages[f"/{slug}"] = (policy + more, f"<!doctype html><title>Brand</title>{lines}")
        self.shop.pages[f"/{slug}"] = (
            f"default-src 'none'; frame-src {self.brand.address}",
            f"<!doctype html><title>Shop</title>{around}",
        )


@pytest_asyncio.fixture
async def places(tmp_path: Path) -> AsyncIterator[Places]:
    """With a live show."""
    ports = Ports()
    with ExitStack() as stack:
        shop, brand, hub = (stack.enter_context(serving()) for _ in range(3))
        stack.enter_context(worker(tmp_path / "data", ports))
        await wanted(ports)
        async with publishing(SHAPE, ports.ingest, live=True):
            await playable(ports)
            yield Places(shop, brand, hub, ports, f"ws://127.0.0.1:{free_port()}")


async def pressed(frame: Frame) -> None:
    """Sound and full screen, there and back: what draws most of the player's own looks."""
    await frame.locator("simulcast-player").hover()
    for name in ("Unmute", "Mute", "Full screen", "Leave full screen"):
        await frame.get_by_role("button", name=name, exact=True).click()


async def violations(place: Page | Frame) -> list[list[str]]:
    """Directive, address and sample of each."""
    found: list[list[str]] = await place.evaluate("window.violations")
    return found


@pytest.mark.parametrize(
    ("transport", "more", "offence", "directive"),
    [
        ("hls", "", PICTURE, "img-src"),
        ("whep", "", PICTURE, "img-src"),
        ("hls", TRUSTED, MARKUP, "require-trusted-types-for"),
    ],
    ids=["hls", "whep", "trusted"],
)
async def test_a_framed_player_on_another_site_needs_no_more_than_the_manuals_policy(
    places: Places, transport: str, more: str, offence: str, directive: str
) -> None:
    places.show(transport, whep=transport == "whep", more=more)
    refused: list[str] = []
    async with browser() as page:
        page.on("console", lambda said: refused.append(said.text) if REFUSED in said.text else None)
        await page.add_init_script(WATCH)
        await page.goto(f"{places.shop.address}{transport}".replace("127.0.0.1", "localhost"))
        (frame,) = (one for one in page.frames if one.url.startswith(places.brand.address))
        played = await moving(frame, transport)
        await pressed(frame)
        await moving(frame, transport, played + 2_000)
        assert (await violations(frame), await violations(page), refused) == ([], [], [])
        # And it is a policy: what the manual does not name is refused, and heard of.
        await frame.evaluate(offence, places.shop.address)
        async with asyncio.timeout(SECONDS):
            while not (await violations(frame) and (refused or more)):
                await asyncio.sleep(0.1)
        assert [broken for broken, *_ in await violations(frame)] == [directive]
