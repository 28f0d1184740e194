"""The nastiest behaviours of shops, one test for each that is about them (commerce reference, H5).

A shop is missing where its API has no such thing. WooCommerce never repeats a delivery (4). Nobody can add
to an order of TikTok Shop, only take pieces out, so it never asks for more than there is (9); its webhooks
say which order changed and not how, so nothing in them can be misread (10), and bring no echo of ours (7).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.orders.watch import Watches
from tests.hub.market import SKU, Market, Trade
from tests.hub.platforms import until

SHOPS = ("shopify", "woocommerce", "tiktok_shop")
ONE_BACK: dict[str, dict[str, Any]] = {
    "shopify": {"refund": {"lines": [[0, 1, "return"]]}},
    "woocommerce": {"refund": {"amount": "49.00", "pieces": [[0, 1]]}},
    "tiktok_shop": {"return": {"pieces": [0]}},
}
UNSAID = "The shop does not say where 1 of them went: if you have them back, add them to stock."


async def place(market: Market, name: str, quantity: int = 1, **more: Any) -> str:
    wanted = {"sku": SKU, "quantity": quantity, "email": "ana@example.com", "name": "Ana"}
    return str((await market.fakes[name].control("order", wanted | more))["order_id"])


async def change(market: Market, name: str, order_id: str, **what: Any) -> None:
    verb = "move" if name == "tiktok_shop" else "change"
    await market.fakes[name].control(verb, {"order_id": order_id, **what})


async def give_one_back(market: Market, name: str, order_id: str) -> None:
    """A piece comes back and its money is given back; at TikTok Shop it must have been sent before."""
    if name == "tiktok_shop":
        await change(market, name, order_id, status="DELIVERED")
    await change(market, name, order_id, **ONE_BACK[name])


async def the_order(market: Market) -> Any:
    [order] = await market.sql("SELECT * FROM orders")
    return order


async def notes(market: Market) -> list[str]:
    return [row["text"] for row in await market.sql("SELECT text FROM order_event ORDER BY at, id")]


async def shop(trade: Trade, *names: str, units: int = 10) -> Market:
    market = await trade(*names, units=units)
    for name in names:
        await market.fill(name, units)
    return market


@pytest.mark.parametrize("name", SHOPS)
async def test_2_a_refund_before_its_order_makes_the_order_be_read(trade: Trade, name: str) -> None:
    market = await shop(trade, name)
    lost = {"shopify": 2, "woocommerce": 2, "tiktok_shop": 3}[name]
    await market.fakes[name].control("fault", {"kind": "lost_webhook", "count": lost})
    order_id = await place(market, name, 3)
    assert await market.sql("SELECT 1 FROM orders") == []
    await give_one_back(market, name, order_id)
    await market.arrived()
    order = await the_order(market)
    assert (order["state"], order["total_minor"], order["refunded_minor"]) == ("paid", 14700, 4900)
    # What became of the goods TikTok Shop does not say: they stay off the shelf, and a person is told.
    unsaid = name == "tiktok_shop"
    assert any(UNSAID in note for note in await notes(market)) == unsaid
    assert await market.shop.stock() == (10, 0, 3 if unsaid else 2)
    await market.shop.check_ledger()


async def test_2_a_refund_whose_delivery_was_lost_is_found_though_its_order_is_as_it_was(
    trade: Trade,
) -> None:
    market = await shop(trade, "tiktok_shop")
    await market.sql("UPDATE connection SET created_at = now() - interval '9 days', orders_read_at = now()")
    long_ago = int(market.clock().timestamp()) - 86_400
    order_id = await place(market, "tiktok_shop", 2, at=long_ago, status="DELIVERED")
    await market.arrived()
    await market.fakes["tiktok_shop"].control("fault", {"kind": "lost_webhook", "count": 9})
    await change(market, "tiktok_shop", order_id, **ONE_BACK["tiktok_shop"])
    for _ in range(2):
        await market.hub.channels.reconcile()
    order = await the_order(market)
    assert (order["state"], order["total_minor"], order["refunded_minor"]) == ("paid", 9800, 4900)
    assert await market.shop.stock() == (10, 0, 2)


async def test_3_one_fact_under_many_ids_is_one_fact(trade: Trade) -> None:
    market = await shop(trade, *SHOPS)
    for name in SHOPS:
        await market.fakes[name].control("webhook_url", {"url": market.hook(name), "levels": True})
        await market.fakes[name].control("fault", {"kind": "duplicate_webhook", "count": 9})
    # Woo gives one Delivery-ID to everything it sends in a second: none of these may be taken for another.
    # TikTok tells of an order twice, as unpaid and as paid, and means by both: read it.
    await asyncio.gather(*(place(market, name) for name in SHOPS for _ in range(3)))
    await market.arrived()
    await market.arrived()
    assert await market.states("orders") == {"paid": 9}
    assert await market.shop.stock() == (10, 0, 9)
    assert [row["n"] for row in await market.sql("SELECT count(*) AS n FROM order_event")] == [9]
    await market.shop.check_ledger()


@pytest.mark.parametrize(
    ("name", "since", "total", "left"),
    [
        (
            "shopify",
            [{"edit": {"place": 0, "quantity": 4}}, {"refund": {"lines": [[0, 1, "no_restock"]]}}],
            19600,
            4,
        ),
        (
            "tiktok_shop",
            [
                {"taken_out": [0]},
                {"status": "DELIVERED"},
                {"return": {"pieces": [1], "type": "REFUND"}},
            ],
            9800,
            1,
        ),
    ],
)
async def test_4_a_stale_repeat_does_not_bring_the_past_back(
    trade: Trade, name: str, since: list[dict[str, Any]], total: int, left: int
) -> None:
    market = await shop(trade, name)
    await place(market, name, 2)
    await market.arrived()
    [first] = await market.sql("SELECT id FROM webhook_event WHERE state = 'done' ORDER BY id LIMIT 1")
    order = await the_order(market)
    await market.fakes[name].control("fault", {"kind": "lost_webhook", "count": 9})
    for what in since:
        await change(market, name, order["external_id"], **what)
    await market.hub.channels.reconcile()
    now = await the_order(market)
    assert (now["total_minor"], now["refunded_minor"]) == (total, 4900)
    assert await market.shop.stock() == (10, 0, left)
    # Hours later the first delivery comes again, under another id and with the payload of then.
    await market.sql(
        """
        INSERT INTO webhook_event
            (id, brand_id, connection_id, delivery_id, headers, body, state, received_at)
        SELECT gen_random_uuid(), brand_id, connection_id, 'late', headers, body, 'stored', received_at
        FROM webhook_event WHERE id = :id
        """,
        id=first["id"],
    )
    [late] = await market.sql("SELECT id FROM webhook_event WHERE delivery_id = 'late'")
    await market.hub.inbox.process(late["id"])
    again = await the_order(market)
    assert (again["total_minor"], again["refunded_minor"]) == (total, 4900)
    assert await market.shop.stock() == (10, 0, left)


@pytest.mark.parametrize("name", SHOPS)
async def test_6_subscriptions_that_died_in_silence_are_noticed_and_made_again(
    trade: Trade, name: str
) -> None:
    market = await shop(trade, name)
    hub, row = market.hub, await market.connection(name)
    watches = Watches(hub.db, market.clock, hub.connections, market.origin)
    kind = "disable_webhooks" if name == "woocommerce" else "unsubscribe"
    await place(market, name)
    await market.arrived()
    await market.fakes[name].control("fault", {"kind": kind})
    await market.sql("UPDATE shop_watch SET hook_at = hook_at - interval '1 hour'")
    for _ in range(2):
        await place(market, name)
    # Young changes prove nothing; two minutes later their deliveries should have come.
    market.clock.tick(300)
    await hub.channels.reconcile()
    [watch] = await market.sql("SELECT missed, silent_since FROM shop_watch")
    assert (watch["missed"], watch["silent_since"] is not None) == (2, True)
    assert len(await market.sql("SELECT 1 FROM orders")) == 3
    async with hub.db.session() as session:
        alarms = await hub.alarms.of_brand(session, market.shop.brand_id)
    assert [alarm.kind for alarm in alarms] == ["shop_silent"]
    assert alarms[0].connection_id == row.id
    await watches.subscribe(row.id)
    await place(market, name)
    await until(lambda: heard_again(market))
    [watch] = await market.sql("SELECT missed, silent_since, renewed_at, problem FROM shop_watch")
    assert (watch["missed"], watch["silent_since"], watch["problem"]) == (0, None, None)
    assert watch["renewed_at"] is not None
    async with hub.db.session() as session:
        assert await hub.alarms.of_brand(session, market.shop.brand_id) == []


async def heard_again(market: Market) -> bool:
    [watch] = await market.sql("SELECT silent_since FROM shop_watch")
    return watch["silent_since"] is None


async def test_6_the_heartbeat_looks_every_hour_and_says_what_it_could_not_do(trade: Trade) -> None:
    market = await shop(trade, "shopify")
    await market.hub.watches.find_due()
    waiting = "SELECT 1 FROM procrastinate_jobs WHERE task_name = 'shop.subscribe'"
    assert len(await market.sql(waiting)) == 1
    await market.fakes["shopify"].control("fault", {"kind": "status", "status": 423})
    await market.work()
    [watch] = await market.sql("SELECT problem, subscribed_at FROM shop_watch")
    assert "locked" in watch["problem"]
    await market.hub.watches.find_due()
    assert await market.sql(waiting) == []
    market.clock.tick(3700)
    await market.hub.watches.find_due()
    assert len(await market.sql(waiting)) == 1


@pytest.mark.parametrize("name", SHOPS)
async def test_7_our_echo_is_a_receipt_and_a_restock_counts_once(trade: Trade, name: str) -> None:
    market = await shop(trade, name)
    await market.fakes[name].control("webhook_url", {"url": market.hook(name), "levels": True})
    market.clock.tick(2)
    await market.hub.pushes.find_behind()
    await market.work()
    await market.arrived()
    # What came back was our own number: nothing changed, nothing to look at, nothing more to tell.
    assert await market.shop.stock() == (10, 0, 0)
    assert await market.sql("SELECT 1 FROM drift") == []
    assert await market.sql("SELECT 1 FROM procrastinate_jobs WHERE task_name = 'stock.look'") == []
    order_id = await place(market, name, 3)
    await market.arrived()
    assert await market.shop.stock() == (10, 0, 3)
    # Staff put one piece back here, and the shop counts the same piece when it refunds it.
    [line, *_] = await market.sql("SELECT id FROM order_line ORDER BY external_line_id")
    async with market.hub.db.session() as session:
        await market.hub.stock.restock(
            session, market.shop.variant_id, 1, "return_line", line["id"], author="Ana"
        )
    await market.sql("UPDATE order_line SET put_back = 1, taken = taken - 1 WHERE id = :id", id=line["id"])
    for _ in range(2):
        await market.fakes[name].control("fault", {"kind": "duplicate_webhook", "count": 4})
    await give_one_back(market, name, order_id)
    await market.arrived()
    await market.hub.channels.reconcile()
    assert await market.shop.stock() == (10, 0, 2)
    await market.shop.check_ledger()


async def test_7_an_order_from_before_the_shop_was_linked_takes_nothing_and_is_never_cancelled(
    trade: Trade,
) -> None:
    market = await shop(trade, *SHOPS, units=2)
    old: dict[str, str] = {}
    for name in SHOPS:
        await market.fakes[name].control("fault", {"kind": "lost_webhook", "count": 9})
        old[name] = await place(market, name, 2)
    # The shops' numbers were taken over after these sales: ours lacks them already.
    await market.sql("UPDATE connection SET created_at = now() + interval '1 second'")
    await market.hub.channels.reconcile()
    await market.later()
    assert await market.states("orders") == {"paid": 3}
    assert await market.shop.stock() == (2, 0, 0)
    assert sum("older than the link" in note for note in await notes(market)) == 3
    # Nor does it bring anything back. What is added to it later is a sale like any other.
    for name in SHOPS:
        await give_one_back(market, name, old[name])
    await change(market, "shopify", old["shopify"], edit={"add": {"sku": SKU, "quantity": 1}})
    await market.hub.channels.reconcile()
    await market.later()
    assert await market.states("orders") == {"paid": 3}
    assert await market.shop.stock() == (2, 0, 1)
    await market.shop.check_ledger()


Step = tuple[dict[str, Any], tuple[int, int, int]]
"""What happens, and after it (total, refunded, pieces kept off the shelf)."""
IN_SHOPIFY: list[Step] = [
    ({"refund": {"lines": [[0, 1, "return"]]}}, (15290, 4900, 2)),
    ({"refund": {"lines": [[0, 1, "no_restock"]], "extra": 590}}, (15290, 10390, 2)),
    ({"refund": {"extra": 123}}, (15290, 10513, 2)),
    ({"edit": {"add": {"sku": SKU, "quantity": 4}}}, (34890, 10513, 6)),
    ({"edit": {"place": 1, "quantity": 2}}, (25090, 10513, 4)),
    ({"edit": {"place": 1, "quantity": 5}}, (39790, 10513, 7)),
]
IN_TIKTOK: list[Step] = [
    ({"taken_out": [0]}, (15290, 0, 2)),
    ({"status": "DELIVERED"}, (15290, 0, 2)),
    ({"return": {"pieces": [1], "status": "AWAITING_BUYER_SHIP"}}, (15290, 0, 2)),
    ({"return": {"pieces": [1]}}, (15290, 4900, 2)),
    ({"return": {"pieces": [2], "type": "REFUND", "minor": 1999}}, (15290, 6899, 2)),
    ({"return": {"type": "REFUND", "minor": 590}}, (15290, 7489, 2)),
]
"""TikTok does not tell the money of a piece that was taken out apart from the total."""


@pytest.mark.parametrize(
    ("name", "steps", "paid_in", "words"),
    [("shopify", IN_SHOPIFY, "USD", "4 × "), ("tiktok_shop", IN_TIKTOK, None, "Bag taken out")],
)
async def test_9_partial_everything_adds_up_to_the_cent(
    trade: Trade, name: str, steps: list[Step], paid_in: str | None, words: str
) -> None:
    market = await shop(trade, name, units=20)
    order_id = await place(market, name, 3, shipping=590, rate=["USD", 1.0873])
    await market.arrived()
    for what, wanted in steps:
        await change(market, name, order_id, **what)
        await market.arrived()
        await market.hub.channels.reconcile()
        order = await the_order(market)
        held = (await market.shop.stock())[2]
        assert (order["total_minor"], order["refunded_minor"], held) == wanted, what
        assert order["subtotal_minor"] + order["shipping_minor"] == order["total_minor"]
    assert (order["shipping_minor"], order["currency"], order["paid_currency"]) == (590, "EUR", paid_in)
    assert order["state"] == "paid"
    given = await market.sql("SELECT sum(amount_minor) AS given FROM outside_refund")
    assert given[0]["given"] == order["refunded_minor"]
    assert any(words in note for note in await notes(market))
    await market.shop.check_ledger()


async def test_9_an_edit_that_asks_for_more_than_there_is_is_left_to_a_person(trade: Trade) -> None:
    market = await shop(trade, "woocommerce", units=3)
    await market.fakes["woocommerce"].control(
        "catalog",
        {"items": [{"sku": SKU, "title": "Bag", "price_minor": 4900, "currency": "EUR", "quantity": 50}]},
    )
    order_id = await place(market, "woocommerce", 2)
    await market.arrived()
    await change(market, "woocommerce", order_id, edit={"place": 0, "quantity": 6})
    await market.arrived()
    order = await the_order(market)
    assert order["state"] == "paid"
    assert "asks for more BAG-RED than there is" in order["message"]
    assert await market.shop.stock() == (3, 0, 2)
    await change(market, "woocommerce", order_id, edit={"place": 0, "quantity": 3})
    await market.arrived()
    assert await market.shop.stock() == (3, 0, 3)


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("shopify", {"kind": "throttle"}),
        ("tiktok_shop", {"kind": "code", "code": 36009003}),
        *(("woocommerce", {"kind": kind}) for kind in ("page", "firewall", "odd_order")),
    ],
)
async def test_10_a_success_that_is_none_costs_nothing_and_is_seen(
    trade: Trade, name: str, trouble: dict[str, Any]
) -> None:
    market = await shop(trade, name)
    first = await place(market, name)
    await place(market, name)
    await market.arrived()
    if trouble["kind"] == "odd_order":
        # The format changed: that order is set aside for a person, and the others go on.
        await market.fakes[name].control("fault", trouble | {"order_id": first})
        await change(market, name, first, status="completed")
        await market.arrived()
        await market.hub.channels.reconcile()
        parked = await market.sql("SELECT error, order_ref FROM webhook_event WHERE state = 'parked'")
        assert {row["order_ref"] for row in parked} == {None, first}
        assert all("read" in row["error"] or "look like" in row["error"] for row in parked)
        [row] = await market.sql("SELECT orders_read_at FROM connection")
        assert datetime.now(UTC) - row["orders_read_at"] < timedelta(minutes=1)
        await market.fakes[name].control("fault", {"kind": "clear"})
        owner = await market.owner()
        for one in await owner.call("GET", "/api/v1/deliveries"):
            await owner.call("POST", f"/api/v1/deliveries/{one['id']}/retry", ok=202)
        await market.work()
    else:
        await market.fakes[name].control("fault", trouble | {"count": 2})
        market.clock.tick(2)
        await market.hub.pushes.find_behind()
        await market.work()
        market.clock.tick(120)
        await market.later()
        await market.later()
        assert (await market.fakes[name].state())["stock"][SKU] == 8
    assert await market.states("orders") == {"paid": 2}
    assert await market.shop.stock() == (10, 0, 2)
    await market.shop.check_ledger()
