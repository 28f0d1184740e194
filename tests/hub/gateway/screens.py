"""Gateways that run in this process, and browsers' sides of their sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from hub.auth.tokens import Ticket
from hub.engines.nats import free_port
from hub.engines.ready import answers
from hub.gateway.app import run_gateway
from hub.gateway.door import Door
from hub.services import Services
from tests.hub.shop import Shop


class Gateways:
    """Several on one port, or one."""

    def __init__(self, hub: Services, processes: int = 1, door: Door | None = None) -> None:
        self.port = free_port()
        self.settings = hub.settings.model_copy(
            update={"gateway_port": self.port, "gateway_processes": processes}
        )
        self._hub = hub
        self._door = door
        self._running: list[asyncio.Task[None]] = []

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    async def start(self) -> None:
        """One more; returns when the port answers."""
        self._running.append(asyncio.create_task(run_gateway(self.settings, self._hub.clock, self._door)))
        async with asyncio.timeout(30):
            while not await answers(f"http://127.0.0.1:{self.port}/healthz"):
                assert not self._running[-1].done()
                await asyncio.sleep(0.02)

    async def stop(self, index: int = 0) -> None:
        """As SIGTERM does."""
        task = self._running.pop(index)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def stop_all(self) -> None:
        while self._running:
            await self.stop()

    async def figures(self) -> dict[str, float]:
        """What Prometheus reads, all processes together."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}/metrics") as answer,
        ):
            found: dict[str, float] = {}
            for line in (await answer.text()).splitlines():
                if not line.startswith("#"):
                    name, value = line.rsplit(" ", 1)
                    name = name.partition("{")[0].removeprefix("simulcast_gateway_")
                    found[name] = found.get(name, 0) + float(value)
            return found

    async def figures_become(self, **wanted: float) -> None:
        """Waits for them."""
        async with asyncio.timeout(30):
            while not (found := await self.figures()).items() >= wanted.items():
                assert found
                await asyncio.sleep(0.05)


class Screen:
    """A browser's side of the socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._waiting: list[dict[str, Any]] = []

    async def hears(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(20):
            while True:
                while self._waiting:
                    event = self._waiting.pop(0)
                    if event["kind"] == kind:
                        return event
                self._waiting += json.loads(await self.socket.receive_str())


@asynccontextmanager
async def screen(
    address: str, token: str, after: str = "", headers: dict[str, str] | None = None, compress: int = 0
) -> AsyncIterator[Screen]:
    target = f"{address}?token={token}&after={after}"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(target, headers=headers or {}, compress=compress) as socket,
    ):
        yield Screen(socket)


def ticket(hub: Services, shop: Shop) -> str:
    """A member of staff's."""
    return hub.tokens.ticket(Ticket(shop.brand_id, shop.show_id, shop.brand_id))


async def say(hub: Services, shop: Shop, words: str) -> None:
    """The brand says something, which is never thinned."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, shop.brand_id, shop.show_id)
        await hub.chat.add_reply(session, show, words, public=True)
