"""How a show's viewers see it: the figures now, player by player, and over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import TextClause
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.db import run
from hub.quality import queries
from hub.quality.bars import LATENCY_MS, REBUFFER, STARTUP_MS, grade
from hub.quality.out import (
    ErrorCount,
    Figure,
    PointOut,
    QualityOut,
    Ratio,
    RegionOut,
    Rung,
    SessionOut,
    ViewersNow,
)
from hub.quality.region_queries import ALARMS_NOW, REGIONS
from hub.shows.models import Show

HERE_FOR: Final = timedelta(seconds=25)
"""Players report about every ten seconds: whoever missed two in a row has gone."""
POINT_EVERY: Final = 10
Every = Literal["10s", "1m"]
INTERVALS: Final = {"10s": timedelta(seconds=POINT_EVERY), "1m": timedelta(minutes=1)}
MOST_POINTS: Final = 2000
MOST_PROBES: Final = 20
MOST_REGIONS: Final = 50
EPOCH: Final = datetime.fromtimestamp(0, UTC)
AN_HOUR_MS: Final = 3_600_000


class Quality:
    """Answers from the tables alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def now(self, session: AsyncSession, show: Show) -> QualityOut:
        """The figures of this moment."""
        total, rungs, errors = [
            await self._rows(session, query, show)
            for query in (queries.TOTALS, queries.RUNGS, queries.ERRORS)
        ]
        probes = await self._rows(session, queries.NEWEST, show, kind="probe", limit=MOST_PROBES)
        regions = await self._rows(session, REGIONS, show, limit=MOST_REGIONS)
        alarms = await self._rows(session, ALARMS_NOW, show)
        return figures(
            total[0],
            at=self._clock(),
            rungs=[Rung.model_validate(one) for one in rungs],
            errors=[ErrorCount.model_validate(one) for one in errors],
            probes=[SessionOut.model_validate(one) for one in probes],
            regions=[region_figures(one, alarms) for one in regions],
        )

    async def sessions(self, session: AsyncSession, show: Show, limit: int) -> list[SessionOut]:
        """Viewers one by one, those with most trouble first."""
        rows = await self._rows(session, queries.TROUBLED, show, kind="viewer", limit=limit)
        return [SessionOut.model_validate(one) for one in rows]

    async def history(
        self, session: AsyncSession, show: Show, every: Every, since: datetime | None
    ) -> list[PointOut]:
        """A point for each such time, oldest first; the newest when there are more than 2,000."""
        values = {
            "show_id": show.id,
            "brand_id": show.brand_id,
            "every": INTERVALS[every],
            "since": since or EPOCH,
            "limit": MOST_POINTS,
        }
        rows = (await run(session, queries.HISTORY, values)).mappings().all()
        return [PointOut.model_validate(dict(row)) for row in reversed(rows)]

    async def mark(self, session: AsyncSession) -> dict[UUID, float]:
        """A point for every live show with viewers, repeatable: median latency by show, where it is known."""
        now = self._clock()
        at = now - timedelta(seconds=now.timestamp() % POINT_EVERY)
        rows = await run(session, queries.MARK, {"at": at, "fresh": now - HERE_FOR})
        return {row.show_id: row.latency_ms for row in rows if row.latency_ms is not None}

    async def _rows(
        self, session: AsyncSession, query: TextClause, show: Show, **more: object
    ) -> list[dict[str, Any]]:
        fresh = self._clock() - HERE_FOR
        known = query.compile().params.keys()
        values = {"show_id": show.id, "brand_id": show.brand_id, "fresh": fresh, **more}
        rows = await run(session, query, {name: values[name] for name in known})
        return [dict(row) for row in rows.mappings()]


def figures(
    total: dict[str, Any],
    *,
    at: datetime,
    rungs: list[Rung],
    errors: list[ErrorCount],
    probes: list[SessionOut],
    regions: list[RegionOut],
) -> QualityOut:
    """One row of sums, in the words of the studio."""
    watched, stalled = total["watched_ms"], total["stalled_ms"]
    return QualityOut(
        at=at,
        viewers=ViewersNow(
            all=total["viewers"], hls=total["hls"], whep=total["whep"], native=total["native"]
        ),
        startup=figure(total["startup"], total["startups"], STARTUP_MS),
        latency=figure(total["latency"], total["latencies"], LATENCY_MS),
        rebuffer=still(watched, stalled),
        stalls_per_hour=total["stalls"] * AN_HOUR_MS / watched if watched else None,
        watched_hours=watched / AN_HOUR_MS,
        rungs=rungs,
        errors=errors,
        probes=probes,
        regions=regions,
        **{name: total[name] for name in SAME},
    )


def region_figures(total: dict[str, Any], alarms: list[dict[str, Any]]) -> RegionOut:
    """The same of one region; `alarms` are the show's that go on."""
    same = ("region", "by", "sessions", "without_picture", "viewers", "stalls")
    return RegionOut(
        startup=figure(total["startup"], total["startups"], STARTUP_MS),
        latency=figure(total["latency"], total["latencies"], LATENCY_MS),
        rebuffer=still(total["watched_ms"], total["stalled_ms"]),
        watched_hours=total["watched_ms"] / AN_HOUR_MS,
        alarms=[one["kind"] for one in alarms if one["region"] == total["region"]],
        **{name: total[name] for name in same},
    )


def still(watched_ms: int, stalled_ms: int) -> Ratio:
    """How much of the time the picture stood still."""
    whole = watched_ms + stalled_ms
    value = stalled_ms / whole if whole else None
    return Ratio(value=value, bar=REBUFFER, grade=grade(value, REBUFFER))


SAME: Final = ("sessions", "without_picture", "average_height", "dropped_ratio", "switches", "fallbacks")


def figure(quantiles: list[float | None] | None, measured: int, bar: float) -> Figure:
    """Median and 95th percentile, judged by the latter: a promise to nearly everybody."""
    median, p95 = quantiles or (None, None)
    return Figure(median=median, p95=p95, measured=measured, bar=bar, grade=grade(p95, bar))
