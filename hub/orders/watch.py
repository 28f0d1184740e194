"""Whether the shops still tell us by themselves: deliveries that stop are noticed, and asked for again."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.errors import Refused
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.db import Database, run
from hub.jobs import defer
from hub.orders.outside import ShopWatch

log = structlog.get_logger()

LOOK_EVERY = timedelta(hours=1)
"""A heartbeat: subscriptions are looked at this often, whether or not anything seems wrong."""
TAKES = timedelta(minutes=2)
"""A delivery may take so long; a change that is younger proves nothing."""
TOO_MANY = 2
"""Changes that nobody told us of, until it is an alarm: one delivery may be lost anywhere."""

HEARD = text(
    """
    INSERT INTO shop_watch (connection_id, brand_id, hook_at, missed)
    SELECT :id, :brand_id, CAST(:now AS timestamptz), 0
    WHERE NOT EXISTS (
        SELECT 1 FROM shop_watch WHERE connection_id = :id AND missed = 0
            AND hook_at >= CAST(:now AS timestamptz) - interval '5 seconds')
    ON CONFLICT (connection_id) DO UPDATE SET hook_at = excluded.hook_at, missed = 0, silent_since = NULL
    """
)
"""In a drop many come in a second: the row is locked and written once in five, or they would queue for it."""
MISSED = text(
    """
    INSERT INTO shop_watch (connection_id, brand_id, missed) VALUES (:id, :brand_id, 1)
    ON CONFLICT (connection_id) DO UPDATE SET missed = shop_watch.missed + 1,
        silent_since = CASE WHEN shop_watch.missed + 1 >= :many
            THEN coalesce(shop_watch.silent_since, CAST(:now AS timestamptz)) END
    WHERE shop_watch.hook_at IS NULL OR shop_watch.hook_at < CAST(:changed AS timestamptz)
    RETURNING silent_since
    """
)
DUE = text(
    """
    SELECT connection.id, connection.connector FROM connection
    LEFT JOIN shop_watch ON shop_watch.connection_id = connection.id
    WHERE connection.state = 'ok'
      AND (subscribed_at IS NULL OR subscribed_at < :before)
    """
)
LOOKED = text(
    """
    INSERT INTO shop_watch (connection_id, brand_id, missed, subscribed_at, renewed_at, problem)
    VALUES (:id, :brand_id, 0, :now, :renewed, :problem)
    ON CONFLICT (connection_id) DO UPDATE SET subscribed_at = :now, problem = :problem,
        renewed_at = coalesce(CAST(:renewed AS timestamptz), shop_watch.renewed_at)
    """
)
REST = text(
    """
    INSERT INTO shop_watch (connection_id, brand_id, missed, rest_until) VALUES (:id, :brand_id, 0, :until)
    ON CONFLICT (connection_id) DO UPDATE SET rest_until = greatest(shop_watch.rest_until, :until)
    """
)


class Watches:
    """`site` is our own address, as platforms reach it."""

    def __init__(self, db: Database, clock: Clock, connections: Connections, site: str) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._site = site

    async def heard(self, session: AsyncSession, row: Connection) -> None:
        """A genuine delivery came, in this transaction."""
        connector = self._connections.connector(row.connector)
        if connector.order_source or connector.tells_payments:
            values = {"id": row.id, "brand_id": row.brand_id, "now": self._clock()}
            await run(session, HEARD, values)

    async def found(self, session: AsyncSession, row: Connection, changed: datetime) -> None:
        """Reading brought a change that is news to us: was there no delivery of it, and none since?"""
        now = self._clock()
        if self._connections.connector(row.connector).webhooks is None:
            return
        # Platforms stamp whole seconds; what is older than the account was never to be told.
        if changed < row.created_at.replace(microsecond=0):
            return
        if changed > now - TAKES:
            return
        values = {"id": row.id, "brand_id": row.brand_id, "now": now, "changed": changed, "many": TOO_MANY}
        missed = (await run(session, MISSED, values)).first()
        if missed is None:
            return
        if missed.silent_since:
            log.warning("shop.silent", connection=str(row.id), since=missed.silent_since.isoformat())
        await self.queue(session, row)

    async def queue(self, session: AsyncSession, row: Connection) -> None:
        """Look at a shop's subscriptions, soon."""
        await self._queue(session, row.id, row.connector)

    async def find_due(self) -> None:
        """Queue a look at the subscriptions of every shop whose last one is an hour ago."""
        async with self._db.session() as session:
            for row in (await run(session, DUE, {"before": self._clock() - LOOK_EVERY})).all():
                await self._queue(session, row.id, row.connector)

    async def subscribe(self, connection_id: UUID) -> None:
        """The job: have the platform send us everything we need, where its API lets us ask for it."""
        async with self._db.session() as session:
            row = await session.get(Connection, connection_id)
        if row is None or row.state != "ok":
            return
        renewed, problem = None, None
        try:
            async with self._connections.use(connection_id) as opened:
                if opened.connector.subscriptions is None:
                    return
                where = f"{self._site}/webhooks/{row.connector}/{row.id}"
                made = await opened.connector.subscriptions(opened.session).ensure(where)
            if made:
                log.info("shop.subscribed", connection=str(connection_id), topics=list(made))
                renewed = self._clock()
        except Refused as refused:
            problem = refused.reason
        values = {"id": row.id, "brand_id": row.brand_id, "now": self._clock()}
        async with self._db.session() as session:
            await run(session, LOOKED, values | {"renewed": renewed, "problem": problem})

    async def rest(self, row: Connection, seconds: float) -> None:
        """The platform asks us to slow down: what can wait waits until then, for every listing there."""
        values = {"id": row.id, "brand_id": row.brand_id}
        async with self._db.session() as session:
            await run(session, REST, values | {"until": self._clock() + timedelta(seconds=seconds)})

    async def of(self, session: AsyncSession, connection_id: UUID) -> ShopWatch | None:
        """How a shop is doing."""
        query = select(ShopWatch).where(col(ShopWatch.connection_id) == connection_id)
        return (await session.exec(query)).first()

    async def _queue(self, session: AsyncSession, connection_id: UUID, connector: str) -> None:
        known = self._connections.connectors.get(connector)
        if known and known.subscriptions:
            key = f"shop.subscribe:{connection_id}"
            await defer(session, "shop.subscribe", key=key, lock=key, connection_id=str(connection_id))
