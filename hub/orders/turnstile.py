"""Orders are made a few at a time, in the order of coming.

An order is some fifty statements: more of them at once are not ready any sooner. They would only take every
connection and every turn of the event loop from those who press Buy in the same second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

from hub.errors import Unavailable

AT_ONCE: Final = 4
PATIENCE: Final = 30.0
"""Seconds. Our pages wait longer for the answer; a hold usually lasts longer."""


class Turnstile:
    """Lets `at_once` of a brand through together: one brand's rush is not another's.

    `patience`: seconds after which one is asked to come again.
    """

    def __init__(self, at_once: int = AT_ONCE, patience: float = PATIENCE) -> None:
        self._at_once = at_once
        self._patience = patience
        # Only whoever waits or is inside holds on to a line.
        self._lines: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, brand_id: UUID) -> AsyncIterator[None]:
        """Wait for one's turn. Unavailable `busy`."""
        line = self._lines.setdefault(brand_id, asyncio.Semaphore(self._at_once))
        try:
            async with asyncio.timeout(self._patience):
                await line.acquire()
        except TimeoutError:
            raise Unavailable(
                "busy", "Very many people are paying right now. Press Pay again in a moment.", retry_after=1
            ) from None
        try:
            yield
        finally:
            line.release()
