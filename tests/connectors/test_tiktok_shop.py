"""What is special about TikTok Shop: signatures, a code inside every answer, hints instead of orders."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.http import Http
from connectors.tiktok_shop import CONNECTOR
from connectors.tiktok_shop.api import Api, Config, agreed, classify
from connectors.tiktok_shop.catalog import TikTokShopCatalog, product_of
from connectors.tiktok_shop.fake import Fake
from connectors.tiktok_shop.fake_gate import Gate, No
from connectors.tiktok_shop.oauth import TikTokShopOAuth
from connectors.tiktok_shop.order_source import TikTokShopCancellations, TikTokShopOrders, names
from connectors.tiktok_shop.orders import order_of, relayed
from connectors.tiktok_shop.sign import signature
from connectors.tiktok_shop.stock import TikTokShopStock
from connectors.tiktok_shop.subscriptions import TOPICS, TikTokShopSubscriptions
from connectors.tiktok_shop.webhooks import TikTokShopWebhooks
from connectors.types import Listing, Money, Order, OrderHint, Product, Stock, Tokens, Webhook
from tests.connectors.conftest import Clock, Rig, reaching, serving

SAMPLES = Path(__file__).parents[2] / "connectors" / "tiktok_shop" / "samples"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

# Examples computed by an independent library, all under one invented app.
SECRET, KEY = "s3cr3t-0f-th3-invented-app", "6invented0key"
COMMON = {"app_key": KEY, "timestamp": "1790000000", "shop_cipher": "ROW_inventedCipherAAAA=="}


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        await made.ctl("catalog", items=[item("BAG", 5), item("MUG", 2, 990)])
        yield made


def item(sku: str, quantity: int, price: int = 4900, **more: Any) -> dict[str, Any]:
    title = f"The {sku.lower()}"
    return {"sku": sku, "title": title, "price_minor": price, "currency": "EUR", "quantity": quantity, **more}


async def buy(rig: Rig, sku: str = "BAG", quantity: int = 1, **more: Any) -> str:
    body = {"sku": sku, "quantity": quantity, "email": "ann@example.com", "name": "Ann Example", **more}
    return str((await rig.ctl("order", **body))["order_id"])


async def catalog(rig: Rig) -> dict[str, Product]:
    return {product.listing.sku: product async for product in TikTokShopCatalog(rig.session).products()}


async def read(rig: Rig, order_id: str) -> Order:
    found = await TikTokShopOrders(rig.session).order(order_id)
    assert found is not None
    return found


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


# --- after the sale -------------------------------------------------------------------------------


async def test_what_was_given_back_after_the_sale_is_told_with_the_order(rig: Rig) -> None:
    order_id = await buy(rig, quantity=3)
    await rig.ctl("move", order_id=order_id, status="DELIVERED")
    for said in (
        {"pieces": [0]},
        {"pieces": [1], "type": "REFUND", "minor": 1000},
        {"pieces": [2], "status": "RETURN_OR_REFUND_REQUEST_PENDING"},
    ):
        await rig.ctl("move", order_id=order_id, **{"return": said})
    order = await read(rig, order_id)
    assert [order] == [one async for one in TikTokShopOrders(rig.session).orders(LONG_AGO)]
    assert (order.state, order.total.amount, order.refunded) == (
        "paid",
        14700,
        Money(amount=5900, currency="EUR"),
    )
    # Sent back: TikTok does not say where it is. Money alone: the buyer has kept it.
    assert [[part.restocked for part in one.lines] for one in order.refunds] == [[None], [False]]
    await rig.ctl("move", order_id=order_id, **{"return": {"minor": 8800}})
    assert (await read(rig, order_id)).state == "refunded"


async def test_stock_is_read_back_from_our_warehouse(rig: Rig) -> None:
    await rig.ctl("catalog", items=[item("SPREAD", 3, elsewhere=4)])
    found = await catalog(rig)
    levels = await TikTokShopStock(rig.session).levels([one.listing for one in found.values()])
    assert {one.listing.sku: one.quantity for one in levels} == {"BAG": 5, "MUG": 2}


async def test_webhooks_whose_address_is_gone_get_it_again(rig: Rig) -> None:
    subscriptions, url = TikTokShopSubscriptions(rig.session), "https://hub.example.com/webhooks/x/1"
    assert list(await subscriptions.ensure(url)) == list(TOPICS)
    assert list(await subscriptions.ensure(url)) == []
    await rig.ctl("fault", kind="unsubscribe")
    assert list(await subscriptions.ensure(url)) == list(TOPICS)
    with pytest.raises(Refused):
        await subscriptions.ensure("https://hub.example.com/" + "x" * 255)


# --- signatures -----------------------------------------------------------------------------------


def test_tiktoks_own_example_is_signed_as_published() -> None:
    # https://partner.tiktokshop.com/docv2/page/sign-your-api-request
    made = signature(
        "e59af819cc", "/authorization/202309/shops", {"app_key": "29a39d", "timestamp": "1623812664"}
    )
    assert made == "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8"


def test_sign_and_token_are_not_signed_and_the_order_of_parameters_does_not_matter() -> None:
    body = b'{"update_time_ge":1789990000,"update_time_lt":1790000000,"order_status":"AWAITING_SHIPMENT"}'
    params = {"sort_order": "ASC", "sort_field": "update_time", "page_size": "50"}
    params |= COMMON | {"access_token": "must-be-ignored", "sign": "must-be-ignored"}
    expected = "5d8be5066b151034063b14f4b2330b87dd971f82ff5c52aa458bb6556cb193a2"
    assert signature(SECRET, "/order/202309/orders/search", params, body) == expected


def test_parameters_are_signed_as_they_are_meant_not_as_they_are_escaped() -> None:
    params = COMMON | {"ids": "577000000000000001,577000000000000002"}
    expected = "e62be25750c420caa24fcd9d88d174d0be52bf82111a4198ec9cf8809f4b33f3"
    assert signature(SECRET, "/order/202507/orders", params) == expected


def test_an_upload_is_signed_without_its_body() -> None:
    params = {"app_key": KEY, "timestamp": "1790000000"}
    expected = "96523cbe6f32cd08c114ae9a5d4e4e576cc33f76a016c14929b7d30b4ca9160f"
    assert signature(SECRET, "/product/202309/images/upload", params) == expected


def test_the_bytes_that_are_sent_are_signed() -> None:
    said = {
        "order_id": "577000000000000001",
        "cancel_reason": "out_of_stock",
        "note": "Größe M – ausverkauft",
    }
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    path = "/return_refund/202602/cancellations"
    expected = "14f82b303f9b2c9886e3c39249a7d39de72efd72ca2a0a38110698d56a4f2bb8"
    assert signature(SECRET, path, COMMON, body) == expected
    assert signature(SECRET, path, COMMON, json.dumps(said).encode()) != expected


QUERY = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=12), max_size=6)


def admitted(gate: Gate, path: str, params: dict[str, str], body: bytes, signed: bytes | None = None) -> Any:
    """What the doorman, which is written apart from the signer, says to a request of ours."""
    params = params | {"app_key": gate.app_key, "shop_cipher": gate.cipher}
    params["timestamp"] = str(int(datetime.now(UTC).timestamp()))
    sign = signature(gate.app_secret, path, params, body if signed is None else signed)
    return gate.admit(path, urlencode(params | {"sign": sign}), {"x-tts-access-token": gate.access}, body)


@given(QUERY, st.binary(max_size=60))
def test_every_request_of_ours_is_let_in(params: dict[str, str], body: bytes) -> None:
    gate = Gate(random.Random(1))
    got = admitted(gate, "/order/202309/orders/search", params, body)
    ours = {"app_key", "shop_cipher", "timestamp", "sign"}
    assert {name: got[name] for name in params if name not in ours} == {
        name: value for name, value in params.items() if name not in ours
    }


@given(QUERY, st.binary(max_size=60), st.binary(max_size=60))
def test_an_altered_body_is_not_let_in(params: dict[str, str], body: bytes, other: bytes) -> None:
    if body == other:
        return
    with pytest.raises(No) as raised:
        admitted(Gate(random.Random(1)), "/x", params, other, signed=body)
    assert raised.value.code == 106001


@pytest.mark.parametrize("skew", [timedelta(minutes=-6), timedelta(minutes=1)])
async def test_a_wrong_clock_is_retry_later_and_says_so(rig: Rig, skew: timedelta) -> None:
    api = Api(rig.session, now=lambda: datetime.now(UTC) + skew)
    with pytest.raises(RetryLater, match="clock"):
        await TikTokShopOrders(rig.session, api).order("577000000000001000")


async def test_no_secret_of_a_request_is_logged(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    await rig.ctl("fault", kind="expire_token")
    config = rig.session.config
    with caplog.at_level(logging.DEBUG, logger="httpx"):
        await catalog(rig)
    assert caplog.records
    text = caplog.text
    for secret in (config.app_secret.get_secret_value(), config.shop_cipher, "sign=", "refresh_token="):
        assert secret not in text


# --- login ----------------------------------------------------------------------------------------


async def test_an_expired_token_is_renewed_once_for_all_who_wait(rig: Rig) -> None:
    await rig.ctl("fault", kind="expire_token")
    found = await asyncio.gather(*(catalog(rig) for _ in range(8)))
    assert all(set(one) == {"BAG", "MUG"} for one in found)
    assert (await rig.state())["refreshed"] == 1
    [fresh] = rig.refreshes
    assert fresh.expires_at is not None
    assert timedelta(days=6) < fresh.expires_at - datetime.now(UTC) < timedelta(days=8)


async def test_each_refresh_uses_the_refresh_token_of_the_last(rig: Rig) -> None:
    for count in (1, 2, 3):
        await rig.ctl("fault", kind="expire_token")
        await catalog(rig)
        assert (await rig.state())["refreshed"] == count
    assert len({one.refresh.get_secret_value() for one in rig.refreshes if one.refresh}) == 3


async def test_a_token_host_that_is_down_kills_no_login(rig: Rig) -> None:
    await rig.ctl("fault", kind="expire_token")
    await rig.ctl("fault", kind="token_status", status=503)
    with pytest.raises(RetryLater):
        await catalog(rig)
    assert set(await catalog(rig)) == {"BAG", "MUG"}


async def test_tiktoks_token_host_is_asked_where_the_api_is_tiktoks(rig: Rig) -> None:
    _, tokens = rig.fake.connection()
    plain = Http("https://open-api.tiktokglobalshop.com/")
    # The token host's address is a field, so that it can be the fake's here.
    oauth = TikTokShopOAuth(token_host=rig.base_url.rstrip("/"))
    assert tokens is not None
    fresh = await oauth.refresh(plain, rig.session.config, tokens)
    await plain.close()
    assert fresh.access != tokens.access
    assert TikTokShopOAuth().token_host == "https://auth.tiktok-shops.com"


async def test_a_login_without_refresh_token_is_reconnect(rig: Rig) -> None:
    assert CONNECTOR.oauth is not None
    with pytest.raises(Reconnect):
        await CONNECTOR.oauth.refresh(rig.session.http, rig.session.config, Tokens(access=SecretStr("a")))


@pytest.mark.parametrize(
    ("field", "value"), [("app_secret", "wrong"), ("app_key", "wrong"), ("shop_cipher", "ROW_another")]
)
async def test_a_wrong_app_or_shop_is_reconnect(field: str, value: str) -> None:
    async with reaching(CONNECTOR, Fake(seed=3), config=lambda given: given | {field: value}) as rig:
        with pytest.raises(Reconnect):
            await catalog(rig)


# --- codes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (200, 105001, "invalid access token", Reconnect),
        (200, 105002, "expired", Reconnect),
        (401, 105002, "expired", Reconnect),
        (200, 36004004, "invalid", Reconnect),
        (200, 105005, "no scope", Reconnect),
        (200, 36009033, "no permission", Reconnect),
        (200, 106001, "invalid sign", Reconnect),
        (200, 101000, "cipher", Reconnect),
        (200, 106013, "cipher missing", Reconnect),
        (429, 36009002, "too many", RetryLater),
        (200, 36009002, "too many", RetryLater),
        (200, 36009003, "internal", RetryLater),
        (500, 36009007, "timeout", RetryLater),
        (401, 36009043, "shop is inactive", Refused),
        (404, 36009009, "Invalid path.", Refused),
        (200, "12052048", "not yours", Refused),
        (400, 36009004, "Invalid credentials. The `x-tts-access-token` header is invalid.", Reconnect),
        (400, 36009004, "Invalid credentials. Invalid `app_key` query parameter.", Reconnect),
        (400, 36009004, "Invalid timestamp. The value of the `timestamp` …", RetryLater),
        (400, 36009004, "Unexpected identifier. The `shop_cipher` query parameter …", Refused),
    ],
)
def test_each_code_has_its_error(status: int, code: Any, message: str, kind: type[Exception]) -> None:
    body = json.dumps({"code": code, "message": message, "request_id": "1", "data": None}).encode()
    error = classify(status, {"retry-after": "7"}, body)
    assert isinstance(error, kind)
    if str(code) == "36009002":
        assert isinstance(error, RetryLater)
        assert error.after == 7


def test_a_success_is_no_error_and_what_is_no_envelope_is_left_to_the_general_rule() -> None:
    for status, body in ((200, b'{"code":0,"message":"Success","data":{}}'), (502, b"<html>"), (200, b"[]")):
        assert classify(status, {}, body) is None
    assert classify(503, {}, b'{"code":123,"message":"?"}') is None


@pytest.mark.parametrize(
    "body", ["<html>We'll be back</html>", '{"maintenance": true}', '{"code": 0, "data": 1}']
)
async def test_a_maintenance_page_is_retry_later(rig: Rig, body: str) -> None:
    async def page(_: Request) -> Response:
        return Response(body)

    away = Starlette(routes=[Route("/{path:path}", page, methods=["GET", "POST"])])
    async with serving(away) as address:
        http = Http(address, classify=classify)
        session = CONNECTOR.session(http, rig.session.config, rig.addresses)
        with pytest.raises(RetryLater):
            await TikTokShopOrders(session).order("577000000000001000")
        await http.close()


def test_an_error_inside_a_success_is_refused_with_the_finest_code() -> None:
    with pytest.raises(Refused, match="warehouse does not exist") as raised:
        agreed(sample("inventory_partial_error")["data"])
    assert raised.value.code == "12052097"


# --- catalogue and stock --------------------------------------------------------------------------


async def test_the_catalogue_tells_all_that_a_stock_write_needs(rig: Rig) -> None:
    bag = (await catalog(rig))["BAG"]
    assert (bag.title, bag.variant_title, bag.quantity) == ("The bag", "", 5)
    assert bag.price == Money(amount=4900, currency="EUR")
    assert bag.listing.location_id == "7100000000000000001"
    assert bag.listing.product_id != bag.listing.variant_id


async def test_a_long_catalogue_is_read_to_its_end_without_haste(rig: Rig, clock: Clock) -> None:
    await rig.ctl("catalog", items=[item(f"SKU-{number}", 1) for number in range(220)])
    source = TikTokShopCatalog(rig.session, Api(rig.session, sleep=clock.sleep))
    found = [product.listing.sku async for product in source.products()]
    assert len(found) == len(set(found)) == 222
    assert clock.naps == [0.5, 0.5]


async def test_the_same_stock_set_twice_is_the_same_stock(rig: Rig) -> None:
    listing = (await catalog(rig))["BAG"].listing
    sink = TikTokShopStock(rig.session)
    for _ in range(2):
        await sink.set_stock(Stock(listing=listing, quantity=0, version=2), key="stock:bag:2")
        assert (await rig.state())["stock"] == {"BAG": 0, "MUG": 2}
    answer = await rig.control.post("/_ctl/order", json={"sku": "BAG", "quantity": 1})
    assert (answer.status_code, answer.json()) == (409, {"sold_out": True})


async def test_a_lost_stock_answer_is_unknown_and_may_be_repeated(rig: Rig) -> None:
    stock = Stock(listing=(await catalog(rig))["BAG"].listing, quantity=1, version=7)
    await rig.ctl("fault", kind="lose")
    with pytest.raises(RetryLater) as raised:
        await TikTokShopStock(rig.session).set_stock(stock, key="k")
    assert raised.value.unknown
    await TikTokShopStock(rig.session).set_stock(stock, key="k")
    assert (await rig.state())["stock"]["BAG"] == 1


async def test_more_than_tiktok_can_count_is_written_as_much_as_it_can(rig: Rig) -> None:
    listing = (await catalog(rig))["BAG"].listing
    await TikTokShopStock(rig.session).set_stock(Stock(listing=listing, quantity=200_000, version=1), key="k")
    assert (await rig.state())["stock"]["BAG"] == 99_999


async def test_an_unknown_warehouse_or_sku_is_refused_and_changes_nothing(rig: Rig) -> None:
    listing = (await catalog(rig))["BAG"].listing
    for change in ({"location_id": "7100000000000000009"}, {"variant_id": "1"}, {"product_id": "../x"}):
        wrong = listing.model_copy(update=change)
        with pytest.raises(Refused):
            await TikTokShopStock(rig.session).set_stock(Stock(listing=wrong, quantity=1, version=1), key="k")
    assert (await rig.state())["stock"]["BAG"] == 5


async def test_the_platform_refuses_a_quantity_below_nought(rig: Rig) -> None:
    listing = (await catalog(rig))["BAG"].listing
    sku = {"id": listing.variant_id, "inventory": [{"warehouse_id": listing.location_id, "quantity": -1}]}
    with pytest.raises(Refused, match="quantity"):
        await Api(rig.session).post(
            f"/product/202309/products/{listing.product_id}/inventory/update", {"skus": [sku]}
        )


async def test_a_second_warehouse_keeps_what_it_holds() -> None:
    def chosen(given: dict[str, Any]) -> dict[str, Any]:
        return given | {"warehouse_id": "7100000000000000001"}

    async with reaching(CONNECTOR, Fake(seed=3), config=chosen) as rig:
        await rig.ctl("catalog", items=[item("BAG", 5, elsewhere=3)])
        bag = (await catalog(rig))["BAG"]
        assert bag.quantity == 5
        await TikTokShopStock(rig.session).set_stock(
            Stock(listing=bag.listing, quantity=1, version=1), key="k"
        )
        assert (await rig.state())["levels"]["BAG"] == {"7100000000000000001": 1, "7100000000000000002": 3}


async def test_which_of_several_warehouses_is_not_guessed(rig: Rig) -> None:
    await rig.ctl("catalog", items=[item("BAG", 5, elsewhere=3)])
    bag = (await catalog(rig))["BAG"]
    assert (bag.listing.location_id, bag.quantity) == (None, None)
    with pytest.raises(Refused, match="warehouse"):
        await TikTokShopStock(rig.session).set_stock(
            Stock(listing=bag.listing, quantity=1, version=1), key="k"
        )


def test_a_product_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(Refused):
        product_of({"id": "1"}, {"id": "2", "seller_sku": "X", "price": None}, None)


# --- orders ---------------------------------------------------------------------------------------


async def test_an_order_is_read_with_a_line_for_each_piece(rig: Rig) -> None:
    order = await read(rig, await buy(rig, quantity=2, utm={"utm_source": "tiktok"}))
    assert (order.state, order.total) == ("paid", Money(amount=9800, currency="EUR"))
    assert [(line.sku, line.quantity) for line in order.lines] == [("BAG", 1), ("BAG", 1)]
    assert len({line.id for line in order.lines}) == 2
    bag = (await catalog(rig))["BAG"].listing
    assert order.lines[0].listing == bag.model_copy(update={"location_id": None})
    # TikTok tells no address the buyer came by, so we make none up.
    assert (order.landing_url, order.show_hint) == (None, None)


async def test_a_real_address_is_an_identity_and_a_forwarding_one_is_not(rig: Rig) -> None:
    own = (await read(rig, await buy(rig, email="Ana@example.com"))).buyer
    assert (own.email, own.proxy_email, own.name) == ("Ana@example.com", False, "Ann Example")
    relay = (await read(rig, await buy(rig, relay=True, name=""))).buyer
    assert relay.proxy_email
    assert (relay.email or "").endswith("@scs3.tiktok.com")
    assert (relay.name, relay.phone) == (None, None)


async def test_a_buyer_has_one_number_in_all_orders(rig: Rig) -> None:
    first, second = await read(rig, await buy(rig)), await read(rig, await buy(rig, "MUG"))
    other = await read(rig, await buy(rig, email="nan@example.com"))
    assert first.buyer.external_id == second.buyer.external_id != other.buyer.external_id


@pytest.mark.parametrize(
    ("email", "relay"),
    [
        ("v4bD3UWHA2IKJMNEHXP4HGWFL2524@scs.tiktokw.us", True),
        ("v4bE3USDHPXBRNN2JTJECRMJ43K3U@scs3.TikTok.com", True),
        ("ana@example.com", False),
        ("tiktok@example.com", False),
    ],
)
def test_forwarding_addresses_are_told_by_their_domain(email: str, relay: bool) -> None:
    assert relayed(email) is relay


async def test_orders_are_read_from_a_time_over_several_pages(rig: Rig, clock: Clock) -> None:
    await rig.ctl("catalog", items=[item("MANY", 500)])
    bought = [await buy(rig, "MANY") for _ in range(130)]
    source = TikTokShopOrders(rig.session, Api(rig.session, sleep=clock.sleep))
    assert [order.id async for order in source.orders(LONG_AGO)] == bought
    assert [order.id async for order in source.orders(datetime.now(UTC) + timedelta(hours=1))] == []
    # One pause, or two where a second ended while they were bought.
    assert clock.naps in ([0.5], [0.5, 0.5])


async def test_an_unknown_order_is_none_and_no_number_is_refused(rig: Rig) -> None:
    assert await TikTokShopOrders(rig.session).order("577999999999999999") is None
    for odd in ("", "1,2", "../../x", "١٢"):
        with pytest.raises(Refused):
            await TikTokShopOrders(rig.session).order(odd)


def documented(**changes: Any) -> Order:
    return order_of(sample("order_detail")["data"]["orders"][0] | changes)


def test_the_documented_order_is_understood() -> None:
    order = documented()
    assert (order.id, order.number, order.state) == ("577000000000000001", "577000000000000001", "paid")
    assert order.placed_at == datetime.fromtimestamp(1789989000, UTC)
    assert order.updated_at == datetime.fromtimestamp(1789989990, UTC)
    assert order.total == Money(amount=4269, currency="EUR")
    # The piece that was taken out of it is not told.
    assert [line.id for line in order.lines] == ["577000000000000011", "577000000000000012"]
    assert order.lines[0].listing == Listing(
        sku="MUG-RED", product_id="1729000000000000010", variant_id="1729000000000000011"
    )
    assert order.buyer.proxy_email
    assert (order.buyer.external_id, order.buyer.name) == ("7490000000000000001", None)


def test_a_dead_order_is_told_as_it_was_ordered() -> None:
    order = documented(status="CANCELLED")
    assert (order.state, len(order.lines), order.lines[2].sku) == ("cancelled", 3, None)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"status": "UNPAID", "paid_time": 0}, "pending"),
        ({"status": "ON_HOLD"}, "paid"),
        ({"status": "AWAITING_SHIPMENT", "paid_time": None}, "paid"),
        ({"status": "AWAITING_SHIPMENT", "paid_time": 0, "is_cod": True}, "pending"),
        ({"status": "COMPLETED", "is_cod": True}, "paid"),
        ({"status": "CANCELLED"}, "cancelled"),
        ({"status": "CANCEL"}, "cancelled"),
        ({"status": "SOMETHING_NEW"}, "paid"),
        ({"status": "SOMETHING_NEW", "paid_time": 0}, "pending"),
    ],
)
def test_states_are_tiktoks_in_our_words(changes: dict[str, Any], state: str) -> None:
    assert documented(**changes).state == state


def test_ids_may_be_numbers_and_an_unpaid_order_has_no_address() -> None:
    order = documented(id=577000000000000001, user_id=7490000000000000001, recipient_address=None)
    assert (order.id, order.buyer.external_id) == ("577000000000000001", "7490000000000000001")


@pytest.mark.parametrize(
    "change", [{"payment": None}, {"update_time": "soon"}, {"line_items": [{}]}, {"create_time": 10**30}]
)
def test_a_broken_order_is_refused_without_telling_about_the_buyer(change: dict[str, Any]) -> None:
    with pytest.raises(Refused) as raised:
        documented(**change, buyer_email="ann@example.com")
    assert "ann@" not in raised.value.reason


async def test_one_broken_order_hides_no_other(rig: Rig) -> None:
    good = sample("order_detail")["data"]["orders"][0]

    async def search(_: Request) -> Response:
        data = {"orders": [good | {"payment": {}}, good], "next_page_token": ""}
        return Response(json.dumps({"code": 0, "data": data}))

    odd = Starlette(routes=[Route("/order/202309/orders/search", search, methods=["POST"])])
    async with serving(odd) as address:
        http = Http(address, classify=classify)
        source = TikTokShopOrders(CONNECTOR.session(http, rig.session.config, rig.addresses))
        got: list[str] = []
        with pytest.raises(Refused):
            await drained(source.orders(LONG_AGO), got)
        await http.close()
    assert got == [good["id"]]


async def drained(orders: AsyncIterator[Order], into: list[str]) -> None:
    """Notes what came before the end, whatever the end is."""
    async for order in orders:
        into.append(order.id)  # noqa: PERF401 - a comprehension would lose what came before an error


# --- cancelling -----------------------------------------------------------------------------------


async def test_cancelling_as_sold_out_twice_cancels_once(rig: Rig) -> None:
    order_id = await buy(rig, quantity=2)
    sink = TikTokShopCancellations(rig.session)
    await sink.cancel(order_id, key="cancel:1")
    await sink.cancel(order_id, key="cancel:1")
    [order] = (await rig.state())["orders"]
    assert (order["status"], order["cancellations"]) == ("CANCELLED", 1)
    assert (await rig.state())["stock"]["BAG"] == 3
    cancelled = await read(rig, order_id)
    assert (cancelled.state, len(cancelled.lines)) == ("cancelled", 2)


@pytest.mark.parametrize("status", ["UNPAID", "ON_HOLD", "AWAITING_SHIPMENT"])
@pytest.mark.parametrize("country", ["DE", "GB"])
async def test_the_reason_is_the_one_this_order_allows(rig: Rig, status: str, country: str) -> None:
    await rig.ctl("fault", kind="country", country=country)
    order_id = await buy(rig, status=status)
    await TikTokShopCancellations(rig.session).cancel(order_id, key="c")
    assert (await read(rig, order_id)).state == "cancelled"


async def test_a_cancellation_that_takes_its_time_is_not_asked_for_again(rig: Rig) -> None:
    order_id = await buy(rig)
    await rig.ctl("fault", kind="slow_cancel")
    for _ in range(2):
        await TikTokShopCancellations(rig.session).cancel(order_id, key="c")
    [order] = (await rig.state())["orders"]
    assert (order["status"], order["cancellations"]) == ("AWAITING_SHIPMENT", 1)


async def test_a_lost_answer_to_a_cancellation_is_made_good_by_repeating(rig: Rig) -> None:
    order_id = await buy(rig)
    await rig.ctl("fault", kind="lose", at="/cancellations")
    with pytest.raises(RetryLater) as raised:
        await TikTokShopCancellations(rig.session).cancel(order_id, key="c")
    assert raised.value.unknown
    await TikTokShopCancellations(rig.session).cancel(order_id, key="c")
    assert (await rig.state())["orders"][0]["cancellations"] == 1


@pytest.mark.parametrize("status", ["AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "COMPLETED"])
async def test_an_order_on_its_way_is_not_cancelled(rig: Rig, status: str) -> None:
    order_id = await buy(rig)
    await rig.ctl("move", order_id=order_id, status=status)
    with pytest.raises(Refused, match="invalid order status") as raised:
        await TikTokShopCancellations(rig.session).cancel(order_id, key="c")
    assert raised.value.code == "25001001"
    assert (await read(rig, order_id)).state == "paid"


async def test_an_unknown_order_is_not_cancelled(rig: Rig) -> None:
    for unknown in ("577999999999999999", "x/y"):
        with pytest.raises(Refused):
            await TikTokShopCancellations(rig.session).cancel(unknown, key="c")


async def test_the_platform_refuses_a_reason_of_another_status(rig: Rig) -> None:
    order_id = await buy(rig)
    body = {"order_id": order_id, "cancel_reason": "seller_cancel_unpaid_reason_out_of_stock"}
    with pytest.raises(Refused) as raised:
        await Api(rig.session).post("/return_refund/202602/cancellations", body)
    assert raised.value.code == "25001021"


def test_reasons_are_read_as_documented_and_as_shown() -> None:
    part = sample("eligibility")["data"]["sku_eligibility"][0]["line_item_eligibility"][0]
    assert names(part) == {"seller_cancel_reason_out_of_stock_uk"}
    assert names({"available_reason_names": ["a", "b"]}) == {"a", "b"}
    assert names({}) == set()


# --- webhooks -------------------------------------------------------------------------------------

EXAMPLE = (
    b'{"type":1,"tts_notification_id":"7327000000000000001","shop_id":"7494000000000000001","timestamp":1790000000,'
    b'"data":{"order_id":"577000000000000001","order_status":"AWAITING_SHIPMENT","is_on_hold_order":false,'
    b'"update_time":1789999990}}'
)
EXAMPLE_SIGN = "a05a5ed1dc22e03db0e5779e5b20c9c1fffc6ea180a175ed9c67e1bdc9549ce7"


def hooks() -> TikTokShopWebhooks:
    return TikTokShopWebhooks(
        Config(app_key=KEY, app_secret=SecretStr(SECRET), shop_cipher="ROW_x", warehouse_id=None)
    )


def delivery(body: bytes = EXAMPLE, sign: str = EXAMPLE_SIGN) -> Webhook:
    return Webhook(headers={"authorization": sign}, body=body, received_at=datetime.now(UTC))


def test_a_signed_delivery_is_known_by_its_notification() -> None:
    assert hooks().verify(delivery()) == "7327000000000000001"
    assert hooks().parse(EXAMPLE) == (OrderHint(order_id="577000000000000001"),)


@pytest.mark.parametrize(
    "forged",
    [
        delivery(sign=""),
        delivery(sign="é"),
        delivery(sign=EXAMPLE_SIGN.upper()),
        delivery(sign=f"Bearer {EXAMPLE_SIGN}"),
        delivery(sign=EXAMPLE_SIGN[:-1] + "8"),
        delivery(EXAMPLE.replace(b"577000000000000001", b"577000000000000002")),
        delivery(json.dumps(json.loads(EXAMPLE)).encode()),
        # Signed without the app key, as a plain HMAC of the body would be.
        delivery(sign=hmac.new(SECRET.encode(), EXAMPLE, hashlib.sha256).hexdigest()),
        Webhook(headers={}, body=EXAMPLE, received_at=datetime.now(UTC)),
    ],
)
def test_a_forged_or_altered_delivery_is_refused(forged: Webhook) -> None:
    with pytest.raises(Refused):
        hooks().verify(forged)


@given(st.binary(max_size=60))
def test_only_the_bytes_that_were_signed_are_accepted(body: bytes) -> None:
    sign = hmac.new(SECRET.encode(), KEY.encode() + body, hashlib.sha256).hexdigest()
    assert hooks().verify(delivery(body, sign)) == f"sha256:{hashlib.sha256(body).hexdigest()}"
    with pytest.raises(Refused):
        hooks().verify(delivery(body + b" ", sign))


def test_a_replayed_delivery_has_the_id_it_had() -> None:
    late = delivery().model_copy(update={"received_at": datetime.now(UTC) + timedelta(hours=12)})
    assert hooks().verify(late) == hooks().verify(delivery())


def test_every_topic_that_names_orders_is_a_hint_for_each_of_them_once() -> None:
    two = ("577000000000000001", "577000000000001001")
    hinted = tuple(OrderHint(order_id=order_id) for order_id in two)
    assert hooks().parse((SAMPLES / "webhook_package_update.json").read_bytes()) == hinted
    assert hooks().parse((SAMPLES / "webhook_order_status.json").read_bytes()) == hinted[:1]
    # Some topics give numbers instead of texts.
    assert hooks().parse(b'{"type":71,"data":{"order_id":577000000000000001}}') == hinted[:1]


def test_other_topics_are_no_facts_and_a_broken_body_is_refused() -> None:
    for fine in (b'{"type":5,"data":{"product_id":1}}', b'{"type":99}', b'{"type":6,"data":null}'):
        assert hooks().parse(fine) == ()
    for broken in (b"{}", b'{"type":1,"data":[]}', b'{"type":4,"data":{"package_list":[1]}}'):
        with pytest.raises(Refused):
            hooks().parse(broken)


class Receiver:
    """The hub's inbox, reduced: verifies, keeps, and may be down for the first deliveries."""

    def __init__(self, webhooks: TikTokShopWebhooks, down: int = 0) -> None:
        self._webhooks = webhooks
        self._down = down
        self.got: list[tuple[str, Any]] = []
        self.updates: list[str] = []
        self.news = asyncio.Event()
        self.app = Starlette(routes=[Route("/hook", self._hook, methods=["POST"])])

    async def _hook(self, request: Request) -> Response:
        if self._down:
            self._down -= 1
            return Response(status_code=503)
        body = await request.body()
        hook = Webhook(headers=dict(request.headers), body=body, received_at=datetime.now(UTC))
        delivered = self._webhooks.verify(hook)
        self.got += [(delivered, fact) for fact in self._webhooks.parse(body)]
        self.updates.append(json.loads(body)["data"]["order_status"])
        self.news.set()
        return Response(status_code=202)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():
                self.news.clear()
                await self.news.wait()


