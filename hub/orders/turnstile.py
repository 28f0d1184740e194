"""Orders are made a few at a time, in the order of coming.

An order is some fifty statements: more of them at once are not ready any sooner. They would only take every
connection and every turn of the event loop from those who press Buy in the same second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from hub.errors import Unavailable

AT_ONCE: Final = 4
PATIENCE: Final = 30.0
"""Seconds; a hold lasts longer."""


class Turnstile:
    """Lets `at_once` through together. `patience`: seconds after which one is asked to come again."""

    def __init__(self, at_once: int = AT_ONCE, patience: float = PATIENCE) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._patience = patience

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn. Unavailable `busy`."""
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable(
                "busy",
                "Very many people are paying right now. You keep what you reserved. Trying again soon.",
                retry_after=1,
            ) from None
        try:
            yield
        finally:
            self._free.release()
