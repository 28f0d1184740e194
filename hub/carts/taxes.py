"""What tax an order bears. Brands with more to say than a table plug in a calculator of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.carts.models import TaxRate
from hub.carts.sums import Rate, taxes

STANDARD = "standard"


@dataclass(frozen=True)
class Taxable:
    """An amount, after discounts, of one class of goods. Delivery is of the standard class."""

    amount_minor: int
    tax_class: str = STANDARD


@dataclass(frozen=True)
class Place:
    """Where the goods go: an ISO country and a region of it, both upper case."""

    country: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class Tax:
    """The tax of one amount, for the whole of it."""

    amount_minor: int
    rate: Rate


class TaxCalculator(Protocol):
    """Says the tax of each amount, in their order; they may depend on each other (rounding)."""

    async def quote(
        self,
        session: AsyncSession,
        brand_id: UUID,
        amounts: Sequence[Taxable],
        place: Place,
        *,
        included: bool,
    ) -> list[Tax]:
        """`included`: the amounts contain their tax already."""


class TableTaxes:
    """The simple calculator: the brand's own table of rates, by country, region and class.

    A region's rate goes before its country's; a class without a rate has the standard one; a country
    without rates has no tax.
    """

    async def quote(
        self,
        session: AsyncSession,
        brand_id: UUID,
        amounts: Sequence[Taxable],
        place: Place,
        *,
        included: bool,
    ) -> list[Tax]:
        """From the table."""
        query = select(TaxRate).where(
            col(TaxRate.brand_id) == brand_id, col(TaxRate.country) == (place.country or "")
        )
        table = {(row.region, row.tax_class): row for row in await session.exec(query)}
        rated = [(one.amount_minor, rate_of(table, place.region, one.tax_class)) for one in amounts]
        return [
            Tax(amount, rate)
            for amount, (_, rate) in zip(taxes(rated, included=included), rated, strict=True)
        ]


def rate_of(table: dict[tuple[str | None, str], TaxRate], region: str | None, tax_class: str) -> Rate:
    """The nearest rate there is."""
    for place in (region, None):
        for wanted in (tax_class, STANDARD):
            row = table.get((place, wanted))
            if row:
                return Rate(row.percent, row.title)
    return Rate()
