"""Cookies and consent as a browser meets them: nothing kept before it is needed or allowed."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from hub.consent.personal import erase, export
from hub.db import run
from hub.privacy.who import Who
from hub.visits.cookie import A_YEAR, VISITOR
from hub.visits.personal import erase as erase_visits
from hub.visits.personal import export as export_visits
from tests.hub.market import Buyer, Market, Trade
from tests.hub.platforms import until
from tests.hub.site import no_authorities

PUBLIC = "/api/v1/public"
WAIT_FOR_LOCKS = """
    SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE NOT granted AND datname = current_database()
"""


class Window:
    """The watch page in one browser, as its scripts use it."""

    def __init__(self, buyer: Buyer) -> None:
        self.buyer, self.http = buyer, buyer.http.http
        self.slug = buyer.market.shop.slug
        self.http.headers["X-Forwarded-For"] = "203.0.113.9"

    @property
    def viewer(self) -> str:
        return str(self.buyer.page["viewer_id"])

    async def post(self, path: str, ok: int = 204, **body: Any) -> httpx.Response:
        answer = await self.http.post(f"{PUBLIC}{path}", json={"show": self.slug, **body})
        assert answer.status_code == ok, answer.text
        return answer

    async def answers(self, *, analytics: bool, ads: bool = False, ok: int = 200, version: int = 0) -> Any:
        body = {"version": version, "language": "en", "clicked": "save", "analytics": analytics, "ads": ads}
        return (await self.post("/consent", ok=ok, **body)).json()

    async def reloaded(self) -> Any:
        """The document as the next page gets it."""
        return await self.buyer.http.call("GET", f"{PUBLIC}/shows/{self.slug}")


def cookie(answer: httpx.Response) -> Any:
    """What an answer sets, with its attributes; None: nothing."""
    said = answer.headers.get("set-cookie")
    return SimpleCookie(said)[VISITOR] if said else None


async def opened(market: Market) -> Window:
    return Window(await market.viewer())


async def test_a_visit_leaves_nothing_in_the_browser_until_something_is_reserved(trade: Trade) -> None:
    market = await trade(units=5)
    window = await opened(market)
    answer = await window.http.get(f"{PUBLIC}/shows/{window.slug}")
    assert "set-cookie" not in answer.headers
    assert "set-cookie" not in (await window.post("/touches", landing="/watch/x?utm_source=tiktok")).headers
    await window.post("/visits", seconds=12)
    assert not window.http.cookies
    assert (await window.reloaded())["viewer_id"] != window.viewer
    # A reservation must survive a reload: strictly necessary, until the browser is closed.
    hold = await window.buyer.hold()
    kept = cookie(await window.post("/visitor"))
    assert (kept["max-age"], kept["expires"], kept["httponly"], kept["samesite"]) == ("", "", True, "lax")
    page = await window.reloaded()
    assert (page["viewer_id"], page["visitor_kept"]) == (window.viewer, True)
    assert cookie(await window.post("/visitor")) is None  # once is enough
    [visit] = await market.sql("SELECT key_event FROM visit WHERE visitor_id = :v", v=window.viewer)
    assert visit["key_event"]
    window.http.headers["Authorization"] = f"Bearer {page['viewer_token']}"
    await window.buyer.http.call("DELETE", f"{PUBLIC}/holds/{hold['hold_id']}", ok=204)


async def test_a_yes_keeps_the_cookie_for_a_year_and_taking_it_back_deletes_it(trade: Trade) -> None:
    market = await trade(units=5)
    window = await opened(market)
    answer = await window.post(
        "/consent", ok=200, version=0, language="de", clicked="allow", analytics=True, ads=True
    )
    assert answer.json() == {"analytics": True, "ads": True, "email": False, "gpc": False}
    assert cookie(answer)["max-age"] == str(A_YEAR)
    assert (await window.reloaded())["viewer_id"] == window.viewer
    assert "set-cookie" not in (await window.http.get(f"{PUBLIC}/shows/{window.slug}")).headers
    assert cookie(await window.post("/visitor")) is None  # a year's is not made a session's
    [said, _] = await market.sql("SELECT * FROM consent_choice ORDER BY purpose DESC")
    assert (said["visitor_id"], said["version"], said["source"]) == (window.viewer, 0, "banner")
    assert (said["proof"]["language"], said["proof"]["clicked"], len(said["proof"]["words"])) == (
        "de",
        "allow",
        64,
    )
    await what_browsers_are_called_goes_with_each_no(market, window)
    market.clock.tick(60)
    assert (await window.answers(analytics=False))["analytics"] is False
    assert not window.http.cookies
    # With something reserved it stays, for as long as the browser is open.
    market.clock.tick(60)
    await window.answers(analytics=True)
    await window.buyer.hold()
    taken_back = await window.post(
        "/consent", ok=200, version=0, language="en", clicked="needed", analytics=False, ads=False
    )
    assert cookie(taken_back)["max-age"] == ""
    assert (await window.reloaded())["viewer_id"] == window.viewer
    # Two pages, opened before there was a cookie: the one that needs it keeps what was agreed in the other.
    one, other = await opened(market), await opened(market)
    await one.answers(analytics=True)
    other.http.cookies = one.http.cookies
    assert cookie(await other.post("/visitor"))["max-age"] == str(A_YEAR)
    async with market.hub.db.session() as session:
        allowed = await market.hub.consent_book.of(session, market.shop.brand_id, other.viewer)
    assert allowed.analytics


async def what_browsers_are_called_goes_with_each_no(market: Market, window: Window) -> None:
    """Google's name for measuring, the advertisers' for ads; at once, not when the page tells them again."""

    async def kept() -> list[Any]:
        return await market.sql("SELECT ga_client, fbp, ip_sealed IS NOT NULL AS ip FROM ad_ids")

    await window.post("/ad-ids", ga_client="11.22", fbp="fb.1.1790000000000.77")
    assert [tuple(row.values()) for row in await kept()] == [("11.22", "fb.1.1790000000000.77", True)]
    market.clock.tick(60)
    await window.answers(analytics=True, ads=False)
    assert [tuple(row.values()) for row in await kept()] == [("11.22", None, False)]
    # The same no once more within a day is obeyed as well.
    await market.sql("UPDATE ad_ids SET fbp = 'late'")
    await window.answers(analytics=True, ads=False)
    assert [tuple(row.values()) for row in await kept()] == [("11.22", None, False)]
    market.clock.tick(60)
    await window.answers(analytics=False)
    assert await kept() == []
    # Where an ad was seen is all there is, and still agreed to.
    market.clock.tick(60)
    await window.answers(analytics=True, ads=True)
    await window.post("/ad-ids", ga_client="11.22")
    market.clock.tick(60)
    await window.answers(analytics=False, ads=True)
    assert [tuple(row.values()) for row in await kept()] == [(None, None, True)]
    market.clock.tick(60)
    await window.answers(analytics=False, ads=False)
    assert await kept() == []
    await a_no_beside_a_report(market, window)
    assert await kept() == []
    market.clock.tick(60)
    await window.answers(analytics=True)


async def a_no_beside_a_report(market: Market, window: Window) -> None:
    """The report has read that it may, and not written yet."""

    async def waiting(count: int) -> bool:
        return len(await market.sql(WAIT_FOR_LOCKS)) == count

    market.clock.tick(60)
    await window.answers(analytics=True, ads=True)
    market.clock.tick(60)
    async with market.hub.db.session() as session:
        await run(session, text("LOCK TABLE ad_ids IN SHARE MODE"))
        report = asyncio.create_task(window.post("/ad-ids", fbp="fb.1.1790000000000.77"))
        await until(lambda: waiting(1))
        no = asyncio.create_task(window.answers(analytics=False, ads=False))
        await until(lambda: waiting(2))
    await asyncio.gather(report, no)


async def test_global_privacy_control_is_heard_shown_and_published(trade: Trade) -> None:
    market = await trade(units=5)
    window = await opened(market)
    path = f"{PUBLIC}/shows/{window.slug}/consent"
    assert (await window.http.get(path)).json()["gpc"] is False
    window.http.headers["Sec-GPC"] = "1"
    asked = await window.http.get(path)
    assert asked.json()["gpc"] is True
    assert asked.headers["vary"] == "Sec-GPC"
    assert "don't" in asked.json()["words"]["en"]["gpc"]
    await window.post("/touches", landing="/watch/x")
    async with market.hub.db.session() as session:
        allowed = await market.hub.consent_book.of(session, market.shop.brand_id, window.viewer)
    assert (allowed.ads, allowed.gpc) == (False, True)
    market.clock.tick(60)
    assert await window.answers(analytics=True, ads=True) == {
        "analytics": True,
        "ads": False,
        "email": False,
        "gpc": True,
    }
    assert (await window.http.get("/.well-known/gpc.json")).json()["gpc"] is True
    await to_the_shop_and_back(market, window)


async def to_the_shop_and_back(market: Market, window: Window) -> None:
    """Measuring was allowed: the shop's page trades its pass, from its own origin alone."""
    await market.sql(
        "INSERT INTO shop_host (id, brand_id, host, created_at) VALUES (:b, :b, 'shop.example', now())",
        b=market.shop.brand_id,
    )
    url = (await window.post("/passes", ok=200, url="https://shop.example/bags")).json()["url"]
    value = url.partition("sh_v=")[2]
    async with httpx.AsyncClient(base_url=market.origin, verify=no_authorities()) as shop:
        assert (await shop.post(f"{PUBLIC}/passes/trade", content=value)).status_code == 403
        shop.headers["Origin"] = "https://shop.example"
        traded = await shop.post(f"{PUBLIC}/passes/trade", content=value)
        assert traded.headers["access-control-allow-origin"] == "https://shop.example"
        assert traded.json()["visitor_id"] == window.viewer
        assert (await shop.post(f"{PUBLIC}/passes/trade", content=value)).status_code == 404
        back = await shop.post(f"{PUBLIC}/passes/back", content=traded.json()["ticket"])
        assert back.json()["sh_v"].startswith(window.viewer)
        assert (await shop.post(f"{PUBLIC}/passes/back", content="x" * 5000)).status_code == 404


