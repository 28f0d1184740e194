"""Where goods lie: a brand's places, and how much of a variant is at each."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.errors import Conflict, NotFound
from hub.stock.models import StockAt, StockPlace

DEFAULT_PLACE = "Main"
FIRST_PLACE = text(
    """
    INSERT INTO stock_place (id, brand_id, name, position)
    SELECT gen_random_uuid(), CAST(:brand_id AS uuid), CAST(:name AS text), 0
    WHERE NOT EXISTS (SELECT 1 FROM stock_place WHERE brand_id = CAST(:brand_id AS uuid))
    ON CONFLICT (brand_id, name) DO NOTHING
    """
)


class Places:
    """The first place makes itself; more are added by staff."""

    async def all(self, session: AsyncSession, brand_id: UUID) -> list[StockPlace]:
        """In the order in which what is sold leaves them."""
        query = select(StockPlace).where(col(StockPlace.brand_id) == brand_id)
        return [*await session.exec(query.order_by(col(StockPlace.position), col(StockPlace.id)))]

    async def add(self, session: AsyncSession, brand_id: UUID, name: str) -> StockPlace:
        """One more, after the others."""
        known = await self.all(session, brand_id)
        if any(place.name == name for place in known):
            raise Conflict("place_taken", "There is a place of this name already.")
        place = StockPlace(brand_id=brand_id, name=name, position=len(known))
        session.add(place)
        await session.flush()
        return place

    async def at(
        self, session: AsyncSession, brand_id: UUID, variant_id: UUID, place_id: UUID | None
    ) -> UUID:
        """A place of the brand with a row for this variant; NotFound when it is not the brand's."""
        await run(session, FIRST_PLACE, {"brand_id": brand_id, "name": DEFAULT_PLACE})
        places = [place.id for place in await self.all(session, brand_id)]
        if place_id is not None and place_id not in places:
            raise NotFound("place_unknown", "There is no such place.")
        found = place_id or places[0]
        fresh = {"place_id": found, "variant_id": variant_id, "brand_id": brand_id}
        await run(session, insert(StockAt).values(**fresh, on_hand=0, committed=0).on_conflict_do_nothing())
        return found

    async def rows(self, session: AsyncSession, variant_id: UUID) -> list[StockAt]:
        """A variant at each of its places, in their order."""
        query = (
            select(StockAt)
            .join(StockPlace, col(StockPlace.id) == col(StockAt.place_id))
            .where(col(StockAt.variant_id) == variant_id)
            .order_by(col(StockPlace.position), col(StockPlace.id))
            .execution_options(populate_existing=True)
        )
        return [*await session.exec(query)]


def spread(rows: Sequence[StockAt], change: int) -> dict[UUID, int]:
    """Take `-change` units off the last places first, never below what is sold from each. Pure."""
    left, amounts = -change, {}
    for row in reversed(rows):
        part = min(left, row.on_hand - row.committed)
        if part > 0:
            amounts[row.place_id] = -part
            left -= part
    return amounts
