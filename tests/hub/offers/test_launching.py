"""What may go live, what it may claim, and that what was promised stays as it was."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hub.catalog import prices
from hub.errors import BadInput, Conflict
from hub.offers.out import ItemIn
from tests.hub.offers.conftest import Counter
from tests.hub.shop import SetClock

NOT_YET: list[tuple[str, dict[str, Any], str]] = [
    ("flash", {"percent_off": 40}, "minutes"),
    ("flash", {"minutes": 5}, "items"),
    ("quantity", {"percent_off": 40}, "units"),
    ("quantity", {"percent_off": 40, "units": 51}, "units"),
    ("tiers", {"tiers": [{"percent_off": 20, "units": 5}, {"percent_off": 40}]}, "tiers"),
    ("tiers", {"tiers": [{"percent_off": 40}, {"percent_off": 20}]}, "tiers"),
    ("tiers", {"tiers": [{"percent_off": 40, "units": 5}]}, "tiers"),
    ("bundle", {"percent_off": 10}, "items"),
    ("early_access", {"percent_off": 10}, "members_minutes"),
    ("live_exclusive", {"percent_off": 10}, "items"),
    ("coupon", {"percent_off": 10}, "code"),
    ("coupon", {"code": "LIVE11", "percent_off": 10, "amount_off_minor": 5}, "percent_off"),
    ("coupon", {"code": "LIVE10", "amount_off_minor": 5}, "currency"),
    ("flash", {"percent_off": 10, "minutes": 5, "title": "Bags −40 %"}, "title"),
    ("flash", {"percent_off": 10, "minutes": 5, "items": []}, "items"),
    ("flash", {"percent_off": 10, "minutes": 5, "show_id": None}, "show_id"),
]
"""Kind, what was filled in, and the field that is named."""


async def test_going_live_and_ending_are_done_once_however_often_they_are_asked(counter: Counter) -> None:
    flash = await counter.launch("flash", percent_off=40, minutes=5)
    counter.clock.tick(10)
    again = await counter.go_live(flash.id)
    assert (again.live_at, again.ends_at, again.signature) == (flash.live_at, flash.ends_at, flash.signature)
    ended = await counter.end(flash.id)
    counter.clock.tick(10)
    assert (await counter.end(flash.id)).ended_at == ended.ended_at
    log = await counter.sql("SELECT kind FROM offer_log WHERE offer_id = :id ORDER BY at, id", id=flash.id)
    assert [row["kind"] for row in log] == ["drafted", "live", "ended"]
    cues = await counter.sql("SELECT kind, title, begins_at, ends_at FROM show_cue WHERE kind = 'offer'")
    assert [(cue["title"], cue["begins_at"], cue["ends_at"]) for cue in cues] == [
        ("Flash", flash.live_at, ended.ended_at)
    ]


async def test_what_has_ended_does_not_come_again_in_this_show(counter: Counter) -> None:
    flash = await counter.launch("flash", percent_off=40, minutes=5)
    await counter.end(flash.id)
    with pytest.raises(Conflict) as refused:
        await counter.go_live(flash.id)
    assert refused.value.code == "offer_over"
    other = await counter.product("Hat", "HAT", 2500, units=5)
    # The same price by another name, kind, number or in company is the same offer again.
    items = [ItemIn(variant_id=counter.shop.variant_id), ItemIn(variant_id=other)]
    own = [ItemIn(variant_id=counter.shop.variant_id, unit_minor=2940)]
    for kind, fields in (
        ("flash", {"percent_off": 40, "minutes": 10}),
        ("quantity", {"items": items, "percent_off": 40, "units": 2}),
        ("quantity", {"items": own, "units": 2}),
        ("tiers", {"tiers": [{"percent_off": 40, "units": 2}, {"percent_off": 20}]}),
    ):
        with pytest.raises(Conflict) as refused:
            await counter.launch(kind, **fields)
        assert refused.value.code == "offer_rerun"
    # Of two at the same moment one is the copy.
    twins = [await counter.draft("flash", percent_off=25, minutes=5) for _ in range(2)]
    both = await asyncio.gather(*(counter.go_live(one.id) for one in twins), return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["Conflict", "Offer"]


async def test_what_is_not_whole_or_not_true_stays_a_draft(counter: Counter) -> None:
    for kind, fields, field in NOT_YET:
        draft = await counter.draft(kind, **fields)
        with pytest.raises(BadInput) as refused:
            await counter.go_live(draft.id)
        assert refused.value.code == "offer_incomplete"
        found = refused.value.extra["problems"]
        assert isinstance(found, list)
        assert field in [one["field"] for one in found], (kind, fields)
        assert all(one["text"].endswith(".") for one in found)
        async with counter.hub.db.session() as session:
            preview = await counter.hub.offers.preview(session, draft)
        assert [one.model_dump() for one in preview.problems] == found
        assert (await counter.reload(draft.id)).state == "draft"


async def test_only_a_reduction_from_the_lowest_price_of_thirty_days_is_announced(
    counter: Counter, clock: SetClock
) -> None:
    variant, now = counter.shop.variant_id, clock()
    days_ago = now - timedelta(days=10)
    async with counter.hub.db.session() as session:
        await prices.note(session, variant, "EUR", 3500, None, days_ago, days_ago + timedelta(days=1))
        await prices.note(session, variant, "EUR", 4900, None, days_ago + timedelta(days=1), None)
    draft = await counter.draft("flash", percent_off=40, minutes=5)
    async with counter.hub.db.session() as session:
        preview = await counter.hub.offers.preview(session, draft)
    [reference] = preview.references
    assert (reference.list_minor, reference.lowest_minor, reference.was_minor) == (4900, 3500, 3500)
    assert "cheaper within the last 30 days" in reference.why
    [item] = preview.offer.items
    assert (item.unit_minor, item.was_minor, item.percent) == (2940, 3500, 16)
    # What is no reduction by that price is sold all the same, but nothing is said to be cheaper.
    await counter.launch("quantity", percent_off=20, units=5)
    [shown] = await counter.seen()
    assert (shown.items[0].unit_minor, shown.items[0].was_minor, shown.items[0].percent) == (3920, None, None)


async def test_last_weeks_flash_price_is_this_weeks_reference(counter: Counter, clock: SetClock) -> None:
    flash = await counter.launch("flash", percent_off=40, minutes=5)
    clock.tick(300)
    await counter.end(flash.id)
    clock.tick(7 * 86400)
    await counter.launch("quantity", percent_off=50, units=5)
    shown = (await counter.seen())[0]
    assert (shown.items[0].unit_minor, shown.items[0].was_minor, shown.items[0].percent) == (2450, 2940, 16)
    # A month after the flash it is forgotten.
    clock.tick(31 * 86400)
    async with counter.hub.db.session() as session:
        lowest = await prices.lowest(session, counter.shop.variant_id, "EUR", clock())
    assert lowest == 2450


async def test_without_a_history_nothing_is_struck_through(counter: Counter) -> None:
    await counter.sql("DELETE FROM price_history")
    draft = await counter.draft("flash", percent_off=40, minutes=5)
    async with counter.hub.db.session() as session:
        preview = await counter.hub.offers.preview(session, draft)
    assert "nothing struck" in preview.references[0].why
    await counter.go_live(draft.id)
    [shown] = await counter.seen()
    assert (shown.items[0].unit_minor, shown.items[0].was_minor, shown.items[0].percent) == (2940, None, None)
