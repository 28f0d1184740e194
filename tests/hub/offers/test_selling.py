"""What buyers pay while an offer runs: exact at its edges, in its counts, and for whom it is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.errors import Conflict
from hub.offers.out import ItemIn
from hub.stock.facts import Taken
from tests.hub.offers.conftest import Counter
from tests.hub.shop import Shop


def prices(answers: list[Taken | str]) -> list[int | str]:
    return sorted((a if isinstance(a, str) else a.unit_minor for a in answers), key=str)


async def test_a_flash_price_is_exact_at_both_edges_whoever_sweeps(counter: Counter) -> None:
    clock = counter.clock
    begins = clock() + timedelta(minutes=1)
    flash = await counter.launch("flash", percent_off=40, minutes=5, starts_at=begins)
    assert [(one.state, one.items[0].unit_minor) for one in await counter.seen()] == [("soon", 2940)]
    clock.tick(60 - 1e-6)
    assert (await counter.hold()).unit_minor == 4900
    clock.tick(1e-6)
    assert (await counter.seen())[0].state == "open"
    kept = await counter.hold("ana")
    assert (kept.unit_minor, kept.list_minor, kept.offer_id) == (2940, 4900, flash.id)
    clock.tick(300 - 1e-6)
    late = await counter.hold("bo")
    assert late.unit_minor == 2940
    clock.tick(1e-6)
    assert (await counter.hold()).unit_minor == 4900
    assert await counter.refusal(offer=flash.id) == "offer_over"
    assert (await counter.seen())[0].state == "ended"
    await counter.hub.launches.sweep()
    ended = await counter.reload(flash.id)
    assert (ended.state, ended.ended_why, ended.ended_at) == ("ended", "time", begins + timedelta(minutes=5))
    # The hold taken in time keeps its price, and only when it is settled is the final count signed.
    [row] = await counter.sql("SELECT unit_minor, state FROM hold WHERE id = :id", id=late.hold_id)
    assert (row["unit_minor"], row["state"]) == (2940, "held")
    assert ended.ended_record is None


async def test_a_limited_offer_closes_itself_when_all_is_sold_not_when_all_is_held(counter: Counter) -> None:
    offer = await counter.launch("quantity", percent_off=20, units=3)
    answers = await counter.rush(5)
    assert prices(answers) == [3920, 3920, 3920, 4900, 4900]
    assert await counter.refusal(offer=offer.id) == "offer_over"
    [shown] = await counter.seen()
    assert (shown.state, shown.left, shown.taken) == ("gone", 0, 3)
    await counter.hub.launches.sweep()
    assert (await counter.reload(offer.id)).state == "live"
    mine = [a for a in answers if isinstance(a, Taken) and a.offer_id == offer.id]
    async with counter.hub.db.session() as session:
        await counter.hub.stock.release_hold(session, mine[0].hold_id)
    assert (await counter.seen())[0].left == 1
    again = await counter.hold()
    assert again.unit_minor == 3920
    async with counter.hub.db.session() as session:
        for one in (*mine[1:], again):
            assert await counter.hub.stock.commit_hold(session, one.hold_id)
    assert await counter.hub.launches.sweep() == 1
    ended = await counter.reload(offer.id)
    assert (ended.state, ended.ended_why) == ("ended", "gone")
    assert ended.ended_record is not None
    assert (ended.ended_record["sold"], ended.ended_record["why"]) == (3, "gone")


async def test_tiers_are_exact_in_a_rush_and_a_returned_slot_is_sold_again_first(counter: Counter) -> None:
    tiers = [
        {"percent_off": 40, "units": 4},
        {"percent_off": 30, "units": 6},
        {"percent_off": 20, "units": None},
    ]
    offer = await counter.launch("tiers", tiers=tiers)
    answers = await counter.rush(13)
    assert prices(answers) == [2940] * 4 + [3430] * 6 + [3920] * 3
    [shown] = await counter.seen()
    assert [(tier.percent, tier.left) for tier in shown.tiers] == [(40, 0), (30, 0), (20, None)]
    assert shown.items[0].unit_minor == 3920
    first = next(a for a in answers if isinstance(a, Taken) and a.unit_minor == 2940)
    async with counter.hub.db.session() as session:
        await counter.hub.stock.release_hold(session, first.hold_id)
    [shown] = await counter.seen()
    assert (shown.tiers[0].left, shown.items[0].unit_minor) == (1, 2940)
    assert [(await counter.hold()).unit_minor for _ in range(2)] == [2940, 3920]
    rows = await counter.sql(
        "SELECT taken FROM offer_tier WHERE offer_id = :id ORDER BY position", id=offer.id
    )
    assert [row["taken"] for row in rows] == [4, 6, 4]


async def test_steps_that_are_all_sold_end_the_offer(counter: Counter) -> None:
    tiers = [{"percent_off": 40, "units": 1}, {"percent_off": 30, "units": 1}]
    offer = await counter.launch("tiers", tiers=tiers)
    answers = await counter.rush(3)
    assert prices(answers) == [2940, 3430, 4900]
    assert (await counter.seen())[0].state == "gone"
    async with counter.hub.db.session() as session:
        for one in answers:
            assert isinstance(one, Taken)
            assert await counter.hub.stock.commit_hold(session, one.hold_id)
    await counter.hub.launches.sweep()
    ended = await counter.reload(offer.id)
    assert ended.ended_record is not None
    assert ended.ended_record["tiers"] == [{"units": 1, "sold": 1}, {"units": 1, "sold": 1}]


async def test_more_than_is_left_at_a_price_is_not_split_in_secret(counter: Counter) -> None:
    tiers = [{"percent_off": 40, "units": 2}, {"percent_off": 20, "units": None}]
    await counter.launch("tiers", tiers=tiers)
    with pytest.raises(Conflict, match="2") as refused:
        await counter.hold(quantity=3)
    assert (refused.value.code, refused.value.extra["left"]) == ("tier_split", 2)


async def test_a_bundle_is_all_or_nothing_and_its_cents_sum(counter: Counter) -> None:
    socks = await counter.product("Socks", "SOCKS", 999, units=3)
    items = [
        ItemIn(variant_id=counter.shop.variant_id, quantity=1),
        ItemIn(variant_id=socks, quantity=2),
    ]
    counter.clock.tick(1)
    offer = await counter.launch("bundle", items=items, percent_off=15)
    [shown] = await counter.seen()
    price = 4165 + 2 * 849
    assert shown.bundle is not None
    assert (shown.bundle.unit_minor, shown.bundle.was_minor) == (price, 4900 + 2 * 999)
    taken = await counter.hold(offer=offer.id)
    assert sum(one.quantity * one.unit_minor for one in taken.holds) == price
    held = {"held": 2}
    [row] = await counter.sql("SELECT held FROM stock WHERE variant_id = :id", id=socks)
    assert dict(row) == held
    # One pair is not there any more: nothing of the second bundle is taken either.
    before = await counter.shop.stock()
    assert await counter.refusal(offer=offer.id) == "sold_out"
    assert await counter.shop.stock() == before
    assert (await counter.reload(offer.id)).taken == 1


async def test_members_buy_first_and_then_everybody(counter: Counter) -> None:
    until = counter.clock() + timedelta(minutes=10)
    offer = await counter.launch("early_access", percent_off=10, members_minutes=10)
    assert await counter.refusal(offer=offer.id) == "members_only"
    assert (await counter.hold(offer=offer.id, member=True)).unit_minor == 4410
    [shown] = await counter.seen()
    assert (shown.open_to_you, shown.members_until) == (False, until)
    counter.clock.tick(600)
    assert (await counter.hold()).unit_minor == 4410
    assert (await counter.seen())[0].open_to_you


async def test_an_exclusive_is_for_the_live_show_alone(counter: Counter) -> None:
    variant = await counter.product("Print", "PRINT", 2000, units=5, live_only=True)
    counter.clock.tick(1)
    offer = await counter.launch("live_exclusive", items=[ItemIn(variant_id=variant)], units=5)
    assert (await counter.hold(variant=variant)).offer_id == offer.id
    await end_show(counter.shop)
    assert await counter.refusal(variant=variant, offer=offer.id) in ("variant_unknown", "live_only")
    await counter.hub.launches.sweep()
    ended = await counter.reload(offer.id)
    assert (ended.state, ended.ended_why) == ("ended", "show")
    assert [one.state for one in await counter.seen()] == ["ended"]


async def test_of_two_offers_a_line_gets_the_cheaper_one(counter: Counter) -> None:
    await counter.launch("quantity", percent_off=10, units=5)
    best = await counter.launch("flash", percent_off=30, minutes=5)
    taken = await counter.hold()
    assert (taken.unit_minor, taken.offer_id) == (3430, best.id)


async def test_an_offer_never_makes_dearer_what_became_cheaper(counter: Counter) -> None:
    await counter.launch("flash", percent_off=10, minutes=5)
    await counter.sql("UPDATE variant SET price_minor = 4000 WHERE id = :id", id=counter.shop.variant_id)
    assert (await counter.hold()).unit_minor == 4000
    await counter.sql("UPDATE variant SET price_minor = 9000 WHERE id = :id", id=counter.shop.variant_id)
    # What viewers were promised does not move with the catalogue.
    assert (await counter.hold()).unit_minor == 4410


async def end_show(shop: Shop) -> None:
    async with shop.hub.db.session() as session:
        show = await shop.hub.shows.get(session, shop.brand_id, shop.show_id, lock=True)
        await shop.hub.shows.end(session, show)
