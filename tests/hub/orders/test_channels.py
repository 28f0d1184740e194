"""Three channels, one stock: whoever comes first gets it, nobody gets what is not there."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime
from typing import Any

import pytest

from tests.hub.market import SKU, Buyer, Market, Trade
from tests.hub.platforms import until

SHOPS = ("shopify", "tiktok_shop")


async def place(market: Market, name: str, quantity: int = 1, **more: Any) -> str:
    """A buyer on a platform; the order's id there."""
    wanted = {"sku": SKU, "quantity": quantity, "email": f"{random.random()}@example.com", "name": "Ana"}
    made = await market.fakes[name].control("order", wanted | more)
    return str(made["order_id"])


async def orders(market: Market, **where: str) -> list[Any]:
    clauses = " AND ".join(f"{name} = :{name}" for name in where) or "true"
    return await market.sql(f"SELECT * FROM orders WHERE {clauses} ORDER BY id", **where)  # noqa: S608


async def cancelled(market: Market, name: str) -> int:
    found = (await market.fakes[name].state())["orders"]
    return sum(bool(o.get("cancelled") or o.get("status") == "CANCELLED") for o in found)


@pytest.mark.parametrize("bags", [20, pytest.param(50, marks=pytest.mark.soak)])
async def test_every_bag_on_three_channels_is_sold_once(trade: Trade, bags: int) -> None:
    own, each = bags * 2 // 3, bags * 2 // 5
    market = await trade("stripe", *SHOPS, units=bags)
    for name in SHOPS:
        # Each shop believes that it has all of them.
        await market.fill(name, bags)
        await market.fakes[name].control("fault", {"kind": "duplicate_webhook", "count": 5})
    rng = random.Random(0)
    viewers = [await market.viewer() for _ in range(own)]
    tries = [("own", viewer) for viewer in viewers] + [(name, None) for name in SHOPS for _ in range(each)]
    rng.shuffle(tries)
    refused: list[str] = []

    async def attempt(channel: str, viewer: Buyer | None) -> None:
        await asyncio.sleep(rng.random() / 5)
        if viewer is None:
            await place(market, channel)
            return
        answer = await viewer.http.http.post(
            "/api/v1/public/holds",
            json={
                "show": market.shop.slug,
                "variant_id": str(market.shop.variant_id),
                "key": f"click-{rng.random()}",
            },
        )
        if answer.status_code == 409:
            refused.append(answer.json()["code"])
        else:
            await viewer.order(answer.json())

    async def keep_working() -> None:
        while True:
            await market.work()
            await asyncio.sleep(0.02)

    working = asyncio.create_task(keep_working())
    await asyncio.gather(*(attempt(*one) for one in tries))
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await market.sql("UPDATE procrastinate_jobs SET status = 'todo' WHERE status = 'doing'")
    for _ in range(3):
        await market.arrived()
        await market.later()
    states = await market.states("orders")
    assert states["paid"] == bags
    assert states.get("sold_out", 0) + len(refused) == len(tries) - bags
    assert set(states) <= {"paid", "sold_out"}
    assert set(refused) <= {"sold_out"}
    assert await market.shop.stock() == (bags, 0, bags)
    await market.shop.check_ledger()
    # Whoever bought what was not there any more was told so where they bought it.
    assert sum([await cancelled(market, name) for name in SHOPS]) == states.get("sold_out", 0)
    paid = await orders(market, state="paid", channel="own")
    assert sum(intent["captured"] for intent in await market.intents()) == 4900 * len(paid)


async def test_of_two_buyers_of_the_last_bag_one_gets_it(trade: Trade) -> None:
    market = await trade(units=1)
    viewers = [await market.viewer() for _ in range(2)]
    body = {"show": market.shop.slug, "variant_id": str(market.shop.variant_id)}
    before = (await market.sql("SELECT version FROM stock"))[0]["version"]
    answers = await asyncio.gather(
        *(v.http.http.post("/api/v1/public/holds", json=body | {"key": f"click-{n}-key"})
          for n, v in enumerate(viewers))
    )  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    [lost] = [answer.json() for answer in answers if answer.status_code == 409]
    assert (lost["code"], lost["available"]) == ("sold_out", 0)
    assert (await market.sql("SELECT version FROM stock"))[0]["version"] == before + 1


async def test_a_countdown_counts_from_the_servers_own_time(trade: Trade) -> None:
    market = await trade(units=1)
    hold = await (await market.viewer()).hold()
    left = datetime.fromisoformat(hold["expires_at"]) - datetime.fromisoformat(hold["server_time"])
    assert 89 <= left.total_seconds() <= 90


async def test_a_sale_on_one_channel_is_told_to_the_others(trade: Trade) -> None:
    market = await trade(*SHOPS, units=10)
    for name in SHOPS:
        await market.fill(name, 10)
    await place(market, "shopify", 3)
    await market.arrived()
    await market.hub.pushes.find_behind()
    await market.work()
    for name in SHOPS:
        assert (await market.fakes[name].state())["stock"][SKU] == 7
    assert await market.shop.stock() == (10, 0, 3)


