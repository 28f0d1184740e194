"""A crowd of blocked players at one server: how late they get the next playlist, and what they cost."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import ge, le
from pathlib import Path
from typing import Final

from tests.bench.rows import ROOT, CannotMeasure, Row, cpu_seconds, percentile, resident_mib, row

PATIENCE: Final = 120.0
LATE_BARS_MS: Final = {1000: 100, 5000: 333}
"""For 5,000: before the next part of 333 ms is due."""
COST_BAR_US: Final = 67
"""Of one playlist: 15,000 for each second of CPU time."""
MEMORY_BAR_MIB: Final = 256
KEPT_UP_BAR: Final = 0.97
"""Of the three playlists a second that 333 ms parts make."""
SERVERS_CORE, VIEWERS_CORE = "0", "1"


@dataclass(frozen=True)
class Crowd:
    """What so many viewers saw."""

    count: int
    seconds: float
    late_ms: list[float]
    """Of every playlist that every viewer got, after the quickest of them all."""
    cpu: float
    """Seconds of the server's."""
    mib: float
    """The server's memory at the end."""

    def late(self) -> float:
        """Milliseconds, the 99th percentile."""
        return percentile(self.late_ms, 99)

    def kept_up(self) -> float:
        """Playlists received of those that parts of 333 ms make."""
        return len(self.late_ms) / (self.count * self.seconds * 3)

    def cost(self) -> float:
        """Microseconds of the server's CPU for each playlist."""
        return self.cpu * 1e6 / len(self.late_ms)

    def load(self) -> float:
        """Percent of one core."""
        return self.cpu / self.seconds * 100


def on_core(core: str, argv: list[str]) -> list[str]:
    """A command that keeps to one core, where there are two."""
    return ["taskset", "-c", core, *argv] if (os.cpu_count() or 1) > 1 else argv


async def watch(
    address: str, count: int, seconds: float, server: int, folder: Path, existed: Callable[[str], float]
) -> Crowd:
    """`existed` gives the wall time of what is newest in a playlist, give or take a constant: all that counts
    is how much later than the quickest a viewer was. `server` is its process.
    """
    port, path = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/.*)", address).groups()  # type: ignore[union-attr]
    out = folder / f"viewers-{port}-{count}"
    argv = [sys.executable, "-m", "tests.bench.viewers", port, path, str(count), str(seconds), str(out)]
    viewers = await asyncio.create_subprocess_exec(
        *on_core(VIEWERS_CORE, argv), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert viewers.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE + seconds):
            await viewers.stdout.readline()
            before = cpu_seconds(server)
            await viewers.stdout.readline()
            cpu, mib = cpu_seconds(server) - before, resident_mib(server)
            _, wrong = await viewers.communicate()
    finally:
        if viewers.returncode is None:
            viewers.kill()
            await viewers.wait()
    if viewers.returncode:
        raise CannotMeasure(wrong.decode().strip() or "The viewers died.")
    late = []
    for line in out.read_text().splitlines():
        reload = json.loads(line)
        late += [(got - existed(reload["text"])) * 1000 for got in reload["got"]]
    if not late:
        raise CannotMeasure("No viewer got a playlist.")
    quickest = min(late)
    return Crowd(count, seconds, [one - quickest for one in late], cpu, mib)


def rows(ours: Crowd, peer: Crowd, name: str) -> list[Row]:
    """What there is to say about two crowds of the same size."""
    measures: list[tuple[str, str, Callable[[Crowd], float], str, float]] = [
        ("later than the quickest viewer, p99", "ms", Crowd.late, "<=", LATE_BARS_MS[ours.count]),
        ("playlists received of those there were", "share", Crowd.kept_up, ">=", KEPT_UP_BAR),
        ("server CPU for each playlist", "us", Crowd.cost, "<=", COST_BAR_US),
        ("server CPU of one core", "%", Crowd.load, "<=", 100),
        ("server memory", "MiB", lambda crowd: crowd.mib, "<=", MEMORY_BAR_MIB),
    ]
    return [
        row(
            f"{ours.count:,} blocked viewers", metric, unit, of(ours), {name: of(peer)},
            bar=f"{sign} {bar}", ok={"<=": le, ">=": ge}[sign](of(ours), bar),
        )
        for metric, unit, of, sign, bar in measures
    ]  # fmt: skip


def end_of(playlist: str) -> float:
    """The wall time at which a playlist ends, by its own dates."""
    end = part = 0.0
    for line in playlist.splitlines():
        name, _, value = line.partition(":")
        if name == "#EXT-X-PROGRAM-DATE-TIME":
            end, part = datetime.fromisoformat(value).timestamp(), 0.0
        elif name == "#EXT-X-PART":
            part += float(re.findall(r"DURATION=([\d.]+)", value)[0])
        elif name == "#EXTINF":
            end, part = end + float(value.partition(",")[0]), 0.0
    return end + part


def rung(playlist: str) -> float:
    """The wall time our peer wrote into its playlist."""
    return float(playlist.rsplit("# ", 1)[1])
