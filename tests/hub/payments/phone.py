"""A buyer's phone in front of a shop: the real pages in Chromium, and the gateway's fake behind and in them.

Everything of the product that paying needs runs in this process: site, gateway of news, and jobs.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from playwright.async_api import (
    ConsoleMessage,
    FrameLocator,
    Locator,
    Page,
    Request,
    WebSocket,
    async_playwright,
    expect,
)

from hub.app import create_app, services
from hub.demo.fakes import environment_for
from hub.engines.nats import free_port
from hub.services import Services
from hub.settings import Settings
from hub.stock.fast import protocol_of
from hub.work.jobs import job_app, run_jobs
from tests.e2e.conftest import CHROMIUM, FLAGS, PHONE
from tests.hub.gateway.screens import Gateways
from tests.hub.market import Market, MovableClock
from tests.hub.platforms import standing_fakes, until
from tests.hub.shop import open_shop

PATIENCE_MS = 30_000
EMAIL = "zoe@example.com"


@dataclass(frozen=True)
class Card:
    """What a buyer types. Adyen's test cards are told apart by their holder, and want this date and code."""

    number: str
    holder: str = ""
    expiry: str = "03/30"
    code: str = "737"


@dataclass
class Heard:
    """What the page sent, and what its content policy stopped."""

    gateway: str
    """Where the gateway's own pages are: what goes there is theirs."""
    ours: list[str] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("request", self._sent)
        page.on("websocket", self._opened)
        page.on("console", self._written)

    def _sent(self, request: Request) -> None:
        # As bytes: what a beacon sends need not be text.
        body = (request.post_data_buffer or b"").decode(errors="replace")
        heard = self.theirs if request.url.startswith(self.gateway) else self.ours
        heard.append(f"{request.method} {request.url} {body}")

    def _opened(self, socket: WebSocket) -> None:
        self.ours.append(socket.url)
        socket.on("framesent", lambda frame: self.ours.append(str(frame)))

    def _written(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.stopped.append(message.text)


@dataclass
class Phone:
    """One buyer. `sheet` is what they pay in."""

    market: Market
    gateway: str
    page: Page
    heard: Heard

    @property
    def sheet(self) -> Locator:
        return self.page.get_by_role("dialog", name="Bag")

    @property
    def fields(self) -> FrameLocator:
        """The gateway's own page around all fields, where it has one for all."""
        return self.page.frame_locator('iframe[title="Card details"]')

    def field(self, name: str) -> Locator:
        if self.gateway != "braintree":
            return self.fields.get_by_label(name)
        # A frame for each.
        title = "Expiration date" if name == "Expiry date" else name
        return self.page.frame_locator(f'iframe[title="{title}"]').get_by_label(title)

    async def buy(self) -> None:
        """Press Buy: reserved, with the card fields in sight."""
        await self.page.get_by_role("button", name="Buy Bag").click(timeout=PATIENCE_MS)
        await expect(self.sheet.get_by_role("timer")).to_contain_text("Reserved for you", timeout=PATIENCE_MS)

    async def who(self) -> None:
        await self.sheet.get_by_role("textbox", name="Name", exact=True).fill("Zoe Example")
        await self.sheet.get_by_role("textbox", name="E-mail").fill(EMAIL)

    async def card(self, card: Card) -> None:
        await self.field("Card number").fill(card.number, timeout=PATIENCE_MS)
        await self.field("Expiry date").fill(card.expiry)
        await self.field("Security code").fill(card.code)
        if card.holder:
            await self.field("Name on card").fill(card.holder)

    async def pay(self) -> None:
        await self.sheet.get_by_role("button", name="Pay €49.00").click(timeout=PATIENCE_MS)

    async def told(self, words: str) -> None:
        """Why it did not work; the reservation goes on, and another card can be entered."""
        alert = self.sheet.get_by_role("alert").filter(has_text=words)
        await expect(alert).to_be_visible(timeout=PATIENCE_MS)
        await expect(self.sheet.get_by_role("timer")).to_contain_text("Reserved for you")
        await expect(self.field("Card number")).to_be_visible(timeout=PATIENCE_MS)
        # It made room for what the gateway drew, and lies over the page again.
        await expect(self.page.locator("dialog:modal")).to_be_visible(timeout=PATIENCE_MS)

    async def paid(self) -> None:
        await expect(self.sheet.get_by_text("Paid. Thank you!")).to_be_visible(timeout=PATIENCE_MS)

    async def answer(self, yes: bool) -> None:
        """To the bank's question, wherever it is asked; nothing may lie over it."""
        name = "Yes, it is me" if yes else "No"
        await expect(self.page.locator('iframe[title="Your bank"]')).to_be_visible(timeout=PATIENCE_MS)
        bank = self.page.frame_locator('iframe[title="Your bank"]')
        await bank.get_by_role("button", name=name, exact=True).click(timeout=PATIENCE_MS)


@asynccontextmanager
async def selling(settings: Settings, name: str) -> AsyncIterator[Market]:
    """A shop whose money one gateway takes; jobs run by themselves."""
    ports = {"http_port": free_port(), "media_port": free_port(), "gateway_port": free_port()}
    async with AsyncExitStack() as stack:
        fakes = await stack.enter_async_context(standing_fakes(name))
        environ, clock = environment_for(fakes), MovableClock()
        settings = settings.model_copy(update=ports)
        hub = await stack.enter_async_context(services(settings, environ, clock))
        shop = await open_shop(hub, 5)
        async with hub.db.session() as session:
            row = await hub.connections.add(session, shop.brand_id, name, name, fakes[name].config, None)
        jobs = job_app(hub)
        await stack.enter_async_context(jobs.open_async())
        await stack.enter_async_context(site(hub, environ))
        await stack.enter_async_context(news(hub))
        working = asyncio.create_task(run_jobs(jobs, 4))
        try:
            yield Market(hub, shop, settings.site_url(), fakes, {name: row.id}, jobs, clock)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


@asynccontextmanager
async def site(hub: Services, environ: dict[str, str]) -> AsyncIterator[None]:
    """The HTTP process on its own port, with the content policy that these settings make."""
    app = create_app(hub.settings, environ)
    app.state.services = hub
    config = uvicorn.Config(
        app,
        port=hub.settings.http_port,
        log_level="warning",
        lifespan="off",
        ws="none",
        http=protocol_of(app),
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())

    async def started() -> bool:
        assert not task.done()
        return server.started

    await until(started)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def news(hub: Services) -> AsyncIterator[None]:
    """The gateway's process, where the pages look for it."""
    gateways = Gateways(hub)
    gateways.port = hub.settings.gateway_port
    gateways.settings = hub.settings
    await gateways.start()
    try:
        yield
    finally:
        await gateways.stop_all()


@asynccontextmanager
async def phone(market: Market, name: str) -> AsyncIterator[Phone]:
    """Somebody opens the watch page."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        context = await chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
        page = await context.new_page()
        heard = Heard(market.fakes[name].base_url)
        heard.listen(page)
        await page.goto(f"{market.origin}/watch/{market.shop.slug}")
        # It comes when the page is there, and moves what is pressed next.
        await page.get_by_role("button", name="Only what is needed").click(timeout=PATIENCE_MS)
        await expect(page.get_by_role("region", name="Your privacy")).to_have_count(0, timeout=PATIENCE_MS)
        yield Phone(market, name, page, heard)
        await chromium.close()


def codes(folder: Path) -> list[str]:
    """What was sent by mail to sign in with, the oldest first."""
    written = (file.read_text() for file in sorted((folder / "mail").glob("*.eml")))
    found = (re.search(r"^Subject: (\d{6}) is your code", text, re.MULTILINE) for text in written)
    return [code[1] for code in found if code]