async def test_a_shop_that_was_never_told_is_told_even_of_an_empty_shelf(trade: Trade) -> None:
    market = await trade("shopify", units=0)
    await market.fill("shopify", 50)
    await market.hub.pushes.find_behind()
    await market.work()
    assert (await market.fakes["shopify"].state())["stock"][SKU] == 0


async def test_a_push_whose_answer_is_lost_is_repeated_harmlessly(trade: Trade) -> None:
    market = await trade("shopify", units=10)
    await market.fill("shopify", 50)
    await market.fakes["shopify"].control("fault", {"kind": "lose"})
    await market.hub.pushes.find_behind()
    await market.work()
    await market.later()
    assert (await market.fakes["shopify"].state())["stock"][SKU] == 10
    [listing] = await market.sql("SELECT pushed_quantity, push_error FROM listing")
    assert (listing["pushed_quantity"], listing["push_error"]) == (10, None)


@pytest.mark.parametrize("name", SHOPS)
async def test_an_order_that_finds_no_stock_is_cancelled_on_the_platform(trade: Trade, name: str) -> None:
    market = await trade(name, units=0)
    await market.fill(name, 5)
    await place(market, name)
    await market.arrived()
    await market.arrived()
    [order] = await orders(market)
    assert (order["state"], order["message"]) == (
        "sold_out",
        "Sold out before this order arrived; cancelled on the platform.",
    )
    assert await cancelled(market, name) == 1
    assert await market.shop.stock() == (0, 0, 0)


async def test_a_platform_that_will_not_cancel_leaves_it_to_a_person(trade: Trade) -> None:
    market = await trade("tiktok_shop", units=0)
    await market.fill("tiktok_shop", 5)
    order_id = await place(market, "tiktok_shop")
    await until(lambda: market.sent("tiktok_shop"))
    await market.fakes["tiktok_shop"].control("move", {"order_id": order_id, "status": "IN_TRANSIT"})
    await market.arrived()
    [order] = await orders(market)
    assert order["state"] == "sold_out"
    assert order["message"].startswith("Sold out. Cancel it on the platform by hand:")
    assert await market.sql("SELECT 1 FROM procrastinate_jobs WHERE task_name = 'order.cancel'") == []


async def test_a_cancelled_order_gives_its_stock_back_once(trade: Trade) -> None:
    market = await trade("tiktok_shop", units=5)
    await market.fill("tiktok_shop", 5)
    order_id = await place(market, "tiktok_shop", 2)
    await market.arrived()
    assert await market.shop.stock() == (5, 0, 2)
    await market.fakes["tiktok_shop"].control("fault", {"kind": "duplicate_webhook", "count": 2})
    await market.fakes["tiktok_shop"].control("move", {"order_id": order_id, "status": "CANCELLED"})
    await market.arrived()
    assert await market.shop.stock() == (5, 0, 0)
    await market.shop.check_ledger()
    [order] = await orders(market)
    assert order["state"] == "cancelled"


async def test_a_piece_taken_out_of_an_order_gives_its_stock_back(trade: Trade) -> None:
    market = await trade("tiktok_shop", units=5)
    await market.fill("tiktok_shop", 5)
    order_id = await place(market, "tiktok_shop", 2)
    await market.arrived()
    taken_out = {"order_id": order_id, "taken_out": [0]}
    await market.fakes["tiktok_shop"].control("move", taken_out)
    await market.arrived()
    await market.arrived()
    assert await market.shop.stock() == (5, 0, 1)
    await market.shop.check_ledger()


async def test_an_order_whose_webhook_was_lost_is_found_by_reading(trade: Trade) -> None:
    market = await trade("shopify", units=5)
    await market.fill("shopify", 5)
    await market.fakes["shopify"].control("fault", {"kind": "lost_webhook", "count": 2})
    await place(market, "shopify")
    await market.arrived()
    assert await orders(market) == []
    await market.hub.channels.reconcile()
    await market.hub.channels.reconcile()
    [order] = await orders(market)
    assert order["state"] == "paid"
    assert await market.shop.stock() == (5, 0, 1)


async def test_reading_goes_back_to_the_last_time_it_worked(trade: Trade) -> None:
    market = await trade("shopify", units=5)
    await market.fill("shopify", 5)
    await market.hub.channels.reconcile()
    await market.fakes["shopify"].control("fault", {"kind": "lost_webhook", "count": 2})
    await place(market, "shopify")
    # The hub was away for six hours; what it missed is older than any fixed look back.
    market.clock.tick(6 * 3600)
    await market.hub.channels.reconcile()
    assert len(await orders(market)) == 1


async def test_one_shops_trouble_does_not_stop_the_reading_of_the_others(trade: Trade) -> None:
    market = await trade(*SHOPS, units=5)
    for name in SHOPS:
        await market.fill(name, 5)
        await market.fakes[name].control("fault", {"kind": "lost_webhook", "count": 5})
        await place(market, name)
    await market.sql("UPDATE connection SET config_sealed = 'x' WHERE connector = 'shopify'")
    await market.hub.channels.reconcile()
    assert [order["channel"] for order in await orders(market)] == ["tiktok_shop"]
