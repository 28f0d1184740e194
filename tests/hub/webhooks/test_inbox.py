"""What platforms send: kept before anything else, believed only when signed, done once, never lost."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any
from uuid import UUID, uuid4

import pytest
import stripe

from hub.app import services
from hub.services import Services
from tests.hub.conftest import Engines
from tests.hub.market import SKU, Market, Trade, fronted, post
from tests.hub.platforms import until
from tests.hub.site import Client

ORDER: dict[str, Any] = {
    "id": 6123450000001,
    "admin_graphql_api_id": "gid://shopify/Order/6123450000001",
    "name": "#1042",
    "created_at": "2036-11-24T20:01:07+01:00",
    "updated_at": "2036-11-24T20:01:07+01:00",
    "cancelled_at": None,
    "financial_status": "paid",
    "currency": "EUR",
    "total_price": "49.00",
    "current_total_price": "49.00",
    "email": "ana@example.com",
    "customer": {"id": 7300000000001, "first_name": "Ana", "last_name": None},
    "line_items": [
        {
            "id": 15100000000001,
            "variant_id": 45000000000999,
            "product_id": 8100000000999,
            "sku": SKU,
            "title": "Bag",
            "quantity": 1,
            "current_quantity": 1,
            "price": "49.00",
        }
    ],
}


class Shopify:
    """Signs like the platform, sends like anybody."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.secret = str(market.fakes["shopify"].config["webhook_secret"])

    def signed(self, body: bytes, event: str = "") -> dict[str, str]:
        made = hmac.new(self.secret.encode(), body, hashlib.sha256).digest()
        return {
            "x-shopify-hmac-sha256": base64.b64encode(made).decode(),
            "x-shopify-topic": "orders/create",
            "x-shopify-event-id": event or uuid4().hex,
        }

    async def send(self, order: dict[str, Any], event: str = "") -> int:
        body = json.dumps(order).encode()
        return (await post(self.market.hook("shopify"), body, self.signed(body, event))).status_code


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("shopify", units=5)


@pytest.fixture
def shopify(market: Market) -> Shopify:
    return Shopify(market)


def changed(**fields: Any) -> dict[str, Any]:
    return {**ORDER, **fields}


async def test_a_delivery_is_kept_before_it_is_answered_and_done_afterwards(
    market: Market, shopify: Shopify
) -> None:
    assert await shopify.send(ORDER) == 202
    assert await market.states("webhook_event") == {"stored": 1}
    assert await market.states("orders") == {}
    await market.work()
    assert await market.states("webhook_event") == {"done": 1}
    assert await market.states("orders") == {"paid": 1}


async def test_a_repeat_is_welcome_and_changes_nothing(market: Market, shopify: Shopify) -> None:
    assert set(await asyncio.gather(*(shopify.send(ORDER, "same") for _ in range(6)))) == {202}
    await market.work()
    assert await shopify.send(ORDER, "same") == 202
    # The same fact under another id, as two subscriptions send it.
    assert await shopify.send(ORDER, "other") == 202
    await market.work()
    assert await market.states("webhook_event") == {"done": 2}
    assert await market.states("orders") == {"paid": 1}
    assert await market.shop.stock() == (5, 0, 1)


async def test_forged_and_altered_deliveries_leave_no_trace(market: Market, shopify: Shopify) -> None:
    body = json.dumps(ORDER).encode()
    headers = shopify.signed(body)
    for sent, with_headers in (
        (body, {}),
        (body + b" ", headers),
        (body, headers | {"x-shopify-hmac-sha256": "Zm9yZ2Vk"}),
        (body, headers | {"x-shopify-hmac-sha256": "\xe4\xf6"}),
        (b"", headers),
    ):
        url = market.hook("shopify")
        encoded = {name: value.encode("latin-1") for name, value in with_headers.items()}
        answer = await post(url, sent, encoded)  # type: ignore[arg-type]
        assert answer.status_code == 401
        assert shopify.secret not in answer.text
    assert await market.states("webhook_event") == {}


