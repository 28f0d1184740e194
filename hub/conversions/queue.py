"""Finds what is to be told: a sweep over orders that were paid or given back since it last looked.

Nothing in the path of the money knows of it. Killed at any line it looks again: a row per account, event and
order is there once, whatever happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.conversions import permits
from hub.conversions.models import Conversion, ConversionDesk
from hub.conversions.told import purchase_id, purchase_of, refund_id, refund_of
from hub.db import Database, run
from hub.orders.models import Order
from hub.secrets import Vault

log = structlog.get_logger()

OVERLAP: Final = timedelta(minutes=2)
"""What was changed shortly before a look may have been committed after it; no transaction lasts as long."""
AT_A_TIME: Final = 200
SETTLE: Final = timedelta(seconds=15)
"""The page is to tell what its browser is called first, and its own script of the purchase."""
UNLINKED: Final = "The account was unlinked."

PURCHASES: Final = text(
    """
    SELECT orders.id FROM orders
    WHERE brand_id = :brand_id AND updated_at >= :since AND placed_at >= :linked AND NOT test
      AND state IN ('paid', 'refunded') AND (channel = 'own' OR :shops)
      AND NOT channel = ANY(:known)
      AND NOT EXISTS (SELECT FROM conversion WHERE conversion.connection_id = :connection_id
        AND conversion.event_name = 'purchase' AND conversion.order_id = orders.id)
    ORDER BY updated_at, id LIMIT :most
    """
)
REFUNDS: Final = text(
    """
    WITH gone AS (
        SELECT orders.id, orders.updated_at, CASE WHEN orders.state = 'paid' THEN orders.refunded_minor
            ELSE orders.total_minor END AS minor,
            (SELECT coalesce(sum(value_minor), 0) FROM conversion AS back
             WHERE back.connection_id = bought.connection_id AND back.order_id = orders.id
               AND back.event_name = 'refund') AS told
        FROM orders JOIN conversion AS bought ON bought.order_id = orders.id
            AND bought.connection_id = :connection_id AND bought.event_name = 'purchase'
            AND bought.state NOT IN ('withheld', 'too_old')
        WHERE orders.brand_id = :brand_id AND orders.updated_at >= :since
          AND orders.state IN ('paid', 'refunded', 'cancelled', 'failed', 'expired', 'sold_out'))
    SELECT id, minor, CAST(minor - told AS bigint) AS fresh FROM gone WHERE minor > told
    ORDER BY updated_at, id LIMIT :most
    """
)
"""Orders of which more went back than was told. One that fell through after all went back whole."""
LET_GO: Final = text(
    """
    UPDATE conversion SET state = 'withheld', reason = :reason, payload_sealed = NULL
    FROM connection WHERE connection.id = conversion.connection_id
      AND conversion.state = 'waiting' AND connection.state = 'off'
    """
)


class Queueing:
    """Writes the rows that `Outbox` sends."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        vault: Vault,
        connections: Connections,
        book: permits.Book,
        *,
        site_url: str,
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._connections = connections
        self._book = book
        self._site_url = site_url

    async def sweep(self) -> int:
        """Look at every account's orders; how many rows were written."""
        takers = [one.name for one in self._connections.connectors.values() if one.conversions]
        async with self._db.session() as session:
            await run(session, LET_GO, {"reason": UNLINKED})
            query = select(Connection).where(
                col(Connection.connector).in_(takers), col(Connection.state) != "off"
            )
            rows = (await session.exec(query.order_by(col(Connection.id)))).all()
        written = 0
        for row in rows:
            written += await self._follow(row)
        return written

    async def _follow(self, row: Connection) -> int:
        """One account, until nothing is left; only then the place to look from moves on."""
        now = self._clock()
        written = 0
        async with self._db.session() as session:
            desk = await self._desk(session, row)
        since = desk.read_at
        for statement in (PURCHASES, REFUNDS):
            fresh, many = 1, AT_A_TIME
            # Fewer are written than were found where another look was faster with some.
            while fresh and many == AT_A_TIME:
                async with self._db.session() as session:
                    found = (await run(session, statement, self._values(row, desk, since))).all()
                    fresh = sum([await self._queue(session, row, one) for one in found])
                many = len(found)
                written += fresh
        async with self._db.session() as session:
            kept = await session.get(ConversionDesk, row.id, with_for_update=True)
            if kept:
                kept.read_at = max(kept.read_at, now - OVERLAP)
        if written:
            log.info("conversions.queued", connection=str(row.id), count=written)
        return written

    async def _desk(self, session: AsyncSession, row: Connection) -> ConversionDesk:
        """How this account is told; made when it is new, with its public id as it is now."""
        desk = await session.get(ConversionDesk, row.id)
        if desk is None:
            made = ConversionDesk(
                connection_id=row.id, brand_id=row.brand_id, since=row.created_at, read_at=row.created_at
            )
            await run(session, insert(ConversionDesk).values(made.model_dump()).on_conflict_do_nothing())
            desk = await session.get_one(ConversionDesk, row.id)
        pixel = self._pixel(row)
        if desk.pixel != pixel:
            desk.pixel = pixel
        return desk

    def _pixel(self, row: Connection) -> str:
        connector = self._connections.connector(row.connector)
        if connector.pixel is None or not self._connections.legible(row):
            return ""
        return connector.pixel(self._connections.config_of(row))

    def _values(self, row: Connection, desk: ConversionDesk, since: datetime) -> dict[str, object]:
        limits = self._connections.connector(row.connector).conversion_limits
        return {
            "brand_id": row.brand_id,
            "connection_id": row.id,
            "since": since,
            "linked": desk.since,
            "shops": desk.shops,
            "known": [*limits.knows] if limits else [],
            "most": AT_A_TIME,
        }

    async def _queue(self, session: AsyncSession, row: Connection, found: Any) -> int:
        """One row, unless another look was faster. Without consent only that it is withheld is kept."""
        order = await session.get_one(Order, found.id)
        why = await self._why_not(session, order, self._connections.connector(row.connector))
        back: int | None = getattr(found, "fresh", None)
        told = await purchase_of(session, order, self._site_url) if back is None else refund_of(order, back)
        now = self._clock()
        fresh = Conversion(
            brand_id=row.brand_id,
            connection_id=row.id,
            order_id=order.id,
            event_name="purchase" if back is None else "refund",
            event_id=purchase_id(order.id) if back is None else refund_id(order.id, found.minor),
            value_minor=told.money.amount,
            currency=told.money.currency,
            payload_sealed=None if why else self._vault.seal(told.model_dump_json()),
            state="withheld" if why else "waiting",
            reason=why or "",
            event_at=order.placed_at if back is None else order.updated_at,
            next_at=now + SETTLE,
            created_at=now,
        )
        made = await run(session, insert(Conversion).values(fresh.model_dump()).on_conflict_do_nothing())
        return int(made.rowcount)

    async def _why_not(self, session: AsyncSession, order: Order, connector: AnyConnector) -> str | None:
        limits = connector.conversion_limits
        allowed = await self._book.of(session, order.brand_id, order.viewer_id, order.customer_id)
        return permits.withheld(allowed, limits.purpose) if limits else None


async def purchases_of(
    session: AsyncSession, connection_id: UUID, order_ids: Sequence[UUID]
) -> dict[UUID, str]:
    """The state of the purchase that a refund belongs to, by order."""
    query = select(col(Conversion.order_id), col(Conversion.state)).where(
        col(Conversion.connection_id) == connection_id,
        col(Conversion.event_name) == "purchase",
        col(Conversion.order_id).in_(order_ids),
    )
    return {order_id: state for order_id, state in await session.exec(query) if order_id}
