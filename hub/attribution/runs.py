"""Reckoning all credits of a brand anew: each time a new version, in a file that is never changed.

A run is a row and a job. Killed anywhere, the job runs again and writes the same file anew, in one move; the
row is done when the file is there. The newest versions are kept, so that two can be compared.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from hub.attribution import files
from hub.attribution.extract import Scope, extract, load
from hub.attribution.models import AttributionRun
from hub.attribution.words import MODEL_VERSION
from hub.clock import Clock
from hub.db import Database, run
from hub.errors import NotFound
from hub.events.log import EventLog
from hub.jobs import defer

log = structlog.get_logger()

KEPT: Final = 10
"""Versions of a brand whose files are kept."""
DAILY: Final = timedelta(hours=24)
FORSAKEN: Final = timedelta(minutes=10)
"""A run that has not moved for so long and has no job any more will never be done."""
ABANDONED: Final = timedelta(hours=1)
"""Folders of work that nobody has touched for so long are what killed processes left."""
DUE = text(
    """
    SELECT brand.id, EXISTS (SELECT FROM show WHERE brand_id = brand.id AND NOT cancelled
        AND ended_at > coalesce(last.at, '-infinity')) AS ended
    FROM brand LEFT JOIN LATERAL (
        SELECT max(created_at) AS at FROM attribution_run WHERE brand_id = brand.id) AS last ON true
    WHERE EXISTS (SELECT FROM show WHERE brand_id = brand.id AND NOT cancelled
            AND ended_at > coalesce(last.at, '-infinity'))
        OR coalesce(last.at, '-infinity') <= :yesterday AND (
            EXISTS (SELECT FROM orders WHERE brand_id = brand.id
                AND updated_at > coalesce(last.at, '-infinity'))
            OR EXISTS (SELECT FROM touch WHERE brand_id = brand.id AND at > coalesce(last.at, '-infinity')))
    """
)
"""Brands whose credits are behind: a show has ended since, or a day has passed and something changed."""
FORSAKE = text(
    """
    UPDATE attribution_run SET state = 'failed', step = '',
        reason_failed = 'It was begun several times and could not be finished. Start a new one.'
    WHERE state IN ('waiting', 'running') AND coalesce(started_at, created_at) < :before AND NOT EXISTS (
        SELECT FROM procrastinate_jobs WHERE task_name = 'attribution.run' AND status IN ('todo', 'doing')
            AND args->>'run_id' = attribution_run.id::text)
    """
)
NEXT = text("SELECT coalesce(max(version), 0) + 1 FROM attribution_run WHERE brand_id = :brand_id")
LOCK = text("SELECT 1 FROM brand WHERE id = :brand_id FOR NO KEY UPDATE")
STEP = text(
    "UPDATE attribution_run SET step = :step, percent = :percent WHERE id = :id AND state = 'running'"
)


class Runs:
    """`folder` is the data folder; files lie at attribution/BRAND/VERSION.parquet under it."""

    def __init__(self, db: Database, clock: Clock, folder: Path) -> None:
        self._db = db
        self._clock = clock
        self._folder = folder

    async def begin(
        self, session: AsyncSession, brand_id: UUID, reason: str, author: str | None = None
    ) -> AttributionRun:
        """A new version is wanted; the one that waits to begin will do, if there is one."""
        await run(session, LOCK, {"brand_id": brand_id})
        waits = select(AttributionRun).where(
            col(AttributionRun.brand_id) == brand_id, col(AttributionRun.state) == "waiting"
        )
        if found := (await session.exec(waits)).first():
            return found
        version: int = (await run(session, NEXT, {"brand_id": brand_id})).scalar_one()
        wanted = AttributionRun(
            brand_id=brand_id, version=version, reason=reason, author=author, created_at=self._clock()
        )
        session.add(wanted)
        await defer(session, "attribution.run", lock=f"attribution:{brand_id}", run_id=str(wanted.id))
        await session.flush()
        return wanted

    async def run(self, run_id: UUID) -> None:
        """The job. Safe to repeat: what is done stays, what is half done is done again."""
        async with self._db.session() as session:
            wanted = await session.get(AttributionRun, run_id, with_for_update=True)
            if wanted is None or wanted.state not in ("waiting", "running"):
                if wanted and wanted.state == "failed":
                    # Killed after it was stopped: its file may have what was erased.
                    remove(self._path(wanted.brand_id, wanted.version))
                return
            wanted.state, wanted.started_at = "running", self._clock()
            wanted.model_version = MODEL_VERSION
            brand_id, version = wanted.brand_id, wanted.version
        begun = time.monotonic()
        target = self._path(brand_id, version)
        target.parent.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()

        def tell(step: str, percent: int) -> None:
            asyncio.run_coroutine_threadsafe(self._note(run_id, step, percent), loop).result()

        with tempfile.TemporaryDirectory(prefix=files.SCRATCH, dir=target.parent) as place:
            folder = Path(place)
            async with self._db.session() as session:
                await extract(session, Scope(brand_id), folder)
            # In a thread: it takes a while, and DuckDB lets go of the interpreter meanwhile.
            done = await asyncio.to_thread(self._write, brand_id, folder, target, tell)
        async with self._db.session() as session:
            wanted = await session.get_one(AttributionRun, run_id, with_for_update=True)
            if wanted.state != "running":
                # Somebody was erased meanwhile (personal.py): what was read before must not come back.
                remove(target)
                return
            wanted.state, wanted.step, wanted.percent = "done", "", 100
            wanted.orders, wanted.touches, wanted.size = done.orders, done.touches, done.size
            wanted.from_at, wanted.to_at, wanted.notes = done.from_at, done.to_at, done.notes
            wanted.path = str(target.relative_to(self._folder))
            wanted.took_ms, wanted.done_at = round((time.monotonic() - begun) * 1000), self._clock()
            gone = await self._prune(session, brand_id)
        for path in gone:
            remove(path)
        log.info("attribution.done", brand=str(brand_id), version=version, orders=done.orders)

    async def newest(self, session: AsyncSession, brand_id: UUID) -> AttributionRun | None:
        """The newest version that is done."""
        query = self._done(brand_id).limit(1)
        return (await session.exec(query)).first()

    async def get(self, session: AsyncSession, brand_id: UUID, version: int) -> AttributionRun:
        """One version of a brand."""
        query = select(AttributionRun).where(
            col(AttributionRun.brand_id) == brand_id, col(AttributionRun.version) == version
        )
        found = (await session.exec(query)).first()
        if found is None:
            raise NotFound("run_unknown", "There is no such version.")
        return found

    async def versions(
        self, session: AsyncSession, brand_id: UUID, limit: int = 50
    ) -> Sequence[AttributionRun]:
        """The newest first, whatever came of them."""
        query = select(AttributionRun).where(col(AttributionRun.brand_id) == brand_id)
        return (await session.exec(query.order_by(col(AttributionRun.version).desc()).limit(limit))).all()

    def file_of(self, of: AttributionRun) -> Path | None:
        """Its file; None when it is not there (any more, or on this machine)."""
        path = self._folder / of.path if of.path else None
        return path if path and path.exists() else None

    async def find_due(self) -> None:
        """A sweep: brands whose credits are behind get a new version; runs without a job are over."""
        now = self._clock()
        old = (now - ABANDONED).timestamp()
        for folder in (self._folder / "attribution", *self._folder.glob("attribution/*/")):
            await asyncio.to_thread(files.sweep, folder, old)
        async with self._db.session() as session:
            await run(session, FORSAKE, {"before": now - FORSAKEN})
            for behind in (await run(session, DUE, {"yesterday": now - DAILY})).all():
                await self.begin(session, behind.id, "show_ended" if behind.ended else "daily")

    def _write(self, brand_id: UUID, folder: Path, target: Path, tell: files.Tell) -> files.Written:
        events = EventLog(self._folder / "events").view(brand_id)
        return files.write(lambda con: load(con, folder), events, target, tell)

    async def _note(self, run_id: UUID, step: str, percent: int) -> None:
        async with self._db.session() as session:
            await run(session, STEP, {"id": run_id, "step": step, "percent": percent})

    async def _prune(self, session: AsyncSession, brand_id: UUID) -> list[Path]:
        """Let go of the oldest files; which."""
        await session.flush()
        old = (await session.exec(self._done(brand_id).offset(KEPT))).all()
        gone = [self._folder / one.path for one in old if one.path]
        for one in old:
            one.state, one.path = "pruned", None
        return gone

    def _done(self, brand_id: UUID) -> SelectOfScalar[AttributionRun]:
        return (
            select(AttributionRun)
            .where(col(AttributionRun.brand_id) == brand_id, col(AttributionRun.state) == "done")
            .order_by(col(AttributionRun.version).desc())
        )

    def _path(self, brand_id: UUID, version: int) -> Path:
        return self._folder / "attribution" / str(brand_id) / f"{version}.parquet"


def remove(path: Path) -> None:
    """Remove a version's files."""
    path.unlink(missing_ok=True)
    files.beside(path).unlink(missing_ok=True)
