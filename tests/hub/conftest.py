"""Real engines for the hub's tests: one embedded PostgreSQL and one NATS server per run."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from hub.app import services
from hub.db import Database
from hub.demo.fakes import environment_for
from hub.engines.nats import free_port, start_nats
from hub.engines.postgres import Postgres
from hub.engines.process import Child
from hub.migrate import migrate
from hub.services import Services
from hub.settings import Settings
from tests.hub.market import Market, MovableClock, Trade, trading
from tests.hub.platforms import standing_fakes
from tests.hub.shop import SetClock, Shop, open_shop

SHOOT = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1"
WIPE = """
    DO $$ DECLARE name text; BEGIN
        PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid();
        -- As a replica does it: foreign keys and triggers are not asked.
        SET LOCAL session_replication_role = replica;
        FOR name IN SELECT relname FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
            -- Tables that no test has written to yet are empty without being asked.
            AND pg_relation_size(oid) > 0
        LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    END $$
"""


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
        self._loop.run_until_complete(self._make_database())

    def stop(self) -> None:
        for child in reversed(self._children):
            self._loop.run_until_complete(child.stop())
        self._loop.close()

    def database_url(self, name: str) -> str:
        return self.postgres.url.replace("/simulcast?", f"/{name}?")

    @asynccontextmanager
    async def closed_to_all(self, name: str) -> AsyncIterator[None]:
        """A database that takes nobody and has thrown everybody out, as while PostgreSQL restarts."""
        admin = await asyncpg.connect(self.postgres.url)
        await admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        await admin.execute(SHOOT, name)
        yield
        await admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        await admin.close()

    async def _make_database(self) -> None:
        connection = await asyncpg.connect(self.postgres.url)
        # These tests kill processes, never the machine: what the kernel was given is safe enough.
        for setting in ("fsync", "full_page_writes"):
            await connection.execute(f"ALTER SYSTEM SET {setting} = off")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.execute("CREATE DATABASE hub_tests")
        await connection.close()
        await migrate(self.database_url("hub_tests"))


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """Started once for all tests."""
    # Not under pytest's own folder: every pytest that starts closes that one to other users, and as root
    # PostgreSQL runs as one of them.
    data = Path(tempfile.mkdtemp(prefix="simulcast-"))
    running = Engines(data)
    running.start()
    yield running
    running.stop()
    shutil.rmtree(data)


async def emptied(engines: Engines) -> str:
    """The one database of all tests, with the whole schema and nothing in it; nobody is connected to it.

    Emptying it is many times cheaper than making one per test.
    """
    url = engines.database_url("hub_tests")
    inside = await asyncpg.connect(url)
    await inside.execute(WIPE)
    await inside.close()
    return url


@pytest.fixture
async def database_url(engines: Engines) -> str:
    """A database with the whole schema and nothing in it."""
    return await emptied(engines)


@pytest.fixture
def database_url_sync(engines: Engines) -> str:
    """The same, for a test that brings its own event loop."""
    return asyncio.run(emptied(engines))


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


def settings_for(data: Path, database_url: str, nats_url: str) -> Settings:
    """What every test process is started with."""
    return Settings(
        data=data,
        database_url=database_url,
        nats_url=nats_url,
        secret_key=SecretStr("a test's own secret key"),
        media_token=SecretStr("a test's own media token"),
        payment_pace=100.0,
        _env_file=None,
    )


@pytest.fixture
async def hub(database_url: str, nats_url: str, clock: SetClock, tmp_path: Path) -> AsyncIterator[Services]:
    """Every service of the hub on real engines."""
    async with services(settings_for(tmp_path, database_url, nats_url), {}, clock) as running:
        yield running


@pytest.fixture
async def shop(hub: Services) -> Shop:
    """A brand with one product of 50 units and a live show that sells it."""
    return await open_shop(hub)


@pytest.fixture
async def trade(database_url: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Trade]:
    """`await trade("shopify", "stripe", units=50)` opens a shop with these accounts linked."""
    async with AsyncExitStack() as stack:

        async def open_market(*names: str, units: int = 50) -> Market:
            clock = MovableClock()
            fakes = await stack.enter_async_context(standing_fakes(*names))
            settings = settings_for(tmp_path, database_url, nats_url)
            hub = await stack.enter_async_context(services(settings, environment_for(fakes), clock))
            shop = await open_shop(hub, units)
            return await stack.enter_async_context(trading(hub, shop, fakes, clock))

        yield open_market
