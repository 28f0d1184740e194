"""Ties between what a platform sells and our SKUs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import case
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Product as Found
from hub.catalog.models import Listing, UnmatchedListing, Variant
from hub.connections.models import Connection
from hub.ids import new_id

MOST_PRODUCTS = 50_000
"""Read from one platform at once; what is beyond is left out and said."""


def theirs_of(found: Found) -> dict[str, Any]:
    """What a platform says of one of its variants, as it is remembered."""
    return {
        "sku": found.listing.sku,
        "title": found.title,
        "variant": found.variant_title,
        "price_minor": found.price.amount,
        "currency": found.price.currency,
        "image_url": found.image_url,
        "quantity": found.quantity,
        "hidden": found.hidden,
    }


def refs_of(found: Found) -> dict[str, str | None]:
    """Where it lives there."""
    return {
        "product_ref": found.listing.product_id,
        "location_ref": found.listing.location_id,
        "inventory_ref": found.listing.inventory_item_id,
    }


async def tied(
    session: AsyncSession, connection: Connection, found: Sequence[Found]
) -> dict[str, tuple[UUID, dict[str, Any]]]:
    """By their variant: the one of ours it is, and what they said last time ({}: never read before).

    Their SKU decides when it is new or has changed; otherwise the tie stays, as a person may have made it.
    """
    query = select(Listing).where(
        col(Listing.connection_id) == connection.id,
        col(Listing.variant_ref).in_([one.listing.variant_id for one in found]),
    )
    known = {listing.variant_ref: listing for listing in await session.exec(query)}
    by_sku = select(Variant.sku, Variant.id).where(
        col(Variant.brand_id) == connection.brand_id,
        col(Variant.sku).in_([one.listing.sku.strip() for one in found]),
    )
    ours = dict((await session.exec(by_sku)).all())
    ties: dict[str, tuple[UUID, dict[str, Any]]] = {}
    for one in found:
        ref, sku = one.listing.variant_id, one.listing.sku.strip()
        before = known.get(ref)
        renamed = before is not None and str(before.theirs.get("sku", sku)).strip() != sku
        if before and not (renamed and sku in ours):
            ties[ref] = (before.variant_id, before.theirs)
        elif sku in ours:
            ties[ref] = (ours[sku], {})
    return ties


async def tie(
    session: AsyncSession, connection: Connection, variant_id: UUID, found: Found, *, takes_stock: bool
) -> None:
    """One of theirs is one of ours. Repeatable."""
    refs = {**refs_of(found), "variant_id": variant_id, "theirs": theirs_of(found)}
    state = "on" if takes_stock else "source"
    statement = insert(Listing).values(
        id=new_id(),
        brand_id=connection.brand_id,
        connection_id=connection.id,
        variant_ref=found.listing.variant_id,
        pushed_version=-1,
        buffer=0,
        state=state,
        **refs,
    )
    # What was pushed for another variant says nothing about this one, nor does what was before it was gone.
    same = (col(Listing.variant_id) == variant_id) & (col(Listing.state) != "gone")
    kept = {
        "pushed_version": case((same, col(Listing.pushed_version)), else_=-1),
        "state": case((col(Listing.state) == "paused", "paused"), else_=state),
    }
    await session.exec(
        statement.on_conflict_do_update(
            index_elements=["connection_id", "variant_ref"], set_={**refs, **kept}
        )
    )
    await session.exec(
        delete(UnmatchedListing).where(
            col(UnmatchedListing.connection_id) == connection.id,
            col(UnmatchedListing.variant_ref) == found.listing.variant_id,
        )
    )


async def leave(session: AsyncSession, connection: Connection, found: Found) -> None:
    """One of theirs is none of ours: shown to whoever may match it by hand. Repeatable."""
    refs: Mapping[str, Any] = {**refs_of(found), "theirs": theirs_of(found)}
    statement = insert(UnmatchedListing).values(
        **UnmatchedListing(
            brand_id=connection.brand_id,
            connection_id=connection.id,
            variant_ref=found.listing.variant_id,
            **refs,
        ).model_dump()
    )
    await session.exec(
        statement.on_conflict_do_update(index_elements=["connection_id", "variant_ref"], set_=dict(refs))
    )


async def gone(session: AsyncSession, connection: Connection, seen: Collection[str]) -> int:
    """Whatever was not seen in a whole reading is no longer there; how many listings that is."""
    here = col(Listing.connection_id) == connection.id
    query = select(Listing.id, Listing.variant_ref).where(here, col(Listing.state).in_(("on", "source")))
    lost = [listing_id for listing_id, ref in await session.exec(query) if ref not in seen]
    await session.exec(update(Listing).where(col(Listing.id).in_(lost)).values(state="gone", push_error=None))
    unmatched = select(UnmatchedListing).where(col(UnmatchedListing.connection_id) == connection.id)
    for row in await session.exec(unmatched):
        if row.variant_ref not in seen:
            await session.delete(row)
    return len(lost)
