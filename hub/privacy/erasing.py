"""Forgets a person everywhere, with proof; killed at any line and repeated it comes to the same end.

queued ─▶ working (whom to look for is sealed into the request; a tombstone in file and table)
       ─▶ one room after another, each in one transaction with its count
       ─▶ looked through: every column and letter; what is found there is worked on once more
       ─▶ done (whom to look for is gone, the proof stays)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.errors import RetryLater
from hub.clock import Clock
from hub.customers.region import lock_brand
from hub.db import Database, run
from hub.errors import NotFound
from hub.jobs import defer
from hub.payments.models import SavedMethod
from hub.privacy.busy import papers, under_way
from hub.privacy.finding import Finding
from hub.privacy.models import Erasure, RightsRequest
from hub.privacy.rooms import ROOMS
from hub.privacy.search import Search, every_table
from hub.privacy.tombstones import Tombstone, Tombstones
from hub.privacy.who import Who

log = structlog.get_logger()

WAIT: Final = 20.0
"""Seconds until it is tried again whether a gateway has forgotten a card, or an order is over."""
SETTLES: Final = 5.0
"""Seconds in which what was on its way when somebody was looked for has arrived."""
MOST_ROUNDS: Final = 3
"""How often rooms are gone through again for what came in meanwhile, before a person is asked."""
LAW: Final = (
    "Tax law asks for invoices as they were issued, with name and address (for instance Council Directive "
    "2006/112/EC, Art. 226 and 244). They are blanked when their period ends."
)
ORDERS_KEPT: Final = (
    "Of orders stay number, lines, amounts, tax, country and region, payments with the gateway's reference, "
    "and stock movements: the books must add up. Nothing in them says whose they were."
)
BACKUPS: Final = (
    "Backups made before this still hold the person until they are thrown away. Whoever puts one back runs "
    "`simulcast replay-erasures` before opening the shop: the tombstone forgets them again."
)
FORGETTING: Final = text(
    """
    SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'payment.forget' AND status IN ('todo', 'doing')
      AND args->>'saved_method_id' = ANY(:methods)
    """
)
UNFORGOTTEN: Final = text(
    """
    SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'payment.forget' AND status = 'failed'
      AND args->>'saved_method_id' = ANY(:methods)
    """
)
REWRITING: Final = text(
    """
    SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'events.forget'
      AND status IN ('todo', 'doing', 'failed') AND args->>'brand_id' = :brand
    """
)
LOCKS: Final = (
    text("SELECT id FROM identity WHERE customer_id = ANY(:customers) ORDER BY id FOR UPDATE"),
    text("SELECT id FROM customer WHERE id = ANY(:customers) ORDER BY id FOR UPDATE"),
)
"""As everybody who asks who is who takes them (`hub/customers/service.py`): the brand, nodes, people."""
NEWER: Final = text("SELECT 1 FROM orders WHERE customer_id = ANY(:customers) AND id <> ALL(:orders) LIMIT 1")


class Erasing:
    """The job, and the same for everybody who came back with a backup (`replaying.py`)."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        finding: Finding,
        tombstones: Tombstones,
        search: Search,
    ) -> None:
        self._db = db
        self._clock = clock
        self._finding = finding
        self._tombstones = tombstones
        self._search = search

    async def run(self, request_id: UUID) -> None:
        """The job. RetryLater while something is still under way."""
        who = await self._begin(request_id)
        if who is None:
            return
        await self._wait_for_gateways(request_id, who)
        while await self._next_room(request_id, who):
            pass
        await self._wait_for_files(who)
        await self._look_through(request_id, who)

    async def _begin(self, request_id: UUID) -> Who | None:
        """Whom to forget; None when that is done. The tombstone is durable before anything is removed."""
        async with self._db.session() as session:
            request = await self._locked(session, request_id)
            if request.state not in ("queued", "working", "failed"):
                return None
            if request.who_sealed:
                who = self._finding.again(request.who_sealed)
            else:
                visitors = request.proof.get("visitors", [])
                who = await self._finding.who(session, request.brand_id, [request.customer_id], visitors)
            request.problem = why = await under_way(session, who) or ""
            if not why and not request.who_sealed:
                await self._bury(session, request, who)
        if why:
            raise RetryLater(why, after=WAIT)
        return who

    async def _bury(self, session: AsyncSession, request: RightsRequest, who: Who) -> None:
        stone = Tombstone(
            request_id=request.id,
            brand_id=request.brand_id,
            node_hashes=self._tombstones.marks(who.hashes),
            visitor_ids=self._tombstones.marks(who.visitor_ids),
            at=self._clock(),
        )
        if request.proof.get("because") != "retention":
            # A rule would find them again by itself, and who comes back after years is welcome.
            await self._tombstones.write(stone)
            known = select(Erasure.id).where(col(Erasure.request_id) == request.id)
            if (await session.exec(known)).first() is None:
                session.add(stone.row())
        kept = await papers(session, who)
        proof = {name: value for name, value in request.proof.items() if name == "because"}
        request.proof = proof | {
            "began_at": self._clock().isoformat(),
            "removed": {},
            "kept": {"invoices": [list(one) for one in kept], "why": LAW, "orders": ORDERS_KEPT},
            "backups": BACKUPS,
        }
        request.state, request.problem = "working", ""
        request.step, request.steps = 0, len(ROOMS) + 1
        request.who_sealed = self._finding.sealed(who)
        query = select(SavedMethod).where(col(SavedMethod.customer_id).in_(who.customer_ids))
        for method in await session.exec(query.with_for_update()):
            if method.state == "ok":
                method.state, key = "gone", f"payment.forget:{method.id}"
                await defer(session, "payment.forget", key=key, saved_method_id=str(method.id))

    async def _wait_for_gateways(self, request_id: UUID, who: Who) -> None:
        """Cards are forgotten at the gateways first: afterwards nobody knows their names there."""
        async with self._db.session() as session:
            query = select(SavedMethod.id).where(col(SavedMethod.customer_id).in_(who.customer_ids))
            methods = {"methods": [str(one) for one in await session.exec(query)]}
            if not methods["methods"]:
                return
            waiting = (await run(session, FORGETTING, methods)).scalar_one()
            untold = (await run(session, UNFORGOTTEN, methods)).scalar_one()
            request = await self._locked(session, request_id)
            request.proof = request.proof | {"cards": {"kept": len(methods["methods"]), "untold": untold}}
        if waiting:
            raise RetryLater("A payment company has not forgotten a saved card yet.", after=WAIT)

    async def _wait_for_files(self, who: Who) -> None:
        """Files of events are written anew by a job of their own."""
        async with self._db.session() as session:
            waiting = (await run(session, REWRITING, {"brand": str(who.brand_id)})).scalar_one()
        if waiting:
            raise RetryLater("The files of viewers' events are being written anew.", after=2.0)

    async def _next_room(self, request_id: UUID, who: Who) -> bool:
        """Erase them from the next room; False when all are through."""
        async with self._db.session() as session:
            request = await self._locked(session, request_id)
            if request.step >= len(ROOMS):
                return False
            newer = request.step == len(ROOMS) - 1 and await self._ordered_meanwhile(session, who)
            if newer:
                # Their parcel must not lose its address: it is gone through once more when that is over.
                found = await self._finding.who(session, who.brand_id, who.customer_ids)
                request.step, request.who_sealed = 0, self._finding.sealed(who.joined(found))
            else:
                await self._erase_from(session, request, who)
        if newer:
            raise RetryLater("They ordered while they were being forgotten.", after=1.0)
        return True

    async def _ordered_meanwhile(self, session: AsyncSession, who: Who) -> bool:
        """Before the last room. From here on nobody can order in their name."""
        await lock_brand(session, who.brand_id)
        for lock in LOCKS:
            await run(session, lock, who.values("customers"))
        return (await run(session, NEWER, who.values("customers", "orders"))).first() is not None

    async def _erase_from(self, session: AsyncSession, request: RightsRequest, who: Who) -> None:
        area = ROOMS[request.step]
        if request.step == len(ROOMS) - 1:
            await detach(session, who)
        counts = await area.erase(session, who)
        removed = dict(request.proof.get("removed", {}))
        removed[area.name] = added(removed.get(area.name, {}), counts)
        request.proof = request.proof | {"removed": removed}
        request.step += 1

    async def _look_through(self, request_id: UUID, who: Who) -> None:
        """The proof: nothing of what only they have is anywhere. What came meanwhile is worked on again."""
        looked = await self._search.through(who)
        async with self._db.session() as session:
            request = await self._locked(session, request_id)
            request.proof = request.proof | {"looked_through": looked.told()}
            again = int(request.proof.get("rounds", 0)) + 1
            if looked.places and again < MOST_ROUNDS:
                request.step = 0
                request.proof = request.proof | {"rounds": again}
            elif looked.places:
                request.state = "failed"
                places = ", ".join(looked.places[:5])
                request.problem = f"Something of this person is still found in: {places}. Try again."
                log.error("erasure.left_over", request=str(request_id), places=looked.places)
            else:
                request.state, request.problem, request.done_at = "done", "", self._clock()
                request.step, request.who_sealed = request.steps, None
                log.info("erasure.done", request=str(request_id))
        if looked.places and again < MOST_ROUNDS:
            raise RetryLater("Something came in while they were being forgotten.", after=SETTLES)

    async def _locked(self, session: AsyncSession, request_id: UUID) -> RightsRequest:
        request = await session.get(RightsRequest, request_id, with_for_update=True, populate_existing=True)
        if request is None or request.kind != "erase":
            raise NotFound("request_unknown", "There is no such request.")
        return request


def added(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """What rounds removed together."""
    names = {**before, **now}
    return {name: before.get(name, 0) + now.get(name, 0) for name in names}


async def detach(session: AsyncSession, who: Who) -> None:
    """Whatever still names the customer, in any table that may also name none, names none any more."""
    gone = {"customers": list(who.customer_ids)}
    # Of a choice nothing would be left that says whose it is.
    await run(session, text("DELETE FROM consent_choice WHERE customer_id = ANY(:customers)"), gone)
    nodes = text("SELECT id FROM identity WHERE customer_id = ANY(:customers)")
    node_ids = (await run(session, nodes, gone)).scalars().all()
    for table in every_table():
        if "identity_id" in table.columns:
            column = table.c.identity_id
            await run(session, table.update().where(column.in_(node_ids)).values(identity_id=None))
        for column in table.columns:
            named = any(key.target_fullname == "customer.id" for key in column.foreign_keys)
            if named and column.nullable and table.name != "customer":
                statement = table.update().where(column.in_(who.customer_ids)).values({column.name: None})
                await run(session, statement)
