"""The order of a show's numbered news. Pure: time is handed in.

Several processes publish, so numbers come twice and overtake each other by some milliseconds. A process may
also die between its commit and its news: then a number never comes, and waiting for it must end.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from hub.gateway.news import News

PATIENCE: Final = 0.5
"""Seconds that later numbers wait for a missing one."""
PARKED: Final = 1000
"""Numbers that wait at most: more than that is no overtaking, but a hole."""
REMEMBERED: Final = 2000

Key = tuple[int, bool, str | None]


class Numbers:
    """`seq` is the newest number that was passed on: all before it were, too, or are known to be missing."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self._parked: dict[int, list[News]] = {}
        self._parked_at = 0.0
        self._passed: deque[Key] = deque(maxlen=REMEMBERED)
        self._known: set[Key] = set()

    def take(self, news: News, now: float) -> list[News]:
        """What may be told now, in order."""
        number = news.seq or 0
        key = (number, news.staff_only, news.only)
        if key in self._known:
            return []
        self._remember(key)
        if number <= self.seq:
            return [news]  # the same number for another audience, or one that was given up
        if not self._parked:
            self._parked_at = now
        self._parked.setdefault(number, []).append(news)
        return self._due(now)

    def overdue(self, now: float) -> bool:
        """Whether a missing number was waited for long enough."""
        return bool(self._parked) and (now - self._parked_at >= PATIENCE or len(self._parked) > PARKED)

    @property
    def waiting(self) -> bool:
        """Whether a number is missing."""
        return bool(self._parked)

    def give_up(self) -> list[News]:
        """Whatever waits, in order; what is missing is missing."""
        late = [news for number in sorted(self._parked) for news in self._parked[number]]
        self.move_to(max(self._parked, default=self.seq))
        return late

    def move_to(self, seq: int) -> None:
        """Go on from a number that the database told."""
        self.seq = max(self.seq, seq)
        self._parked = {number: news for number, news in self._parked.items() if number > self.seq}

    def _due(self, now: float) -> list[News]:
        due: list[News] = []
        while self.seq + 1 in self._parked:
            self.seq += 1
            due += self._parked.pop(self.seq)
            self._parked_at = now
        return due

    def _remember(self, key: Key) -> None:
        if len(self._passed) == REMEMBERED:
            self._known.discard(self._passed[0])
        self._passed.append(key)
        self._known.add(key)
