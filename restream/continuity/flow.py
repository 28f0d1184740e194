"""How one publisher's frames arrive: whether they still do, how steadily, whether they are of now. Pure."""

from __future__ import annotations

from typing import Final

SILENCE: Final = 0.4
"""Seconds without a frame after which a publisher counts as gone. The slate is due within half a second."""
SLOW_STEPS: Final = 3
"""A feed of few pictures and no sound is not silent before it has left out this many."""
STEADY: Final = 2.0
"""Seconds of frames without a break after which a publisher that had been away is trusted again."""
LATE: Final = 0.5
WATCHED: Final = 0.5
CATCHING_UP: Final = 0.1
"""An encoder that was held up sends what it has missed faster than time passes. Frames more than LATE seconds
late are no longer of now, but only as long as every WATCHED seconds bring them CATCHING_UP seconds nearer."""


class Flow:
    """Times are seconds of one monotonic clock."""

    def __init__(self, now: float) -> None:
        self.last_at = now
        self.caught_up = True
        self._since = now
        self._best: float | None = None
        self._late_at: float | None = None
        self._late_then = 0.0

    def arrived(self, now: float) -> None:
        """A frame of any kind."""
        if now - self.last_at > SILENCE:
            self._since = now
        self.last_at = now

    def timed(self, dts: int, now: float) -> None:
        """A frame (always of the same track) and its time (ms): is it later than the earliest so far?"""
        delay = now - dts / 1000
        if self._best is None or delay < self._best:
            self._best = delay
        late = delay - self._best
        if late < LATE:
            self.caught_up, self._late_at = True, None
        elif self._late_at is None:
            self.caught_up, self._late_at, self._late_then = False, now, late
        elif now - self._late_at >= WATCHED:
            if late > self._late_then - CATCHING_UP:
                self._best, self.caught_up, self._late_at = delay, True, None  # that is its time from now on
            else:
                self._late_at, self._late_then = now, late

    def silent_at(self, step: float) -> float:
        """When it counts as gone if nothing more comes; `step` is the usual distance of frames, seconds."""
        return self.last_at + max(SILENCE, SLOW_STEPS * step)

    def lasted(self, now: float) -> float:
        """For how long frames have come without a break."""
        return now - self._since
