"""The event log's verbs: keep what a page says, seal, copy, tidy, forget, rebuild, and read."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlmodel import col, select

from hub.auth.tokens import Viewer
from hub.clock import Clock
from hub.db import Database
from hub.errors import BadInput
from hub.events.copier import Copier
from hub.events.log import EventLog
from hub.events.schema import Heard, Stamp, ViewerEvent, hear, read
from hub.events.sealer import Sealer
from hub.events.stream import EventStream
from hub.public.pace import Quota
from hub.shows.models import Show

WINDOW: Final = 10.0
MOST_TOLD: Final = 12
"""Requests of one viewer in a window: one when the page goes away, and some while it has no socket."""
REMEMBERED: Final = 50_000
FRESH: Final = 5.0
"""Seconds for which it is not asked again when a show went live."""


class Events:
    """One for each process; what must be done by one alone, `hub/work` does."""

    def __init__(self, db: Database, clock: Clock, stream: EventStream, folder: Path) -> None:
        self.log = EventLog(folder)
        self.stream = stream
        self.copier = Copier(db, stream, clock)
        self.sealer = Sealer(db, stream, self.log, clock)
        self._db = db
        self._clock = clock
        self._quota = Quota(clock, MOST_TOLD, WINDOW, "Too many events. Send the next ones later.")
        self._live: dict[UUID, tuple[float, datetime | None]] = {}

    async def keep(self, viewer: Viewer, frame: bytes) -> Heard:
        """What a page tells over HTTP. BadInput, SlowDown and Unavailable promise nothing."""
        self._quota.check(viewer.id)
        live_at = await self._live_at(viewer.show_id)
        heard = hear(frame, Stamp(viewer.brand_id, viewer.show_id, viewer.id, self._clock(), live_at))
        if heard is None:
            raise BadInput("events_odd", "This is no list of events.")
        await self.stream.keep(heard.events)
        return heard

    async def _live_at(self, show_id: UUID) -> datetime | None:
        now = self._clock().timestamp()
        known = self._live.get(show_id)
        if known and known[0] > now:
            return known[1]
        async with self._db.session() as session:
            live_at = (await session.exec(select(Show.live_at).where(col(Show.id) == show_id))).first()
        if len(self._live) >= REMEMBERED:
            self._live.clear()
        self._live[show_id] = (now + FRESH, live_at)
        return live_at

    async def tidy(self) -> int:
        """One file for each show that is over."""
        return await self.sealer.tidy(self.copier.copy_show)

    async def rebuild(self, brand_id: UUID, show_id: UUID) -> Counter[str]:
        """A show's log anew, from the tables, from what the stream has, and from the files there are.

        Equal to what it was, unless something was missing. Returns the number of events by kind.
        """
        facts = await self.copier.of_show(show_id)
        async with self.log.async_turn():
            await self._unload(brand_id, show_id)
            if facts:
                # Before all that came through the stream: where they differ, the tables are right.
                await self._write(brand_id, show_id, [(0, fact) for fact in facts])
            await self._merge(brand_id, show_id)
        return await self.counts(brand_id, show_id)

    async def forget(self, brand_id: UUID, viewers: Iterable[str]) -> int:
        """Nothing of these viewers is left but that somebody was there; how many events that changed.

        The stream lets go of all it has of their shows: it is in the files by then.
        """
        gone, changed = {*viewers}, 0
        for show_id in {*self.log.shows(brand_id), *await self.stream.shows_of(brand_id)}:
            async with self.log.async_turn():
                last, theirs = await self._unload(brand_id, show_id, gone)
                found, merged = await asyncio.to_thread(self.log.rewrite, brand_id, show_id, gone)
                if merged:
                    await self.sealer.note(brand_id, show_id, merged.sealed, merged.replaced)
                if last is not None:
                    await self.stream.forget(brand_id, show_id, last, theirs)
            changed += found
        return changed

    async def _unload(
        self, brand_id: UUID, show_id: UUID, viewers: Collection[str] = ()
    ) -> tuple[int | None, list[int]]:
        """All that the stream, and what was kept apart, has of a show into files: the last number, and those
        of the events that name one of these viewers."""
        names = [viewer.encode() for viewer in viewers]
        last, theirs = None, list[int]()
        apart = [*await asyncio.to_thread(lambda: [*self.log.apart(brand_id, show_id)])]
        rows = [(seq, event) for seq, said in apart if (event := known(said))]
        if rows:
            await self._write(brand_id, show_id, rows)
        async for page in self.stream.of_show(brand_id, show_id):
            last = page[-1][0]
            theirs += [seq for seq, said in page if any(name in said for name in names)]
            rows = [(seq, event) for seq, said in page if (event := known(said))]
            if rows:
                await self._write(brand_id, show_id, rows)
        return last, theirs

    async def _write(self, brand_id: UUID, show_id: UUID, rows: list[tuple[int, ViewerEvent]]) -> None:
        sealed = await asyncio.to_thread(self.log.write, brand_id, show_id, rows)
        await self.sealer.note(brand_id, show_id, sealed)

    async def _merge(self, brand_id: UUID, show_id: UUID) -> None:
        merged = await asyncio.to_thread(self.log.merge, brand_id, show_id)
        if merged:
            await self.sealer.note(brand_id, show_id, merged.sealed, merged.replaced)
            await asyncio.to_thread(self.log.remove, merged.replaced)

    async def counts(self, brand_id: UUID, show_id: UUID) -> Counter[str]:
        """Events of a show by kind."""

        def count() -> Counter[str]:
            with self.log.connect() as db:
                view = self.log.view(brand_id, [show_id])
                query = f"SELECT kind, count(*) FROM {view} GROUP BY kind"  # noqa: S608 - names of ours
                return Counter(dict(db.execute(query).fetchall()))

        return await asyncio.to_thread(count)


def known(said: bytes) -> ViewerEvent | None:
    """What we can read of it."""
    try:
        found = read(said)
    except ValueError:
        return None
    return found if isinstance(found, ViewerEvent) else None
