"""How often one viewer may speak."""

from __future__ import annotations

import math
from collections import OrderedDict
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
