"""Products over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, HttpUrl, StringConstraints, TypeAdapter, field_validator

from hub.auth.guard import Hub, SignedIn
from hub.catalog.models import Product
from hub.catalog.out import ProductOut, StockOut
from hub.catalog.service import NewVariant

router = APIRouter(prefix="/api/v1", tags=["catalog"])

Sku = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


class VariantIn(BaseModel):
    """A new variant."""

    sku: Sku
    title: str = Field(default="", max_length=200)
    price_minor: int = Field(ge=0, le=10**12)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    on_hand: int = Field(default=0, ge=0, le=10**9)


class ProductIn(BaseModel):
    """A new product."""

    title: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=5000)
    image_url: str | None = Field(default=None, max_length=200_000)
    variants: list[VariantIn] = Field(min_length=1, max_length=100)

    @field_validator("image_url")
    @classmethod
    def shown_safely(cls, value: str | None) -> str | None:
        """https addresses and embedded pictures only."""
        if value and not value.startswith(("data:image/", "/")):
            TypeAdapter(HttpUrl).validate_python(value)
        return value or None


class StockChange(BaseModel):
    """Set what is on hand. `version` is the one you saw: if it has moved on, nothing changes."""

    on_hand: int = Field(ge=0, le=10**9)
    version: int
    reason: str = Field(min_length=1, max_length=200)


@router.get("/products")
async def products(staff: SignedIn, hub: Hub) -> list[ProductOut]:
    """Everything the brand sells."""
    async with hub.db.session() as session:
        return [ProductOut.of(shelf) for shelf in await hub.catalog.shelves(session, staff.brand_id)]


@router.post("/products", status_code=201)
async def add_product(body: ProductIn, staff: SignedIn, hub: Hub) -> ProductOut:
    """Add a product and receive its first stock."""
    product = Product(brand_id=staff.brand_id, **body.model_dump(exclude={"variants"}))
    async with hub.db.session() as session:
        variants = [NewVariant(**variant.model_dump()) for variant in body.variants]
        shelf = await hub.catalog.add(session, product, variants)
        for wanted, (variant, stock) in zip(variants, shelf.variants, strict=True):
            await hub.stock.receive(session, variant, wanted.on_hand, author=str(staff.member_id))
            await session.refresh(stock)
        return ProductOut.of(shelf)


@router.patch("/variants/{variant_id}/stock")
async def change_stock(variant_id: UUID, body: StockChange, staff: SignedIn, hub: Hub) -> StockOut:
    """Adjust stock by hand: 409 `stale` when it changed since you looked, `promised` when it is too few."""
    async with hub.db.session() as session:
        stock = await hub.stock.adjust(
            session,
            staff.brand_id,
            variant_id,
            (body.on_hand, body.version),
            (str(staff.member_id), body.reason),
        )
        return StockOut.of(stock)
