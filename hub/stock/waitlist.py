"""The waitlist: who comes when nothing is left is offered the next free unit, in the order they came.

A freed unit is not for newcomers while somebody waits (`decide.py`). The sweep turns it into a short hold of
the head of the queue, through the same path as every hold; one that is not used lapses to the next. Whose
network holds as much as it may keeps their place, and the next one behind them is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.tokens import Viewer
from hub.bus import Event
from hub.clock import Clock
from hub.db import Database, announce, run
from hub.errors import Conflict, HubError, NotFound
from hub.ids import new_id
from hub.stock.facts import Taken, Wish
from hub.stock.models import Waitlist
from hub.stock.reserve import Reservations
from hub.stock.service import StockRoom

AT_ONCE: Final = 200
"""Heads of queues that are asked in one sweep."""

FREE = """
    coalesce(
        (SELECT min((part.on_hand - part.held - part.committed) / item.quantity)
         FROM bundle_item AS item JOIN stock AS part ON part.variant_id = item.variant_id
         WHERE item.bundle_variant_id = variant.id),
        (SELECT on_hand - held - committed FROM stock WHERE stock.variant_id = variant.id))"""
"""SQL: how many of `variant` can be promised; of a bundle, as often as its parts are there."""

SITUATION = text(
    f"""
    SELECT {FREE} AS free, (
        SELECT count(*) FROM waitlist WHERE variant_id = variant.id AND state = 'waiting') AS waiting
    FROM variant JOIN show_product USING (product_id) JOIN show ON show.id = show_id
    WHERE variant.id = :variant_id AND show.id = :show_id AND show.state <> 'ended' AND NOT variant.archived
    """  # noqa: S608 - made of constants
)
IN_A_FULL_NETWORK = """
    SELECT FROM show WHERE show.id = waitlist.show_id AND units_per_network > 0
        AND waitlist.network_hash IS NOT NULL
        AND waitlist.quantity + (SELECT coalesce(sum(units), 0) FROM hold
            WHERE hold.network_hash = waitlist.network_hash) > greatest(units_per_network, units_per_buyer)"""
"""SQL: a row when there is no room for `waitlist` in its network, as `decide.shared` has it."""
HEADS = text(
    f"""
    SELECT waitlist.* FROM (SELECT DISTINCT variant_id FROM waitlist WHERE state = 'waiting') AS wanted
    JOIN variant ON variant.id = wanted.variant_id
    CROSS JOIN LATERAL (
        SELECT * FROM waitlist WHERE waitlist.variant_id = variant.id AND state = 'waiting'
            AND NOT EXISTS ({IN_A_FULL_NETWORK})
        ORDER BY n LIMIT greatest(0, least({FREE}, :most))) AS waitlist
    ORDER BY n LIMIT :most
    """  # noqa: S608 - made of constants
)
OWN = text(
    """
    SELECT own.variant_id, own.state, own.hold_id, own.offered_until, 1 + (
        SELECT count(*) FROM waitlist WHERE variant_id = own.variant_id AND state = 'waiting' AND n < own.n
    ) AS position
    FROM waitlist AS own
    WHERE viewer_id = :viewer_id AND show_id = :show_id AND state IN ('waiting', 'offered') ORDER BY n
    """
)
WITHOUT_OFFER = text("UPDATE waitlist SET offer_id = NULL WHERE id = :id")
"""The offer they waited for is over, or not theirs: the next sweep offers the unit at the price of today."""
PASS_OVER = text(
    "UPDATE waitlist SET state = 'lapsed', network_hash = NULL WHERE id = :id AND state = 'waiting'"
)
CLOSE = text(
    """
    UPDATE waitlist SET state = 'left', network_hash = NULL FROM show
    WHERE show.id = show_id AND show.state = 'ended' AND waitlist.state = 'waiting'
    """
)


@dataclass(frozen=True)
class Place:
    """Where a viewer stands. `hold_id` and `offered_until`: the unit that is kept for them now."""

    variant_id: UUID
    state: str
    position: int
    hold_id: UUID | None
    offered_until: datetime | None


class Queue:
    """The waitlist of every show."""

    def __init__(self, db: Database, clock: Clock, reservations: Reservations, stock: StockRoom) -> None:
        self._db = db
        self._clock = clock
        self._reservations = reservations
        self._stock = stock

    async def join(
        self, session: AsyncSession, viewer: Viewer, variant_id: UUID, offer_id: UUID | None = None
    ) -> Place:
        """Wait for a unit; who waits already keeps their place. Conflict `in_stock` when there is one."""
        values = {"variant_id": variant_id, "show_id": viewer.show_id}
        found = (await run(session, SITUATION, values)).first()
        if found is None:
            raise NotFound("variant_unknown", "This product is not on sale in this show.")
        mine = await self._mine(session, viewer, variant_id)
        if mine is None and found.free is not None and found.free > found.waiting:
            raise Conflict("in_stock", "There is some left: you can buy it now.")
        fresh = insert(Waitlist).values(
            id=new_id(),
            brand_id=viewer.brand_id,
            **values,
            offer_id=offer_id,
            viewer_id=viewer.id,
            quantity=1,
            member=viewer.member,
            network_hash=viewer.network,
            state="waiting",
            created_at=self._clock(),
        )
        await run(session, fresh.on_conflict_do_nothing())
        return await self._place(session, viewer, variant_id)

    async def leave(self, session: AsyncSession, viewer: Viewer, variant_id: UUID) -> None:
        """Wait no longer; a unit that was kept is free for the next. Harmless when one didn't wait."""
        mine = await self._mine(session, viewer, variant_id)
        if mine is None:
            return
        if mine.hold_id:
            await self._stock.release_hold(session, mine.hold_id)
        await session.refresh(mine)
        if mine.state == "waiting":
            mine.state, mine.network_hash = "left", None

    async def places(self, session: AsyncSession, viewer: Viewer) -> list[Place]:
        """Everything a viewer waits for in their show."""
        rows = await run(session, OWN, {"viewer_id": viewer.id, "show_id": viewer.show_id})
        return [Place(**row) for row in rows.mappings()]

    async def offer_freed(self) -> int:
        """A sweep: make holds of what is free for those who wait; how many."""
        async with self._db.session() as session:
            await run(session, CLOSE)
            heads = (await run(session, HEADS, {"most": AT_ONCE})).all()
        # All at once, in their order: they are judged in the order they are handed over.
        found = await asyncio.gather(*(self._offer(row) for row in heads))
        await self._tell([(row, one) for row, one in zip(heads, found, strict=True) if one])
        return sum(1 for one in found if one)

    async def _offer(self, row: Any) -> Taken | None:
        wish = Wish(
            row.brand_id,
            row.show_id,
            row.viewer_id,
            row.variant_id,
            row.quantity,
            f"waitlist-{row.id}",
            row.offer_id,
            row.member,
            "waitlist",
            network=row.network_hash,
        )
        try:
            return await self._reservations.take(wish)
        except (Conflict, NotFound) as refusal:
            if refusal.code == "offer_over" or (refusal.code == "members_only" and row.offer_id):
                await self._note(WITHOUT_OFFER, row.id)
            elif refusal.code not in ("sold_out", "hoarding"):
                # Not for them (any more): the next one must not wait for that.
                await self._note(PASS_OVER, row.id)
        except HubError:
            pass  # the database is away; the next sweep tries again
        return None

    async def _note(self, statement: TextClause, row_id: UUID) -> None:
        async with self._db.session() as session:
            await run(session, statement, {"id": row_id})

    async def _tell(self, offered: Sequence[tuple[Any, Taken]]) -> None:
        """News for those viewers alone; who misses it finds the hold in their places."""
        if not offered:
            return
        async with self._db.session() as session:
            for row, taken in offered:
                data = {
                    "viewer_id": row.viewer_id,
                    "variant_id": str(row.variant_id),
                    "hold_id": str(taken.group_id),
                    "expires_at": taken.expires_at.isoformat(),
                    "server_time": self._clock().isoformat(),
                    "quantity": taken.quantity,
                    "unit_minor": taken.unit_minor,
                    "list_minor": taken.list_minor,
                    "currency": taken.currency,
                }
                announce(session, Event(show_id=row.show_id, kind="waitlist.offered", data=data))

    async def _mine(self, session: AsyncSession, viewer: Viewer, variant_id: UUID) -> Waitlist | None:
        query = select(Waitlist).where(
            col(Waitlist.viewer_id) == viewer.id,
            col(Waitlist.show_id) == viewer.show_id,
            col(Waitlist.variant_id) == variant_id,
            col(Waitlist.state).in_(("waiting", "offered")),
        )
        return (await session.exec(query)).first()

    async def _place(self, session: AsyncSession, viewer: Viewer, variant_id: UUID) -> Place:
        found = await self.places(session, viewer)
        return next(place for place in found if place.variant_id == variant_id)
