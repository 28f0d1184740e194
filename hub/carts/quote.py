"""What lines cost together: delivery, coupon, tax and total. One place for the page and for the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.carts.addresses import Address
from hub.carts.models import ShippingMethod, ShopTerms
from hub.carts.taxes import Place, Tax, Taxable, TaxCalculator
from hub.errors import BadInput, Conflict


@dataclass(frozen=True)
class Priced:
    """A line before coupon and tax: `amount_minor` is for the whole line."""

    amount_minor: int
    tax_class: str


@dataclass(frozen=True)
class Share:
    """A line's part of the coupon, and its tax."""

    discount_minor: int
    tax: Tax


@dataclass(frozen=True)
class Quote:
    """total = subtotal - discount + shipping, plus tax where prices do not include it.

    `tax_minor` is all of it; what the lines' shares leave is the delivery's.
    """

    currency: str
    subtotal_minor: int
    discount_minor: int
    shipping_minor: int
    tax_minor: int
    total_minor: int
    prices_include_tax: bool
    shares: Sequence[Share]


class Quotes:
    """Reckons with the brand's own terms, delivery and tax."""

    def __init__(self, taxes: TaxCalculator) -> None:
        self._taxes = taxes

    async def terms(self, session: AsyncSession, brand_id: UUID) -> ShopTerms:
        """What the brand has said, or the defaults."""
        return await session.get(ShopTerms, brand_id) or ShopTerms(brand_id=brand_id)

    async def methods(self, session: AsyncSession, brand_id: UUID, currency: str) -> list[ShippingMethod]:
        """The ways of delivery, in the brand's order. None: nothing is sent, and no address is asked for."""
        query = (
            select(ShippingMethod)
            .where(col(ShippingMethod.brand_id) == brand_id, col(ShippingMethod.currency) == currency)
            .order_by(col(ShippingMethod.position), col(ShippingMethod.id))
        )
        return list(await session.exec(query))

    async def chosen(
        self,
        session: AsyncSession,
        brand_id: UUID,
        currency: str,
        address: Address | None,
        method_id: UUID | None,
    ) -> ShippingMethod | None:
        """The way this order goes; BadInput says what is missing."""
        methods = await self.methods(session, brand_id, currency)
        if not methods:
            return None
        if address is None:
            raise BadInput("address_missing", "Enter the address to send it to.")
        going = [method for method in methods if goes_to(method, address.country)]
        if not going:
            raise Conflict("no_delivery", "This shop does not deliver to this country.")
        if method_id is None and len(going) == 1:
            return going[0]
        for method in going:
            if method.id == method_id:
                return method
        raise BadInput("shipping_missing", "Choose how it should be delivered.")

    async def quote(
        self,
        session: AsyncSession,
        brand_id: UUID,
        currency: str,
        lines: Sequence[Priced],
        *,
        off_minor: Sequence[int] = (),
        method: ShippingMethod | None = None,
        place: Place = Place(),  # noqa: B008 (frozen)
    ) -> Quote:
        """The sums. `off_minor`: what a coupon takes off each line."""
        terms = await self.terms(session, brand_id)
        off = off_minor or [0] * len(lines)
        subtotal, discount = sum(line.amount_minor for line in lines), sum(off)
        shipping = price_of(method, subtotal - discount)
        amounts = [
            Taxable(line.amount_minor - less, line.tax_class) for line, less in zip(lines, off, strict=True)
        ]
        where = place if place.country else Place(terms.country)
        included = terms.prices_include_tax
        found = await self._taxes.quote(
            session, brand_id, [*amounts, Taxable(shipping)], where, included=included
        )
        tax = sum(one.amount_minor for one in found)
        return Quote(
            currency=currency,
            subtotal_minor=subtotal,
            discount_minor=discount,
            shipping_minor=shipping,
            tax_minor=tax,
            total_minor=subtotal - discount + shipping + (0 if included else tax),
            prices_include_tax=included,
            shares=[Share(less, own) for less, own in zip(off, found[:-1], strict=True)],
        )


def goes_to(method: ShippingMethod, country: str) -> bool:
    """Whether this way of delivery reaches a country."""
    return not method.countries or country in method.countries


def price_of(method: ShippingMethod | None, goods_minor: int) -> int:
    """What delivery costs for goods of this worth."""
    if method is None:
        return 0
    free = method.free_from_minor is not None and goods_minor >= method.free_from_minor
    return 0 if free else method.price_minor
