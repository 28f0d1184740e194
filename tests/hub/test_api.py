"""The HTTP API on a real socket: what staff and viewers may do, and what nobody may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from hub.settings import Settings
from tests.hub.site import Client, serving, sign_in, watch

BAG = {
    "title": "Bag",
    "description": "Red",
    "variants": [{"sku": "BAG-RED", "title": "", "price_minor": 4900, "currency": "EUR", "on_hand": 50}],
}


@pytest.fixture
def settings(database_url: str, nats_url: str, tmp_path: Path) -> Settings:
    return Settings(
        data=tmp_path,
        database_url=database_url,
        nats_url=nats_url,
        secret_key=SecretStr("a test's own secret key"),
        media_token=SecretStr("a test's own media token"),
        _env_file=None,
    )


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[str]:
    async with serving(settings, {}) as origin:
        yield origin


async def planned_show(owner: Client) -> tuple[Any, Any]:
    product = await owner.call("POST", "/api/v1/products", BAG, ok=201)
    body = {"title": "Evening", "slug": "evening", "product_ids": [product["id"]]}
    return await owner.call("POST", "/api/v1/shows", body, ok=201), product


async def test_staff_pages_need_a_sign_in(site: str) -> None:
    stranger = Client(site)
    for path in ("/api/v1/shows", "/api/v1/products", "/api/v1/connections", "/api/v1/customers"):
        answer = await stranger.call("GET", path, ok=401)
        assert answer["code"] == "signed_out"


async def test_a_wrong_password_and_an_unknown_address_answer_alike(settings: Settings, site: str) -> None:
    await sign_in(settings, site)
    stranger = Client(site)
    answers = [
        await stranger.call("POST", "/api/v1/auth/session", {"email": email, "password": "wrong"}, ok=401)
        for email in ("linnea@example.com", "nobody@example.com")
    ]
    assert answers[0] == answers[1]


async def test_guessing_passwords_is_slowed_down(settings: Settings, site: str) -> None:
    await sign_in(settings, site)
    stranger = Client(site)
    body = {"email": "linnea@example.com", "password": "wrong"}
    for _ in range(10):
        await stranger.call("POST", "/api/v1/auth/session", body, ok=401)
    assert (await stranger.call("POST", "/api/v1/auth/session", body, ok=429))["code"] == "too_many_attempts"


async def test_a_write_without_our_header_is_refused(settings: Settings, site: str) -> None:
    owner = await sign_in(settings, site)
    del owner.http.headers["X-Requested-With"]
    assert (await owner.call("POST", "/api/v1/products", BAG, ok=403))["code"] == "header_missing"


async def test_a_signed_out_session_is_over(settings: Settings, site: str) -> None:
    owner = await sign_in(settings, site)
    token = owner.http.cookies["simulcast_session"]
    await owner.call("DELETE", "/api/v1/auth/session", ok=204)
    owner.http.cookies.set("simulcast_session", token)
    await owner.call("GET", "/api/v1/auth/session", ok=401)


async def test_one_brand_never_sees_anothers_rows(settings: Settings, site: str) -> None:
    first, second = await sign_in(settings, site), await sign_in(settings, site, "Other")
    show, product = await planned_show(first)
    assert await second.call("GET", "/api/v1/shows") == []
    assert await second.call("GET", "/api/v1/products") == []
    await second.call("GET", f"/api/v1/shows/{show['id']}", ok=404)
    await second.call("POST", f"/api/v1/shows/{show['id']}/start", ok=404)
    await second.call("GET", f"/api/v1/auth/gateway-ticket?show_id={show['id']}", ok=404)
    body = {"title": "Thief", "product_ids": [product["id"]]}
    await second.call("POST", "/api/v1/shows", body, ok=404)
    variant = product["variants"][0]["id"]
    change = {"on_hand": 1, "version": 1, "reason": "x"}
    await second.call("PATCH", f"/api/v1/variants/{variant}/stock", change, ok=404)


async def test_stock_is_changed_only_by_who_saw_its_newest_version(settings: Settings, site: str) -> None:
    owner = await sign_in(settings, site)
    product = await owner.call("POST", "/api/v1/products", BAG, ok=201)
    [variant] = product["variants"]
    assert variant["stock"] == {"on_hand": 50, "held": 0, "committed": 0, "available": 50, "version": 1}
    path = f"/api/v1/variants/{variant['id']}/stock"
    changed = await owner.call("PATCH", path, {"on_hand": 40, "version": 1, "reason": "counted"})
    assert (changed["on_hand"], changed["version"]) == (40, 2)
    stale = await owner.call("PATCH", path, {"on_hand": 30, "version": 1, "reason": "counted"}, ok=409)
    assert stale["code"] == "stale"


async def test_the_same_sku_twice_is_a_conflict(settings: Settings, site: str) -> None:
    owner = await sign_in(settings, site)
    await owner.call("POST", "/api/v1/products", BAG, ok=201)
    assert (await owner.call("POST", "/api/v1/products", BAG, ok=409))["code"] == "sku_taken"


async def test_bad_input_names_the_field(settings: Settings, site: str) -> None:
    owner = await sign_in(settings, site)
    answer = await owner.call("POST", "/api/v1/products", {"title": "", "variants": []}, ok=422)
    assert {field["field"] for field in answer["fields"]} == {"title", "variants"}


async def test_an_unknown_connector_is_named(settings: Settings, site: str) -> None:
    owner = await sign_in(settings, site)
    answer = await owner.call("POST", "/api/v1/connections", {"connector": "myspace", "name": "x"}, ok=422)
    assert "youtube" in answer["detail"]


async def test_secrets_never_come_back(settings: Settings, site: str) -> None:
    owner = await sign_in(settings, site)
    config = {"url": "rtmp://live.example.com/app", "key": "very-secret-key"}
    body = {"connector": "rtmp", "name": "Any", "config": config}
    await owner.call("POST", "/api/v1/connections", body, ok=201)
    listed = await owner.http.get("/api/v1/connections")
    assert "very-secret-key" not in listed.text
    refused = await owner.http.post("/api/v1/connections", json=body | {"config": {"key": "very-secret-key"}})
    assert refused.status_code == 422
    assert "very-secret-key" not in refused.text


async def test_a_viewer_holds_and_a_closed_sheet_gives_it_back(settings: Settings, site: str) -> None:
    owner = await sign_in(settings, site)
    show, _ = await planned_show(owner)
    viewer, page = await watch(site, "evening")
    variant = page["products"][0]["variants"][0]
    body = {"show": "evening", "variant_id": variant["id"], "key": uuid4().hex}
    hold = await viewer.call("POST", "/api/v1/public/holds", body, ok=201)
    assert hold["available"] == 49
    assert (await viewer.call("POST", "/api/v1/public/holds", body, ok=201))["hold_id"] == hold["hold_id"]
    await viewer.call("DELETE", f"/api/v1/public/holds/{hold['hold_id']}", ok=204)
    snapshot = await owner.call("GET", f"/api/v1/shows/{show['id']}")
    assert snapshot["products"][0]["variants"][0]["stock"]["available"] == 50


async def test_a_viewers_token_is_good_for_its_show_only(settings: Settings, site: str) -> None:
    owner = await sign_in(settings, site)
    await planned_show(owner)
    await owner.call("POST", "/api/v1/shows", {"title": "Other", "slug": "other"}, ok=201)
    viewer, _ = await watch(site, "other")
    said = {"show": "evening", "text": "hello"}
    assert (await viewer.call("POST", "/api/v1/public/messages", said, ok=403))["code"] == "other_show"
    stranger = Client(site, "forged.token.here")
    assert (await stranger.call("POST", "/api/v1/public/messages", said, ok=401))["code"] == "token_invalid"


async def test_viewers_chat_in_one_numbered_feed_and_not_too_fast(settings: Settings, site: str) -> None:
    owner = await sign_in(settings, site)
    show, _ = await planned_show(owner)
    for words in ("first", "second"):
        viewer, _ = await watch(site, "evening")
        await viewer.call("POST", "/api/v1/public/messages", {"show": "evening", "text": words}, ok=201)
    again = await viewer.call("POST", "/api/v1/public/messages", {"show": "evening", "text": "third"}, ok=429)
    assert again["code"] == "slow_down"
    feed = await owner.call("GET", f"/api/v1/shows/{show['id']}/messages")
    assert [message["text"] for message in feed] == ["first", "second"]
    assert feed[0]["seq"] < feed[1]["seq"]


async def test_a_tracked_link_leads_to_the_tagged_page_and_keeps_what_it_was_given(
    settings: Settings, site: str
) -> None:
    owner = await sign_in(settings, site)
    config = {"url": "rtmp://live.example.com/app", "key": "k"}
    body = {"connector": "rtmp", "name": "Any", "config": config}
    connection = await owner.call("POST", "/api/v1/connections", body, ok=201)
    plan = {"title": "Evening", "slug": "evening", "target_connection_ids": [connection["id"]]}
    show = await owner.call("POST", "/api/v1/shows", plan, ok=201)
    snapshot = await owner.call("GET", f"/api/v1/shows/{show['id']}")
    link = snapshot["targets"][0]["link_url"].rsplit("/", 1)[1]
    answer = await owner.http.get(f"/l/{link}?fbclid=abc%2B1")
    assert answer.status_code == 302
    place = answer.headers["location"]
    assert "/watch/evening?utm_source=rtmp&utm_medium=social&utm_campaign=evening" in place
    assert "&utm_content=description&" in place
    assert place.endswith("&fbclid=abc%2B1")


async def test_a_forged_webhook_is_refused_and_an_unknown_address_is_not_found(
    settings: Settings, site: str
) -> None:
    stranger = Client(site)
    await stranger.call("POST", f"/webhooks/shopify/{uuid4()}", {}, ok=404)


async def test_health_is_told(site: str) -> None:
    stranger = Client(site)
    assert await stranger.call("GET", "/healthz") == {"ok": True}
    assert await stranger.call("GET", "/readyz") == {"ok": True}
    assert (await stranger.http.get("/metrics")).status_code == 200
