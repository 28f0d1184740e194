"""Holds on one hot SKU through HTTP with a real PostgreSQL, beside two other ways: a plain row update for
each buyer, and optimistic locking by a version column."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg
import httpx
from pydantic import SecretStr

from hub.app import services
from hub.auth.tokens import Viewer
from hub.engines.nats import start_nats
from hub.engines.postgres import Postgres
from hub.migrate import migrate
from hub.settings import Settings
from tests.bench import buys
from tests.bench.rows import Row, cpu_seconds, free_port, listening, median, needed, process, row
from tests.hub.shop import Shop, open_shop

CONNECTIONS: Final = 96
PROCESSES: Final = 2
"""API processes, for all kinds: one for each core."""
UNITS: Final = 50_000_000
VIEWERS: Final = 40_000
WARM_VIEWERS: Final = 8_000
WARM_SECONDS: Final = 2
"""Not measured: a process that has just started plans its statements and grows its memory."""
HOLDS_BAR: Final = 5000
P99_BAR_MS: Final = 50
LUA: Final = Path(__file__).with_name("holds.lua")
KINDS: Final = ("ours", "plain", "optimistic")
PEERS: Final = {"plain": "plain row update", "optimistic": "optimistic version"}


def run(quick: bool) -> tuple[int, list[Row]]:
    """(number of runs, rows)."""
    runs, seconds = (1, 3) if quick else (3, 6)
    found = asyncio.run(measure(runs, seconds))
    case = f"one hot SKU, {CONNECTIONS} buyers at a time"

    def one(metric: str, unit: str, name: str, bar: str, ok: Callable[[float], bool]) -> Row:
        value = {kind: median([run[name] for run in found[kind]]) for kind in KINDS}
        peers = {title: value[kind] for kind, title in PEERS.items()}
        return row(case, metric, unit, value["ours"], peers, bar=bar, ok=ok(value["ours"]))

    failed = sum(run["errors"] for run in found["ours"])
    oversold = sum(run["oversold"] for run in found["ours"])
    return runs, [
        one(
            "holds per second",
            "1/s",
            "rate",
            f">= {HOLDS_BAR}",
            lambda rate: rate >= HOLDS_BAR and not failed,
        ),
        one("p99 of the answer", "ms", "p99", f"<= {P99_BAR_MS}", lambda p99: p99 <= P99_BAR_MS),
        one("CPU of server and database per hold", "us", "cpu_us", "-", lambda _: True),
        one("oversold", "units", "oversold", "0", lambda _: oversold == 0),
        *buys.rows(quick=quick),
    ]


async def measure(runs: int, seconds: int) -> dict[str, list[dict[str, Any]]]:
    """Both kinds in turn, `runs` times."""
    wrk = needed("wrk", "wrk")
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory(prefix="simulcast-bench-") as folder:
        async with engines(Path(folder)) as (settings, shop):
            tokens = settings.data / "tokens"
            for _ in range(runs):
                for kind in KINDS:
                    mint(shop, tokens)
                    found[kind].append(await one_run(wrk, kind, settings, shop, tokens, seconds))
    return found


@asynccontextmanager
async def engines(data: Path) -> AsyncIterator[tuple[Settings, Shop]]:
    """PostgreSQL, NATS and a live show with one product."""
    postgres, nats_port = Postgres(data), free_port()
    running = [await postgres.start(), await start_nats(data, nats_port)]
    try:
        await migrate(postgres.url)
        settings = Settings(
            data=data,
            database_url=postgres.url,
            nats_url=f"nats://127.0.0.1:{nats_port}",
            secret_key=SecretStr("the bench's own secret key"),
            media_token=SecretStr("the bench's own media token"),
            http_port=free_port(),
            _env_file=None,
        )
        async with services(settings, {}) as hub:
            yield settings, await open_shop(hub, UNITS)
    finally:
        for child in reversed(running):
            await child.stop()


def mint(shop: Shop, file: Path) -> None:
    """A token for each of many viewers, one a line; and others for warming up."""

    def token() -> str:
        return shop.hub.tokens.viewer(Viewer(uuid4().hex, shop.show_id, shop.brand_id, shop.slug))

    file.write_text("\n".join(token() for _ in range(VIEWERS)))
    file.with_suffix(".warm").write_text("\n".join(token() for _ in range(WARM_VIEWERS)))


def answering(port: int) -> None:
    """Wait until all processes answer: the kernel deals out connections by chance."""
    listening(port, "The HTTP process")
    for _ in range(10 * PROCESSES):
        httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=30).raise_for_status()


async def one_run(
    wrk: str, kind: str, settings: Settings, shop: Shop, tokens: Path, seconds: int
) -> dict[str, Any]:
    """Load one server; what it answered, and what the database says."""
    env = os.environ | {
        "DATABASE_URL": settings.database_url or "",
        "NATS_URL": settings.nats_url or "",
        "SIMULCAST_DATA": str(settings.data),
        "SIMULCAST_HTTP_PORT": str(settings.http_port),
        "SIMULCAST_API_PROCESSES": str(PROCESSES),
        "SIMULCAST_SECRET_KEY": "the bench's own secret key",
        "SIMULCAST_MEDIA_TOKEN": "the bench's own media token",
    }
    argv = [sys.executable, "-m", "tests.bench.holds_server", kind]
    database = int((settings.data / "postgres" / "postmaster.pid").read_text().split()[0])
    with ExitStack() as stack:
        pids = [database]
        for number in range(PROCESSES):
            log = settings.data / f"{kind}-{number}.log"
            pids.append(stack.enter_context(process(argv, env=env, log=log)).pid)
        await asyncio.to_thread(answering, settings.http_port)
        where = [f"http://127.0.0.1:{settings.http_port}", "--"]
        what = [shop.slug, str(shop.variant_id)]
        await loaded(wrk, WARM_SECONDS, [*where, str(tokens.with_suffix(".warm")), *what])
        early, before = await held(settings), sum(map(cpu_seconds, pids))
        result = await loaded(wrk, seconds, [*where, str(tokens), *what])
        used = sum(map(cpu_seconds, pids)) - before
    whole = await held(settings)
    counted = await emptied(settings)
    taken = whole - early
    return {
        "rate": taken / result["seconds"],
        "p99": result["p99"],
        "errors": result["errors"],
        "cpu_us": used / max(1, taken) * 1e6,
        "oversold": max(0, counted - UNITS) + abs(counted - whole),
    }


async def loaded(wrk: str, seconds: int, what: list[str]) -> dict[str, Any]:
    """What the load generator saw. `what`: the address, `--`, the tokens, the show and the variant."""
    load = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(LUA), *what, uuid4().hex[:12]]
    done = await asyncio.to_thread(subprocess.run, load, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.split("RESULT ")[1].splitlines()[0])
    return found


async def held(settings: Settings) -> int:
    """Units in holds."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        return int(await connection.fetchval("SELECT coalesce(sum(quantity), 0) FROM hold"))
    finally:
        await connection.close()


async def emptied(settings: Settings) -> int:
    """What the shelf said was held. Everything is as before the run."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        counted = int(await connection.fetchval("SELECT held FROM stock"))
        await connection.execute("TRUNCATE hold CASCADE")
        # As a replica does it: the ledger's own guard is not asked.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("DELETE FROM stock_movement WHERE kind = 'hold'")
        await connection.execute("UPDATE stock SET held = 0")
        await connection.execute("VACUUM stock")
        return counted
    finally:
        await connection.close()
