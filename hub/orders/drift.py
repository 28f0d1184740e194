"""What the shops believe, read back and compared with what we told them; what differs is noted and healed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors import types as platform
from connectors.errors import Refused
from hub.catalog.health import news_of, note_hidden
from hub.catalog.models import Listing
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.db import Database, run
from hub.jobs import defer
from hub.orders.channels import Channels
from hub.orders.push import HEAL, note_drift, where_is

log = structlog.get_logger()

LOOK_EVERY = timedelta(minutes=5)
SETTLES = timedelta(seconds=10)
"""Platforms show what was written a moment later; what was told more recently is not judged."""
AT_ONCE = 200
MOST_LISTED = 300

DUE = text(
    """
    SELECT connection.id, connection.connector FROM connection
    LEFT JOIN shop_watch ON shop_watch.connection_id = connection.id
    WHERE connection.state = 'ok' AND (levels_read_at IS NULL OR levels_read_at < :before)
      AND (rest_until IS NULL OR rest_until <= :now)
      AND EXISTS (SELECT 1 FROM listing WHERE listing.connection_id = connection.id)
    """
)
LOOKED = text(
    """
    INSERT INTO shop_watch (connection_id, brand_id, missed, levels_read_at) VALUES (:id, :brand_id, 0, :now)
    ON CONFLICT (connection_id) DO UPDATE SET levels_read_at = :now
    """
)
REPORT = text(
    """
    SELECT drift.id, listing.connection_id, connection.connector, connection.name AS shop, variant.sku,
           product.title, drift.ours, drift.theirs, drift.reason, drift.found_at, drift.healed_at
    FROM drift JOIN listing ON listing.id = drift.listing_id
    JOIN connection ON connection.id = listing.connection_id
    JOIN variant ON variant.id = listing.variant_id JOIN product ON product.id = variant.product_id
    WHERE drift.brand_id = :brand_id
    ORDER BY drift.healed_at IS NOT NULL, drift.found_at DESC, drift.id LIMIT :most
    """
)
SHOPS = text(
    """
    SELECT connection.id AS connection_id, connection.connector, connection.name, connection.state,
           orders_read_at, hook_at, coalesce(missed, 0) AS missed, silent_since, subscribed_at, renewed_at,
           problem, levels_read_at, rest_until,
           (SELECT count(*) FROM listing WHERE listing.connection_id = connection.id) AS listings,
           (SELECT count(*) FROM listing WHERE listing.connection_id = connection.id
                AND push_error IS NOT NULL) AS refused,
           (SELECT count(*) FROM listing WHERE listing.connection_id = connection.id
                AND listing.state <> 'gone' AND theirs->>'hidden' IS NOT NULL) AS hidden,
           (SELECT count(*) FROM drift JOIN listing ON listing.id = drift.listing_id
                WHERE listing.connection_id = connection.id AND healed_at IS NULL) AS drifting
    FROM connection LEFT JOIN shop_watch ON shop_watch.connection_id = connection.id
    WHERE connection.brand_id = :brand_id AND connection.state <> 'off'
    ORDER BY connection.created_at, connection.id
    """
)


class DriftOut(BaseModel):
    """One number that was wrong in a shop: what we had told it, what it offered, when it was put right."""

    id: UUID
    connection_id: UUID
    connector: str
    shop: str
    sku: str
    title: str
    ours: int
    theirs: int
    reason: str
    found_at: datetime
    healed_at: datetime | None


class ShopOut(BaseModel):
    """How a shop is doing. `silent_since`: changes come, but nobody tells us of them any more.

    `refused`: listings whose stock it does not take; `hidden`: those that it shows to nobody.
    """

    connection_id: UUID
    connector: str
    name: str
    state: str
    orders_read_at: datetime | None
    hook_at: datetime | None
    missed: int
    silent_since: datetime | None
    subscribed_at: datetime | None
    renewed_at: datetime | None
    problem: str | None
    levels_read_at: datetime | None
    rest_until: datetime | None
    listings: int
    refused: int
    hidden: int
    drifting: int


class Drifts:
    """The reconciler of stock. It changes nothing by itself: what it finds makes the next push happen."""

    def __init__(self, db: Database, clock: Clock, connections: Connections, channels: Channels) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._channels = channels

    async def find_due(self) -> None:
        """Queue a look at every shop whose numbers were last read a while ago."""
        now = self._clock()
        async with self._db.session() as session:
            for row in (await run(session, DUE, {"before": now - LOOK_EVERY, "now": now})).all():
                known = self._connections.connectors.get(row.connector)
                if known and known.stock_source:
                    await self.queue(session, row.id)

    async def queue(self, session: AsyncSession, connection_id: UUID) -> None:
        """Look at all of a shop, soon."""
        key = f"stock.look:{connection_id}"
        await defer(session, "stock.look", key=key, lock=key, connection_id=str(connection_id))

    async def look(self, connection_id: UUID, listing_id: UUID | None = None) -> None:
        """The job: read what a shop believes, of one listing or all; its orders first, which explain most."""
        async with self._db.session() as session:
            row = await session.get(Connection, connection_id)
        if row is None or row.state != "ok":
            return
        if self._connections.connector(row.connector).order_source:
            await self._channels.read_changes(row)
        told = await self._told(connection_id, listing_id)
        try:
            for start in range(0, len(told), AT_ONCE):
                await self._compare(row, told[start : start + AT_ONCE])
        except Refused as refused:
            log.warning("stock.not_read", connection=str(connection_id), reason=refused.reason)
        if listing_id is None:
            values = {"id": row.id, "brand_id": row.brand_id, "now": self._clock()}
            async with self._db.session() as session:
                await run(session, LOOKED, values)

    async def seen(self, row: Connection, news: platform.LevelNews) -> None:
        """A shop said what it counts now: our own echo, which is a receipt, or a reason to look."""
        async with self._db.session() as session:
            listing = await self._named(session, row.id, news)
            if listing is None or listing.pushed_quantity is None or news.quantity is None:
                return
            if listing.pushed_quantity == news.quantity:
                await run(session, HEAL, {"now": self._clock(), "listing_id": listing.id})
                return
            # Perhaps an order is on its way that explains it, or it is an echo of what we told before.
            key = f"stock.look:{listing.id}"
            args = {"connection_id": str(row.id), "listing_id": str(listing.id)}
            await defer(session, "stock.look", key=key, lock=key, at=self._clock() + SETTLES, **args)

    async def report(self, session: AsyncSession, brand_id: UUID) -> list[DriftOut]:
        """What is wrong now, then what was wrong lately."""
        rows = await run(session, REPORT, {"brand_id": brand_id, "most": MOST_LISTED})
        return [DriftOut.model_validate(row, from_attributes=True) for row in rows]

    async def shops(self, session: AsyncSession, brand_id: UUID) -> list[ShopOut]:
        """Every linked shop."""
        rows = await run(session, SHOPS, {"brand_id": brand_id})
        known = self._connections.connectors
        selling = [row for row in rows if row.connector in known and sells(known[row.connector])]
        return [ShopOut.model_validate(row, from_attributes=True) for row in selling]

    async def _told(self, connection_id: UUID, listing_id: UUID | None) -> Sequence[Listing]:
        query = select(Listing).where(
            col(Listing.connection_id) == connection_id,
            col(Listing.pushed_quantity).is_not(None),
            col(Listing.pushed_at) <= self._clock() - SETTLES,
            col(Listing.state) != "gone",
        )
        if listing_id:
            query = query.where(col(Listing.id) == listing_id)
        async with self._db.session() as session:
            return (await session.exec(query.order_by(col(Listing.id)))).all()

    async def _compare(self, row: Connection, told: Sequence[Listing]) -> None:
        async with self._connections.use(row.id) as opened:
            if opened.connector.stock_source is None:
                return
            source = opened.connector.stock_source(opened.session)
            levels = await source.levels([where_is(one, "") for one in told])
        for listing_id, why in news_of(told, levels).items():
            # One by one: a reading of the catalogue locks the same rows in its own order.
            async with self._db.session() as session:
                await note_hidden(session, listing_id, why)
        held = {level.listing.variant_id: level.quantity for level in levels}
        for listing in told:
            theirs = held.get(listing.variant_ref)
            if theirs is not None:
                await self._judge(listing, theirs)

    async def _judge(self, told: Listing, theirs: int) -> None:
        async with self._db.session() as session:
            now = await session.get(Listing, told.id, with_for_update=True)
            # Told again, or an order of that shop applied, while we were reading: this answer is of before.
            if now is None or (now.pushed_at, now.pushed_quantity) != (told.pushed_at, told.pushed_quantity):
                return
            if theirs == now.pushed_quantity:
                await run(session, HEAL, {"now": self._clock(), "listing_id": told.id})
                return
            if await note_drift(session, now, theirs, self._clock()):
                log.warning("stock.drifted", listing=str(told.id), ours=now.pushed_quantity, theirs=theirs)
            # From here on it is behind, and the next push heals it.
            now.pushed_quantity = theirs

    async def _named(
        self, session: AsyncSession, connection_id: UUID, news: platform.LevelNews
    ) -> Listing | None:
        query = select(Listing).where(col(Listing.connection_id) == connection_id)
        if news.inventory_item_id:
            query = query.where(
                col(Listing.inventory_ref) == news.inventory_item_id,
                col(Listing.location_ref) == news.location_id,
            )
        else:
            query = query.where(col(Listing.variant_ref) == news.variant_id)
        return (await session.exec(query)).first()


def sells(connector: object) -> bool:
    """Whether it is a shop: it has orders, or takes stock."""
    return any(getattr(connector, name) is not None for name in ("order_source", "stock_sink"))