async def test_webhooks_arrive_although_the_receiver_was_down(rig: Rig) -> None:
    receiver = Receiver(TikTokShopWebhooks(rig.session.config), down=2)
    async with serving(receiver.app) as address:
        await rig.ctl("webhook_url", url=f"{address}hook")
        order_id = await buy(rig)
        await receiver.until(lambda: len({delivered for delivered, _ in receiver.got}) == 2)
    assert {fact for _, fact in receiver.got} == {OrderHint(order_id=order_id)}


async def test_a_doubled_webhook_is_one_event_and_a_lost_one_is_found_by_reading(rig: Rig) -> None:
    receiver = Receiver(TikTokShopWebhooks(rig.session.config))
    async with serving(receiver.app) as address:
        await rig.ctl("webhook_url", url=f"{address}hook")
        await rig.ctl("fault", kind="lost_webhook", count=2)
        lost = await buy(rig)
        await rig.ctl("fault", kind="duplicate_webhook", count=2)
        kept = await buy(rig)
        await receiver.until(lambda: len(receiver.got) == 4)
    assert len({delivered for delivered, _ in receiver.got}) == 2
    assert {fact for _, fact in receiver.got} == {OrderHint(order_id=kept)}
    assert [order.id async for order in TikTokShopOrders(rig.session).orders(LONG_AGO)] == [lost, kept]


async def test_an_old_webhook_that_comes_last_tells_nothing_old(rig: Rig) -> None:
    receiver = Receiver(TikTokShopWebhooks(rig.session.config))
    async with serving(receiver.app) as address:
        await rig.ctl("webhook_url", url=f"{address}hook")
        order_id = await buy(rig)
        await receiver.until(lambda: {"UNPAID", "AWAITING_SHIPMENT"} <= set(receiver.updates))
        await rig.ctl("fault", kind="late_webhook")
        await rig.ctl("move", order_id=order_id, status="ON_HOLD")
        await TikTokShopCancellations(rig.session).cancel(order_id, key="c")
        await receiver.until(lambda: {"CANCEL", "ON_HOLD"} <= set(receiver.updates))
    assert {fact for _, fact in receiver.got} == {OrderHint(order_id=order_id)}
    assert (await read(rig, order_id)).state == "cancelled"
