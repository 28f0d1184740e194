"""Coupons: what they take off, how often, and on top of what."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.auth.tokens import Viewer
from hub.errors import Conflict
from hub.offers.coupons import CouponLine, CouponTerms
from hub.orders.models import Order
from tests.hub.offers.conftest import Counter


async def read(counter: Counter, code: str, *lines: CouponLine, viewer: Viewer | None = None) -> CouponTerms:
    shop = counter.shop
    async with counter.hub.db.session() as session:
        who = viewer or shop.viewer()
        return await counter.hub.offers.coupon(session, shop.brand_id, shop.show_id, code, lines, who)


async def refused(counter: Counter, code: str, *lines: CouponLine, viewer: Viewer | None = None) -> str:
    with pytest.raises(Conflict) as refusal:
        await read(counter, code, *lines, viewer=viewer)
    return refusal.value.code


def line(counter: Counter, total: int = 4900, **more: Any) -> CouponLine:
    return CouponLine(counter.shop.variant_id, total, "EUR", **more)


async def order(counter: Counter, viewer: Viewer, coupon: CouponTerms) -> UUID:
    """An order that uses it, as the checkout makes one."""
    made = Order(
        brand_id=counter.shop.brand_id,
        show_id=counter.shop.show_id,
        channel="own",
        number=uuid4().hex[:8],
        state="authorising",
        currency="EUR",
        viewer_id=viewer.id,
        placed_at=counter.clock(),
    )
    async with counter.hub.db.session() as session:
        session.add(made)
        await session.flush()
        await counter.hub.offers.redeem(session, made, coupon)
        await counter.hub.offers.redeem(session, made, coupon)
    return made.id


async def test_a_coupon_takes_off_each_line_and_says_why_when_it_can_not(counter: Counter) -> None:
    await counter.launch("coupon", code=" live10 ", percent_off=10, min_total_minor=5000, currency="EUR")
    lines = (line(counter), line(counter, 333))
    assert (await read(counter, "Live10", *lines)).off_minor == (490, 33)
    assert await refused(counter, "LIVE10", line(counter)) == "coupon_minimum"
    assert await refused(counter, "NOPE", line(counter)) == "coupon_unknown"
    dollars = CouponLine(counter.shop.variant_id, 9000, "USD")
    assert await refused(counter, "LIVE10", dollars) == "coupon_currency"
    amount = await counter.launch("coupon", code="FIVE", amount_off_minor=500, currency="EUR")
    terms = await read(counter, "FIVE", line(counter, 1000), line(counter, 2000))
    assert (terms.off_minor, terms.total_minor) == ((167, 333), 500)
    await counter.end(amount.id)
    assert await refused(counter, "FIVE", line(counter)) == "coupon_over"
    # A code never comes twice, not even after its end.
    with pytest.raises(Conflict, match="never comes twice"):
        await counter.draft("coupon", code="five", percent_off=10)


async def test_a_use_counts_once_per_order_and_comes_back_when_the_order_fails(counter: Counter) -> None:
    offer = await counter.launch("coupon", code="ONCE", percent_off=10, units=2, per_buyer=1)
    ana, bo = counter.shop.viewer("a" * 32), counter.shop.viewer("b" * 32)
    terms = await read(counter, "ONCE", line(counter), viewer=ana)
    first = await order(counter, ana, terms)
    assert (await counter.reload(offer.id)).taken == 1
    assert await refused(counter, "ONCE", line(counter), viewer=ana) == "coupon_used"
    async with counter.hub.db.session() as session:
        await counter.hub.offers.give_back(session, first)
        await counter.hub.offers.give_back(session, first)
    assert (await counter.reload(offer.id)).taken == 0
    # Six orders at once of six people: two uses, not one more.
    people = [counter.shop.viewer() for _ in range(6)]
    made = await asyncio.gather(*(order(counter, who, terms) for who in people), return_exceptions=True)
    gone = [one for one in made if isinstance(one, Conflict)]
    assert [one.code for one in gone] == ["coupon_gone"] * 4
    assert (await counter.reload(offer.id)).taken == 2
    assert await refused(counter, "ONCE", line(counter), viewer=bo) == "coupon_gone"


async def test_a_coupon_comes_on_top_only_where_both_say_so(counter: Counter) -> None:
    closed = await counter.launch("flash", percent_off=40, minutes=5)
    open_ = await counter.launch("quantity", percent_off=30, units=5, stackable=True)
    await counter.launch("coupon", code="ALONE", percent_off=10)
    await counter.launch("coupon", code="ONTOP", percent_off=10, stackable=True)
    flash, limited = line(counter, 2940, offer_id=closed.id), line(counter, 3430, offer_id=open_.id)
    assert (await read(counter, "ONTOP", flash, limited, line(counter))).off_minor == (0, 343, 490)
    assert (await read(counter, "ALONE", flash, limited, line(counter))).off_minor == (0, 0, 490)
    assert await refused(counter, "ALONE", limited) == "coupon_not_here"
    assert await refused(counter, "ONTOP", flash) == "coupon_not_here"
    hat = await counter.product("Hat", "HAT", 2500, units=5)
    await counter.launch("coupon", code="HATS", percent_off=10, items=[{"variant_id": hat}])
    assert await refused(counter, "HATS", line(counter)) == "coupon_not_here"
    assert (await read(counter, "HATS", line(counter), CouponLine(hat, 2500, "EUR"))).off_minor == (0, 250)
