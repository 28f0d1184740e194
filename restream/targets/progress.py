"""What is known of bytes that are under way: when they came, and whether the far end counts them. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import Final

MARKS: Final = 64
"""At two a second and one for each keyframe: the last 20 seconds."""
REGULAR: Final = 3
"""Acknowledgements after which their absence means something; some servers send one and no more."""
PATIENCE: Final = 3
"""Times as many bytes as usual that may leave without one."""


class Marks:
    """A ring of (bytes written so far, when the last of them arrived at our ingest)."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, float]] = deque(maxlen=MARKS)

    def add(self, written: int, arrived: float) -> None:
        """Everything up to `written` came until `arrived` (wall clock, seconds)."""
        if not self._marks or written > self._marks[-1][0]:
            self._marks.append((written, arrived))

    def arrived(self, written: int) -> float | None:
        """About when byte number `written` came; None when it is too long ago, or nothing is known."""
        marks = self._marks
        if not marks or written < marks[0][0]:
            return None
        after = bisect_right(marks, written, key=lambda mark: mark[0])
        before, at = marks[after - 1]
        if after == len(marks):
            return at
        behind, later = marks[after]
        return at + (later - at) * (written - before) / (behind - before)


class Acknowledgements:
    """A far end's running count of what it has, unwrapped past 2**32. `usual`: bytes between two of them."""

    def __init__(self, usual: int) -> None:
        self.total = 0
        self.usual = usual
        self._last = 0
        self._came = 0
        self._at = 0.0

    def note(self, counted: int, now: float) -> bool:
        """The newest count (modulo 2**32); whether it says something new. `now` in seconds."""
        step = (counted - self._last) & 0xFFFF_FFFF
        if not step or step >> 31:
            return False
        self._last = counted
        self.total += step
        self.usual = max(self.usual, step)
        self._came += 1
        self._at = now
        return True

    def stopped(self, left: int, now: float, patience: float) -> bool:
        """They used to come, and do no more, though `left` bytes have left us by now."""
        regular = self._came >= REGULAR and now - self._at > patience
        return regular and left - self.total > PATIENCE * self.usual
