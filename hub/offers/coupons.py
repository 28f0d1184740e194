"""Coupons: what a code takes off an order, its uses counted once per order, given back when it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.tokens import Viewer
from hub.db import run
from hub.errors import Conflict
from hub.offers.models import Offer, OfferItem, OfferUse
from hub.offers.pricing import reduced
from hub.orders.models import Order

USED: Final = text(
    """
    SELECT count(*) FROM offer_use WHERE offer_id = :offer_id AND state = 'used'
        AND order_id IS DISTINCT FROM CAST(:order_id AS uuid)
        AND (viewer_id = :viewer_id OR customer_id = CAST(:customer_id AS uuid))
    """
)
GIVE_BACK: Final = text(
    """
    WITH back AS (
        UPDATE offer_use SET state = 'given_back' WHERE order_id = :order_id AND state = 'used'
        RETURNING offer_id)
    UPDATE offer SET taken = taken - 1 FROM back WHERE offer.id = back.offer_id
    """
)


@dataclass(frozen=True)
class CouponLine:
    """A line of a cart: what it comes to with its automatic offer, if it has one."""

    variant_id: UUID
    total_minor: int
    currency: str
    offer_id: UUID | None = None


@dataclass(frozen=True)
class CouponTerms:
    """What it takes off, line by line, in their order."""

    offer_id: UUID
    code: str
    off_minor: tuple[int, ...]

    @property
    def total_minor(self) -> int:
        """Of the whole order."""
        return sum(self.off_minor)


@dataclass(frozen=True)
class Buyer:
    """Whose uses are counted together: those of a browser, and those of a person we know."""

    viewer_id: str
    customer_id: UUID | None
    segments: frozenset[UUID] = frozenset()

    @classmethod
    def of(cls, viewer: Viewer) -> Buyer:
        """A viewer, signed in or not."""
        return cls(viewer.id, viewer.customer_id, viewer.segments)


async def read(
    session: AsyncSession,
    brand_id: UUID,
    show_id: UUID | None,
    code: str,
    lines: Sequence[CouponLine],
    buyer: Buyer,
    now: datetime,
) -> CouponTerms:
    """What a code takes off these lines at this moment. Conflict with a sentence for the buyer."""
    query = select(Offer).where(
        col(Offer.brand_id) == brand_id, col(Offer.code) == code.strip().upper(), col(Offer.kind) == "coupon"
    )
    offer = (await session.exec(query)).first()
    if offer is None or offer.state == "draft" or (offer.show_id and offer.show_id != show_id):
        raise Conflict("coupon_unknown", "This code is not known here. Check how it is spelled.")
    if offer.segment_id is not None and offer.segment_id not in buyer.segments:
        raise Conflict("members_only", "This code is not for everybody. Sign in if it was given to you.")
    await _check_open(session, offer, buyer, now)
    fits = await _fitting(session, offer, lines)
    if not any(fits):
        raise Conflict(
            "coupon_not_here",
            "This code is not for what is in your cart, or can't be added to the offer that is in it.",
        )
    if offer.currency and any(line.currency != offer.currency for line in lines):
        raise Conflict("coupon_currency", f"This code is for orders in {offer.currency}.")
    if sum(line.total_minor for line in lines) < (offer.min_total_minor or 0):
        raise Conflict(
            "coupon_minimum",
            "Your order is too small for this code.",
            min_total_minor=offer.min_total_minor,
            currency=offer.currency,
        )
    totals = [line.total_minor if fit else 0 for line, fit in zip(lines, fits, strict=True)]
    off = reduced(totals, percent_off=offer.percent_off, amount_minor=offer.amount_off_minor)
    return CouponTerms(offer.id, offer.code or "", tuple(off))


async def redeem(session: AsyncSession, order: Order, coupon: CouponTerms, now: datetime) -> None:
    """Count the use. The offer's row is locked, so that two orders can't both have the last one."""
    query = select(Offer).where(col(Offer.id) == coupon.offer_id, col(Offer.brand_id) == order.brand_id)
    offer = (await session.exec(query.with_for_update(key_share=True))).one()
    await session.refresh(offer)
    known = select(OfferUse).where(col(OfferUse.offer_id) == offer.id, col(OfferUse.order_id) == order.id)
    use = (await session.exec(known)).first()
    if use and use.state == "used":
        return
    buyer = Buyer(order.viewer_id or "", order.customer_id)
    await _check_open(session, offer, buyer, now, order.id)
    if use is None:
        use = OfferUse(
            brand_id=order.brand_id,
            offer_id=offer.id,
            order_id=order.id,
            viewer_id=buyer.viewer_id,
            customer_id=buyer.customer_id,
        )
    use.state = "used"
    offer.taken += 1
    session.add_all([use, offer])
    await session.flush()


async def give_back(session: AsyncSession, order_id: UUID) -> None:
    """Whatever coupon the order had may be used again."""
    await run(session, GIVE_BACK, {"order_id": order_id})


async def _check_open(
    session: AsyncSession, offer: Offer, buyer: Buyer, now: datetime, order_id: UUID | None = None
) -> None:
    if offer.starts_at is None or offer.starts_at > now:
        raise Conflict("coupon_early", "This code does not work yet.")
    if offer.state != "live" or (offer.ends_at and offer.ends_at <= now):
        raise Conflict("coupon_over", "This code has run out.")
    if offer.units is not None and offer.taken >= offer.units:
        raise Conflict("coupon_gone", "This code has been used as often as it could be.")
    if offer.per_buyer is None:
        return
    asked = {
        "offer_id": offer.id,
        "order_id": order_id,
        "viewer_id": buyer.viewer_id,
        "customer_id": buyer.customer_id,
    }
    if (await run(session, USED, asked)).scalar_one() >= offer.per_buyer:
        raise Conflict("coupon_used", "You have used this code already.")


async def _fitting(session: AsyncSession, offer: Offer, lines: Sequence[CouponLine]) -> list[bool]:
    """Which lines it comes off: its own variants (or all), and on top of an offer only where both say so."""
    items = select(OfferItem.variant_id).where(col(OfferItem.offer_id) == offer.id)
    only = set(await session.exec(items))
    beside = {line.offer_id for line in lines if line.offer_id}
    query = select(Offer.id).where(
        col(Offer.id).in_(beside), col(Offer.brand_id) == offer.brand_id, col(Offer.stackable)
    )
    open_to_coupons = set(await session.exec(query)) if beside and offer.stackable else set()
    return [
        (not only or line.variant_id in only) and (line.offer_id is None or line.offer_id in open_to_coupons)
        for line in lines
    ]
