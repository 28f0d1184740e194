"""Where a message's time goes on its way from the platforms to the studio, and what it costs each process."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import nats
from nats.aio.msg import Msg

from tests.bench.rows import Row, children, cpu_seconds, median, percentile, row

STAGES: Final = {
    "said, read from its platform, taken into a batch": ("said", "taken"),
    "stored with its batch, and told to the bus": ("taken", "told"),
    "from the bus through the gateway to the screen": ("told", "shown"),
}

SCREEN: Final = "the screen, and this measuring"


@dataclass
class Way:
    """Moments of each message, by what it says: nanoseconds of the clock that all processes share."""

    moments: dict[str, dict[str, int]] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)
    """Microseconds of CPU time that each process had to spend on a message."""

    def note(self, stage: str, event: Mapping[str, Any], run: int) -> tuple[str, int] | None:
        """(what was said, when) if the event is a message of this run; it has come to `stage` now."""
        now = time.monotonic_ns()
        if event["kind"] != "message.added":
            return None
        words = event["data"]["text"].split()
        if len(words) != 4 or words[0] != str(run):
            return None
        name, said = " ".join(words[:3]), int(words[3][1:], 16)
        moments = self.moments.setdefault(name, {})
        if not moments:
            moments |= {"said": said, "taken": since_boot(event["data"]["received_at"])}
        moments.setdefault(stage, now)
        return name, said

    def spent(self, begin: str, end: str, platform: str = "") -> list[float]:
        """Milliseconds between two stages, for the messages of one platform, or all."""
        return [
            (one[end] - one[begin]) / 1e6
            for name, one in self.moments.items()
            if one.keys() >= {begin, end} and platform in ("", name.split()[1])
        ]

    @property
    def platforms(self) -> list[str]:
        """Who said something, by name."""
        return sorted({name.split()[1] for name in self.moments})


def since_boot(moment: str) -> int:
    """A moment of the wall clock on the one that all processes share."""
    passed = time.time() - datetime.fromisoformat(moment).timestamp()
    return time.monotonic_ns() - int(passed * 1e9)


@asynccontextmanager
async def on_the_bus(url: str, way: Way, run: int) -> AsyncIterator[None]:
    """Hear what is told to the gateway when the gateway hears it."""
    client = await nats.connect(url)

    async def hear(message: Msg) -> None:
        way.note("told", json.loads(message.data), run)

    await client.subscribe("show.*.*.message.added", cb=hear)
    await client.flush()
    try:
        yield
    finally:
        await client.close()


@contextmanager
def watched(processes: Mapping[str, int], way: Way) -> Iterator[None]:
    """What the messages that come meanwhile cost each process, and this one, which has the screen."""

    def spent() -> dict[str, float]:
        while True:
            with suppress(FileNotFoundError):  # a child of the database's that ended at this very moment
                found = {name: cpu_seconds(pid) for name, pid in processes.items()}
                return found | {SCREEN: time.process_time()}

    before = spent()
    yield
    messages = len(way.moments) or 1
    way.cost = {name: (now - before[name]) * 1e6 / messages for name, now in spent().items()}


def engines_of(pid: int) -> dict[str, int]:
    """The database and the bus, which a process started as its children."""
    named = {Path(f"/proc/{one}/comm").read_text().strip(): one for one in children(pid)}
    return {name: named[name] for name in ("postgres", "nats-server") if name in named}


def rows_of(case: str, ways: list[Way]) -> list[Row]:
    """How late by stage and by platform, and the processes' CPU time: the middle of all runs. No bars."""
    found = []
    for name, stage in STAGES.items():
        for percent in (50, 99):
            late = median([percentile(way.spent(*stage), percent) for way in ways])
            found.append(row(case, f"p{percent}, {name}", "ms", late, {}, bar="-", ok=True))
    for name in ways[0].platforms:
        late = median([percentile(way.spent("said", "shown", name), 99) for way in ways])
        found.append(row(case, f"p99 of what is said on {name}", "ms", late, {}, bar="-", ok=True))
    for name in ways[0].cost:
        cost = median([way.cost[name] for way in ways])
        found.append(row(case, f"CPU time of a message, {name}", "us", cost, {}, bar="-", ok=True))
    return found
