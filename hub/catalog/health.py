"""Listings that a platform shows to nobody: no writer is told of it, so reading the stock looks for it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Level
from hub.catalog.models import Listing

log = structlog.get_logger()


def news_of(listings: Sequence[Listing], levels: Sequence[Level]) -> dict[UUID, str | None]:
    """By listing: why it is hidden now, or None for shown again; only of those where that is news. Pure."""
    said = {level.listing.variant_id: level.hidden for level in levels}
    return {
        one.id: said[one.variant_ref]
        for one in listings
        if one.variant_ref in said and said[one.variant_ref] != one.theirs.get("hidden")
    }


async def note_hidden(session: AsyncSession, listing_id: UUID, why: str | None) -> None:
    """Remember it with the listing. Repeatable."""
    row = await session.get(Listing, listing_id, with_for_update=True)
    if row:
        row.theirs = {**row.theirs, "hidden": why}
        log.info("listing.hidden" if why else "listing.shown", listing=str(listing_id))
