"""A shop that is open for benchmarks: real processes (api, gateway, work), a real PostgreSQL, and fakes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import aiohttp
from pydantic import SecretStr

from connectors.types import Tokens
from hub.app import services
from hub.auth.tokens import Viewer
from hub.connections.models import Connection
from hub.demo.fakes import Standing, environment_for
from hub.engines.nats import start_nats
from hub.engines.postgres import Postgres
from hub.migrate import migrate
from hub.services import Services
from hub.settings import Settings
from tests.bench.rows import free_port, listening, process
from tests.hub.shop import Shop, open_shop

SECRET: Final = "the bench's own secret key"
UNITS: Final = 10_000
PATIENCE: Final = 180.0
"""Seconds for the processes to start, and for whatever has to be waited for."""


@dataclass
class Answer:
    """Of the api."""

    status: int
    body: dict[str, Any]


@dataclass
class Till:
    """A live show, and how to buy in it. `gateway`: the connection to Stripe."""

    settings: Settings
    shop: Shop
    fakes: dict[str, Standing]
    gateway: UUID
    http: aiohttp.ClientSession

    @property
    def origin(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.settings.http_port}"

    @property
    def sockets(self) -> str:
        """Where viewers hear news."""
        return f"ws://127.0.0.1:{self.settings.gateway_port}/ws"

    def token(self, shop: Shop | None = None) -> str:
        """A viewer's that nobody has had; of this show, or of another."""
        shop = shop or self.shop
        return shop.hub.tokens.viewer(Viewer(uuid4().hex, shop.show_id, shop.brand_id, shop.slug))

    async def hold(self, token: str, key: str, shop: Shop | None = None) -> Answer:
        """Press Buy."""
        shop = shop or self.shop
        wanted = {"show": shop.slug, "variant_id": str(shop.variant_id), "key": key}
        return await self.post("/api/v1/public/holds", wanted, token)

    async def post(self, path: str, body: dict[str, Any], token: str) -> Answer:
        """As this viewer."""
        bearer = {"Authorization": f"Bearer {token}"}
        async with self.http.post(path, json=body, headers=bearer) as answer:
            return Answer(answer.status, await answer.json(content_type=None))


@asynccontextmanager
async def open_till(data: Path, fakes: dict[str, Standing]) -> AsyncIterator[Till]:
    """Engines, a show, Stripe linked, and the three processes; the hub here and there knows all `fakes`."""
    postgres, nats_port = Postgres(data), free_port()
    engines = [await postgres.start(), await start_nats(data, nats_port)]
    try:
        await migrate(postgres.url)
        settings = Settings(
            data=data,
            database_url=postgres.url,
            nats_url=f"nats://127.0.0.1:{nats_port}",
            secret_key=SecretStr(SECRET),
            media_token=SecretStr(SECRET),
            http_port=free_port(),
            gateway_port=free_port(),
            _env_file=None,
        )
        environ, stripe = environment_for(fakes), fakes["stripe"]
        origin = f"http://127.0.0.1:{settings.http_port}"
        everybody = aiohttp.TCPConnector(limit=0)
        http = aiohttp.ClientSession(origin, connector=everybody, timeout=aiohttp.ClientTimeout(PATIENCE))
        async with services(settings, environ) as hub, http:
            shop = await open_shop(hub, UNITS)
            linked = await link(hub, shop, stripe, origin)
            with ExitStack() as stack:
                for name in ("api", "gateway", "work"):
                    argv = [sys.executable, "-m", "hub", "run", name]
                    env = environment(settings) | environ
                    stack.enter_context(process(argv, env=env, log=data / f"{name}.log"))
                for port in (settings.http_port, settings.gateway_port):
                    await asyncio.to_thread(listening, port, "A process of the hub", PATIENCE)
                yield Till(settings, shop, fakes, linked.id, http)
    finally:
        for child in reversed(engines):
            await child.stop()


async def link(hub: Services, shop: Shop, fake: Standing, origin: str) -> Connection:
    """Link an account, and tell the platform where its webhooks go."""
    tokens = Tokens.model_validate(fake.tokens) if fake.tokens else None
    async with hub.db.session() as session:
        row = await hub.connections.add(session, shop.brand_id, fake.name, fake.name, fake.config, tokens)
    await fake.control("webhook_url", {"url": f"{origin}/webhooks/{fake.name}/{row.id}"})
    return row


def environment(settings: Settings) -> dict[str, str]:
    """Of the processes."""
    return os.environ | {
        "DATABASE_URL": settings.database_url or "",
        "NATS_URL": settings.nats_url or "",
        "SIMULCAST_DATA": str(settings.data),
        "SIMULCAST_HTTP_PORT": str(settings.http_port),
        "SIMULCAST_GATEWAY_PORT": str(settings.gateway_port),
        "SIMULCAST_MEDIA_CONTROL_PORT": "9",
        "SIMULCAST_SECRET_KEY": SECRET,
        "SIMULCAST_MEDIA_TOKEN": SECRET,
        "SIMULCAST_LOG_LEVEL": "WARNING",
        # Five times twenty calls a second, or the money of 500 buyers would take a minute.
        "SIMULCAST_PAYMENT_PACE": "5",
    }
