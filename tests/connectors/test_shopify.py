"""What is special about Shopify: two spellings of an order, a 200 that means no, stock that is ours."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.errors import STALE, Reconnect, Refused, RetryLater
from connectors.shopify import CONNECTOR
from connectors.shopify.api import ANY_SHOP, Config, Graph, classify
from connectors.shopify.catalog import ShopifyCatalog
from connectors.shopify.fake import Fake
from connectors.shopify.order_source import ShopifyCancellations, ShopifyOrders
from connectors.shopify.stock import ShopifyStock
from connectors.shopify.subscriptions import TOPICS, ShopifySubscriptions
from connectors.shopify.webhooks import ShopifyWebhooks
from connectors.types import Money, Order, OrderHint, Product, Stock
from tests.connectors.conftest import Clock, Rig, reaching, serving
from tests.connectors.inbox import Inbox
from tests.connectors.shopify import LONG_AGO, SAMPLES, SHOP, buy, item, open_shop

UTM = {"utm_source": "instagram", "utm_medium": "social", "utm_campaign": "drop7"}


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with open_shop() as made:
        yield made


async def catalog(rig: Rig) -> dict[str, Product]:
    return {product.listing.sku: product async for product in ShopifyCatalog(rig.session).products()}


# --- catalogue and stock --------------------------------------------------------------------------


async def test_the_catalogue_tells_all_that_a_stock_write_needs(rig: Rig) -> None:
    bag = (await catalog(rig))["BAG"]
    assert (bag.title, bag.variant_title, bag.quantity) == ("The bag", "", 5)
    assert bag.price == Money(amount=4900, currency="EUR")
    assert bag.listing.variant_id.startswith("gid://shopify/ProductVariant/")
    assert bag.listing.location_id == "gid://shopify/Location/70000000001"
    assert (bag.listing.inventory_item_id or "").startswith("gid://shopify/InventoryItem/")
    assert (bag.image_url or "").startswith("https://")


async def test_a_long_catalogue_is_read_to_its_end(rig: Rig) -> None:
    await rig.ctl("catalog", items=[item(f"SKU-{number}", 1) for number in range(120)])
    assert len(await catalog(rig)) == 122


async def test_stock_is_set_and_an_old_key_changes_nothing(rig: Rig) -> None:
    listing = (await catalog(rig))["BAG"].listing
    sink = ShopifyStock(rig.session)
    await sink.set_stock(Stock(listing=listing, quantity=3, version=1), key="stock:bag:1")
    await sink.set_stock(Stock(listing=listing, quantity=0, version=2), key="stock:bag:2")
    await sink.set_stock(Stock(listing=listing, quantity=3, version=1), key="stock:bag:1")
    assert (await rig.state())["stock"] == {"BAG": 0, "MUG": 2}
    answer = await rig.control.post("/_ctl/order", json={"sku": "BAG", "quantity": 1})
    assert (answer.status_code, answer.json()) == (409, {"sold_out": True})


async def test_a_lost_stock_answer_is_unknown_and_may_be_repeated(rig: Rig) -> None:
    stock = Stock(listing=(await catalog(rig))["BAG"].listing, quantity=1, version=7)
    await rig.ctl("fault", kind="lose")
    with pytest.raises(RetryLater) as raised:
        await ShopifyStock(rig.session).set_stock(stock, key="k")
    assert raised.value.unknown
    await ShopifyStock(rig.session).set_stock(stock, key="k")
    assert (await rig.state())["stock"]["BAG"] == 1


async def test_a_polite_no_is_refused_with_shopifys_code(rig: Rig) -> None:
    listing = (await catalog(rig))["BAG"].listing
    elsewhere = listing.model_copy(update={"location_id": "gid://shopify/Location/9"})
    with pytest.raises(Refused) as raised:
        await ShopifyStock(rig.session).set_stock(Stock(listing=elsewhere, quantity=1, version=1), key="k")
    assert raised.value.code == "ITEM_NOT_STOCKED_AT_LOCATION"
    untracked = listing.model_copy(update={"inventory_item_id": None})
    with pytest.raises(Refused):
        await ShopifyStock(rig.session).set_stock(Stock(listing=untracked, quantity=1, version=1), key="k2")


async def test_a_key_whose_attempt_failed_is_given_up_for_another(rig: Rig) -> None:
    stock = Stock(listing=(await catalog(rig))["BAG"].listing, quantity=4, version=1)
    await rig.ctl("fault", kind="user_error", code="IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED")
    await ShopifyStock(rig.session).set_stock(stock, key="k")
    assert (await rig.state())["stock"]["BAG"] == 4
    await rig.ctl("fault", kind="user_error", code="IDEMPOTENCY_CONCURRENT_REQUEST")
    with pytest.raises(RetryLater):
        await ShopifyStock(rig.session).set_stock(stock, key="k")


# --- orders ---------------------------------------------------------------------------------------


async def test_both_spellings_give_the_same_order(rig: Rig) -> None:
    inbox = Inbox(ShopifyWebhooks(rig.session.config))
    async with serving(inbox.app) as address:
        await rig.ctl("webhook_url", url=f"{address}hook")
        order_id = await buy(rig, quantity=2, utm=UTM, attributes={"note": "x"})
        told = await inbox.until(2)
    read = await ShopifyOrders(rig.session).order(order_id)
    assert [fact for _, fact in told] == [read, read]
    assert read is not None
    assert (read.id, read.state, read.total.amount) == (order_id, "paid", 9800)
    assert (read.buyer.email, read.buyer.name) == ("ann@example.com", "Ann Example")
    assert read.landing_url == f"https://{SHOP}/products/bag?" + "&".join(f"{k}={v}" for k, v in UTM.items())
    assert read.show_hint == "drop7"
    assert read.lines[0].listing is not None
    assert read.lines[0].listing.variant_id == (await catalog(rig))["BAG"].listing.variant_id
    assert (await rig.state())["stock"]["BAG"] == 3


async def test_orders_are_read_since_a_time_over_several_pages(rig: Rig) -> None:
    await rig.ctl("catalog", items=[item("MANY", 100)])
    bought = [await buy(rig, "MANY") for _ in range(23)]
    source = ShopifyOrders(rig.session)
    assert [order.id async for order in source.orders(LONG_AGO)] == bought
    assert [order.id async for order in source.orders(datetime.now(UTC) + timedelta(hours=1))] == []


async def test_an_order_with_many_lines_is_read_whole(rig: Rig) -> None:
    await rig.ctl("catalog", items=[item("MANY", 1000)])
    order_id = await buy(rig, more=[{"sku": "MANY", "quantity": 2} for _ in range(130)])
    read = await ShopifyOrders(rig.session).order(order_id)
    assert read is not None
    assert len(read.lines) == len({line.id for line in read.lines}) == 131
    assert read.total.amount == 4900 * 261


async def test_an_order_is_found_by_its_number_and_an_unknown_one_is_none(rig: Rig) -> None:
    order_id = await buy(rig)
    read = await ShopifyOrders(rig.session).order(order_id.rpartition("/")[2])
    assert read is not None
    assert read.id == order_id
    assert await ShopifyOrders(rig.session).order("gid://shopify/Order/1") is None


async def test_cancelling_gives_the_money_back_but_not_the_piece(rig: Rig) -> None:
    order_id = await buy(rig, quantity=2)
    sink = ShopifyCancellations(rig.session)
    await sink.cancel(order_id, key="cancel:1")
    await sink.cancel(order_id, key="cancel:1")
    [order] = (await rig.state())["orders"]
    assert (order["cancelled"], order["refunded"]) == (True, True)
    assert (await rig.state())["stock"]["BAG"] == 3
    read = await ShopifyOrders(rig.session).order(order_id)
    assert read is not None
    # As it was ordered: the hub must know what to give back.
    assert (read.state, read.lines[0].quantity, read.total.amount) == ("cancelled", 2, 9800)


async def test_cancelling_what_cannot_be_cancelled_is_refused(rig: Rig) -> None:
    with pytest.raises(Refused) as raised:
        await ShopifyCancellations(rig.session).cancel("gid://shopify/Order/1", key="c")
    assert raised.value.code == "NOT_FOUND"
    order_id = await buy(rig)
    await rig.ctl("fault", kind="user_error", code="INVALID", message="It has active returns")
    with pytest.raises(Refused, match="active returns"):
        await ShopifyCancellations(rig.session).cancel(order_id, key="c2")
    assert not (await rig.state())["orders"][0]["cancelled"]


async def test_refunds_and_edits_are_told_alike_in_both_spellings(rig: Rig) -> None:
    inbox = Inbox(ShopifyWebhooks(rig.session.config))
    order_id = await buy(rig, quantity=3, shipping=590)
    async with serving(inbox.app) as address:
        await rig.ctl("webhook_url", url=f"{address}hook")
        await rig.ctl("change", order_id=order_id, refund={"lines": [[0, 1, "return"]], "extra": 590})
        await rig.ctl("change", order_id=order_id, refund={"lines": [[0, 1, "no_restock"]]})
        await rig.ctl("change", order_id=order_id, edit={"add": {"sku": "MUG", "quantity": 2}})
        told = await inbox.until(6)
    read = await ShopifyOrders(rig.session).order(order_id)
    assert read is not None
    assert [fact for _, fact in told if isinstance(fact, Order)][-1] == read
    assert [(line.sku, line.quantity, line.restocked) for line in read.lines] == [
        ("BAG", 3, 1),
        ("MUG", 2, 0),
    ]
    assert (read.total.amount, read.refunded) == (17270, Money(amount=10390, currency="EUR"))
    assert [[part.restocked for part in one.lines] for one in read.refunds] == [[True], [False]]
    assert read.shipping == Money(amount=590, currency="EUR")


async def test_a_refund_in_the_buyers_currency_is_read_in_the_shops(rig: Rig) -> None:
    inbox = Inbox(ShopifyWebhooks(rig.session.config))
    order_id = await buy(rig, rate=["USD", 1.0873])
    async with serving(inbox.app) as address:
        await rig.ctl("webhook_url", url=f"{address}hook")
        await rig.ctl("change", order_id=order_id, refund={"extra": 1234})
        told = await inbox.until(2)
    # The webhook tells dollars only; what that was here has to be read.
    assert {fact for _, fact in told} == {OrderHint(order_id=order_id)}
    read = await ShopifyOrders(rig.session).order(order_id)
    assert read is not None
    assert (read.total, read.refunded) == (
        Money(amount=4900, currency="EUR"),
        Money(amount=1234, currency="EUR"),
    )
    assert read.paid == Money(amount=5328, currency="USD")


async def test_stock_is_compared_and_read_back(rig: Rig) -> None:
    listings = [product.listing for product in (await catalog(rig)).values()]
    shelf = ShopifyStock(rig.session)
    assert {one.listing.sku: one.quantity for one in await shelf.levels(listings)} == {"BAG": 5, "MUG": 2}
    await rig.ctl("count", sku="BAG", quantity=4)
    with pytest.raises(Refused) as raised:
        await shelf.set_stock(Stock(listing=listings[0], quantity=9, version=2, expected=5), key="k")
    assert raised.value.code == STALE
    await shelf.set_stock(Stock(listing=listings[0], quantity=9, version=2, expected=4), key="k2")
    assert (await rig.state())["stock"]["BAG"] == 9


async def test_subscriptions_that_are_gone_are_made_again(rig: Rig) -> None:
    subscriptions, url = ShopifySubscriptions(rig.session), "https://hub.example.com/webhooks/shopify/1"
    assert list(await subscriptions.ensure(url)) == list(TOPICS)
    assert list(await subscriptions.ensure(url)) == []
    await rig.ctl("fault", kind="unsubscribe")
    assert list(await subscriptions.ensure(url)) == list(TOPICS)


# --- errors ---------------------------------------------------------------------------------------


async def test_throttling_says_when_the_points_are_back(rig: Rig) -> None:
    await rig.ctl("fault", kind="throttle", seconds=4)
    with pytest.raises(RetryLater) as raised:
        await catalog(rig)
    assert raised.value.after == pytest.approx(4)
    assert not raised.value.unknown


def test_the_documented_throttling_is_understood() -> None:
    error = classify(200, {}, (SAMPLES / "graphql_throttled.json").read_bytes())
    assert isinstance(error, RetryLater)
    assert error.after == pytest.approx(2.41)


async def test_a_long_list_slows_down_before_it_is_throttled(clock: Clock) -> None:
    pages = iter([("1", 100.0), ("2", 2000.0), (None, 0.0)])

    async def graphql(_: Request) -> Response:
        cursor, available = next(pages)
        cost = {
            "requestedQueryCost": 500,
            "throttleStatus": {"currentlyAvailable": available, "restoreRate": 100},
        }
        page = {"nodes": [], "pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor}}
        body = {"data": {"orders": page}, "extensions": {"cost": cost}}
        return Response(json.dumps(body), media_type="application/json")

    poor = Starlette(routes=[Route("/admin/api/2026-10/graphql.json", graphql, methods=["POST"])])
    async with serving(poor) as address, reaching(CONNECTOR, Fake(seed=1)) as rig:
        there = type(rig.addresses)(base_url=address)
        session = CONNECTOR.session(rig.session.http, rig.session.config, there)
        orders = ShopifyOrders(session, Graph(session, clock.sleep))
        assert [order async for order in orders.orders(LONG_AGO)] == []
    assert clock.naps == [pytest.approx(4.0)]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"errors": [{"message": "no", "extensions": {"code": "ACCESS_DENIED"}}]}, Reconnect),
        (200, {"errors": [{"message": "no", "extensions": {"code": "SHOP_INACTIVE"}}]}, Refused),
        (200, {"errors": [{"message": "no", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, RetryLater),
        (200, {"errors": [{"message": "Parse error"}]}, Refused),
        (200, {"errors": "odd"}, Refused),
        (401, {"errors": "Invalid API key"}, Reconnect),
        (403, {}, Reconnect),
        (402, {}, Refused),
        (423, {}, Refused),
    ],
)
def test_each_kind_of_no_has_its_error(status: int, body: dict[str, Any], kind: type[Exception]) -> None:
    assert isinstance(classify(status, {}, json.dumps(body).encode()), kind)


def test_a_success_is_no_error() -> None:
    assert classify(200, {}, b'{"data": {"product": {"title": "the \\"errors\\" book"}}}') is None


async def test_a_maintenance_page_is_retry_later(rig: Rig) -> None:
    async def page(_: Request) -> Response:
        return Response("<html>We'll be back</html>")

    away = Starlette(routes=[Route("/{path:path}", page, methods=["POST"])])
    async with serving(away) as address:
        there = type(rig.addresses)(base_url=address)
        with pytest.raises(RetryLater):
            await ShopifyOrders(CONNECTOR.session(rig.session.http, rig.session.config, there)).order("1")


async def test_the_fake_refuses_fields_and_variables_that_are_not_there(rig: Rig) -> None:
    graph = Graph(rig.session)
    for query in (
        "query Q { shop { colour } }",
        "query Q { shop { currencyCode }",
        "query Q($id: ID!) { order(id: $id) { id } }",
        "mutation M { inventorySetQuantities(input: {}) { userErrors { code } } }",
    ):
        with pytest.raises(Refused):
            await graph.run(query)


# --- addresses and config -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shop", ["example.com", "a.myshopify.com.evil.com", "evil.com/a.myshopify.com", "A B.myshopify.com", ""]
)
def test_the_token_can_only_go_to_shopify(shop: str) -> None:
    with pytest.raises(ValidationError):
        Config(shop=shop, webhook_secret=SecretStr("s"), location_id=None)


async def test_each_shop_is_asked_at_its_own_host(rig: Rig) -> None:
    real = CONNECTOR.session(rig.session.http, rig.session.config, CONNECTOR.addresses)
    assert CONNECTOR.addresses.base_url == ANY_SHOP
    assert Graph(real)._url == f"https://{SHOP}/admin/api/2026-10/graphql.json"
