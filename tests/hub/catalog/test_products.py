"""Products as a merchandiser edits them, and what viewers then see."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hub.bus import Event
from tests.hub.catalog.conftest import Desk
from tests.hub.market import SKU

EVERYTHING: dict[str, Any] = {
    "title": "Bag",
    "description": "Hand-made.",
    "tax_class": "reduced",
    "live_only": True,
    "own_site_only": True,
    "return_policy": "30 days, unused.",
    "media": [
        {"kind": "image", "url": "https://img.example.com/a.jpg", "alt": "A red bag"},
        {"kind": "video", "url": "https://img.example.com/a.mp4", "alt": "How it opens"},
    ],
}


async def test_everything_a_person_may_edit_is_kept_and_shown_and_the_cost_to_staff_alone(desk: Desk) -> None:
    product = await desk.read({"id": desk.market.shop.product_id})
    [variant] = product["variants"]
    own = {
        "id": variant["id"],
        "title": "Red",
        "options": {"Colour": "Red"},
        "price_minor": 5900,
        "cost_minor": 123454321,
        "prices": [{"currency": "USD", "price_minor": 6400}],
    }
    changed = await desk.change(product, **EVERYTHING, variants=[own])
    assert changed == await desk.read(product)
    assert changed["version"] == product["version"] + 1
    assert {name: changed[name] for name in EVERYTHING} == EVERYTHING
    assert {name: changed["variants"][0][name] for name in own} == own
    assert changed["image_url"] == "https://img.example.com/a.jpg"
    [shown] = await desk.public()
    assert shown["return_policy"] == "30 days, unused."
    assert shown["media"] == EVERYTHING["media"]
    assert (shown["live_only"], shown["own_site_only"]) == (True, True)
    assert shown["variants"][0]["options"] == {"Colour": "Red"}
    assert "cost" not in json.dumps(shown)
    assert "123454321" not in json.dumps(shown)
    # Saying the same again is no edit.
    again = await desk.change(changed, **EVERYTHING, variants=[own])
    assert again["version"] == changed["version"]


async def test_of_two_edits_of_the_same_sight_one_wins_and_the_other_is_told(desk: Desk) -> None:
    product = await desk.add()
    path, seen = f"/api/v1/products/{product['id']}", product["version"]
    answers = await asyncio.gather(
        *(desk.owner.http.patch(path, json={"version": seen, "title": f"Cap {n}"}) for n in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "stale"}
    assert (await desk.read(product))["version"] == seen + 1


async def test_what_is_archived_is_off_the_page_and_comes_back(desk: Desk) -> None:
    bag = f"/products/{desk.market.shop.product_id}"
    assert (await desk.call("POST", f"{bag}/archive"))["state"] == "archived"
    await desk.call("POST", f"{bag}/archive")
    assert await desk.public() == []
    assert await desk.call("GET", "/products") == []
    assert len(await desk.call("GET", "/products?state=archived")) == 1
    assert (await desk.call("POST", f"{bag}/restore", {"state": "draft"}))["state"] == "draft"
    assert await desk.public() == []
    assert (await desk.change(await desk.call("GET", bag), state="active"))["state"] == "active"
    [shown] = await desk.public()
    # One variant of two; the last one is the product's to archive.
    second = {"sku": "BAG-BLUE", "price_minor": 4900, "currency": "EUR"}
    both = await desk.change(await desk.call("GET", bag), variants=[second])
    red, blue = (f"/variants/{one['id']}" for one in both["variants"])
    await desk.call("POST", f"{blue}/archive")
    assert [one["sku"] for one in (await desk.public())[0]["variants"]] == [SKU]
    assert (await desk.call("POST", f"{red}/archive", ok=409))["code"] == "last_variant"
    await desk.call("POST", f"{blue}/restore")
    assert [one["sku"] for one in (await desk.public())[0]["variants"]] == [SKU, "BAG-BLUE"]
    assert shown["id"] == str(desk.market.shop.product_id)


async def test_open_pages_hear_of_an_edit_all_that_a_page_loaded_now_would_show(desk: Desk) -> None:
    market, heard = desk.market, asyncio.Queue[Event]()
    stop = await market.hub.bus.subscribe(f"show.{market.shop.show_id}.viewer.product.changed", heard.put)
    bag = await desk.read({"id": str(market.shop.product_id)})
    [variant] = bag["variants"]
    prices = [{"currency": "USD", "price_minor": 5900}]
    await desk.change(
        bag, title="Big bag", variants=[{"id": variant["id"], "price_minor": 5200, "prices": prices}]
    )
    news = await asyncio.wait_for(heard.get(), 20)
    [shown] = await desk.public()
    assert news.data["product"] | {"highlighted": False} == shown
    assert (shown["title"], shown["variants"][0]["price_minor"]) == ("Big bag", 5200)
    # Our own page, its offers and its checkout know the base currency alone; the others are for shops.
    assert {one["currency"] for one in shown["variants"]} == {"EUR"}
    await desk.call("POST", f"/products/{bag['id']}/archive")
    gone = await asyncio.wait_for(heard.get(), 20)
    assert (gone.data["product"], gone.latest) == (None, bag["id"])
    await stop()


async def test_products_are_found_by_title_variant_and_sku(desk: Desk) -> None:
    await desk.add(title="Straw hat 100%_real", sku="HAT-1")
    for words, found in (("straw", 1), ("HAT", 1), ("hat bag", 0), ("100%_r", 1), ("%", 1), ("a", 2)):
        answer = await desk.owner.http.get("/api/v1/products", params={"q": words})
        assert len(answer.json()) == found, words
    [first] = await desk.call("GET", "/products?limit=1")
    [second] = await desk.call("GET", f"/products?after={first['id']}")
    assert (first["title"], second["variants"][0]["sku"]) == ("Bag", "HAT-1")


async def test_a_bundle_is_there_as_often_as_its_parts(desk: Desk) -> None:
    cap = await desk.add(on_hand=7)
    parts = [
        {"variant_id": str(desk.market.shop.variant_id), "quantity": 2},
        {"variant_id": cap["variants"][0]["id"], "quantity": 3},
    ]
    bundle = {"sku": "SET", "price_minor": 9900, "currency": "EUR", "components": parts}
    made = await desk.call("POST", "/products", {"title": "Set", "variants": [bundle]}, ok=201)
    [variant] = made["variants"]
    assert sorted(variant["components"], key=str) == sorted(parts, key=str)
    assert variant["stock"]["available"] == 2
    await desk.market.shop.hold(quantity=3)
    await desk.market.shop.hold(quantity=3)
    cap_stock = {"on_hand": 6, "version": cap["variants"][0]["stock"]["version"], "reason": "Counted"}
    await desk.call("PATCH", f"/variants/{cap['variants'][0]['id']}/stock", cap_stock)
    assert (await desk.read(made))["variants"][0]["stock"]["available"] == 2
    version = (await desk.read(made))["variants"][0]["stock"]["version"]
    assert version > variant["stock"]["version"]
    stock = {"on_hand": 5, "version": 0, "reason": "Counted"}
    assert (await desk.call("PATCH", f"/variants/{variant['id']}/stock", stock, ok=409))["code"] == "bundle"
    # No bundles in bundles, no stock of its own, no part that goes off sale.
    nested = {"id": cap["variants"][0]["id"], "components": [{"variant_id": variant["id"], "quantity": 1}]}
    assert (await desk.change(cap, ok=409, variants=[nested]))["code"] == "bundle_in_bundle"
    deeper = {"sku": "TWO", "price_minor": 1, "currency": "EUR"}
    deeper |= {"components": [{"variant_id": variant["id"], "quantity": 2}]}
    refused = await desk.call("POST", "/products", {"title": "Two", "variants": [deeper]}, ok=409)
    assert refused["code"] == "bundle_in_bundle"
    assert (await desk.call("POST", f"/products/{cap['id']}/archive", ok=409))["code"] == "in_bundle"
    with_stock = await desk.add(sku="BOX", on_hand=1)
    box = {"id": with_stock["variants"][0]["id"], "components": parts}
    assert (await desk.change(with_stock, ok=409, variants=[box]))["code"] == "bundle_has_stock"
    # Taken apart, it is a plain variant, and its parts are free.
    plain = await desk.change(await desk.read(made), variants=[{"id": variant["id"], "components": []}])
    assert plain["variants"][0]["stock"]["available"] == 0
    await desk.call("POST", f"/products/{cap['id']}/archive")


WRONG: list[dict[str, Any]] = [
    {"media": [{"url": "javascript:alert(1)"}]},
    {"media": [{"url": "//evil.example.com/a.png"}]},
    {"media": [{"url": "data:text/html,hello"}]},
    {"tax_class": "two words"},
    {"state": "gone"},
    {"variants": [{"price_minor": -1}]},
    {"variants": [{"prices": [{"currency": "USD", "price_minor": 1}] * 2}]},
]


async def test_what_no_page_may_load_or_till_may_ask_is_refused(desk: Desk) -> None:
    product = await desk.read({"id": desk.market.shop.product_id})
    for wrong in WRONG:
        assert (await desk.change(product, ok=422, **wrong))["code"]
    assert await desk.read(product) == product
