"""What a page with our player shows: each picture, when, and by which transport."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from playwright.async_api import Frame, Page

WATCH: Final = """
(() => {
  const seen = window.seen = [], violations = window.violations = [], events = window.events = [];
  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) =>
    violations.push([effectiveDirective, blockedURI, sample]));
  const find = () => {
    const player = document.querySelector("simulcast-player");
    const video = player?.shadowRoot?.querySelector("video");
    if (!video) return void setTimeout(find, 10);
    const told = ({ type, detail }) => events.push([performance.now(), type, detail.code ?? detail.state]);
    for (const type of ["simulcast-error", "simulcast-state"]) player.addEventListener(type, told);
    events.push([performance.now(), "player", player.transport]);
    const picture = () => {
      seen.push([performance.now(), player.transport]);
      video.requestVideoFrameCallback(picture);
    };
    video.requestVideoFrameCallback(picture);
  };
  find();
})()
"""
"""Runs in every frame before its page does. Times are in ms since the frame began to load."""
ENOUGH: Final = 15
"""So many pictures move."""
SECONDS: Final = 60.0
"""How long a test waits for what may come too late."""

Seen = list[tuple[float, str]]


async def seen(page: Page | Frame) -> Seen:
    """Every picture so far: when (ms since loading began), by which transport."""
    return [(at, by) for at, by in await page.evaluate("window.seen ?? []")]


async def moving(page: Page | Frame, transport: str, since: float = 0.0) -> float:
    """The moment (ms) of the first picture after `since` by this transport, when more have followed."""
    found: Seen = []
    try:
        async with asyncio.timeout(SECONDS):
            while len(found) < ENOUGH:
                await asyncio.sleep(0.1)
                found = [one for one in await seen(page) if one[0] > since and one[1] == transport]
    except TimeoutError:
        raise AssertionError(f"No picture by {transport}: {json.dumps(await told(page))}") from None
    return found[0][0]


async def now(page: Page) -> float:
    """The page's clock."""
    return float(await page.evaluate("performance.now()"))


async def told(page: Page | Frame) -> dict[str, Any]:
    """What the player says of itself, for the message of a failed test."""
    found: dict[str, Any] = await page.evaluate(
        """() => { const player = document.querySelector("simulcast-player");
            return {state: player?.state, transport: player?.transport, pictures: window.seen?.length,
                last: window.seen?.at(-1), now: performance.now(), violations: window.violations,
                events: window.events}; }"""
    )
    return found
