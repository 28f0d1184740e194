"""Who is given something, that nobody else gets it, and what it costs and brings."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.hub.market import Buyer, Market, Trade
from tests.hub.orders.test_checkout import letters
from tests.hub.site import Client

PUBLIC = "/api/v1/public"
API = "/api/v1"


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("stripe", units=20)


async def sign_in(buyer: Buyer, email: str) -> Any:
    """By the code that was sent; the page takes the token that comes back."""
    await buyer.http.call("POST", f"{PUBLIC}/sign-in/codes", {"email": email}, ok=204)
    [*_, text] = await letters(buyer.market, "is your code")
    code = next(word for word in text.split() if word.isdecimal() and len(word) == 6)
    me = await buyer.http.call("POST", f"{PUBLIC}/sign-in", {"email": email, "code": code})
    buyer.http.http.headers["Authorization"] = f"Bearer {me['viewer_token']}"
    return me


async def launched(owner: Client, market: Market, **fields: Any) -> Any:
    draft = {
        "show_id": str(market.shop.show_id),
        "kind": "flash",
        "title": "For friends",
        "minutes": 10,
        "items": [{"variant_id": str(market.shop.variant_id)}],
        **fields,
    }
    offer = await owner.call("POST", f"{API}/offers", draft, ok=201)
    return await owner.call("POST", f"{API}/offers/{offer['id']}/live")


async def bought(buyer: Buyer, email: str) -> int:
    """What one bag cost them."""
    hold = await buyer.hold()
    await buyer.order(hold, email=email)
    await buyer.market.arrived("stripe")
    return int(hold["unit_minor"])


async def test_a_price_for_members_is_theirs_alone_from_the_moment_they_join(market: Market) -> None:
    owner, ana, stranger = await market.owner(), await market.viewer(), await market.viewer()
    friends = await owner.call("POST", f"{API}/segments", {"name": "Friends", "rule": "members"}, ok=201)
    offer = await launched(owner, market, percent_off=50, segment_id=friends["id"])
    assert await bought(stranger, "bo@example.com") == 4_900
    body = {
        "show": market.shop.slug,
        "variant_id": str(market.shop.variant_id),
        "key": uuid4().hex,
        "offer_id": offer["id"],
    }
    assert (await stranger.http.call("POST", f"{PUBLIC}/holds", body, ok=409))["code"] == "members_only"

    me = await sign_in(ana, "ana@example.com")
    assert (me["shopper"]["segments"], (await ana.hold())["unit_minor"]) == ([], 4_900)
    joined = await ana.http.call("PUT", f"{PUBLIC}/me/membership")
    assert joined["shopper"]["segments"] == [friends["id"]]
    ana.http.http.headers["Authorization"] = f"Bearer {joined['viewer_token']}"
    assert await bought(ana, "ana@example.com") == 2_450
    page = await ana.http.call("GET", f"{PUBLIC}/shows/{market.shop.slug}")
    assert page["shopper"]["segments"] == [friends["id"]]
    assert page["offers"][0]["open_to_you"] is True

    report = await owner.call("GET", f"{API}/benefits?show_id={market.shop.show_id}")
    [given] = report["given"]
    assert given["segment"] == "Friends"
    assert (given["units"], given["buyers"], given["given_minor"], given["joined"]) == (1, 1, 2_450, 1)
    members = {(one["what"], one["yes"]): one for one in report["groups"]}
    assert members["members", True]["net_per_buyer_minor"] == 2_450
    assert members["members", False]["net_per_buyer_minor"] == 4_900
    assert (await owner.call("DELETE", f"{API}/segments/{friends['id']}", ok=409))["code"] == "in_use"


async def test_faithful_buyers_and_those_who_came_over_are_found_by_counting(market: Market) -> None:
    owner, ana, bo = await market.owner(), await market.viewer(), await market.viewer()
    touch = {"show": market.shop.slug, "landing": "https://x.test/watch?utm_source=tiktok&utm_medium=social"}
    await ana.http.call("POST", f"{PUBLIC}/touches", touch, ok=204)
    await bought(ana, "ana@example.com")
    await bought(ana, "ana@example.com")
    await bought(bo, "bo@example.com")
    faithful = {"name": "Faithful", "rule": "buyers", "orders": 2}
    found = await owner.call("POST", f"{API}/segments", faithful, ok=201)
    assert found["people"] == 1
    assert (await owner.call("POST", f"{API}/segments", faithful, ok=409))["code"] == "name_taken"
    over = await owner.call("POST", f"{API}/segments", {"name": "Came over", "rule": "migrated"}, ok=201)
    assert over["people"] == 1
    await market.hub.segments.sweep()
    [flag] = await market.sql("SELECT channel, customer_id FROM migrated_person")
    [row] = await market.sql(
        "SELECT customer_id FROM orders WHERE viewer_id = :v LIMIT 1", v=ana.page["viewer_id"]
    )
    assert (flag["channel"], flag["customer_id"]) == ("Organic Social", row["customer_id"])
    # A refund takes a faithful buyer's second order away; the next count sees it.
    await market.sql("UPDATE orders SET state = 'refunded' WHERE customer_id = :c", c=row["customer_id"])
    counted = await owner.call("POST", f"{API}/segments/{found['id']}/count")
    assert counted["people"] == 0


async def test_a_group_says_what_is_missing_and_is_the_brands_own(market: Market) -> None:
    owner, other = await market.owner(), await market.owner("Other")
    no = await owner.call("POST", f"{API}/segments", {"name": "Half", "rule": "buyers"}, ok=422)
    assert no["code"] == "orders_missing"
    gone = {"name": "Gone", "rule": "cohort", "cohort_id": str(uuid4())}
    assert (await owner.call("POST", f"{API}/segments", gone, ok=404))["code"] == "cohort_unknown"
    mine = await owner.call("POST", f"{API}/segments", {"name": "Mine", "rule": "members"}, ok=201)
    theft = {"kind": "flash", "title": "x", "percent_off": 10, "segment_id": mine["id"], "items": []}
    assert (await other.call("POST", f"{API}/offers", theft, ok=404))["code"] == "segment_unknown"
    await owner.call("DELETE", f"{API}/segments/{mine['id']}", ok=204)
    members = {"name": "All", "definition": {"where": {"kind": "member"}}}
    cohort = await owner.call("POST", f"{API}/analytics/cohorts", members, ok=201)
    made_of_it = {"name": "Old", "rule": "cohort", "cohort_id": cohort["id"]}
    old = await owner.call("POST", f"{API}/segments", made_of_it, ok=201)
    of_it = f"{API}/analytics/cohorts/{cohort['id']}"
    assert (await owner.call("DELETE", of_it, ok=409))["code"] == "in_use"
    # A definition of another version stops nobody else from being counted.
    await owner.call("POST", f"{API}/segments", {"name": "Zoë", "rule": "members"}, ok=201)
    await market.sql("UPDATE cohort SET definition = '{}'")
    market.clock.tick(60)
    await market.hub.segments.sweep()
    counted = {one["name"]: one["counted_at"] for one in await owner.call("GET", f"{API}/segments")}
    assert counted["Old"] == old["counted_at"] < counted["Zoë"]
    await market.sql("DELETE FROM segment")
    assert await owner.call("GET", f"{API}/segments") == []
