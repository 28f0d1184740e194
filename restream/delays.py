"""The delay map: how long the feed takes from our ingest to each destination, now and over the show.

Values come from whoever can measure: targets (bytes left, or acknowledged), platforms, players. Of several
kinds for one destination the one that looks farthest counts.
"""

from __future__ import annotations

import math
import statistics
import struct
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, Literal

from restream.api import Delay
from restream.hls.timeline import Timeline

Way = Literal["sent", "acknowledged", "platform", "player"]

FARTHEST: Final[tuple[Way, ...]] = ("player", "platform", "acknowledged", "sent")
RECENT_SECONDS: Final = 30.0
POINT_SECONDS: Final = 10.0
"""Between points of a series."""
MOST_RECENT: Final = 600
MOST_POINTS: Final = 2160
"""Six hours."""
MOST_DESTINATIONS: Final = 500
LONGEST_MS: Final = 3_600_000
"""A value beyond this, or below nothing, comes from a clock that is wrong."""
POINT: Final = struct.Struct("<dfB")


class DelayMap:
    """Bounded whatever comes in. `now` is the wall clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lines: dict[str, _Line] = {}

    def note(self, destination: str, ms: float, way: Way) -> None:
        """A measurement of this moment; one that can't be is passed over."""
        if not 0 <= ms <= LONGEST_MS or math.isnan(ms):
            return
        line = self._lines.get(destination)
        if line is None:
            if len(self._lines) >= MOST_DESTINATIONS:
                return
            line = self._lines[destination] = _Line(destination)
        line.note(self._now(), ms, way)

    def forget(self, destination: str) -> None:
        """A target was removed."""
        self._lines.pop(destination, None)

    def current(self) -> list[Delay]:
        """The median of the last 30 s for every destination that was measured then."""
        now = self._now()
        return [delay for line in self._lines.values() if (delay := line.current(now))]

    def series(self, destination: str, since: datetime | None = None) -> list[Delay]:
        """A point for about every 10 s in which something was measured, since a moment; oldest first."""
        line = self._lines.get(destination)
        begins = since.timestamp() if since else -math.inf
        return [delay for delay in line.points() if delay.at.timestamp() >= begins] if line else []


class _Line:
    """One destination."""

    def __init__(self, destination: str) -> None:
        self._destination = destination
        self._recent: deque[tuple[float, float, Way]] = deque(maxlen=MOST_RECENT)
        self._points: deque[bytes] = deque(maxlen=MOST_POINTS)
        self._pointed_at = -math.inf

    def note(self, now: float, ms: float, way: Way) -> None:
        self._recent.append((now, ms, way))
        if now - self._pointed_at < POINT_SECONDS:
            return
        found = self._median(now)
        if found:
            self._pointed_at = now
            self._points.append(POINT.pack(now, found[0], FARTHEST.index(found[1])))

    def current(self, now: float) -> Delay | None:
        found = self._median(now)
        return self._delay(now, *found) if found else None

    def points(self) -> Iterator[Delay]:
        for point in self._points:
            at, ms, way = POINT.unpack(point)
            yield self._delay(at, ms, FARTHEST[way])

    def _median(self, now: float) -> tuple[float, Way] | None:
        while self._recent and now - self._recent[0][0] > RECENT_SECONDS:
            self._recent.popleft()
        values: dict[Way, list[float]] = {}
        for _, ms, way in self._recent:
            values.setdefault(way, []).append(ms)
        farthest = next((way for way in FARTHEST if way in values), None)
        return (statistics.median(values[farthest]), farthest) if farthest else None

    def _delay(self, at: float, ms: float, way: Way) -> Delay:
        when = datetime.fromtimestamp(at, UTC)
        return Delay(destination=self._destination, ms=round(ms, 1), way=way, at=when)


def packaged_ms(timeline: Timeline, now: float) -> float | None:
    """How old the newest media is that a player could load now; None when nothing new has come for a while.

    It is a player's delay as `sent`: what it holds back and its network come on top.
    """
    last = next((segment for segment in reversed(timeline.segments) if segment.parts), None)
    if last is None or timeline.ended:
        return None
    age = now - (last.wall + last.seconds)
    return max(0.0, age * 1000) if age < RECENT_SECONDS else None
