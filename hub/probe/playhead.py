"""How a viewer would have seen what a plain client fetched. Pure: time is handed in, in seconds."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

SHORTEST_STALL: Final = 0.1
"""Seconds that a picture may be late before anybody sees it."""
A_MOMENT: Final = 1e-6
"""Less than this is a rounding error."""


@dataclass
class Playhead:
    """Plays what has arrived of every track, in real time: what is not there in time is a stall.

    All `tracks` must have something before the picture comes. `wall` is when the first one shown was taken.
    """

    tracks: int
    wished_at: float
    startup: float | None = None
    watched: float = 0.0
    stalled: float = 0.0
    stalls: int = 0
    wall: datetime | None = None
    latencies: list[float] = field(default_factory=list)
    _there: dict[int, float] = field(default_factory=dict)
    _looked: float = 0.0
    _waiting: float = 0.0

    @property
    def ahead(self) -> float:
        """Seconds that are there and not played yet."""
        return max(0.0, min(self._there.values(), default=0.0) - self.watched)

    def begin(self, track: int, skip: float) -> None:
        """A track's first seconds are fetched to decode the rest, and never shown."""
        self._there[track] = -skip

    def arrived(self, track: int, seconds: float, now: float) -> None:
        """More of a track."""
        self.look(now)
        self._there[track] = self._there.get(track, 0.0) + seconds
        if self.startup is None and len(self._there) == self.tracks and self.ahead > 0:
            self.startup = now - self.wished_at
            self._looked = now

    def look(self, now: float, wall: datetime | None = None) -> None:
        """Play on until now; `wall` is the time of day, for how late the picture is."""
        if self.startup is None:
            return
        passed = now - self._looked
        played = min(passed, self.ahead)
        self._looked = now
        self.watched += played
        late = passed - played
        if played > A_MOMENT:
            self._waiting = 0.0
        if late > A_MOMENT:
            if self._waiting <= SHORTEST_STALL < self._waiting + late:
                self.stalls += 1
            self._waiting += late
            self.stalled += late
        if wall and self.wall and self._waiting == 0:
            self.latencies.append((wall - self.wall).total_seconds() - self.watched)

    @property
    def latency(self) -> float | None:
        """Seconds between what was filmed and what was shown, in the middle of the run."""
        return statistics.median(self.latencies) if self.latencies else None
