"""How many messages viewers were not shown: told together, or telling it would be a storm of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.bus import Bus, Event
from hub.db import after_commit
from hub.news import Coalescer

TOLD_EVERY: Final = 0.5


@dataclass
class Skipped:
    """Messages in a row of numbers, some of which may have been shown."""

    count: int
    first_seq: int
    last_seq: int


class Skips:
    """Counts by show; the first skip after a silence is told at once."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: dict[UUID, Skipped] = {}
        self._news: Coalescer[UUID] = Coalescer(TOLD_EVERY, self._tell)

    def note(self, session: AsyncSession, show_id: UUID, seqs: Sequence[int]) -> None:
        """These were stored and not shown, once this transaction has committed."""

        async def count() -> None:
            before = self._waiting.get(show_id) or Skipped(0, min(seqs), max(seqs))
            first, last = min(before.first_seq, *seqs), max(before.last_seq, *seqs)
            self._waiting[show_id] = Skipped(before.count + len(seqs), first, last)
            self._news.touch(show_id)

        if seqs:
            after_commit(session, count)

    async def close(self) -> None:
        """Tell what is left."""
        await self._news.close()

    async def _tell(self, shows: set[UUID]) -> None:
        for show_id in shows:
            if skipped := self._waiting.pop(show_id, None):
                data = {
                    "count": skipped.count,
                    "first_seq": skipped.first_seq,
                    "last_seq": skipped.last_seq,
                }
                await self._bus.publish(Event(show_id=show_id, kind="messages.skipped", data=data))
