"""What offers are about: variants with their price, their stock and the lowest price of the last 30 days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.catalog import prices
from hub.db import run

GOODS = text(
    """
    SELECT variant.id, variant.sku, product.title, variant.title AS choice, variant.price_minor,
           variant.currency, product.live_only,
           coalesce(made.available, stock.on_hand - stock.held - stock.committed, 0) AS available,
           coalesce(made.parts, '[]') AS parts,
           EXISTS (SELECT FROM show_product WHERE show_product.product_id = product.id
                   AND show_product.show_id = CAST(:show_id AS uuid)) AS in_show
    FROM variant JOIN product ON product.id = variant.product_id
    LEFT JOIN stock ON stock.variant_id = variant.id
    LEFT JOIN LATERAL (
        SELECT min((shelf.on_hand - shelf.held - shelf.committed) / bundle_item.quantity) AS available,
               json_agg(json_build_object(
                   'variant_id', part.id, 'title', concat_ws(' · ', of.title, nullif(part.title, '')),
                   'quantity', bundle_item.quantity, 'list_minor', part.price_minor)
                   ORDER BY part.id) AS parts
        FROM bundle_item JOIN variant AS part ON part.id = bundle_item.variant_id
        JOIN product AS of ON of.id = part.product_id JOIN stock AS shelf ON shelf.variant_id = part.id
        WHERE bundle_item.bundle_variant_id = variant.id) AS made ON true
    WHERE variant.brand_id = :brand_id AND variant.id = ANY(:variants)
    """
)


@dataclass(frozen=True)
class Part:
    """A component of a bundle."""

    variant_id: UUID
    title: str
    quantity: int
    list_minor: int


@dataclass(frozen=True)
class Goods:
    """One variant as an offer sees it. `lowest_minor`: of the 30 days before, or None without a history."""

    variant_id: UUID
    sku: str
    title: str
    list_minor: int
    currency: str
    available: int
    live_only: bool
    in_show: bool
    parts: tuple[Part, ...] = ()
    lowest_minor: int | None = None

    @property
    def was_minor(self) -> int | None:
        """The only price a reduction may be measured by: never above the lowest of the last 30 days."""
        return None if self.lowest_minor is None else min(self.lowest_minor, self.list_minor)


async def goods_of(
    session: AsyncSession,
    brand_id: UUID,
    show_id: UUID | None,
    variants: Sequence[UUID],
    before: datetime | None = None,
) -> dict[UUID, Goods]:
    """The brand's own of these variants; `before`: with the lowest price of the 30 days before it."""
    rows = await run(session, GOODS, {"brand_id": brand_id, "show_id": show_id, "variants": list(variants)})
    found = {
        row.id: Goods(
            variant_id=row.id,
            sku=row.sku,
            title=f"{row.title} · {row.choice}" if row.choice else row.title,
            list_minor=row.price_minor,
            currency=row.currency,
            available=max(0, row.available),
            live_only=row.live_only,
            in_show=row.in_show,
            parts=tuple(Part(**part | {"variant_id": UUID(part["variant_id"])}) for part in row.parts),
        )
        for row in rows
    }
    if before is None:
        return found
    return {
        id_: replace(one, lowest_minor=await prices.lowest(session, id_, one.currency, before))
        for id_, one in found.items()
    }