async def test_other_words_ask_again_and_old_ones_stay_on_record(trade: Trade) -> None:
    market = await trade(units=5)
    window, owner = await opened(market), await market.owner()
    path = f"{PUBLIC}/shows/{window.slug}/consent"
    await window.answers(analytics=True)
    before = await owner.call("GET", "/api/v1/consent/text")
    assert (before["version"], before["own"]) == (0, False)
    words = {"en": before["default"]["en"] | {"title": "At Linnea's"}}
    for version, ok in ((0, 200), (0, 409), (1, 200)):
        await owner.call("PUT", "/api/v1/consent/text", {"version": version, "body": words}, ok=ok)
    asked = (await window.http.get(path)).json()
    assert (asked["version"], asked["words"]["en"]["title"]) == (1, "At Linnea's")
    assert list(asked["words"]) == ["en"]
    await window.answers(analytics=False, version=1)
    await window.answers(analytics=False, version=7, ok=409)
    rows = await market.sql(
        "SELECT version, body->'en'->>'title' AS title FROM consent_text ORDER BY version"
    )
    assert [(row["version"], row["title"]) for row in rows] == [(0, "Your privacy"), (1, "At Linnea's")]
    back = await owner.call("PUT", "/api/v1/consent/text", {"version": 1, "body": None})
    assert (back["version"], back["own"]) == (2, False)
    blank = {"en": words["en"] | {"needed": " "}}
    await owner.call("PUT", "/api/v1/consent/text", {"version": 2, "body": blank}, ok=422)


