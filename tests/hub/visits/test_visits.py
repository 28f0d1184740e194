"""Visits by GA4's rules for sessions, and touches that are counted once; on PostgreSQL, with a clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, select

from hub.customers.service import Person
from hub.links.models import LinkClick, ShopHost, TrackedLink
from hub.offers.models import Offer, OfferUse
from hub.orders.models import Order
from hub.services import Services
from hub.shows.models import Show
from hub.visits.coupons import note_coupons
from hub.visits.models import Touch, Visit
from tests.hub.shop import SetClock, Shop, open_shop

MINUTE, DAY = 60, 24 * 3600
TIKTOK = "?utm_source=TikTok&utm_medium=social&utm_campaign=autumn"


class Browser:
    """One visitor of one show."""

    def __init__(self, shop: Shop, visitor: str = "") -> None:
        self.shop, self.visitor = shop, visitor or uuid4().hex

    async def comes(self, query: str = "", referrer: str | None = None) -> Touch | None:
        async with self.shop.hub.db.session() as session:
            show = await session.get(Show, self.shop.show_id)
            assert show
            landing = f"{self.shop.hub.settings.site_url()}/watch/{show.slug}{query}"
            return await self.shop.hub.visits.visit(session, show, self.visitor, landing, referrer)

    async def stays(self, seconds: int = 0, *, key_event: bool = False) -> None:
        async with self.shop.hub.db.session() as session:
            await self.shop.hub.visits.seen(
                *(session, self.shop.brand_id, self.visitor), seconds=seconds, key_event=key_event
            )

    async def visits(self) -> list[Visit]:
        query = select(Visit).where(col(Visit.visitor_id) == self.visitor).order_by(col(Visit.started_at))
        async with self.shop.hub.db.session() as session:
            return [*await session.exec(query)]

    async def touches(self) -> list[Touch]:
        query = select(Touch).where(col(Touch.visitor_id) == self.visitor).order_by(col(Touch.at))
        async with self.shop.hub.db.session() as session:
            return [*await session.exec(query)]


@pytest.fixture
def browser(shop: Shop) -> Browser:
    return Browser(shop)


def began(visits: list[Visit]) -> list[tuple[str, str, bool]]:
    return [(visit.source, visit.channel_group, visit.inherited) for visit in visits]


async def test_half_an_hour_of_silence_ends_a_visit_and_nothing_else_does(
    browser: Browser, clock: SetClock
) -> None:
    clock.now = datetime(2026, 11, 24, 23, 40, tzinfo=UTC)
    await browser.comes(TIKTOK)
    clock.tick(29 * MINUTE)  # over midnight
    await browser.comes("?utm_source=youtube&utm_medium=social")  # new tags
    clock.tick(29 * MINUTE)
    await browser.stays(5)
    [one] = await browser.visits()
    assert (one.source, one.medium, one.campaign, one.views) == ("tiktok", "social", "autumn", 2)
    assert one.last_at == clock()
    clock.tick(30 * MINUTE)
    await browser.comes("?utm_source=newsletter&utm_medium=email")
    assert began(await browser.visits()) == [
        ("tiktok", "Organic Social", False),
        ("newsletter", "Email", False),
    ]
    assert [touch.utm_source for touch in await browser.touches()] == ["tiktok", "youtube", "newsletter"]


async def test_a_direct_visit_inherits_the_last_source_for_ninety_days(
    browser: Browser, clock: SetClock
) -> None:
    await browser.comes()
    clock.tick(DAY)
    await browser.comes(TIKTOK)
    for _ in range(2):  # what is inherited is not inherited for ever
        clock.tick(50 * DAY)
        await browser.comes()
    assert began(await browser.visits()) == [
        ("(direct)", "Direct", False),
        ("tiktok", "Organic Social", False),
        ("tiktok", "Organic Social", True),
        ("(direct)", "Direct", False),
    ]
    assert len(await browser.touches()) == 2


async def test_a_visit_is_engaged_by_ten_seconds_a_key_event_or_a_second_view(
    shop: Shop, clock: SetClock
) -> None:
    for seconds, key_event, views, engaged in (
        (9, False, 1, False),
        (10, False, 1, True),
        (0, True, 1, True),
        (0, False, 2, True),
        (500, False, 1, True),
    ):
        browser = Browser(shop)
        for _ in range(views):
            await browser.comes()
        clock.tick(20)
        await browser.stays(seconds, key_event=key_event)
        [visit] = await browser.visits()
        assert (visit.engaged, visit.views, visit.key_event) == (engaged, views, key_event)
        assert visit.seconds == min(seconds, 20)  # nobody has watched for longer than they have been there


async def test_a_reload_is_no_new_touch_and_the_same_tags_twice_count_once(
    browser: Browser, clock: SetClock
) -> None:
    google, blog = "https://www.google.de/", "https://blog.example/a"
    for query, referrer in (
        ("", google),
        ("", google),
        (TIKTOK, None),
        (TIKTOK, google),
        ("", None),
        ("", blog),
    ):
        clock.tick(1)
        await browser.comes(query, referrer)
    rows = [
        (one.utm_source, one.channel_group, one.referrer_host, one.kind) for one in await browser.touches()
    ]
    assert rows == [
        ("google", "Organic Search", "www.google.de", "visit"),
        ("tiktok", "Organic Social", None, "visit"),
        ("blog.example", "Referral", "blog.example", "visit"),
    ]
    [visit] = await browser.visits()
    assert {touch.visit_id for touch in await browser.touches()} == {visit.id}
    for _ in range(2):
        clock.tick(20 * DAY)
        assert await browser.comes("", blog)  # who follows it again another day has come again


async def test_our_own_pages_and_the_brands_shop_are_no_referrers(hub: Services, browser: Browser) -> None:
    async with hub.db.session() as session:
        session.add(ShopHost(brand_id=browser.shop.brand_id, host="shop.example"))
    touch = await browser.comes("", "https://shop.example/bags")
    assert touch
    assert (touch.referrer_host, touch.channel_group) == (None, "Direct")
    assert await browser.comes("", hub.settings.site_url() + "/orders/x") is None


async def test_a_touch_names_its_link_its_click_and_its_host(
    hub: Services, shop: Shop, clock: SetClock
) -> None:
    other = await open_shop(hub)
    made: dict[str, Any] = {"utm_source": "tiktok", "utm_campaign": "autumn", "host": "Mia"}
    link = TrackedLink(brand_id=shop.brand_id, show_id=shop.show_id, code="abc23456", **made)
    bio = TrackedLink(brand_id=shop.brand_id, destination="/watch/x", code="bio23456", **made)
    click = LinkClick(brand_id=shop.brand_id, link_id=link.id, who="person")
    async with hub.db.session() as session:
        session.add_all([link, bio])
        await session.flush()
        session.add(click)
    query = f"{TIKTOK}&utm_id=42&sh_link=abc23456&sh_click={click.id}"
    touch = await Browser(shop).comes(query)
    assert touch
    assert (touch.link_id, touch.click_id, touch.host, touch.utm_id) == (
        link.id,
        click.id,
        "Mia",
        "42",
    )
    touch = await Browser(shop).comes(f"{TIKTOK}&sh_link=bio23456&sh_click=nonsense")
    assert touch
    assert (touch.link_id, touch.click_id) == (bio.id, None)
    clock.tick(2 * DAY)
    visitor = Browser(shop, touch.visitor_id)
    assert await visitor.comes(query)  # the same tags by another link
    clock.tick(DAY)
    assert await visitor.comes(query) is None  # the same click in a tab that was kept
    touch = await Browser(other).comes(query)  # another brand's
    assert touch
    assert (touch.link_id, touch.click_id) == (None, None)


async def test_a_claim_is_one_touch_and_a_key_event_of_the_visit(hub: Services, browser: Browser) -> None:
    await browser.comes()
    claim, ids = uuid4(), (browser.shop.brand_id, browser.shop.show_id)
    made = []
    for _ in range(2):
        async with hub.db.session() as session:
            touch = await hub.visits.note_touch(
                *(session, ids[0]),
                kind="claim",
                source_id=claim,
                visitor_id=browser.visitor,
                show_id=ids[1],
                utm={"utm_source": "instagram", "utm_medium": "social"},
            )
            made.append(touch and (touch.kind, touch.channel_group, touch.visit_id))
    [visit] = await browser.visits()
    assert made == [("claim", "Organic Social", visit.id), None]
    assert visit.key_event
    assert visit.engaged
    assert await browser.comes() is None  # a claim is no arrival: a reload after it is none either
    async with hub.db.session() as session:
        coupon = await hub.visits.note_touch(session, ids[0], kind="coupon", source_id=uuid4())
    assert coupon
    assert coupon.visitor_id == f"coupon:{coupon.source_id}"


async def test_who_used_the_coupon_of_one_link_came_by_it(hub: Services, shop: Shop, clock: SetClock) -> None:
    brand = shop.brand_id
    coupon = Offer(brand_id=brand, kind="coupon", title="Ten off", code="MIA10", percent_off=10)
    link = TrackedLink(
        brand_id=brand,
        show_id=shop.show_id,
        code="mia23456",
        offer_id=coupon.id,
        utm_source="tiktok",
        utm_campaign="autumn",
    )
    async with hub.db.session() as session:
        session.add_all([coupon, link])
        known = await hub.customers.meet(session, brand, Person(email="ana@example.com"))
        order = Order(
            brand_id=brand, channel="own", number="1", state="paid", currency="EUR", placed_at=clock()
        )
        order.customer_id, order.identity_id = known.customer_id, known.node_id
        session.add(order)
        await session.flush()
        session.add(OfferUse(brand_id=brand, offer_id=coupon.id, order_id=order.id, viewer_id="x"))
    counts = []
    for _ in range(2):
        async with hub.db.session() as session:
            counts.append(await note_coupons(session, hub.visits, clock()))
    assert counts == [1, 0]
    async with hub.db.session() as session:
        [touch] = await session.exec(select(Touch).where(col(Touch.customer_id) == known.customer_id))
    assert (touch.kind, touch.link_id, touch.channel_group, touch.at) == (
        *("coupon", link.id, "Organic Social"),
        order.placed_at,
    )
