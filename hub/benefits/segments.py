"""Segments: who is in them, worked out again and again, and whose benefits a viewer has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.analytics.cohorts import Cohorts
from hub.analytics.lifetime import MET, MET_WORDS
from hub.analytics.money import Scope
from hub.benefits.models import Segment
from hub.clock import Clock
from hub.db import Database, run
from hub.errors import BadInput, Conflict, NotFound

log = structlog.get_logger()

MOST_SEGMENTS: Final = 10
"""Of a brand: a viewer's token names those they are in."""

OF: Final = text(
    """
    SELECT id FROM segment WHERE brand_id = :brand_id AND (
        (rule = 'members' AND CAST(:member AS boolean))
        OR EXISTS (SELECT FROM segment_member WHERE segment_id = segment.id AND customer_id = :customer_id))
    """
)
"""Whoever joins is a member at once; the other rules wait for the next count."""
SIZES: Final = text(
    "SELECT segment_id, count(*) AS n FROM segment_member WHERE brand_id = :brand_id GROUP BY 1"
)
MEMBERS: Final = text(
    """
    SELECT id FROM customer
    WHERE brand_id = :brand_id AND merged_into IS NULL AND member_since IS NOT NULL
    """
)
BUYERS: Final = text(
    """
    SELECT customer_id FROM orders WHERE brand_id = :brand_id AND customer_id IS NOT NULL
        AND state = 'paid' AND NOT test GROUP BY 1 HAVING count(*) >= :orders
    """
)
MIGRATED: Final = text(
    f"WITH {MET} SELECT customer_id, channel FROM met WHERE identified OR bought"  # noqa: S608 - constants
)
KEEP: Final = text(
    """
    WITH now_in AS (SELECT unnest(CAST(:people AS uuid[])) AS customer_id),
    gone AS (
        DELETE FROM segment_member WHERE segment_id = :segment_id
            AND customer_id NOT IN (SELECT customer_id FROM now_in))
    INSERT INTO segment_member (segment_id, customer_id, brand_id, since)
    SELECT :segment_id, customer_id, :brand_id, :now FROM now_in
        JOIN customer ON customer.id = customer_id AND customer.brand_id = :brand_id
    ON CONFLICT DO NOTHING
    """
)
FLAG: Final = text(
    """
    WITH came AS (
        SELECT * FROM unnest(CAST(:people AS uuid[]), CAST(:channels AS text[]))
            AS one(customer_id, channel)),
    gone AS (
        DELETE FROM migrated_person WHERE brand_id = :brand_id
            AND customer_id NOT IN (SELECT customer_id FROM came))
    INSERT INTO migrated_person (customer_id, brand_id, channel, since)
    SELECT customer_id, :brand_id, channel, :now FROM came
    ON CONFLICT (customer_id) DO UPDATE SET channel = excluded.channel
    """
)
BRANDS: Final = text("SELECT id FROM brand ORDER BY id")


