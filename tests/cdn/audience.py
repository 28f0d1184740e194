"""Many viewers at once, and what they cost the origin."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from dataclasses import dataclass
from typing import Final

from tests.cdn.nginx import ROOT, SECONDS, Front

LEAST_HITS: Final = 0.95


@dataclass(frozen=True)
class Seen:
    """What a crowd saw, and what it cost the origin."""

    got: int
    asked: int
    late_ms: float
    """From the part to the playlist that names it: the median."""

    @property
    def hits(self) -> float:
        """The share of answers for which the origin was not asked."""
        return 1 - self.asked / self.got


async def compared(
    front: Front, few: int, many: int, *, seconds: float, part_ms: int, growth: float = 1.1
) -> tuple[Seen, Seen]:
    """What few viewers and then many saw; that the many cost the origin no more, and nearly all were hits.

    `growth` is how much more it may be, since more viewers are late on a machine that is busy with them.
    """
    little, much = await watched(front, few, seconds), await watched(front, many, seconds)
    # Two for each part. A few more are of the moments when the watching began and ended, and of viewers who
    # were too late for a part that the cache did not have: neither grows with their number.
    assert little.asked <= 2 * seconds * 1000 / part_ms + 10, little
    assert much.asked <= little.asked * growth + 10, (little, much)
    assert much.got > 0.5 * many / few * little.got, (little, much)
    assert much.hits >= LEAST_HITS, (little, much)
    return little, much


async def watched(front: Front, count: int, seconds: float) -> Seen:
    """So many viewers for so long."""
    out = front.folder / f"crowd-{count}.json"
    argv = [sys.executable, "-m", "tests.cdn.crowd", str(front.plain), str(count), str(seconds), str(out)]
    crowd = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert crowd.stdout is not None
    try:
        async with asyncio.timeout(6 * SECONDS + seconds):
            await crowd.stdout.readline()
            before = await front.asked("GET /live/evening/source/")
            await crowd.stdout.readline()
            after = await front.counts()
            await crowd.wait()
    finally:
        if crowd.returncode is None:
            crowd.kill()
            await crowd.wait()
    asked = sum(
        times for line, times in after["asked"].items() if line.startswith("GET /live/evening/source/")
    )
    said = json.loads(out.read_text())
    assert said["wrong"] == {}
    return Seen(said["got"], asked - before, statistics.median(lateness(said["came"], after["there"])))


def lateness(came: dict[str, list[float]], there: dict[str, float]) -> list[float]:
    """Milliseconds from the moment a part was there to the playlist that names it as its last."""
    found = []
    for hint, times in came.items():
        number, part = map(int, hint.split("."))
        within = [int(key.split(".")[1]) for key in there if key.startswith(f"evening {number - 1}.")]
        newest = f"evening {number}.{part - 1}" if part else f"evening {number - 1}.{max(within, default=0)}"
        if newest in there:
            found += [(time - there[newest]) * 1000 for time in times]
    return found
