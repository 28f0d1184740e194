"""Bundles: variants made of others. It has no stock of its own; it is there as often as its parts are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.catalog.models import BundleItem, Product, Variant
from hub.db import run
from hub.errors import Conflict, NotFound
from hub.stock.models import Stock

COUNTED = text(
    """
    SELECT item.bundle_variant_id AS variant_id, item.brand_id,
        greatest(0, min((on_hand - held - committed) / item.quantity)) AS available,
        sum(stock.version) AS version
    FROM bundle_item AS item JOIN stock ON stock.variant_id = item.variant_id
    WHERE item.bundle_variant_id = ANY(:variants)
    GROUP BY item.bundle_variant_id, item.brand_id
    """
)
TOUCHED = text("SELECT DISTINCT bundle_variant_id FROM bundle_item WHERE variant_id = ANY(:variants)")
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('bundles ' || CAST(:brand_id AS text)))")
"""Two edits side by side could each make the other's bundle a part."""


async def counted(session: AsyncSession, variants: Collection[UUID]) -> dict[UUID, Stock]:
    """For those of these variants that are bundles: counters as if it had some. No rows, never to be saved.

    `on_hand` is how many can be made of what is free; `version` grows with every change of a part's stock.
    """
    rows = await run(session, COUNTED, {"variants": [*variants]})
    return {
        row.variant_id: Stock(
            variant_id=row.variant_id,
            brand_id=row.brand_id,
            on_hand=int(row.available),
            version=int(row.version),
        )
        for row in rows
    }


async def touched_by(session: AsyncSession, variants: Collection[UUID]) -> set[UUID]:
    """The bundles whose number changes when the stock of these variants does."""
    return {row.bundle_variant_id for row in await run(session, TOUCHED, {"variants": [*variants]})}


async def parts_of(session: AsyncSession, variants: Collection[UUID]) -> dict[UUID, dict[UUID, int]]:
    """Bundle → part → how many of it; variants that are no bundles are not in it."""
    query = select(BundleItem).where(col(BundleItem.bundle_variant_id).in_(variants))
    found: dict[UUID, dict[UUID, int]] = {}
    for item in await session.exec(query.order_by(col(BundleItem.variant_id))):
        found.setdefault(item.bundle_variant_id, {})[item.variant_id] = item.quantity
    return found


async def compose(session: AsyncSession, bundle: Variant, parts: Mapping[UUID, int]) -> None:
    """Make it of these parts, or of none: then it is a plain variant again.

    NotFound for a part that is not the brand's; Conflict where a bundle would be in a bundle, or has stock.
    """
    await run(session, ONE_AT_A_TIME, {"brand_id": str(bundle.brand_id)})
    if parts:
        await check(session, bundle, parts)
    await session.exec(delete(BundleItem).where(col(BundleItem.bundle_variant_id) == bundle.id))
    for variant_id, quantity in parts.items():
        session.add(
            BundleItem(
                bundle_variant_id=bundle.id,
                variant_id=variant_id,
                brand_id=bundle.brand_id,
                quantity=quantity,
            )
        )
    await session.flush()


async def check(session: AsyncSession, bundle: Variant, parts: Mapping[UUID, int]) -> None:
    """Every rule a bundle must keep."""
    query = select(Variant).where(col(Variant.brand_id) == bundle.brand_id, col(Variant.id).in_(parts))
    found = (await session.exec(query)).all()
    if len(found) < len(parts):
        raise NotFound("variant_unknown", "A part of this bundle is none of your SKUs.")
    nested = await parts_of(session, [bundle.id, *parts])
    for part in found:
        if part.id == bundle.id or part.id in nested:
            raise Conflict("bundle_in_bundle", f"{part.sku} is a bundle itself. Add its parts instead.")
        if part.archived:
            raise Conflict("part_archived", f"{part.sku} is archived. Restore it first.")
    if inside := await bundles_with(session, [bundle.id]):
        raise Conflict("bundle_in_bundle", f"{bundle.sku} is part of {inside[0]}, so it can't be a bundle.")
    stock = await session.get(Stock, bundle.id, with_for_update=True, populate_existing=True)
    if stock and stock.on_hand:
        detail = f"{bundle.sku} has {stock.on_hand} on hand. Set its stock to 0, then make it a bundle."
        raise Conflict("bundle_has_stock", detail)


async def bundles_with(session: AsyncSession, variants: Collection[UUID]) -> Sequence[str]:
    """SKUs of the bundles on sale that contain one of these variants."""
    query = (
        select(Variant.sku)
        .join(BundleItem, col(BundleItem.bundle_variant_id) == col(Variant.id))
        .join(Product, col(Product.id) == col(Variant.product_id))
        .where(
            col(BundleItem.variant_id).in_(variants),
            col(Variant.archived).is_(False),
            col(Product.state) != "archived",
        )
        .order_by(col(Variant.sku))
    )
    return (await session.exec(query)).all()
