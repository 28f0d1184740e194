"""Visitors carried to the brand's own shop and back; and the cookie, which only we can write."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from hub.links.models import ShopHost
from hub.services import Services
from hub.visits.passes import PASS_LASTS, TICKET_LASTS
from tests.hub.shop import SetClock, Shop, open_shop
from tests.hub.visits.test_visits import TIKTOK, Browser

SHOP = "shop.example"
BAGS = f"https://{SHOP}/bags?colour=red&sh_v=stale#top"


@pytest.fixture
async def browser(shop: Shop) -> Browser:
    """Of somebody who agreed, at a brand with a shop."""
    browser = Browser(shop)
    async with shop.hub.db.session() as session:
        session.add(ShopHost(brand_id=shop.brand_id, host=SHOP))
    await agree(browser)
    return browser


async def agree(browser: Browser, *, granted: bool = True) -> None:
    async with browser.shop.hub.db.session() as session:
        await browser.shop.hub.consent_book.note(
            session,
            browser.shop.brand_id,
            {"analytics": granted},
            source="banner",
            visitor_id=browser.visitor,
        )


async def signed(browser: Browser, url: str = BAGS) -> str:
    async with browser.shop.hub.db.session() as session:
        return await browser.shop.hub.visits.passes.sign(session, browser.shop.brand_id, browser.visitor, url)


async def a_pass(browser: Browser) -> str:
    [value] = parse_qs(urlsplit(await signed(browser)).query)["sh_v"]
    return value


async def read(shop: Shop, value: str, host: str = SHOP) -> str | None:
    async with shop.hub.db.session() as session:
        return await shop.hub.visits.passes.read(session, shop.brand_id, value, host)


async def test_a_pass_names_the_visitor_once(browser: Browser) -> None:
    url = urlsplit(await signed(browser))
    assert (url.netloc, url.path, url.fragment) == (SHOP, "/bags", "top")
    asked = parse_qs(url.query)
    assert asked["colour"] == ["red"]
    [value] = asked["sh_v"]
    assert await read(browser.shop, value) == browser.visitor
    assert await read(browser.shop, value) is None


async def test_a_link_to_anywhere_else_is_left_as_it_is(browser: Browser) -> None:
    for url in (
        "https://evil.example/bags",
        f"https://{SHOP}.evil.example/",
        f"https://evil.example/?{SHOP}",
        f"https://{SHOP}@evil.example/",
        f"http://{SHOP}/plain",
        f"javascript:alert('https://{SHOP}/')",
        "https://[broken",
        "/watch/other",
    ):
        assert await signed(browser, url) == url


async def test_without_consent_or_after_it_was_taken_back_nothing_is_carried(
    browser: Browser, clock: SetClock
) -> None:
    assert await signed(Browser(browser.shop)) == BAGS
    clock.tick(1)
    await agree(browser, granted=False)
    assert await signed(browser) == BAGS


async def test_an_altered_stale_or_foreign_pass_is_refused(browser: Browser, clock: SetClock) -> None:
    value = await a_pass(browser)
    visitor, until, nonce, mac = value.split(".")
    other = uuid4().hex
    for wrong in (
        f"{other}.{until}.{nonce}.{mac}",
        f"{visitor}.{int(until) + 60}.{nonce}.{mac}",
        f"{visitor}.{until}.{nonce}x.{mac}",
        f"{visitor}.{until}.{nonce}.{mac[:-1]}",
        f"{visitor}.{until}.{nonce}",
        "",
        "é" * 400,
    ):
        assert await read(browser.shop, wrong) is None
    assert await read(browser.shop, value, "other.example") is None
    assert await read(await open_shop(browser.shop.hub), value) is None
    assert await read(browser.shop, value) == browser.visitor
    late = await a_pass(browser)
    clock.tick(PASS_LASTS.total_seconds())
    assert await read(browser.shop, late) is None


async def test_the_shop_trades_its_pass_and_brings_the_visitor_back_with_their_source(
    hub: Services, browser: Browser, clock: SetClock
) -> None:
    await browser.comes(TIKTOK)
    value = await a_pass(browser)
    async with hub.db.session() as session:
        assert await hub.visits.passes.trade(session, value, "other.example") is None
        traded = await hub.visits.passes.trade(session, value, SHOP)
        assert traded is not None
        assert await hub.visits.passes.trade(session, value, SHOP) is None
    carried, ticket = traded
    assert (carried.visitor_id, carried.brand_id) == (browser.visitor, browser.shop.brand_id)
    clock.tick(3600)
    async with hub.db.session() as session:
        back = await hub.visits.passes.back(session, ticket, SHOP)
        assert await hub.visits.passes.back(session, ticket, "other.example") is None
        assert await hub.visits.passes.back(session, ticket + "x", SHOP) is None
    assert back is not None
    # Their browser has forgotten us meanwhile: another visitor, who came by TikTok all the same.
    again, thief = Browser(browser.shop), Browser(browser.shop)
    assert await again.comes(f"?sh_v={back}", f"https://{SHOP}/bags")
    assert [(one.source, one.inherited) for one in await again.visits()] == [("tiktok", True)]
    await thief.comes(f"?sh_v={back}")
    assert [(one.source, one.inherited) for one in await thief.visits()] == [("(direct)", False)]
    clock.tick(TICKET_LASTS.total_seconds())
    async with hub.db.session() as session:
        assert await hub.visits.passes.back(session, ticket, SHOP) is None


def test_nobody_else_can_write_a_visitors_cookie(hub: Services) -> None:
    passes, visitor = hub.visits.passes, uuid4().hex
    assert passes.kept(passes.cookie(visitor)) == visitor
    for wrong in (visitor, f"{visitor}.", f"{uuid4().hex}.{passes.cookie(visitor)[33:]}", "", "é.é"):
        assert passes.kept(wrong) is None
