"""A live show with nothing around it, pages that keep what is not acknowledged, and a NATS server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from hub.auth.models import Brand
from hub.auth.tokens import Tokens, Viewer
from hub.clock import wall_clock
from hub.db import Database
from hub.engines.nats import free_port, start_nats
from hub.engines.process import Child
from hub.engines.ready import answers
from hub.events.log import EventLog
from hub.gateway.app import run_gateway
from hub.ids import new_id
from hub.secrets import Vault
from hub.settings import Settings, secrets_of
from hub.shows.models import Show

LIVE = datetime(2026, 11, 24, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Evening:
    """A show that has been live for a while."""

    brand_id: UUID
    show_id: UUID
    slug: str

    def viewer(self, name: str = "") -> Viewer:
        return Viewer(name or uuid4().hex, self.show_id, self.brand_id, self.slug)


async def open_evening(db: Database, live_at: datetime | None = None) -> Evening:
    """Its rows."""
    async with db.session() as session:
        brand = Brand(name="Linnea", slug=f"linnea-{uuid4().hex[:8]}")
        session.add(brand)
        await session.flush()
        show = Show(
            brand_id=brand.id,
            slug=f"evening-{uuid4().hex[:8]}",
            title="Evening",
            state="live",
            live_at=live_at or wall_clock() - timedelta(minutes=5),
            stream_key_sealed=b"",
            stream_key_hash=uuid4().hex,
        )
        session.add(show)
    return Evening(brand.id, show.id, show.slug)


class Nats:
    """A server that can be killed and comes back with its disk."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._child = await start_nats(self._folder, self.port)

    async def kill(self) -> None:
        """As kill -9 does."""
        assert self._child
        self._child.kill()
        await self._child.wait()

    async def stop(self) -> None:
        if self._child:
            await self._child.stop()


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[str]:
    """One that runs here; its address."""
    settings = settings.model_copy(update={"gateway_port": free_port()})
    running = asyncio.create_task(run_gateway(settings))
    async with asyncio.timeout(30):
        while not await answers(f"http://127.0.0.1:{settings.gateway_port}/healthz"):
            assert not running.done()
            await asyncio.sleep(0.02)
    try:
        yield f"ws://127.0.0.1:{settings.gateway_port}/ws"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def token_of(settings: Settings, viewer: Viewer) -> str:
    return Tokens(Vault(secrets_of(settings).secret_key), wall_clock).viewer(viewer)


class Page:
    """A page: says frame after frame, each again until it is kept."""

    def __init__(self, address: str, token: str) -> None:
        self.kept: set[str] = set()
        self.later = 0
        self._address = f"{address}?token={token}&after="

    async def tell(self, frames: list[list[dict[str, Any]]]) -> None:
        waiting = dict(enumerate(frames))
        async with aiohttp.ClientSession() as session:
            while waiting:
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                    async with session.ws_connect(self._address) as socket:
                        await self._tell(socket, waiting)
                await asyncio.sleep(0.05)

    async def _tell(
        self, socket: aiohttp.ClientWebSocketResponse, waiting: dict[int, list[dict[str, Any]]]
    ) -> None:
        while waiting:
            n = min(waiting)
            await socket.send_str(
                json.dumps({"t": "events", "n": n, "events": waiting[n]}, separators=(",", ":"))
            )
            async with asyncio.timeout(1.5):
                kind = ""
                while kind not in ("kept", "later"):
                    for event in json.loads(await socket.receive_str()):
                        if event["kind"] in ("kept", "later") and event["data"]["n"] in (n, None):
                            kind = event["kind"]
            if kind == "kept":
                self.kept |= {event["id"] for event in waiting.pop(n)}
            else:
                self.later += 1
                await asyncio.sleep(0.2)  # a real page waits as long as it is told


def some_events(count: int, kind: str = "heartbeat") -> list[dict[str, Any]]:
    return [{"id": str(new_id()), "kind": kind} for _ in range(count)]


def rows_of(log: EventLog, evening: Evening, columns: str, more: str = "") -> list[tuple[Any, ...]]:
    """What the log says of the show."""
    with log.connect() as db:
        query = f"SELECT {columns} FROM {log.view(evening.brand_id, [evening.show_id])} {more}"  # noqa: S608
        return db.execute(query).fetchall()
