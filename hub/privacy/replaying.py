"""After a backup was put back: everybody who was forgotten since is forgotten again.

Only people whose row is older than their tombstone: somebody who came back after they were forgotten is
somebody new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.errors import RetryLater
from hub.db import Database, run
from hub.jobs import defer
from hub.privacy.erasing import Erasing
from hub.privacy.models import Erasure, RightsRequest
from hub.privacy.tombstones import Tombstone, Tombstones

log = structlog.get_logger()

AT_A_TIME: Final = 2000
NODES: Final = text(
    """
    SELECT identity.id, value_hash, customer_id, customer.created_at
    FROM identity JOIN customer ON customer.id = identity.customer_id
    WHERE identity.brand_id = :brand AND identity.id > :after ORDER BY identity.id LIMIT :most
    """
)
BROWSERS: Final = text(
    "SELECT visitor_id, min(at) AS first FROM touch WHERE brand_id = :brand GROUP BY visitor_id"
)
BRANDS: Final = text("SELECT id FROM brand")


@dataclass(frozen=True)
class Replayed:
    """How many tombstones there are, and how many people were forgotten again."""

    tombstones: int
    people: int


class Replaying:
    """What `simulcast replay-erasures` does. Repeatable: a second time finds nobody."""

    def __init__(self, db: Database, tombstones: Tombstones, erasing: Erasing) -> None:
        self._db = db
        self._tombstones = tombstones
        self._erasing = erasing

    async def run(self, folder: Path | None = None) -> Replayed:
        """`folder`: where the tombstones' files were kept, if not in the data folder."""
        stones = await self._all(folder)
        by_brand: dict[UUID, list[Tombstone]] = defaultdict(list)
        for stone in stones:
            by_brand[stone.brand_id].append(stone)
        people = 0
        for brand_id, theirs in by_brand.items():
            people += await self._brand(brand_id, theirs)
        return Replayed(len(stones), people)

    async def _all(self, folder: Path | None) -> list[Tombstone]:
        """Files and rows, each in both places afterwards."""
        files = {stone.request_id: stone for stone in await self._tombstones.read(folder)}
        async with self._db.session() as session:
            brands = set((await run(session, BRANDS)).scalars())
            rows = {row.request_id: stone_of(row) for row in (await session.exec(select(Erasure))).all()}
            for request_id, stone in files.items():
                if request_id not in rows and stone.brand_id in brands:
                    session.add(stone.row())
        for stone in (files | rows).values():
            await self._tombstones.write(stone)
        return [stone for stone in (files | rows).values() if stone.brand_id in brands]

    async def _brand(self, brand_id: UUID, stones: Sequence[Tombstone]) -> int:
        again: dict[UUID, set[UUID]] = defaultdict(set)
        nodes = {mark: stone for stone in stones for mark in stone.node_hashes}
        after = UUID(int=0)
        while True:
            async with self._db.session() as session:
                values = {"brand": brand_id, "after": after, "most": AT_A_TIME}
                rows = (await run(session, NODES, values)).all()
            for row in rows:
                stone = nodes.get(self._tombstones.mark(row.value_hash))
                if stone and row.created_at <= stone.at:
                    again[row.customer_id].add(stone.request_id)
            if len(rows) < AT_A_TIME:
                break
            after = rows[-1].id
        browsers = await self._browsers(brand_id, stones) if again else {}
        people = 0
        for customer_id, which in again.items():
            visitors = [one for one, stone in browsers.items() if stone.request_id in which]
            people += await self._forget(brand_id, customer_id, visitors)
        return people

    async def _browsers(self, brand_id: UUID, stones: Sequence[Tombstone]) -> dict[str, Tombstone]:
        """Browsers of theirs that nothing but a tombstone ties to them."""
        marks = {mark: stone for stone in stones for mark in stone.visitor_ids}
        async with self._db.session() as session:
            rows = (await run(session, BROWSERS, {"brand": brand_id})).all()
        found = {}
        for row in rows:
            stone = marks.get(self._tombstones.mark(row.visitor_id))
            if stone and row.first <= stone.at:
                found[row.visitor_id] = stone
        return found

    async def _forget(self, brand_id: UUID, customer_id: UUID, visitors: list[str]) -> bool:
        """One person; False when an earlier one of this replay was the same person."""
        async with self._db.session() as session:
            if not await there(session, customer_id):
                return False
            waiting = select(RightsRequest).where(
                col(RightsRequest.customer_id) == customer_id,
                col(RightsRequest.kind) == "erase",
                col(RightsRequest.state).in_(["queued", "working"]),
            )
            request = (await session.exec(waiting)).first()
            if request is None:
                proof = {"because": "replay", "visitors": sorted(visitors)}
                request = RightsRequest(brand_id=brand_id, customer_id=customer_id, kind="erase", proof=proof)
                session.add(request)
            await defer(session, "rights.erase", key=f"rights.erase:{request.id}", request_id=str(request.id))
        try:
            await self._erasing.run(request.id)
        except RetryLater as later:
            # An order or a card of theirs is under way: the job goes on with it once the hub runs.
            log.warning("erasure.replay_waits", request=str(request.id), why=later.reason)
        return True


async def there(session: AsyncSession, customer_id: UUID) -> bool:
    """Whether a person's row is there."""
    query = text("SELECT 1 FROM customer WHERE id = :id")
    return (await run(session, query, {"id": customer_id})).first() is not None


def stone_of(row: Erasure) -> Tombstone:
    """A row as a tombstone."""
    return Tombstone(row.request_id, row.brand_id, tuple(row.node_hashes), tuple(row.visitor_ids), row.at)
