"""A line of a cart changes where neighbours of the same address want to hold more than their address may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import uuid4

import pytest

from hub.offers.models import Offer, OfferItem
from tests.hub.market import Buyer, Market, Trade

HERE: Final = {"X-Forwarded-For": "8.8.8.8"}
NEIGHBOUR: Final = """
CREATE FUNCTION neighbour() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    -- Soft, so that it leaves the stock's counters alone.
    INSERT INTO hold (id, group_id, brand_id, variant_id, show_id, viewer_id, quantity, units, state, soft,
        key, channel, unit_minor, list_minor, currency, extended, created_at, expires_at, network_hash)
    SELECT id, id, NEW.brand_id, NEW.variant_id, NEW.show_id, 'neighbour', room, room, 'held', true,
        id::text, 'own', 1, 1, 'EUR', false, NEW.created_at, NEW.expires_at, OLD.network_hash
    FROM (SELECT gen_random_uuid() AS id, 6 - sum(units) AS room FROM hold
          WHERE network_hash = OLD.network_hash) AS fresh
    WHERE room > 0;
    RETURN NEW;
END $$
"""
AT_ONCE: Final = """
CREATE TRIGGER neighbour AFTER UPDATE ON hold
FOR EACH ROW WHEN (OLD.network_hash IS NOT NULL AND NEW.state = 'released') EXECUTE FUNCTION neighbour()
"""
"""Whatever somebody lets go of, a neighbour has taken by the time the next statement runs."""


@pytest.fixture
async def market(trade: Trade) -> AsyncIterator[Market]:
    """A shop whose show lets six units be held from one address; four are."""
    market = await trade(units=60)
    await market.sql("UPDATE show SET units_per_network = 6, units_per_buyer = 4")
    await put(await market.viewer(), 4, market=market)
    await market.sql(NEIGHBOUR)
    try:
        await market.sql(AT_ONCE)
        yield market
    finally:
        await market.sql("DROP FUNCTION neighbour CASCADE")


async def put(buyer: Buyer, quantity: int, *, market: Market, ok: int = 200) -> Any:
    """So many of the one thing there is, asked for from here."""
    path = f"/api/v1/public/cart/lines/{market.shop.variant_id}"
    answer = await buyer.http.http.put(path, json={"quantity": quantity, "key": uuid4().hex}, headers=HERE)
    assert answer.status_code == ok, answer.text
    return answer.json()


async def held(buyer: Buyer) -> int:
    """What is reserved for them."""
    lines = (await buyer.http.call("GET", "/api/v1/public/cart"))["lines"]
    return sum(line["held"] for line in lines)


async def on_offer(market: Market) -> None:
    """The one thing at a price of which each buyer has one reservation."""
    shop = market.shop
    terms: dict[str, Any] = {"kind": "flash", "title": "Flash", "state": "live", "percent_off": 10}
    async with market.hub.db.session() as session:
        offer = Offer(brand_id=shop.brand_id, show_id=shop.show_id, starts_at=market.clock(), **terms)
        session.add(offer)
        await session.flush()
        session.add(OfferItem(brand_id=shop.brand_id, offer_id=offer.id, variant_id=shop.variant_id))


async def test_a_smaller_line_is_kept_where_neighbours_want_its_room(market: Market) -> None:
    buyer = await market.viewer()
    await put(buyer, 2, market=market)
    await put(buyer, 1, market=market)
    assert await held(buyer) == 1


async def test_a_smaller_line_of_an_offer_is_kept_where_neighbours_want_its_room(market: Market) -> None:
    await on_offer(market)
    buyer = await market.viewer()
    await put(buyer, 2, market=market)
    await put(buyer, 1, market=market)
    assert await held(buyer) == 1


async def test_a_larger_line_that_is_refused_leaves_the_smaller_one(market: Market) -> None:
    await on_offer(market)
    buyer = await market.viewer()
    await put(buyer, 1, market=market)
    assert (await put(buyer, 2, market=market, ok=409))["code"] == "hoarding"
    assert await held(buyer) == 1


async def test_who_is_called_a_hoarder_keeps_what_they_have(market: Market) -> None:
    buyer = await market.viewer()
    await put(buyer, 2, market=market)
    # The show's people lower the limit under what is held already.
    await market.sql("UPDATE show SET units_per_network = 4")
    assert (await put(buyer, 1, market=market, ok=409))["code"] == "hoarding"
    assert await held(buyer) == 2
    await put(buyer, 0, market=market)
    assert await held(buyer) == 0


async def test_who_let_three_run_out_keeps_what_they_have(market: Market) -> None:
    buyer = await market.viewer()
    for _ in range(2):
        await buyer.hold()
    market.clock.tick(91)
    await market.sweep()
    third = (await buyer.hold())["hold_id"]
    await market.sql("UPDATE hold SET expires_at = :now WHERE id = :id", now=market.clock(), id=third)
    await put(buyer, 2, market=market)
    await market.sweep()
    assert (await put(buyer, 1, market=market, ok=409))["code"] == "hoarding"
    assert await held(buyer) == 2
