"""Holds: exact under any crowd, timed, and the same answer for the same key."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from hub.errors import Conflict, HubError, NotFound, Unavailable
from hub.services import Services
from hub.stock.reserve import Taken, Wish, turn_of
from hub.stock.service import AT_ONCE
from hub.work.clockwork import clockwork
from hub.work.jobs import job_app
from tests.hub.shop import SetClock, Shop, open_shop


async def outcomes(shop: Shop, wishes: list[Wish]) -> tuple[list[Taken], list[str]]:
    """(holds, codes of the refusals)."""
    answers = await asyncio.gather(
        *(shop.hub.reservations.take(wish) for wish in wishes), return_exceptions=True
    )
    held = [one for one in answers if isinstance(one, Taken)]
    codes = [one.code for one in answers if isinstance(one, HubError)]
    assert len(held) + len(codes) == len(wishes), answers
    return held, codes


async def test_fifty_bags_and_seventy_three_buyers_end_as_fifty_and_twenty_three(shop: Shop) -> None:
    held, codes = await outcomes(shop, [shop.wish() for _ in range(73)])
    assert len(held) == 50
    assert codes == ["sold_out"] * 23
    assert await shop.stock() == (50, 50, 0)
    await shop.check_ledger()


async def test_the_same_key_gives_the_same_hold(shop: Shop) -> None:
    first = await shop.hold("ana", key="click-number-1")
    again = await asyncio.gather(*(shop.hold("ana", key="click-number-1") for _ in range(5)))
    assert {one.hold_id for one in again} == {first.hold_id}
    assert {one.expires_at for one in again} == {first.expires_at}
    assert await shop.stock() == (50, 1, 0)


async def test_anothers_key_is_refused(shop: Shop) -> None:
    await shop.hold("ana", key="click-number-1")
    with pytest.raises(Conflict, match="fresh random key"):
        await shop.hold("bo", key="click-number-1")


async def test_nobody_holds_more_than_five(shop: Shop) -> None:
    _, codes = await outcomes(shop, [shop.wish("ana") for _ in range(8)])
    assert codes == ["limit"] * 3
    assert await shop.stock() == (50, 5, 0)


async def test_an_unknown_variant_is_not_found_and_costs_the_others_nothing(shop: Shop) -> None:
    odd = Wish(shop.brand_id, shop.show_id, "eve", uuid4(), 1, "click-number-9")
    held, codes = await outcomes(shop, [shop.wish(), odd, shop.wish()])
    assert len(held) == 2
    assert codes == ["variant_unknown"]


async def test_anothers_brand_cannot_be_bought_from(shop: Shop, hub: Services) -> None:
    other = await open_shop(hub)
    with pytest.raises(NotFound):
        await hub.reservations.take(
            Wish(shop.brand_id, shop.show_id, "eve", other.variant_id, 1, "click-number-9")
        )


async def test_a_small_wish_behind_one_too_large_still_gets_the_last_unit(hub: Services) -> None:
    shop = await open_shop(hub, units=2)
    held, codes = await outcomes(shop, [shop.wish(quantity=3), shop.wish(quantity=1), shop.wish(quantity=1)])
    assert [one.quantity for one in held] == [1, 1]
    assert codes == ["sold_out"]


async def test_a_hold_not_paid_for_returns_after_ninety_seconds(shop: Shop, clock: SetClock) -> None:
    hold = await shop.hold()
    assert (hold.expires_at - clock()).total_seconds() == 90
    clock.tick(89.9)
    async with shop.hub.db.session() as session:
        assert await shop.hub.stock.expire_holds(session) == []
    clock.tick(0.1)
    async with shop.hub.db.session() as session:
        [ended] = await shop.hub.stock.expire_holds(session)
    assert ended.id == hold.hold_id
    assert await shop.stock() == (50, 0, 0)
    await shop.check_ledger()


async def test_a_whole_rush_that_is_over_is_back_within_a_second_and_with_who_waits(
    hub: Services, clock: SetClock
) -> None:
    """More than one transaction takes, by one tick; how late the news is is measured by the benchmarks."""
    [job] = [one for one in clockwork(hub, job_app(hub)).get_jobs() if one.id == "expire holds"]
    began, late = datetime.now(UTC), timedelta(seconds=7)
    first = job.trigger.get_next_fire_time(None, began)
    assert first - began <= timedelta(seconds=0.5)
    # After a tick that took long, or a pause of the machine, the next one is as near as ever.
    assert job.trigger.get_next_fire_time(first, first + late) - first - late <= timedelta(seconds=0.5)
    count = AT_ONCE + 1
    shop = await open_shop(hub, units=count)
    await asyncio.gather(*(shop.hold() for _ in range(count)))
    waiter = shop.viewer("next")
    async with hub.db.session() as session:
        await hub.waitlist.join(session, waiter, shop.variant_id)
    clock.tick(89.999)
    await job.func()
    assert await shop.stock() == (count, count, 0)
    clock.tick(0.001)
    await job.func()
    assert await shop.stock() == (count, 1, 0)
    async with hub.db.session() as session:
        [place] = await hub.waitlist.places(session, waiter)
    assert place.state == "offered"


async def test_a_hold_that_is_over_is_said_to_be_over(shop: Shop, clock: SetClock) -> None:
    await shop.hold("ana", key="click-number-1")
    clock.tick(91)
    async with shop.hub.db.session() as session:
        await shop.hub.stock.expire_holds(session)
    with pytest.raises(Conflict, match="has ended"):
        await shop.hold("ana", key="click-number-1")


async def test_a_hold_is_committed_once_however_often_it_is_said(shop: Shop) -> None:
    hold = await shop.hold()
    for _ in range(3):
        async with shop.hub.db.session() as session:
            assert await shop.hub.stock.commit_hold(session, hold.hold_id)
    assert await shop.stock() == (50, 0, 1)
    await shop.check_ledger()


async def test_a_payment_a_moment_too_late_still_gets_stock_that_is_left(shop: Shop, clock: SetClock) -> None:
    hold = await shop.hold()
    clock.tick(91)
    async with shop.hub.db.session() as session:
        await shop.hub.stock.expire_holds(session)
        assert await shop.hub.stock.commit_hold(session, hold.hold_id)
    assert await shop.stock() == (50, 0, 1)
    await shop.check_ledger()


async def test_a_payment_too_late_for_sold_out_stock_is_refused(hub: Services, clock: SetClock) -> None:
    shop = await open_shop(hub, units=1)
    hold = await shop.hold()
    clock.tick(91)
    async with hub.db.session() as session:
        await hub.stock.expire_holds(session)
    await shop.hold("quicker")
    async with hub.db.session() as session:
        assert not await hub.stock.commit_hold(session, hold.hold_id)
    assert await shop.stock() == (1, 1, 0)


async def test_who_comes_while_another_process_decides_is_judged_with_the_next(
    shop: Shop, hub: Services
) -> None:
    other = await open_shop(hub)
    async with hub.db.pool.acquire() as elsewhere:
        async with elsewhere.transaction():
            await elsewhere.execute("SELECT pg_advisory_xact_lock($1)", turn_of(shop.show_id))
            first = asyncio.create_task(shop.hold("ana"))
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while not await elsewhere.fetchval(waiting):
                await asyncio.sleep(0.001)
            late = asyncio.create_task(shop.hold("bo"))
            apart = asyncio.create_task(other.hold("cy"))
        [one, two, three] = await asyncio.gather(first, late, apart)
        written = "SELECT xmin::text FROM hold WHERE id = $1"
        a, b, c = [await elsewhere.fetchval(written, held.hold_id) for held in (one, two, three)]
    assert a == b  # in one transaction
    assert c != a  # whose shelf was not locked


async def test_who_comes_while_a_bad_wish_is_tried_again_is_not_swallowed_with_it(
    shop: Shop, hub: Services
) -> None:
    async with hub.db.pool.acquire() as one, hub.db.pool.acquire() as two:
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        turn = "SELECT pg_advisory_xact_lock($1)"
        first, second = one.transaction(), two.transaction()
        await first.start()
        await second.start()
        await one.execute(turn, turn_of(shop.show_id))
        bad = asyncio.create_task(hub.reservations.take(replace(shop.wish(), viewer_id="\0")))
        while await one.fetchval(waiting) < 1:
            await asyncio.sleep(0.001)
        behind = asyncio.create_task(two.execute(turn, turn_of(shop.show_id)))
        while await one.fetchval(waiting) < 2:
            await asyncio.sleep(0.001)
        await first.rollback()
        await behind  # the batch has failed, and is tried wish by wish
        while await one.fetchval(waiting) < 1:
            await asyncio.sleep(0.001)
        good = asyncio.create_task(shop.hold("bo"))
        await asyncio.sleep(0)
        await second.rollback()
        with pytest.raises(Unavailable):
            await bad
        await asyncio.wait_for(good, 20)
    assert await shop.stock() == (50, 1, 0)


@pytest.mark.parametrize("seed", range(5))
async def test_no_mixture_of_events_oversells(hub: Services, clock: SetClock, seed: int) -> None:
    """Buyers, platforms, payments, changes of mind and the sweep, all at once, over seeds."""
    rng = random.Random(seed)
    shop = await open_shop(hub, units=30)
    holds: list[Taken] = []

    async def buy() -> None:
        held, codes = await outcomes(shop, [shop.wish(quantity=rng.choice((1, 1, 1, 2, 4)))])
        holds.extend(held)
        assert set(codes) <= {"sold_out"}

    async def sell_elsewhere() -> None:
        async with hub.db.session() as session:
            await hub.stock.sell(session, shop.variant_id, rng.choice((1, 1, 3)), uuid4())

    async def finish() -> None:
        if holds:
            one = rng.choice(holds)
            async with hub.db.session() as session:
                if rng.random() < 0.6:
                    await hub.stock.commit_hold(session, one.hold_id)
                else:
                    await hub.stock.release_hold(session, one.hold_id)

    async def sweep() -> None:
        clock.tick(rng.choice((0, 20, 50)))
        async with hub.db.session() as session:
            await hub.stock.expire_holds(session)

    for _ in range(12):
        acts = rng.choices((buy, sell_elsewhere, finish, sweep), (8, 2, 4, 1), k=12)
        await asyncio.gather(*(act() for act in acts))
        await shop.check_ledger()
