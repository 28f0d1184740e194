"""What screens hear of offers: `offer.changed` when one is launched or ended, `offer.counted` as it sells."""

from __future__ import annotations

from collections.abc import Set
from typing import Final, Protocol
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.bus import Event
from hub.catalog.bundles import touched_by
from hub.db import Database, announce
from hub.offers.models import Offer, OfferItem
from hub.offers.out import PublicOffer
from hub.shows.service import next_seq

ANY: Final = """
    SELECT EXISTS (
        SELECT FROM offer_item JOIN offer ON offer.id = offer_id AND offer.state = 'live'
        WHERE variant_id = ANY($1) OR variant_id IN (
            SELECT bundle_variant_id FROM bundle_item WHERE variant_id = ANY($1)))
"""
"""$1 the variants that were touched."""
COUNTED = frozenset({"id", "version", "state", "units", "taken", "left", "tiers", "items"})


class Pictures(Protocol):
    """Whoever knows how offers look to viewers."""

    async def pictures(self, session: AsyncSession, offers: list[Offer]) -> list[PublicOffer]:
        """In their order."""


async def tell_changed(session: AsyncSession, offers: Pictures, offer: Offer) -> None:
    """Everybody in the show sees it begin or end. Coupons are known to those who have them."""
    if offer.show_id is None or offer.kind == "coupon":
        return
    [shown] = await offers.pictures(session, [offer])
    seq = await next_seq(session, offer.show_id)
    data = shown.model_dump(mode="json")
    announce(session, Event(show_id=offer.show_id, kind="offer.changed", seq=seq, data=data))


async def tell_counts(db: Database, offers: Pictures, variants: Set[UUID]) -> None:
    """The stock of these variants changed: the newest counts of live offers of them or their bundles."""
    if not await db.pool.fetchval(ANY, list(variants)):
        return  # asked twenty times a second in a drop, and mostly there is none
    async with db.session() as session:
        about = variants | await touched_by(session, variants)
        mine = select(OfferItem.offer_id).where(col(OfferItem.variant_id).in_(about))
        query = select(Offer).where(
            col(Offer.id).in_(mine), col(Offer.state) == "live", col(Offer.kind) != "coupon"
        )
        live = [*await session.exec(query)]
        for shown in await offers.pictures(session, live) if live else []:
            offer = next(one for one in live if one.id == shown.id)
            if offer.show_id:
                data = shown.model_dump(mode="json", include=set(COUNTED))
                news = Event(show_id=offer.show_id, kind="offer.counted", latest=str(offer.id), data=data)
                announce(session, news)
