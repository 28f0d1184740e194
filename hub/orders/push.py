"""Our stock, told to every shop that sells it: the newest number of each listing, nought first.

A listing is behind when the number a shop should offer is not the one we last told it. `pushed_quantity` is
what we believe it holds, None where nobody can say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, update
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors import types as platform
from connectors.errors import STALE, Refused, RetryLater
from hub.catalog.models import Listing
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.db import Database, run
from hub.jobs import defer
from hub.orders.channels import Channels
from hub.orders.watch import Watches

log = structlog.get_logger()

AT_MOST_EVERY = timedelta(seconds=1)
"""A hot listing changes many times a second; only its newest number matters. Nought does not wait."""

OFFERED = text(
    """
    WITH part AS (
        SELECT listing.id, coalesce(item.variant_id, listing.variant_id) AS variant_id,
               coalesce(item.quantity, 1) AS quantity
        FROM listing LEFT JOIN bundle_item AS item ON item.bundle_variant_id = listing.variant_id
        WHERE (CAST(:listing_id AS uuid) IS NULL OR listing.id = CAST(:listing_id AS uuid))),
    shelf AS (
        SELECT part.id, min(coalesce(on_hand - held - committed, 0) / part.quantity) AS available,
               sum(coalesce(stock.version, 0)) AS version
        FROM part LEFT JOIN stock ON stock.variant_id = part.variant_id GROUP BY part.id),
    offered AS (
        SELECT listing.id, shelf.version, variant.sku, CAST(CASE
            WHEN listing.state <> 'on' OR product.own_site_only THEN 0
            WHEN product.state <> 'active' OR variant.archived THEN 0
            WHEN product.live_only AND NOT EXISTS (
                SELECT 1 FROM show_product JOIN show ON show.id = show_product.show_id
                WHERE show_product.product_id = product.id AND show.state = 'live') THEN 0
            ELSE greatest(0, shelf.available - listing.buffer) END AS bigint) AS wanted
        FROM shelf JOIN listing ON listing.id = shelf.id
        JOIN variant ON variant.id = listing.variant_id JOIN product ON product.id = variant.product_id
        WHERE listing.state <> 'gone' AND (listing.pushed_quantity IS NOT NULL
            OR product.state = 'active' AND NOT variant.archived))
    SELECT offered.id, offered.sku, offered.wanted, offered.version FROM offered
    JOIN listing ON listing.id = offered.id JOIN connection ON connection.id = listing.connection_id
    LEFT JOIN shop_watch ON shop_watch.connection_id = connection.id
    WHERE CAST(:listing_id AS uuid) IS NOT NULL
       OR connection.state = 'ok' AND listing.pushed_quantity IS DISTINCT FROM offered.wanted
      AND (push_error IS NULL OR pushed_version < offered.version)
      AND (rest_until IS NULL OR rest_until <= CAST(:now AS timestamptz))
      AND (offered.wanted = 0 OR pushed_at IS NULL OR pushed_at <= CAST(:quiet AS timestamptz))
    ORDER BY offered.wanted > 0, offered.wanted, offered.id
    """
)
"""What a listing should offer; without one, of all those that are behind and may be told now.

What we do not sell yet is left as the shop has it, so that an import does not empty a shop; what we do not
sell any more is taken off.
"""
DRIFTED = text(
    """
    INSERT INTO drift (id, brand_id, listing_id, ours, theirs, reason, found_at)
    VALUES (gen_random_uuid(), :brand_id, :id, :ours, :theirs, :reason, :now)
    ON CONFLICT (listing_id) WHERE healed_at IS NULL DO UPDATE SET theirs = :theirs, reason = :reason
    WHERE drift.theirs <> :theirs
    RETURNING id
    """
)
HEAL = text("UPDATE drift SET healed_at = :now WHERE listing_id = :listing_id AND healed_at IS NULL")


@dataclass(frozen=True)
class Offer:
    """What a shop should offer of a listing, as of our stock's version."""

    sku: str
    wanted: int
    version: int


