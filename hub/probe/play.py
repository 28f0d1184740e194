"""`simulcast probe`: plays a show in Chromium without a screen. What the player reports is stored by the hub
like any viewer's report, but marked as a probe's."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from hub.probe.report import Heard, ProbeReport, heard_from, judged
from hub.probe.stage import BEFORE, CLOCK, FAREWELL, LOOK, MODES, STAGE, glass_ms

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Response

CHROMIUM: Final = Path("/usr/bin/chromium")
"""Debian's; where it is missing, the one that Playwright keeps."""
FLAGS: Final = (
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)
LOOK_EVERY: Final = 0.5
OPEN_MS: Final = 20_000
SCREEN: Final = (1920, 1080)


class CannotProbe(OSError):
    """Why not, as a sentence that says what to do."""


@dataclass(frozen=True)
class Wish:
    """What to play. `show` is a slug, or the address of a page that has the player on it."""

    show: str
    seconds: int = 30
    transport: str = "auto"
    throttle_kbps: int | None = None

    @property
    def is_page(self) -> bool:
        """Whether it is an address."""
        return self.show.startswith(("http://", "https://"))


async def run_probe(wish: Wish, site: str) -> ProbeReport:
    """Play as wished; `site` is the hub's origin. Raises CannotProbe."""
    if wish.is_page and wish.transport != "auto":
        raise CannotProbe(
            "A page decides by itself how it plays. Give the show's slug to choose the transport."
        )
    # A document that really came from the hub, its headers and all, to put our stage in: a browser lets one
    # that did not come from this network ask nothing of it.
    address = wish.show if wish.is_page else f"{site}/player.js"
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": SCREEN[0], "height": SCREEN[1]})
        heard = Heard()
        page.on("response", lambda response: notice(response, heard))
        await page.add_init_script(BEFORE)
        if wish.throttle_kbps:
            await throttle(page, wish.throttle_kbps)
        await enter(page, address, site)
        if not wish.is_page:
            await page.evaluate(STAGE, {"show": wish.show, "mode": MODES[wish.transport]})
        await watch(page, wish.seconds, heard)
        heard.beacons, heard.unreadable = heard_from(await page.evaluate(FAREWELL))
        return judged(wish.show, wish.transport, heard)


async def watch(page: Page, seconds: float, heard: Heard) -> None:
    """Look at the screen now and then, until the time is up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.sleep(LOOK_EVERY)
        seen: dict[str, Any] = await page.evaluate(LOOK, CLOCK)
        heard.player, heard.words = seen["player"], seen["words"]
        late = glass_ms(seen)
        if late is not None:
            heard.glass.append(late)


def notice(response: Response, heard: Heard) -> None:
    """Whether the hub took a report."""
    report = response.request.method == "POST" and urlsplit(response.url).path.endswith("/quality")
    if report and response.status >= 400:
        heard.refused.append(response.status)


async def enter(page: Page, address: str, site: str) -> None:
    """Open the page, or say why not."""
    from playwright.async_api import Error

    try:
        answer = await page.goto(address, wait_until="load", timeout=OPEN_MS)
    except Error as error:
        reason = error.message.splitlines()[0]
        raise CannotProbe(f"{address} cannot be opened ({reason}). Is {site} running?") from error
    if answer is None or not answer.ok:
        raise CannotProbe(f"{address} answers {answer.status if answer else 'nothing'}. Check the address.")


async def throttle(page: Page, kbps: int) -> None:
    """A slow line. Chromium slows down HTTP this way, and so LL-HLS; WebRTC it does not."""
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    conditions = {"offline": False, "latency": 0, "downloadThroughput": kbps * 125, "uploadThroughput": -1}
    await session.send("Network.emulateNetworkConditions", conditions)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser without a screen."""
    try:
        from playwright.async_api import Error, async_playwright
    except ModuleNotFoundError as error:
        raise CannotProbe(
            "Playwright is missing; a probe needs it and Chromium. Run: pip install playwright, "
            "and then: apt install chromium, or: playwright install chromium. Without a browser: add --plain"
        ) from error
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM if CHROMIUM.exists() else None, args=flags, handle_sigint=False
            )
        except Error as error:
            reason = error.message.splitlines()[0]
            raise CannotProbe(
                f"Chromium does not start ({reason}). "
                "Run: apt install chromium, or: playwright install chromium"
            ) from error
        try:
            yield browser
        except Error as error:
            raise CannotProbe(f"The browser gave up: {error.message.splitlines()[0]}") from error
        finally:
            await browser.close()
