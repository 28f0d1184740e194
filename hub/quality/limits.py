"""How many beacons are taken: from one player, and from all of them by one process."""

from __future__ import annotations

from collections import Counter
from typing import Final
from uuid import UUID

from hub.clock import Clock
from hub.errors import SlowDown

WINDOW: Final = 10.0
"""Seconds. Players report about once in this time, and at once when something happens."""
PER_SESSION: Final = 10
IN_ALL: Final = 20_000
"""Also the most sessions that are ever remembered."""


class Limits:
    """Counts in windows of ten seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._window = 0.0
        self._by_session: Counter[UUID] = Counter()
        self._all = 0

    def check(self, session: UUID) -> None:
        """SlowDown when it is too much; the next window takes beacons again."""
        window, passed = divmod(self._clock().timestamp(), WINDOW)
        if window != self._window:
            self._window, self._all = window, 0
            self._by_session.clear()
        if self._by_session[session] >= PER_SESSION or self._all >= IN_ALL:
            wait = max(1, round(WINDOW - passed))
            raise SlowDown("slow_down", "Too many reports. Send the next one later.", retry_after=wait)
        self._all += 1
        self._by_session[session] += 1
