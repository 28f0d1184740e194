"""From the stream into files: fetch, write, sync, rename, note, and only then acknowledge.

Killed at any line, what was not acknowledged comes again: in the files an event stands at least once, and it
is read exactly once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from nats.aio.msg import Msg
from sqlalchemy import text

from hub.clock import Clock
from hub.db import Database, run
from hub.events.log import EventLog, Merged, Sealed
from hub.events.schema import ViewerEvent, read
from hub.events.stream import EventStream
from hub.ids import new_id

log = structlog.get_logger()

MOST_ROWS: Final = 20_000
"""Events in one go; the clockwork calls every ten seconds."""
MOST_FILES: Final = 360
"""Of a show that is still on: an hour's."""
SETTLED: Final = timedelta(minutes=2)
"""After its end a show's last events are on their way."""
GRACE: Final = timedelta(minutes=1)
"""A file that another one stands for stays so long: somebody may be reading it."""

Show = tuple[UUID, UUID]
"""(brand, show)."""

NOTE: Final = text(
    """
    INSERT INTO event_file (id, brand_id, show_id, path, first_seq, last_seq, rows, sha256, sealed_at)
    SELECT :id, brand_id, id, :path, :first, :last, :rows, :sha256, :now FROM show
    WHERE id = :show AND brand_id = :brand
    ON CONFLICT (path) DO NOTHING
    """
)
GONE: Final = text("DELETE FROM event_file WHERE brand_id = :brand AND path = ANY(:paths)")
LOGGED: Final = text(
    """
    SELECT show.brand_id, show.id, show.ended_at, array_agg(event_file.path) FROM show
    JOIN event_file ON event_file.show_id = show.id GROUP BY show.id
    """
)


class Sealer:
    """One at a time among all processes. `step` is told what was just done: tests end everything there."""

    def __init__(
        self,
        db: Database,
        stream: EventStream,
        event_log: EventLog,
        clock: Clock,
        *,
        step: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._db = db
        self._stream = stream
        self._log = event_log
        self._clock = clock
        self._step = step
        self._stale: dict[Show, tuple[Merged, datetime]] = {}

    async def seal(self) -> int:
        """Everything that waits in the stream; how many events that was."""
        total = 0
        async with self._log.async_turn():
            while taken := await self._stream.fetch(MOST_ROWS):
                self._step("fetched")
                await self._write(taken)
                await self._stream.acknowledge(taken)
                self._step("acknowledged")
                total += len(taken)
                if len(taken) < MOST_ROWS:
                    break
        if total:
            await self._stream.make_room()
        return total

    async def _write(self, messages: Sequence[Msg]) -> None:
        events, apart = sorted_out(messages)
        for (brand, show), lines in apart.items():
            log.warning("events.kept_apart", show=str(show), count=len(lines))
            await asyncio.to_thread(self._log.keep_apart, brand, show, lines)
        for (brand, show), rows in events.items():
            sealed = await asyncio.to_thread(self._log.write, brand, show, rows)
            self._step("renamed")
            await self.note(brand, show, sealed)
            self._step("noted")

    async def note(self, brand: UUID, show: UUID, sealed: Sealed, replaced: Sequence[str] = ()) -> None:
        """The row of a file; those it replaces lose theirs. A show that was deleted gets none."""
        async with self._db.session() as session:
            values = {
                "id": new_id(),
                "brand": brand,
                "show": show,
                "path": sealed.path,
                "first": sealed.first_seq,
                "last": sealed.last_seq,
                "rows": sealed.rows,
                "sha256": sealed.sha256,
                "now": self._clock(),
            }
            await run(session, NOTE, values)
            if replaced:
                await run(session, GONE, {"brand": brand, "paths": [*replaced]})

    async def tidy(self, copy: Callable[[UUID], Awaitable[int]]) -> int:
        """Make one file of a show's many, after its end or when they are too many; how many shows that was.

        `copy` brings a show's facts once more before its files are closed.
        """
        await self._sweep()
        async with self._db.session() as session:
            shows = [tuple(row) for row in await run(session, LOGGED)]
        tidied = 0
        for brand, show, ended_at, noted in shows:
            await self._reconcile(brand, show, {*noted})
            over = ended_at is not None and ended_at + SETTLED <= self._clock()
            count = len(await asyncio.to_thread(self._log.files, brand, show))
            if (brand, show) in self._stale or count < (2 if over else MOST_FILES):
                continue
            if over:
                await copy(show)
                await self.seal()
            async with self._log.async_turn():
                merged = await asyncio.to_thread(self._log.merge, brand, show)
                if merged is None:
                    continue
                self._step("merged")
                await self.note(brand, show, merged.sealed, merged.replaced)
                self._stale[brand, show] = (merged, self._clock() + GRACE)
            tidied += 1
        return tidied

    async def _reconcile(self, brand: UUID, show: UUID, noted: set[str]) -> None:
        """Rows say what is on the disk, whoever died between the two."""
        async with self._log.async_turn():
            files = await asyncio.to_thread(self._log.files, brand, show)
            there = {str(path.relative_to(self._log.folder)): path for path in files}
            replaced = self._stale[brand, show][0].replaced if (brand, show) in self._stale else []
            for name in there.keys() - noted - {*replaced}:
                sealed = await asyncio.to_thread(self._log.described, there[name])
                await self.note(brand, show, sealed)
            if gone := noted - there.keys():
                async with self._db.session() as session:
                    await run(session, GONE, {"brand": brand, "paths": [*gone]})

    async def _sweep(self) -> None:
        """Files that nobody can be reading any more go."""
        for show, (merged, due) in list(self._stale.items()):
            if due <= self._clock():
                async with self._log.async_turn():
                    await asyncio.to_thread(self._log.remove, merged.replaced)
                del self._stale[show]


def sorted_out(
    messages: Sequence[Msg],
) -> tuple[dict[Show, list[tuple[int, ViewerEvent]]], dict[Show, list[tuple[int, bytes]]]]:
    """By show: what we can read, and what we cannot. What is on a subject of no show is nobody's."""
    events: dict[Show, list[tuple[int, ViewerEvent]]] = {}
    apart: dict[Show, list[tuple[int, bytes]]] = {}
    for message in messages:
        seq = message.metadata.sequence.stream
        try:
            brand, show = message.subject.split(".")[1:]
            key = (UUID(brand), UUID(show))
        except ValueError:
            log.warning("events.odd_subject", subject=message.subject[:100])
            continue
        try:
            found = read(message.data)
        except ValueError:
            found = None
        if isinstance(found, ViewerEvent) and (found.brand_id, found.show_id) == key:
            events.setdefault(key, []).append((seq, found))
        else:
            apart.setdefault(key, []).append((seq, message.data))
    return events, apart
