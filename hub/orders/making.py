"""What an order is made of: its lines as they are at this moment, its sums, where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.tokens import Viewer
from hub.carts.addresses import Address, complete
from hub.carts.models import ShippingMethod
from hub.carts.quote import Priced, Quote, Quotes, Share
from hub.carts.taxes import Place
from hub.catalog.models import Product, Variant
from hub.offers.coupons import CouponLine, CouponTerms
from hub.offers.service import Offers
from hub.orders.models import Order, OrderLine
from hub.stock.models import Hold

Goods = tuple[Hold, Variant, Product]


@dataclass(frozen=True)
class Reckoned:
    """What goods cost, with their delivery and coupon."""

    quote: Quote
    address: Address | None
    method: ShippingMethod | None
    coupon: CouponTerms | None

    def columns(self) -> dict[str, Any]:
        """As an order keeps it."""
        return {
            "currency": self.quote.currency,
            "subtotal_minor": self.quote.subtotal_minor,
            "discount_minor": self.quote.discount_minor,
            "shipping_minor": self.quote.shipping_minor,
            "tax_minor": self.quote.tax_minor,
            "total_minor": self.quote.total_minor,
            "prices_include_tax": self.quote.prices_include_tax,
            "shipping_method": self.method.title if self.method else "",
            "country": self.address.country if self.address else None,
            "region": (self.address.region or None) if self.address else None,
        }


class Making:
    """Reckons what a buyer wants, by the brand's own terms."""

    def __init__(self, quotes: Quotes, offers: Offers) -> None:
        self._quotes = quotes
        self._offers = offers

    async def goods(self, session: AsyncSession, holds: Sequence[Hold]) -> list[Goods]:
        """What is held, with what the catalogue says of it."""
        query = (
            select(Variant, Product)
            .join(Product, col(Product.id) == col(Variant.product_id))
            .where(col(Variant.id).in_([hold.variant_id for hold in holds]))
        )
        found = {variant.id: (variant, product) for variant, product in await session.exec(query)}
        return [(hold, *found[hold.variant_id]) for hold in holds]

    async def reckon(
        self,
        session: AsyncSession,
        viewer: Viewer,
        goods: Sequence[Goods],
        where: tuple[Address | None, UUID | None],
        code: str | None,
    ) -> Reckoned:
        """`where` is (address, way of delivery); BadInput and Conflict say what is missing or wrong."""
        address, method_id = where
        address, currency = complete(address) if address else None, goods[0][0].currency
        method = await self._quotes.chosen(session, viewer.brand_id, currency, address, method_id)
        coupon = None
        if code:
            coupon = await self._offers.coupon(
                session, viewer.brand_id, viewer.show_id, code, coupon_lines(goods), viewer
            )
        quote = await self._quotes.quote(
            session,
            viewer.brand_id,
            currency,
            [Priced(hold.unit_minor * hold.quantity, product.tax_class) for hold, _, product in goods],
            off_minor=coupon.off_minor if coupon else (),
            method=method,
            place=Place(address.country, address.region or None) if address else Place(),
        )
        return Reckoned(quote, address, method, coupon)


def coupon_lines(goods: Sequence[Goods]) -> list[CouponLine]:
    """The lines as coupons see them; a bundle's parts are for the bundle."""
    return [
        CouponLine(
            hold.bundle_id or hold.variant_id, hold.unit_minor * hold.quantity, hold.currency, hold.offer_id
        )
        for hold, _, _ in goods
    ]


def line_of(order: Order, goods: Goods, share: Share) -> OrderLine:
    """What was bought, as it was at this moment: later edits of the product don't change an order."""
    hold, variant, product = goods
    return OrderLine(
        brand_id=order.brand_id,
        order_id=order.id,
        variant_id=hold.variant_id,
        external_line_id=str(hold.id),
        sku=variant.sku,
        title=f"{product.title} {variant.title}".strip(),
        quantity=hold.quantity,
        unit_minor=hold.unit_minor,
        list_minor=hold.list_minor,
        discount_minor=share.discount_minor,
        tax_minor=share.tax.amount_minor,
        tax_percent=share.tax.rate.percent,
        tax_title=share.tax.rate.title,
        cost_minor=variant.cost_minor,
        offer_id=hold.offer_id,
        tier_id=hold.tier_id,
        bundle_id=hold.bundle_id,
        hold_id=hold.id,
    )
