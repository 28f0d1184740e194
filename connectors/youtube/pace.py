"""How often a chat may be read, so that the day's quota lasts as long as the day's shows.

wait = cost of a read x readers x seconds still to be live / units left for reading, and never less than
YouTube asks for. `readers` is measured, not told: how much faster the budget shrinks than we spend it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from connectors.base import Budget
from connectors.youtube.config import UNITS
from connectors.youtube.refusals import until_pacific_midnight

READ = UNITS["liveChatMessages.list"]
GRACE = timedelta(minutes=30)
"""A show that lasts longer than planned goes on for at least this long, as far as we know."""
IDLE_MOST = 12.0
"""A silent chat is read no less often than this, unless the budget asks for it."""
MOST_WAIT = 120.0
"""Rather than this slowly, the chat is read until nothing is left, and then says so."""
WINDOW = timedelta(seconds=60)
MOST_READERS = 20.0


class Pace:
    """For one reader of one chat. `floor`: least seconds between reads; `hours`: how long it should last."""

    def __init__(self, budget: Budget, *, floor: float, hours: float, now: Callable[[], datetime]) -> None:
        self._budget = budget
        self._floor = floor
        self._now = now
        self._ends = now() + timedelta(hours=hours)
        self._idle = 0.0
        self._readers = 1.0
        self._spent = 0
        self._since: tuple[datetime, int] | None = None
        self.tight = False
        """True while it is the budget that decides."""

    async def wait(self, least: float) -> float:
        """Seconds to the next read; `least` is what YouTube asks for."""
        left = await self._budget.left()
        needed = max(least, self._floor)
        if left is None:
            return needed
        self._measure(left)
        now = self._now()
        ahead = min(max(self._ends - now, GRACE).total_seconds(), until_pacific_midnight(now))
        share = READ * self._readers * ahead / max(left, 1)
        self.tight = share > needed
        return min(max(share, self._idle), max(MOST_WAIT, needed)) if self.tight else needed

    def read(self, messages: int, waited: float) -> None:
        """Note a read and what it brought: silence is asked again later and later, while units are short."""
        self._spent += READ
        self._idle = 0.0 if messages or not self.tight else min(max(waited, self._idle) * 2, IDLE_MOST)

    def _measure(self, left: int) -> None:
        now = self._now()
        if self._since is None or left > self._since[1]:
            # The first look, or a new day.
            self._since, self._spent = (now, left), 0
            return
        began, had = self._since
        if now - began < WINDOW or not self._spent:
            return
        seen = min(max((had - left) / self._spent, 1.0), MOST_READERS)
        # Half of the old value stays: going live costs 200 units at once and is no reader.
        self._readers = (self._readers + seen) / 2
        self._since, self._spent = (now, left), 0
