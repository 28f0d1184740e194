"""Catalogues of shops and feeds, read again and again; listings, their buffers, and what is none of ours."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.catalog.listings import Offered, offered
from tests.hub.catalog.conftest import Desk
from tests.hub.market import Trade

CAP = {"sku": "CAP", "title": "Cap", "price_minor": 1900, "currency": "EUR", "quantity": 8}
BAG = {"sku": "BAG-RED", "title": "Red bag", "price_minor": 5000, "currency": "EUR", "quantity": 3}


async def desk_with(trade: Trade, *names: str) -> Desk:
    market = await trade(*names)
    return Desk(market, await market.owner())


@pytest.fixture
async def desk(trade: Trade) -> Desk:
    """A brand with a shop and a feed."""
    return await desk_with(trade, "shopify", "product_feed")


async def listed(desk: Desk, name: str, *items: dict[str, Any]) -> None:
    await desk.market.fakes[name].control("catalog", {"items": list(items)})


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("shopify", "picture, price, title"),
        ("woocommerce", "picture, price, title"),
        # Its product search names no pictures.
        ("tiktok_shop", "price, title"),
    ],
)
async def test_a_shop_is_followed_but_not_where_the_brand_edited(trade: Trade, name: str, told: str) -> None:
    desk = await desk_with(trade, name)
    await listed(desk, name, CAP, BAG)
    first = await desk.sync(name)
    assert (first["state"], first["total"], first["done"]) == ("done", 2, 2)
    assert first["counts"] == {"added": 1, "kept": 1}
    outcomes = {one["sku"]: one["text"] for one in first["report"]}
    # Our bag was here before the shop was read: what differs is said, and left alone.
    assert outcomes["BAG-RED"] == f"Red bag: differs here and is left alone: {told}"
    bag = await desk.read({"id": desk.market.shop.product_id})
    assert (bag["title"], bag["variants"][0]["price_minor"]) == ("Bag", 4900)
    [cap] = [one for one in await desk.call("GET", "/products") if one["title"] == "Cap"]
    assert (cap["variants"][0]["price_minor"], cap["variants"][0]["stock"]["on_hand"]) == (1900, 8)
    # Nothing changed there: nothing changes here.
    assert (await desk.sync(name))["counts"] == {"same": 1, "kept": 1}
    # The brand renames it, the shop changes name and price: the name is ours now, the price follows.
    await desk.change(cap, title="Sun cap")
    await listed(desk, name, CAP | {"title": "Hat", "price_minor": 2100, "quantity": 99}, BAG)
    assert (await desk.sync(name))["counts"] == {"changed": 1, "kept": 1}
    cap = await desk.read(cap)
    assert (cap["title"], cap["variants"][0]["price_minor"]) == ("Sun cap", 2100)
    assert cap["variants"][0]["stock"]["on_hand"] == 8
    # Asked to overwrite, it does.
    assert (await desk.sync(name, overwrite=True))["counts"] == {"changed": 2}
    assert (await desk.read(cap))["title"] == "Hat"
    assert (await desk.read(bag))["variants"][0]["price_minor"] == 5000
    assert (await desk.sync(name))["counts"] == {"same": 2}


async def test_variations_of_a_shop_are_one_product_and_one_that_was_thrown_away_there_is_gone(
    trade: Trade,
) -> None:
    desk = await desk_with(trade, "woocommerce")
    red = {"sku": "TEE-R", "title": "Red", "price_minor": 1500, "currency": "EUR", "quantity": 3}
    blue = red | {"sku": "TEE-B", "title": "Blue", "parent": "TEE-R"}
    await listed(desk, "woocommerce", red | {"parent": True})
    assert (await desk.sync("woocommerce"))["counts"] == {"added": 1}
    await listed(desk, "woocommerce", blue)
    assert (await desk.sync("woocommerce"))["counts"] == {"same": 1, "added": 1}
    [tee] = [one for one in await desk.call("GET", "/products") if one["title"] == "In colours"]
    assert [(one["title"], one["stock"]["on_hand"]) for one in tee["variants"]] == [("Red", 3), ("Blue", 3)]
    # What is no longer listed is said to be gone and not told any more; our product stays.
    await listed(desk, "woocommerce", {"sku": "TEE-B", "trashed": True})
    assert (await desk.sync("woocommerce"))["counts"] == {"same": 1, "gone": 1}
    found = {one["sku"]: one["state"] for one in (await desk.call("GET", "/listings"))["listings"]}
    assert found == {"TEE-R": "on", "TEE-B": "gone"}
    assert len((await desk.read(tee))["variants"]) == 2
    # Taken out of the bin again, it goes on.
    await listed(desk, "woocommerce", blue | {"price_minor": 1700})
    assert (await desk.sync("woocommerce"))["counts"] == {"same": 1, "changed": 1}
    found = {one["sku"]: one["state"] for one in (await desk.call("GET", "/listings"))["listings"]}
    assert found == {"TEE-R": "on", "TEE-B": "on"}
    prices = {one["sku"]: one["price_minor"] for one in (await desk.read(tee))["variants"]}
    assert prices == {"TEE-R": 1500, "TEE-B": 1700}


async def test_variants_of_a_feed_are_one_product_and_prices_in_other_currencies_stand_beside(
    desk: Desk,
) -> None:
    red = {"sku": "TEE-R", "title": "Tee", "price_minor": 1500, "quantity": 3, "group": "TEE", "color": "Red"}
    blue = red | {"sku": "TEE-B", "color": "Blue"}
    await listed(desk, "product_feed", red)
    await desk.sync("product_feed")
    await listed(desk, "product_feed", red, blue, BAG | {"currency": "USD", "price_minor": 5600})
    assert (await desk.sync("product_feed"))["counts"] == {"same": 1, "added": 1, "kept": 1}
    [tee] = [one for one in await desk.call("GET", "/products") if one["title"] == "Tee"]
    assert [one["title"] for one in tee["variants"]] == ["Red", "Blue"]
    assert [one["url"] for one in tee["media"]] == ["https://img.example.com/TEE-R.jpg"]
    await desk.sync("product_feed", overwrite=True)
    [bag] = [one for one in await desk.call("GET", "/products") if one["title"] == "Red bag"]
    assert (bag["variants"][0]["price_minor"], bag["variants"][0]["currency"]) == (4900, "EUR")
    assert bag["variants"][0]["prices"] == [{"currency": "USD", "price_minor": 5600}]
    # A feed takes no stock: its listings are where things come from, and cannot be paused.
    found = (await desk.call("GET", "/listings"))["listings"]
    assert {one["state"] for one in found} == {"source"}
    path = f"/listings/{found[0]['id']}"
    assert (await desk.call("PATCH", path, {"paused": True}, ok=409))["code"] == "not_offered"
    # What is no longer listed is said to be gone, and our product stays; it may come back.
    await listed(desk, "product_feed", red)
    assert (await desk.sync("product_feed"))["counts"] == {"same": 1, "gone": 2}
    states = {one["sku"]: one["state"] for one in (await desk.call("GET", "/listings"))["listings"]}
    assert states == {"TEE-R": "source", "TEE-B": "gone", "BAG-RED": "gone"}
    await listed(desk, "product_feed", red, blue)
    assert (await desk.sync("product_feed"))["counts"] == {"same": 2}


async def test_what_is_none_of_ours_is_shown_and_matched_by_hand_for_good(desk: Desk) -> None:
    await listed(desk, "shopify", CAP, BAG)
    assert (await desk.sync("shopify", add=False))["counts"] == {"unmatched": 1, "kept": 1}
    found = await desk.call("GET", "/listings")
    [stray] = found["unmatched"]
    assert (stray["their_sku"], stray["price_minor"]) == ("CAP", 1900)
    match = f"/unmatched-listings/{stray['id']}/match"
    await desk.call("POST", match, {"variant_id": str(uuid4())}, ok=404)
    made = await desk.call("POST", match, {"variant_id": str(desk.market.shop.variant_id)})
    assert (made["sku"], made["their_sku"], made["state"]) == ("BAG-RED", "CAP", "on")
    await desk.call("POST", match, {"variant_id": str(desk.market.shop.variant_id)}, ok=404)
    # Read again, it stays matched, though the SKUs differ; even when that SKU comes to exist here.
    await desk.add(sku="CAP")
    await desk.sync("shopify", add=False)
    found = await desk.call("GET", "/listings")
    assert {one["their_sku"]: one["sku"] for one in found["listings"]} == {
        "CAP": "BAG-RED",
        "BAG-RED": "BAG-RED",
    }
    # Taken apart, it waits among the unmatched again, can be put away and shown again.
    await desk.call("DELETE", f"/listings/{made['id']}", ok=204)
    [stray] = (await desk.call("GET", "/listings"))["unmatched"]
    await desk.call("POST", f"/unmatched-listings/{stray['id']}/ignore", ok=204)
    assert (await desk.call("GET", "/listings"))["unmatched"] == []
    await desk.call("POST", f"/unmatched-listings/{stray['id']}/restore", ok=204)


async def test_a_listing_offers_what_is_left_less_its_buffer_and_nothing_of_what_is_off_sale(
    desk: Desk,
) -> None:
    await listed(desk, "shopify", BAG)
    await desk.sync("shopify")
    [listing] = (await desk.call("GET", "/listings"))["listings"]
    path, bag = f"/listings/{listing['id']}", {"id": desk.market.shop.product_id}
    assert listing["offered"] == 50
    await desk.market.shop.hold(quantity=4)
    assert (await desk.call("PATCH", path, {"buffer": 6}))["offered"] == 40
    assert (await desk.call("PATCH", path, {"buffer": 60}))["offered"] == 0
    assert (await desk.call("PATCH", path, {"buffer": 0, "paused": True}))["offered"] == 0
    assert (await desk.call("PATCH", path, {"paused": False}))["offered"] == 46
    for wish, units in (
        ({"own_site_only": True}, 0),
        ({"own_site_only": False, "live_only": True}, 46),
        ({"live_only": False, "state": "draft"}, 0),
        ({"state": "active"}, 46),
    ):
        await desk.change(await desk.read(bag), **wish)
        [now] = (await desk.call("GET", "/listings"))["listings"]
        assert now["offered"] == units, wish
    await desk.market.sql("UPDATE show SET state = 'ended'")
    await desk.change(await desk.read(bag), live_only=True)
    async with desk.market.hub.db.session() as session:
        now = await offered(session, UUID(listing["id"]))
        assert now == Offered(0, (await desk.market.shop.row()).version)
        assert await offered(session, uuid4()) is None
    [row] = await desk.market.sql("SELECT pushed_version FROM listing")
    assert row["pushed_version"] == -1


async def test_a_shop_that_is_away_is_tried_again_and_one_that_refuses_says_why(desk: Desk) -> None:
    feed, path = (
        desk.market.fakes["product_feed"],
        f"/connections/{desk.market.connections['product_feed']}/sync",
    )
    assert await desk.call("GET", path) is None
    await listed(desk, "product_feed", CAP)
    await feed.control("fault", {"kind": "cut"})
    waiting = await desk.sync("product_feed")
    assert (waiting["state"], waiting["error"]) == (
        "running",
        "The platform could not be reached (RemoteProtocolError). Trying again by itself.",
    )
    # Pressing again starts no second one.
    assert (await desk.call("POST", path, ok=202))["id"] == waiting["id"]
    await desk.market.later()
    assert (await desk.call("GET", path))["counts"] == {"added": 1}
    await feed.control("fault", {"kind": "page"})
    failed = await desk.sync("product_feed")
    assert (failed["state"], failed["error"][:35]) == ("failed", "This address leads to a web page. E")
    assert len((await desk.call("GET", "/listings"))["listings"]) == 1
