"""What is special about WooCommerce: anybody's hosting, webhooks that come once, money as text, no keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from connectors.errors import STALE, Reconnect, Refused, RetryLater, Unreadable
from connectors.types import LevelNews, Money, Order, OrderHint, Product, Stock, Webhook
from connectors.woocommerce import CONNECTOR
from connectors.woocommerce.api import Api, Config, classify
from connectors.woocommerce.catalog import WooCatalog, product_of
from connectors.woocommerce.fake import Fake
from connectors.woocommerce.money import each, money
from connectors.woocommerce.order_source import WooCancellations, WooOrders
from connectors.woocommerce.orders import order_of
from connectors.woocommerce.stock import WooStock
from connectors.woocommerce.subscriptions import TOPICS, WooSubscriptions
from connectors.woocommerce.webhooks import WooWebhooks
from tests.connectors.conftest import Rig, reaching, serving
from tests.connectors.inbox import Inbox

SAMPLES = Path(__file__).parents[2] / "connectors" / "woocommerce" / "samples"
SITE = "https://shop.example.com"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
VECTOR = "WyBH8a9xS3AfEC1IoarpcVkoInLGQSgn7IpOt75rui8="
"""HMAC of {"id":1} under woo_secret, computed outside this code."""


def item(sku: str, quantity: int, **more: Any) -> dict[str, Any]:
    made = {"sku": sku, "title": f"The {sku.lower()}", "price_minor": 4900, "currency": "EUR"}
    return made | {"quantity": quantity} | more


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        await made.ctl("catalog", items=[item("BAG", 5), item("RED", 4, parent=True)])
        yield made


async def catalog(rig: Rig) -> dict[str, Product]:
    return {one.listing.sku: one async for one in WooCatalog(rig.session).products()}


async def buy(rig: Rig, sku: str = "BAG", quantity: int = 1, **more: Any) -> str:
    body = {"sku": sku, "quantity": quantity, "email": "ann@example.com", "name": "Ann Example", **more}
    return str((await rig.ctl("order", **body))["order_id"])


async def told(rig: Rig, order_id: str) -> Order:
    found = await WooOrders(rig.session).order(order_id)
    assert found is not None
    return found


def sample(name: str = "order.json", **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((SAMPLES / name).read_bytes())
    return body | changes


# --- catalogue and stock --------------------------------------------------------------------------


async def test_products_and_variations_are_told_with_their_own_stock(rig: Rig) -> None:
    await rig.ctl("catalog", items=[item("FREE", 0, manage=False)])
    found = await catalog(rig)
    assert {sku: one.quantity for sku, one in found.items()} == {"BAG": 5, "RED": 4, "FREE": None}
    assert found["BAG"].listing.product_id == found["BAG"].listing.variant_id
    assert found["RED"].listing.product_id != found["RED"].listing.variant_id
    assert found["BAG"].price == Money(amount=4900, currency="EUR")
    parents = product_of(sample("product_variation.json") | {"name": "Bag"}, None, "EUR")
    assert (parents.quantity, parents.listing.inventory_item_id) == (None, None)


async def test_stock_is_written_compared_and_read_back(rig: Rig) -> None:
    listings = {sku: one.listing for sku, one in (await catalog(rig)).items()}
    shelf = WooStock(rig.session)
    for sku, quantity in (("BAG", 0), ("RED", 3)):
        await shelf.set_stock(Stock(listing=listings[sku], quantity=quantity, version=1), key=sku)
    assert {one.listing.sku: one.quantity for one in await shelf.levels([*listings.values()])} == {
        "BAG": 0,
        "RED": 3,
    }
    await rig.ctl("count", sku="RED", quantity=2)
    with pytest.raises(Refused) as raised:
        await shelf.set_stock(Stock(listing=listings["RED"], quantity=9, version=2, expected=3), key="k")
    assert raised.value.code == STALE
    # What is there already is an answer that was lost, and no reason to write or to wonder.
    await shelf.set_stock(Stock(listing=listings["RED"], quantity=2, version=2, expected=3), key="k")
    assert (await rig.state())["stock"] == {"BAG": 0, "RED": 2}


async def test_what_woocommerce_does_not_count_or_never_runs_out_of_is_said(rig: Rig) -> None:
    await rig.ctl("catalog", items=[item("FREE", 0, manage=False), item("MORE", 1, backorders="yes")])
    found = await catalog(rig)
    for sku, words in (("FREE", "Track stock quantity"), ("MORE", "Allow backorders")):
        with pytest.raises(Refused, match=words):
            await WooStock(rig.session).set_stock(
                Stock(listing=found[sku].listing, quantity=0, version=1), key=sku
            )


# --- orders ---------------------------------------------------------------------------------------


def test_the_documented_order_is_read_to_the_cent() -> None:
    order = order_of(sample(), sample("refunds.json")["list"], SITE)
    assert order is not None
    assert (order.id, order.number, order.state, order.total.amount) == ("8123", "#8123", "paid", 10390)
    [line] = order.lines
    assert (line.quantity, line.unit_price.amount, line.restocked) == (2, 4900, 0)
    assert (order.shipping, order.tax) == (
        Money(amount=590, currency="EUR"),
        Money(amount=1659, currency="EUR"),
    )
    assert order.refunded == Money(amount=5400, currency="EUR")
    # The line's notes say that nothing was put back.
    assert [(one.amount.amount, [part.restocked for part in one.lines]) for one in order.refunds] == [
        (4900, [False]),
        (500, []),
    ]
    assert order.placed_at == datetime(2026, 11, 24, 19, 1, 7, tzinfo=UTC)
    assert (order.show_hint, order.buyer.external_id, order.buyer.email) == ("drop7", None, "ann@example.com")


@pytest.mark.parametrize(
    ("status", "paid", "state"),
    [
        ("pending", None, "pending"),
        ("on-hold", None, "pending"),
        ("completed", None, "paid"),
        ("failed", None, "failed"),
        ("trash", None, "cancelled"),
        ("refunded", None, "refunded"),
        ("ready-to-ship", "2026-11-24T19:01:08", "paid"),
        ("wishful", None, "pending"),
    ],
)
def test_statuses_are_woocommerces_in_our_words(status: str, paid: str | None, state: str) -> None:
    order = order_of(sample(status=status, date_paid_gmt=paid), [], SITE)
    assert order is not None
    assert order.state == state


def test_a_cart_is_no_order() -> None:
    assert order_of(sample(status="checkout-draft"), [], SITE) is None


@given(st.integers(-(10**9), 10**9), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_amounts_are_read_as_text_and_as_numbers(minor: int, currency: str) -> None:
    amount = Money(amount=minor, currency=currency)
    assert money(amount.decimal(), currency) == amount
    assert money(float(amount.decimal()), currency) == amount


@given(st.one_of(st.none(), st.booleans(), st.sampled_from(["nan", "inf", "a lot", "1e99", [], {}])))
def test_what_is_no_amount_is_no_amount(value: Any) -> None:
    with pytest.raises(ValueError, match="amount"):
        money(value, "EUR")


@given(st.integers(0, 10**7), st.integers(1, 99))
def test_a_pieces_share_is_off_by_half_a_cent_at_most(total: int, quantity: int) -> None:
    share = each(Money(amount=total, currency="EUR"), quantity).amount
    assert abs(2 * (share * quantity - total)) <= quantity


async def test_refunds_edits_and_what_went_back_are_read(rig: Rig) -> None:
    order_id = await buy(rig, "BAG", 3, shipping=590)
    await rig.ctl("change", order_id=order_id, refund={"amount": "49.00", "pieces": [[0, 1]]})
    await rig.ctl(
        "change", order_id=order_id, refund={"amount": "49.00", "pieces": [[0, 1]], "restock": False}
    )
    await rig.ctl("change", order_id=order_id, refund={"amount": "5.90"})
    await rig.ctl("change", order_id=order_id, edit={"add": {"sku": "RED", "quantity": 2}})
    order = await told(rig, order_id)
    assert [(line.sku, line.quantity, line.restocked) for line in order.lines] == [
        ("BAG", 3, 1),
        ("RED", 2, 0),
    ]
    assert (order.total.amount, order.refunded) == (25090, Money(amount=10390, currency="EUR"))
    # One of two went back, and the tally does not say which refund that was.
    assert [one.restocked for refund in order.refunds for one in refund.lines] == [None, None]


async def test_all_orders_are_read_although_a_second_holds_many_and_one_is_odd(rig: Rig) -> None:
    await rig.ctl("catalog", items=[item("MANY", 500)])
    bought = [await buy(rig, "MANY") for _ in range(130)]
    await rig.ctl("fault", kind="odd_order", order_id=bought[7])
    source, seen = WooOrders(rig.session), set[str]()

    async def read() -> None:
        async for order in source.orders(LONG_AGO):
            seen.add(order.id)

    with pytest.raises(Unreadable) as raised:
        await read()
    assert raised.value.orders == (bought[7],)
    assert seen == set(bought) - {bought[7]}
    later = datetime.now(UTC) + timedelta(hours=1)
    assert [order async for order in source.orders(later)] == []
    assert await source.order("1") is None
    with pytest.raises(Refused):
        await source.order("../users/1")


async def test_a_paid_order_that_found_nothing_is_paid_back_once_and_not_restocked(rig: Rig) -> None:
    order_id, sink = await buy(rig, quantity=2), WooCancellations(rig.session)
    await rig.ctl("fault", kind="lose", method="POST")
    with pytest.raises(RetryLater) as raised:
        await sink.cancel(order_id, key="cancel:1")
    assert raised.value.unknown
    await sink.cancel(order_id, key="cancel:1")
    [order] = (await rig.state())["orders"]
    assert (order["status"], order["returned"]) == ("refunded", 9800)
    assert (await rig.state())["stock"]["BAG"] == 3
    waiting = await buy(rig, status="on-hold")
    await sink.cancel(waiting, key="cancel:2")
    assert (await told(rig, waiting)).state == "cancelled"
    other = await buy(rig)
    await rig.ctl("fault", kind="no_refunds")
    with pytest.raises((Refused, RetryLater)):
        await sink.cancel(other, key="cancel:3")
    assert (await told(rig, other)).state == "paid"


# --- hosting --------------------------------------------------------------------------------------


async def test_a_page_instead_of_an_answer_is_retry_later_and_a_write_is_unknown(rig: Rig) -> None:
    stock = Stock(listing=(await catalog(rig))["BAG"].listing, quantity=1, version=1)
    await rig.ctl("fault", kind="page")
    with pytest.raises(RetryLater) as raised:
        await WooOrders(rig.session).order("1")
    assert not raised.value.unknown
    await rig.ctl("fault", kind="firewall")
    with pytest.raises(RetryLater):
        await WooStock(rig.session).set_stock(stock, key="k")
    await rig.ctl("fault", kind="page")
    with pytest.raises(RetryLater) as raised:
        await Api(rig.session).send("PUT", "orders/1", {"status": "cancelled"})
    assert raised.value.unknown


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (301, b"", Refused),
        (401, b"{}", Reconnect),
        (403, b'{"code": "woocommerce_rest_cannot_view"}', Reconnect),
        (403, b"<html>", RetryLater),
        (404, b"<html>", Refused),
        (404, b'{"code": "rest_no_route"}', Refused),
        (400, b'{"code": "woocommerce_rest_invalid", "message": "no"}', Refused),
    ],
)
def test_each_kind_of_no_has_its_error(status: int, body: bytes, kind: type[Exception]) -> None:
    assert isinstance(classify(status, {}, body), kind)


@pytest.mark.parametrize(
    "site", ["http://shop.example.com", "https://a@b.example.com", "shop", "https://x/?q=1"]
)
def test_the_key_can_only_go_to_a_plain_https_address(site: str) -> None:
    secret = SecretStr("x")
    with pytest.raises(ValidationError):
        Config(site=site, consumer_key=secret, consumer_secret=secret, webhook_secret=secret)


# --- webhooks -------------------------------------------------------------------------------------


def hooks() -> WooWebhooks:
    secret = SecretStr("woo_secret")
    return WooWebhooks(Config(site=SITE, consumer_key=secret, consumer_secret=secret, webhook_secret=secret))


def delivery(body: bytes, **headers: str) -> Webhook:
    named = {f"x-wc-webhook-{name.replace('_', '-')}": value for name, value in headers.items()}
    return Webhook(headers=named, body=body, received_at=datetime.now(UTC))


def signed(body: bytes) -> str:
    return base64.b64encode(hmac.new(b"woo_secret", body, hashlib.sha256).digest()).decode()


def test_a_delivery_is_known_by_what_it_says_and_not_by_its_second() -> None:
    one = hooks().verify(delivery(b'{"id":1}', signature=VECTOR, topic="order.updated", delivery_id="same"))
    other = b'{"id":2}'
    two = hooks().verify(delivery(other, signature=signed(other), topic="order.updated", delivery_id="same"))
    assert one != two
    assert one.startswith("order.updated:")


def test_a_greeting_is_answered_and_nothing_else_that_is_not_signed() -> None:
    assert hooks().verify(delivery(b"webhook_id=7")) == ""
    for body in (b"webhook_id=7&x=1", b"webhook_id=", b'{"id": 7}'):
        with pytest.raises(Refused):
            hooks().verify(delivery(body))
    with pytest.raises(Refused):
        hooks().verify(delivery(b"webhook_id=7", signature="x"))


def test_deliveries_are_told_apart_by_shape() -> None:
    def parse(said: dict[str, Any]) -> Any:
        return hooks().parse(json.dumps(said).encode())

    [order] = parse(sample())
    assert isinstance(order, Order)
    refunded = sample(refunds=[{"id": 8124, "reason": "", "total": "-10.00"}])
    assert parse(refunded) == (OrderHint(order_id="8123"),)
    assert parse({"id": 8123}) == (OrderHint(order_id="8123"),)
    assert parse(sample(status="checkout-draft")) == ()
    level = {"id": 77, "manage_stock": True, "stock_quantity": "4", "sku": "X"}
    assert parse(level) == (LevelNews(variant_id="77", quantity=4),)
    for broken in (sample(total="ann@example.com"), sample(line_items=None), {"id": "ann@example.com"}):
        with pytest.raises(Refused) as raised:
            parse(broken)
        assert "ann@" not in raised.value.reason


async def test_webhooks_that_were_switched_off_are_switched_on_again(rig: Rig) -> None:
    inbox = Inbox(WooWebhooks(rig.session.config))
    async with serving(inbox.app) as address:
        url = f"{address}hook"
        assert list(await WooSubscriptions(rig.session).ensure(url)) == list(TOPICS)
        assert list(await WooSubscriptions(rig.session).ensure(url)) == []
        await rig.ctl("fault", kind="disable_webhooks")
        assert list(await WooSubscriptions(rig.session).ensure(url)) == list(TOPICS)
        order_id = await buy(rig)
        got = await inbox.until(3)
    assert {fact.id for _, fact in got if isinstance(fact, Order)} == {order_id}
    assert [fact.quantity for _, fact in got if isinstance(fact, LevelNews)] == [4]
