"""Products from a file: looked at first, then taken, all of it or the good lines.

Looking does everything that taking does, in a transaction that is then rolled back: what it says is what
would happen. Both are jobs that may be killed anywhere and run again; a file is taken in one transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from uuid import UUID

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.models import Brand
from hub.catalog import rows, sheet
from hub.catalog.edits import ProductEdits
from hub.catalog.models import Intake, Variant
from hub.catalog.service import Catalog, Wanted
from hub.catalog.taking import Report, Taking, groups_of, understood
from hub.clock import Clock
from hub.db import Database
from hub.errors import BadInput, Conflict, NotFound
from hub.jobs import defer

TELL_EVERY = 100
PAGE = 200


class Undone(Exception):
    """Rolls a look back."""


class Intakes:
    """Files of products."""

    def __init__(self, db: Database, clock: Clock, catalog: Catalog, edits: ProductEdits) -> None:
        self._db = db
        self._clock = clock
        self._catalog = catalog
        self._edits = edits

    async def offer(self, session: AsyncSession, brand_id: UUID, body: bytes, author: str) -> Intake:
        """Keep a file and look at it in the background. BadInput when it is no such file at all."""
        lines = sheet.read(body)
        intake = Intake(brand_id=brand_id, kind="csv", body=body, total=len(lines), author=author)
        session.add(intake)
        await self._queue(session, intake)
        return intake

    async def get(self, session: AsyncSession, brand_id: UUID, intake_id: UUID) -> Intake:
        """How far it is, or NotFound."""
        query = select(Intake).where(col(Intake.id) == intake_id, col(Intake.brand_id) == brand_id)
        found = (await session.exec(query)).first()
        if found is None:
            raise NotFound("intake_unknown", "There is no such import. Choose the file again.")
        return found

    async def take(self, session: AsyncSession, brand_id: UUID, intake_id: UUID, only_good: bool) -> Intake:
        """Do what was looked at. Repeatable.

        Conflict `has_problems` unless all is fine or only the good lines go.
        """
        intake = await self.get(session, brand_id, intake_id)
        await session.refresh(intake, with_for_update=True)
        if intake.state == "done" or (intake.step == "apply" and intake.state in ("queued", "running")):
            return intake
        if intake.state != "checked":
            raise Conflict("not_checked", "This file has not been looked at yet. Wait for the result.")
        if intake.counts.get("problem") and not only_good:
            raise Conflict(
                "has_problems", "Some lines have problems. Mend the file, or import the good lines."
            )
        intake.step, intake.done, intake.state = "apply", 0, "queued"
        intake.wish = {"only_good": only_good}
        await self._queue(session, intake)
        return intake

    async def _queue(self, session: AsyncSession, intake: Intake) -> None:
        await session.flush()
        await defer(
            session, "catalog.intake", lock=f"catalog.intake:{intake.brand_id}", intake_id=str(intake.id)
        )

    async def run(self, intake_id: UUID) -> None:
        """The job. Repeatable: what is done is not done again."""
        async with self._db.session() as session:
            intake = await session.get(Intake, intake_id)
            if intake is None or intake.state not in ("queued", "running") or intake.body is None:
                return
            intake.state = "running"
        report = Report()
        try:
            async with self._db.session() as session:
                await self._all(session, intake, report)
                spoilt = report.counts.get("problem") and not intake.wish.get("only_good")
                if intake.step == "check" or spoilt:
                    raise Undone
                await self._end(session, intake.id, "done", report)
        except Undone:
            async with self._db.session() as session:
                await self._end(session, intake.id, "checked", report)
        except BadInput as error:
            async with self._db.session() as session:
                await self._end(session, intake.id, "failed", report, error.detail)

    async def _end(
        self, session: AsyncSession, intake_id: UUID, state: str, report: Report, error: str | None = None
    ) -> None:
        row = await session.get(Intake, intake_id, with_for_update=True, populate_existing=True)
        if row is None:
            return
        row.state, row.error, row.done = state, error, row.total
        row.counts, row.report, row.ended_at = report.counts, report.listed(), self._clock()
        if state != "checked":
            row.body = None

    async def _all(self, session: AsyncSession, intake: Intake, report: Report) -> None:
        lines = sheet.read(intake.body or b"")
        brand = await session.get(Brand, intake.brand_id)
        known = await self._known(session, intake.brand_id, {rows.sku_in(line) for line in lines})
        currency = brand.currency if brand else "EUR"
        groups = groups_of(understood(lines, known, currency, report), known, report)
        taking = Taking(
            session, intake.brand_id, intake.author or "", currency, known, report, self._catalog, self._edits
        )
        done = sum(report.counts.values())
        for count, group in enumerate(groups):
            await taking.group(group)
            done += len(group)
            if count % TELL_EVERY == 0:
                await self._progress(intake.id, done)

    async def _progress(self, intake_id: UUID, done: int) -> None:
        # In a transaction of its own: the one of the file is seen by nobody until its end.
        async with self._db.session() as session:
            await session.exec(update(Intake).where(col(Intake.id) == intake_id).values(done=done))

    async def _known(
        self, session: AsyncSession, brand_id: UUID, skus: Collection[str]
    ) -> dict[str, Variant]:
        query = select(Variant).where(col(Variant.brand_id) == brand_id)
        return {variant.sku: variant for variant in await session.exec(query) if variant.sku in skus}

    async def export(self, session: AsyncSession, brand_id: UUID) -> AsyncIterator[str]:
        """Everything the brand has, archived things too, as a file that can be taken in again."""
        query = select(Variant.id, Variant.sku).where(col(Variant.brand_id) == brand_id)
        skus: Mapping[UUID, str] = dict((await session.exec(query)).all())
        found: list[dict[str, str]] = []
        for state in ("draft", "active", "archived"):
            after: UUID | None = None
            while True:
                wanted = Wanted(state=state, after=after, limit=PAGE)
                page = await self._catalog.shelves(session, brand_id, wanted)
                for shelf in page:
                    found += rows.lines_of(shelf, skus)
                if len(page) < PAGE:
                    break
                after = page[-1].product.id
        for piece in sheet.written(found):
            yield piece
