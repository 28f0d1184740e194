"""One person, whichever channel they buy on; and which visit brought which euro."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.customers.service import Person
from hub.services import Services
from tests.hub.market import SKU, Buyer, Market, Trade
from tests.hub.shop import Shop, open_shop

ANA = "Ana.Lind@Example.com"


@pytest.fixture
async def market(trade: Trade) -> Market:
    made = await trade("stripe", "shopify", "tiktok_shop", units=50)
    for name in ("shopify", "tiktok_shop"):
        await made.fill(name, 50)
    return made


async def buys(market: Market, name: str, email: str, **more: Any) -> None:
    order = {"sku": SKU, "email": email, "name": "Ana Lind"} | more
    await market.fakes[name].control("order", order)
    await market.arrived(name)


async def buys_from_us(buyer: Buyer, email: str) -> None:
    await buyer.order(await buyer.hold(), email=email)
    await buyer.market.arrived("stripe")


async def test_one_email_on_three_channels_is_one_customer(market: Market) -> None:
    await buys(market, "shopify", ANA)
    await buys(market, "tiktok_shop", ANA.lower())
    await buys_from_us(await market.viewer(), f" {ANA.upper()} ")
    owner = await market.owner()
    [customer] = await owner.call("GET", "/api/v1/customers")
    assert customer["channels"] == ["own", "shopify", "tiktok_shop"]
    assert (customer["orders"], customer["revenue_minor"]) == (3, 3 * 4900)
    assert "lind" not in str({**customer, "name": ""}).lower()


async def test_a_relay_address_is_no_proof_of_a_person(market: Market) -> None:
    relay = "v4b1f1qrzq@scs3.tiktok.com"
    await buys(market, "tiktok_shop", relay, relay=True)
    await buys(market, "shopify", relay)
    assert len(await (await market.owner()).call("GET", "/api/v1/customers")) == 2


async def test_two_orders_of_one_new_person_at_once_are_one_customer(hub: Services, shop: Shop) -> None:
    person = Person(name="Ana", email=ANA)

    async def order() -> Any:
        async with hub.db.session() as session:
            return (await hub.customers.recognise(session, shop.brand_id, person)).id

    assert len(set(await asyncio.gather(*(order() for _ in range(8))))) == 1


async def test_two_customers_who_turn_out_to_be_one_are_merged_with_all_they_did(
    hub: Services, shop: Shop
) -> None:
    async def seen(**who: Any) -> Any:
        async with hub.db.session() as session:
            return (await hub.customers.recognise(session, shop.brand_id, Person(**who))).id

    by_account = await seen(platform="tiktok_shop", platform_user="7490")
    by_email = await seen(email=ANA)
    assert by_account != by_email
    both = await seen(email=ANA, platform="tiktok_shop", platform_user="7490")
    assert both == await seen(email=ANA) == await seen(platform="tiktok_shop", platform_user="7490")


async def test_two_brands_share_no_customer(hub: Services, shop: Shop) -> None:
    other = await open_shop(hub)
    found = set()
    for brand_id in (shop.brand_id, other.brand_id):
        async with hub.db.session() as session:
            found.add((await hub.customers.recognise(session, brand_id, Person(email=ANA))).id)
    assert len(found) == 2


async def test_what_is_kept_of_an_address_cannot_be_read(market: Market) -> None:
    await buys_from_us(await market.viewer(), ANA)
    rows = await market.sql(
        "SELECT row_to_json(c)::text || row_to_json(i)::text || row_to_json(o)::text AS kept "
        "FROM customer c JOIN identity i ON i.customer_id = c.id JOIN orders o ON o.customer_id = c.id"
    )
    assert rows
    assert all("lind" not in row["kept"].lower().replace("ana lind", "") for row in rows)


async def visit(buyer: Buyer, **tags: str) -> None:
    query = "&".join(f"{name}={value}" for name, value in tags.items())
    body = {"show": buyer.market.shop.slug, "landing": f"https://shop.example/watch/x?{query}"}
    await buyer.http.call("POST", "/api/v1/public/touches", body, ok=204)


async def numbers(market: Market) -> Any:
    owner = await market.owner()
    return (await owner.call("GET", f"/api/v1/shows/{market.shop.show_id}"))["sales"]


async def test_first_and_last_touch_credit_every_cent_once(market: Market) -> None:
    buyer = await market.viewer()
    market.clock.tick(-5)  # shops date their orders in whole seconds
    await visit(buyer, utm_source="TikTok", utm_campaign="evening")
    await visit(buyer, utm_source="youtube")
    market.clock.tick(5)
    await buys_from_us(buyer, ANA)
    await buys_from_us(await market.viewer(), "direct@example.com")
    await buys(market, "shopify", ANA, utm={"utm_source": "newsletter"})
    await buys(market, "tiktok_shop", "bo@example.com", quantity=2)
    sales = await numbers(market)
    first = {one["source"]: one["revenue_minor"] for one in sales["by_first_touch"]}
    last = {one["source"]: one["revenue_minor"] for one in sales["by_last_touch"]}
    assert first == {"tiktok": 9800, "direct": 4900, "tiktok_shop": 9800}
    assert last == {"youtube": 4900, "newsletter": 4900, "direct": 4900, "tiktok_shop": 9800}
    assert sum(first.values()) == sum(last.values()) == sales["revenue_minor"] == 24500
    assert sum(one["revenue_minor"] for one in sales["by_channel"]) == 24500


async def test_a_refused_order_is_no_revenue(market: Market) -> None:
    buyer = await market.viewer()
    await buyer.order(await buyer.hold(), "pm_card_visa_chargeDeclined")
    await market.arrived("stripe")
    sales = await numbers(market)
    assert (sales["orders"], sales["revenue_minor"], sales["by_first_touch"]) == (0, 0, [])


async def test_the_same_visit_reloaded_counts_once(market: Market) -> None:
    buyer = await market.viewer()
    for _ in range(3):
        await visit(buyer, utm_source="tiktok")
        await visit(buyer)
    assert len(await market.sql("SELECT 1 FROM touch")) == 1


async def test_a_strangers_visits_are_not_lent_to_the_next_who_orders_from_the_browser(
    market: Market,
) -> None:
    """A family's browser: the second buyer's order does not take the first one's visits along."""
    buyer = await market.viewer()
    await visit(buyer, utm_source="tiktok")
    await buys_from_us(buyer, ANA)
    await visit(buyer, utm_source="youtube")
    await buys_from_us(buyer, "bo@example.com")
    customers = await (await market.owner()).call("GET", "/api/v1/customers")
    sources = {tuple(touch["utm_source"] for touch in one["touches"]) for one in customers}
    assert sources == {("tiktok",), ("youtube",)}
