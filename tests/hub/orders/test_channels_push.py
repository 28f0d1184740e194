"""Our stock in every shop: soon, only as much as may be offered there, and put right where it drifted."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from hub.work.clockwork import clockwork
from hub.work.jobs import run_jobs
from tests.hub.market import SKU, Market, Trade
from tests.hub.platforms import until

SHOPS = ("shopify", "tiktok_shop", "woocommerce")
WITHIN = 5.0


async def filled(trade: Trade, *names: str, units: int = 10) -> Market:
    market = await trade(*names, units=units)
    for name in names:
        await market.fill(name, units)
    await pushed(market)
    return market


async def pushed(market: Market) -> None:
    """What the clockwork does every second, and the jobs that follow from it."""
    market.clock.tick(2)
    await market.hub.pushes.find_behind()
    await market.work()


async def stock_at(market: Market, name: str) -> int:
    return int((await market.fakes[name].state())["stock"][SKU])


async def sell(market: Market, quantity: int) -> None:
    """Sold on our own site."""
    async with market.hub.db.session() as session:
        assert await market.hub.stock.sell(session, market.shop.variant_id, quantity, uuid4())


async def drifts(market: Market) -> list[Any]:
    async with market.hub.db.session() as session:
        return list(await market.hub.drifts.report(session, market.shop.brand_id))


async def looked(market: Market, name: str) -> None:
    """The reconciler reads a shop, a while after it was last told anything."""
    market.clock.tick(60)
    await market.hub.drifts.look(market.connections[name])


async def test_every_shop_knows_within_five_seconds(trade: Trade) -> None:
    """Real fakes, the real clockwork, real workers, and the real time."""
    market = await trade(*SHOPS, "meta_catalog", units=10)
    for name in SHOPS:
        await market.fill(name, 10)
    await listed_at_meta(market)
    await pushed(market)
    scheduler = clockwork(market.hub, market.jobs)
    working = asyncio.create_task(run_jobs(market.jobs, concurrency=4))
    scheduler.start()
    begun = asyncio.get_running_loop().time()
    try:
        await sell(market, 3)
        for name in (*SHOPS, "meta_catalog"):
            await until(lambda name=name: told(market, name, 7))  # type: ignore[misc]
        took = asyncio.get_running_loop().time() - begun
    finally:
        scheduler.shutdown(wait=False)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert took < WITHIN


async def listed_at_meta(market: Market) -> None:
    """A catalogue without orders and webhooks."""
    item = {"sku": SKU, "title": "Bag", "price_minor": 4900, "currency": "EUR", "quantity": 10}
    await market.fakes["meta_catalog"].control("catalog", {"items": [item]})
    await market.hub.catalog.import_listings(await market.connection("meta_catalog"))


async def told(market: Market, name: str, quantity: int) -> bool:
    return await stock_at(market, name) == quantity


async def test_a_shop_is_offered_no_more_than_it_may_sell(trade: Trade) -> None:
    market = await filled(trade, "shopify", units=10)
    for change, offered in (
        ("UPDATE listing SET buffer = 3", 7),
        ("UPDATE listing SET buffer = 30", 0),
        ("UPDATE listing SET buffer = 0", 10),
        ("UPDATE listing SET state = 'paused'", 0),
        ("UPDATE listing SET state = 'on'", 10),
        ("UPDATE product SET own_site_only = true", 0),
        ("UPDATE product SET own_site_only = false, live_only = true", 10),
        ("UPDATE show SET state = 'ended'", 0),
    ):
        await market.sql(change)
        await pushed(market)
        assert await stock_at(market, "shopify") == offered, change
    # What is not on sale here, or not there any more, is left as the shop has it.
    await market.fakes["shopify"].control("count", {"sku": SKU, "quantity": 4})
    await market.sql("UPDATE product SET live_only = false, state = 'draft'")
    await pushed(market)
    assert await stock_at(market, "shopify") == 4


async def test_a_bundle_is_offered_as_often_as_its_parts_allow_and_takes_them(trade: Trade) -> None:
    market = await filled(trade, "shopify", units=10)
    await market.sql(
        """
        INSERT INTO variant (id, brand_id, product_id, sku, title, price_minor, currency, position, options,
            archived)
        SELECT gen_random_uuid(), brand_id, product_id, 'SET', '', 9000, 'EUR', 1, '{}', false FROM variant
        """
    )
    await market.sql(
        """
        INSERT INTO bundle_item (bundle_variant_id, variant_id, brand_id, quantity)
        SELECT bundle.id, part.id, part.brand_id, 3 FROM variant AS bundle, variant AS part
        WHERE bundle.sku = 'SET' AND part.sku <> 'SET'
        """
    )
    item = {"sku": "SET", "title": "Set", "price_minor": 9000, "currency": "EUR", "quantity": 9}
    await market.fakes["shopify"].control("catalog", {"items": [item]})
    await market.hub.catalog.import_listings(await market.connection("shopify"))
    await pushed(market)
    assert (await market.fakes["shopify"].state())["stock"] == {SKU: 10, "SET": 3}
    made = await market.fakes["shopify"].control("order", {"sku": "SET", "quantity": 2, "name": "Ana"})
    await market.arrived()
    assert await market.shop.stock() == (10, 0, 6)
    await pushed(market)
    assert (await market.fakes["shopify"].state())["stock"] == {SKU: 4, "SET": 1}
    cancel = {"order_id": made["order_id"], "cancel": {"refund": True, "restock": True}}
    await market.fakes["shopify"].control("change", cancel)
    await market.arrived()
    assert await market.shop.stock() == (10, 0, 0)
    await market.shop.check_ledger()


async def test_what_is_sold_out_is_told_first_and_a_hot_listing_once_a_second(trade: Trade) -> None:
    market = await filled(trade, "shopify", "tiktok_shop", units=10)
    await market.sql("UPDATE listing SET buffer = 9 WHERE location_ref LIKE 'gid%'")
    await market.sql("UPDATE listing SET pushed_at = pushed_at - interval '1 minute'")
    await sell(market, 1)
    await market.hub.pushes.find_behind()
    waiting = await market.sql(
        "SELECT task_name, priority FROM procrastinate_jobs WHERE status = 'todo' ORDER BY priority DESC"
    )
    assert [row["task_name"] for row in waiting] == ["stock.stop", "stock.push"]
    assert waiting[0]["priority"] > waiting[1]["priority"]
    await market.work()
    market.clock.stop()
    await sell(market, 1)
    await market.sql("UPDATE listing SET pushed_at = :now", now=market.clock())
    await market.hub.pushes.find_behind()
    assert await market.sql("SELECT 1 FROM procrastinate_jobs WHERE status = 'todo'") == []
    await pushed(market)
    assert (await stock_at(market, "shopify"), await stock_at(market, "tiktok_shop")) == (0, 8)


async def test_a_storm_of_slow_down_is_answered_with_rest_for_the_whole_shop(trade: Trade) -> None:
    market = await filled(trade, "shopify", units=10)
    market.clock.stop()
    await market.fakes["shopify"].control("fault", {"kind": "status", "status": 429, "retry_after": 40})
    await sell(market, 1)
    await pushed(market)
    asked = len((await market.fakes["shopify"].state())["asked"])
    # Not a word until the rest is over, however often somebody looks or a job runs.
    for _ in range(3):
        await pushed(market)
        await market.later()
    assert len((await market.fakes["shopify"].state())["asked"]) == asked
    assert await stock_at(market, "shopify") == 10
    market.clock.tick(40)
    await market.later()
    await pushed(market)
    assert await stock_at(market, "shopify") == 9


@pytest.mark.parametrize("name", SHOPS)
async def test_a_number_changed_in_a_shop_is_found_reported_and_put_right(trade: Trade, name: str) -> None:
    market = await filled(trade, name, units=10)
    await looked(market, name)
    assert await drifts(market) == []
    await market.fakes[name].control("count", {"sku": SKU, "quantity": 25})
    await looked(market, name)
    [found] = await drifts(market)
    assert (found.ours, found.theirs, found.healed_at, found.sku) == (10, 25, None, SKU)
    assert found.reason.startswith("It offers 15 more than we told it")
    await pushed(market)
    assert await stock_at(market, name) == 10
    [healed] = await drifts(market)
    assert healed.healed_at is not None
    await looked(market, name)
    assert len(await drifts(market)) == 1


async def test_an_order_that_was_not_told_explains_a_lower_number(trade: Trade) -> None:
    market = await filled(trade, "shopify", units=10)
    await market.fakes["shopify"].control("fault", {"kind": "lost_webhook", "count": 2})
    await market.fakes["shopify"].control("order", {"sku": SKU, "quantity": 2, "name": "Ana"})
    await looked(market, "shopify")
    assert await market.shop.stock() == (10, 0, 2)
    await pushed(market)
    await looked(market, "shopify")
    assert await drifts(market) == []
    assert await stock_at(market, "shopify") == 8


async def test_a_sale_we_do_not_know_of_is_not_overwritten(trade: Trade) -> None:
    """Shopify compares: our number is refused, the order is read, and then the right number is told."""
    market = await filled(trade, "shopify", units=10)
    await market.fakes["shopify"].control("fault", {"kind": "lost_webhook", "count": 2})
    await market.fakes["shopify"].control("order", {"sku": SKU, "quantity": 2, "name": "Ana"})
    await sell(market, 1)
    await pushed(market)
    assert await market.shop.stock() == (10, 0, 3)
    await pushed(market)
    assert await stock_at(market, "shopify") == 7


async def test_what_a_shop_does_not_take_is_said_once_and_tried_again_with_the_next_change(
    trade: Trade,
) -> None:
    market = await filled(trade, "shopify", units=10)
    no = {"kind": "user_error", "code": "ITEM_NOT_STOCKED_AT_LOCATION", "message": "Not stocked here."}
    await market.fakes["shopify"].control("fault", no)
    await sell(market, 1)
    await pushed(market)
    await pushed(market)
    [listing] = await market.sql("SELECT push_error FROM listing")
    assert "Not stocked here." in listing["push_error"]
    assert await stock_at(market, "shopify") == 10
    await sell(market, 1)
    await pushed(market)
    assert await stock_at(market, "shopify") == 8


async def test_the_report_is_the_brands_own(trade: Trade) -> None:
    market = await filled(trade, "shopify", "woocommerce", units=10)
    await market.fakes["woocommerce"].control("count", {"sku": SKU, "quantity": 1})
    await looked(market, "woocommerce")
    owner = await market.owner()
    [drift] = await owner.call("GET", "/api/v1/shops/drift")
    assert (drift["ours"], drift["theirs"], drift["connector"]) == (10, 1, "woocommerce")
    shops = await owner.call("GET", "/api/v1/shops")
    assert {shop["connector"]: shop["drifting"] for shop in shops} == {"shopify": 0, "woocommerce": 1}
    await owner.call("POST", f"/api/v1/shops/{drift['connection_id']}/check", ok=202)
    await market.work()
    stranger = await market.owner("Another")
    assert await stranger.call("GET", "/api/v1/shops/drift") == []
    assert await stranger.call("GET", "/api/v1/shops") == []
    await stranger.call("POST", f"/api/v1/shops/{drift['connection_id']}/check", ok=404)
