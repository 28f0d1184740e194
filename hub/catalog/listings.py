"""Where each SKU is listed: what may be offered there, and what is there that is none of ours yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.catalog.models import Listing, Product, UnmatchedListing, Variant
from hub.connections.models import Connection
from hub.db import run
from hub.errors import Conflict, NotFound

OFFERED = text(
    """
    SELECT stock.version + coalesce(parts.version, 0) AS version,
        CASE WHEN listing.state <> 'on' OR product.state <> 'active' OR variant.archived
                OR product.own_site_only THEN 0
            WHEN product.live_only AND NOT EXISTS (
                SELECT FROM show_product JOIN show ON show.id = show_product.show_id
                WHERE show_product.product_id = product.id AND show.state = 'live') THEN 0
            ELSE greatest(0, coalesce(parts.available, on_hand - held - committed) - listing.buffer)
        END AS quantity
    FROM listing
    JOIN variant ON variant.id = listing.variant_id
    JOIN product ON product.id = variant.product_id
    JOIN stock ON stock.variant_id = variant.id
    LEFT JOIN LATERAL (
        SELECT min((part.on_hand - part.held - part.committed) / item.quantity) AS available,
            sum(part.version) AS version
        FROM bundle_item AS item JOIN stock AS part ON part.variant_id = item.variant_id
        WHERE item.bundle_variant_id = variant.id) AS parts ON true
    WHERE listing.id = :listing_id
    """
)


@dataclass(frozen=True)
class Offered:
    """What a platform may sell of one listing, and the version of the stock that says so.

    The version of a bundle is that of its parts together. An edit of the listing or of the product changes
    the quantity without the version: it sets `Listing.pushed_version` back to -1.
    """

    quantity: int
    version: int


async def offered(session: AsyncSession, listing_id: UUID) -> Offered | None:
    """What may be sold there now: what is available less the buffer, never below 0.

    Nothing of what is paused, off sale, for our own site only, or for shows only while none with it is live.
    None: there is no such listing.
    """
    row = (await run(session, OFFERED, {"listing_id": listing_id})).first()
    return Offered(int(row.quantity), int(row.version)) if row else None


@dataclass(frozen=True)
class Placed:
    """A listing with what it is of, and where."""

    listing: Listing
    variant: Variant
    product: Product
    connection: Connection
    offered: Offered | None


@dataclass(frozen=True)
class Stray:
    """One of theirs that is none of ours, and where."""

    unmatched: UnmatchedListing
    connection: Connection


class Listings:
    """A brand's listings."""

    async def all(
        self,
        session: AsyncSession,
        brand_id: UUID,
        *,
        connection_id: UUID | None,
        after: UUID | None,
        limit: int,
    ) -> list[Placed]:
        """Listings of linked accounts, oldest first; `after` is the last one seen."""
        query = (
            select(Listing, Variant, Product, Connection)
            .join(Variant, col(Variant.id) == col(Listing.variant_id))
            .join(Product, col(Product.id) == col(Variant.product_id))
            .join(Connection, col(Connection.id) == col(Listing.connection_id))
            .where(col(Listing.brand_id) == brand_id, col(Connection.state) != "off")
        )
        if connection_id:
            query = query.where(col(Listing.connection_id) == connection_id)
        if after:
            query = query.where(col(Listing.id) > after)
        found = (await session.exec(query.order_by(col(Listing.id)).limit(limit))).all()
        return [Placed(*row, await offered(session, row[0].id)) for row in found]

    async def strays(self, session: AsyncSession, brand_id: UUID, limit: int = 500) -> list[Stray]:
        """What the platforms sell that is none of ours, newest first; those to ignore are not in it."""
        query = (
            select(UnmatchedListing, Connection)
            .join(Connection, col(Connection.id) == col(UnmatchedListing.connection_id))
            .where(
                col(UnmatchedListing.brand_id) == brand_id,
                col(UnmatchedListing.ignored).is_(False),
                col(Connection.state) != "off",
            )
            .order_by(col(UnmatchedListing.found_at).desc(), col(UnmatchedListing.id))
        )
        return [Stray(*row) for row in await session.exec(query.limit(limit))]

    async def change(
        self,
        session: AsyncSession,
        brand_id: UUID,
        listing_id: UUID,
        *,
        buffer: int | None,
        paused: bool | None,
    ) -> Placed:
        """Another buffer, or nothing offered there for now; the platform is told. Repeatable."""
        placed = await self.get(session, brand_id, listing_id)
        listing = placed.listing
        if paused is not None and listing.state in ("gone", "source"):
            why = "is no longer in this shop" if listing.state == "gone" else "takes no stock from us"
            raise Conflict("not_offered", f"This listing {why}, so there is nothing to pause.")
        listing.buffer = listing.buffer if buffer is None else buffer
        if paused is not None:
            listing.state = "paused" if paused else "on"
        listing.pushed_version = -1
        await session.flush()
        return await self.get(session, brand_id, listing_id)

    async def get(self, session: AsyncSession, brand_id: UUID, listing_id: UUID) -> Placed:
        """One, or NotFound."""
        query = (
            select(Listing, Variant, Product, Connection)
            .join(Variant, col(Variant.id) == col(Listing.variant_id))
            .join(Product, col(Product.id) == col(Variant.product_id))
            .join(Connection, col(Connection.id) == col(Listing.connection_id))
            .where(col(Listing.id) == listing_id, col(Listing.brand_id) == brand_id)
        )
        row = (await session.exec(query)).first()
        if row is None:
            raise NotFound("listing_unknown", "There is no such listing. Read the shop again.")
        return Placed(*row, await offered(session, listing_id))

    async def part(self, session: AsyncSession, brand_id: UUID, listing_id: UUID) -> UnmatchedListing:
        """It is not this SKU of ours after all: back to the unmatched ones."""
        listing = (await self.get(session, brand_id, listing_id)).listing
        row = UnmatchedListing(**places(listing))
        await session.delete(listing)
        session.add(row)
        await session.flush()
        return row

    async def match(
        self,
        session: AsyncSession,
        brand_id: UUID,
        unmatched_id: UUID,
        variant_id: UUID,
        *,
        takes_stock: bool,
    ) -> Placed:
        """A person says which of our variants it is; reading the shop again keeps to that."""
        stray = await self.stray(session, brand_id, unmatched_id)
        mine = select(Variant.id).where(col(Variant.id) == variant_id, col(Variant.brand_id) == brand_id)
        if (await session.exec(mine)).first() is None:
            raise NotFound("variant_unknown", "There is no such variant.")
        state = "on" if takes_stock else "source"
        listing = Listing(**places(stray), variant_id=variant_id, state=state)
        await session.delete(stray)
        session.add(listing)
        await session.flush()
        return await self.get(session, brand_id, listing.id)

    async def ignore(
        self, session: AsyncSession, brand_id: UUID, unmatched_id: UUID, *, ignored: bool
    ) -> None:
        """Do not show it any more, or show it again. Repeatable."""
        (await self.stray(session, brand_id, unmatched_id)).ignored = ignored

    async def stray(self, session: AsyncSession, brand_id: UUID, unmatched_id: UUID) -> UnmatchedListing:
        """One that is none of ours, or NotFound."""
        query = select(UnmatchedListing).where(
            col(UnmatchedListing.id) == unmatched_id, col(UnmatchedListing.brand_id) == brand_id
        )
        found = (await session.exec(query.with_for_update())).first()
        if found is None:
            raise NotFound("listing_unknown", "It is matched already, or no longer in the shop.")
        return found


def places(row: Listing | UnmatchedListing) -> dict[str, Any]:
    """What both kinds know: whose it is, where it lives, and what the platform says of it."""
    names = (
        "brand_id",
        "connection_id",
        "product_ref",
        "variant_ref",
        "location_ref",
        "inventory_ref",
        "theirs",
    )
    return {name: getattr(row, name) for name in names}