async def test_staff_see_and_note_what_a_customer_said(trade: Trade) -> None:
    market = await trade("stripe", units=5)
    buyer, owner = await market.viewer(), await market.owner()
    window = Window(buyer)
    await window.post("/touches", landing="/watch/x?utm_source=tiktok")
    await window.answers(analytics=True, ads=True)
    await buyer.order(await buyer.hold(), email="ana@example.com")
    [row] = await market.sql("SELECT customer_id FROM orders")
    path = f"/api/v1/consent/customers/{row['customer_id']}"
    seen = await owner.call("GET", path)
    assert (seen["allowed"]["ads"], len(seen["choices"])) == (True, 2)
    market.clock.tick(60)
    said = {"purpose": "ads", "granted": False, "why": "Told us on the phone."}
    assert (await owner.call("POST", path, said, ok=201))["ads"] is False
    newest = (await owner.call("GET", path))["choices"][0]
    assert (newest["source"], newest["proof"]["why"]) == ("staff", "Told us on the phone.")
    stranger = await market.owner("Other")
    await stranger.call("GET", path, ok=404)
    await forgotten(market, row["customer_id"], window.viewer)


async def forgotten(market: Market, customer_id: UUID, visitor: str) -> None:
    """Handed out whole, then gone: the row of the visit stays, as nobody's."""
    who = Who(market.shop.brand_id, customer_ids=(customer_id,), visitor_ids=(visitor,))
    async with market.hub.db.session() as session:
        out = await export(session, who) | await export_visits(session, who)
        assert {name: len(rows) for name, rows in out.items()} == {
            "consent_choice": 3,
            "touch": 1,
            "visit": 1,
        }
        for _ in range(2):
            await erase(session, who)
            await erase_visits(session, who)
        assert not any((await export(session, who) | await export_visits(session, who)).values())
    kept = await market.sql(
        "SELECT row_to_json(t)::text AS r FROM touch t UNION ALL SELECT row_to_json(v)::text FROM visit v"
    )
    assert len(kept) == 2
    assert all(visitor not in row["r"] and str(customer_id) not in row["r"] for row in kept)
