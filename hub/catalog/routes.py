"""Products over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, field_validator
from sqlmodel import col, select

from hub.auth.guard import Hub, SignedIn
from hub.catalog import prices
from hub.catalog.changes import Currency, ProductChange, Sku, VariantChange, shown_safely
from hub.catalog.models import PriceHistory
from hub.catalog.out import PastPrice, PricesOut, ProductOut, StockOut
from hub.catalog.service import MOST_AT_ONCE, Wanted
from hub.errors import Conflict

router = APIRouter(prefix="/api/v1", tags=["catalog"])


class VariantIn(VariantChange):
    """A new variant."""

    id: None = None
    sku: Sku
    price_minor: int = Field(ge=0, le=10**12)
    currency: Currency


class ProductIn(ProductChange):
    """A new product. `image_url` is a short way to say one picture in `media`."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    state: Literal["draft", "active"] = "active"
    image_url: str | None = Field(default=None, max_length=200_000)
    variants: list[VariantIn] = Field(min_length=1, max_length=100)  # type: ignore[assignment]  # narrower

    @field_validator("image_url")
    @classmethod
    def safe(cls, value: str | None) -> str | None:
        """https addresses and embedded pictures only."""
        return shown_safely(value) if value else None

    def change(self) -> ProductChange:
        """As any other change."""
        given = self.model_dump(exclude={"image_url"}, exclude_unset=True)
        if self.image_url and not self.media:
            given["media"] = [{"url": self.image_url, "alt": self.title}]
        return ProductChange.model_validate({"state": self.state, **given})


class ProductEdit(ProductChange):
    """A change of a product. `version` is the one you saw: if it has moved on, nothing changes."""

    version: int


class Restore(BaseModel):
    """What it shall be: on sale again, or a draft first."""

    state: Literal["active", "draft"] = "active"


class StockChange(BaseModel):
    """Set what is on hand. `version` is the one you saw: if it has moved on, nothing changes."""

    on_hand: int = Field(ge=0, le=10**9)
    version: int
    reason: str = Field(min_length=1, max_length=200)


@router.get("/products")
async def products(
    staff: SignedIn,
    hub: Hub,
    state: Literal["draft", "active", "archived"] | None = None,
    q: Annotated[str, Query(max_length=200)] = "",
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = MOST_AT_ONCE,
) -> list[ProductOut]:
    """What the brand sells, oldest first; archived things only when asked for.

    `q`: words in titles and SKUs. `after`: the last product of the page before.
    """
    wanted = Wanted(state=state, words=q.replace("\0", ""), after=after, limit=limit)
    async with hub.db.session() as session:
        return [ProductOut.of(shelf) for shelf in await hub.catalog.shelves(session, staff.brand_id, wanted)]


@router.post("/products", status_code=201)
async def add_product(body: ProductIn, staff: SignedIn, hub: Hub) -> ProductOut:
    """Add a product and receive its first stock."""
    async with hub.db.session() as session:
        shelf = await hub.product_edits.add(
            session, staff.brand_id, body.change(), author=str(staff.member_id)
        )
        return ProductOut.of(shelf)


@router.get("/products/{product_id}")
async def product(product_id: UUID, staff: SignedIn, hub: Hub) -> ProductOut:
    """One product, archived or not."""
    async with hub.db.session() as session:
        return ProductOut.of(await hub.catalog.shelf(session, staff.brand_id, product_id))


@router.patch("/products/{product_id}")
async def change_product(product_id: UUID, body: ProductEdit, staff: SignedIn, hub: Hub) -> ProductOut:
    """Change it and its variants, all or nothing: 409 `stale` when it changed since you looked."""
    async with hub.db.session() as session:
        shelf = await hub.catalog.shelf(session, staff.brand_id, product_id, lock=True)
        if shelf.product.version != body.version:
            raise Conflict("stale", "Somebody changed this product meanwhile. Load it again, then change it.")
        await hub.product_edits.change(session, shelf, body, author=str(staff.member_id))
        return ProductOut.of(await hub.catalog.shelf(session, staff.brand_id, product_id))


@router.post("/products/{product_id}/archive")
async def archive_product(product_id: UUID, staff: SignedIn, hub: Hub) -> ProductOut:
    """Take it off sale everywhere; nothing is lost."""
    async with hub.db.session() as session:
        return ProductOut.of(await hub.product_edits.archive(session, staff.brand_id, product_id))


@router.post("/products/{product_id}/restore")
async def restore_product(
    product_id: UUID, staff: SignedIn, hub: Hub, body: Restore | None = None
) -> ProductOut:
    """Take the archiving back."""
    state = (body or Restore()).state
    async with hub.db.session() as session:
        return ProductOut.of(await hub.product_edits.restore(session, staff.brand_id, product_id, state))


@router.post("/variants/{variant_id}/archive")
async def archive_variant(variant_id: UUID, staff: SignedIn, hub: Hub) -> ProductOut:
    """Take one variant off sale; its product, as it is then."""
    async with hub.db.session() as session:
        shelf = await hub.product_edits.archive_variant(session, staff.brand_id, variant_id, archived=True)
        return ProductOut.of(shelf)


@router.post("/variants/{variant_id}/restore")
async def restore_variant(variant_id: UUID, staff: SignedIn, hub: Hub) -> ProductOut:
    """Take the archiving back."""
    async with hub.db.session() as session:
        shelf = await hub.product_edits.archive_variant(session, staff.brand_id, variant_id, archived=False)
        return ProductOut.of(shelf)


@router.get("/variants/{variant_id}/prices")
async def price_history(variant_id: UUID, staff: SignedIn, hub: Hub) -> PricesOut:
    """The prices that were shown, newest first, and the lowest of the last 30 days."""
    async with hub.db.session() as session:
        await hub.product_edits.product_of(session, staff.brand_id, variant_id)
        query = select(PriceHistory).where(col(PriceHistory.variant_id) == variant_id)
        newest = query.order_by(col(PriceHistory.starts_at).desc(), col(PriceHistory.id)).limit(200)
        found = (await session.exec(newest)).all()
        now, lowest = hub.clock(), {}
        for currency in sorted({row.currency for row in found}):
            low = await prices.lowest(session, variant_id, currency, now)
            if low is not None:
                lowest[currency] = low
    return PricesOut(history=[PastPrice(**row.model_dump()) for row in found], lowest=lowest)


@router.patch("/variants/{variant_id}/stock")
async def change_stock(variant_id: UUID, body: StockChange, staff: SignedIn, hub: Hub) -> StockOut:
    """Adjust stock by hand: 409 `stale` when it changed since you looked, `promised` when it is too few."""
    async with hub.db.session() as session:
        if await hub.catalog.is_bundle(session, variant_id):
            why = "A bundle has no stock of its own. Adjust the stock of its parts."
            raise Conflict("bundle", why)
        stock = await hub.stock.adjust(
            session,
            staff.brand_id,
            variant_id,
            (body.on_hand, body.version),
            (str(staff.member_id), body.reason),
        )
        return StockOut.of(stock)
