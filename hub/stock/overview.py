"""Every variant with its counters, its places, and how it stands: in stock, low, or sold out."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run

LOW_AT: Final = 5
"""So few left are called low, where the variant says nothing else."""

OVERVIEW = text(
    f"""
    SELECT variant.id AS variant_id, sku, variant.title, product.id AS product_id,
        product.title AS product_title, stock.on_hand, stock.held, stock.committed, stock.version,
        stock.low_at,
        (SELECT count(*) FROM waitlist WHERE variant_id = variant.id AND state = 'waiting') AS waiting,
        coalesce((
            SELECT json_agg(json_build_object('place_id', place.id, 'name', place.name, 'on_hand', at.on_hand,
                                              'committed', at.committed) ORDER BY position, place.id)
            FROM stock_at AS at JOIN stock_place AS place ON place.id = place_id
            WHERE at.variant_id = variant.id), '[]') AS places
    FROM stock JOIN variant ON variant.id = stock.variant_id JOIN product ON product.id = variant.product_id
    WHERE stock.brand_id = :brand_id AND NOT variant.archived AND product.state <> 'archived'
        AND NOT EXISTS (SELECT 1 FROM bundle_item WHERE bundle_variant_id = variant.id)
        AND (CAST(:after AS uuid) IS NULL OR variant.id > :after)
        AND (CAST(:only AS uuid) IS NULL OR variant.id = :only)
        AND (NOT CAST(:low AS bool) OR
             stock.on_hand - stock.held - stock.committed <= coalesce(stock.low_at, {LOW_AT}))
    ORDER BY variant.id LIMIT :limit
    """  # noqa: S608 - made of constants
)
SET_LOW = text("UPDATE stock SET low_at = :low_at WHERE variant_id = :id AND brand_id = :brand_id")


class AtPlace(BaseModel):
    """A variant at one place."""

    place_id: UUID
    name: str
    on_hand: int
    committed: int


class StockRow(BaseModel):
    """One variant. `low_at` null: the usual number."""

    variant_id: UUID
    sku: str
    title: str
    product_id: UUID
    product_title: str
    on_hand: int
    held: int
    committed: int
    available: int
    version: int
    low_at: int | None
    state: str
    waiting: int
    places: list[AtPlace]


def standing(available: int, low_at: int | None) -> str:
    """in_stock, low or sold_out."""
    if available <= 0:
        return "sold_out"
    return "low" if available <= (LOW_AT if low_at is None else low_at) else "in_stock"


async def overview(
    session: AsyncSession,
    brand_id: UUID,
    *,
    after: UUID | None = None,
    only: UUID | None = None,
    limit: int = 100,
    low: bool = False,
) -> list[StockRow]:
    """A page of it, in the order of variant ids. Bundles are not in it: they are their parts."""
    values = {"brand_id": brand_id, "after": after, "only": only, "limit": limit, "low": low}
    return [row_of(row) for row in (await run(session, OVERVIEW, values)).mappings()]


def row_of(row: Any) -> StockRow:
    """From the table."""
    available = row["on_hand"] - row["held"] - row["committed"]
    return StockRow(**row, available=available, state=standing(available, row["low_at"]))


async def set_low(session: AsyncSession, brand_id: UUID, variant_id: UUID, low_at: int | None) -> None:
    """From how many left on it is called low."""
    await run(session, SET_LOW, {"low_at": low_at, "id": variant_id, "brand_id": brand_id})
