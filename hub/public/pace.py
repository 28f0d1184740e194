"""How often one viewer may speak, and ask."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from typing import Final

from hub.clock import Clock
from hub.errors import SlowDown

EVERY: Final = 2.0
REMEMBERED: Final = 50_000


class Pace:
    """One message per two seconds and viewer; the oldest memories go first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: OrderedDict[str, float] = OrderedDict()

    def check(self, viewer: str) -> None:
        """SlowDown when it is too soon."""
        now = self._clock().timestamp()
        wait = self._last.get(viewer, 0.0) + EVERY - now
        if wait > 0:
            raise SlowDown("slow_down", "One message every two seconds, please.", retry_after=math.ceil(wait))
        self._last[viewer] = now
        self._last.move_to_end(viewer)
        if len(self._last) > REMEMBERED:
            self._last.popitem(last=False)


class Quota:
    """At most `most` requests of one viewer in each window of `seconds`; beyond that `words` say so."""

    def __init__(self, clock: Clock, most: int, seconds: float, words: str) -> None:
        self._clock = clock
        self._most = most
        self._seconds = seconds
        self._words = words
        self._asked: Counter[str] = Counter()
        self._window = 0.0

    def check(self, viewer: str) -> None:
        """SlowDown when it was too often."""
        window, passed = divmod(self._clock().timestamp(), self._seconds)
        if window != self._window or len(self._asked) >= REMEMBERED:
            self._window = window
            self._asked.clear()
        self._asked[viewer] += 1
        if self._asked[viewer] > self._most:
            raise SlowDown("slow_down", self._words, retry_after=max(1, round(self._seconds - passed)))
