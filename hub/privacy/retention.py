"""How long things are kept: rules, what they would remove, and the sweep that carries them out.

In small batches, each a transaction of its own, and only so many a tick: a first sweep over years of data
must not stand in a buyer's way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.models import Brand
from hub.clock import Clock
from hub.db import Database, run
from hub.errors import NotFound
from hub.jobs import defer
from hub.mail.personal import remove_files
from hub.privacy.models import RetentionRule, RetentionRun, RightsRequest
from hub.privacy.personal import remove_copies
from hub.privacy.subjects import BY_NAME, SUBJECTS, Subject

log = structlog.get_logger()

BATCH: Final = 500
BATCHES: Final = 20
"""Of one subject of one brand, in one tick; the next tick goes on."""
STRANGERS_AT_ONCE: Final = 20
"""Each is an erasure of its own."""
MOST_LISTED: Final = 200
EVENT_FILES: Final = text("SELECT path FROM event_file WHERE id = ANY(:ids)")


@dataclass(frozen=True)
class Rule:
    """One subject as a brand keeps it. `days` None: for ever."""

    subject: Subject
    days: int | None
    changed: bool


class Retention:
    """Rules and sweep."""

    def __init__(self, db: Database, clock: Clock, data: Path) -> None:
        self._db = db
        self._clock = clock
        self._data = data

    async def rules(self, session: AsyncSession, brand_id: UUID) -> list[Rule]:
        """Every subject, with the brand's own days or the default."""
        query = select(RetentionRule).where(col(RetentionRule.brand_id) == brand_id)
        own = {row.subject: row.days for row in await session.exec(query)}
        return [
            Rule(one, own.get(one.name, one.days), one.name in own and own[one.name] != one.days)
            for one in SUBJECTS
        ]

    async def keep(self, session: AsyncSession, brand_id: UUID, subject: str, days: int | None) -> None:
        """Keep a subject for so many days from now on."""
        if subject not in BY_NAME:
            raise NotFound("subject_unknown", "There is no such rule.")
        values = {"days": days, "updated_at": self._clock()}
        statement = insert(RetentionRule).values(brand_id=brand_id, subject=subject, **values)
        await run(
            session,
            statement.on_conflict_do_update(index_elements=["brand_id", "subject"], set_=values),
        )

    async def would_remove(
        self, session: AsyncSession, brand_id: UUID, subject: str, days: int | None
    ) -> int:
        """How many rows a rule of so many days would remove now."""
        if subject not in BY_NAME:
            raise NotFound("subject_unknown", "There is no such rule.")
        if days is None:
            return 0
        values = {"brand": brand_id, "before": self._clock() - timedelta(days=days)}
        found: int = (await run(session, text(BY_NAME[subject].count), values)).scalar_one()
        return found

    async def newest_runs(self, session: AsyncSession, brand_id: UUID) -> Sequence[RetentionRun]:
        """What was removed, the newest first."""
        query = (
            select(RetentionRun)
            .where(col(RetentionRun.brand_id) == brand_id)
            .order_by(col(RetentionRun.at).desc(), col(RetentionRun.id).desc())
            .limit(MOST_LISTED)
        )
        return (await session.exec(query)).all()

    async def sweep(self) -> int:
        """The clockwork's tick: every rule of every brand, some batches each. How many rows were removed."""
        async with self._db.session() as session:
            brands = (await session.exec(select(Brand.id))).all()
        total = 0
        for brand_id in brands:
            async with self._db.session() as session:
                rules = await self.rules(session, brand_id)
            for rule in rules:
                if rule.days is not None:
                    before = self._clock() - timedelta(days=rule.days)
                    total += await self._apply(brand_id, rule.subject, before)
        return total

    async def _apply(self, brand_id: UUID, subject: Subject, before: datetime) -> int:
        removed = 0
        most, batches = (STRANGERS_AT_ONCE, 1) if subject.name == "strangers" else (BATCH, BATCHES)
        for _ in range(batches):
            count = await self._some(brand_id, subject, before, most)
            removed += count
            if count < most:
                break
        if removed:
            log.info("retention.removed", subject=subject.name, count=removed)
        return removed

    async def _some(self, brand_id: UUID, subject: Subject, before: datetime, most: int) -> int:
        """One batch. Files before rows: a row that is still there leads to its file once more."""
        values = {"brand": brand_id, "before": before, "most": most}
        async with self._db.session() as session:
            ids: list[UUID] = [*(await run(session, text(subject.some), values)).scalars()]
            if not ids:
                return 0
            if subject.name == "strangers":
                for one in ids:
                    await self._forget_stranger(session, brand_id, one)
            else:
                await self._files(session, subject.name, ids)
                await run(session, text(subject.remove), {"ids": ids})
            done = RetentionRun(
                brand_id=brand_id, subject=subject.name, before=before, removed=len(ids), at=self._clock()
            )
            session.add(done)
        return len(ids)

    async def _files(self, session: AsyncSession, subject: str, ids: list[UUID]) -> None:
        """What rows lead to in the data folder."""
        if subject == "mails":
            await asyncio.to_thread(remove_files, self._data, ids)
        elif subject == "exports":
            await asyncio.to_thread(remove_copies, self._data, ids)
        elif subject == "events":
            paths = (await run(session, EVENT_FILES, {"ids": ids})).scalars().all()
            await asyncio.to_thread(remove, [self._data / "events" / path for path in paths])

    async def _forget_stranger(self, session: AsyncSession, brand_id: UUID, customer_id: UUID) -> None:
        """Forgotten as if they had asked, but without a tombstone: they may come back as anybody."""
        request = RightsRequest(
            brand_id=brand_id,
            customer_id=customer_id,
            kind="erase",
            asked_at=self._clock(),
            proof={"because": "retention"},
        )
        session.add(request)
        await session.flush()
        key, lock = f"rights.erase:{request.id}", f"rights:{customer_id}"
        await defer(session, "rights.erase", key=key, lock=lock, request_id=str(request.id))


def remove(paths: Sequence[Path]) -> None:
    """Files that may be gone already."""
    for path in paths:
        path.unlink(missing_ok=True)
