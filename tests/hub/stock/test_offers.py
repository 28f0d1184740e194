"""Offers inside the hold: steps exact under any crowd, bundles whole or not at all, limits, members first."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from hub.db import Database
from hub.errors import Conflict
from hub.stock.reserve import Taken
from tests.hub.stock.floor import Floor, another, outcomes

STEPS = ((40, 20), (30, 50), (20, None))
"""The first 20 at 40 % off, the next 50 at 30 %, the rest at 20 %."""


async def refused(floor: Floor, **wish: Any) -> Conflict:
    with pytest.raises(Conflict) as caught:
        await floor.hold(**wish)
    return caught.value


async def test_steps_are_exact_over_several_processes_at_once(floor: Floor) -> None:
    """Buyer 20 gets 40 %, 21 gets 30 %, 70 gets 30 %, 71 gets 20 %, whoever asks whichever process."""
    dress = await floor.sells(100, 10_000)
    offer = await floor.offers("tiers", {dress: None}, STEPS)
    async with AsyncExitStack() as stack:
        ways = [floor.reservations]
        for _ in range(3):
            db = await stack.enter_async_context(Database(floor.db.url))
            ways.append(await stack.enter_async_context(another(db, floor.clock)))
        wishes = [floor.wish(variant_id=dress, offer_id=random.choice((offer, None))) for _ in range(120)]
        held, codes = await outcomes(ways, wishes)
    assert codes == ["sold_out"] * 20
    assert Counter(one.unit_minor for one in held) == {6000: 20, 7000: 50, 8000: 30}
    assert {one.list_minor for one in held} == {10_000}
    assert await floor.tiers() == [20, 50, 30]


async def test_the_20th_21st_70th_and_71st_buyer(floor: Floor) -> None:
    dress = await floor.sells(80, 10_000)
    await floor.offers("tiers", {dress: None}, STEPS)
    held, _ = await outcomes([floor.reservations], [floor.wish(variant_id=dress) for _ in range(73)])
    prices = [one.unit_minor for one in held]
    assert [prices[n - 1] for n in (20, 21, 70, 71)] == [6000, 7000, 7000, 8000]


async def test_a_hold_that_ends_gives_its_step_back_and_it_is_sold_next(floor: Floor) -> None:
    await floor.offers("tiers", tiers=((40, 2), (30, 2), (20, None)))
    first = [await floor.hold() for _ in range(5)]
    assert [one.unit_minor for one in first] == [6000, 6000, 7000, 7000, 8000]
    async with floor.db.session() as session:
        await floor.stock.release_hold(session, first[3].hold_id)
        await floor.stock.release_hold(session, first[0].hold_id)
        await floor.stock.commit_hold(session, first[1].hold_id)
    assert await floor.tiers() == [1, 1, 1]
    again = [await floor.hold() for _ in range(3)]
    assert [one.unit_minor for one in again] == [6000, 7000, 8000]
    await floor.expire(91)
    assert await floor.tiers() == [1, 0, 0]
    assert (await floor.hold()).unit_minor == 6000


async def test_a_late_payment_does_not_get_a_step_that_is_another_buyers_by_now(floor: Floor) -> None:
    await floor.offers("tiers", tiers=((40, 1), (20, None)))
    slow = await floor.hold()
    await floor.expire(91)
    quick = await floor.hold()
    assert (slow.unit_minor, quick.unit_minor) == (6000, 6000)
    async with floor.db.session() as session:
        assert not await floor.stock.commit_hold(session, slow.hold_id)
        await floor.stock.release_hold(session, quick.hold_id)
        assert await floor.stock.commit_hold(session, slow.hold_id)
    assert await floor.tiers() == [1, 0]


async def test_more_than_a_step_has_left_is_for_the_buyer_to_decide(floor: Floor) -> None:
    offer = await floor.offers("tiers", tiers=((40, 2), (20, None)))
    await floor.hold()
    split = await refused(floor, quantity=2)
    assert (split.code, split.extra["left"]) == ("tier_split", 1)
    assert (await floor.hold(quantity=1, offer_id=offer)).unit_minor == 6000
    assert (await floor.hold(quantity=2)).unit_minor == 8000


async def test_a_limited_offer_ends_with_its_last_unit(floor: Floor) -> None:
    offer = await floor.offers("quantity", percent_off=25, units=3)
    held, codes = await outcomes([floor.reservations], [floor.wish(offer_id=offer) for _ in range(9)])
    assert [one.unit_minor for one in held] == [7500] * 3
    assert codes == ["offer_over"] * 6
    # Who named no offer gets what there is now.
    assert (await floor.hold()).unit_minor == 10_000


async def test_an_offer_begins_and_ends_by_the_servers_clock(floor: Floor) -> None:
    offer = await floor.offers("flash", percent_off=50, ends_at=floor.clock() + timedelta(seconds=60))
    floor.clock.tick(59.999)
    in_time = floor.wish(offer_id=offer, at=floor.clock())
    floor.clock.tick(0.001)
    assert (await refused(floor, offer_id=offer)).code == "offer_over"
    assert (await floor.hold()).unit_minor == 10_000
    # What came in time and waited in the queue is in time.
    assert (await floor.reservations.take(in_time)).unit_minor == 5000


async def test_the_cheapest_offer_applies_by_itself(floor: Floor) -> None:
    await floor.offers("flash", percent_off=10)
    best = await floor.offers("flash", {floor.variant_id: 7777})
    await floor.offers("coupon", percent_off=99)
    held = await floor.hold()
    assert (held.unit_minor, held.list_minor, held.offer_id) == (7777, 10_000, best)


async def test_each_buyer_gets_so_many_of_an_offer_and_one_hold_at_a_time(floor: Floor) -> None:
    offer = await floor.offers("flash", percent_off=10, per_buyer=2)
    first = await floor.hold("ana")
    twice = await refused(floor, viewer="ana")
    assert (twice.code, twice.extra["hold_id"]) == ("limit", str(first.hold_id))
    async with floor.db.session() as session:
        await floor.stock.commit_hold(session, first.hold_id)
    assert (await refused(floor, viewer="ana", quantity=2)).code == "limit"
    assert (await floor.hold("ana", offer_id=offer)).quantity == 1


async def test_members_come_first(floor: Floor) -> None:
    await floor.offers("early_access", members_until=floor.clock() + timedelta(minutes=5))
    assert (await refused(floor)).code == "members_only"
    assert (await floor.hold(member=True)).quantity == 1
    floor.clock.tick(300)
    assert (await floor.hold()).quantity == 1


async def test_what_is_for_live_only_is_sold_live_only(floor: Floor) -> None:
    print_ = await floor.sells(5, live_only=True)
    await floor.hold(variant_id=print_)
    await floor.sql("UPDATE show SET state = 'scheduled'")
    assert (await refused(floor, variant_id=print_)).code == "live_only"
    assert (await floor.hold()).quantity == 1


async def test_what_is_for_the_own_site_only_is_not_claimed_by_comment(floor: Floor) -> None:
    await floor.sql("UPDATE product SET own_site_only = true")
    assert (await refused(floor, channel="claim")).code == "live_only"
    assert (await floor.hold()).quantity == 1


def paid(taken: Taken) -> int:
    return sum(one.unit_minor * one.quantity for one in taken.holds)


async def test_a_bundle_takes_all_its_components_or_none(floor: Floor) -> None:
    scarf, hat = await floor.sells(6, 3000), await floor.sells(2, 2000)
    bundle = await floor.bundles({scarf: 3, hat: 1}, 9_999)
    taken = await floor.hold(variant_id=bundle, key="click-number-1")
    assert (taken.unit_minor, taken.quantity, taken.available, paid(taken)) == (9_999, 1, 1, 9_999)
    await floor.hold(variant_id=hat)
    assert (await refused(floor, variant_id=bundle)).code == "sold_out"
    assert await floor.counters(scarf) == (6, 3, 0)
    async with floor.db.session() as session:
        await floor.stock.release_hold(session, taken.hold_id)
    assert await floor.counters(scarf) == (6, 0, 0)
    assert await floor.counters(hat) == (2, 1, 0)


async def test_a_bundle_offer_sells_its_items_together_at_its_price(floor: Floor) -> None:
    scarf = await floor.sells(5, 3333)
    offer = await floor.offers("bundle", {floor.variant_id: 7001, scarf: 2000}, units=2)
    first, second = [await floor.hold("ana", offer_id=offer), await floor.hold("bo", offer_id=offer)]
    assert (first.unit_minor, paid(first), len(first.holds)) == (9001, 9001, 2)
    assert (await refused(floor, offer_id=offer)).code == "offer_over"
    async with floor.db.session() as session:
        assert await floor.stock.commit_hold(session, second.hold_id)
        await floor.stock.release_hold(session, first.hold_id)
    assert await floor.counters(scarf) == (5, 0, 1)
    assert (await floor.hold(offer_id=offer)).available == 3


async def test_the_same_key_gets_the_same_bundle(floor: Floor) -> None:
    bundle = await floor.bundles({floor.variant_id: 2}, 15_001)
    first = await floor.hold("ana", variant_id=bundle, key="click-number-1", quantity=2)
    again = await floor.hold("ana", variant_id=bundle, key="click-number-1", quantity=2)
    assert (again.group_id, again.unit_minor, again.quantity) == (first.group_id, 15_001, 2)
    assert {one.hold_id for one in again.holds} == {one.hold_id for one in first.holds}
    assert await floor.counters() == (50, 4, 0)
