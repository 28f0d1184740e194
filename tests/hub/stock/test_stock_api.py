"""Stock over HTTP: what staff see and change, the waitlist, and the manners of the fast lane."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hub.market import Market, Trade


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade(units=2)


async def test_staff_see_the_counters_and_why_they_are_so(market: Market) -> None:
    owner, variant = await market.owner(), str(market.shop.variant_id)
    hold = await market.shop.hold()
    [row] = (await owner.call("GET", "/api/v1/stock", None))["rows"]
    assert (row["on_hand"], row["held"], row["available"], row["state"]) == (2, 1, 1, "low")
    assert row["places"][0]["name"] == "Main"

    edit = {"on_hand": 9, "version": row["version"], "reason": "found a box", "low_at": 3}
    changed = await owner.call("PATCH", f"/api/v1/stock/{variant}", edit)
    assert (changed["on_hand"], changed["state"]) == (9, "in_stock")
    stale = await owner.call("PATCH", f"/api/v1/stock/{variant}", edit, ok=409)
    assert stale["code"] == "stale"

    first = await owner.call("GET", f"/api/v1/stock/{variant}/ledger?limit=2", None)
    rest = await owner.call("GET", f"/api/v1/stock/{variant}/ledger?before={quoted(first['before'])}", None)
    found = first["rows"] + rest["rows"]
    assert sorted(one["kind"] for one in found) == ["adjust", "hold", "receive"]
    assert [sum(one[name] for one in found) for name in ("on_hand", "held", "committed")] == [9, 1, 0]
    adjusted = next(one for one in found if one["kind"] == "adjust")
    assert (adjusted["reason"], bool(adjusted["author"])) == ("found a box", True)
    assert next(one for one in found if one["kind"] == "hold")["ref_id"] == str(hold.hold_id)

    annex = await owner.call("POST", "/api/v1/stock/places", {"name": "Annex"}, ok=201)
    assert [one["name"] for one in await owner.call("GET", "/api/v1/stock/places", None)] == ["Main", "Annex"]
    there = {"on_hand": 4, "version": changed["version"], "reason": "moved in", "place_id": annex["id"]}
    assert (await owner.call("PATCH", f"/api/v1/stock/{variant}", there))["on_hand"] == 13


def quoted(cursor: str) -> str:
    return cursor.replace("+", "%2B")


async def test_a_viewer_waits_and_sees_their_place(market: Market) -> None:
    ana = await market.viewer()
    body = {"show": market.shop.slug, "variant_id": str(market.shop.variant_id)}
    assert (await ana.http.call("POST", "/api/v1/public/waitlist", body, ok=409))["code"] == "in_stock"
    holds = [await market.shop.hold() for _ in range(2)]
    place = await ana.http.call("POST", "/api/v1/public/waitlist", body, ok=201)
    assert (place["position"], place["state"]) == (1, "waiting")
    async with market.hub.db.session() as session:
        await market.hub.stock.release_hold(session, holds[0].hold_id)
    assert await market.hub.waitlist.offer_freed() == 1
    [place] = await ana.http.call("GET", "/api/v1/public/waitlist", None)
    assert place["state"] == "offered"
    answer = await ana.http.http.request("DELETE", "/api/v1/public/waitlist", json=body)
    assert answer.status_code == 204
    assert await market.shop.stock() == (2, 1, 0)


async def test_the_fast_lane_has_the_manners_of_the_house(market: Market) -> None:
    buyer = await market.viewer()
    wish: dict[str, Any] = {"show": market.shop.slug, "variant_id": str(market.shop.variant_id)}
    path = "/api/v1/public/holds"
    good = await buyer.http.http.post(path, json=wish | {"key": "click-number-1"})
    assert good.status_code == 201
    assert good.headers["content-type"] == "application/json"
    assert good.headers["cache-control"] == "no-store"
    assert good.json()["holds"][0]["hold_id"] == good.json()["hold_id"]
    assert (good.json()["list_minor"], good.json()["offer_id"]) == (4900, None)
    again = await buyer.http.http.post(path, json=wish | {"key": "click-number-1"})
    assert again.json()["hold_id"] == good.json()["hold_id"]

    async def refused(body: Any, **how: Any) -> tuple[int, str]:
        answer = await buyer.http.http.post(path, content=body, **how)
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code, answer.json()["code"]

    assert await refused(b"{") == (422, "bad_input")
    assert await refused(b"x" * 70_000) == (422, "bad_input")
    assert await refused(b"{}", headers={"Authorization": "Bearer nonsense"}) == (401, "token_invalid")
    assert await refused(b"{}", headers={"Authorization": ""}) == (401, "token_missing")
    assert (await buyer.http.http.get(path)).status_code == 405


async def test_a_token_that_was_good_a_moment_ago_ends_on_time(market: Market) -> None:
    buyer = await market.viewer()
    wish = {"show": market.shop.slug, "variant_id": str(market.shop.variant_id), "key": "click-number-1"}
    assert (await buyer.http.http.post("/api/v1/public/holds", json=wish)).status_code == 201
    market.clock.tick(24 * 3600 + 1)
    answer = await buyer.http.http.post("/api/v1/public/holds", json=wish)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
