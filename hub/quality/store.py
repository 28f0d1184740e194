"""Keeping beacons: those of about a quarter of a second are one statement.

A crowd of 5,000 reports 500 times a second; one by one that would be 500 transactions, so it is four.
Each is acknowledged when it is stored, and not before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from hub.clock import Clock
from hub.db import Database, away
from hub.errors import NotFound
from hub.quality.beacon import Beacon, Device
from hub.quality.limits import Limits
from hub.quality.region import NOWHERE, Region

log = structlog.get_logger()

TICK: Final = 0.25
MOST_WAITING: Final = 5_000

COLUMNS: Final = {
    "session": "uuid",
    "kind": "text",
    "device": "text",
    "transport": "text",
    "seq": "int",
    "ended": "boolean",
    "at_ms": "bigint",
    "startup_ms": "int",
    "watched_ms": "bigint",
    "stalls": "int",
    "stalled_ms": "bigint",
    "height": "int",
    "height_ms": "bigint",
    "latency_ms": "int",
    "dropped": "bigint",
    "frames": "bigint",
    "switches": "int",
    "fallbacks": "int",
    "error_detail": "text",
    "region": "text",
    "region_by": "text",
}
"""Of a row, as a beacon fills them. They come last in the statement, an array for each."""


def keep_statement() -> str:
    """$1 slugs, $2 error codes (separated by spaces), $3 now, then an array for each of the columns.

    Sorted, so that two processes never wait for each other. An older or repeated beacon changes nothing.
    """
    names = ", ".join(COLUMNS)
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(COLUMNS.values(), start=4))
    newer = ", ".join(f"{name} = excluded.{name}" for name in (*COLUMNS, "error_codes", "seen_at"))
    return f"""
        WITH known AS (
            SELECT show.id AS show_id, show.brand_id, beacon.* FROM show
            JOIN unnest($1::text[], $2::text[], {arrays}) AS beacon(slug, error_codes, {names}) USING (slug)),
        stored AS (
            INSERT INTO playback_session AS kept (show_id, brand_id, error_codes, seen_at, {names})
            SELECT show_id, brand_id, string_to_array(error_codes, ' '), $3, {names}
            FROM known ORDER BY show_id, session
            ON CONFLICT (show_id, session) DO UPDATE SET {newer} WHERE kept.seq < excluded.seq)
        SELECT DISTINCT slug FROM known
    """  # noqa: S608 - names of ours alone


KEEP: Final = keep_statement()


@dataclass(frozen=True)
class Report:
    """A beacon, and for which show, from what kind of device and from which region it came."""

    slug: str
    device: Device
    beacon: Beacon
    region: Region = NOWHERE

    @property
    def key(self) -> tuple[str, UUID]:
        """Whose it is."""
        return self.slug, self.beacon.session

    def values(self) -> dict[str, object]:
        """By column."""
        one = self.beacon
        return one.model_dump(include={*COLUMNS}) | {
            "device": self.device,
            "height_ms": one.height_sum,
            "error_detail": one.last_words,
            "region": self.region.name,
            "region_by": self.region.by,
        }


Waiting = tuple[Report, "asyncio.Future[None]"]


class Beacons:
    """Collects reports and stores them together."""

    def __init__(self, db: Database, clock: Clock, tick: float = TICK) -> None:
        self._db = db
        self._clock = clock
        self._tick = tick
        self._limits = Limits(clock)
        self._waiting: list[Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def take(self, report: Report) -> None:
        """Returns when it is stored. Raises NotFound (the show), SlowDown or Unavailable (not stored)."""
        self._limits.check(report.beacon.session)
        if len(self._waiting) >= MOST_WAITING:
            raise away()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append((report, future))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run(), name="beacons")
        await future

    async def close(self) -> None:
        """Stop; those still waiting are told that nothing was stored."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(away())

    async def _run(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._tick)
            batch, self._waiting = self._waiting, []
            known = None
            try:
                known = await self.keep([report for report, _ in batch], self._clock())
            except Exception as error:  # noqa: BLE001 - a supervisor: every player gets an answer
                log.warning("beacons.not_stored", size=len(batch), error=type(error).__name__)
            finally:
                for report, future in batch:
                    answer(report, future, known)

    async def keep(self, reports: Sequence[Report], now: datetime) -> set[str]:
        """Store in one statement: the slugs among them that are shows."""
        newest: dict[tuple[str, UUID], Report] = {}
        for report in reports:
            known = newest.setdefault(report.key, report)
            if report.beacon.seq > known.beacon.seq:
                newest[report.key] = report
        slugs = [slug for slug, _ in newest]
        codes = [" ".join(fault.code for fault in report.beacon.errors) for report in newest.values()]
        values = [report.values() for report in newest.values()]
        columns = ([one[name] for one in values] for name in COLUMNS)
        rows = await self._db.pool.fetch(KEEP, slugs, codes, now, *columns)
        return {row["slug"] for row in rows}


def answer(report: Report, future: asyncio.Future[None], known: set[str] | None) -> None:
    """`known`: the shows that there are, or None when nothing was stored."""
    if future.done():
        return  # the player did not wait
    if known is None:
        future.set_exception(away())
    elif report.slug not in known:
        future.set_exception(NotFound("show_unknown", "There is no show at this address."))
    else:
        future.set_result(None)
