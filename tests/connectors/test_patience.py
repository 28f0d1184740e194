"""One timer for all the waits of a reader, and every wait that lasts too long ends in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVarTuple

import pytest
import uvloop

from connectors.http import Patience

Ts = TypeVarTuple("Ts")


class SetLoop(asyncio.SelectorEventLoop):
    """A loop whose time moves only when told. `timers`: how many were started."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.timers = 0

    def time(self) -> float:
        """Seconds."""
        return self.now

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As ever, and counted."""
        self.timers += 1
        return super().call_at(when, callback, *args, context=context)

    async def pass_by(self, seconds: float) -> None:
        """Let it become later, and whoever is due by then do their part."""
        self.now += seconds
        for _ in range(5):
            await asyncio.sleep(0)


def on_its_own_time(test: Callable[[SetLoop], Coroutine[Any, Any, None]]) -> None:
    """Run a test on a loop of its own."""
    with asyncio.Runner(loop_factory=SetLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SetLoop)
        runner.run(test(loop))


def test_silence_ends_a_wait_after_its_seconds_and_every_message_begins_them_anew() -> None:
    async def test(loop: SetLoop) -> None:
        inbox: asyncio.Queue[int] = asyncio.Queue()
        patience = Patience()
        got: list[int] = []

        async def read() -> None:
            while True:
                got.append(await patience.wait(inbox.get(), 1.0))

        reading = asyncio.create_task(read())
        await loop.pass_by(0)
        for number in range(3):
            await loop.pass_by(0.9)
            inbox.put_nowait(number)
            await loop.pass_by(0)
        await loop.pass_by(0.99)
        assert (got, reading.done()) == ([0, 1, 2], False)
        await loop.pass_by(0.01)
        assert isinstance(reading.exception(), TimeoutError)

    on_its_own_time(test)


def test_a_thousand_messages_a_second_need_one_timer_a_second() -> None:
    async def test(loop: SetLoop) -> None:
        inbox: asyncio.Queue[int] = asyncio.Queue()
        patience = Patience()
        got: list[int] = []

        async def read() -> None:
            while len(got) < 3000:
                got.append(await patience.wait(inbox.get(), 1.0))

        reading = asyncio.create_task(read())
        for number in range(3000):
            inbox.put_nowait(number)
            await loop.pass_by(0.001)
        await reading
        assert loop.timers <= 4

    on_its_own_time(test)


def test_less_patience_than_before_counts_at_once() -> None:
    async def test(loop: SetLoop) -> None:
        inbox: asyncio.Queue[int] = asyncio.Queue()
        inbox.put_nowait(1)
        patience = Patience()
        assert await patience.wait(inbox.get(), 60.0) == 1
        waiting = asyncio.create_task(patience.wait(inbox.get(), 1.0))
        await loop.pass_by(0)
        await loop.pass_by(0.5)
        assert not waiting.done()
        await loop.pass_by(0.5)
        assert isinstance(waiting.exception(), TimeoutError)
        # It is of use afterwards, and what came meanwhile is not lost.
        inbox.put_nowait(2)
        assert await patience.wait(inbox.get(), 1.0) == 2

    on_its_own_time(test)


def test_whoever_is_stopped_from_outside_is_stopped() -> None:
    async def test(loop: SetLoop) -> None:
        never: asyncio.Future[None] = loop.create_future()
        waiting = asyncio.create_task(Patience().wait(never, 1.0))
        await loop.pass_by(0)
        await loop.pass_by(0.5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        started = loop.timers
        await loop.pass_by(60)
        assert loop.timers == started, "a timer that finds nobody waiting is the last one"

    on_its_own_time(test)


def test_a_wait_whose_time_is_over_ends_at_once_on_the_loop_that_runs_the_hub() -> None:
    """uvloop's handles of what is due at once do not tell their time."""

    async def test() -> None:
        inbox, patience = asyncio.Queue[int](), Patience()
        for seconds in (0.0, 20.0, 0.0):
            if seconds:
                inbox.put_nowait(1)
                assert await patience.wait(inbox.get(), seconds) == 1
                continue
            with pytest.raises(TimeoutError):
                await patience.wait(inbox.get(), seconds)
            inbox.put_nowait(2)
            assert await patience.wait(inbox.get(), seconds) == 2

    uvloop.run(test())
