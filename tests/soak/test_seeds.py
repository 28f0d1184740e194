"""A thousand seeded drops: fifty units are sold fifty times, also when processes are killed in the middle."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from hub.app import services
from hub.auth.tokens import Viewer
from hub.engines.nats import start_nats
from hub.engines.postgres import Postgres
from hub.migrate import migrate
from hub.settings import Settings
from tests.bench.rows import free_port, listening, process
from tests.hub.shop import SetClock, Shop, open_shop
from tests.hub.stock.crowd import play

pytestmark = pytest.mark.soak

SEEDS = int(os.environ.get("SOAK_SEEDS", "1000"))
KILLS = int(os.environ.get("SOAK_KILLS", "20"))
BUYERS = 120
SECRET = "a soak's own secret key"


class Ground:
    """PostgreSQL and NATS of this test's own, in a folder that PostgreSQL's user may enter."""

    def __init__(self, data: Path) -> None:
        self.postgres = Postgres(data)
        self.nats_port = free_port()
        self.settings = Settings(
            data=data,
            database_url=self.postgres.url,
            nats_url=f"nats://127.0.0.1:{self.nats_port}",
            secret_key=SecretStr(SECRET),
            media_token=SecretStr("a soak's own media token"),
            http_port=free_port(),
            _env_file=None,
        )

    async def __aenter__(self) -> Ground:
        self._nats = await start_nats(self.settings.data, self.nats_port)
        self._database = await self.postgres.start()
        await migrate(self.postgres.url)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._database.stop()
        await self._nats.stop()

    async def kill_postgres(self) -> None:
        """kill -9, and the start after it."""
        os.kill(self._database.pid, signal.SIGKILL)
        await self._database.stop()
        self._database = await self.postgres.start()


async def test_a_thousand_drops_sell_fifty_of_fifty() -> None:
    """Own site, comments, TikTok Shop and Shopify, with duplicates and disorder: never 49, never 51."""
    with tempfile.TemporaryDirectory(prefix="simulcast-soak-") as folder:
        async with Ground(Path(folder)) as ground, services(ground.settings, {}, SetClock()) as hub:
            for seed in range(SEEDS):
                await play(hub, seed)


class Drop:
    """An api process of its own, and buyers who click again until they are answered."""

    def __init__(self, settings: Settings, shop: Shop, http: httpx.AsyncClient) -> None:
        self.settings = settings
        self.shop = shop
        self.http = http
        self.acknowledged: dict[str, str] = {}
        self.sold_out = 0

    async def buy(self) -> None:
        """One buyer, one key."""
        shop, key = self.shop, uuid4().hex
        token = shop.hub.tokens.viewer(Viewer(uuid4().hex, shop.show_id, shop.brand_id, shop.slug))
        body = {"show": shop.slug, "variant_id": str(shop.variant_id), "key": key}
        while True:
            try:
                answer = await self.http.post(
                    f"http://127.0.0.1:{self.settings.http_port}/api/v1/public/holds",
                    json=body,
                    headers={"Authorization": f"Bearer {token}"},
                )
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 503:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 201:
                self.acknowledged[key] = answer.json()["hold_id"]
            else:
                assert answer.json()["code"] == "sold_out", answer.text
                self.sold_out += 1
            return

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "DATABASE_URL": self.settings.database_url or "",
            "NATS_URL": self.settings.nats_url or "",
            "SIMULCAST_DATA": str(self.settings.data),
            "SIMULCAST_HTTP_PORT": str(self.settings.http_port),
            "SIMULCAST_SECRET_KEY": SECRET,
            "SIMULCAST_MEDIA_TOKEN": "a soak's own media token",
        }


async def test_what_was_acknowledged_is_there_after_kill_9_of_api_and_postgres() -> None:
    """Each round: a crowd clicks, one of the two is killed at a random moment and comes back."""
    limits = httpx.Limits(max_connections=60)
    with tempfile.TemporaryDirectory(prefix="simulcast-soak-") as folder:
        async with (
            Ground(Path(folder)) as ground,
            services(ground.settings, {}) as hub,
            httpx.AsyncClient(timeout=20, limits=limits) as http,
        ):
            for seed in range(KILLS):
                drop = Drop(ground.settings, await open_shop(hub), http)
                await killed_in_the_middle(ground, drop, seed)
                await settled(drop, seed)


async def killed_in_the_middle(ground: Ground, drop: Drop, seed: int) -> None:
    """The crowd, answered to the last."""
    rng = random.Random(seed)
    argv = [sys.executable, "-m", "tests.bench.holds_server", "ours"]
    with process(argv, env=drop.environment()) as api:
        await asyncio.to_thread(listening, ground.settings.http_port, "The HTTP process")
        buyers = [asyncio.create_task(drop.buy()) for _ in range(BUYERS)]
        while not drop.acknowledged:
            await asyncio.sleep(0.001)
        await asyncio.wait(buyers, timeout=rng.uniform(0.0, 0.2))
        if seed % 2:
            await ground.kill_postgres()
            await asyncio.gather(*buyers)
            return
        api.kill()
        api.wait()
    with process(argv, env=drop.environment()):
        await asyncio.gather(*buyers)


async def settled(drop: Drop, seed: int) -> None:
    """Every acknowledged hold is there, and there are fifty."""
    connection = await asyncpg.connect(drop.settings.database_url)
    rows = await connection.fetch(
        "SELECT key, id::text FROM hold WHERE variant_id = $1 AND state = 'held'", drop.shop.variant_id
    )
    await connection.close()
    assert dict(rows) == drop.acknowledged, f"seed {seed}"
    assert len(rows) == 50, f"seed {seed}"
    assert drop.sold_out == BUYERS - 50, f"seed {seed}"
    assert await drop.shop.stock() == (50, 50, 0), f"seed {seed}"
    await drop.shop.check_ledger()
