"""What a buyer is told about an order by mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Money
from hub.auth.models import Brand
from hub.carts.models import ShopTerms
from hub.catalog.models import Product, Variant
from hub.mail.letters import Letter, Link, Rows
from hub.orders.models import Order, OrderLine


@dataclass(frozen=True)
class Facts:
    """An order with all that a letter says of it. `link` opens its status page."""

    shop: str
    order: Order
    lines: Sequence[OrderLine]
    terms: ShopTerms
    policies: Sequence[str]
    link: str


async def facts_of(session: AsyncSession, order: Order, link: str) -> Facts:
    """Read what a letter needs."""
    brand = (await session.exec(select(Brand).where(col(Brand.id) == order.brand_id))).one()
    terms = await session.get(ShopTerms, order.brand_id) or ShopTerms(brand_id=order.brand_id)
    query = select(OrderLine).where(col(OrderLine.order_id) == order.id).order_by(col(OrderLine.id))
    lines = (await session.exec(query)).all()
    said = (
        select(Product.return_policy)
        .join(Variant, col(Variant.product_id) == col(Product.id))
        .where(col(Variant.id).in_([line.variant_id for line in lines]))
        .order_by(col(Product.id))
    )
    policies = [policy for policy in (*(await session.exec(said)).all(), terms.return_policy) if policy]
    return Facts(brand.name, order, lines, terms, [*dict.fromkeys(policies)], link)


def confirmation(facts: Facts) -> Letter:
    """Paid: what was bought, for how much, and what the buyer may still do."""
    order = facts.order
    return Letter.of(
        f"Your order {order.number} at {facts.shop}",
        f"Thank you! Your order {order.number} is paid. {facts.shop} will get it ready.",
        Rows(amounts(facts)),
        Link("See how your order is doing", facts.link),
        withdrawal(facts),
        *facts.policies,
        f"Questions? Write to {facts.terms.contact}." if facts.terms.contact else "",
        facts.shop,
    )


def came_to_nothing(facts: Facts) -> Letter:
    """The reservation ended before the money was there."""
    return Letter.of(
        f"Your order {facts.order.number} at {facts.shop} was not completed",
        f"Your order {facts.order.number} could not be completed: {facts.order.message}",
        Link("See what happened", facts.link),
        facts.shop,
    )


def refunded(facts: Facts, amount_minor: int) -> Letter:
    """Money is on its way back."""
    return Letter.of(
        f"Refund for your order {facts.order.number} at {facts.shop}",
        f"{money(amount_minor, facts.order.currency)} of your order {facts.order.number} is on its way back "
        "to the card you paid with. Most banks show it within a few days.",
        Link("See your order", facts.link),
        facts.shop,
    )


def withdrawal(facts: Facts) -> str:
    """The legal right, in plain words."""
    days = facts.terms.withdrawal_days
    if not days:
        return ""
    return (
        f"You may withdraw from this purchase within {days} days of receiving it, without giving a reason. "
        "Open your order with the link above and choose to withdraw, or write to us."
    )


def amounts(facts: Facts) -> list[tuple[str, str]]:
    """The order's sums, line by line."""
    order = facts.order
    rows = [
        (f"{line.quantity} × {line.title}", money(line.unit_minor * line.quantity, order.currency))
        for line in facts.lines
    ]
    if order.discount_minor:
        rows.append(("Coupon", money(-order.discount_minor, order.currency)))
    if order.shipping_method:
        rows.append((f"Delivery: {order.shipping_method}", money(order.shipping_minor, order.currency)))
    if order.tax_minor and not order.prices_include_tax:
        rows.append(("Tax", money(order.tax_minor, order.currency)))
    rows.append(("Total", money(order.total_minor, order.currency)))
    if order.tax_minor and order.prices_include_tax:
        rows.append(("Tax included", money(order.tax_minor, order.currency)))
    return rows


def money(minor: int, currency: str) -> str:
    """An amount as people write it."""
    return f"{Money(amount=minor, currency=currency).decimal()} {currency}"
