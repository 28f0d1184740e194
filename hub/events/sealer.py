"""From the stream into files: fetch, write, sync, rename, note, and only then acknowledge.

Killed at any line, what was not acknowledged comes again: in the files an event stands at least once, and it
is read exactly once.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
import weakref
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
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
from hub.events.stream import EventStream, rest_since
from hub.ids import new_id

log = structlog.get_logger()

MOST_ROWS: Final = 20_000
"""Events in one go; the clockwork calls every ten seconds."""
MOST_FILES: Final = 360
"""Of a show that is still on: an hour's."""
SETTLED: Final = timedelta(minutes=2)
"""After its end a show's last events are on their way."""
STRAGGLERS: Final = timedelta(days=1)
"""So long after its end a show's files are made one at once. What comes later (a refund, a payment) has to be
`LATE_FILES` first: each time costs all of the show once more."""
LATE_FILES: Final = 12
GRACE: Final = timedelta(minutes=1)
"""A file that another one stands for stays so long: somebody may be reading it."""

SLICE: Final = 200

Show = tuple[UUID, UUID]
"""(brand, show)."""
Events = dict[Show, list[tuple[int, ViewerEvent]]]
Apart = dict[Show, list[tuple[int, bytes]]]

NOTE: Final = text(
    """
    INSERT INTO event_file (id, brand_id, show_id, path, first_seq, last_seq, rows, sha256, sealed_at)
    SELECT :id, brand_id, id, :path, :first, :last, :rows, :sha256, :now FROM show
    WHERE id = :show AND brand_id = :brand
    ON CONFLICT (path) DO NOTHING
    """
)
GONE: Final = text("DELETE FROM event_file WHERE brand_id = :brand AND path = ANY(:paths)")
NOTED: Final = text("SELECT brand_id, path FROM event_file")
LOGGED: Final = text(
    """
    SELECT show.brand_id AS brand, show.id AS show, show.ended_at, count(*) AS files,
        max(event_file.sealed_at) AS sealed_at
    FROM show JOIN event_file ON event_file.show_id = show.id GROUP BY show.id
    HAVING count(*) > 1 OR show.ended_at > :recent
    """
)


@dataclass(frozen=True)
class Logged:
    """A show and its files: how many, and when the newest was sealed."""

    brand: UUID
    show: UUID
    ended_at: datetime | None
    files: int
    sealed_at: datetime


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
        self._closed: set[Show] = set()
        self._nobodys: set[str] = set()
        self._lock: int | None = None

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
        events, apart = Events(), Apart()
        for start in range(0, len(messages), SLICE):
            begun = time.monotonic()
            sort_out(messages[start : start + SLICE], events, apart)
            # A thread would hold others up for longer: each step of the loop then waits for the interpreter.
            await rest_since(begun)
        for (brand, show), lines in apart.items():
            log.warning("events.kept_apart", show=str(show), count=len(lines))
            await asyncio.to_thread(self._log.keep_apart, brand, show, lines)
        for (brand, show), rows in events.items():
            sealed = await asyncio.to_thread(self._log.write, brand, show, rows)
            self._step("renamed")
            await self.note(brand, show, sealed)
            self._step("noted")

    async def note(self, brand: UUID, show: UUID, sealed: Sealed, replaced: Sequence[str] = ()) -> bool:
        """The row of a file; those it replaces lose theirs. False: the show was deleted, and gets none."""
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
            noted = (await run(session, NOTE, values)).rowcount
            if replaced:
                await run(session, GONE, {"brand": brand, "paths": [*replaced]})
        return bool(noted)

    async def tidy(self, copy: Callable[[UUID], Awaitable[int]]) -> int:
        """Make one file of a show's many, after its end or when they are too many; how many shows that was.

        `copy` brings a show's facts once more before its files are closed: whatever the copier passed over.
        """
        if not self._first():
            return 0
        await self._sweep()
        await self._reconcile()
        async with self._db.session() as session:
            recent = {"recent": self._clock() - STRAGGLERS}
            shows = [Logged(**row) for row in (await run(session, LOGGED, recent)).mappings()]
        return sum([await self._close(one, copy) for one in shows])

    async def _close(self, one: Logged, copy: Callable[[UUID], Awaitable[int]]) -> bool:
        """Make one file of a show's, if it is time."""
        key, now = (one.brand, one.show), self._clock()
        over = one.ended_at is not None and one.ended_at + SETTLED <= now
        late = one.ended_at is not None and one.ended_at + STRAGGLERS <= now
        most = (LATE_FILES if late else 2) if over else MOST_FILES
        if key in self._stale or (one.files < most and (late or not over or self._is_closed(one))):
            return False
        if over:
            await copy(one.show)
            await self.seal()
            self._closed.add(key)
        async with self._log.async_turn():
            merged = await asyncio.to_thread(self._log.merge, one.brand, one.show)
            if merged is None:
                return False
            self._step("merged")
            await self.note(one.brand, one.show, merged.sealed, merged.replaced)
            self._stale[key] = (merged, self._clock() + GRACE)
        return True

    def _is_closed(self, one: Logged) -> bool:
        """Whether its facts were brought once more since its end."""
        sealed_after = one.ended_at is not None and one.sealed_at >= one.ended_at + SETTLED
        return sealed_after or (one.brand, one.show) in self._closed

    def _first(self) -> bool:
        """Whether this process tidies, and no other before it dies: only it knows which files still wait for
        their readers."""
        if self._lock is None:
            self._log.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._log.folder / ".tidy", os.O_CREAT | os.O_WRONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                return False
            self._lock = lock
            weakref.finalize(self, os.close, lock)
        return True

    async def _reconcile(self) -> None:
        """Rows say what is on the disk, whoever died between the two, or left it to us."""
        async with self._log.async_turn():
            there = await asyncio.to_thread(self._log.all_files)
            async with self._db.session() as session:
                noted = {row["path"]: row["brand_id"] for row in (await run(session, NOTED)).mappings()}
            replaced = {path for merged, _ in self._stale.values() for path in merged.replaced}
            self._nobodys &= there.keys()
            for path in there.keys() - noted.keys() - replaced - self._nobodys:
                sealed = await asyncio.to_thread(self._log.described, there[path])
                brand, show = (UUID(part) for part in path.split("/")[:2])
                if not await self.note(brand, show, sealed):
                    self._nobodys.add(path)
            if gone := noted.keys() - there.keys():
                async with self._db.session() as session:
                    for brand in {noted[path] for path in gone}:
                        await run(session, GONE, {"brand": brand, "paths": [*gone]})

    async def _sweep(self) -> None:
        """Files that nobody can be reading any more go."""
        for show, (merged, due) in list(self._stale.items()):
            if due <= self._clock():
                async with self._log.async_turn():
                    await asyncio.to_thread(self._log.remove, merged.replaced)
                del self._stale[show]


def sort_out(messages: Sequence[Msg], events: Events, apart: Apart) -> None:
    """By show: what we can read, and what we cannot. What is on a subject of no show is nobody's."""
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
