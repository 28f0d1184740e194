"""What people may ask of a brand about themselves: a copy of everything, and to be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.customers.models import Customer
from hub.db import Database, run
from hub.errors import Conflict, NotFound
from hub.jobs import defer
from hub.privacy.busy import papers, under_way
from hub.privacy.erasing import BACKUPS, LAW, ORDERS_KEPT, Erasing
from hub.privacy.exporting import Exporting, counted, unproved
from hub.privacy.finding import Finding
from hub.privacy.looks import Looks
from hub.privacy.models import RightsRequest
from hub.privacy.replaying import Replaying
from hub.privacy.retention import Retention
from hub.privacy.rooms import ROOMS
from hub.privacy.search import Search
from hub.privacy.tombstones import Tombstones
from hub.secrets import Vault

MOST_LISTED: Final = 100
ONE_A_DAY: Final = timedelta(days=1)
"""A buyer's own copies: one that was made within a day will do."""
FIND: Final = text(
    """
    SELECT customer.id, customer.name, customer.email_sealed, customer.created_at,
        (SELECT count(*) FROM orders WHERE customer_id = customer.id) AS orders
    FROM customer WHERE customer.brand_id = :brand AND merged_into IS NULL AND (
        customer.name ILIKE :words
        OR customer.id IN (
            SELECT customer_id FROM identity WHERE brand_id = :brand AND value_hash = ANY(:hashes))
        OR customer.id IN (SELECT customer_id FROM orders WHERE brand_id = :brand AND number = :exactly))
    ORDER BY customer.created_at DESC LIMIT 20
    """
)


@dataclass(frozen=True)
class Preview:
    """What an erasure would do. `removes`: rows by room and table; `stays`: sentences; `waits`: why not."""

    removes: dict[str, dict[str, int]]
    invoices: list[tuple[str, str]]
    stays: tuple[str, ...]
    waits: str | None


