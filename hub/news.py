"""News that changes faster than anybody can read it: told at most once per interval, always the latest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger()

K = TypeVar("K", bound=Hashable)


class Coalescer(Generic[K]):
    """`touch` keys as often as you like; `tell` gets the set of them, no more often than `interval` seconds.

    The first touch after a silence is told at once. What `tell` raises is logged: news may be lost,
    and the next touch brings the truth again.
    """

    def __init__(self, interval: float, tell: Callable[[set[K]], Awaitable[None]]) -> None:
        self._interval = interval
        self._tell = tell
        self._touched: set[K] = set()
        self._task: asyncio.Task[None] | None = None

    def touch(self, *keys: K) -> None:
        """Something about these keys changed."""
        self._touched.update(keys)
        if self._touched and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Tell what is left, then stop."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._touched:
            await self._tell_all()

    async def _run(self) -> None:
        while self._touched:
            await self._tell_all()
            await asyncio.sleep(self._interval)

    async def _tell_all(self) -> None:
        keys, self._touched = self._touched, set()
        try:
            await self._tell(keys)
        except Exception:  # a supervisor: one failed telling must not end all later ones
            log.exception("news.not_told", count=len(keys))
