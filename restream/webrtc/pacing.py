"""How fast packets leave: a keyframe is spread over some milliseconds, so that no buffer overflows."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

FASTER: Final = 8.0
"""Times the feed's own rate. A keyframe is some times as large as another picture."""
LEAST_RATE: Final = 1_250_000.0
"""Bytes a second, before the feed's rate is known and for very small ones."""
AT_ONCE: Final = 40_000.0
"""Bytes that may leave together: an ordinary picture of a large feed."""
EVERY: Final = 0.004


class Allowance:
    """What may be sent now; `left` may go below nothing once."""

    def __init__(self, now: float, left: float = AT_ONCE) -> None:
        self.left = left
        self._now = now

    def refill(self, now: float, per_second: float, most: float = AT_ONCE) -> None:
        """Time has passed."""
        self.left = min(most, self.left + (now - self._now) * per_second)
        self._now = now


def rate(bytes_per_second: float) -> float:
    """How fast a feed of that rate is sent."""
    return max(LEAST_RATE, FASTER * bytes_per_second)


class Waiting(Protocol):
    """Somebody with more to send."""

    def drain(self) -> bool:
        """Send what may leave now; whether more waits."""
        ...


class Pacer:
    """Comes back to those who could not send everything."""

    def __init__(self) -> None:
        self._waiting: set[Waiting] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def wait(self, who: Waiting) -> None:
        """Ask `who` again soon."""
        self._waiting.add(who)
        if self._timer is None:
            self._timer = self._loop.call_later(EVERY, self._due)

    def forget(self, who: Waiting) -> None:
        """It is gone."""
        self._waiting.discard(who)

    def close(self) -> None:
        """Ask nobody any more."""
        if self._timer:
            self._timer.cancel()

    def _due(self) -> None:
        self._timer = None
        self._waiting = {who for who in self._waiting if who.drain()}
        if self._waiting and self._timer is None:
            self._timer = self._loop.call_later(EVERY, self._due)
