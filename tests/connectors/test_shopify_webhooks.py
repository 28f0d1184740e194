"""What Shopify sends us: signed without a time, whole orders or only their names."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.errors import Refused
from connectors.shopify.api import Config
from connectors.shopify.order_source import ShopifyOrders
from connectors.shopify.orders import landing_of
from connectors.shopify.webhooks import ShopifyWebhooks
from connectors.types import LevelNews, Money, Order, OrderHint, Webhook
from tests.connectors.conftest import Rig, serving
from tests.connectors.inbox import Inbox
from tests.connectors.shopify import LONG_AGO, SAMPLES, SHOP, buy, open_shop

VECTOR = "1GxccvotnkOedTjSm8S0m/VA3yAUKshyqT52ccNYHj4="
"""HMAC of {"id":1} under shpss_test, computed outside this code."""


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with open_shop() as made:
        yield made


def hooks() -> ShopifyWebhooks:
    return ShopifyWebhooks(Config(shop=SHOP, webhook_secret=SecretStr("shpss_test"), location_id=None))


def delivery(body: bytes = b'{"id":1}', **headers: str) -> Webhook:
    given = {"x-shopify-hmac-sha256": VECTOR, "x-shopify-event-id": "e1", "x-shopify-webhook-id": "w1"}
    given |= {"x-shopify-topic": "orders/create", "x-shopify-shop-domain": SHOP}
    given |= {f"x-shopify-{name.replace('_', '-')}": value for name, value in headers.items()}
    kept = {name: value for name, value in given.items() if value}
    return Webhook(headers=kept, body=body, received_at=datetime.now(UTC))


def test_a_delivery_is_known_by_topic_and_event() -> None:
    assert hooks().verify(delivery()) == "orders/create:e1"
    assert hooks().verify(delivery(webhook_id="w2")) == "orders/create:e1"
    assert hooks().verify(delivery(topic="orders/updated")) == "orders/updated:e1"
    assert hooks().verify(delivery(event_id="")) == "orders/create:w1"


@pytest.mark.parametrize(
    "headers",
    [
        {"hmac_sha256": VECTOR[:-2] + "x="},
        {"hmac_sha256": ""},
        {"hmac_sha256": "é"},
        {"shop_domain": "other.myshopify.com"},
        {"event_id": "", "webhook_id": ""},
    ],
)
def test_a_delivery_that_is_not_ours_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Refused):
        hooks().verify(delivery(b'{"id":1}', **headers))


@given(st.binary(max_size=40))
def test_only_the_bytes_that_were_signed_are_accepted(body: bytes) -> None:
    made = base64.b64encode(hmac.new(b"shpss_test", body, hashlib.sha256).digest()).decode()
    assert hooks().verify(delivery(body, hmac_sha256=made)) == "orders/create:e1"
    with pytest.raises(Refused):
        hooks().verify(delivery(body + b" ", hmac_sha256=made))


def sample(**changes: Any) -> Order:
    body = json.loads((SAMPLES / "orders_create.json").read_bytes()) | changes
    [order] = hooks().parse(json.dumps(body).encode())
    assert isinstance(order, Order)
    return order


def test_an_order_is_read_from_its_webhook() -> None:
    order = sample()
    assert (order.id, order.number, order.state) == ("gid://shopify/Order/6123450000001", "#1042", "paid")
    assert order.placed_at == datetime(2026, 11, 24, 19, 1, 7, tzinfo=UTC)
    # What was taken out of the order is neither in its lines nor in its total.
    assert [(line.sku, line.quantity) for line in order.lines] == [("HOT-1", 1), (None, 1)]
    assert order.total == Money(amount=5490, currency="EUR")
    assert order.lines[1].listing is None
    assert order.buyer.external_id == "gid://shopify/Customer/7300000000001"
    assert order.show_hint == "drop7"


@pytest.mark.parametrize(
    ("financial", "cancelled_at", "state"),
    [
        ("authorized", None, "pending"),
        ("pending", None, "pending"),
        ("partially_paid", None, "pending"),
        ("partially_refunded", None, "paid"),
        ("refunded", None, "refunded"),
        ("voided", None, "cancelled"),
        ("paid", "2026-11-24T21:00:00+01:00", "cancelled"),
        ("something_new", None, "pending"),
        (None, None, "pending"),
    ],
)
def test_states_are_shopifys_in_our_words(
    financial: str | None, cancelled_at: str | None, state: str
) -> None:
    assert sample(financial_status=financial, cancelled_at=cancelled_at).state == state


def test_a_dead_order_is_told_as_it_was_ordered() -> None:
    order = sample(cancelled_at="2026-11-24T21:00:00+01:00")
    assert [line.quantity for line in order.lines] == [1, 1, 1]
    assert order.total.amount == 10390


def test_tags_noted_by_the_theme_fill_missing_ones() -> None:
    noted = [{"name": "utm_source", "value": "tiktok"}, {"name": "show", "value": "autumn"}]
    order = sample(landing_site="/products/hot?x=1", note_attributes=noted)
    assert order.landing_url == f"https://{SHOP}/products/hot?x=1&utm_source=tiktok"
    assert order.show_hint == "autumn"
    assert sample(landing_site=None, note_attributes=[]).landing_url is None
    assert sample(note_attributes=noted).landing_url == (
        f"https://{SHOP}/products/hot?utm_source=instagram&utm_medium=social&utm_campaign=drop7"
    )


def test_a_guest_without_address_is_an_order_all_the_same() -> None:
    order = sample(customer=None, email=None, contact_email="", phone="+49301234")
    assert (order.buyer.email or None, order.buyer.name, order.buyer.phone) == (None, None, "+49301234")


@given(st.text(max_size=60))
def test_no_landing_page_costs_an_order(landing: str) -> None:
    found = landing_of(landing, {"utm_source": "x"}, SHOP)
    assert found is None or "utm_source=" in found


def test_deliveries_about_an_order_make_it_be_read_again() -> None:
    order = OrderHint(order_id="gid://shopify/Order/6123450000001")
    assert hooks().parse((SAMPLES / "refunds_create.json").read_bytes()) == (order,)
    edited = b'{"order_edit": {"id": 1, "order_id": 6123450000001}}'
    assert hooks().parse(edited) == (order,)
    fulfilled = b'{"id": 3, "order_id": 6123450000001, "line_items": [{"id": 1}]}'
    assert hooks().parse(fulfilled) == (order,)


@pytest.mark.parametrize("available", [17, 0, None])
def test_a_level_is_news_of_what_is_counted_now(available: int | None) -> None:
    level = {"inventory_item_id": 47, "location_id": 7, "available": available}
    [news] = hooks().parse(json.dumps(level).encode())
    assert news == LevelNews(
        inventory_item_id="gid://shopify/InventoryItem/47",
        location_id="gid://shopify/Location/7",
        quantity=available,
    )


def test_a_broken_order_is_refused_without_telling_about_the_buyer() -> None:
    body = json.loads((SAMPLES / "orders_create.json").read_bytes())
    for name, value in (("created_at", "ann@example.com"), ("line_items", [{}]), ("total_price", None)):
        broken = json.dumps(body | {name: value, "cancelled_at": "2026-11-24T21:00:00+01:00"}).encode()
        with pytest.raises(Refused) as raised:
            hooks().parse(broken)
        assert "ann@" not in raised.value.reason


async def test_webhooks_arrive_although_the_receiver_was_down(rig: Rig) -> None:
    inbox = Inbox(ShopifyWebhooks(rig.session.config), down=2)
    async with serving(inbox.app) as address:
        await rig.ctl("webhook_url", url=f"{address}hook")
        order_id = await buy(rig)
        got = await inbox.until(2)
    assert {delivered.partition(":")[0] for delivered, _ in got} == {"orders/create", "orders/updated"}
    assert {fact.id for _, fact in got} == {order_id}


async def test_a_doubled_webhook_is_one_event_and_a_lost_one_is_found_by_reading(rig: Rig) -> None:
    inbox = Inbox(ShopifyWebhooks(rig.session.config))
    async with serving(inbox.app) as address:
        await rig.ctl("webhook_url", url=f"{address}hook")
        await rig.ctl("fault", kind="lost_webhook", count=2)
        lost = await buy(rig)
        await rig.ctl("fault", kind="duplicate_webhook")
        kept = await buy(rig)
        got = await inbox.until(3)
    created = [delivered for delivered, _ in got if delivered.startswith("orders/create")]
    assert len(created) == 2
    assert len(set(created)) == 1
    assert {fact.id for _, fact in got} == {kept}
    assert [order.id async for order in ShopifyOrders(rig.session).orders(LONG_AGO)] == [lost, kept]
