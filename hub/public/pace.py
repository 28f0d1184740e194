"""How often one viewer may speak, and ask."""

from __future__ import annotations

import math
from collections import OrderedDict
from datetime import datetime, timedelta
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
    """At most `most` requests of one viewer in `seconds` from their first; beyond that `words` say so."""

    def __init__(self, clock: Clock, most: int, seconds: float, words: str) -> None:
        self._clock = clock
        self._most = most
        self._span = timedelta(seconds=seconds)
        self._words = words
        self._asked: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        """Of each viewer, when their window began and the requests in it; the latest windows last."""

    def check(self, viewer: str) -> None:
        """SlowDown when it was too often."""
        now = self._clock()
        began, asked = self._asked.get(viewer, (now, 0))
        if not began <= now < began + self._span:
            began, asked = now, 0
        if asked >= self._most:
            wait = (began + self._span - now).total_seconds()
            raise SlowDown("slow_down", self._words, retry_after=math.ceil(wait))
        self._asked[viewer] = began, asked + 1
        if not asked:
            self._asked.move_to_end(viewer)
        if len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