async def test_a_delivery_to_nobody_is_not_found(market: Market, shopify: Shopify) -> None:
    body = json.dumps(ORDER).encode()
    for path in (
        f"/webhooks/shopify/{uuid4()}",
        f"/webhooks/tiktok_shop/{market.connections['shopify']}",
        f"/webhooks/nobody/{market.connections['shopify']}",
    ):
        assert (await post(market.origin + path, body, shopify.signed(body))).status_code == 404
    too_large = b" " * (1 << 20) + b"{}"
    answer = await post(market.hook("shopify"), too_large, shopify.signed(too_large))
    assert answer.status_code == 422


async def test_an_unlinked_account_is_not_listened_to(market: Market, shopify: Shopify) -> None:
    async with market.hub.db.session() as session:
        row = await market.hub.connections.get(session, market.shop.brand_id, market.connections["shopify"])
        await market.hub.connections.remove(session, row)
    assert await shopify.send(ORDER) == 404


async def test_a_stale_signature_is_refused(trade: Trade) -> None:
    market = await trade("stripe")
    secret = str(market.fakes["stripe"].config["webhook_secret"])
    body = json.dumps({"id": "evt_1", "object": "event", "type": "x", "data": {"object": {}}})
    sign = stripe.WebhookSignature.generate_signature_header
    for age, status in ((0, 202), (301, 401), (-120, 401)):
        headers = {"stripe-signature": str(sign(body, secret, int(time.time()) - age))}
        answer = await post(market.hook("stripe"), body.encode(), headers)
        assert answer.status_code == status


async def test_an_older_version_that_comes_late_changes_nothing(market: Market, shopify: Shopify) -> None:
    cancelled = {"cancelled_at": "2036-11-24T20:05:00+01:00", "updated_at": "2036-11-24T20:05:00+01:00"}
    await shopify.send(changed(**cancelled))
    await market.work()
    await shopify.send(ORDER)
    await market.work()
    assert await market.states("orders") == {"cancelled": 1}
    assert await market.shop.stock() == (5, 0, 0)


async def test_a_dead_order_does_not_rise_by_news_of_the_same_second(
    market: Market, shopify: Shopify
) -> None:
    """Shopify stamps whole seconds: created and cancelled within one, told in the wrong order."""
    for order in (ORDER, changed(cancelled_at=ORDER["updated_at"]), ORDER):
        await shopify.send(order)
        await market.work()
    assert await market.states("orders") == {"cancelled": 1}
    assert await market.states("order_line") == {"released": 1}
    assert await market.shop.stock() == (5, 0, 0)
    await market.shop.check_ledger()


async def test_any_order_of_the_same_news_ends_the_same(market: Market, shopify: Shopify) -> None:
    news = [
        changed(financial_status="pending"),
        ORDER,
        changed(updated_at="2036-11-24T20:03:00+01:00"),
        changed(
            updated_at="2036-11-24T20:05:00+01:00",
            cancelled_at="2036-11-24T20:05:00+01:00",
            financial_status="refunded",
        ),
    ]
    for turn in range(len(news)):
        for order in news[turn:] + news[:turn]:
            await shopify.send({**order, "id": 6123450000010 + turn})
    await market.work()
    assert await market.states("orders") == {"cancelled": 4}
    assert await market.shop.stock() == (5, 0, 0)
    await market.shop.check_ledger()


async def test_an_unknown_sku_is_shown_and_costs_the_known_lines_nothing(
    market: Market, shopify: Shopify
) -> None:
    odd = {**ORDER["line_items"][0], "id": 15100000000002, "sku": "UNKNOWN"}
    await shopify.send(changed(line_items=[odd, *ORDER["line_items"]]))
    await market.work()
    assert await market.states("orders") == {"paid": 1}
    assert await market.states("order_line") == {"unknown_sku": 1, "committed": 1}
    assert await market.shop.stock() == (5, 0, 1)


