"""The fence between brands, and around the staff, over every route there is."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.hub.auth.belongings import planned
from tests.hub.auth.fence import BODIES, OPEN, routes
from tests.hub.market import Market, Trade
from tests.hub.site import Client


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("youtube", "shopify", units=5)


async def test_nobody_reads_or_changes_anothers_rows_by_any_route(market: Market) -> None:
    """Walks every staff route that has an id in its path with ids of another brand."""
    owner, stranger = await market.owner(), await market.owner("Other")
    ids = await planned(market, owner)
    connection = {"connection_id": ids["connection_id"]}
    walked = 0
    before = await dump(market)
    for method, path in routes():
        names = re.findall(r"{(\w+)}", path)
        if not names or path.startswith(("/api/v1/public", "/webhooks", "/l/", "/watch", "/studio")):
            continue
        filled = path.format(**ids)
        body = BODIES.get(path, connection if path.endswith("/targets") else {})
        answer = await stranger.http.request(method, filled, json=body)
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text}"
        walked += 1
    assert walked >= 15
    assert await dump(market) == before


async def dump(market: Market) -> list[Any]:
    tables = (
        "show",
        "show_target",
        "asset",
        "connection",
        "linking",
        "revocation",
        "stock",
        "message",
        "moderation_action",
        "chat_mute",
        "chat_relay",
        "webhook_event",
        "payment",
        "show_product",
        "show_cue",
        "playback_key",
        "product",
        "variant",
        "listing",
        "unmatched_listing",
        "intake",
        "orders",
        "order_event",
        "order_delivery",
        "return_request",
        "invoice",
        "terms_said",
        "segment",
        "conversion",
        "tracked_link",
        "link_post",
        "shop_host",
        "customer",
        "member",
        "rights_request",
        "retention_rule",
    )
    return [
        await market.sql(f"SELECT row_to_json(t)::text FROM {table} t ORDER BY 1")  # noqa: S608
        for table in tables
    ]


async def test_anothers_ids_in_a_body_are_not_found_either(market: Market) -> None:
    owner, stranger = await market.owner(), await market.owner("Other")
    ids = await planned(market, owner)
    mine = await stranger.call("POST", "/api/v1/shows", {"title": "Mine"}, ok=201)
    show = f"/api/v1/shows/{mine['id']}"
    product = str(market.shop.product_id)
    await stranger.call("POST", f"{show}/targets", {"connection_id": ids["connection_id"]}, ok=404)
    await stranger.call("POST", f"{show}/highlight", {"product_id": product}, ok=404)
    await stranger.call("PATCH", f"{show}/targets/{ids['target_id']}", {"wanted": False}, ok=404)
    reply = {"text": "hello", "to": [ids["target_id"]]}
    await stranger.call("POST", f"{show}/messages", reply, ok=422)
    for plan in ({"product_ids": [product]}, {"target_connection_ids": [ids["connection_id"]]}):
        await stranger.call("POST", "/api/v1/shows", {"title": "Thief"} | plan, ok=404)
    ticket = f"/api/v1/auth/gateway-ticket?show_id={ids['show_id']}"
    await stranger.call("GET", ticket, ok=404)
    for wish in ("app_of", "reconnect"):
        theft = {"connector": "youtube", wish: ids["connection_id"]}
        await stranger.call("POST", "/api/v1/connections/consent", theft, ok=404)


async def test_every_route_but_the_listed_ones_asks_who_you_are(market: Market) -> None:
    nobody = Client(market.origin)
    for method, path in routes():
        if (method, path) in OPEN:
            continue
        filled = re.sub(r"{\w+}", str(uuid4()), path)
        answer = await nobody.http.request(method, filled, json={})
        assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"


async def test_every_write_of_staff_needs_our_header(market: Market) -> None:
    owner = await market.owner()
    del owner.http.headers["X-Requested-With"]
    for method, path in routes():
        if method == "GET" or path.startswith(("/webhooks", "/api/v1/public")):
            continue
        filled = re.sub(r"{\w+}", str(uuid4()), path)
        sign_in = {"email": "a@b.cd", "password": "x", "token": "x"}
        body = sign_in if path.endswith(("/session", "/invites")) else {}
        answer = await owner.http.request(method, filled, json=body)
        assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
        assert answer.json()["code"] == "header_missing"


async def test_an_unlinked_account_is_gone(market: Market) -> None:
    owner = await market.owner()
    connection = str(market.connections["youtube"])
    path = f"/api/v1/connections/{connection}"
    await owner.call("DELETE", path, ok=204)
    await owner.call("DELETE", path, ok=404)
    await owner.call("PATCH", path, {"name": "Back"}, ok=404)
    show = f"/api/v1/shows/{market.shop.show_id}/targets"
    await owner.call("POST", show, {"connection_id": connection}, ok=404)
    [row] = await market.sql("SELECT config_sealed, tokens_sealed FROM connection WHERE state = 'off'")
    assert (bytes(row["config_sealed"]), row["tokens_sealed"]) == (b"", None)


async def test_text_that_cannot_be_kept_is_refused_in_words(market: Market) -> None:
    owner = await market.owner()
    nul = {"title": "a\0b", "variants": [{"sku": "x", "price_minor": 1, "currency": "EUR"}]}
    assert (await owner.call("POST", "/api/v1/products", nul, ok=422))["code"] == "bad_text"
    buyer = await market.viewer()
    await buyer.hold(key="\0" * 10, ok=422)
    said = {"show": market.shop.slug, "text": "a\0b"}
    await buyer.http.call("POST", "/api/v1/public/messages", said, ok=422)


async def test_a_platforms_no_reaches_the_person_who_asked(market: Market) -> None:
    owner = await market.owner()
    path = f"/api/v1/connections/{market.connections['shopify']}/listings"
    fake = market.fakes["shopify"]
    await fake.control("fault", {"kind": "status", "status": 503})
    away = await owner.http.post(path)
    assert (away.status_code, away.json()["code"]) == (503, "platform_away")
    assert int(away.headers["retry-after"]) > 0
    await fake.control("fault", {"kind": "revoke"})
    assert (await owner.call("POST", path, ok=409))["code"] == "reconnect"
