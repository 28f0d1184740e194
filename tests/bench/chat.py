"""Chats of five platforms in one feed: from the platforms' sockets to the studio's WebSocket.

Everything is real but the platforms: their fakes speak the real protocols, in a process of their own; the
work process reads them with the shipped connectors and stores the feed in PostgreSQL; NATS and the gateway
carry it to a studio screen. Instagram's comments come by webhook, one request and one job each, as Meta
sends them: so its share is small. Latency is from the moment a viewer speaks to the moment the screen has
the message. Where that time goes, and which process works how much, is told beside it: all of them, the
platforms and the screen too, share the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
from websockets.asyncio.client import connect

from connectors.types import Tokens
from hub.auth.tokens import Ticket
from hub.demo.fakes import Standing, environment_for
from hub.demo.http import Outside
from hub.settings import Settings
from tests.bench.chat_stages import Way, engines_of, on_the_bus, rows_of, watched
from tests.bench.holds import engines
from tests.bench.rows import ROOT, CannotMeasure, Row, free_port, listening, median, percentile, process, row
from tests.hub.shop import Shop

RATES: Final = {"youtube": 245.0, "facebook": 245.0, "twitch": 245.0, "tiktok": 245.0, "instagram": 20.0}
P99_BAR_MS: Final = 300
PATIENCE: Final = 60.0


@dataclass(frozen=True)
class Storm:
    """Where it happens, by whom, and which processes are there."""

    settings: Settings
    shop: Shop
    crowd: subprocess.Popen[str]
    pids: dict[str, int]
    number: int


@dataclass
class Heard:
    """What the studio's screen was told: number of times and the latency, by message."""

    times: Counter[str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)
    way: Way = field(default_factory=Way)

    def take(self, event: dict[str, Any], run: int) -> None:
        """One event of a frame."""
        if found := self.way.note("shown", event, run):
            name, said = found
            self.times[name] += 1
            self.delays.append((time.monotonic_ns() - said) / 1e6)


def run(quick: bool) -> tuple[int, list[Row]]:
    """(number of runs, rows)."""
    runs, seconds = (1, 4) if quick else (3, 10)
    found, ways = asyncio.run(measure(runs, seconds))
    total, names = sum(RATES.values()), len(RATES)
    case = f"{total:.0f} messages a second from {names} platforms"
    p99 = median([one["p99"] for one in found])
    lost, doubled = (float(sum(one[what] for one in found)) for what in ("lost", "doubled"))
    rate = median([one["rate"] for one in found])
    return runs, [
        row(
            case,
            "said, as the platforms managed",
            "1/s",
            rate,
            {},
            bar=f">= {total * 0.9:.0f}",
            ok=rate >= total * 0.9,
        ),
        row(case, "p50 to the studio", "ms", median([one["p50"] for one in found]), {}, bar="-", ok=True),
        row(case, "p99 to the studio", "ms", p99, {}, bar=f"<= {P99_BAR_MS}", ok=p99 <= P99_BAR_MS),
        row(case, "lost", "messages", lost, {}, bar="0", ok=lost == 0),
        row(case, "doubled", "messages", doubled, {}, bar="0", ok=doubled == 0),
        *rows_of(case, ways),
    ]


async def measure(runs: int, seconds: int) -> tuple[list[dict[str, float]], list[Way]]:
    """Storms one after another, in one show; the way of each one's messages."""
    with tempfile.TemporaryDirectory(prefix="simulcast-bench-") as folder:
        async with engines(Path(folder)) as (settings, shop):
            settings = settings.model_copy(update={"gateway_port": free_port(), "media_control_port": 9})
            with talking(settings) as (fakes, crowd):
                await link(shop, fakes)
                with running(settings, fakes) as ours:
                    pids = {"the platforms": crowd.pid, **ours, **engines_of(os.getpid())}
                    storms = [Storm(settings, shop, crowd, pids, n) for n in range(runs + 1)]
                    await to_be_read(settings, len(RATES))
                    await hooked(settings, fakes)
                    await one_run(storms[0], 2)  # plans, caches and connections
                    found = [await one_run(storm, seconds) for storm in storms[1:]]
                    return [said for said, _ in found], [way for _, way in found]


@contextmanager
def talking(settings: Settings) -> Iterator[tuple[dict[str, Standing], subprocess.Popen[str]]]:
    """The platforms' process, and how to reach them."""
    with (settings.data / "platforms.log").open("ab") as log:
        crowd = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.chat_platforms", *RATES],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert crowd.stdout
        told = json.loads(crowd.stdout.readline() or "null")
        if told is None:
            raise CannotMeasure(f"The platforms did not start: {settings.data / 'platforms.log'}")
        yield {name: standing(name, one) for name, one in told.items()}, crowd
    finally:
        crowd.kill()
        crowd.wait()


def standing(name: str, told: dict[str, Any]) -> Standing:
    """A fake of the other process."""
    return Standing(name, ingest_url=None, http=Outside(told["base_url"]), **told)


async def link(shop: Shop, fakes: dict[str, Standing]) -> None:
    """An account and a target for each platform."""
    hub = shop.hub
    async with hub.db.session() as session:
        show = await hub.shows.get(session, shop.brand_id, shop.show_id, lock=True)
        for name, fake in fakes.items():
            tokens = Tokens.model_validate(fake.tokens) if fake.tokens else None
            made = await hub.connections.add(session, shop.brand_id, name, name, fake.config, tokens)
            await hub.shows.add_target(session, show, made.id)


