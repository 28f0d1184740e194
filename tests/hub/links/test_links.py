"""Links over HTTP: made, followed, counted, archived, exported; and what a redirect never does."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from hub.links.clicks import Knock
from hub.links.personal import erase, export
from hub.links.service import LETTERS
from hub.links.wishes import LinkWish
from hub.orders.models import Order
from hub.privacy.who import Who
from hub.visits.models import Touch
from tests.hub.market import Market, Trade
from tests.hub.site import Client, no_authorities

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
)
CLICKS = """
    SELECT who, device, network_hash, referrer_host, click_ids, share_tokens, archived, show_id
    FROM link_click ORDER BY id
"""


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade()


async def followed(market: Market, address: str, method: str = "GET", **headers: str) -> httpx.Response:
    """Somebody on a phone opens it."""
    sent = {"User-Agent": PHONE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with httpx.AsyncClient(base_url=market.origin, verify=no_authorities()) as client:
        return await client.request(method, address, headers=sent)


async def made(owner: Client, **wish: object) -> Any:
    return await owner.call("POST", "/api/v1/links", wish, ok=201)


async def test_a_link_is_made_by_rule_followed_counted_and_archived(market: Market) -> None:
    owner, show = await market.owner(), str(market.shop.show_id)
    wish: dict[str, Any] = {
        "title": "Bio of Zoë",
        "show_id": show,
        "product_id": str(market.shop.product_id),
        "host": "Zoë",
    }
    wish |= {"placement": "bio", "cost_minor": 12_50, "currency": "EUR"}
    plan = await owner.call("POST", "/api/v1/links/preview", wish)
    assert await owner.call("GET", "/api/v1/links") == []
    assert plan["qr_svg"].count(plan["url"].partition("//")[2]) == 2
    link = await made(owner, **wish, code=plan["code"])
    assert (await made(owner, **wish, code=plan["code"]))["id"] == link["id"]
    assert (link["url"], set(link["code"]) <= set(LETTERS)) == (plan["url"], True)
    tags = {name: value for name, value in link.items() if name.startswith("utm_")}
    assert (
        tags
        == plan["tags"]
        == {
            "utm_source": "bio",
            "utm_medium": "link",
            "utm_campaign": market.shop.slug,
            "utm_content": "zoe-bio",
            "utm_term": "bag-red",
            "utm_id": market.shop.show_id.hex,
        }
    )

    address = f"/l/{link['code']}?fbclid=IwAR%2B1&x=&x=%E9&igsh=MzR&utm_source=evil"
    answer = await followed(market, address, Referer="https://l.instagram.com/x?y")
    assert (answer.status_code, answer.headers["cache-control"]) == (302, "no-store")
    assert "set-cookie" not in answer.headers
    place = urlsplit(answer.headers["location"])
    assert place.path == f"/watch/{market.shop.slug}"
    assert answer.headers["location"].endswith("&fbclid=IwAR%2B1&x=&x=%E9&igsh=MzR&utm_source=evil")
    found = parse_qs(place.query)
    assert (found["utm_source"][0], found["sh_link"]) == ("bio", [link["code"]])
    [row] = await market.sql("SELECT id, link_id FROM link_click")
    assert found["sh_click"] == [str(row["id"])]

    assert (await followed(market, f"/l/{link['code'].upper()}", "HEAD")).status_code == 302
    await followed(market, f"/l/{link['code']}", User_Agent="WhatsApp/2.23")
    await followed(market, f"/l/{link['code']}", User_Agent="curl/8")
    archived = await owner.call("POST", f"/api/v1/links/{link['id']}/archive")
    assert archived["archived_at"]
    assert (await followed(market, f"/l/{link['code']}")).status_code == 302
    clicks = await market.sql(CLICKS)
    assert [(one["who"], one["archived"]) for one in clicks] == [
        *(("person", False), ("preview", False), ("preview", False), ("bot", False), ("person", True)),
    ]
    first = clicks[0]
    assert (first["device"], first["referrer_host"], first["show_id"]) == (
        *("phone", "l.instagram.com"),
        market.shop.show_id,
    )
    assert (first["click_ids"], first["share_tokens"]) == ({"fbclid": "IwAR+1"}, {"igsh": "MzR"})
    assert len({one["network_hash"] for one in clicks}) == 1
    assert "127.0.0" not in str(clicks)

    assert await owner.call("GET", "/api/v1/links") == []
    [kept] = await owner.call("GET", "/api/v1/links?archived=yes")
    assert (kept["persons"], kept["bots"], kept["previews"]) == (2, 1, 2)
    back = await owner.call("POST", f"/api/v1/links/{link['id']}/restore")
    assert back["archived_at"] is None
    changed = await owner.call("PUT", f"/api/v1/links/{link['id']}", wish | {"utm_content": "Spring Sale!"})
    assert (changed["utm_content"], changed["code"]) == ("spring-sale", link["code"])


async def test_a_link_leads_to_the_shop_only_while_its_host_is_the_shops(market: Market) -> None:
    owner = await market.owner()
    wish = {"destination": "https://shop.brand.com/bags?a=1#red", "title": "Parcel", "placement": "qr"}
    refused = await owner.call("POST", "/api/v1/links", wish, ok=422)
    assert refused["code"] == "destination_outside"
    host = await owner.call("POST", "/api/v1/links/hosts", {"host": "https://Shop.brand.com/"}, ok=201)
    again = await owner.call("POST", "/api/v1/links/hosts", {"host": "shop.brand.com"}, ok=201)
    assert again["id"] == host["id"]
    alone = await made(owner, **wish)
    of_show = await made(owner, **wish, show_id=str(market.shop.show_id))
    place = (await followed(market, f"/l/{alone['code']}?b=2")).headers["location"]
    assert place.startswith("https://shop.brand.com/bags?a=1&utm_source=qr")
    assert place.endswith("&b=2#red")
    nothing = await owner.call("POST", "/api/v1/links", {"title": "x"}, ok=422)
    assert nothing["code"] == "leads_nowhere"

    await owner.call("DELETE", f"/api/v1/links/hosts/{host['id']}", ok=204)
    assert (await followed(market, f"/l/{alone['code']}")).status_code == 404
    home = (await followed(market, f"/l/{of_show['code']}")).headers["location"]
    assert urlsplit(home).path == f"/watch/{market.shop.slug}"


async def test_an_unknown_link_is_a_page_for_people_and_a_problem_for_programs(market: Market) -> None:
    page = await followed(market, "/l/<b>x", Accept="text/html,*/*;q=0.8")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "leads nowhere" in page.text
    assert "<b>" not in page.text
    for path in ("/l/hj4k8m2p", "/l/%00", "/l/" + "a" * 500, "/l/%C3%A9"):
        plain = await followed(market, path)
        assert (plain.status_code, plain.json()["code"]) == (404, "link_unknown")
    assert await market.sql("SELECT id FROM link_click") == []


async def test_raw_bytes_of_any_kind_arrive_as_they_were(market: Market) -> None:
    """Over a bare socket, as no tidy client would send them."""
    link = await made(await market.owner(), show_id=str(market.shop.show_id))
    host, port = market.origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    query = b'a=%e9&a=%FF%00&b=%zz&;c="<>&=&&d=%0d%0aSet-Cookie:x&e=+%2B{|}^`\\'
    head = b"GET /l/%b?%b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % (link["code"].encode(), query)
    writer.write(head)
    answer = (await reader.read()).split(b"\r\n\r\n")[0].decode("latin-1")
    writer.close()
    [place] = [line[10:] for line in answer.split("\r\n") if line.lower().startswith("location: ")]
    assert "set-cookie" not in answer.lower().replace("set-cookie:x", "")

    def pairs(text: str) -> list[tuple[str, str]]:
        return parse_qsl(text, keep_blank_values=True, encoding="latin-1")

    came = pairs(query.decode("latin-1"))
    assert pairs(urlsplit(place).query)[-len(came) :] == came


async def test_what_a_link_brought_is_counted_by_last_touch_and_exported(market: Market) -> None:
    owner, brand = await market.owner(), market.shop.brand_id
    first = await made(
        owner, show_id=str(market.shop.show_id), title="=cmd|x", cost_minor=500, currency="EUR"
    )
    other = await made(owner, show_id=str(market.shop.show_id), title="Spring_1")
    now = market.clock()
    touches = [
        Touch(brand_id=brand, visitor_id=uuid4().hex, link_id=UUID(link["id"]), at=now)
        for link in (first, first, other)
    ]
    orders = [
        Order(
            brand_id=brand,
            channel="own",
            number=f"SH-{number}",
            state=state,
            currency=currency,
            placed_at=now,
            total_minor=total,
            refunded_minor=back,
            test=test,
        )
        for number, (state, currency, total, back, test) in enumerate(
            [
                ("paid", "EUR", 4900, 900, False),
                ("refunded", "EUR", 4900, 4900, False),
                ("paid", "SEK", 10000, 0, False),
                ("cancelled", "EUR", 4900, 0, False),
                ("paid", "EUR", 4900, 0, True),
            ]
        )
    ]
    async with market.hub.db.session() as session:
        session.add_all(touches)
        await session.flush()
        for order in orders:
            order.first_touch_id, order.last_touch_id = touches[2].id, touches[0].id
        session.add_all(orders)
    rows = {row["id"]: row for row in await owner.call("GET", "/api/v1/links")}
    assert rows[first["id"]]["touches"] == 2
    assert rows[first["id"]]["sales"] == [
        {"currency": "EUR", "orders": 2, "revenue_minor": 4000},
        {"currency": "SEK", "orders": 1, "revenue_minor": 10000},
    ]
    assert (rows[other["id"]]["touches"], rows[other["id"]]["sales"]) == (1, [])

    for words, expected in (("spring_", [other["id"]]), ("cmd|", [first["id"]]), ("none", [])):
        found = await owner.http.get("/api/v1/links", params={"q": words})
        assert [one["id"] for one in found.json()] == expected
    assert [one["id"] for one in await owner.call("GET", f"/api/v1/links?before={other['id']}")] == [
        first["id"]
    ]

    file = await owner.http.get("/api/v1/links/export.csv")
    lines = [*csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff")))]
    mine = [line for line in lines if line["code"] == first["code"]]
    assert [(line["orders"], line["revenue"], line["currency"], line["cost"]) for line in mine] == [
        ("2", "40.00", "EUR", "5.00"),
        ("1", "100.00", "SEK", ""),
    ]
    assert mine[0]["title"] == "'=cmd|x"
    whole = json.loads((await owner.http.get("/api/v1/links/export.json?q=spring")).text)
    assert [one["id"] for one in whole] == [other["id"]]
    for kind, start in (("svg", b"<svg"), ("png", b"\x89PNG")):
        picture = await owner.http.get(f"/api/v1/links/{first['id']}/qr.{kind}")
        assert picture.content.startswith(start)
        assert f'filename="link-{first["code"]}.{kind}"' in picture.headers["content-disposition"]


async def test_a_person_gets_their_clicks_and_leaves_no_trace_in_them(market: Market) -> None:
    link = await made(await market.owner(), show_id=str(market.shop.show_id))
    await followed(market, f"/l/{link['code']}?gclid=Secret1", Referer="https://a.example/")
    await followed(market, f"/l/{link['code']}?gclid=Other2")
    first, _ = await market.sql("SELECT id FROM link_click ORDER BY id")
    brand = market.shop.brand_id
    async with market.hub.db.session() as session:
        session.add(Touch(brand_id=brand, visitor_id="ana", click_id=first["id"], at=market.clock()))
    who = Who(brand_id=brand, visitor_ids=("ana",))
    async with market.hub.db.session() as session:
        assert [row["click_ids"] for row in (await export(session, who))["link_click"]] == [
            {"gclid": "Secret1"}
        ]
        for _ in range(2):
            assert await erase(session, who) == {"link_click": 1}
    mine, others = await market.sql(CLICKS)
    assert (mine["click_ids"], mine["network_hash"], mine["referrer_host"]) == ({}, None, None)
    assert others["click_ids"] == {"gclid": "Other2"}


async def test_a_code_that_is_taken_is_not_given_twice(market: Market) -> None:
    owner, stranger = await market.owner(), await market.owner("Other")
    mine = await made(owner, show_id=str(market.shop.show_id))
    show = await stranger.call("POST", "/api/v1/shows", {"title": "Theirs"}, ok=201)
    theirs = await made(stranger, show_id=show["id"], code=mine["code"])
    assert theirs["code"] != mine["code"]
    await stranger.call("POST", "/api/v1/links", {"show_id": str(market.shop.show_id)}, ok=404)
    product = {"show_id": show["id"], "product_id": str(market.shop.product_id)}
    await stranger.call("POST", "/api/v1/links", product, ok=404)
    await stranger.call("PUT", f"/api/v1/links/{mine['id']}", {"show_id": show["id"]}, ok=404)


async def test_following_a_link_takes_milliseconds_and_waits_for_no_disk(market: Market) -> None:
    hub = market.hub
    await hub.clicks.warm()
    async with hub.db.session() as session:
        links = [
            await hub.links.make(session, market.shop.brand_id, LinkWish(show_id=market.shop.show_id))
            for _ in range(20)
        ]
    took = []
    for link in links * 3:
        knock = Knock(link.code, query=b"fbclid=x", address="203.0.113.7", headers={"user-agent": PHONE})
        began = time.perf_counter()
        assert await hub.clicks.follow(knock)
        took.append(time.perf_counter() - began)
    # The promise is 20 ms on a quiet machine; a busy one is given five times that, and the median.
    assert sorted(took)[30] < 0.1, took
    [row] = await market.sql("SELECT count(*) AS n FROM link_click")
    assert row["n"] == 60
    async with hub.db.pool.acquire() as connection:
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        plan = await connection.fetch(
            "EXPLAIN SELECT 1 FROM tracked_link link WHERE link.code = ANY($1)", ["x"]
        )
        assert "tracked_link_code_key" in str(plan)
