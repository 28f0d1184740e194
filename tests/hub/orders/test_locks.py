"""Locks are taken in one order, so that nobody waits in a circle."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from hub.db import run
from hub.offers.out import ItemIn, OfferIn
from tests.hub.market import Market, Trade
from tests.hub.orders.test_checkout import order


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("stripe", units=5)


async def test_a_coupon_is_locked_last_so_that_checkout_and_cancel_never_block_each_other(
    market: Market,
) -> None:
    """Who cancels has the stock and then the coupon; a checkout must not have them the other way round."""
    hub, shop = market.hub, market.shop
    wish = OfferIn(
        kind="coupon",
        title="Ten",
        code="TEN",
        percent_off=10,
        currency="EUR",
        items=[ItemIn(variant_id=shop.variant_id)],
    )
    async with hub.db.session() as session:
        offer = await hub.offers.draft(session, shop.brand_id, wish, "ana")
    async with hub.db.session() as session:
        await hub.launches.go_live(session, shop.brand_id, offer.id, "ana")
    buyer = await market.viewer()
    held = {"hold_ids": [(await buyer.hold())["hold_id"]]}
    async with hub.db.session() as session:
        await run(session, text("SELECT 1 FROM stock FOR NO KEY UPDATE"))
        ordering = asyncio.create_task(order(buyer, held, code="TEN"))
        async with asyncio.timeout(20):
            while not await market.sql("SELECT 1 FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        await run(session, text("SELECT 1 FROM offer FOR NO KEY UPDATE NOWAIT"))
    assert (await ordering)["discount_minor"] == 490
    async with hub.db.session() as session:
        await run(session, text("SELECT 1 FROM offer FOR NO KEY UPDATE"))
        # Reserving has nothing to do with codes, and waits for none.
        await asyncio.wait_for(buyer.hold(), 20)
    assert [one["taken"] for one in await market.sql("SELECT taken FROM offer")] == [1]


async def test_an_order_is_locked_before_its_holds_after_the_sale_too(market: Market) -> None:
    """As the review does it, which has no payment yet that both would wait for."""
    buyer = await market.viewer()
    placed = await order(buyer, {"hold_ids": [(await buyer.hold())["hold_id"]]})
    async with market.hub.db.session() as session:
        await run(session, text("SELECT 1 FROM orders FOR UPDATE"))
        path = f"/api/v1/public/orders/{placed['token']}/cancel"
        cancel = asyncio.create_task(buyer.http.call("POST", path, {}, ok=200))
        async with asyncio.timeout(20):
            while not await market.sql("SELECT 1 FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        await run(session, text("SELECT 1 FROM hold FOR UPDATE NOWAIT"))
    await cancel
    assert (await buyer.status(placed))["state"] == "cancelled"
