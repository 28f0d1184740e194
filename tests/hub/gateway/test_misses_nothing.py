"""Whatever dies, is slow, comes late or twice: what a screen ends up with is what a snapshot shows.

Several gateways and pages in one event loop whose time is made up, with trouble that hypothesis thinks of.
"""

from __future__ import annotations

import asyncio
import json
import selectors
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, Final
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.bus import Event
from hub.gateway.news import HEAD
from hub.gateway.room import Member, Room

SHOW: Final = UUID(int=7)
CHECK_EVERY: Final = 5.0
LATEST: Final = 0.3
"""Seconds that news are on their way at most; a gateway waits longer for a missing number."""


class MadeUpTime(asyncio.SelectorEventLoop):
    """Nobody waits: when nothing is left to do now, it is later."""

    def __init__(self) -> None:
        self._now = 0.0
        outer = self

        class Hurry(selectors.DefaultSelector):
            def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
                outer._now += timeout or 0.0
                return super().select(0)

        super().__init__(Hurry())

    def time(self) -> float:
        return self._now


class Table:
    """What was committed: every number, who may see it, and the newest stock."""

    def __init__(self) -> None:
        self.public: dict[int, bool] = {}
        self.stock = 0

    @property
    def seq(self) -> int:
        return len(self.public)

    def seen(self, *, staff: bool) -> set[int]:
        return {number for number, public in self.public.items() if public or staff}


