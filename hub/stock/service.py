"""The one stock of every channel: each change is one atomic statement plus a row of the ledger.

    0 ≤ held + committed ≤ on_hand

Locks are taken in one order everywhere: holds, then stock by variant_id, then offers by id. A change names
its cause (kind, ref); the ledger's unique key makes every cause count once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.catalog.models import Variant
from hub.clock import Clock
from hub.db import after_commit, run
from hub.errors import Conflict, NotFound
from hub.ids import new_id
from hub.news import Coalescer
from hub.stock import changes
from hub.stock.models import Hold, Stock
from hub.stock.places import Places, spread

EXTEND = text(
    """
    UPDATE hold SET expires_at = greatest(expires_at, CAST(:until AS timestamptz)), extended = true
    WHERE order_id = CAST(:order_id AS uuid) AND state = 'held' AND NOT extended
    """
)
KEEP = text(
    """
    UPDATE hold SET expires_at = CAST(:until AS timestamptz)
    WHERE order_id = CAST(:order_id AS uuid) AND state = 'held'
    """
)


AT_ONCE: Final = 1000
"""Holds that end in one transaction: whoever buys of the same stock waits for it."""


@dataclass(frozen=True)
class Ended:
    """A hold that gave its stock back."""

    id: UUID
    variant_id: UUID
    order_id: UUID | None


class StockRoom:
    """Every way stock changes but one: taking holds is the hot path, in `reserve.py`."""

    def __init__(self, clock: Clock, news: Coalescer[UUID]) -> None:
        self._clock = clock
        self._news = news
        self.places = Places()

    def tell(self, session: AsyncSession, *variants: UUID) -> None:
        """Let screens know, once this transaction has committed."""

        async def touched() -> None:
            self._news.touch(*variants)

        after_commit(session, touched)

    async def own(self, session: AsyncSession, brand_id: UUID, variant_id: UUID) -> None:
        """NotFound when the variant is not the brand's, or has no stock of its own."""
        query = select(Stock.version).where(
            col(Stock.variant_id) == variant_id, col(Stock.brand_id) == brand_id
        )
        if (await session.exec(query)).first() is None:
            raise NotFound("variant_unknown", "There is no such variant.")

    async def receive(
        self,
        session: AsyncSession,
        variant: Variant,
        quantity: int,
        author: str,
        place_id: UUID | None = None,
    ) -> None:
        """Goods arrived, at the brand's first place when none is named."""
        if quantity == 0:
            return
        place = await self.places.at(session, variant.brand_id, variant.id, place_id)
        await self._lock(session, [variant.id])
        await self._move(session, variant, {place: quantity}, ("receive", author, "received"))

    async def adjust(
        self,
        session: AsyncSession,
        brand_id: UUID,
        variant_id: UUID,
        wanted: tuple[int, int],
        why: tuple[str, str],
        place_id: UUID | None = None,
    ) -> Stock:
        """Set on hand to wanted[0] if the version is still wanted[1]; `why` is (author, reason).

        With a place: what is on hand there. Without: in all, what comes goes to the first place, what is
        missing is missing from the last.
        """
        on_hand, version = wanted
        query = select(Stock).where(col(Stock.variant_id) == variant_id, col(Stock.brand_id) == brand_id)
        stock = (await session.exec(query.with_for_update(key_share=True))).first()
        if stock is None:
            raise NotFound("variant_unknown", "There is no such variant.")
        if stock.version != version:
            raise Conflict("stale", "The stock changed since you looked. Check the new number and try again.")
        place = await self.places.at(session, brand_id, variant_id, place_id)
        rows = await self.places.rows(session, variant_id)
        there = next(row for row in rows if row.place_id == place)
        change = on_hand - (there.on_hand if place_id else stock.on_hand)
        promised = stock.held + stock.committed
        short_there = place_id is not None and on_hand < there.committed
        if stock.on_hand + change < promised or short_there:
            raise Conflict("promised", f"{promised} are already sold or reserved; on hand can't be less.")
        amounts = {place: change} if place_id or change >= 0 else spread(rows, change)
        await self._move(session, stock, amounts, ("adjust", *why))
        await session.refresh(stock)
        return stock

    async def sell(self, session: AsyncSession, variant_id: UUID, quantity: int, line_id: UUID) -> bool:
        """A platform sold it: commit, or False when there is not enough. Once per order line."""
        await self._lock(session, [variant_id])
        cause = {"ref_type": "order_line", "ref_id": str(line_id)}
        values = {"variant_id": variant_id, "quantity": quantity, **cause}
        return bool(await self._change(session, changes.SELL, values, [variant_id]))

    async def give_back(self, session: AsyncSession, ref_type: str, ref_id: UUID) -> None:
        """What was committed for this cause returns to the shelf, and to its offer. Once."""
        if ref_type == "hold":
            await self._group(session, ref_id)
        else:
            query = text("SELECT variant_id FROM stock_movement WHERE ref_type = :type AND ref_id = :ref")
            found = await run(session, query, {"type": ref_type, "ref": str(ref_id)})
            await self._lock(session, [row.variant_id for row in found])
        await self._give_back(session, ref_type, [ref_id])

    async def restock(
        self,
        session: AsyncSession,
        variant_id: UUID,
        quantity: int,
        ref_type: str,
        ref_id: UUID | str,
        author: str | None,
    ) -> bool:
        """What was sold lies on the shelf again. Once per cause; False when that was so already.

        The offer it was sold in keeps its count: it was sold at that price.
        """
        await self._lock(session, [variant_id])
        cause = {"ref_type": ref_type, "ref_id": str(ref_id), "author": author}
        values = {"variant_id": variant_id, "quantity": quantity, **cause}
        return bool(await self._change(session, changes.RESTOCK, values, [variant_id]))

    async def commit_hold(self, session: AsyncSession, hold_id: UUID) -> bool:
        """The hold and its group are paid for; ended ones are taken again if there is still enough."""
        return await self._commit(session, await self._group(session, hold_id))

    async def commit_order(self, session: AsyncSession, order_id: UUID) -> bool:
        """All holds of an order are paid for, or none; ended ones as above."""
        holds = await self._lock_holds(session, changes.LOCK_ORDER, order_id=order_id)
        return await self._commit(session, holds)

    async def firm(self, session: AsyncSession, hold_ids: Sequence[UUID], seconds: int) -> bool:
        """At the payment step of a show that sells to who pays first: reserve now what had only a price.

        For as long as the show says, or `seconds`. False: sold out, and nothing changed. True too when there
        was nothing to do.
        """
        holds = await self._group(session, *hold_ids)
        values = {"holds": [hold.id for hold in holds if hold.soft and hold.state == "held"]}
        if not values["holds"]:
            return True
        if (await run(session, changes.LACKING, values)).first():
            return False
        await run(session, changes.FIRM, values | {"now": self._clock(), "seconds": seconds})
        await self._see(session, holds)
        self.tell(session, *{hold.variant_id for hold in holds})
        return True

    async def extend(self, session: AsyncSession, order_id: UUID, until: datetime) -> bool:
        """More time, once, while a bank asks the buyer. False: there was an extension, or a hold ended."""
        holds = await self._lock_holds(session, changes.LOCK_ORDER, order_id=order_id)
        if not holds or any(hold.state != "held" or hold.extended for hold in holds):
            return False
        await run(session, EXTEND, {"order_id": order_id, "until": until})
        return True

    async def keep(self, session: AsyncSession, order_id: UUID, until: datetime) -> bool:
        """Keep the holds of an order until then, as long as a person looks at it. False: one has ended."""
        holds = await self._lock_holds(session, changes.LOCK_ORDER, order_id=order_id)
        if not holds or any(hold.state != "held" for hold in holds):
            return False
        await run(session, KEEP, {"order_id": order_id, "until": until})
        return True

    async def release_hold(self, session: AsyncSession, hold_id: UUID) -> None:
        """The buyer lets go of a hold and its group; harmless when they had ended. Conflict `being_paid`."""
        holds = [hold.id for hold in await self._group(session, hold_id)]
        # Locked by now: an order that took it at this very moment is seen.
        if (await run(session, changes.BEING_PAID, {"holds": holds})).first():
            raise Conflict("being_paid", "This reservation is being paid for.")
        await self._end(session, holds, "released", "release")

    async def release_order(self, session: AsyncSession, order_id: UUID) -> None:
        """An order comes to nothing: what is held for it is free, what was committed too."""
        holds = await self._lock_holds(session, changes.LOCK_ORDER, order_id=order_id)
        await self._end(session, [hold.id for hold in holds], "released", "release")
        committed = [hold.id for hold in holds if hold.state == "committed"]
        if committed:
            await self._give_back(session, "hold", committed)

    async def expire_holds(self, session: AsyncSession) -> list[Ended]:
        """Return the stock of holds whose time is up, `AT_ONCE` at most: with so many, ask again at once."""
        due = await self._lock_rows(session, changes.LOCK_DUE, now=self._clock(), most=AT_ONCE)
        return await self._end(session, due, "expired", "expire")

    async def _lock(
        self, session: AsyncSession, variants: Iterable[UUID], offers: Iterable[UUID] = ()
    ) -> None:
        await run(session, changes.LOCK_SHELVES, {"variants": sorted(set(variants))})
        if found := sorted(set(offers)):
            await run(session, changes.LOCK_OFFERS, {"offers": found})

    async def _group(self, session: AsyncSession, *hold_ids: UUID) -> list[Hold]:
        return await self._lock_holds(session, changes.LOCK_GROUP, holds=[*hold_ids])

    async def _lock_holds(self, session: AsyncSession, statement: TextClause, **values: object) -> list[Hold]:
        """Lock holds, their stock and their offers; the holds as they are now."""
        found = await self._lock_rows(session, statement, **values)
        if not found:
            return []
        query = select(Hold).where(col(Hold.id).in_(found)).order_by(col(Hold.id))
        return [*await session.exec(query.execution_options(populate_existing=True))]

    async def _lock_rows(self, session: AsyncSession, statement: TextClause, **values: object) -> list[UUID]:
        """The same without reading them: their ids."""
        found = (await run(session, statement, values)).all()
        if found:
            offers = [row.offer_id for row in found if row.offer_id]
            await self._lock(session, [row.variant_id for row in found], offers)
        return [row.id for row in found]

    async def _commit(self, session: AsyncSession, holds: Sequence[Hold]) -> bool:
        if not holds or any(hold.state == "released" for hold in holds):
            return False
        values = {"holds": [hold.id for hold in holds if hold.state != "committed"]}
        if not values["holds"]:
            return True
        if (await run(session, changes.LACKING, values)).first():
            return False
        await self._change(session, changes.COMMIT_HOLDS, values, [hold.variant_id for hold in holds])
        await self._see(session, holds)
        return True

    async def _end(self, session: AsyncSession, holds: Sequence[UUID], state: str, kind: str) -> list[Ended]:
        if not holds:
            return []
        values = {"holds": [*holds], "state": state, "kind": kind, "now": self._clock()}
        rows = (await run(session, changes.END_HOLDS, values)).all()
        ended = [Ended(row.id, row.variant_id, row.order_id) for row in rows]
        self.tell(session, *{one.variant_id for one in ended})
        return ended

    async def _give_back(self, session: AsyncSession, ref_type: str, ref_ids: Sequence[UUID]) -> None:
        values = {"ref_type": ref_type, "ref_ids": [str(one) for one in ref_ids], "now": self._clock()}
        for row in (await run(session, changes.RETURN, values)).all():
            self.tell(session, row.variant_id)

    async def _change(
        self,
        session: AsyncSession,
        statement: TextClause,
        values: Mapping[str, object],
        variants: Iterable[UUID],
    ) -> Sequence[object]:
        rows = (await run(session, statement, {**values, "now": self._clock()})).all()
        self.tell(session, *variants)
        return rows

    async def _see(self, session: AsyncSession, holds: Sequence[Hold]) -> None:
        """Objects this session knows say what the tables say."""
        for hold in holds:
            await session.refresh(hold)

    async def _move(
        self,
        session: AsyncSession,
        of: Variant | Stock,
        amounts: Mapping[UUID, int],
        why: tuple[str, str, str],
    ) -> None:
        """Change what is on hand at these places."""
        kind, author, reason = why
        variant_id = of.id if isinstance(of, Variant) else of.variant_id
        values = {
            "ids": [new_id() for _ in amounts],
            "places": [*amounts],
            "amounts": [*amounts.values()],
            "brand_id": of.brand_id,
            "variant_id": variant_id,
            "kind": kind,
            "author": author,
            "reason": reason,
        }
        await self._change(session, changes.ON_HAND, values, [variant_id])
