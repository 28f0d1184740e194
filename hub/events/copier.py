"""Copies the hub's facts into the stream, a little behind what happens, and never twice from the same place.

What is copied is older than any transaction under way: a row that commits late is not passed over.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import RowMapping, text

from hub.clock import Clock
from hub.db import Database, run
from hub.events.facts import SOURCES, Source, fact_of
from hub.events.schema import ViewerEvent
from hub.events.stream import EventStream, rest_since

log = structlog.get_logger()

PAGE: Final = 4_000
MOST_PAGES: Final = 40
"""Of one table in one tick."""
BEHIND: Final = timedelta(seconds=5)
"""A row's id or moment is made a little before its transaction begins: in a rush it waits for its turn first.
What waits for longer is passed over here, and brought when its show's files are closed."""
LONGEST_BEHIND: Final = timedelta(minutes=5)
"""A backup may keep a transaction open for hours; nothing of ours does."""
STEP: Final = timedelta(days=1)
BACK: Final = timedelta(days=30)
"""Where the ledger's copy begins on an installation that has none yet."""
CHUNK: Final = 100
"""Facts that are made and sent at a time: in a storm chats and payments are waiting for the same loop."""

OLDEST: Final = text(
    """
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    """
)
POSITION: Final = text("SELECT position FROM event_cursor WHERE source = :source")
MOVE: Final = text(
    """
    INSERT INTO event_cursor (source, position, updated_at) VALUES (:source, :position, :now)
    ON CONFLICT (source) DO UPDATE SET position = excluded.position, updated_at = excluded.updated_at
    """
)

Place = UUID | datetime


class Copier:
    """One at a time among all processes."""

    def __init__(
        self, db: Database, stream: EventStream, clock: Clock, *, behind: timedelta = BEHIND
    ) -> None:
        self._db = db
        self._stream = stream
        self._clock = clock
        self._behind = behind

    async def copy(self) -> int:
        """Whatever is new in all tables; how many facts. Raises Unavailable when the stream takes none."""
        total = 0
        for source in SOURCES:
            for _ in range(MOST_PAGES):
                copied, more = await self._page(source)
                total += copied
                if not more:
                    break
        return total

    async def copy_show(self, show_id: UUID) -> int:
        """All facts of a show once more: what it had already is passed over when read."""
        facts = await self.of_show(show_id)
        for start in range(0, len(facts), CHUNK):
            await self._stream.keep(facts[start : start + CHUNK])
        return len(facts)

    async def of_show(self, show_id: UUID) -> list[ViewerEvent]:
        """Every fact of a show, from the tables."""
        found: dict[UUID, ViewerEvent] = {}
        async with self._db.session() as session:
            for source in SOURCES:
                for row in (await run(session, text(source.of_show()), {"show": show_id})).mappings():
                    fact = fact_of(row)
                    found.setdefault(fact.id, fact)
        return [*found.values()]

    async def _page(self, source: Source) -> tuple[int, bool]:
        """One page of a table: how many facts, and whether there may be more."""
        # The time first: whatever begins while the database answers is newer than the horizon.
        now, clock_now = time.time(), self._clock()
        async with self._db.session() as session:
            lag = timedelta(seconds=float((await run(session, OLDEST)).scalar_one()))
            behind = min(lag, LONGEST_BEHIND) + self._behind
            # Ids are made by the machine's own clock.
            horizon: Place = clock_now - behind if source.in_time else id_at(now - behind.total_seconds())
            until = horizon
            said = (await run(session, POSITION, {"source": source.name})).scalar_one_or_none()
            after = self._place(source, said)
            if isinstance(horizon, datetime) and isinstance(after, datetime):
                until = min(horizon, after + STEP)
            values = {"after": after, "until": until, "most": PAGE}
            rows = (await run(session, text(source.window()), values)).mappings().all()
        await self._keep(rows)
        full = len(rows) >= PAGE
        reached = rows[-1]["position"] if full else until
        if reached > after:  # type: ignore[operator]  # both are ids, or both moments
            await self._move(source, reached)
        return len(rows), full or until != horizon

    async def _move(self, source: Source, to: Place) -> None:
        position = to.isoformat() if isinstance(to, datetime) else str(to)
        async with self._db.session() as session:
            values = {"source": source.name, "position": position, "now": self._clock()}
            await run(session, MOVE, values)

    def _place(self, source: Source, said: str | None) -> Place:
        if source.in_time:
            return datetime.fromisoformat(said) if said else self._clock() - BACK
        return UUID(said) if said else UUID(int=0)

    async def _keep(self, rows: Sequence[RowMapping]) -> None:
        for start in range(0, len(rows), CHUNK):
            begun = time.monotonic()
            await self._stream.keep([fact_of(row) for row in rows[start : start + CHUNK]])
            await rest_since(begun)


def id_at(moment: float) -> UUID:
    """The greatest UUIDv7 of a moment: all ids made until then are at most this."""
    milliseconds = int(moment * 1000)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | ((1 << 76) - 1))
