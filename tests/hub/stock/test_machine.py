"""hypothesis plays shop: any order of any acts keeps stock, offers, money and ledger right."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from hub.errors import Conflict
from hub.stock.reserve import Taken
from tests.hub.shop import SetClock
from tests.hub.stock.floor import Floor, standing

T = TypeVar("T")
REFUSALS = {"sold_out", "limit", "tier_split", "offer_over", "hoarding"}
LIST = 10_000
STEPS = ((40, 3), (30, 4), (20, None))
PICK = st.integers(0, 1000)
WHAT = ["plain", "scarf", "bundle"]


class Trading(RuleBasedStateMachine):
    """One variant in a tiered offer, one without, a bundle of both, and orders over them."""

    url: str
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.clock = SetClock()
        self.opened: AbstractAsyncContextManager[Floor] = standing(self.url, self.clock, units=14)
        self.floor = self.do(self.opened.__aenter__())
        self.scarf = self.do(self.floor.sells(8, 3000))
        self.set_ = self.do(self.floor.bundles({self.floor.variant_id: 1, self.scarf: 2}, 12_345))
        self.do(self.floor.offers("tiers", tiers=STEPS))
        self.holds: list[Taken] = []
        self.orders: dict[UUID, int] = {}
        self.paid: dict[UUID, int] = {}
        self.sales: list[UUID] = []

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def _with_session(self, verb: str, *args: Any) -> Any:
        async with self.floor.db.session() as session:
            return await getattr(self.floor.stock, verb)(session, *args)

    def room(self, verb: str, *args: Any) -> Any:
        return self.do(self._with_session(verb, *args))

    @rule(
        what=st.sampled_from(["plain", "scarf", "bundle"]), quantity=st.integers(1, 3), who=st.integers(0, 5)
    )
    def hold(self, what: str, quantity: int, who: int) -> None:
        variant = {"plain": self.floor.variant_id, "scarf": self.scarf, "bundle": self.set_}[what]
        try:
            taken = self.do(self.floor.hold(f"viewer-{who}", quantity, variant_id=variant))
        except Conflict as refusal:
            assert refusal.code in REFUSALS  # noqa: PT017 - any other is a bug
            return
        total = sum(one.unit_minor * one.quantity for one in taken.holds)
        assert total == taken.unit_minor * taken.quantity
        if what == "plain":
            assert taken.unit_minor in (6000, 7000, 8000)
        self.holds.append(taken)

    @rule(pick=PICK)
    def order(self, pick: int) -> None:
        if self.holds:
            taken = self.holds.pop(pick % len(self.holds))
            order_id = self.do(self.floor.order(taken))
            self.orders[order_id] = taken.unit_minor * taken.quantity

    @rule(pick=PICK, seconds=st.integers(1, 100))
    def bank(self, pick: int, seconds: int) -> None:
        if self.orders:
            order_id = [*self.orders][pick % len(self.orders)]
            self.room("extend", order_id, self.clock() + timedelta(seconds=seconds))

    @rule(pick=PICK)
    def pay(self, pick: int) -> None:
        if self.orders:
            order_id = [*self.orders][pick % len(self.orders)]
            if self.room("commit_order", order_id):
                self.paid[order_id] = self.orders.pop(order_id)

    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        known = [*self.orders, *self.paid]
        if known:
            order_id = known[pick % len(known)]
            self.room("release_order", order_id)
            self.orders.pop(order_id, None)
            self.paid.pop(order_id, None)

    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        if self.holds:
            self.room("release_hold", self.holds.pop(pick % len(self.holds)).hold_id)

    @rule(seconds=st.sampled_from([0, 1, 45, 90]))
    def expire(self, seconds: int) -> None:
        self.do(self.floor.expire(seconds))

    @rule(quantity=st.integers(1, 3))
    def sell(self, quantity: int) -> None:
        line = uuid4()
        if self.room("sell", self.scarf, quantity, line):
            self.sales.append(line)

    @rule(pick=PICK)
    def take_back(self, pick: int) -> None:
        if self.sales:
            self.room("restock", self.scarf, 1, "order_line", self.sales[pick % len(self.sales)], None)

    @rule(on_hand=st.integers(0, 20))
    def count(self, on_hand: int) -> None:
        [row] = self.do(self.floor.sql("SELECT version FROM stock WHERE variant_id = :id", id=self.scarf))
        try:
            self.room("adjust", self.floor.brand_id, self.scarf, (on_hand, row.version), ("ana", "counted"))
        except Conflict as refusal:
            assert refusal.code == "promised"  # noqa: PT017 - any other is a bug

    @invariant()
    def books_are_right(self) -> None:
        assert self.do(self.floor.wrong()) == []
        for variant in (self.floor.variant_id, self.scarf):
            on_hand, held, committed = self.do(self.floor.counters(variant))
            assert 0 <= held + committed <= on_hand
        query = """
            SELECT order_id, sum(quantity * unit_minor) AS total FROM hold
            WHERE state = 'committed' AND order_id = ANY(:orders) GROUP BY 1
        """
        rows = self.do(self.floor.sql(query, orders=[*self.paid]))
        assert {row.order_id: int(row.total) for row in rows} == self.paid

    def teardown(self) -> None:
        self.do(self.opened.__aexit__(None, None, None))


def test_any_order_of_any_acts_keeps_the_books(database_url_sync: str) -> None:
    with asyncio.Runner() as runner:
        machine = type("Trades", (Trading,), {"url": database_url_sync, "runner": runner})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=6,
                stateful_step_count=18,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
