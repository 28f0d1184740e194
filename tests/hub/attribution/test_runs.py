"""From the tables to the answer: which orders count, live answers, versions, and what a kill leaves."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.attribution.models import AttributionRun
from hub.attribution.personal import erase
from hub.attribution.reckoning import connect
from hub.attribution.runs import KEPT
from hub.attribution.words import KEYS, MODELS, WINDOWS, Query
from hub.customers.models import Customer
from hub.events.log import EventLog
from hub.events.schema import ViewerEvent
from hub.links.models import TrackedLink
from hub.orders.models import Order
from hub.orders.outside import OutsideRefund
from hub.orders.timeline import OrderEvent
from hub.payments.models import Refund
from hub.privacy.who import Who
from hub.services import Services
from hub.visits.models import Touch
from tests.hub.market import Market, Trade
from tests.hub.shop import SetClock, Shop

API = "/api/v1/analytics/attribution"


class Evening:
    """Three people of one show: ana came twice and took a part back, bo came directly and cancelled, cy was
    never seen. Money: ana 10.00 less 3.00, bo 50.00 less 50.00, cy 7.00 dollars."""

    def __init__(self, hub: Services, shop: Shop) -> None:
        self.hub, self.shop, self.now = hub, shop, hub.clock()
        self.ana, self.bo = Customer(brand_id=shop.brand_id), Customer(brand_id=shop.brand_id)
        self.orders: dict[str, UUID] = {}

    async def write(self) -> None:
        async with self.hub.db.session() as session:
            link = TrackedLink(
                brand_id=self.shop.brand_id,
                show_id=self.shop.show_id,
                code=uuid4().hex[:8],
                title="The pinned one",
                utm_source="tiktok",
                utm_campaign="evening",
            )
            session.add_all([self.ana, self.bo, link])
            await session.flush()
            session.add_all(
                [
                    self.touch(self.ana, timedelta(days=3), "tiktok", link=link.id),
                    self.touch(self.ana, timedelta(hours=1), "mail"),
                    self.touch(self.bo, timedelta(hours=2), None),
                    self.touch(None, timedelta(hours=2), "youtube"),
                ]
            )
            ana = self.order(self.ana, 1000, refunded_minor=300)
            bo = self.order(self.bo, 5000, state="cancelled", captured_minor=5000, refunded_minor=2000)
            cy = self.order(None, 700, currency="USD")
            test = self.order(None, 99, test=True)
            unpaid = self.order(None, 98, state="expired")
            called_off = self.order(None, 97, state="cancelled")
            session.add_all([ana, bo, cy, test, unpaid, called_off])
            await session.flush()
            self.orders = {"ana": ana.id, "bo": bo.id}
            session.add_all([*self.refunds(ana, bo)])

    def refunds(self, ana: Order, bo: Order) -> list[Any]:
        both: dict[str, Any] = {"brand_id": self.shop.brand_id, "currency": "EUR"}
        tomorrow = self.now + timedelta(days=1)
        return [
            Refund(
                **both, order_id=ana.id, amount_minor=100, state="done", key=uuid4().hex, sent_at=tomorrow
            ),
            Refund(**both, order_id=ana.id, amount_minor=50, state="failed", key=uuid4().hex),
            OutsideRefund(**both, order_id=bo.id, external_id="1", amount_minor=2000, at=tomorrow),
            OrderEvent(
                brand_id=self.shop.brand_id,
                order_id=bo.id,
                at=self.now + timedelta(days=2),
                kind="cancelled",
                text="",
            ),
        ]

    def touch(
        self, who: Customer | None, ago: timedelta, source: str | None, link: UUID | None = None
    ) -> Touch:
        return Touch(
            brand_id=self.shop.brand_id,
            show_id=self.shop.show_id,
            visitor_id=uuid4().hex,
            customer_id=who.id if who else None,
            link_id=link,
            utm_source=source,
            channel_group="Organic Social" if source else "Direct",
            at=self.now - ago,
        )

    def order(self, who: Customer | None, total: int, **more: Any) -> Order:
        words: dict[str, Any] = {"state": "paid", "currency": "EUR", "captured_minor": total} | more
        if more.get("state") in ("cancelled", "expired") and "captured_minor" not in more:
            words["captured_minor"] = 0
        return Order(
            brand_id=self.shop.brand_id,
            show_id=self.shop.show_id,
            channel="own",
            number=uuid4().hex[:8],
            total_minor=total,
            customer_id=who.id if who else None,
            viewer_id="cy" if who is None and total == 700 else None,
            placed_at=self.now,
            updated_at=self.now + timedelta(days=5),
            **words,
        )


@pytest.fixture
async def evening(hub: Services, shop: Shop, clock: SetClock) -> Evening:
    clock.tick(7200)
    told = Evening(hub, shop)
    await told.write()
    return told


def money(rows: list[Any]) -> dict[tuple[str, str | None], tuple[int, str]]:
    """(key, currency) → (net, orders)."""
    return {
        (row["key"], row["currency"]): (row["credit_minor"], str(float(row["orders"])))
        for row in rows
        if row["currency"]
    }


async def asked(hub: Services, shop: Shop, **query: Any) -> Any:
    async with hub.db.session() as session:
        found = await hub.attribution.answer(session, shop.brand_id, Query(**query))
    return found.model_dump()


async def test_every_order_that_brought_money_is_credited_to_the_cent(
    hub: Services, shop: Shop, evening: Evening
) -> None:
    live = await asked(hub, shop, show_id=shop.show_id, model="position", window="7d")
    assert money(live["rows"]) == {
        ("tiktok", "EUR"): (350, "0.5"),
        ("mail", "EUR"): (350, "0.5"),
        ("(direct)", "EUR"): (0, "1.0"),
        ("direct / unknown", "USD"): (700, "1.0"),
    }
    youtube = next(row for row in live["rows"] if row["key"] == "youtube")
    assert (youtube["currency"], youtube["credit_minor"], youtube["touches"], youtube["persons"]) == (
        None,
        0,
        1,
        1,
    )
    sums = {total["currency"]: (total["credit_minor"], total["sold_minor"]) for total in live["totals"]}
    assert sums == {"EUR": (700, 6000), "USD": (700, 700)}
    assert live["version"] == "live"
    for window, wanted in {"session": {"mail": 700}, "24h": {"mail": 700}, "30d": {"tiktok": 700}}.items():
        found = await asked(hub, shop, show_id=shop.show_id, model="first", window=window)
        got = {
            row["key"]: row["credit_minor"]
            for row in found["rows"]
            if row["currency"] == "EUR" and row["credit_minor"]
        }
        assert got == wanted, window
    by_link = await asked(hub, shop, show_id=shop.show_id, model="first", window="30d", by="link")
    assert ("The pinned one", 700) in {(row["title"], row["credit_minor"]) for row in by_link["rows"]}


async def test_refunds_and_cancellations_count_on_their_own_day(
    hub: Services, shop: Shop, evening: Evening
) -> None:
    """Ana's second refund is known by its sum alone: it counts on the day of the order's last change."""
    days = []
    for day in range(6):
        begin = evening.now + timedelta(days=day)
        found = await asked(
            hub, shop, show_id=shop.show_id, model="last", since=begin, until=begin + timedelta(days=1)
        )
        [euros] = [total["credit_minor"] for total in found["totals"] if total["currency"] == "EUR"] or [0]
        days.append(euros)
    assert days == [6000, -2100, -3000, 0, 0, -200]


async def test_a_run_that_was_killed_is_done_by_the_next_and_answers_as_a_live_reckoning(
    hub: Services, shop: Shop, evening: Evening, tmp_path: Path
) -> None:
    watch(hub, shop, evening)
    runs = hub.attribution.runs
    async with hub.db.session() as session:
        begun = await runs.begin(session, shop.brand_id, "staff")
        assert (await runs.begin(session, shop.brand_id, "daily")).id == begun.id
    with killable(hub, begun.id) as child:
        await state_is(hub, begun.id, "running")
        # With its row locked it can't get past telling its next step.
        async with hub.db.session() as session:
            await session.get(AttributionRun, begun.id, with_for_update=True)
            child.send_signal(signal.SIGKILL)
            await asyncio.to_thread(child.wait)
    folder = tmp_path / "attribution" / str(shop.brand_id)
    assert not [*folder.glob("*.parquet")]
    assert [*folder.glob("reckoning-*")]
    await state_is(hub, begun.id, "running")
    await runs.run(begun.id)
    await runs.run(begun.id)
    assert [path.name for path in folder.glob("*.parquet")] == ["1.parquet"]
    for left in folder.glob("reckoning-*"):
        os.utime(left, (0, 0))
    await runs.find_due()
    assert not [*folder.glob("reckoning-*")]

    async with hub.db.session() as session:
        done = await runs.newest(session, shop.brand_id)
        assert done
        assert (done.state, done.orders, done.touches, done.percent) == ("done", 3, 4, 100)
        for n, model in enumerate(MODELS):
            query = Query(show_id=shop.show_id, model=model, window=WINDOWS[n % 4], by=KEYS[n % 5])
            kept = (await hub.attribution.of_run(session, done, query)).model_dump()
            live = (await hub.attribution.answer(session, shop.brand_id, query)).model_dump()
            assert (kept.pop("version"), live.pop("version")) == (1, "live")
            for name in ("as_of", "notes"):
                del kept[name], live[name]
            assert kept == live
        watched = [row for row in live["rows"] if row["key"] == "watched on our page"]
        assert [(row["currency"], row["influenced_minor"]) for row in watched] == [("USD", 700)]
        await forgotten(hub, done, evening)


async def forgotten(hub: Services, done: AttributionRun, evening: Evening) -> None:
    """Ana is erased from the file of a run: her money stays, her id does not."""
    ana, bo = str(evening.ana.id).encode(), str(evening.bo.id).encode()
    async with hub.db.session() as session:
        who = Who(brand_id=done.brand_id, customer_ids=(evening.ana.id,), folder=hub.settings.data)
        assert (await erase(session, who))["attribution_run"] > 0
        assert (await erase(session, who))["attribution_run"] == 0
        kept = await hub.attribution.of_run(session, done, Query(model="linear"))
    assert sum(row.credit_minor for row in kept.rows) == 1400
    [file] = (hub.settings.data / "attribution").rglob("*.parquet")
    with connect() as con:
        persons = {one for (one,) in con.execute(f"SELECT person FROM '{file}'").fetchall()}  # noqa: S608
    assert ana.decode() not in persons
    assert bo.decode() in persons
    assert ana not in file.read_bytes()


def watch(hub: Services, shop: Shop, evening: Evening) -> None:
    """Cy watched for three seconds, bo for two."""
    log = EventLog(hub.settings.data / "events")
    seen = [("cy", 0), ("cy", 3), ("bo", 0), ("bo", 2)]
    events = [
        ViewerEvent(
            id=uuid4(),
            brand_id=shop.brand_id,
            show_id=shop.show_id,
            viewer_id=viewer,
            kind="heartbeat",
            at=evening.now + timedelta(seconds=seconds),
            source="page",
        )
        for viewer, seconds in seen
    ]
    log.write(shop.brand_id, shop.show_id, list(enumerate(events, 1)))


async def test_a_brand_is_reckoned_when_a_show_ended_and_daily_if_something_changed(
    hub: Services, shop: Shop, evening: Evening, clock: SetClock
) -> None:
    runs = hub.attribution.runs

    async def due() -> list[str]:
        await runs.find_due()
        async with hub.db.session() as session:
            found = await runs.versions(session, shop.brand_id)
            for one in found:
                one.state = "done"
            return [one.reason for one in reversed(found)]

    assert await due() == ["daily"]
    assert await due() == ["daily"]
    clock.tick(60)
    async with hub.db.session() as session:
        show = await hub.shows.get(session, shop.brand_id, shop.show_id)
        await hub.shows.end(session, show)
    clock.tick(60)
    assert await due() == ["daily", "show_ended"]
    assert await due() == ["daily", "show_ended"]
    clock.tick(86400 * 6)
    await hub.db.pool.execute("UPDATE orders SET updated_at = $1", clock() - timedelta(minutes=1))
    assert await due() == ["daily", "show_ended", "daily"]
    clock.tick(86400 * 2)
    assert await due() == ["daily", "show_ended", "daily"]


async def state_is(hub: Services, run_id: UUID, state: str) -> None:
    """Wait for it."""
    for _ in range(6000):
        found = await hub.db.pool.fetchval("SELECT state FROM attribution_run WHERE id = $1", run_id)
        if found == state:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"it is {found}")


WORK = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
import hub.models
from hub.attribution.runs import Runs
from hub.clock import wall_clock
from hub.db import Database

async def main(url, folder, run_id):
    async with Database(url) as db:
        await Runs(db, wall_clock, Path(folder)).run(UUID(run_id))

asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def killable(hub: Services, run_id: UUID) -> Iterator[subprocess.Popen[bytes]]:
    """The job in a process of its own."""
    argv = [sys.executable, "-c", WORK, hub.db.url, str(hub.settings.data), str(run_id)]
    child = subprocess.Popen(argv)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


async def test_staff_start_versions_ask_them_and_compare_them(trade: Trade) -> None:
    market: Market = await trade()
    evening = Evening(market.hub, market.shop)
    await evening.write()
    owner, stranger = await market.owner(), await market.owner("Other")
    first = await owner.call("POST", f"{API}/runs", ok=202)
    assert (first["version"], first["state"], first["kept"]) == (1, "waiting", False)
    await market.work()
    await market.sql("UPDATE orders SET refunded_minor = 0 WHERE id = :id", id=evening.orders["ana"])
    # So many versions that the next one costs the oldest its file.
    await market.sql("UPDATE attribution_run SET version = 50")
    async with market.hub.db.session() as session:
        for version in range(1, KEPT):
            session.add(
                AttributionRun(
                    brand_id=market.shop.brand_id, version=version, reason="daily", state="done", path="x"
                )
            )
    await owner.call("POST", f"{API}/runs", ok=202)
    await market.work()
    [newest, before, *_] = await owner.call("GET", f"{API}/runs")
    assert [(one["version"], one["state"], one["kept"]) for one in (newest, before)] == [
        (51, "done", True),
        (50, "done", True),
    ]
    assert await market.states("attribution_run") == {"done": KEPT, "pruned": 1}
    assert "needs 1,000 ways" in newest["notes"][0]
    change = await owner.call("GET", f"{API}/runs/51/against/50?model=last")
    assert [(row["key"], row["change_minor"]) for row in change["rows"] if row["change_minor"]] == [
        ("mail", 300)
    ]
    await owner.call("GET", f"{API}/runs/51/against/1", ok=404)

    show = market.shop.show_id
    live = await owner.call("GET", f"{API}?show={show}&model=markov&window=24h&by=channel_group")
    assert (live["model"], live["used"], live["version"]) == ("markov", "linear", "live")
    assert "1,000" in live["notes"][0]
    assert {row["key"] for row in live["rows"]} >= {"Organic Social", "Direct", "direct / unknown"}
    order = evening.orders["ana"]
    facts = await owner.call("GET", f"{API}/orders/{order}?window=30d")
    assert (facts["bought"], facts["left_minor"], facts["used"]) == ("own", 1000, {"markov": "linear"})
    assert [touch["key"] for touch in facts["touches"]] == ["tiktok", "mail"]
    assert [touch["credits"]["last"] for touch in facts["touches"]] == [0, 1000]
    for model in MODELS:
        assert sum(touch["credits"][model] for touch in facts["touches"]) == 1000

    for path in (f"?show={show}", f"/orders/{order}", "/runs/50", "/runs/51/against/50"):
        await stranger.call("GET", API + path, ok=404)
    assert await stranger.call("GET", f"{API}/runs") == []
    assert (await stranger.call("GET", API))["rows"] == []
