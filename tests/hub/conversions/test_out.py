"""Conversions out: told once, to whom the buyer agreed, and nothing keeps the rest from being told."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.conversions import sha256
from hub.conversions.ad_ids import tells_somebody
from hub.conversions.outbox import NOT_TOLD, OLD
from hub.conversions.permits import GPC, NO_ADS, NO_ANALYTICS
from hub.conversions.queue import UNLINKED
from tests.hub.conversions.rig import Sales
from tests.hub.market import Trade

ALL = ("ga4", "meta_capi", "tiktok_events")
PAID = [("purchase", "sent", "")]
JANE = sha256("jane.doe@example.com")


@pytest.fixture
async def sales(trade: Trade) -> Sales:
    return Sales(await trade(*ALL))


async def each_account_once_under_one_id(sales: Sales) -> None:
    order = await sales.order()
    await sales.order(test=True)
    await sales.order(state="authorising")
    for _ in range(2):
        await sales.sweep()
    for name in ALL:
        assert await sales.rows(name, order) == PAID
        [event] = await sales.heard(name)
        assert event["id"] == (str(order.id) if name == "ga4" else f"{order.id}:purchase")
        assert event["value"] == 54.9
        assert await sales.heard(name, "again") == []
    [body] = await sales.heard("meta_capi", "bodies")
    [told] = json.loads(body)["data"]
    who = told["user_data"]
    assert (who["em"], who["ph"]) == ([JANE], [sha256("4930901820")])
    assert (who["fn"], who["ln"], who["ct"]) == ([sha256("jane")], [sha256("doe")], [sha256("berlin")])
    assert who["fbc"].startswith("fb.1.")
    assert who["fbc"].endswith(".AbC-d")
    assert told["event_source_url"].endswith(f"/watch/{sales.market.shop.slug}")
    assert told["custom_data"]["contents"] == [{"id": "BAG-RED", "quantity": 1, "item_price": 49.0}]
    # What was said of the sale is not kept once it is told.
    assert await sales.market.sql("SELECT id FROM conversion WHERE payload_sealed IS NOT NULL") == []
    # Google takes everything in silence: its checks are asked about a sample, and not at every turn.
    assert len(await sales.heard("ga4", "tests")) == 1


async def when_it_is_queued_and_when_it_is_sent(sales: Sales) -> None:
    nothing = await sales.order(agreed="")
    measured = await sales.order(agreed="analytics")
    changed = await sales.order()
    private = await sales.order()
    await sales.says(private, "analytics", gpc=True)
    await sales.market.hub.conversions.queue.sweep()
    assert await sales.rows("meta_capi", changed) == [("purchase", "waiting", "")]
    await sales.says(changed, "analytics")
    await sales.sweep()
    for name in ("meta_capi", "tiktok_events"):
        assert await sales.rows(name, nothing) == [("purchase", "withheld", NO_ADS)]
        assert await sales.rows(name, measured) == [("purchase", "withheld", NO_ADS)]
        assert await sales.rows(name, changed) == [("purchase", "withheld", NO_ADS)]
        assert await sales.rows(name, private) == [("purchase", "withheld", GPC)]
        assert await sales.heard(name, "bodies") == []
    assert await sales.rows("ga4", nothing) == [("purchase", "withheld", NO_ANALYTICS)]
    assert {event["id"] for event in await sales.heard("ga4")} == {
        str(one.id) for one in (measured, changed, private)
    }
    assert all('"DENIED"' in body or ":DENIED" in body for body in await sales.heard("ga4", "bodies"))
    # Nothing of the sale is kept for what is withheld.
    held = "SELECT id FROM conversion WHERE state = 'withheld' AND payload_sealed IS NOT NULL"
    assert await sales.market.sql(held) == []


async def what_was_told_is_taken_back(sales: Sales) -> None:
    told, silent = await sales.order(), await sales.order(agreed="")
    await sales.sweep()
    for minor, state in ((1000, "paid"), (2490, "paid"), (5490, "refunded")):
        await sales.gives_back(told, minor, state)
        await sales.gives_back(silent, minor, state)
        await sales.sweep()
    for name in ALL:
        assert await sales.rows(name, told) == [*PAID, *[("refund", "sent", "")] * 3]
        assert len(await sales.rows(name, silent)) == 1
        back = [event["value"] for event in await sales.heard(name) if event["name"].lower() == "refund"]
        assert back == [10.0, 14.9, 30.0]
    fell_through = await sales.order()
    await sales.market.hub.conversions.queue.sweep()
    await sales.gives_back(fell_through, 0, "cancelled")
    await sales.sweep()
    await sales.later(150)
    assert await sales.rows("meta_capi", fell_through) == [*PAID, ("refund", "sent", "")]


async def what_was_not_told_is_not_taken_back(sales: Sales) -> None:
    order = await sales.order()
    await sales.market.hub.conversions.queue.sweep()
    await sales.gives_back(order, 5490, "refunded")
    await sales.market.hub.conversions.queue.sweep()
    await sales.says(order, "analytics")
    await sales.sweep()
    assert await sales.rows("meta_capi", order) == [
        ("purchase", "withheld", NO_ADS),
        ("refund", "withheld", NOT_TOLD),
    ]
    # One of both may have been first; the purchase is, and then it follows.
    await sales.later(150)
    assert await sales.rows("ga4", order) == [*PAID, ("refund", "sent", "")]


async def other_shops_where_that_was_chosen(sales: Sales) -> None:
    owner = await sales.market.owner()
    early = await sales.order(channel="shopify")
    await sales.sweep()
    assert await sales.rows("meta_capi", early) == []
    path = f"/api/v1/conversions/{sales.connection('meta_capi')}"
    answer = await owner.call("PATCH", path, {"shops": True})
    assert [account["shops"] for account in answer] == [False, True, False]
    late = await sales.order(channel="shopify")
    await sales.sweep()
    assert await sales.rows("meta_capi", late) == PAID
    assert await sales.rows("ga4", late) == []
    # What was bought in TikTok's own shop TikTok knows: told again it would count twice.
    tiktok = f"/api/v1/conversions/{sales.connection('tiktok_events')}"
    await owner.call("PATCH", tiktok, {"shops": True})
    theirs, ours = await sales.order(channel="tiktok_shop"), await sales.order(channel="shopify")
    await sales.sweep()
    assert await sales.rows("meta_capi", theirs) == PAID
    assert await sales.rows("tiktok_events", theirs) == []
    assert await sales.rows("tiktok_events", ours) == PAID
    # Orders that were placed before the account was linked are not told at all.
    older = await sales.order(placed_at=sales.market.clock() - timedelta(days=1))
    await sales.sweep()
    assert await sales.rows("ga4", older) == []


async def a_refused_one_is_alone_parked(sales: Sales) -> None:
    owner, orders = await sales.market.owner(), [await sales.order() for _ in range(5)]
    bad = orders[2]
    for name in ("meta_capi", "tiktok_events"):
        await sales.market.fakes[name].control("fault", {"kind": "reject", "event_id": f"{bad.id}:purchase"})
    await sales.sweep()
    for name in ("meta_capi", "tiktok_events"):
        assert len(await sales.heard(name)) == 4
        [(_, state, reason)] = await sales.rows(name, bad)
        assert state == "refused"
        assert "refused the event" in reason
        path = f"/api/v1/conversions/{sales.connection(name)}/events"
        [event] = await owner.call("GET", path)
        assert (event["number"], event["again"]) == (bad.number, True)
        await sales.market.fakes[name].control("fault", {"kind": "clear"})
        await owner.call("POST", f"/api/v1/conversions/events/{event['id']}/again", ok=204)
        await owner.call("POST", f"/api/v1/conversions/events/{event['id']}/again", ok=409)
        await sales.sweep()
        assert await sales.rows(name, bad) == PAID
        assert await owner.call("GET", path) == []


async def a_platform_that_asks_to_wait(sales: Sales) -> None:
    fake = sales.market.fakes["meta_capi"]
    await fake.control("fault", {"kind": "status", "status": 429, "retry_after": 600, "count": 1})
    order = await sales.order()
    await sales.sweep()
    await sales.later(500)
    assert await sales.heard("meta_capi", "bodies") == []
    assert await sales.rows("meta_capi", order) == [("purchase", "waiting", "")]
    [desk] = [one for one in await board(sales) if one["connector"] == "meta_capi"]
    assert "slow down" in desk["problem"]
    await sales.later(200)
    assert await sales.rows("meta_capi", order) == PAID
    [desk] = [one for one in await board(sales) if one["connector"] == "meta_capi"]
    assert desk["problem"] is None


async def board(sales: Sales) -> list[dict[str, Any]]:
    owner = await sales.market.owner()
    found: list[dict[str, Any]] = await owner.call("GET", "/api/v1/conversions")
    return found


async def a_lost_answer(sales: Sales) -> None:
    for name in ALL:
        await sales.market.fakes[name].control("fault", {"kind": "lose"})
    order = await sales.order()
    await sales.sweep()
    await sales.later(300)
    for name in ALL:
        assert await sales.rows(name, order) == PAID
        assert len(await sales.heard(name)) == 1
    assert len(await sales.heard("meta_capi", "again")) == 1


async def what_waited_too_long(sales: Sales) -> None:
    for name in ALL:
        # Google is asked twice: for its checks, and to take it.
        trouble = {"kind": "status", "status": 503, "count": 2 if name == "ga4" else 1}
        await sales.market.fakes[name].control("fault", trouble)
    old = await sales.order()
    await sales.sweep()
    sales.market.clock.tick(8 * 86400)
    fresh = await sales.order()
    await sales.market.hub.conversions.queue.sweep()
    await sales.later(60)
    for name in ALL:
        assert await sales.rows(name, old) == [("purchase", "too_old", OLD)]
        assert await sales.rows(name, fresh) == PAID


async def test_a_dead_login_stops_the_account_and_a_new_one_goes_on(sales: Sales) -> None:
    fake = sales.market.fakes["meta_capi"]
    await fake.control("fault", {"kind": "revoke"})
    order = await sales.order()
    await sales.sweep()
    [state] = await sales.market.sql("SELECT state FROM connection WHERE connector = 'meta_capi'")
    assert state["state"] == "reconnect"
    assert await sales.rows("meta_capi", order) == [("purchase", "waiting", "")]
    assert await sales.rows("ga4", order) == PAID
    [desk] = [one for one in await board(sales) if one["connector"] == "meta_capi"]
    assert "no longer accepts" in str(desk["problem"])
    await fake.control("fault", {"kind": "clear"})
    owner = await sales.market.owner()
    path = f"/api/v1/connections/{sales.connection('meta_capi')}"
    await owner.call("PATCH", path, {"tokens": fake.tokens})
    await sales.later(300)
    assert await sales.rows("meta_capi", order) == PAID
    waiting = await sales.order()
    await sales.market.hub.conversions.queue.sweep()
    await owner.call("DELETE", path, ok=204)
    await sales.sweep()
    assert await sales.rows("meta_capi", waiting) == [("purchase", "withheld", UNLINKED)]


async def one_that_was_committed_late(sales: Sales) -> None:
    sales.market.clock.tick(600)
    await sales.sweep()
    first = await sales.order()
    await sales.sweep()
    # It says it changed before we looked: its transaction was still open then.
    late = await sales.order(updated_at=sales.market.clock() - timedelta(seconds=60))
    await sales.sweep()
    for order in (first, late):
        assert await sales.rows("ga4", order) == PAID


def test_an_address_that_every_house_has_tells_nobody_apart() -> None:
    for ip in (
        "10.1.2.3",
        "192.168.0.7",
        "100.64.1.1",
        "127.0.0.1",
        "::1",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "?",
    ):
        assert not tells_somebody(ip)
    for ip in ("203.0.113.9", "2001:db8::7", "::ffff:203.0.113.9"):
        assert tells_somebody(ip)


async def each_in_turn(sales: Sales, *parts: Callable[[Sales], Awaitable[None]]) -> None:
    """One shop for several parts: opening it takes longer than they do."""
    for part in parts:
        await part(sales)
        await sales.from_here()


async def test_a_paid_order_is_told_once_wherever_it_came_from_and_whenever_it_was_committed(
    sales: Sales,
) -> None:
    await each_in_turn(
        sales,
        each_account_once_under_one_id,
        one_that_was_committed_late,
        other_shops_where_that_was_chosen,
    )


async def test_consent_is_asked_each_time_and_refunds_follow_what_was_told(sales: Sales) -> None:
    await each_in_turn(
        sales,
        when_it_is_queued_and_when_it_is_sent,
        what_was_told_is_taken_back,
        what_was_not_told_is_not_taken_back,
    )


async def test_nothing_that_goes_wrong_with_one_event_or_one_answer_loses_another(sales: Sales) -> None:
    await each_in_turn(
        sales,
        a_refused_one_is_alone_parked,
        a_platform_that_asks_to_wait,
        a_lost_answer,
        what_waited_too_long,
    )
