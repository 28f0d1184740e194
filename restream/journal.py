"""The worker's news: numbered, the newest kept, so that a listener who was away can go on where it was."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, Final

from restream.api import EventKind, WorkerEvent

KEPT: Final = 2000
MOST_WAITING: Final = 1000
"""Events a listener may be behind before it is let go; it comes back and resumes."""


class Journal:
    """`write` from the event loop's thread; `read` from as many tasks as there are listeners."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._seq = 0
        self._kept: deque[WorkerEvent] = deque(maxlen=KEPT)
        self._listeners: set[asyncio.Queue[WorkerEvent | None]] = set()

    def write(self, kind: EventKind, slug: str, **content: Any) -> None:
        """Number an event and pass it on. Statistics are not kept: the next ones replace them."""
        self._seq += 1
        event = WorkerEvent(seq=self._seq, at=self._now(), slug=slug, kind=kind, **content)
        if kind != "live.stats":
            self._kept.append(event)
        for listener in list(self._listeners):
            try:
                listener.put_nowait(event)
            except asyncio.QueueFull:
                self._dismiss(listener)

    async def read(self, after: int, *, idle: float) -> AsyncIterator[WorkerEvent | None]:
        """Events after number `after`, for ever; None when nothing happened for `idle` seconds.

        A number we have not reached comes from a worker before us: then all that is kept is new.
        Ends when the listener is too slow.
        """
        queue: asyncio.Queue[WorkerEvent | None] = asyncio.Queue(MOST_WAITING)
        known = after if after <= self._seq else 0
        missed = [event for event in self._kept if event.seq > known]
        self._listeners.add(queue)
        try:
            for event in missed:
                yield event
            while True:
                try:
                    async with asyncio.timeout(idle):
                        found = await queue.get()
                except TimeoutError:
                    yield None
                    continue
                if found is None:
                    return
                yield found
        finally:
            self._listeners.discard(queue)

    def _dismiss(self, listener: asyncio.Queue[WorkerEvent | None]) -> None:
        self._listeners.discard(listener)
        listener.get_nowait()
        listener.put_nowait(None)
