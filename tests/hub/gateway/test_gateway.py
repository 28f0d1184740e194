"""The gateway on real sockets: NATS in, WebSocket out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from hub.auth.tokens import Ticket
from hub.engines.nats import free_port
from hub.gateway.app import run_gateway
from hub.services import Services
from tests.hub.shop import Shop


@pytest.fixture
async def gateway(hub: Services) -> AsyncIterator[str]:
    """A running gateway's address."""
    port = free_port()
    task = asyncio.create_task(run_gateway(hub.settings.model_copy(update={"gateway_port": port}), hub.clock))
    async with aiohttp.ClientSession() as session, asyncio.timeout(10):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
                    assert await answer.json(content_type=None) == {"ok": True}
                    break
            except aiohttp.ClientConnectorError:
                assert not task.done()
                await asyncio.sleep(0.02)
    yield f"ws://127.0.0.1:{port}/ws"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def screen(gateway: str, token: str, after: str = "") -> AsyncIterator[Screen]:
    address = f"{gateway}?token={token}&after={after}"
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        yield Screen(socket)


class Screen:
    """A browser's side of the socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._waiting: list[dict[str, Any]] = []

    async def hears(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(5):
            while True:
                while self._waiting:
                    event = self._waiting.pop(0)
                    if event["kind"] == kind:
                        return event
                self._waiting += json.loads(await self._socket.receive_str())


async def test_a_message_reaches_viewers_and_staff(hub: Services, shop: Shop, gateway: str) -> None:
    viewer = shop.viewer()
    ticket = hub.tokens.ticket(Ticket(shop.brand_id, shop.show_id, shop.brand_id))
    async with screen(gateway, hub.tokens.viewer(viewer)) as page, screen(gateway, ticket) as studio:
        await page.hears("hello")
        await studio.hears("hello")
        async with hub.db.session() as session:
            show = await hub.shows.get(session, shop.brand_id, shop.show_id)
            await hub.chat.say(session, show, viewer, "Ana", "hello")
        for one in (page, studio):
            assert (await one.hears("message.added"))["data"]["text"] == "hello"


async def test_a_hold_changes_every_screens_stock(hub: Services, shop: Shop, gateway: str) -> None:
    async with screen(gateway, hub.tokens.viewer(shop.viewer())) as page:
        await page.hears("hello")
        await shop.hold()
        assert (await page.hears("stock.changed"))["data"]["available"] == 49


async def test_a_reconnecting_screen_misses_nothing(hub: Services, shop: Shop, gateway: str) -> None:
    token = hub.tokens.viewer(shop.viewer())
    async with screen(gateway, token) as staying, screen(gateway, token) as page:
        await staying.hears("hello")
        seen = (await page.hears("hello"))["data"]["seq"]
    async with screen(gateway, token) as staying:
        await staying.hears("hello")
        for words in ("one", "two"):
            async with hub.db.session() as session:
                show = await hub.shows.get(session, shop.brand_id, shop.show_id)
                await hub.chat.say(session, show, shop.viewer(), "Bo", words)
        await staying.hears("message.added")
        async with screen(gateway, token, str(seen)) as back:
            assert (await back.hears("message.added"))["data"]["text"] == "one"
            assert (await back.hears("message.added"))["data"]["text"] == "two"


@pytest.mark.parametrize("token", ["", "forged.token.here"])
async def test_nobody_gets_in_without_a_token(gateway: str, token: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with screen(gateway, token):
            pass
    assert refused.value.status == 401


async def test_screens_are_counted(hub: Services, shop: Shop, gateway: str) -> None:
    async with screen(gateway, hub.tokens.viewer(shop.viewer())) as first:
        await first.hears("hello")
        async with screen(gateway, hub.tokens.viewer(shop.viewer())):
            while (await first.hears("viewers.changed"))["data"]["count"] != 2:
                pass
