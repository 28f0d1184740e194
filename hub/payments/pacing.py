"""How fast gateways are asked: a token bucket for each kind of call, and so many calls at once.

Whoever waits is served in the order of their payment, so that winners of a drop are charged in the order in
which they won. One process does a brand's payments; several share nothing here, so give each its part.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from connectors.base import PaymentPace
from connectors.errors import RetryLater

LONGEST_WAIT: Final = 5.0
"""Seconds in line; beyond that the job makes room for others and comes back."""
REMEMBERED: Final = 512
UNPACED: Final = PaymentPace(per_second=1000.0, at_once=64)


class Bucket:
    """Tokens that come back at a steady rate, up to half a second's worth."""

    def __init__(self, per_second: float, now: float) -> None:
        self._rate = per_second
        self._most = max(1.0, per_second / 2)
        self._tokens, self._at = self._most, now

    def wait(self, now: float) -> float:
        """Seconds until there is a token; 0 takes it."""
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate


class Line:
    """Everybody who waits for one kind of call."""

    def __init__(
        self, pace: PaymentPace, monotonic: Callable[[], float], longest: float = LONGEST_WAIT
    ) -> None:
        self._longest = longest
        self._bucket = Bucket(pace.per_second, monotonic())
        self._free = pace.at_once
        self._monotonic = monotonic
        self._numbers = itertools.count()
        self._waiting: list[tuple[str, int, asyncio.Future[None]]] = []
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Nobody waits; what runs has its own reference."""
        return not self._waiting

    async def turn(self, order: str) -> None:
        """Until it is one's turn; call `done` afterwards. RetryLater when that takes too long."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (order, next(self._numbers), mine))
        self._serve()
        try:
            async with asyncio.timeout(self._longest):
                await mine
        except TimeoutError:
            raise RetryLater("Many payments are waiting for their turn.", 1.0) from None
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.done()
            raise

    def done(self) -> None:
        """The call is over."""
        self._free += 1
        self._serve()

    def _serve(self) -> None:
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        while self._waiting and self._free > 0:
            if self._waiting[0][2].done():
                heapq.heappop(self._waiting)
                continue
            wait = self._bucket.wait(self._monotonic())
            if wait > 0:
                self._alarm = asyncio.get_running_loop().call_later(wait, self._serve)
                return
            self._free -= 1
            heapq.heappop(self._waiting)[2].set_result(None)


class Pacer:
    """Lines by account and kind of call. `faster` multiplies every gateway's own pace."""

    def __init__(
        self,
        faster: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
        longest: float = LONGEST_WAIT,
    ) -> None:
        self._faster = faster
        self._longest = longest
        self._monotonic = monotonic
        self._lines: OrderedDict[tuple[UUID, str], Line] = OrderedDict()

    @asynccontextmanager
    async def turn(
        self, connection_id: UUID, operation: str, pace: PaymentPace | None, order: str
    ) -> AsyncIterator[None]:
        """A call may be made inside. `order` sorts those who wait: earlier ones first."""
        line = self._line(connection_id, operation, pace or UNPACED)
        await line.turn(order)
        try:
            yield
        finally:
            line.done()

    def _line(self, connection_id: UUID, operation: str, pace: PaymentPace) -> Line:
        key = (connection_id, operation)
        if key not in self._lines:
            quick = PaymentPace(pace.per_second * self._faster, pace.at_once)
            self._lines[key] = Line(quick, self._monotonic, self._longest)
            for old in [key for key, line in self._lines.items() if line.idle][: -REMEMBERED or None]:
                del self._lines[old]
        self._lines.move_to_end(key)
        return self._lines[key]
