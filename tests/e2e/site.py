"""The site, and a signed-in browser, around services that a test holds in its hands: nothing else runs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import uvicorn
from playwright.async_api import BrowserContext, async_playwright

from hub.app import create_app
from hub.auth.guard import COOKIE
from hub.services import Services
from tests.e2e.conftest import CHROMIUM, DESKTOP, FLAGS
from tests.hub.site import Client


@asynccontextmanager
async def site_of(hub: Services, environ: Mapping[str, str]) -> AsyncIterator[str]:
    """The HTTP application at the site's own address, where platforms send people back to; its origin."""
    app = create_app(hub.settings, dict(environ))
    app.state.services = hub
    listener = socket.create_server(("127.0.0.1", hub.settings.http_port), backlog=64)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    try:
        yield hub.settings.site_url()
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def browsing(site: str, staff: Client | None = None) -> AsyncIterator[BrowserContext]:
    """Debian's Chromium; with `staff`, signed in as that member."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        context = await chromium.new_context(viewport=DESKTOP, locale="en-GB", timezone_id="UTC")
        if staff:
            token = staff.http.cookies[COOKIE]
            await context.add_cookies([{"name": COOKIE, "value": token, "url": site}])
        try:
            yield context
        finally:
            await chromium.close()