class Segments:
    """The verbs of segments."""

    def __init__(self, db: Database, clock: Clock, cohorts: Cohorts) -> None:
        self._db = db
        self._clock = clock
        self._cohorts = cohorts

    async def of(
        self, session: AsyncSession, brand_id: UUID, customer_id: UUID, *, member: bool
    ) -> frozenset[UUID]:
        """Those that somebody who is signed in belongs to."""
        values = {"brand_id": brand_id, "customer_id": customer_id, "member": member}
        return frozenset((await run(session, OF, values)).scalars())

    async def all(self, session: AsyncSession, brand_id: UUID) -> Sequence[tuple[Segment, int]]:
        """By name, with how many are in each."""
        sizes = {row.segment_id: row.n for row in await run(session, SIZES, {"brand_id": brand_id})}
        query = select(Segment).where(col(Segment.brand_id) == brand_id).order_by(col(Segment.name))
        return [(one, sizes.get(one.id, 0)) for one in await session.exec(query)]

    async def get(self, session: AsyncSession, brand_id: UUID, segment_id: UUID) -> Segment:
        """One of the brand's."""
        query = select(Segment).where(col(Segment.id) == segment_id, col(Segment.brand_id) == brand_id)
        found = (await session.exec(query.with_for_update())).first()
        if found is None:
            raise NotFound("segment_unknown", "There is no such group of customers.")
        return found

    async def add(self, session: AsyncSession, segment: Segment) -> int:
        """Keep a new one and count its people. Conflict `name_taken` | `too_many`."""
        if (segment.rule == "buyers") != (segment.orders is not None):
            raise BadInput("orders_missing", "Say how many orders make somebody one of these buyers.")
        if (segment.rule == "cohort") != (segment.cohort_id is not None):
            raise BadInput("cohort_missing", "Choose the saved cohort that these people are.")
        if segment.cohort_id:
            await self._cohorts.get(session, segment.brand_id, segment.cohort_id)
        if len(await self.all(session, segment.brand_id)) >= MOST_SEGMENTS:
            raise Conflict("too_many", f"There can be {MOST_SEGMENTS} groups. Remove one first.")
        session.add(segment)
        try:
            await session.flush()
        except IntegrityError:
            raise Conflict(
                "name_taken", f"There is a group called {segment.name!r} already. Choose another name."
            ) from None
        return await self.count(session, segment)

    async def remove(self, session: AsyncSession, segment: Segment) -> None:
        """Forget it. Conflict while an offer is or was for it: what viewers were promised stays readable."""
        await session.delete(segment)
        try:
            await session.flush()
        except IntegrityError:
            raise Conflict("in_use", "An offer is made for this group, so it has to stay.") from None

    async def count(self, session: AsyncSession, segment: Segment) -> int:
        """Look for its people now: how many they are."""
        people = await self._people(session, segment)
        about = {"segment_id": segment.id, "brand_id": segment.brand_id, "now": self._clock()}
        await run(session, KEEP, {**about, "people": sorted(people)})
        segment.counted_at = self._clock()
        await session.flush()
        return len(people)

    async def flag(self, session: AsyncSession, brand_id: UUID) -> int:
        """Mark those who came over from a platform; how many they are."""
        values = {**Scope(brand_id=brand_id).values(), **MET_WORDS}
        rows = (await run(session, MIGRATED, values)).all()
        people = {row.customer_id: row.channel for row in rows}
        about = {"brand_id": brand_id, "now": self._clock()}
        await run(session, FLAG, {**about, "people": [*people], "channels": [*people.values()]})
        return len(people)

    async def sweep(self) -> None:
        """Look again who is in what. Repeatable; one brand at a time."""
        async with self._db.session() as session:
            brands = [*(await run(session, BRANDS)).scalars()]
        for brand_id in brands:
            async with self._db.session() as session:
                await self.flag(session, brand_id)
                ids = [segment.id for segment, _ in await self.all(session, brand_id)]
            for segment_id in ids:
                await self._recount(brand_id, segment_id)

    async def _recount(self, brand_id: UUID, segment_id: UUID) -> None:
        """One that can't be counted (a cohort of another version, say) must not stop the others."""
        try:
            async with self._db.session() as session:
                await self.count(session, await self.get(session, brand_id, segment_id))
        except (BadInput, NotFound) as error:
            log.warning("segment.not_counted", segment=str(segment_id), why=error.code)

    async def _people(self, session: AsyncSession, segment: Segment) -> set[UUID]:
        brand = {"brand_id": segment.brand_id}
        if segment.cohort_id:
            return await self._cohorts.customers(session, segment.brand_id, segment.cohort_id)
        if segment.rule == "members":
            return {*(await run(session, MEMBERS, brand)).scalars()}
        if segment.rule == "buyers":
            return {*(await run(session, BUYERS, {**brand, "orders": segment.orders})).scalars()}
        values = {**Scope(brand_id=segment.brand_id).values(), **MET_WORDS}
        return {row.customer_id for row in await run(session, MIGRATED, values)}
