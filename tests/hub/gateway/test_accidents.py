"""NATS and gateways die under load, and every page ends up with what the database says; nobody reloads."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import aiohttp

from hub.app import services
from hub.engines.nats import free_port, start_nats
from hub.services import Services
from tests.hub.conftest import settings_for
from tests.hub.gateway.screens import Gateways, say, ticket
from tests.hub.shop import SetClock, Shop, open_shop


class Page:
    """A page that follows its show: snapshot, news on top, and back again whatever happens."""

    def __init__(self, hub: Services, shop: Shop, address: str, *, staff: bool = False) -> None:
        self.texts: dict[int, str] = {}
        self.seq = 0
        self.gaps = 0
        self.greetings = 0
        self._hub = hub
        self._shop = shop
        self._address = address
        self._staff = staff

    async def live(self) -> None:
        """Until cancelled."""
        await self._load()
        async with aiohttp.ClientSession() as session:
            while True:
                token = (
                    ticket(self._hub, self._shop)
                    if self._staff
                    else self._hub.tokens.viewer(self._shop.viewer("ana"))
                )
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    target = f"{self._address}?token={token}&after={self.seq}"
                    async with session.ws_connect(target) as socket:
                        async for message in socket:
                            await self._hear(json.loads(message.data))
                await asyncio.sleep(0.05)

    async def _hear(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["kind"] == "hello":
                self.greetings += 1
            elif event["kind"] == "gap":
                self.gaps += 1
                await self._load()
            elif event["kind"] == "message.added" and event["seq"] > self.seq:
                self.seq = event["seq"]
                self.texts[self.seq] = event["data"]["text"]

    async def _load(self) -> None:
        async with self._hub.db.session() as session:
            feed = await self._hub.chat.feed(session, self._shop.show_id, limit=10_000)
        self.texts = {message.seq: message.text for message in feed}
        self.seq = max(self.texts, default=0)


async def test_pages_end_up_with_the_truth_when_nats_and_gateways_die_under_load(
    database_url: str, clock: SetClock, tmp_path: Path
) -> None:
    port = free_port()
    nats = await start_nats(tmp_path, port)
    said = 0

    async def keep_saying(hub: Services, shop: Shop) -> None:
        nonlocal said
        while True:
            await say(hub, shop, f"number {said}")
            said += 1

    async def say_more(count: int) -> None:
        async with asyncio.timeout(60):
            goal = said + count
            while said < goal:
                await asyncio.sleep(0.01)

    settings = settings_for(tmp_path, database_url, f"nats://127.0.0.1:{port}")
    async with services(settings, {}, clock) as hub:
        shop = await open_shop(hub)
        gateways = Gateways(hub, processes=2)
        await gateways.start()
        await gateways.start()
        pages = [Page(hub, shop, gateways.address, staff=number == 0) for number in range(8)]
        tasks = [asyncio.create_task(page.live()) for page in pages]
        talking = asyncio.create_task(keep_saying(hub, shop))
        try:
            await say_more(30)
            nats.kill()
            await nats.wait()
            await say_more(30)
            nats = await start_nats(tmp_path, port)
            await say_more(30)
            await gateways.stop()
            await say_more(30)
            await gateways.start()
            await say_more(30)
            talking.cancel()
            async with hub.db.session() as session:
                feed = await hub.chat.feed(session, shop.show_id, limit=10_000)
            truth = {message.seq: message.text for message in feed}
            assert len(truth) >= 150
            async with asyncio.timeout(60):
                while any(page.texts != truth for page in pages):
                    await asyncio.sleep(0.05)
            # Everybody was told of the hole that NATS left; who was with the gateway that went, came back.
            assert min(page.gaps for page in pages) >= 1
            assert not any(task.done() for task in tasks)
        finally:
            for task in (talking, *tasks):
                task.cancel()
            await asyncio.gather(talking, *tasks, return_exceptions=True)
            await gateways.stop_all()
    await nats.stop()