@contextmanager
def running(settings: Settings, fakes: dict[str, Standing]) -> Iterator[dict[str, int]]:
    """The hub's processes, by name."""
    env = (
        os.environ
        | environment_for(fakes)
        | {
            "DATABASE_URL": settings.database_url or "",
            "NATS_URL": settings.nats_url or "",
            "SIMULCAST_DATA": str(settings.data),
            "SIMULCAST_HTTP_PORT": str(settings.http_port),
            "SIMULCAST_GATEWAY_PORT": str(settings.gateway_port),
            "SIMULCAST_MEDIA_CONTROL_PORT": str(settings.media_control_port),
            "SIMULCAST_SECRET_KEY": "the bench's own secret key",
            "SIMULCAST_MEDIA_TOKEN": "the bench's own media token",
        }
    )
    with ExitStack() as stack:
        pids = {}
        for name in ("gateway", "work", "api"):
            argv = [sys.executable, "-m", "hub", "run", name]
            started = stack.enter_context(process(argv, env=env, log=settings.data / f"{name}.log"))
            pids[name] = started.pid
        listening(settings.gateway_port, "The gateway")
        listening(settings.http_port, "The API")
        yield pids


async def hooked(settings: Settings, fakes: dict[str, Standing]) -> None:
    """Instagram goes live, and learns where to send what is said there."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        found = await connection.fetchval("SELECT id FROM connection WHERE connector = 'instagram'")
    finally:
        await connection.close()
    async with fakes["instagram"].http as http:
        await http.call("POST", "_ctl/live", {"on": True})
        url = f"http://127.0.0.1:{settings.http_port}/webhooks/instagram/{found}"
        token = fakes["instagram"].config.get("verify_token", "")
        await http.call("POST", "_ctl/webhook_url", {"url": url, "verify_token": token})


async def to_be_read(settings: Settings, chats: int) -> None:
    """Until the work process reads every chat."""
    connection = await asyncpg.connect(settings.database_url)
    deadline = time.monotonic() + PATIENCE
    try:
        while True:
            rows = await connection.fetch(
                "SELECT connector, chat_state, chat_detail, reason FROM show_target"
            )
            silent = [dict(one) for one in rows if one["chat_state"] != "connected"]
            if len(rows) == chats and not [one for one in silent if one["connector"] != "instagram"]:
                return
            if time.monotonic() > deadline:
                raise CannotMeasure(f"These chats are not read: {silent}")
            await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def one_run(storm: Storm, seconds: int) -> tuple[dict[str, float], Way]:
    """What the studio and the database know of one storm, and the way there."""
    heard, settings = Heard(), storm.settings
    bus = on_the_bus(settings.nats_url or "", heard.way, storm.number)
    async with screen(settings, storm.shop, heard, storm.number), bus:
        with watched(storm.pids, heard.way):
            counts = await asyncio.to_thread(talked, storm.crowd, storm.number, seconds)
            began, said = time.monotonic(), sum(counts["said"].values())
            while len(heard.times) < said and time.monotonic() < began + PATIENCE:
                await asyncio.sleep(0.05)
    stored = await in_database(settings, storm.shop, storm.number)
    extra = sum(heard.times.values()) - len(heard.times) + sum(stored.values()) - len(stored)
    return {
        "rate": said / counts["seconds"],
        "p50": percentile(heard.delays, 50),
        "p99": percentile(heard.delays, 99),
        "lost": said - min(len(heard.times), len(stored)),
        "doubled": float(extra),
    }, heard.way


def talked(crowd: subprocess.Popen[str], number: int, seconds: int) -> dict[str, Any]:
    """How many were said on each platform, and how long that took."""
    assert crowd.stdin
    assert crowd.stdout
    began = time.monotonic()
    crowd.stdin.write(json.dumps({"rates": RATES, "seconds": seconds, "run": number}) + "\n")
    crowd.stdin.flush()
    line = crowd.stdout.readline()
    if not line:
        raise CannotMeasure("The platforms stopped.")
    return {"said": json.loads(line), "seconds": time.monotonic() - began}


@asynccontextmanager
async def screen(settings: Settings, shop: Shop, heard: Heard, number: int) -> AsyncIterator[None]:
    """A studio that is open."""
    ticket = shop.hub.tokens.ticket(Ticket(shop.brand_id, shop.show_id, shop.brand_id))
    url = f"ws://127.0.0.1:{settings.gateway_port}/ws?token={ticket}"
    async with connect(url, max_size=None, compression=None) as socket:
        json.loads(await socket.recv())  # the greeting: from now on everything is told

        async def listen() -> None:
            async for frame in socket:
                for event in json.loads(frame):
                    heard.take(event, number)

        task = asyncio.create_task(listen())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def in_database(settings: Settings, shop: Shop, number: int) -> Counter[str]:
    """What the whole log has of a storm."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        rows = await connection.fetch(
            "SELECT text FROM message WHERE show_id = $1 AND text LIKE $2", shop.show_id, f"{number} %"
        )
    finally:
        await connection.close()
    return Counter(" ".join(one["text"].split()[:3]) for one in rows)
