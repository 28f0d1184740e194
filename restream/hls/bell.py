"""Waking everybody who waits for the next part, at once and without polling."""

from __future__ import annotations

import asyncio


class Bell:
    """Rung after every change. A listener that gives up (cancels its future) is forgotten."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def __len__(self) -> int:
        """How many are waiting."""
        return len(self._waiting)

    def listen(self) -> asyncio.Future[None]:
        """Done at the next ring. One future for each listener, so that cancelling one wakes nobody else."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future

    def ring(self) -> None:
        """Wake everybody who listens now."""
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)
