"""A storm in the chat, on the screens of those who must keep up with it: the studio, and the watch page.

Real database, real gateway process, real Chromium; the platforms' readers are left out. Every frame of the
page is measured, in the storm and in the calm before it: on a machine that does other things as well, the
calm says how much of a late frame is the machine's.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import BrowserContext, Page, expect

from connectors.types import ChatItem, ChatMessage, Money
from hub.app import services
from hub.engines.process import Child, start
from hub.engines.ready import ready
from hub.services import Services
from hub.settings import Settings, secrets_of
from hub.work.jobs import job_app
from tests.e2e.conftest import free_port
from tests.e2e.site import browsing, site_of
from tests.hub.chat.stage import Stage
from tests.hub.conftest import (  # noqa: F401 (fixtures)
    database_url,
    engines,
    nats_url,
    settings_for,
)
from tests.hub.market import Market, MovableClock
from tests.hub.shop import SetClock, Shop, open_shop

A_SECOND: Final = 500
TICKS: Final = 10
"""Bundles a second, as the readers of several chats hand them over."""
PLATFORMS: Final = ("youtube", "facebook", "tiktok", "twitch")
PAID_EVERY: Final = 100
"""One in so many is paid for, and always shown."""
SHOWN: Final = 10 + A_SECOND // PAID_EVERY
"""Messages a second that are shown at most: what people can read (10, or 8 to staff), and what is paid."""
BURST: Final = 20
MOST_LINES: Final = 250
"""Of a viewer's page: 200 messages, and what was skipped between them."""
CALM_S: Final = 4.0
LATE_MS: Final = 50.0
PATIENCE_MS: Final = 20_000
LAST: Final = "That was all."
WORDS: Final = (
    "Hello from the train!",
    "Is the red one real leather, or is it the same as last time?",
    "love it",
    "Does it ship to Spain? My sister has the blue one, she adores it and wears it every single day",
    "🔥🔥🔥",
)
METER: Final = """
    const gaps = [], late = [];
    let last = 0;
    const tick = (now) => {
        if (last) gaps.push(now - last);
        last = now;
        requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    const busy = ({scripts, startTime, duration, styleAndLayoutStart}) => {
        const styles = styleAndLayoutStart ? startTime + duration - styleAndLayoutStart : 0;
        return scripts.reduce((sum, one) => sum + one.duration, styles);
    };
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) {
            const by = one.scripts.map((s) => `${s.invoker} ${Math.round(s.duration)}`);
            late.push({ms: one.duration, busy: busy(one), by});
        }
    }).observe({type: "long-animation-frame"});
    window.frames_since = () => ({gaps: gaps.splice(0), late: late.splice(0)});
"""


BUSY: Final = """
    () => new Promise((done) => setTimeout(() => {
        for (const until = performance.now() + 120; performance.now() < until; );
        requestAnimationFrame(() => setTimeout(done, 100));
    }))
"""


