"""What we ask of and tell to the shops: orders to read again, orders to cancel, stock to set."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select

from connectors import types as platform
from connectors.errors import ConnectorError, Reconnect, Refused
from hub.catalog.models import Listing, Variant
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.db import Database, run
from hub.errors import HubError, NotFound
from hub.jobs import defer
from hub.orders.models import Order
from hub.orders.service import Orders
from hub.stock.models import Stock

log = structlog.get_logger()

LOOK_BACK = timedelta(minutes=15)
"""Reading overlaps with the last time by this much: platforms list an order a while after it changed."""

BEHIND = text(
    """
    SELECT listing.id FROM listing
    JOIN stock USING (variant_id) JOIN connection ON connection.id = listing.connection_id
    WHERE listing.pushed_version < stock.version AND connection.state = 'ok'
    """
)


class Channels:
    """The shops a brand sells on."""

    def __init__(self, db: Database, clock: Clock, connections: Connections, orders: Orders) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._orders = orders

    async def read_order(self, connection: Connection, external_id: str) -> None:
        """Fetch one order and apply it; an unknown one is left alone."""
        async with self._connections.use(connection.id) as opened:
            if opened.connector.order_source is None:
                raise Refused(f"{opened.connector.title} has no orders to read.")
            found = await opened.connector.order_source(opened.session).order(external_id)
        if found:
            await self.apply(connection, found)

    async def apply(self, connection: Connection, found: platform.Order) -> None:
        """One order, in one transaction."""
        async with self._db.session() as session:
            await self._orders.apply(session, connection, found)

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

    async def find_behind(self) -> None:
        """Queue a push for each listing that does not know our newest stock."""
        async with self._db.session() as session:
            for (listing_id,) in (await run(session, BEHIND)).all():
                key = f"stock.push:{listing_id}"
                await defer(session, "stock.push", key=key, lock=key, listing_id=str(listing_id))

    async def push_stock(self, listing_id: UUID) -> None:
        """Set the quantity a platform may sell to what is available now."""
        async with self._db.session() as session:
            query = (
                select(Listing, Stock, Variant.sku)
                .join(Stock, col(Stock.variant_id) == col(Listing.variant_id))
                .join(Variant, col(Variant.id) == col(Listing.variant_id))
                .where(col(Listing.id) == listing_id)
            )
            found = (await session.exec(query)).first()
        if found is None or found[0].pushed_version >= found[1].version:
            return
        listing, stock, sku = found
        available = stock.on_hand - stock.held - stock.committed
        error: str | None = None
        try:
            await self._set_stock(listing, sku, available, stock.version)
        except Refused as refused:
            error = refused.reason
        async with self._db.session() as session:
            row = await session.get(Listing, listing_id, with_for_update=True)
            if row and row.pushed_version < stock.version:
                # A refusal is remembered and not repeated until the stock changes again.
                row.pushed_version, row.pushed_at, row.push_error = stock.version, self._clock(), error
                row.pushed_quantity = available if error is None else row.pushed_quantity

    async def _set_stock(self, listing: Listing, sku: str, available: int, version: int) -> None:
        where = platform.Listing(
            sku=sku,
            product_id=listing.product_ref,
            variant_id=listing.variant_ref,
            location_id=listing.location_ref,
            inventory_item_id=listing.inventory_ref,
        )
        wanted = platform.Stock(listing=where, quantity=available, version=version)
        async with self._connections.use(listing.connection_id) as opened:
            if opened.connector.stock_sink:
                sink = opened.connector.stock_sink(opened.session)
                await sink.set_stock(wanted, key=f"stock:{listing.id}:{version}")

    async def reconcile(self) -> None:
        """Read what changed in every shop since the last time: a webhook that never came costs no order."""
        async with self._db.session() as session:
            rows = (await session.exec(select(Connection).where(col(Connection.state) == "ok"))).all()
        for row in rows:
            try:
                if self._connections.connector(row.connector).order_source:
                    await self._reconcile(row)
            except (ConnectorError, HubError) as error:
                log.warning("orders.not_reconciled", connection=str(row.id), reason=str(error))
            except Exception:  # a supervisor: one shop's odd order must not cost the others theirs
                log.exception("orders.not_reconciled", connection=str(row.id))

    async def _reconcile(self, row: Connection) -> None:
        begun = self._clock()
        async with self._connections.use(row.id) as opened:
            source = opened.connector.order_source(opened.session) if opened.connector.order_source else None
            if source is None:
                return
            async for found in source.orders((row.orders_read_at or row.created_at) - LOOK_BACK):
                await self.apply(row, found)
        async with self._db.session() as session:
            kept = await session.get(Connection, row.id, with_for_update=True)
            if kept:
                kept.orders_read_at = begun
