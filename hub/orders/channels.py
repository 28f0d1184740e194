"""What we ask of and tell to the shops: orders to read again, orders to cancel."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors import types as platform
from connectors.errors import ConnectorError, Reconnect, Refused, Unreadable
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.db import Database, run
from hub.errors import HubError, NotFound
from hub.orders.models import Order
from hub.orders.service import Orders, Verdict
from hub.orders.watch import Watches

log = structlog.get_logger()

LOOK_BACK = timedelta(minutes=15)
"""Reading overlaps with the last time by this much: platforms list an order a while after it changed."""


SET_ASIDE = text(
    """
    INSERT INTO webhook_event (id, brand_id, connection_id, delivery_id, headers, body, state, error,
        order_ref, received_at)
    VALUES (gen_random_uuid(), :brand, :row, :delivery, '{}', '', 'parked', :error, :order, :now)
    ON CONFLICT (connection_id, delivery_id) DO UPDATE SET state = 'parked', error = :error
    """
)
"""Into the inbox, beside deliveries that could not be worked on: there it is seen and tried again."""


class Channels:
    """The shops a brand sells on."""

    def __init__(
        self, db: Database, clock: Clock, connections: Connections, orders: Orders, watches: Watches
    ) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._orders = orders
        self._watches = watches

    async def read_order(self, connection: Connection, external_id: str) -> None:
        """Fetch one order and apply it; an unknown one is left alone."""
        async with self._connections.use(connection.id) as opened:
            if opened.connector.order_source is None:
                raise Refused(f"{opened.connector.title} has no orders to read.")
            found = await opened.connector.order_source(opened.session).order(external_id)
        if found:
            await self.apply(connection, found, read=True)

    async def apply(self, connection: Connection, found: platform.Order, *, read: bool = False) -> Verdict:
        """One order, in one transaction. Where two versions look equally new, the platform is asked."""
        async with self._db.session() as session:
            verdict = await self._orders.apply(session, connection, found, read=read)
        if verdict == "unsure":
            await self.read_order(connection, found.id)
        return verdict

    async def heard(self, session: AsyncSession, connection: Connection) -> None:
        """A genuine delivery of it is being stored."""
        await self._watches.heard(session, connection)

    async def cancel(self, order_id: UUID) -> None:
        """Tell the platform that an order found no stock."""
        async with self._db.session() as session:
            order = await session.get(Order, order_id)
        if order is None or order.connection_id is None or order.external_id is None:
            return
        message = "Sold out before this order arrived; cancelled on the platform."
        try:
            async with self._connections.use(order.connection_id) as opened:
                if opened.connector.order_sink is None:
                    raise Refused(f"{opened.connector.title} has no way to do it for you.")
                sink = opened.connector.order_sink(opened.session)
                await sink.cancel(order.external_id, key=f"cancel:{order.id}")
        except (Refused, NotFound) as error:
            log.error("order.not_cancelled", order=str(order_id), reason=str(error))
            message = f"Sold out. Cancel it on the platform by hand: {error}"
        except Reconnect as error:
            # Tried again for a while: somebody may link the account again.
            await self._note(order_id, f"Sold out, and not cancelled on the platform yet: {error.reason}")
            raise
        await self._note(order_id, message)

    async def _note(self, order_id: UUID, message: str) -> None:
        async with self._db.session() as session:
            order = await session.get(Order, order_id, with_for_update=True)
            if order and order.message != message:
                order.message = message
                await self._orders.tell(session, order, placed=False, changed=True)

    async def reconcile(self) -> None:
        """Read what changed in every shop since the last time: a webhook that never came costs no order."""
        async with self._db.session() as session:
            rows = (await session.exec(select(Connection).where(col(Connection.state) == "ok"))).all()
        for row in rows:
            try:
                if self._connections.connector(row.connector).order_source:
                    await self.read_changes(row)
            except (ConnectorError, HubError) as error:
                log.warning("orders.not_reconciled", connection=str(row.id), reason=str(error))
            except Exception:  # a supervisor: one shop's odd order must not cost the others theirs
                log.exception("orders.not_reconciled", connection=str(row.id))

    async def read_changes(self, row: Connection) -> None:
        """Apply every order of a shop that changed since it was last read. Raises the three errors."""
        begun = self._clock()
        async with self._db.session() as session:
            known = await session.get(Connection, row.id)
        since = ((known.orders_read_at if known else None) or row.created_at) - LOOK_BACK
        async with self._connections.use(row.id) as opened:
            source = opened.connector.order_source(opened.session) if opened.connector.order_source else None
            if source is None:
                return
            try:
                async for found in source.orders(since):
                    if await self.apply(row, found, read=True) == "new":
                        async with self._db.session() as session:
                            await self._watches.found(session, row, found.updated_at)
            except Unreadable as error:
                # All others were given out; these wait for somebody, and hold up nothing.
                await self._set_aside(row, error)
        async with self._db.session() as session:
            kept = await session.get(Connection, row.id, with_for_update=True)
            if kept:
                kept.orders_read_at = begun

    async def _set_aside(self, row: Connection, error: Unreadable) -> None:
        async with self._db.session() as session:
            for order_id in error.orders:
                log.error("order.unreadable", connection=str(row.id), order=order_id)
                values = {"row": row.id, "brand": row.brand_id, "delivery": f"read:{order_id}"}
                said = {"error": error.reason, "order": order_id, "now": self._clock()}
                await run(session, SET_ASIDE, values | said)
