"""Tracked links through HTTP with a real PostgreSQL: how long a click waits until it goes on."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import asyncpg

from hub.links.wishes import LinkWish
from tests.bench.holds import answering, engines
from tests.bench.rows import Row, median, needed, process, row

LUA: Final = Path(__file__).with_name("latency.lua")
CROWDS: Final = (1, 4, 32)
JUDGED: Final = (1, 4)
"""More of them at a time, without a pause, are a queue."""
BAR_MS: Final = 20
AGENT: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
TAGS: Final = "fbclid=IwAR0x&utm_content=story&size=m"


def run(quick: bool) -> tuple[int, list[Row]]:
    """(number of runs, rows)."""
    runs, seconds = (1, 2) if quick else (3, 5)
    found, kept = asyncio.run(measure(runs, seconds))
    rows = []
    for crowd in CROWDS:
        case = f"{crowd} clicking at a time, over and over"
        for name in ("p50", "p95", "p99"):
            late = middle(found, "l", crowd, name)
            peers = {"an empty answer": middle(found, "h", crowd, name)}
            judged = name == "p95" and crowd in JUDGED
            bar, ok = (f"<= {BAR_MS}", late <= BAR_MS) if judged else ("-", True)
            rows.append(row(case, f"{name} of the redirect", "ms", late, peers, bar=bar, ok=ok))
    answered = sum(one["requests"] for one in found if one["kind"] == "l")
    wrong = sum(one["wrong"] for one in found)
    rows.append(row("all", "answered otherwise", "answers", wrong, {}, bar="0", ok=wrong == 0))
    # The load generator goes away with requests under way: those are kept and were not counted.
    lost = max(0, answered - kept)
    rows.append(row("all", "clicks answered and not kept", "clicks", lost, {}, bar="0", ok=lost == 0))
    return runs, rows


def middle(found: list[dict[str, Any]], kind: str, crowd: int, name: str) -> float:
    """The median of one figure over the runs."""
    return median([one[name] for one in found if (one["kind"], one["crowd"]) == (kind, crowd)])


async def measure(runs: int, seconds: int) -> tuple[list[dict[str, Any]], int]:
    """Every crowd in turn, `runs` times, and how many clicks the database has."""
    wrk = needed("wrk", "wrk")
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="simulcast-bench-") as folder:
        async with engines(Path(folder)) as (settings, shop):
            async with shop.hub.db.session() as session:
                link = await shop.hub.links.make(session, shop.brand_id, LinkWish(show_id=shop.show_id))
            env = os.environ | {
                "DATABASE_URL": settings.database_url or "",
                "NATS_URL": settings.nats_url or "",
                "SIMULCAST_DATA": str(settings.data),
                "SIMULCAST_HTTP_PORT": str(settings.http_port),
                "SIMULCAST_SECRET_KEY": "the bench's own secret key",
                "SIMULCAST_MEDIA_TOKEN": "the bench's own media token",
            }
            origin = f"http://127.0.0.1:{settings.http_port}"
            where = {"l": (f"{origin}/l/{link.code}?{TAGS}", 302), "h": (f"{origin}/healthz", 200)}
            argv = [sys.executable, "-m", "hub", "run", "api"]
            with process(argv, env=env, log=settings.data / "api.log"):
                await asyncio.to_thread(answering, settings.http_port)
                for _ in range(runs):
                    for crowd in CROWDS:
                        for kind, (url, status) in where.items():
                            one = await loaded(wrk, crowd, seconds, url, status)
                            found.append(one | {"kind": kind, "crowd": crowd})
            return found, await clicks(settings.database_url or "")


async def loaded(wrk: str, crowd: int, seconds: int, url: str, status: int) -> dict[str, Any]:
    """What the load generator saw."""
    load = [wrk, "-t1", f"-c{crowd}", f"-d{seconds}s", "-s", str(LUA), "-H", f"User-Agent: {AGENT}", url]
    load += ["--", str(status)]
    done = await asyncio.to_thread(subprocess.run, load, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.split("RESULT ")[1].splitlines()[0])
    return found


async def clicks(url: str) -> int:
    """How many are kept."""
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM link_click"))
    finally:
        await connection.close()
