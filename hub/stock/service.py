"""The one stock of every channel: each change is one atomic statement plus a row of the ledger.

    0 ≤ held + committed ≤ on_hand

Rows of `stock` are locked in the order of variant_id, everywhere. A change names its cause (kind, ref);
the ledger's unique key makes every cause count once.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.catalog.models import Variant
from hub.clock import Clock
from hub.db import after_commit, run
from hub.errors import Conflict, NotFound
from hub.news import Coalescer
from hub.stock.models import Hold, Stock, StockMovement

SELL = text(
    """
    WITH cause AS (
        INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
        SELECT gen_random_uuid(), brand_id, variant_id, 'external_sale', CAST(:quantity AS bigint),
               CAST(:ref_type AS text), CAST(:ref_id AS text), CAST(:now AS timestamptz)
        FROM stock
        WHERE variant_id = :variant_id AND on_hand - held - committed >= CAST(:quantity AS bigint)
        FOR UPDATE
        ON CONFLICT (kind, ref_type, ref_id) DO NOTHING
        RETURNING variant_id, quantity)
    UPDATE stock SET committed = committed + cause.quantity, version = version + 1
    FROM cause WHERE stock.variant_id = cause.variant_id
    RETURNING stock.version
    """
)
RETURN = text(
    """
    WITH cause AS (
        INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
        SELECT gen_random_uuid(), sold.brand_id, sold.variant_id, 'uncommit', sold.quantity,
               sold.ref_type, sold.ref_id, CAST(:now AS timestamptz)
        FROM stock_movement AS sold
        WHERE sold.kind IN ('external_sale', 'commit') AND sold.ref_type = :ref_type AND sold.ref_id = :ref_id
        ON CONFLICT (kind, ref_type, ref_id) DO NOTHING
        RETURNING variant_id, quantity)
    UPDATE stock SET committed = committed - cause.quantity, version = version + 1
    FROM cause WHERE stock.variant_id = cause.variant_id
    RETURNING stock.variant_id
    """
)
END_HOLDS = text(
    """
    WITH due AS (
        SELECT id, variant_id FROM hold
        WHERE state = 'held' AND (id = CAST(:hold_id AS uuid)
            OR (CAST(:hold_id AS uuid) IS NULL AND expires_at <= CAST(:now AS timestamptz)))
        ORDER BY variant_id, id LIMIT 1000 FOR UPDATE SKIP LOCKED),
    locked AS (
        SELECT variant_id FROM stock WHERE variant_id IN (SELECT variant_id FROM due)
        ORDER BY variant_id FOR UPDATE),
    ended AS (
        UPDATE hold SET state = CAST(:state AS text) FROM due JOIN locked USING (variant_id)
        WHERE hold.id = due.id AND hold.state = 'held'
        RETURNING hold.id, hold.brand_id, hold.variant_id, hold.quantity, hold.order_id),
    ledger AS (
        INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
        SELECT gen_random_uuid(), brand_id, variant_id, CAST(:kind AS text), quantity, 'hold', id::text,
               CAST(:now AS timestamptz)
        FROM ended),
    freed AS (
        UPDATE stock SET held = held - total.quantity, version = version + 1
        FROM (SELECT variant_id, sum(quantity) AS quantity FROM ended GROUP BY variant_id) AS total
        WHERE stock.variant_id = total.variant_id)
    SELECT id, variant_id, order_id FROM ended
    """
)
COMMIT_HOLD = text(
    """
    WITH paid AS (
        UPDATE hold SET state = 'committed' WHERE id = :hold_id AND state = 'held'
        RETURNING id, brand_id, variant_id, quantity),
    ledger AS (
        INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
        SELECT gen_random_uuid(), brand_id, variant_id, 'commit', quantity, 'hold', id::text,
               CAST(:now AS timestamptz) FROM paid)
    UPDATE stock SET held = held - paid.quantity, committed = committed + paid.quantity, version = version + 1
    FROM paid WHERE stock.variant_id = paid.variant_id
    RETURNING stock.variant_id
    """
)
RECOVER_HOLD = text(
    """
    WITH late AS (
        SELECT hold.id, hold.brand_id, hold.variant_id, hold.quantity
        FROM hold JOIN stock USING (variant_id)
        WHERE hold.id = :hold_id AND hold.state = 'expired'
          AND stock.on_hand - stock.held - stock.committed >= hold.quantity
        FOR UPDATE),
    paid AS (UPDATE hold SET state = 'committed' FROM late WHERE hold.id = late.id),
    ledger AS (
        INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
        SELECT gen_random_uuid(), brand_id, variant_id, 'commit', quantity, 'hold', id::text,
               CAST(:now AS timestamptz) FROM late)
    UPDATE stock SET committed = committed + late.quantity, version = version + 1
    FROM late WHERE stock.variant_id = late.variant_id
    RETURNING stock.variant_id
    """
)


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

    def tell(self, session: AsyncSession, *variants: UUID) -> None:
        """Let screens know, once this transaction has committed."""

        async def touched() -> None:
            self._news.touch(*variants)

        after_commit(session, touched)

    async def receive(self, session: AsyncSession, variant: Variant, quantity: int, author: str) -> None:
        """Goods arrived."""
        if quantity == 0:
            return
        statement = text(
            "UPDATE stock SET on_hand = on_hand + :quantity, version = version + 1 WHERE variant_id = :id"
        )
        await run(session, statement, {"quantity": quantity, "id": variant.id})
        self._write(session, variant.id, variant.brand_id, "receive", quantity, (author, "received"))
        self.tell(session, variant.id)

    async def adjust(
        self,
        session: AsyncSession,
        brand_id: UUID,
        variant_id: UUID,
        wanted: tuple[int, int],
        why: tuple[str, str],
    ) -> Stock:
        """Set on hand to wanted[0] if the version is still wanted[1]; `why` is (author, reason)."""
        on_hand, version = wanted
        query = select(Stock).where(col(Stock.variant_id) == variant_id, col(Stock.brand_id) == brand_id)
        stock = (await session.exec(query.with_for_update())).first()
        if stock is None:
            raise NotFound("variant_unknown", "There is no such variant.")
        if stock.version != version:
            raise Conflict("stale", "The stock changed since you looked. Check the new number and try again.")
        if on_hand < stock.held + stock.committed:
            promised = stock.held + stock.committed
            raise Conflict("promised", f"{promised} are already sold or reserved; on hand can't be less.")
        self._write(session, variant_id, brand_id, "adjust", on_hand - stock.on_hand, why)
        stock.on_hand, stock.version = on_hand, stock.version + 1
        self.tell(session, variant_id)
        return stock

    async def sell(self, session: AsyncSession, variant_id: UUID, quantity: int, line_id: UUID) -> bool:
        """A platform sold it: commit, or False when there is not enough. Once per order line."""
        values = {"variant_id": variant_id, "quantity": quantity, "now": self._clock()}
        cause = {"ref_type": "order_line", "ref_id": str(line_id)}
        done = (await run(session, SELL, values | cause)).first()
        self.tell(session, variant_id)
        return done is not None

    async def give_back(self, session: AsyncSession, ref_type: str, ref_id: UUID) -> None:
        """What was committed for this cause returns to the shelf. Once."""
        values = {"ref_type": ref_type, "ref_id": str(ref_id), "now": self._clock()}
        for row in await run(session, RETURN, values):
            self.tell(session, row.variant_id)

    async def commit_hold(self, session: AsyncSession, hold_id: UUID) -> bool:
        """The hold is paid for. One that had just expired is taken again if there is still enough."""
        for statement in (COMMIT_HOLD, RECOVER_HOLD):
            done = (await run(session, statement, {"hold_id": hold_id, "now": self._clock()})).first()
            if done:
                self.tell(session, done.variant_id)
                return True
        hold = await session.get(Hold, hold_id, populate_existing=True)
        return hold is not None and hold.state == "committed"

    async def release_hold(self, session: AsyncSession, hold_id: UUID) -> None:
        """The buyer lets go; harmless when the hold had ended."""
        await self._end(session, {"hold_id": hold_id, "state": "released", "kind": "release"})

    async def expire_holds(self, session: AsyncSession) -> list[Ended]:
        """Return the stock of every hold whose time is up."""
        return await self._end(session, {"hold_id": None, "state": "expired", "kind": "expire"})

    async def _end(self, session: AsyncSession, how: dict[str, object]) -> list[Ended]:
        rows = await run(session, END_HOLDS, {**how, "now": self._clock()})
        ended = [Ended(row.id, row.variant_id, row.order_id) for row in rows]
        self.tell(session, *{one.variant_id for one in ended})
        return ended

    def _write(
        self,
        session: AsyncSession,
        variant_id: UUID,
        brand_id: UUID,
        kind: str,
        quantity: int,
        why: tuple[str, str],
    ) -> None:
        movement = StockMovement(
            brand_id=brand_id,
            variant_id=variant_id,
            kind=kind,
            quantity=quantity,
            ref_type="hand",
            ref_id="",
            author=why[0],
            reason=why[1],
            created_at=self._clock(),
        )
        movement.ref_id = str(movement.id)
        session.add(movement)
