"""The hub's own facts in the log: copied once, wherever it stopped, and again from nothing the same."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from hub.db import run
from hub.errors import NotFound, Unavailable
from hub.events.copier import Copier
from hub.events.log import NAMES
from hub.events.standing import count_show, rebuild_show
from hub.orders.models import Order
from hub.orders.timeline import note
from hub.payments.models import Refund
from hub.services import Services
from tests.hub.events.stage import Evening, rows_of, some_events
from tests.hub.shop import SetClock, Shop


@pytest.fixture
def copier(hub: Services) -> Copier:
    """One that does not wait for transactions: these tests have none under way."""
    return Copier(hub.db, hub.events.stream, hub.clock, behind=timedelta(0))


def evening_of(shop: Shop) -> Evening:
    return Evening(shop.brand_id, shop.show_id, shop.slug)


async def trade(hub: Services, shop: Shop, clock: SetClock) -> UUID:
    """One of everything: a hold, one that is let go, an order paid and half refunded, a message."""
    viewer = shop.viewer("a" * 32)
    clock.tick(10)
    first = await shop.hold(viewer.id)
    clock.tick(5)
    second = await shop.hold("b" * 32)
    async with hub.db.session() as session:
        await hub.checkout.release(session, shop.viewer("b" * 32), second.hold_id)
        show = await hub.shows.get(session, shop.brand_id, shop.show_id)
        await hub.chat.say(session, show, viewer, "Ana", "hello")
        order = Order(
            brand_id=shop.brand_id,
            show_id=shop.show_id,
            channel="own",
            number="1",
            state="paid",
            currency="EUR",
            total_minor=4900,
            captured_minor=4900,
            viewer_id=viewer.id,
            placed_at=clock(),
        )
        session.add(order)
        await session.flush()
        await note(session, order, "placed", "Ordered.")
        await note(session, order, "payment.paid", "Paid.")
        session.add(
            Refund(
                brand_id=shop.brand_id,
                order_id=order.id,
                amount_minor=1900,
                currency="EUR",
                state="done",
                key=uuid4().hex,
            )
        )
        await note(session, order, "refund.done", "Half of it.")
    assert first.hold_id != second.hold_id
    clock.tick(60)
    return order.id


async def copied(copier: Copier, count: int) -> None:
    """Copies until so many facts have come: news of the stock may have a transaction under way."""
    async with asyncio.timeout(30):
        while count:
            count -= await copier.copy()
    assert await copier.copy() == 0


async def test_everything_the_tables_know_is_in_the_log_once_with_its_show_time(
    hub: Services, shop: Shop, clock: SetClock, copier: Copier
) -> None:
    order_id = await trade(hub, shop, clock)
    await copied(copier, 7)
    await copier.copy_show(shop.show_id)
    await hub.events.sealer.seal()
    log, evening = hub.events.log, evening_of(shop)
    found = rows_of(log, evening, "kind, show_ms, viewer_id, value_minor, data", "ORDER BY kind, show_ms")
    assert [(kind, value) for kind, _, _, value, _ in found] == [
        ("chat", None),
        ("hold", 4900),
        ("hold", 4900),
        ("hold_end", 4900),
        ("order", 4900),
        ("pay", 4900),
        ("refund", 1900),
    ]
    assert [ms for kind, ms, *_ in found if kind.startswith("hold")] == [10_000, 15_000, 15_000]
    assert [data for kind, *_, data in found if kind == "hold_end"] == ['{"how":"release"}']
    assert not any("hello" in str(row) or "Ana" in str(row) for row in found)
    assert rows_of(log, evening, "DISTINCT order_id", "WHERE kind IN ('order', 'pay', 'refund')") == [
        (order_id,)
    ]
    assert rows_of(log, evening, "DISTINCT product_id", "WHERE kind = 'hold'") == [(shop.product_id,)]


async def test_a_late_fact_is_found_and_a_stream_that_is_away_costs_nothing(
    hub: Services, shop: Shop, copier: Copier
) -> None:
    await shop.hold()
    waiting = Copier(hub.db, hub.events.stream, hub.clock, behind=timedelta(minutes=1))
    assert await waiting.copy() == 0  # too fresh: something older may still be on its way
    hub.events.stream.why = "away"
    with pytest.raises(Unavailable):
        await copier.copy()
    hub.events.stream.why = ""
    await copied(copier, 1)
    async with hub.db.session() as session:
        # A transaction that is under way since before the next one holds the copy back.
        await run(session, text("SELECT 1"))
        await shop.hold()
        assert await copier.copy() == 0
    await copied(copier, 1)
    await hub.events.sealer.seal()
    assert rows_of(hub.events.log, evening_of(shop), "count(*)", "WHERE kind = 'hold'") == [(2,)]


async def test_a_log_that_is_rebuilt_equals_the_old_one_and_one_file_is_left(
    hub: Services, shop: Shop, clock: SetClock, copier: Copier
) -> None:
    await trade(hub, shop, clock)
    viewer = shop.viewer("a" * 32)
    for n in range(3):
        frame = {"t": "events", "n": n, "events": some_events(4)}
        await hub.events.keep(viewer, json.dumps(frame).encode())
        if n == 0:
            await copied(copier, 7)
        await hub.events.sealer.seal()
    log, evening = hub.events.log, evening_of(shop)
    assert len(log.files(shop.brand_id, shop.show_id)) == 3
    before = rows_of(log, evening, NAMES, 'ORDER BY "at", id')
    assert len(before) == 7 + 12
    shutil.rmtree(log.place(shop.brand_id, shop.show_id))
    assert rows_of(log, evening, NAMES) == []
    counts = await hub.events.rebuild(shop.brand_id, shop.show_id)
    assert counts["heartbeat"] == 12
    assert len(log.files(shop.brand_id, shop.show_id)) == 1
    assert rows_of(log, evening, NAMES) == before  # sorted already
    assert await hub.events.rebuild(shop.brand_id, shop.show_id) == counts
    assert rows_of(log, evening, NAMES) == before


async def test_the_command_counts_and_rebuilds_beside_a_running_hub(hub: Services, shop: Shop) -> None:
    await shop.hold()
    assert await count_show(hub.settings, shop.slug) == {}
    assert await rebuild_show(hub.settings, shop.slug) == {"hold": 1}
    assert await count_show(hub.settings, str(shop.show_id)) == {"hold": 1}
    with pytest.raises(NotFound):
        await count_show(hub.settings, "elsewhere")
