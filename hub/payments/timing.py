"""How long each gateway takes: for Prometheus, for the studio, and for the choice of gateway.

Jobs run in one process, pages are served by another: both write to one table, a few rows a second at most.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.errors import Reconnect, Refused, RetryLater
from hub.clock import Clock
from hub.db import Database, run
from hub.errors import HubError

log = structlog.get_logger()

STEPS_MS: Final = (100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 4000, 6000, 10_000, 20_000)
ENDLESS: Final = 3_600_000
"""The last bucket: whatever took longer."""
EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
KEPT: Final = timedelta(days=1)
WRITE_AFTER: Final = 3.0
"""Seconds."""
RECENT: Final = timedelta(minutes=3)
FEWEST: Final = 4
"""Calls of the recent minutes before they say anything about a gateway."""

NOTE: Final = text(
    """
    INSERT INTO gateway_timing (connection_id, minute, operation, outcome, le_ms, brand_id, calls, total_ms)
    SELECT one.connection_id, minute, one.operation, one.outcome, one.le_ms, connection.brand_id, one.calls,
           one.total_ms
    FROM unnest(CAST(:connections AS uuid[]), CAST(:operations AS text[]), CAST(:outcomes AS text[]),
                CAST(:steps AS int[]), CAST(:calls AS bigint[]), CAST(:totals AS bigint[]))
         AS one(connection_id, operation, outcome, le_ms, calls, total_ms)
    JOIN connection ON connection.id = one.connection_id
    CROSS JOIN (VALUES (CAST(:minute AS timestamptz)), (CAST(:ever AS timestamptz))) AS at(minute)
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (connection_id, minute, operation, outcome, le_ms) DO UPDATE
        SET calls = gateway_timing.calls + excluded.calls,
            total_ms = gateway_timing.total_ms + excluded.total_ms
    """
)
FORGET: Final = text("DELETE FROM gateway_timing WHERE minute < :before AND minute > :ever")
SINCE: Final = text(
    """
    SELECT connection_id, operation, outcome, le_ms, sum(calls) AS calls
    FROM gateway_timing WHERE minute >= :since AND brand_id = :brand_id
    GROUP BY connection_id, operation, outcome, le_ms ORDER BY connection_id, operation, le_ms
    """
)
ALL: Final = text(
    """
    SELECT connector, operation, outcome, le_ms, sum(calls) AS calls, sum(total_ms) AS total_ms
    FROM gateway_timing JOIN connection ON connection.id = connection_id
    WHERE minute = :ever GROUP BY connector, operation, outcome, le_ms
    """
)

Slot = tuple[UUID, str, str, int]
"""(connection, operation, outcome, the bucket's upper end in ms)."""


@dataclass(frozen=True)
class Timing:
    """Calls of one kind that took up to `le_ms` and went so: ok, trouble or refused."""

    connection_id: UUID
    operation: str
    outcome: str
    le_ms: int
    calls: int


class Timings:
    """Counts in memory and writes a few seconds later; what a killed process had not written is lost."""

    def __init__(self, db: Database, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._clock = clock
        self._monotonic = monotonic
        self._calls: defaultdict[Slot, list[int]] = defaultdict(lambda: [0, 0])
        self._forgot_at = EVER
        self._writing: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Write what is left."""
        if self._writing:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
            await self._written()

    @asynccontextmanager
    async def timed(self, connection_id: UUID, operation: str) -> AsyncIterator[None]:
        """Measure a call. A decline is an answer like any other."""
        began, outcome = self._monotonic(), "trouble"
        try:
            yield
            outcome = "ok"
        except Refused:
            outcome = "refused"
            raise
        except (RetryLater, Reconnect):
            raise
        finally:
            self.count(connection_id, operation, outcome, self._monotonic() - began)

    def count(self, connection_id: UUID, operation: str, outcome: str, seconds: float) -> None:
        """One call."""
        took = round(seconds * 1000)
        slot = self._calls[(connection_id, operation, outcome, step_of(took))]
        slot[0] += 1
        slot[1] += took
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._soon())

    async def write(self) -> None:
        """Into the table, and forget what is old; nothing is lost when the database is away."""
        now = self._clock()
        counted, self._calls = self._calls, defaultdict(lambda: [0, 0])
        try:
            if counted or now - self._forgot_at > timedelta(hours=1):
                await self._store(counted, now)
        except BaseException:
            for slot, (calls, total) in counted.items():
                self._calls[slot][0] += calls
                self._calls[slot][1] += total
            raise

    async def recent(self, session: AsyncSession, brand_id: UUID, within: timedelta = RECENT) -> list[Timing]:
        """A brand's calls of the last minutes; whole minutes.

        The caller's session: a second one inside an open order empties the pool when many order at once.
        """
        since = (self._clock() - within).replace(second=0, microsecond=0)
        rows = await run(session, SINCE, {"since": since, "brand_id": brand_id})
        return [
            Timing(row.connection_id, row.operation, row.outcome, row.le_ms, int(row.calls)) for row in rows
        ]

    async def exposition(self) -> bytes:
        """Every call there ever was, as Prometheus reads it."""
        try:
            async with self._db.session() as session:
                rows = (await run(session, ALL, {"ever": EVER})).all()
        except HubError:
            # What else there is to tell is told all the same.
            return b""
        registry = CollectorRegistry()
        registry.register(Report(rows))
        return generate_latest(registry)

    async def _soon(self) -> None:
        await asyncio.sleep(WRITE_AFTER)
        await self._written()

    async def _written(self) -> None:
        try:
            await self.write()
        except (HubError, OSError) as error:
            log.warning("payment.timings_not_written", why=type(error).__name__)

    async def _store(self, counted: dict[Slot, list[int]], now: datetime) -> None:
        values: dict[str, Any] = {
            "connections": [slot[0] for slot in counted],
            "operations": [slot[1] for slot in counted],
            "outcomes": [slot[2] for slot in counted],
            "steps": [slot[3] for slot in counted],
            "calls": [calls for calls, _ in counted.values()],
            "totals": [total for _, total in counted.values()],
            "minute": now.replace(second=0, microsecond=0),
            "ever": EVER,
        }
        async with self._db.session() as session:
            if counted:
                await run(session, NOTE, values)
            if now - self._forgot_at > timedelta(hours=1):
                await run(session, FORGET, {"before": now - KEPT, "ever": EVER})
        self._forgot_at = now if now - self._forgot_at > timedelta(hours=1) else self._forgot_at


class Report(Collector):
    """simulcast_payment_seconds, by gateway, kind of call and how it went."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def collect(self) -> Iterator[Metric]:
        """One histogram."""
        family = HistogramMetricFamily(
            "simulcast_payment_seconds",
            "How long payment gateways take to answer",
            labels=["gateway", "operation", "outcome"],
        )
        groups: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
        for row in self._rows:
            groups[(row.connector, row.operation, row.outcome)].append(row)
        for labels, rows in sorted(groups.items()):
            total = sum(int(row.total_ms) for row in rows) / 1000
            family.add_metric(labels, buckets(rows), total)
        yield family


def buckets(rows: Iterable[Any]) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus wants them."""
    calls = {row.le_ms: int(row.calls) for row in rows}
    found, so_far = [], 0
    for step in (*STEPS_MS, ENDLESS):
        so_far += calls.get(step, 0)
        found.append(("+Inf" if step == ENDLESS else str(step / 1000), float(so_far)))
    return found


def step_of(milliseconds: int) -> int:
    """The upper end of the bucket this falls into."""
    place = bisect_left(STEPS_MS, milliseconds)
    return STEPS_MS[place] if place < len(STEPS_MS) else ENDLESS


def unwell(timings: Iterable[Timing], budget_ms: float) -> bool:
    """Whether most authorisations of these took longer than the budget, or failed."""
    mine = [one for one in timings if one.operation == "authorise"]
    calls = sum(one.calls for one in mine)
    bad = sum(one.calls for one in mine if one.outcome == "trouble" or one.le_ms > budget_ms)
    return calls >= FEWEST and bad * 2 > calls
