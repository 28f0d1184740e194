"""Many seeded evenings on one database: whatever happens in whatever order, nothing is sold twice."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import types as platform
from hub.app import services
from hub.connections.models import Connection
from hub.errors import Conflict, HubError, Unavailable
from hub.services import Services
from hub.stock.reserve import Held
from tests.hub.conftest import settings_for
from tests.hub.platforms import until
from tests.hub.shop import SetClock, Shop, open_shop

PRICE = platform.Money(amount=4900, currency="EUR")


async def shop_account(hub: Services, shop: Shop, name: str) -> Connection:
    async with hub.db.session() as session:
        row = Connection(brand_id=shop.brand_id, connector=name, name=name, config_sealed=b"")
        session.add(row)
    return row


def platform_order(number: int, at: datetime) -> platform.Order:
    line = platform.OrderLine(id=f"line-{number}", sku="BAG-RED", title="Bag", quantity=1, unit_price=PRICE)
    return platform.Order(
        id=f"order-{number}",
        number=str(number),
        state="paid",
        placed_at=at,
        updated_at=at,
        total=PRICE,
        lines=(line,),
        buyer=platform.Buyer(email=f"buyer-{number}@example.com"),
    )


async def test_fifty_bags_and_seventy_three_buyers_over_many_seeds(hub: Services) -> None:
    """Own holds and two shops' orders, each told once or twice, in any order, at the same time."""
    for seed in range(4):
        rng = random.Random(seed)
        shop = await open_shop(hub)
        accounts = [await shop_account(hub, shop, name) for name in ("shopify", "tiktok_shop")]
        held: list[Held] = []
        refused: list[str] = []

        async def own(shop: Shop = shop, held: list[Held] = held, refused: list[str] = refused) -> None:
            try:
                held.append(await shop.hold())
            except Conflict as error:
                refused.append(error.code)

        async def elsewhere(
            number: int, accounts: list[Connection] = accounts, rng: random.Random = rng
        ) -> None:
            order = platform_order(number, datetime(2026, 11, 24, 20, 0, tzinfo=UTC))
            for _ in range(rng.choice((1, 1, 2))):
                await hub.channels.apply(accounts[number % 2], order)

        acts = [own() for _ in range(33)] + [elsewhere(number) for number in range(40)]
        rng.shuffle(acts)
        await asyncio.gather(*acts)
        on_hand, holds, committed = await shop.stock()
        assert (on_hand, holds + committed) == (50, 50), f"seed {seed}"
        assert holds == len(held), f"seed {seed}"
        assert len(refused) + (40 - committed) == 23, f"seed {seed}"
        await shop.check_ledger()


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


class Evening:
    """What hypothesis plays with: a shelf, its holds, its sales, and what they must add up to."""

    def __init__(self, shop: Shop, clock: SetClock) -> None:
        self.shop = shop
        self.clock = clock
        self.holds: list[UUID] = []
        self.sold: list[UUID] = []

    async def act(self, what: str, number: int) -> None:
        hub, shop = self.shop.hub, self.shop
        try:
            if what == "hold":
                self.holds.append((await shop.hold(quantity=number % 4 + 1)).hold_id)
                return
            async with hub.db.session() as session:
                if what == "sell":
                    line = uuid4()
                    if await hub.stock.sell(session, shop.variant_id, number % 3 + 1, line):
                        self.sold.append(line)
                elif what == "give back" and self.sold:
                    await hub.stock.give_back(session, "order_line", self.sold[number % len(self.sold)])
                elif what == "commit" and self.holds:
                    await hub.stock.commit_hold(session, self.holds[number % len(self.holds)])
                elif what == "release" and self.holds:
                    await hub.stock.release_hold(session, self.holds[number % len(self.holds)])
                elif what == "expire":
                    self.clock.tick(number)
                    await hub.stock.expire_holds(session)
                elif what == "adjust":
                    await self.adjust(number)
        except Conflict as error:
            assert error.code in ("sold_out", "promised")  # noqa: PT017 - any other is a bug

    async def adjust(self, on_hand: int) -> None:
        hub, shop = self.shop.hub, self.shop
        async with hub.db.session() as session:
            seen = (await shop.row()).version
            wanted = (on_hand % 20, seen)
            await hub.stock.adjust(session, shop.brand_id, shop.variant_id, wanted, ("test", "counted"))


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["hold", "hold", "sell", "give back", "commit", "release", "expire", "adjust"]),
        st.integers(0, 95),
    ),
    min_size=4,
    max_size=25,
)


def test_any_order_of_any_acts_keeps_the_books(database_url_sync: str, nats_url: str, tmp_path: Path) -> None:
    """0 ≤ held + committed ≤ on hand, and the ledger sums to the table, after every single act."""
    with asyncio.Runner() as runner:
        clock = SetClock()
        opened = services(settings_for(tmp_path, database_url_sync, nats_url), {}, clock)
        hub = runner.run(opened.__aenter__())

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(ACTS)
        def play(acts: list[tuple[str, int]]) -> None:
            async def through() -> None:
                evening = Evening(await open_shop(hub, units=10), clock)
                for what, number in acts:
                    await evening.act(what, number)
                    await evening.shop.check_ledger()

            runner.run(through())

        try:
            play()
        finally:
            runner.run(opened.__aexit__(None, None, None))


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
    assert [row["taken"] for row in asking.result()] == [True, True, False]
    assert await shop.stock() == (2, 2, 0)
    await shop.check_ledger()
