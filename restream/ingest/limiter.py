"""How often one address may try. Pure; bounded however many addresses there are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST_SOURCES: Final = 4096


class Limiter:
    """A bucket of `burst` tries per source, filled at `rate` a second. `now` is a monotonic clock."""

    def __init__(self, rate: float, burst: float, now: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, source: str) -> bool:
        """Take one try; False when there is none left."""
        now = self._now()
        left, at = self._buckets.pop(source, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        allowed = left >= 1
        self._buckets[source] = (left - allowed, now)
        if len(self._buckets) > MOST_SOURCES:
            self._buckets.popitem(last=False)  # the one that has been quiet for longest
        return allowed
