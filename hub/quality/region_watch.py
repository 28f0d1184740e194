"""Regions against each other: every minute kept, and whoever is much worse off than the others told of."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.bus import Event
from hub.clock import Clock
from hub.db import announce, run
from hub.ids import new_id
from hub.quality import region_queries as queries
from hub.quality.bars import REBUFFER
from hub.quality.out import AlarmKind, AlarmOut, RegionPointOut
from hub.quality.service import EPOCH, HERE_FOR, MOST_POINTS, MOST_REGIONS
from hub.shows.models import Show

TIMES: Final = 2
"""Worse than so many times the median of the regions is an alarm (S11)."""
ENOUGH: Final = 10
"""Players that a region's value must rest on: among fewer, one bad line is the whole region."""
LEAST_REGIONS: Final = 3
"""Of two, none can be more than twice what lies between them."""
LATELY: Final = timedelta(minutes=10)
"""What an alarm looks at: long enough to mean something, short enough to end when it is better."""


@dataclass(frozen=True)
class Reading:
    """One region of one show in the last ten minutes; times in ms."""

    region: str
    viewers: int
    startups: int
    startup_ms: float | None
    watched_ms: int
    stalled_ms: int


@dataclass(frozen=True)
class Finding:
    """A region that is worse off, in what, and how many players say so."""

    region: str
    kind: AlarmKind
    value: float
    median: float
    viewers: int


def judged(readings: Sequence[Reading]) -> list[Finding]:
    """Every region of a show that is more than twice as bad as the regions' median. Pure.

    Where hardly anybody waits, twice nothing is nothing to speak of: stalls below the bar are good anyhow.
    """
    starts = {
        one.region: (one.startup_ms, one.startups)
        for one in readings
        if one.startups >= ENOUGH and one.startup_ms is not None
    }
    stalls = {
        one.region: (one.stalled_ms / (one.stalled_ms + one.watched_ms), one.viewers)
        for one in readings
        if one.viewers >= ENOUGH and one.stalled_ms + one.watched_ms
    }
    return [*worse("startup", starts, 0.0), *worse("stalls", stalls, REBUFFER)]


def worse(kind: AlarmKind, values: dict[str, tuple[float, int]], floor: float) -> list[Finding]:
    """Those more than twice the median, and above the floor."""
    if len(values) < LEAST_REGIONS:
        return []
    median = statistics.median(value for value, _ in values.values())
    return [
        Finding(region, kind, value, median, viewers)
        for region, (value, viewers) in values.items()
        if value > max(TIMES * median, floor)
    ]


class RegionWatch:
    """Keeps the points and the alarms; both may be asked for by the studio."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def mark(self, session: AsyncSession) -> None:
        """This minute's points of every live show, then its alarms. Repeatable, every few seconds."""
        now = self._clock()
        at = now.replace(second=0, microsecond=0)
        values = {"at": at, "fresh": now - HERE_FOR, "recent": now - LATELY, "most": MOST_REGIONS}
        await run(session, queries.MARK, values)
        rows = await run(session, queries.LATELY, {"at": at, "since": at - LATELY})
        shows: dict[tuple[UUID, UUID], list[Reading]] = {}
        for row in rows.mappings():
            told = {name: row[name] for name in Reading.__dataclass_fields__}
            shows.setdefault((row["show_id"], row["brand_id"]), []).append(Reading(**told))
        found = {(show, brand): judged(readings) for (show, brand), readings in shows.items()}
        changed = await self._begin(session, found, now) | await self._end(session, found, now)
        for show_id in changed:
            announce(session, Event(show_id=show_id, kind="alarms.changed", audience="staff"))

    async def alarms(
        self, session: AsyncSession, brand_id: UUID, show_id: UUID | None = None
    ) -> list[AlarmOut]:
        """Those of a brand that go on; of one show also those that are over. The newest 100."""
        values = {"brand_id": brand_id, "show_id": show_id, "open": show_id is None}
        rows = await run(session, queries.ALARMS, values)
        return [AlarmOut.model_validate(dict(row)) for row in rows.mappings()]

    async def history(
        self, session: AsyncSession, show: Show, since: datetime | None
    ) -> list[RegionPointOut]:
        """A point for each region and minute, oldest first; the newest when there are more than 2,000."""
        values = {
            "show_id": show.id,
            "brand_id": show.brand_id,
            "since": since or EPOCH,
            "limit": MOST_POINTS,
        }
        rows = (await run(session, queries.HISTORY, values)).mappings().all()
        return [RegionPointOut.model_validate(dict(row)) for row in reversed(rows)]

    async def _begin(
        self, session: AsyncSession, found: dict[tuple[UUID, UUID], list[Finding]], now: datetime
    ) -> set[UUID]:
        """The shows with alarms that were not there before; the numbers of those that were are renewed."""
        begun = set()
        for (show_id, brand_id), findings in found.items():
            for one in findings:
                values: dict[str, Any] = {"id": new_id(), "show_id": show_id, "brand_id": brand_id}
                row = (await run(session, queries.OPENED, values | vars(one) | {"now": now})).one()
                if row.begun:
                    begun.add(show_id)
        return begun

    async def _end(
        self, session: AsyncSession, found: dict[tuple[UUID, UUID], list[Finding]], now: datetime
    ) -> set[UUID]:
        """The shows with alarms that are over: it is better, too few are left to tell, or the show ended."""
        bad = {(show, one.region, one.kind) for (show, _), findings in found.items() for one in findings}
        over = {
            row.id: row.show_id
            for row in await run(session, queries.OPEN)
            if (row.show_id, row.region, row.kind) not in bad
        }
        if over:
            await run(session, queries.ENDED, {"now": now, "ids": [*over]})
        return {*over.values()}
