"""Real engines for the hub's tests: one embedded PostgreSQL and one NATS server per run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from hub.app import services
from hub.db import Database
from hub.engines.nats import free_port, start_nats
from hub.engines.postgres import Postgres
from hub.engines.process import Child
from hub.migrate import migrate
from hub.services import Services
from hub.settings import Settings
from tests.hub.shop import SetClock, Shop, open_shop


class Engines:
    """The engines' loop runs once to start them and once to stop them."""

    def __init__(self, data: Path) -> None:
        self.postgres = Postgres(data)
        self.nats_port = free_port()
        self._data = data
        self._loop = asyncio.new_event_loop()
        self._children: list[Child] = []

    def start(self) -> None:
        self._children.append(self._loop.run_until_complete(self.postgres.start()))
        self._children.append(self._loop.run_until_complete(start_nats(self._data, self.nats_port)))
        self._loop.run_until_complete(self._make_template())

    def stop(self) -> None:
        for child in reversed(self._children):
            self._loop.run_until_complete(child.stop())
        self._loop.close()

    def database_url(self, name: str) -> str:
        return self.postgres.url.replace("/simulcast?", f"/{name}?")

    async def _make_template(self) -> None:
        connection = await asyncpg.connect(self.postgres.url)
        await connection.execute("CREATE DATABASE template_hub")
        await connection.close()
        await migrate(self.database_url("template_hub"))


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Started once for all tests."""
    running = Engines(tmp_path_factory.mktemp("engines"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def database_url(engines: Engines) -> AsyncIterator[str]:
    """A fresh database with the whole schema, gone afterwards."""
    name = f"test_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(engines.postgres.url)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE template_hub")
    yield engines.database_url(name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An open database with the whole schema."""
    async with Database(database_url) as database:
        yield database


@pytest.fixture
def nats_url(engines: Engines) -> str:
    """A running NATS server; tests keep apart by show id."""
    return f"nats://127.0.0.1:{engines.nats_port}"


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands still until told."""
    return SetClock()


@pytest.fixture
async def hub(database_url: str, nats_url: str, clock: SetClock, tmp_path: Path) -> AsyncIterator[Services]:
    """Every service of the hub on real engines."""
    settings = Settings(
        data=tmp_path,
        database_url=database_url,
        nats_url=nats_url,
        secret_key=SecretStr("a test's own secret key"),
        media_token=SecretStr("a test's own media token"),
        _env_file=None,
    )
    async with services(settings, {}, clock) as running:
        yield running


@pytest.fixture
async def shop(hub: Services) -> Shop:
    """A brand with one product of 50 units and a live show that sells it."""
    return await open_shop(hub)
