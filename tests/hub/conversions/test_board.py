"""What staff see and decide, what pages may load, and what a browser is called, as far as it agreed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.conversions import personal
from hub.privacy.who import Who
from hub.web import DIST
from tests.hub.conversions.rig import SEEN, Sales
from tests.hub.market import Buyer, Trade

PATH = "/api/v1/conversions"


@pytest.fixture
async def sales(trade: Trade) -> Sales:
    return Sales(await trade("meta_capi", "ga4"))


async def each_account_and_a_test(sales: Sales) -> None:
    owner, stranger = await sales.market.owner(), await sales.market.owner("Other")
    connection = sales.connection("meta_capi")
    await owner.call("PATCH", f"{PATH}/{connection}", {"paused": True}, ok=409)
    await sales.order()
    await sales.order(address_sealed=None)
    await sales.order(agreed="")
    await sales.sweep()
    meta, google = await owner.call("GET", PATH)
    figures = meta["figures"]
    assert (figures["sent"], figures["withheld"], figures["waiting"]) == (2, 1, 0)
    assert figures["quality"] == {"sent": 2, "email": 2, "phone": 1, "click": 2}
    assert figures["withheld_why"] == [{"reason": "The buyer did not agree to advertising.", "count": 1}]
    assert (meta["purpose"], google["purpose"]) == ("ads", "analytics")
    assert meta["last_sent_at"]
    assert await stranger.call("GET", PATH) == []

    said = await owner.call("POST", f"{PATH}/{connection}/test")
    assert said == {
        "ok": True,
        "words": "It arrived. It shows in the platform's test view and is not counted.",
    }
    assert len(await sales.heard("meta_capi", "tests")) == 1
    said = await owner.call("POST", f"{PATH}/{sales.connection('ga4')}/test")
    assert said["ok"]
    assert "never says whether the API secret is right" in said["words"]
    await sales.market.fakes["meta_capi"].control("fault", {"kind": "status", "status": 503, "count": 1})
    assert (await owner.call("POST", f"{PATH}/{connection}/test", ok=503))["code"] == "platform_away"
    config = {**sales.market.fakes["meta_capi"].config, "test_event_code": ""}
    await owner.call("PATCH", f"/api/v1/connections/{connection}", {"config": config})
    said = await owner.call("POST", f"{PATH}/{connection}/test")
    assert (said["ok"], said["words"][:29]) == (False, "Enter a test event code first")

    await owner.call("PATCH", f"{PATH}/{connection}", {"paused": True})
    await sales.order()
    await sales.sweep()
    meta, _ = await owner.call("GET", PATH)
    assert (meta["paused"], meta["figures"]["waiting"]) == (True, 1)
    await owner.call("PATCH", f"{PATH}/{connection}", {"paused": False})
    await sales.later(5)
    meta, _ = await owner.call("GET", PATH)
    assert (meta["figures"]["waiting"], meta["figures"]["sent"]) == (0, 3)


async def a_dismissed_one_is_out_of_sight(sales: Sales) -> None:
    owner = await sales.market.owner()
    order = await sales.order()
    trouble = {"kind": "reject", "event_id": f"{order.id}:purchase"}
    await sales.market.fakes["meta_capi"].control("fault", trouble)
    await sales.sweep()
    events = f"{PATH}/{sales.connection('meta_capi')}/events"
    [event] = await owner.call("GET", events)
    assert event["state"] == "refused"
    await owner.call("POST", f"{PATH}/events/{event['id']}/seen", ok=204)
    assert await owner.call("GET", events) == []
    await owner.call("POST", f"{PATH}/events/{event['id']}/again", ok=409)
    meta, _ = await owner.call("GET", PATH)
    assert meta["figures"]["refused"] == 0


def policy_of(header: str) -> dict[str, list[str]]:
    parts = [one.split() for one in header.split("; ")]
    return {name: sources for name, *sources in parts}


async def what_a_page_may_load(sales: Sales) -> None:
    buyer = await sales.market.viewer()
    assert buyer.page["pixels"] == []
    await sales.sweep()
    buyer = await sales.market.viewer()
    fakes = sales.market.fakes
    assert {(one["kind"], one["id"], one["purpose"]) for one in buyer.page["pixels"]} == {
        ("meta_capi", fakes["meta_capi"].config["pixel_id"], "ads"),
        ("ga4", fakes["ga4"].config["measurement_id"], "analytics"),
    }
    assert not any(secret in json.dumps(buyer.page) for secret in (fakes["ga4"].config["api_secret"],))
    script = {f"{fakes[name].base_url}script.js" for name in ("ga4", "meta_capi")}
    assert {one["script_url"] for one in buyer.page["pixels"]} == script
    origins = {one.removesuffix("/script.js") for one in script}
    pixels = sales.market.hub.conversions.pixels
    assert set((await pixels.origins(sales.market.shop.slug)).script) == origins
    assert (await pixels.origins("no-such-show")).script == ()
    if (DIST / "studio" / "index.html").exists():
        page = await buyer.http.http.get(f"/watch/{sales.market.shop.slug}")
        policy = policy_of(page.headers["content-security-policy"])
        assert origins <= set(policy["script-src"])
        elsewhere = await buyer.http.http.get("/watch/no-such-show")
        assert not origins & set(policy_of(elsewhere.headers["content-security-policy"])["script-src"])
    await sales.market.sql("UPDATE conversion_desk SET paused = true")
    sales.market.clock.tick(11)
    assert (await pixels.origins(sales.market.shop.slug)).script == ()
    assert (await sales.market.viewer()).page["pixels"] == []


async def reports(sales: Sales, buyer: Buyer, agreed: str, **ids: Any) -> list[Any]:
    """The page tells what its browser is called; what is kept of it."""
    order = await sales.order(agreed="", viewer_id=None)
    order.viewer_id = buyer.page["viewer_id"]
    sales.market.clock.tick(1)
    await sales.says(order, agreed)
    body = {"show": sales.market.shop.slug, **ids}
    await buyer.http.call("POST", "/api/v1/public/ad-ids", body, ok=204)
    return await sales.market.sql("SELECT * FROM ad_ids WHERE visitor_id = :v", v=buyer.page["viewer_id"])


async def what_a_browser_is_called(sales: Sales) -> None:
    buyer = await sales.market.viewer()
    ids = SEEN.model_dump(exclude_none=True) | {"ga_sessions": {"G-AB12CD34": "1790000123"}}
    assert await reports(sales, buyer, "", **ids) == []
    [row] = await reports(sales, buyer, "analytics", **ids)
    assert (row["ga_client"], row["fbp"], row["ip_sealed"], row["ttclid"]) == ("11.22", None, None, None)
    [row] = await reports(sales, buyer, "analytics ads", **ids)
    assert (row["fbp"], row["ttclid"], row["ttp"]) == (ids["fbp"], ids["ttclid"], ids["ttp"])
    assert row["fbc"].split(".")[3:] == ["AbC-d"]
    assert row["ga_sessions"] == {"G-AB12CD34": "1790000123"}
    # This machine's own address would be a proxy's: it tells nobody apart.
    assert row["ip_sealed"] is None
    buyer.http.http.headers["X-Forwarded-For"] = "203.0.113.9"
    [again] = await reports(sales, buyer, "analytics ads", **ids)
    assert b"203.0.113.9" not in bytes(again["ip_sealed"])
    assert again["fbc"] == row["fbc"]
    assert await reports(sales, buyer, "", **ids) == []
    for wrong in ({"fbp": "<script>"}, {"ga_client": "me"}, {"ga_sessions": {"G-X": "1"}}, {"fbclid": "a b"}):
        body = {"show": sales.market.shop.slug, **wrong}
        await buyer.http.call("POST", "/api/v1/public/ad-ids", body, ok=422)
    await reports(sales, buyer, "ads", **ids)
    sales.market.clock.tick(91 * 86400)
    await sales.market.hub.conversions.forget()
    assert await sales.market.sql("SELECT id FROM ad_ids") == []


async def what_was_told_of_a_person(sales: Sales) -> None:
    theirs, other = await sales.order(), await sales.order()
    await sales.sweep()
    late = await sales.order(customer_id=theirs.customer_id, viewer_id=theirs.viewer_id)
    await sales.market.hub.conversions.queue.sweep()
    who = Who(
        brand_id=theirs.brand_id,
        customer_ids=(theirs.customer_id,) if theirs.customer_id else (),
        visitor_ids=(theirs.viewer_id or "",),
        order_ids=(theirs.id, late.id),
        open=sales.market.hub.connections.sealed.text,
    )
    async with sales.market.hub.db.session() as session:
        found = await personal.export(session, who)
    assert {(row["told_to"], row["state"]) for row in found["conversion"]} == {
        (name, state) for name in ("ga4", "meta_capi") for state in ("sent", "waiting")
    }
    assert found["conversion"][-1]["payload"]["order_id"] == str(late.id)
    assert [row["ip"] for row in found["ad_ids"]] == ["203.0.113.9"]
    # Two that wait, and the trace of one that was sent; Google gives none.
    for expected in ({"conversion": 3, "ad_ids": 1}, {"conversion": 0, "ad_ids": 0}):
        async with sales.market.hub.db.session() as session:
            assert await personal.erase(session, who) == expected
    await sales.later(60)
    assert {state for _, state, _ in await sales.rows("meta_capi", late)} == {"withheld"}
    assert [row["visitor_id"] for row in await sales.market.sql("SELECT visitor_id FROM ad_ids")] == [
        other.viewer_id
    ]


async def test_staff_see_how_each_account_is_doing_test_it_and_dismiss_what_was_refused(sales: Sales) -> None:
    await each_account_and_a_test(sales)
    await a_dismissed_one_is_out_of_sight(sales)


async def test_pages_load_and_the_hub_keeps_only_what_was_agreed_and_forgets_it(sales: Sales) -> None:
    await what_a_page_may_load(sales)
    await sales.market.sql("UPDATE conversion_desk SET paused = false")
    await what_was_told_of_a_person(sales)
    await sales.market.sql("DELETE FROM ad_ids")
    await what_a_browser_is_called(sales)