class Rights:
    """Requests and their ends; `retention` and `looks` are the rest of a brand's privacy."""

    def __init__(self, data: Path, db: Database, clock: Clock, vault: Vault) -> None:
        self._clock = clock
        self._vault = vault
        self._finding = Finding(vault, data)
        self.tombstones = Tombstones(vault, data)
        self.exporting = Exporting(db, clock, vault, self._finding, data)
        search = Search(db)
        self.erasing = Erasing(db, clock, self._finding, self.tombstones, search)
        self.replaying = Replaying(db, self.tombstones, self.erasing)
        self.looks = Looks(clock)
        self.retention = Retention(db, clock, data)

    async def find(self, session: AsyncSession, brand_id: UUID, words: str) -> Sequence[Any]:
        """People by name, by their whole e-mail address, phone or platform:account, or by an order."""
        values = {
            "brand": brand_id,
            "words": f"%{words.replace('%', '').replace('_', ' ')}%",
            "hashes": [self._vault.fingerprint(one) for one in {words, words.lower()}],
            "exactly": words,
        }
        return (await run(session, FIND, values)).all()

    def email_of(self, sealed: bytes | None) -> str | None:
        """A person's address, opened."""
        return self._vault.open(bytes(sealed)) if sealed else None

    async def preview(self, session: AsyncSession, brand_id: UUID, customer_id: UUID) -> Preview:
        """What would go and what would stay. Reads all of it: seconds, for somebody with many orders."""
        await self._person(session, brand_id, customer_id)
        who = await self._finding.who(session, brand_id, [customer_id])
        removes = {area.name: counted(await area.export(session, who)) for area in ROOMS}
        kept = await papers(session, who)
        return Preview(
            removes={name: {table: n for table, n in rows.items() if n} for name, rows in removes.items()},
            invoices=kept,
            stays=(ORDERS_KEPT, *((LAW,) if kept else ()), BACKUPS),
            waits=await under_way(session, who),
        )

    async def ask_copy(
        self, session: AsyncSession, brand_id: UUID, customer_id: UUID, member_id: UUID | None
    ) -> RightsRequest:
        """A copy, made in the background. Asked for twice, it is the same one; a buyer's, for a day.

        Conflict `address_unproved` for a buyer one of whose addresses nobody has signed in with.
        """
        await self._person(session, brand_id, customer_id)
        if member_id is None:
            if why := await unproved(session, customer_id):
                raise Conflict("address_unproved", why)
            since = self._clock() - ONE_A_DAY
            query = (
                select(RightsRequest)
                .where(
                    col(RightsRequest.customer_id) == customer_id,
                    col(RightsRequest.kind) == "export",
                    col(RightsRequest.state) == "done",
                    col(RightsRequest.asked_at) > since,
                )
                .order_by(col(RightsRequest.asked_at).desc())
            )
            if before := (await session.exec(query)).first():
                return before
        return await self._ask(session, brand_id, customer_id, "export", member_id)

    async def ask_erasure(
        self, session: AsyncSession, brand_id: UUID, customer_id: UUID, member_id: UUID | None
    ) -> RightsRequest:
        """To be forgotten, in the background. Conflict `under_way` while money or goods are on their way."""
        await self._person(session, brand_id, customer_id)
        who = await self._finding.who(session, brand_id, [customer_id])
        if why := await under_way(session, who):
            raise Conflict("under_way", why)
        return await self._ask(session, brand_id, customer_id, "erase", member_id)

    async def requests(self, session: AsyncSession, brand_id: UUID) -> Sequence[RightsRequest]:
        """The newest first."""
        query = (
            select(RightsRequest)
            .where(col(RightsRequest.brand_id) == brand_id)
            .order_by(col(RightsRequest.asked_at).desc())
            .limit(MOST_LISTED)
        )
        return (await session.exec(query)).all()

    async def get(self, session: AsyncSession, brand_id: UUID, request_id: UUID) -> RightsRequest:
        """One request of a brand."""
        request = await session.get(RightsRequest, request_id)
        if request is None or request.brand_id != brand_id:
            raise NotFound("request_unknown", "There is no such request.")
        return request

    async def newest_copy(self, session: AsyncSession, customer_id: UUID) -> RightsRequest | None:
        """The copy a buyer asked for last, if there is one. What staff asked for is not theirs to see."""
        query = (
            select(RightsRequest)
            .where(
                col(RightsRequest.customer_id) == customer_id,
                col(RightsRequest.kind) == "export",
                col(RightsRequest.asked_by).is_(None),
            )
            .order_by(col(RightsRequest.asked_at).desc())
        )
        return (await session.exec(query.limit(1))).first()

    async def again(self, session: AsyncSession, brand_id: UUID, request_id: UUID) -> RightsRequest:
        """Go on with an erasure that could not be finished."""
        request = await self.get(session, brand_id, request_id)
        if request.kind != "erase" or request.state not in ("failed", "working", "queued"):
            raise Conflict("request_over", "This request is finished.")
        if request.state == "failed":
            request.state, request.step = "working", 0
        await self._defer(session, request)
        return request

    async def _ask(
        self, session: AsyncSession, brand_id: UUID, customer_id: UUID, kind: str, member_id: UUID | None
    ) -> RightsRequest:
        query = select(RightsRequest).where(
            col(RightsRequest.customer_id) == customer_id,
            col(RightsRequest.kind) == kind,
            col(RightsRequest.state).in_(["queued", "working"]),
        )
        if waiting := (await session.exec(query)).first():
            return waiting
        request = RightsRequest(
            brand_id=brand_id,
            customer_id=customer_id,
            kind=kind,
            asked_by=member_id,
            asked_at=self._clock(),
            steps=len(ROOMS) + 1,
        )
        try:
            async with session.begin_nested():
                session.add(request)
        except IntegrityError:
            return (await session.exec(query)).one()
        await self._defer(session, request)
        return request

    async def _defer(self, session: AsyncSession, request: RightsRequest) -> None:
        task = "rights.export" if request.kind == "export" else "rights.erase"
        lock = f"rights:{request.customer_id}"
        await defer(session, task, key=f"{task}:{request.id}", lock=lock, request_id=str(request.id))

    async def _person(self, session: AsyncSession, brand_id: UUID, customer_id: UUID) -> Customer:
        customer = await session.get(Customer, customer_id)
        if customer is None or customer.brand_id != brand_id:
            raise NotFound("customer_unknown", "There is no such person.")
        return customer
