"""Holds over their life: how long, once longer, by which policy, who waits for them, who has to wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from hub.auth.tokens import Viewer
from hub.db import run
from hub.errors import Conflict
from hub.stock.ledger import check
from hub.stock.waitlist import Place, Queue
from tests.hub.stock.floor import Floor, outcomes


async def code(floor: Floor, viewer: str = "", **more: Any) -> str:
    """What a wish is refused with."""
    with pytest.raises(Conflict) as caught:
        await floor.hold(viewer, **more)
    return caught.value.code


async def state_of(floor: Floor, hold_id: UUID) -> str:
    [row] = await floor.sql("SELECT state FROM hold WHERE id = :id", id=hold_id)
    return str(row.state)


@pytest.mark.parametrize(("seconds", "lasts"), [(None, 90), (30, 30)])
async def test_a_hold_returns_when_its_time_is_up_and_not_before(
    floor: Floor, seconds: int | None, lasts: int
) -> None:
    await floor.sql("UPDATE show SET hold_seconds = :seconds", seconds=seconds)
    hold = await floor.hold()
    assert hold.expires_at - floor.clock() == timedelta(seconds=lasts)
    assert await floor.expire(lasts - 0.001) == 0
    assert await floor.expire(0.001) == 1
    assert await floor.counters() == (50, 0, 0)


async def test_a_bank_gets_more_time_once(floor: Floor) -> None:
    order = await floor.order(await floor.hold(), await floor.hold())
    until = floor.clock() + timedelta(minutes=10)
    async with floor.db.session() as session:
        assert await floor.stock.extend(session, order, until)
        assert not await floor.stock.extend(session, order, until + timedelta(minutes=10))
    assert await floor.expire(599) == 0
    assert await floor.expire(1) == 2
    async with floor.db.session() as session:
        assert not await floor.stock.extend(session, order, until)


async def test_an_order_under_review_keeps_its_stock(floor: Floor) -> None:
    order = await floor.order(await floor.hold())
    for minutes in (30, 60):
        async with floor.db.session() as session:
            assert await floor.stock.keep(session, order, floor.clock() + timedelta(minutes=minutes))
        assert await floor.expire(minutes * 60 - 1) == 0
    async with floor.db.session() as session:
        assert await floor.stock.commit_order(session, order)
        assert not await floor.stock.keep(session, order, floor.clock())


async def test_an_order_is_committed_whole_or_not_at_all(floor: Floor) -> None:
    scarf = await floor.sells(1)
    order = await floor.order(await floor.hold("ana"), await floor.hold("ana", variant_id=scarf))
    await floor.expire(90)
    other = await floor.hold("bo", variant_id=scarf)
    async with floor.db.session() as session:
        assert not await floor.stock.commit_order(session, order)
    assert await floor.counters() == (50, 0, 0)
    async with floor.db.session() as session:
        await floor.stock.release_hold(session, other.hold_id)
        assert await floor.stock.commit_order(session, order)
        assert await floor.stock.commit_order(session, order)
    assert await floor.counters() == (50, 0, 1)
    assert await floor.counters(scarf) == (1, 0, 1)


async def test_an_order_that_comes_to_nothing_gives_all_back(floor: Floor) -> None:
    await floor.offers("tiers", tiers=((40, 1), (20, None)))
    order = await floor.order(await floor.hold(), await floor.hold())
    async with floor.db.session() as session:
        assert await floor.stock.commit_order(session, order)
    assert await floor.tiers() == [1, 1]
    for _ in range(2):
        async with floor.db.session() as session:
            await floor.stock.release_order(session, order)
    assert await floor.counters() == (50, 0, 0)
    assert await floor.tiers() == [0, 0]


async def test_what_comes_back_is_on_the_shelf_once_per_cause(floor: Floor) -> None:
    await floor.offers("quantity", percent_off=10, units=1)
    hold = await floor.hold(quantity=1)
    cause = uuid4()
    async with floor.db.session() as session:
        await floor.stock.commit_hold(session, hold.hold_id)
        back = (session, floor.variant_id, 1, "return", cause, "staff")
        assert await floor.stock.restock(*back)
        assert not await floor.stock.restock(*back)
    assert await floor.counters() == (50, 0, 0)
    assert [row.taken for row in await floor.sql("SELECT taken FROM offer")] == [1]


async def test_a_hybrid_show_shortens_holds_when_more_is_wanted_than_there_is(floor: Floor) -> None:
    await floor.sql("UPDATE show SET hold_policy = 'hybrid'")
    assert (await floor.hold()).expires_at - floor.clock() == timedelta(seconds=90)
    held, codes = await outcomes([floor.reservations], [floor.wish() for _ in range(99)])
    assert (len(held), set(codes)) == (49, {"sold_out"})
    assert {one.expires_at - floor.clock() for one in held} == {timedelta(seconds=45)}


async def test_where_the_first_to_pay_gets_it_nothing_is_kept_for_who_looks(floor: Floor) -> None:
    await floor.sql("UPDATE show SET hold_policy = 'first_paid'")
    coat = await floor.sells(1)
    slow, quick = await floor.hold("ana", variant_id=coat), await floor.hold("bo", variant_id=coat)
    assert await floor.counters(coat) == (1, 0, 0)
    async with floor.db.session() as session:
        assert await floor.stock.firm(session, [quick.hold_id], 90)
        assert not await floor.stock.firm(session, [slow.hold_id], 90)
    assert await floor.counters(coat) == (1, 1, 0)
    order = await floor.order(quick)
    async with floor.db.session() as session:
        assert await floor.stock.commit_order(session, order)
        assert not await floor.stock.commit_hold(session, slow.hold_id)
    assert await floor.counters(coat) == (1, 0, 1)
    await floor.expire(601)


async def test_a_buyer_has_so_many_of_one_thing(floor: Floor) -> None:
    await floor.sql("UPDATE show SET units_per_buyer = 3")
    hold = await floor.hold("ana", 2)
    assert await code(floor, "ana", quantity=2) == "limit"
    async with floor.db.session() as session:
        await floor.stock.commit_hold(session, hold.hold_id)
    assert await code(floor, "ana", quantity=2) == "limit"
    scarf = await floor.sells(5)
    assert (await floor.hold("ana", 3, variant_id=scarf)).quantity == 3


async def test_who_lets_every_hold_run_out_has_to_wait(floor: Floor) -> None:
    for _ in range(3):
        await floor.hold("ana")
        await floor.expire(90)
    with pytest.raises(Conflict) as caught:
        await floor.hold("ana")
    assert (caught.value.code, caught.value.extra["retry_after"]) == ("hoarding", 60)
    assert (await floor.hold("bo")).quantity == 1
    floor.clock.tick(60)
    assert (await floor.hold("ana")).quantity == 1


def viewer(floor: Floor, name: str) -> Viewer:
    return Viewer(name, floor.show_id, floor.brand_id, "evening")


async def wait(floor: Floor, queue: Queue, name: str) -> Place:
    async with floor.db.session() as session:
        return await queue.join(session, viewer(floor, name), floor.variant_id)


async def place(floor: Floor, queue: Queue, name: str) -> Place | None:
    async with floor.db.session() as session:
        return next(iter(await queue.places(session, viewer(floor, name))), None)


async def test_a_freed_unit_goes_to_who_waits_longest_before_newcomers(floor: Floor) -> None:
    queue = Queue(floor.db, floor.clock, floor.reservations, floor.stock)
    holds = [await floor.hold(quantity=5) for _ in range(9)]
    with pytest.raises(Conflict, match="some left"):
        await wait(floor, queue, "ana")
    single = [await floor.hold() for _ in range(5)]
    assert [(await wait(floor, queue, name)).position for name in ("ana", "bo", "cy", "bo")] == [1, 2, 3, 2]

    async with floor.db.session() as session:
        await floor.stock.release_hold(session, single[0].hold_id)
        await floor.stock.release_hold(session, single[1].hold_id)
    assert await code(floor, "newcomer") == "sold_out"
    assert await code(floor, "cy") == "sold_out"
    assert await queue.offer_freed() == 2
    ana = await place(floor, queue, "ana")
    assert ana is not None
    assert (ana.state, ana.offered_until) == ("offered", floor.clock() + timedelta(seconds=45))
    assert await code(floor, "ana") == "limit"
    assert (await place(floor, queue, "cy")).position == 1  # type: ignore[union-attr]

    # Ana pays; Bo lets it lapse, and it is offered to Cy.
    async with floor.db.session() as session:
        assert ana.hold_id
        assert await floor.stock.commit_hold(session, ana.hold_id)
    assert await floor.expire(45) == 1
    assert await place(floor, queue, "bo") is None
    assert await queue.offer_freed() == 1
    assert (await place(floor, queue, "cy")).state == "offered"  # type: ignore[union-attr]
    async with floor.db.session() as session:
        await queue.leave(session, viewer(floor, "cy"), floor.variant_id)
        await floor.stock.release_hold(session, holds[0].hold_id)
    states = [row.state for row in await floor.sql("SELECT state FROM waitlist ORDER BY n")]
    assert states == ["taken", "lapsed", "left"]
    assert (await floor.hold("newcomer")).available == 5


async def adjust(floor: Floor, on_hand: int, place_id: UUID | None = None) -> None:
    [row] = await floor.sql("SELECT version FROM stock")
    async with floor.db.session() as session:
        wanted, why = (on_hand, row.version), ("ana", "counted")
        await floor.stock.adjust(session, floor.brand_id, floor.variant_id, wanted, why, place_id)


async def test_goods_leave_the_first_place_first_and_come_back_to_the_last(floor: Floor) -> None:
    async with floor.db.session() as session:
        annex = await floor.stock.places.add(session, floor.brand_id, "Annex")
    await adjust(floor, 10, annex.id)
    async with floor.db.session() as session:
        assert await floor.stock.sell(session, floor.variant_id, 53, uuid4())

    async def at_places() -> list[tuple[int, int]]:
        query = "SELECT on_hand, committed FROM stock_at JOIN stock_place ON id = place_id ORDER BY position"
        return [(row.on_hand, row.committed) for row in await floor.sql(query)]

    assert await at_places() == [(50, 50), (10, 3)]
    async with floor.db.session() as session:
        await floor.stock.restock(session, floor.variant_id, 4, "return", uuid4(), None)
    await adjust(floor, 52)
    assert await at_places() == [(50, 49), (2, 0)]
    with pytest.raises(Conflict, match="already sold"):
        await adjust(floor, 48)


async def test_the_check_names_whatever_does_not_add_up(floor: Floor) -> None:
    """Every counter is put out by one and found."""
    await floor.offers("tiers", tiers=((40, 5), (20, None)))
    await floor.hold()
    wrongs = {
        "ledger": "UPDATE stock SET on_hand = on_hand + 1",
        "holds": "UPDATE hold SET quantity = 2",
        "places": "UPDATE stock_at SET on_hand = on_hand + 1",
        "place": """
            INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, place_id,
                                        created_at)
            SELECT gen_random_uuid(), brand_id, variant_id, kind, 1, 'test', id::text, place_id, created_at
            FROM stock_movement WHERE kind = 'receive'
        """,
        "offer": "UPDATE offer SET taken = taken + 1",
        "tier": "UPDATE offer_tier SET taken = taken + 1",
    }
    for what, statement in wrongs.items():
        async with floor.db.session() as session:
            await run(session, text(statement))
            assert what in {one.what for one in await check(session)}
            await session.rollback()
