"""What a brand says about delivery, tax and its checkout: one document, written as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.guard import Hub, SignedIn
from hub.carts.addresses import Country
from hub.carts.models import ShippingMethod, ShopTerms, TaxRate
from hub.errors import BadInput

router = APIRouter(prefix="/api/v1/checkout", tags=["checkout"])

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
Region = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, max_length=40)]
Minor = Annotated[int, Field(ge=0, le=10**12)]


class Terms(BaseModel):
    """See `hub.carts.models.ShopTerms`."""

    prices_include_tax: bool = True
    country: Country | None = None
    confirm_above_minor: Minor = 20_000
    withdrawal_days: int = Field(default=14, ge=0, le=365)
    return_policy: Text = ""
    contact: Annotated[str, StringConstraints(strip_whitespace=True, max_length=320)] = ""


class Method(BaseModel):
    """A way of delivery. `id`: of one there is; without it a new one is made."""

    id: UUID | None = None
    title: Title
    countries: list[Country] = Field(default=[], max_length=250)
    price_minor: Minor
    free_from_minor: Minor | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    days: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""


class Rate(BaseModel):
    """The tax of a class of goods in a country or one region of it."""

    country: Country
    region: Region | None = None
    tax_class: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)] = (
        "standard"
    )
    percent: Decimal = Field(ge=0, lt=100, decimal_places=3)
    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""


class Settings(BaseModel):
    """All of it; methods in the order in which buyers see them."""

    terms: Terms
    shipping_methods: list[Method] = Field(max_length=50)
    tax_rates: list[Rate] = Field(max_length=1000)


@router.get("/settings")
async def settings(staff: SignedIn, hub: Hub) -> Settings:
    """As it is now."""
    async with hub.db.session() as session:
        return await read(session, staff.brand_id)


@router.put("/settings")
async def change(body: Settings, staff: SignedIn, hub: Hub) -> Settings:
    """Write it anew. Orders that were placed keep what they were told."""
    places = [(rate.country, rate.region or None, rate.tax_class) for rate in body.tax_rates]
    if len(set(places)) < len(places):
        raise BadInput("rate_twice", "Two tax rates are for the same place and class. Keep one of them.")
    async with hub.db.session() as session:
        await session.merge(ShopTerms(brand_id=staff.brand_id, **body.terms.model_dump()))
        await write_methods(session, staff.brand_id, body.shipping_methods)
        await session.exec(delete(TaxRate).where(col(TaxRate.brand_id) == staff.brand_id))
        for rate in body.tax_rates:
            values = rate.model_dump() | {"region": rate.region or None}
            session.add(TaxRate(brand_id=staff.brand_id, **values))
        await session.flush()
        return await read(session, staff.brand_id)


async def write_methods(session: AsyncSession, brand_id: UUID, wanted: Sequence[Method]) -> None:
    """Methods keep their ids, so that a buyer who has just chosen one can go on."""
    found = await session.exec(select(ShippingMethod).where(col(ShippingMethod.brand_id) == brand_id))
    known = {method.id: method for method in found}
    kept = {method.id for method in wanted}
    for method_id, row in known.items():
        if method_id not in kept:
            await session.delete(row)
    for position, method in enumerate(wanted):
        values = method.model_dump(exclude={"id"}) | {"position": position}
        before = known.get(method.id) if method.id else None
        made = before or ShippingMethod(brand_id=brand_id, **values)
        session.add(made.sqlmodel_update(values))


async def read(session: AsyncSession, brand_id: UUID) -> Settings:
    """From the tables."""
    terms = await session.get(ShopTerms, brand_id) or ShopTerms(brand_id=brand_id)
    methods = select(ShippingMethod).where(col(ShippingMethod.brand_id) == brand_id)
    rates = select(TaxRate).where(col(TaxRate.brand_id) == brand_id)
    order = (col(TaxRate.country), col(TaxRate.region), col(TaxRate.tax_class))
    return Settings(
        terms=Terms(**terms.model_dump(include=set(Terms.model_fields))),
        shipping_methods=[
            Method(**row.model_dump(include=set(Method.model_fields)))
            for row in await session.exec(methods.order_by(col(ShippingMethod.position)))
        ],
        tax_rates=[
            Rate(**row.model_dump(include=set(Rate.model_fields)))
            for row in await session.exec(rates.order_by(*order))
        ],
    )