class Now(SetClock):
    """The real time: whoever is shown what is decided by the second."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Frames:
    """Milliseconds between the frames of a page; `late` are those over 50 ms, and who was busy in them."""

    gaps: list[float]
    late: list[dict[str, Any]]

    @property
    def p99(self) -> float:
        return sorted(self.gaps)[math.ceil(0.99 * len(self.gaps)) - 1]

    @property
    def ours(self) -> list[dict[str, Any]]:
        """Late because of what the page itself did."""
        return [one for one in self.late if one["busy"] > LATE_MS]

    def __str__(self) -> str:
        late = [f"{one['ms']:.0f} ms, busy {one['busy']:.0f}: {one['by']}" for one in self.late]
        return f"{len(self.gaps)} frames, p99 {self.p99:.0f} ms, worst {max(self.gaps):.0f} ms, late: {late}"


async def frames(page: Page) -> Frames:
    """Of the page since this was asked last."""
    found = await page.evaluate("window.frames_since()")
    return Frames(found["gaps"], found["late"])


@dataclass
class Place:
    """A live show whose chats a test fills, and a browser."""

    stage: Stage
    site: str
    browser: BrowserContext
    said: int = 0

    async def storm(self, seconds: float) -> float:
        """So many seconds of it; how many messages a second that really were."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for tick in range(round(seconds * TICKS)):
            await asyncio.sleep(max(0.0, began + tick / TICKS - loop.time()))
            await self.say([message(self.said + place) for place in range(A_SECOND // TICKS)])
        return seconds * A_SECOND / (loop.time() - began + 1 / TICKS)

    async def say(self, messages: list[ChatMessage]) -> None:
        """One transaction for all chats, as the work process does it."""
        heard: dict[Any, list[ChatItem]] = {target: [] for target in self.stage.targets.values()}
        for place, one in enumerate(messages):
            heard[self.stage.targets[PLATFORMS[place % len(PLATFORMS)]]].append(one)
        self.said += len(messages)
        hub = self.stage.hub
        async with hub.db.session() as session:
            await hub.chat.receive_all(session, self.stage.shop.show_id, heard)

    async def kept(self) -> int:
        """Messages in the show's log."""
        [(count,)] = await self.stage.sql("SELECT count(DISTINCT (platform, external_id)) FROM message")
        return int(count)


def message(number: int) -> ChatMessage:
    """One of the storm."""
    paid = number % PAID_EVERY == 0
    return ChatMessage(
        id=f"m{number}",
        text=f"{WORDS[number % len(WORDS)]} #{number}",
        author_id=f"a{number % 400}",
        author_name=f"Viewer {number % 400}",
        kind="paid" if paid else "text",
        money=Money(amount=500, currency="EUR") if paid else None,
    )


async def gateway(settings: Settings) -> Child:
    """A gateway process as `simulcast up` starts it."""
    own = secrets_of(settings)
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SIMULCAST_")},
        "DATABASE_URL": settings.database_url or "",
        "NATS_URL": settings.nats_url or "",
        "SIMULCAST_DATA": str(settings.data),
        "SIMULCAST_SECRET_KEY": own.secret_key.get_secret_value(),
        "SIMULCAST_MEDIA_TOKEN": own.media_token.get_secret_value(),
        "SIMULCAST_GATEWAY_PORT": str(settings.gateway_port),
    }
    argv = [sys.executable, "-m", "hub", "run", "gateway"]
    child = await start("gateway", argv, log=settings.data / "gateway.log", env=environ)
    return await ready(child, f"http://127.0.0.1:{settings.gateway_port}/healthz")


async def staged(hub: Services, shop: Shop) -> Stage:
    """The show runs on four platforms."""
    stage = Stage(hub, shop, Now(), job_app(hub))
    for name in PLATFORMS:
        await stage.add(name)
    return stage


@pytest.fixture
async def place(database_url: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Place]:  # noqa: F811
    """API in this process, gateway in its own."""
    ports = {"http_port": free_port(), "gateway_port": free_port()}
    settings = settings_for(tmp_path, database_url, nats_url).model_copy(update=ports)
    async with services(settings, {}, Now()) as hub, site_of(hub, {}) as site:
        shop = await open_shop(hub)
        stage = await staged(hub, shop)
        market = Market(hub, shop, site, {}, {}, stage.jobs, MovableClock())
        staff = await market.owner()
        talking = await gateway(settings)
        async with browsing(site, staff) as browser:
            await browser.add_init_script(METER)
            yield Place(stage, site, browser)
        await talking.stop()
        await staff.http.aclose()


async def measured(place: Place, page: Page, seconds: float) -> float:
    """The calm, the storm; then the last word is on the screen, and no frame was late because of the page.

    How many seconds the storm really took.
    """
    await page.evaluate(BUSY)
    assert (await frames(page)).ours, "the meter sees a page that holds its own frame up"
    await page.wait_for_timeout(CALM_S * 1000)
    calm = await frames(page)
    free = os.getloadavg()[0] <= (os.cpu_count() or 1) and max(calm.gaps) <= LATE_MS
    rate = await place.storm(seconds)
    storm = await frames(page)
    last = message(0).model_copy(update={"id": "last", "text": LAST})
    await place.say([last])
    await expect(page.get_by_text(LAST)).to_be_visible(timeout=PATIENCE_MS)
    print(f"\n{rate:.0f} messages/s\ncalm: {calm}\nstorm: {storm}")
    if rate < 0.9 * A_SECOND and not free:
        pytest.skip(f"this machine, busy with other things, had only {rate:.0f} messages a second to give")
    assert rate >= 0.9 * A_SECOND
    assert storm.p99 <= max(LATE_MS, 1.5 * calm.p99), f"calm: {calm}; storm: {storm}"
    # Whoever must wait for a core counts as busy meanwhile: a machine that has none to spare proves no more.
    allowed = 0 if free else len(storm.gaps) // 100
    assert len(storm.ours) <= allowed, f"calm: {calm}; storm: {storm}"
    return seconds * A_SECOND / rate


LENGTHS: Final = [
    pytest.param(5.0, marks=pytest.mark.e2e, id="short"),
    pytest.param(60.0, marks=pytest.mark.soak, id="long"),
]


@pytest.mark.parametrize("seconds", LENGTHS)
async def test_the_studio_stays_smooth_and_readable_in_a_storm(place: Place, seconds: float) -> None:
    page = await place.browser.new_page()
    await page.goto(f"{place.site}/studio/shows/{place.stage.shop.show_id}")
    await expect(page.get_by_text("No messages yet.", exact=False)).to_be_visible(timeout=PATIENCE_MS)
    took = await measured(place, page, seconds)
    assert await place.kept() == place.said
    shown = await page.get_by_test_id("message").count()
    assert shown <= SHOWN * (took + 2)
    more = await page.get_by_text(re.compile(r"^… and [\d,]+ more messages?$")).all_text_contents()
    skipped = sum(int(re.sub(r"\D", "", words)) for words in more)
    assert len(more) <= took + 2
    assert shown + skipped == place.said, "what is not shown is counted where it would stand"


@pytest.mark.parametrize("seconds", LENGTHS)
async def test_the_watch_page_stays_smooth_and_readable_in_a_storm(place: Place, seconds: float) -> None:
    page = await place.browser.new_page()
    heard: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(str(frame))))
    await page.goto(f"{place.site}/watch/{place.stage.shop.slug}")
    await expect(page.get_by_text("No messages yet.", exact=False)).to_be_visible(timeout=PATIENCE_MS)
    took = await measured(place, page, seconds)
    assert await place.kept() == place.said
    told = [event["kind"] for frame in heard for event in json.loads(frame)].count("message.added")
    assert SHOWN * (seconds - 1) <= told <= SHOWN * (took + 2) + BURST
    # The page's own document, loaded again meanwhile, brings the newest 100 besides.
    lines = page.get_by_role("list", name="Chat").get_by_role("listitem")
    assert 0 < await lines.count() <= MOST_LINES
    assert await page.get_by_text(re.compile(r"… and \d+ more")).count() > 0
