"""The sender processes: started when viewers come or are expected, ended when they have left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from restream.webrtc.seat import CannotSend, Place, Seat

log = structlog.get_logger()

FEW: Final = 25
"""Viewers a process gets before another one is started: starting one costs more than so many."""
SILENT: Final = 15.0
"""Seconds without a word from a process after which it is taken to hang."""
IDLE: Final = 60.0
"""Seconds without a viewer after which a process is ended."""


class Full(Exception):
    """Every process has as many viewers as it may have."""


class Pool:
    """`gone` is told of viewers that left by themselves, `lost` of processes that died."""

    def __init__(
        self, place: Place, processes: int, gone: Callable[[str, str], None], lost: Callable[[Seat], None]
    ) -> None:
        self.seats: list[Seat] = []
        self._place = place
        self._processes = processes
        self._gone, self._lost = gone, lost
        self._starting = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._used: dict[Seat, float] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def take(self, viewer: str, most: int) -> Seat:
        """A place for one more viewer, in a process with fewer than `most`. Raises Full or CannotSend."""
        async with self._starting:
            seat = min(self.seats, key=lambda one: len(one.viewers), default=None)
            if (seat is None or len(seat.viewers) >= min(FEW, most)) and len(self.seats) < self._processes:
                seat = await self._start()
            if seat is None or len(seat.viewers) >= most:
                raise Full
            seat.viewers.add(viewer)
            return seat

    async def ready(self) -> None:
        """One process at least, and none ended for lack of viewers in the next minute. Raises CannotSend."""
        async with self._starting:
            if not self.seats:
                await self._start()
            self._used[self.seats[0]] = self._loop.time()

    def leave(self, seat: Seat, viewer: str) -> None:
        """A viewer is gone."""
        seat.viewers.discard(viewer)
        self._used[seat] = self._loop.time()

    def tend(self) -> None:
        """End what nobody needs, and what hangs: who lives says so every second."""
        now = self._loop.time()
        for seat in self.seats:
            if now - seat.heard > SILENT:
                seat.kill()
        for seat in list(self.seats):
            if not seat.viewers and now - self._used.get(seat, now) > IDLE:
                self._forget(seat)
                task = self._loop.create_task(seat.stop())
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """End all of them."""
        async with self._starting:
            seats, self.seats = self.seats, []
        await asyncio.gather(*(seat.stop() for seat in seats), *self._ending)

    async def _start(self) -> Seat:
        numbers = {seat.number for seat in self.seats}
        number = next(number for number in range(self._processes) if number not in numbers)
        seat = Seat(number, self._gone, self._died)
        try:
            await seat.begin(self._place)
        except (CannotSend, asyncio.CancelledError):
            await seat.stop()
            raise
        self.seats.append(seat)
        self._used[seat] = self._loop.time()
        return seat

    def _died(self, seat: Seat) -> None:
        if seat in self.seats:
            said = seat.last_words()
            log.error("whep.sender_died", number=seat.number, viewers=len(seat.viewers), said=said)
            self._forget(seat)
            self._lost(seat)
            task = self._loop.create_task(seat.stop())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def _forget(self, seat: Seat) -> None:
        self.seats.remove(seat)
        self._used.pop(seat, None)