async def test_what_cannot_be_read_is_parked_where_a_person_sees_it(market: Market, shopify: Shopify) -> None:
    assert await shopify.send(changed(total_price="a lot", current_total_price="a lot")) == 202
    await market.work()
    owner = await market.owner()
    [trouble] = await owner.call("GET", "/api/v1/deliveries")
    assert trouble["state"] == "parked"
    assert "cannot be read" in trouble["error"]
    assert "ana@example.com" not in json.dumps(trouble)
    await owner.call("POST", f"/api/v1/deliveries/{trouble['id']}/retry", ok=202)
    await market.work()
    [still] = await owner.call("GET", "/api/v1/deliveries")
    assert still["state"] == "parked"


async def test_a_delivery_that_fails_for_now_is_tried_again(trade: Trade) -> None:
    market = await trade("tiktok_shop", units=5)
    await market.fill("tiktok_shop", 5)
    await market.fakes["tiktok_shop"].control("fault", {"kind": "status", "status": 500, "count": 2})
    await market.fakes["tiktok_shop"].control("order", {"sku": SKU, "email": "ana@example.com"})
    await until(lambda: market.sent("tiktok_shop"))
    await market.work()
    owner = await market.owner()
    assert {one["state"] for one in await owner.call("GET", "/api/v1/deliveries")} == {"stored"}
    await market.later()
    assert await owner.call("GET", "/api/v1/deliveries") == []
    assert await market.states("orders") == {"paid": 1}


async def test_a_dead_login_costs_no_order(trade: Trade) -> None:
    market = await trade("tiktok_shop", units=5)
    await market.fill("tiktok_shop", 5)
    await market.sql("UPDATE connection SET state = 'reconnect', reason = 'Link it again.'")
    await market.fakes["tiktok_shop"].control("order", {"sku": SKU, "email": "ana@example.com"})
    await market.arrived()
    assert await market.states("orders") == {}
    await market.sql("UPDATE connection SET state = 'ok', reason = NULL")
    await market.later()
    assert await market.states("orders") == {"paid": 1}


async def test_while_the_database_is_away_the_platform_is_asked_to_come_again(
    market: Market, shopify: Shopify, engines: Engines
) -> None:
    """ALLOW_CONNECTIONS false and every session shot: what a restart of PostgreSQL looks like from here."""
    name = market.hub.db.url.split("/")[3].split("?")[0]
    async with engines.closed_to_all(name):
        body = json.dumps(ORDER).encode()
        answer = await post(market.hook("shopify"), body, shopify.signed(body, "same"))
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["code"] == "database_away"
    assert await shopify.send(ORDER, "same") == 202
    await market.work()
    assert await market.states("orders") == {"paid": 1}


async def test_a_crash_between_storing_and_working_loses_nothing(market: Market, shopify: Shopify) -> None:
    """Another process, started later with the same database, finds the job."""
    await shopify.send(ORDER)
    async with services(market.hub.settings, {}, market.clock) as second:
        await in_another_process(second, market)
    assert await market.states("orders") == {"paid": 1}


async def in_another_process(hub: Services, market: Market) -> None:
    [job] = await market.sql("SELECT args FROM procrastinate_jobs WHERE task_name = 'webhook.process'")
    async with fronted(hub):
        await hub.inbox.process(UUID(job["args"]["event_id"]))
        await hub.inbox.process(UUID(job["args"]["event_id"]))


async def test_another_brand_sees_and_retries_nothing_of_it(market: Market, shopify: Shopify) -> None:
    await shopify.send(changed(total_price="a lot", current_total_price="a lot"))
    await market.work()
    stranger: Client = await market.owner("Other")
    assert await stranger.call("GET", "/api/v1/deliveries") == []
    [event] = await market.sql("SELECT id FROM webhook_event")
    await stranger.call("POST", f"/api/v1/deliveries/{event['id']}/retry", ok=404)