class Gateway:
    """A room, the bus's way to it, and the looks into the table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.room = Room(table.seq, together=1)
        self.deaf = False

    def hear(self, event: Event) -> None:
        if not self.deaf:
            self.room.hear(event)

    def bus_is_back(self) -> None:
        self.deaf = False
        self.room.check(self.table.seq, doubt=True)

    async def keep_checking(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY)
            if not self.deaf:
                self.room.check(self.table.seq, doubt=False)


class Page:
    """What dashboards/api/src/gateway.ts does, in short."""

    def __init__(self, world: World, viewer_id: str | None) -> None:
        self.world = world
        self.viewer_id = viewer_id
        self.numbers: set[int] = set()
        self.stock = 0
        self.seq = 0
        self.gaps = 0
        self.wire: Wire | None = None
        self._held: list[dict[str, Any]] | None = None
        self._again = False

    def connect(self) -> None:
        if self.wire is None:
            self.wire = Wire(self, self.world.any_gateway())
            self.wire.room.join(self.wire.member, self.seq, "")

    def disconnect(self) -> None:
        if self.wire:
            self.wire.room.leave(self.wire.member)
            self.wire = None

    def receive(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["kind"] in ("hello", "gap"):
                self.gaps += event["kind"] == "gap"
                self.world.later(self.reload)
            elif self._held is not None:
                self._held.append(event)
            else:
                self._take(event)

    def reload(self) -> None:
        """The snapshot is read, and arrives a while later."""
        if self._held is not None:
            self._again = True
            return
        self._held, staff = [], self.viewer_id is None
        table = self.world.table
        shown = (table.seq, table.seen(staff=staff), table.stock)
        self.world.later(lambda: self._show(*shown))

    def _show(self, seq: int, numbers: set[int], stock: int) -> None:
        self.seq, self.numbers, self.stock = seq, {*numbers}, stock
        held, self._held = self._held or [], None
        for event in held:
            self._take(event)
        if self._again:
            self._again = False
            self.reload()

    def _take(self, event: dict[str, Any]) -> None:
        if event["kind"] == "stock.changed":
            self.stock = max(self.stock, event["data"]["version"])
        elif event["seq"] is not None and event["seq"] > self.seq:
            self.seq = event["seq"]
            self.numbers.add(self.seq)


class Wire:
    """One connection of a page; closed ones are silent."""

    def __init__(self, page: Page, gateway: Gateway) -> None:
        self.page = page
        self.room = gateway.room
        self.member = Member(self, page.viewer_id)

    def send(self, frame: bytearray, small: bytearray | None = None) -> int:
        if self.page.wire in (self, None):
            self.page.wire = self
            self.page.receive(json.loads(frame[HEAD:]))
        return len(frame) - HEAD

    def close(self) -> None:
        self.page.disconnect()
        self.page.world.later(self.page.connect)


class World:
    """Three gateways, three viewers, one member of staff."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.table = Table()
        self.gateways = [Gateway(self.table) for _ in range(3)]
        self.pages = [Page(self, None if name == "staff" else name) for name in ("ana", "bo", "cy", "staff")]
        self._tasks = [asyncio.create_task(one.keep_checking()) for one in self.gateways]

    def later(self, what: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(self.random.uniform(0, LATEST), what)

    def any_gateway(self) -> Gateway:
        return self.random.choice(self.gateways)

    def tell(self, event: Event) -> None:
        """To every gateway, late, perhaps twice."""
        for gateway in self.gateways:
            for _ in range(self.random.choice((1, 1, 2))):
                self.later(lambda gateway=gateway: gateway.hear(event))  # type: ignore[misc]

    def say(self) -> None:
        """Somebody says something, to all or to staff."""
        public = self.random.random() < 0.7
        self.table.public[self.table.seq + 1] = public
        audience = "viewer" if public else "staff"
        self.tell(
            Event.model_validate(
                {"show_id": SHOW, "kind": "message.added", "seq": self.table.seq, "audience": audience}
            )
        )

    def sell(self) -> None:
        """The stock changes, and nobody numbers that."""
        self.table.stock += 1
        data = {"version": self.table.stock}
        self.tell(Event(show_id=SHOW, kind="stock.changed", latest="one", data=data))

    def die_before_the_news(self) -> None:
        """A process commits and is killed."""
        self.table.public[self.table.seq + 1] = True

    def lose_the_bus(self) -> None:
        """Every gateway is deaf for a while, each for its own."""
        for gateway in self.gateways:
            gateway.deaf = True
            asyncio.get_running_loop().call_later(self.random.uniform(0.1, 3), gateway.bus_is_back)

    async def restart_a_gateway(self) -> None:
        """Its screens are told, or not; it knows nothing afterwards."""
        gateway = self.any_gateway()
        if self.random.random() < 0.5:
            await gateway.room.closed(500)
        else:
            for page in self.pages:
                if page.wire and page.wire.room is gateway.room:
                    page.wire.close()
        gateway.room = Room(self.table.seq, together=1)
        gateway.deaf = False

    def drop_a_screen(self) -> None:
        """Its network is gone for a moment."""
        page = self.random.choice(self.pages)
        page.disconnect()
        self.later(page.connect)

    def slow_a_screen(self) -> None:
        """It takes nothing for a while."""
        wire = self.random.choice(self.pages).wire
        if wire and not wire.member.behind:
            wire.room.fell_behind(wire.member)
            loop = asyncio.get_running_loop()
            loop.call_later(self.random.uniform(0, 2), lambda: wire.room.caught_up(wire.member))

    async def settle(self) -> None:
        """Time for whatever comes late."""
        await asyncio.sleep(3 * CHECK_EVERY)
        for task in self._tasks:
            task.cancel()


QUIET: Final = ("say", "sell", "wait")
TROUBLE: Final = (
    *("die_before_the_news", "lose_the_bus", "restart_a_gateway", "drop_a_screen", "slow_a_screen"),
)


async def live(doings: list[str], random: Random) -> World:
    world = World(random)
    for page in world.pages:
        page.connect()
    for doing in doings:
        if doing == "wait":
            await asyncio.sleep(random.uniform(0, 1))
        elif isinstance(done := getattr(world, doing)(), Coroutine):
            await done
    await world.settle()
    return world


def in_made_up_time(work: Coroutine[Any, Any, World]) -> World:
    with asyncio.Runner(loop_factory=MadeUpTime) as runner:
        return runner.run(work)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(QUIET * 3 + TROUBLE), max_size=60), st.integers(0, 1 << 32))
def test_what_a_screen_ends_up_with_is_what_a_snapshot_shows(doings: list[str], seed: int) -> None:
    world = in_made_up_time(live(doings, Random(seed)))
    for page in world.pages:
        assert page.wire is not None
        assert page.numbers == world.table.seen(staff=page.viewer_id is None)
        assert page.stock == world.table.stock


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(QUIET), max_size=60), st.integers(0, 1 << 32))
def test_without_trouble_nobody_is_told_of_any(doings: list[str], seed: int) -> None:
    world = in_made_up_time(live(doings, Random(seed)))
    assert sum(page.gaps for page in world.pages) == 0
