"""Which visits brought which orders, and what each channel gets of their money."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.attribution import files
from hub.attribution.extract import Scope, extract, load
from hub.attribution.models import AttributionRun
from hub.attribution.reckoning import Reckoning, connect
from hub.attribution.runs import Runs
from hub.attribution.words import (
    MILLION,
    MODEL_VERSION,
    UNKNOWN,
    CreditRow,
    Credits,
    Model,
    Query,
    Total,
)
from hub.clock import Clock
from hub.db import finish_early, run
from hub.errors import NotFound
from hub.events.log import EventLog
from hub.orders.models import Order
from hub.visits.models import Touch

T = TypeVar("T")

MOST_LIVE: Final = 50_000
"""Touches that are reckoned while somebody waits; for more the newest run is asked, where there is one."""
AT_A_TIME: Final = 2
"""Answers reckoned side by side; the others wait their turn."""
HOW_MANY = text(
    """
    SELECT count(*) FROM (SELECT 1 FROM touch WHERE brand_id = :brand_id
        AND (CAST(:show_id AS uuid) IS NULL OR show_id = CAST(:show_id AS uuid))
        AND at >= :since AND at < :until LIMIT :most) AS found
    """
)
TITLES = text(
    """
    SELECT id::text, name AS title FROM show_target WHERE brand_id = :brand_id AND id::text = ANY(:keys)
    UNION ALL
    SELECT id::text, coalesce(nullif(title, ''), concat_ws(' ', utm_source, placement, '/l/' || code))
    FROM tracked_link
    WHERE brand_id = :brand_id AND id::text = ANY(:keys)
    """
)


class Attribution:
    """Credits orders to touches: `credit` as they come in, `credits` for reports, `runs` for all at once."""

    def __init__(self, clock: Clock, folder: Path, runs: Runs) -> None:
        self.runs = runs
        self._clock = clock
        self._folder = folder
        self._events = EventLog(folder / "events")
        self._turns = asyncio.Semaphore(AT_A_TIME)

    async def credit(self, session: AsyncSession, order: Order) -> None:
        """Set the order's first and last touch among its customer's visits up to the order."""
        query = (
            select(Touch.id)
            .where(col(Touch.customer_id) == order.customer_id, col(Touch.at) <= order.placed_at)
            .order_by(col(Touch.at), col(Touch.id))
        )
        visits = (await session.exec(query)).all()
        if visits:
            order.first_touch_id, order.last_touch_id = visits[0], visits[-1]

    async def credits(self, session: AsyncSession, brand_id: UUID, query: Query) -> list[CreditRow]:
        """What each channel gets, by channel and currency."""
        return (await self.answer(session, brand_id, query)).rows

    async def answer(self, session: AsyncSession, brand_id: UUID, query: Query) -> Credits:
        """The same with its totals, and how it came about: live for small shows, else from the newest run."""
        newest = await self.runs.newest(session, brand_id)
        if newest and self.runs.file_of(newest) and await self._many(session, brand_id, query):
            return await self.of_run(session, newest, query)
        scope = Scope(brand_id, query.show_id, query.since, query.until)

        def reckon(reckoning: Reckoning) -> tuple[Model, list[CreditRow], list[str]]:
            used, rows = reckoning.answer(query)
            return used, [row_of(row) for row in rows], reckoning.notes

        used, rows, notes = await self.reckon(session, scope, reckon)
        answer = Credits(
            **described(query, used, MODEL_VERSION),
            version="live",
            as_of=self._clock(),
            rows=rows,
            totals=[],
            notes=notes,
        )
        return await self._titled(session, brand_id, answer)

    async def reckon(self, session: AsyncSession, scope: Scope, ask: Callable[[Reckoning], T]) -> T:
        """Fetch what `scope` says and ask it something, in a thread.

        Removal effects are those of the newest run: a single show has too few ways to learn them from.
        """
        newest = await self.runs.newest(session, scope.brand_id)
        learned = self.runs.file_of(newest) if newest and newest.model_version == MODEL_VERSION else None

        def asked(folder: Path) -> T:
            with connect(folder) as con:
                load(con, folder)
                reckoning = Reckoning(con)
                reckoning.effects = files.effects_of(learned) if learned else {}
                reckoning.watch(self._events.view(scope.brand_id, scope.shows()))
                return ask(reckoning)

        with tempfile.TemporaryDirectory(prefix=files.SCRATCH, dir=self._made()) as place:
            await finish_early(session)
            async with self._turns:
                await extract(session, scope, Path(place))
                await finish_early(session)
                return await asyncio.to_thread(asked, Path(place))

    async def of_run(self, session: AsyncSession, of: AttributionRun, query: Query) -> Credits:
        """The answer of one version."""
        file = self.runs.file_of(of)
        if file is None:
            raise NotFound("run_gone", "The credits of this version are not kept any more.")
        await finish_early(session)
        async with self._turns:
            used, rows = await asyncio.to_thread(files.answer, file, query)
        answer = Credits(
            **described(query, used, of.model_version),
            version=of.version,
            as_of=of.started_at or of.created_at,
            rows=[row_of(row) for row in rows],
            totals=[],
            notes=of.notes if used != query.model else [],
        )
        return await self._titled(session, of.brand_id, answer)

    async def _many(self, session: AsyncSession, brand_id: UUID, query: Query) -> bool:
        """Whether there are too many touches to reckon them while somebody waits."""
        values = {
            "brand_id": brand_id,
            "show_id": query.show_id,
            "since": query.since,
            "until": query.until,
            "most": MOST_LIVE + 1,
        }
        count: int = (await run(session, HOW_MANY, values)).scalar_one()
        return count > MOST_LIVE

    def _made(self) -> Path:
        folder = self._folder / "attribution"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    async def _titled(self, session: AsyncSession, brand_id: UUID, answer: Credits) -> Credits:
        """With names for people, and totals."""
        if answer.by in ("target", "link"):
            keys = [row.key for row in answer.rows]
            found = await run(session, TITLES, {"brand_id": brand_id, "keys": keys})
            titles = {row.id: row.title for row in found}
            for row in answer.rows:
                row.title = titles.get(row.key, row.title)
        answer.totals = totals_of(answer.rows)
        return answer


def described(query: Query, used: Model, version: int) -> dict[str, Any]:
    """The question, as the answer repeats it."""
    asked = {"model": query.model, "window": query.window, "by": query.by}
    return asked | {"used": used, "model_version": version}


def row_of(row: dict[str, Any]) -> CreditRow:
    """One row of sql/summary.sql for people."""
    parts = Decimal(row["millionths"]) / MILLION
    title = "Direct or unknown" if row["key"] == UNKNOWN else row["key"]
    return CreditRow(title=title, orders=parts, **row)


def totals_of(rows: list[CreditRow]) -> list[Total]:
    """Sums by currency."""
    found: dict[str, Total] = {}
    for row in rows:
        if row.currency is None:
            continue
        sums = found.setdefault(
            row.currency, Total(currency=row.currency, orders=Decimal(0), credit_minor=0, sold_minor=0)
        )
        sums.orders += row.orders
        sums.credit_minor += row.credit_minor
        sums.sold_minor += row.sold_minor
    return [found[currency] for currency in sorted(found)]