class Pushes:
    """Each push is a job with its listing's lock; many changes are one push."""

    def __init__(
        self, db: Database, clock: Clock, connections: Connections, channels: Channels, watches: Watches
    ) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._channels = channels
        self._watches = watches

    async def find_behind(self) -> None:
        """Queue a push for each listing that should offer another number than we last told it."""
        now = self._clock()
        async with self._db.session() as session:
            values = {"listing_id": None, "now": now, "quiet": now - AT_MOST_EVERY}
            for row in (await run(session, OFFERED, values)).all():
                key = f"stock.push:{row.id}"
                # What is sold out is told before what became fewer: nothing else can go wrong by waiting.
                task = "stock.stop" if row.wanted == 0 else "stock.push"
                await defer(session, task, key=key, lock=key, listing_id=str(row.id))

    async def push(self, listing_id: UUID) -> None:
        """The job: tell a shop the number it may sell now. RetryLater while it wants to be left alone."""
        async with self._db.session() as session:
            listing = await session.get(Listing, listing_id)
            offer = await offer_of(session, listing_id)
            row = await session.get(Connection, listing.connection_id) if listing else None
            watch = await self._watches.of(session, row.id) if row else None
        if listing is None or row is None or offer is None or not behind(listing, offer):
            return
        if watch and watch.rest_until and watch.rest_until > self._clock():
            rest = (watch.rest_until - self._clock()).total_seconds()
            raise RetryLater("The shop asked us to slow down.", rest)
        error: str | None = None
        try:
            await self._set(listing, offer)
        except Refused as refused:
            if refused.code == STALE:
                await self._surprised(row, listing)
                return
            error = refused.reason
        except RetryLater as later:
            if not later.unknown:
                await self._watches.rest(row, later.after)
            raise
        async with self._db.session() as session:
            await self._done(session, listing_id, offer, error)

    async def _set(self, listing: Listing, offer: Offer) -> None:
        wanted = platform.Stock(
            listing=where_is(listing, offer.sku),
            quantity=offer.wanted,
            version=offer.version,
            expected=listing.pushed_quantity,
        )
        # Another key after every push that was done: what was true an hour ago may be true again.
        last = listing.pushed_at.timestamp() if listing.pushed_at else 0
        key = f"stock:{listing.id}:{offer.version}:{offer.wanted}:{listing.pushed_quantity}:{last}"
        async with self._connections.use(listing.connection_id) as opened:
            if opened.connector.stock_sink:
                await opened.connector.stock_sink(opened.session).set_stock(wanted, key=key)

    async def _done(self, session: AsyncSession, listing_id: UUID, offer: Offer, error: str | None) -> None:
        row = await session.get(Listing, listing_id, with_for_update=True)
        if row is None:
            return
        # A refusal is remembered and not repeated until the stock changes again.
        row.pushed_version, row.pushed_at, row.push_error = offer.version, self._clock(), error
        if error is None:
            row.pushed_quantity = offer.wanted
            await run(session, HEAL, {"now": self._clock(), "listing_id": listing_id})

    async def _surprised(self, row: Connection, listing: Listing) -> None:
        """The shop holds another number than we told it: read its orders, and its number, then push again."""
        await self._channels.read_changes(row)
        async with self._connections.use(row.id) as opened:
            source = opened.connector.stock_source
            levels = await source(opened.session).levels([where_is(listing, "")]) if source else ()
        held = levels[0].quantity if levels else None
        async with self._db.session() as session:
            offer = await offer_of(session, listing.id)
            one = col(Listing.id) == listing.id
            await session.exec(update(Listing).where(one).values(pushed_quantity=held))
            if held is not None and offer and held != offer.wanted and listing.pushed_quantity is not None:
                await note_drift(session, listing, held, self._clock())


async def offer_of(session: AsyncSession, listing_id: UUID) -> Offer | None:
    """What a shop should offer of it now; None for what is not ours to tell."""
    values = {"listing_id": listing_id, "now": None, "quiet": None}
    found = (await run(session, OFFERED, values)).first()
    return Offer(found.sku, int(found.wanted), int(found.version)) if found else None


def behind(listing: Listing, offer: Offer) -> bool:
    """Whether there is anything to tell."""
    untold = listing.pushed_quantity != offer.wanted
    return untold and (listing.push_error is None or listing.pushed_version < offer.version)


def where_is(listing: Listing, sku: str) -> platform.Listing:
    """A listing as connectors know it."""
    return platform.Listing(
        sku=sku,
        product_id=listing.product_ref,
        variant_id=listing.variant_ref,
        location_id=listing.location_ref,
        inventory_item_id=listing.inventory_ref,
    )


async def note_drift(session: AsyncSession, listing: Listing, held: int, now: datetime) -> bool:
    """Write down that a shop holds another number than we told it; True when it is news."""
    told = listing.pushed_quantity or 0
    if listing.push_error:
        reason = f"The shop does not take our number: {listing.push_error}"
    elif held > told:
        reason = f"It offers {held - told} more than we told it: the number was changed there."
    else:
        reason = (
            f"It offers {told - held} fewer than we told it: changed there, or sold without an order we know."
        )
    values = {"id": listing.id, "brand_id": listing.brand_id, "ours": told, "theirs": held}
    made = await run(session, DRIFTED, values | {"reason": reason, "now": now})
    return made.first() is not None
