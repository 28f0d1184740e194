"""From many readers into one feed: what all chats of a show have said goes into one transaction.

Each reading has its own bounded queue, so one flooded chat slows its own reader and nobody else's. While a
transaction is under way the next one's messages gather: the busier it is, the larger the batches.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from connectors.types import ChatHealth, ChatItem, ChatMessage
from hub.errors import Unavailable
from hub.services import Services

log = structlog.get_logger()

LARGEST_BATCH: Final = 200
"""Of one chat."""
MOST_WAITING: Final = 2000
GATHER: Final = 0.04
"""Seconds from one batch to the next. The first after a silence is stored at once; in a storm a transaction
for each few messages would cost more than they do."""
AGAIN_AFTER: Final = 0.5
PATIENCE: Final = 3.0
"""Seconds a chat that was left alone may take to show where it goes on, before that is called a gap."""


class Reading:
    """One chat being read. `resumed`: it was left at that moment, and no cursor says where."""

    def __init__(self, target_id: UUID, resumed: datetime | None, wake: asyncio.Event) -> None:
        self.target_id = target_id
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue: asyncio.Queue[ChatItem] = asyncio.Queue(MOST_WAITING)
        self._unstored = 0
        self._resumed = resumed
        self._asks_after: float | None = None
        self._wake = wake

    @property
    def settled(self) -> bool:
        """Whether all it has heard is in the feed, and a gap before that is, too."""
        return self._resumed is None and not self._unstored

    async def put(self, item: ChatItem) -> None:
        """Waits when the database is slower than the chat."""
        self._unstored += 1
        await self._queue.put(item)
        self._wake.set()
        if self._resumed and self._asks_after is None:
            loop = asyncio.get_running_loop()
            self._asks_after = loop.time() + PATIENCE
            loop.call_later(PATIENCE, self._wake.set)

    async def stored(self) -> None:
        """Until all that was put is in the feed."""
        await self._queue.join()

    def take(self) -> list[ChatItem]:
        """What waits, as much as fits into a batch."""
        found: list[ChatItem] = []
        while len(found) < LARGEST_BATCH and not self._queue.empty():
            found.append(self._queue.get_nowait())
        return found

    def since(self, found: list[ChatItem]) -> datetime | None:
        """The beginning of what may be a gap, when it is time to tell; asked once more when storing fails."""
        if self._resumed is None or self._asks_after is None:
            return None
        late = asyncio.get_running_loop().time() >= self._asks_after
        return self._resumed if late or any(isinstance(one, ChatMessage) for one in found) else None

    def done(self, found: list[ChatItem], since: datetime | None) -> None:
        """They are in the feed."""
        if since:
            self._resumed = None
        self._unstored -= len(found)
        for _ in found:
            self._queue.task_done()

    def fail(self, error: Exception) -> None:
        """They cannot be stored; the reading ends with that."""
        if not self.failed.done():
            self.failed.set_exception(error)


class Writer:
    """One show's."""

    def __init__(self, hub: Services, show_id: UUID) -> None:
        self.readings: set[Reading] = set()
        self._hub = hub
        self._show_id = show_id
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"chat writer {show_id}")

    def open(self, target_id: UUID, resumed: datetime | None) -> Reading:
        """A chat begins to be read."""
        reading = Reading(target_id, resumed, self._wake)
        self.readings.add(reading)
        return reading

    def close(self, reading: Reading) -> None:
        """It is read no more; what it has said and is not stored yet is given up."""
        self.readings.discard(reading)
        reading.failed.cancel()

    async def stop(self) -> None:
        """No more readings."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            loop = asyncio.get_running_loop()
            begun = loop.time()
            while await self._flush():
                await asyncio.sleep(begun + GATHER - loop.time())
                begun = loop.time()

    async def _flush(self) -> bool:
        """One transaction for all that waits; False when nothing does."""
        batches = {}
        for reading in tuple(self.readings):
            found = reading.take()
            since = reading.since(found)
            if found or since:
                batches[reading] = (found, since)
        if not batches:
            return False
        try:
            await self._store(batches)
        except Exception:  # a supervisor: one chat's odd message must not silence the others
            log.exception("chat.batch_failed", chats=len(batches))
            # One of them is to blame: alone, each shows whether it is.
            for reading, batch in batches.items():
                try:
                    await self._store({reading: batch})
                except Exception:  # a supervisor: what is odd is sifted out
                    log.exception("chat.sifted", target=str(reading.target_id))
                    await self._sift(reading, *batch)
        return True

    async def _sift(self, reading: Reading, found: list[ChatItem], since: datetime | None) -> None:
        """Store all but what cannot be stored, and say that there was such a thing.

        Were the reading only begun again, it would meet the same message for ever.
        """
        lost = 0
        for item in found:
            try:
                await self._store({reading: ([item], since)})
                since = None
            except Exception:  # this is the one
                log.exception("chat.not_stored", target=str(reading.target_id), kind=type(item).__name__)
                reading.done([item], None)
                lost += 1
        if not lost:
            return
        missing = ChatHealth(
            state="connected", detail=f"{lost} of its messages could not be kept.", missed=True
        )
        try:
            async with self._hub.db.session() as session:
                await self._hub.chat.receive_all(session, self._show_id, {reading.target_id: [missing]})
        except Exception as error:  # then it is no message that is to blame
            log.exception("chat.not_stored", target=str(reading.target_id))
            reading.fail(error)

    async def _store(self, batches: dict[Reading, tuple[list[ChatItem], datetime | None]]) -> None:
        while True:
            heard: dict[UUID, list[ChatItem]] = {}
            resumed: dict[UUID, datetime] = {}
            for reading, (found, since) in batches.items():
                heard.setdefault(reading.target_id, []).extend(found)
                if since:
                    resumed[reading.target_id] = since
            try:
                async with self._hub.db.session() as session:
                    await self._hub.chat.receive_all(session, self._show_id, heard, resumed)
            except Unavailable:
                log.warning("chat.waiting_for_database", waiting=sum(map(len, heard.values())))
                await asyncio.sleep(AGAIN_AFTER)
            else:
                for reading, (found, since) in batches.items():
                    reading.done(found, since)
                return
