"""Many seeded evenings on one database: whatever happens in whatever order, nothing is sold twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg

from hub.app import services
from hub.errors import HubError, Unavailable
from hub.services import Services
from hub.stock.decide import Grant
from tests.hub.conftest import settings_for
from tests.hub.platforms import until
from tests.hub.shop import SetClock, Shop, open_shop
from tests.hub.stock.crowd import play


async def test_fifty_bags_and_eighty_five_buyers_over_many_seeds(hub: Services) -> None:
    """Own site, comments and two shops at once; a thousand seeds are played in tests/soak."""
    for seed in range(3):
        await play(hub, seed)


async def test_a_connection_killed_in_the_middle_of_a_batch_loses_and_doubles_nothing(
    hub: Services, shop: Shop
) -> None:
    """The backends of the hot path are shot while 200 buyers click; each clicks again until answered."""
    killer = await asyncpg.connect(hub.db.url)
    answered = asyncio.Event()

    async def click(key: str) -> str:
        while True:
            try:
                return str((await shop.hold(key=key, viewer=key)).hold_id)
            except Unavailable:
                continue
            except HubError as error:
                return error.code
            finally:
                answered.set()

    buyers = [asyncio.create_task(click(f"click-number-{n}")) for n in range(200)]
    for _ in range(5):
        await killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await asyncio.wait(buyers, timeout=0.005)
    got = await asyncio.gather(*buyers)
    await killer.close()
    assert len({one for one in got if one != "sold_out"}) == 50
    assert got.count("sold_out") == 150
    assert await shop.stock() == (50, 50, 0)
    await shop.check_ledger()


async def test_a_hold_outlives_the_process_that_took_it(
    database_url: str, nats_url: str, tmp_path: Path, clock: SetClock
) -> None:
    here = settings_for(tmp_path, database_url, nats_url)
    async with services(here, {}, clock) as first:
        shop = await open_shop(first, units=1)
        hold = await shop.hold("ana", key="click-number-1")
    clock.tick(89)
    async with services(here, {}, clock) as second:
        shop.hub = second
        assert (await shop.hold("ana", key="click-number-1")).hold_id == hold.hold_id
        async with second.db.session() as session:
            assert await second.stock.expire_holds(session) == []
        clock.tick(1)
        async with second.db.session() as session:
            assert [one.id for one in await second.stock.expire_holds(session)] == [hold.hold_id]
        assert (await shop.hold("bo")).quantity == 1


async def test_each_cause_counts_once_in_the_ledger(hub: Services, shop: Shop, clock: SetClock) -> None:
    line = uuid4()
    clock.tick(1)
    async with hub.db.session() as session:
        assert await hub.stock.sell(session, shop.variant_id, 2, line)
    clock.tick(1)
    for _ in range(3):
        async with hub.db.session() as session:
            await hub.stock.give_back(session, "order_line", line)
    assert await shop.stock() == (50, 0, 0)
    kinds = [movement.kind for movement in await shop.movements()]
    assert kinds == ["receive", "external_sale", "uncommit"]


async def test_a_buyer_who_comes_ninety_seconds_later_gets_what_was_not_paid_for(
    hub: Services, clock: SetClock
) -> None:
    shop = await open_shop(hub, units=1)
    hold = await shop.hold()
    assert hold.expires_at - clock() == timedelta(seconds=90)
    clock.tick(90)
    async with hub.db.session() as session:
        await hub.stock.expire_holds(session)
    assert (await shop.hold("bo")).available == 0


async def waits_for_a_lock(hub: Services) -> bool:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(await hub.db.pool.fetchval(waiting))


async def test_a_batch_that_waited_for_a_return_sees_what_was_returned(hub: Services) -> None:
    """Constraints are checked on the row as it was before the wait: sums made of that one are refused."""
    shop = await open_shop(hub, units=2)
    hold = await shop.hold(quantity=2)
    async with asyncio.TaskGroup() as group, hub.db.session() as session:
        await hub.stock.release_hold(session, hold.hold_id)
        asking = group.create_task(hub.reservations.ask([shop.wish() for _ in range(3)]))
        await until(lambda: waits_for_a_lock(hub))
    assert [isinstance(answer, Grant) for answer in asking.result()] == [True, True, False]
    assert await shop.stock() == (2, 2, 0)
    await shop.check_ledger()
