"""The history of prices, and the lowest of the last 30 days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from hub.catalog import prices
from hub.catalog.changes import PriceIn, ProductChange, VariantChange
from hub.catalog.models import PriceHistory
from hub.services import Services
from tests.hub.catalog.conftest import Desk
from tests.hub.shop import SetClock, Shop

DAY = timedelta(days=1)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

gaps = st.sampled_from([timedelta(), timedelta(seconds=1), DAY, 10 * DAY, 29 * DAY, 30 * DAY, 31 * DAY])
edits = st.tuples(
    gaps, st.one_of(st.integers(1, 20), st.just("archive"), st.just("restore"), st.just("draft"))
)
offers = st.tuples(st.integers(0, 90), st.integers(0, 40), st.integers(1, 20))
some_offers = st.lists(offers, max_size=2, unique_by=lambda offer: offer[2])


def lowest_of(shown: list[tuple[datetime, datetime | None, int]], before: datetime) -> int | None:
    """Whatever was shown at some moment of the 30 days before."""
    since = before - 30 * DAY
    seen = [
        price
        for starts, ends, price in shown
        if max(starts, since) < min(ends or before, before) and (ends is None or starts < ends)
    ]
    return min(seen, default=None)


async def test_the_lowest_price_of_30_days_is_right_whatever_was_edited(
    hub: Services, shop: Shop, clock: SetClock
) -> None:
    state = {"run": 0}

    async def run(script: list[tuple[timedelta, Any]], offered: list[tuple[int, int, int]], ask: int) -> None:
        state["run"] += 1
        clock.now = BEGIN
        shown: list[tuple[datetime, datetime | None, int]] = []
        async with hub.db.session() as session:
            own = VariantChange(sku=f"S-{state['run']}", price_minor=50, currency="EUR")
            change = ProductChange(title="Thing", variants=[own])
            shelf = await hub.product_edits.add(session, shop.brand_id, change, author="t")
            [(variant, _)] = shelf.variants
            begun, price, on_sale = clock.now, 50, True
            for gap, what in script:
                clock.now += gap
                wish: dict[str, Any] = {"state": "archived" if what == "archive" else "draft"}
                if what == "restore":
                    wish = {"state": "active"}
                if isinstance(what, int):
                    wish = {"variants": [VariantChange(id=variant.id, price_minor=what)]}
                was = (price, on_sale)
                price = what if isinstance(what, int) else price
                on_sale = on_sale if isinstance(what, int) else what == "restore"
                if (price, on_sale) != was:
                    if was[1]:
                        shown.append((begun, clock.now, was[0]))
                    begun = clock.now
                shelf = await hub.catalog.shelf(session, shop.brand_id, shelf.product.id, lock=True)
                await hub.product_edits.change(session, shelf, ProductChange(**wish), author="t")
            if on_sale:
                shown.append((begun, None, price))
            for starts, days, amount in offered:
                begins, ends = BEGIN + starts * DAY, BEGIN + (starts + days) * DAY
                await prices.note(session, variant.id, "EUR", amount, uuid4(), begins, ends)
                shown.append((begins, ends, amount))
            before = BEGIN + ask * DAY
            assert await prices.lowest(session, variant.id, "EUR", before) == lowest_of(shown, before)
            assert await prices.lowest(session, variant.id, "USD", before) is None

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(edits, max_size=6),
        st.lists(offers, max_size=2, unique_by=lambda o: o[2]),
        st.integers(0, 120),
    )
    def scripts(script: list[Any], offered: list[Any], ask: int) -> None:
        # Drawn first and run afterwards: hypothesis knows nothing of our event loop.
        found.append((script, offered, ask))

    found: list[tuple[list[Any], list[Any], int]] = []
    scripts()
    for one in found:
        await run(*one)


async def test_an_offer_s_price_counts_until_it_ends_and_is_noted_once(
    hub: Services, shop: Shop, clock: SetClock
) -> None:
    offer, now, variant = uuid4(), clock.now, shop.variant_id
    async with hub.db.session() as session:
        for _ in range(2):
            await prices.note(session, variant, "EUR", 3900, offer, now, now + DAY)
        await prices.note(session, variant, "EUR", 3500, offer, now, now + DAY)
        await prices.end(session, offer, now + DAY / 2)
        await prices.end(session, offer, now + DAY)
        assert await prices.lowest(session, variant, "EUR", now) is None
        assert await prices.lowest(session, variant, "EUR", now + 30 * DAY) == 3500
        assert await prices.lowest(session, variant, "EUR", now + 30 * DAY + DAY / 2) == 4900
        rows = [row for row in await history(session, variant) if row.offer_id]
    assert sorted((row.price_minor, row.ends_at) for row in rows) == [
        (3500, now + DAY / 2),
        (3900, now + DAY / 2),
    ]


async def test_every_currency_has_its_own_history_that_staff_can_read(desk: Desk) -> None:
    product = await desk.read({"id": desk.market.shop.product_id})
    own = {"id": product["variants"][0]["id"], "prices": [{"currency": "USD", "price_minor": 6000}]}
    product = await desk.change(product, variants=[own])
    desk.market.clock.tick(60)
    product = await desk.change(product, variants=[own | {"price_minor": 5500, "prices": []}])
    desk.market.clock.tick(60)
    found = await desk.call("GET", f"/variants/{own['id']}/prices")
    assert found["lowest"] == {"EUR": 4900, "USD": 6000}
    shown = {(one["currency"], one["price_minor"]): one["ends_at"] for one in found["history"]}
    assert shown[("EUR", 5500)] is None
    assert shown[("EUR", 4900)]
    assert shown[("USD", 6000)]


async def test_a_price_noted_by_hand_takes_the_place_of_the_base_price(
    hub: Services, shop: Shop, clock: SetClock
) -> None:
    async with hub.db.session() as session:
        await prices.note(session, shop.variant_id, "EUR", 4500, None, clock.now + DAY, None)
        assert [(row.price_minor, row.ends_at) for row in await history(session, shop.variant_id)] == [
            (4900, clock.now + DAY),
            (4500, None),
        ]


async def test_an_unchanged_price_goes_on_in_its_row(hub: Services, shop: Shop, clock: SetClock) -> None:
    async with hub.db.session() as session:
        wish = ProductChange(title="New name", variants=[VariantChange(id=shop.variant_id, price_minor=4900)])
        wish.variants[0].prices = [PriceIn(currency="EUR", price_minor=1)]
        shelf = await hub.catalog.shelf(session, shop.brand_id, shop.product_id, lock=True)
        clock.tick(60)
        await hub.product_edits.change(session, shelf, wish, author="t")
        [row] = await history(session, shop.variant_id)
    assert (row.price_minor, row.ends_at) == (4900, None)


async def history(session: Any, variant_id: UUID) -> list[PriceHistory]:
    """Oldest first."""
    query = select(PriceHistory).where(col(PriceHistory.variant_id) == variant_id)
    return [*await session.exec(query.order_by(col(PriceHistory.starts_at), col(PriceHistory.id)))]
