"""A room's promises: in order, once, to those it is for, and a slow screen costs nobody else."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from hub.bus import Event
from hub.gateway.deflate import LEAST, inflated
from hub.gateway.figures import Figures
from hub.gateway.news import HEAD
from hub.gateway.room import MOST_PENDING, TOGETHER, Member, Room

SHOW = uuid4()


class Screen:
    """Takes frames."""

    def __init__(self) -> None:
        self.frames: list[list[dict[str, Any]]] = []
        self.small: list[bytes | None] = []
        self.closed = False
        self.heard = asyncio.Event()

    def send(self, frame: bytearray, small: bytearray | None = None) -> int:
        self.frames.append(json.loads(frame[HEAD:]))
        self.small.append(None if small is None else bytes(small[HEAD:]))
        self.heard.set()
        return len(frame) - HEAD

    def close(self) -> None:
        self.closed = True

    def kinds(self) -> list[str]:
        return [event["kind"] for frame in self.frames for event in frame]

    def seqs(self) -> list[int]:
        return [event["seq"] for frame in self.frames for event in frame if event["seq"] is not None]

    async def hears(self, kind: str) -> None:
        async with asyncio.timeout(20):
            while kind not in self.kinds():
                self.heard.clear()
                await self.heard.wait()


def said(number: int, **how: Any) -> Event:
    return Event(**{"show_id": SHOW, "kind": "message.added", "seq": number, "data": {"n": number}, **how})


def inside(
    room: Room, viewer_id: str | None = "ana", after: int | None = None, *, inflates: bool = False
) -> tuple[Member, Screen]:
    screen = Screen()
    member = Member(screen, viewer_id, inflates)
    room.join(member, after, "2026-11-24T20:00:00+00:00")
    return member, screen


async def test_a_newcomer_is_greeted_with_the_number_to_begin_from() -> None:
    _, screen = inside(Room(seq=7))
    hello = {"seq": 7, "server_time": "2026-11-24T20:00:00+00:00", "viewers": 1}
    assert screen.frames == [[{"kind": "hello", "seq": None, "data": hello}]]


async def test_what_arrives_together_travels_in_one_frame() -> None:
    room = Room(seq=0)
    _, screen = inside(room)
    for number in range(1, 6):
        room.hear(said(number))
    await screen.hears("message.added")
    assert [event["seq"] for event in screen.frames[1]] == [1, 2, 3, 4, 5]


async def test_a_returning_screen_gets_exactly_what_it_missed() -> None:
    room = Room(seq=0)
    for number in range(1, 11):
        room.hear(said(number, audience="staff" if number == 8 else "viewer"))
    assert inside(room, after=6)[1].seqs() == [7, 9, 10]
    assert inside(room, None, after=6)[1].seqs() == [7, 8, 9, 10]


async def test_a_screen_that_missed_more_than_is_kept_is_told_to_start_over() -> None:
    assert inside(Room(seq=400), after=100)[1].kinds() == ["hello", "gap"]
    room = Room(seq=0)
    for number in range(1, 200):
        room.hear(said(number).model_copy(update={"data": {"text": "x" * 1000}}))
    assert inside(room, after=1)[1].kinds() == ["hello", "gap"]


async def test_numbers_that_overtake_each_other_or_come_twice_are_told_in_order_and_once() -> None:
    room = Room(seq=0)
    _, screen = inside(room)
    for number in (2, 1, 1, 3, 2, 6, 5, 6, 4):
        room.hear(said(number))
    await screen.hears("message.added")
    assert screen.seqs() == [1, 2, 3, 4, 5, 6]
    assert "gap" not in screen.kinds()


async def test_a_number_that_never_comes_is_a_gap_and_nobody_is_brought_up_to_date_past_it() -> None:
    room = Room(seq=0)
    _, screen = inside(room)
    for number in (1, 3, 5):
        room.hear(said(number))
    await screen.hears("gap")
    assert screen.seqs() == [1, 3, 5]
    assert screen.kinds()[2] == "gap"
    room.hear(said(6))
    assert inside(room, after=5)[1].seqs() == [6]
    assert inside(room, after=1)[1].kinds() == ["hello", "gap"]


async def test_one_number_may_have_news_for_staff_and_news_for_viewers() -> None:
    room = Room(seq=0)
    _, screen = inside(room)
    room.hear(said(1, audience="staff"))
    room.hear(said(1))
    await screen.hears("message.added")
    assert screen.seqs() == [1]
    assert inside(room, after=0)[1].seqs() == [1]


async def test_a_slow_screen_gets_a_gap_and_the_others_everything() -> None:
    figures = Figures()
    room = Room(0, figures)
    member, slow = inside(room, "slow")
    _, quick = inside(room, "quick")
    room.fell_behind(member)
    room.hear(said(1))
    await quick.hears("message.added")
    assert slow.kinds() == ["hello"]
    assert (figures.behind, figures.dropped_frames) == (1, 1)
    room.caught_up(member)
    assert slow.kinds() == ["hello", "gap"]
    room.hear(said(2))
    await slow.hears("message.added")
    assert (slow.seqs(), quick.seqs()) == ([2], [1, 2])
    assert (figures.behind, figures.snapshots_asked) == (0, 1)


async def test_a_screen_that_was_slow_while_nothing_happened_missed_nothing() -> None:
    room = Room(seq=0)
    member, screen = inside(room)
    room.fell_behind(member)
    room.caught_up(member)
    assert screen.kinds() == ["hello"]


async def test_more_than_anybody_could_read_becomes_a_snapshot() -> None:
    figures = Figures()
    room = Room(0, figures)
    _, screen = inside(room)
    for number in range(1, MOST_PENDING + 2):
        room.hear(said(number))
    room.hear(said(MOST_PENDING + 2))
    await screen.hears("message.added")
    assert screen.kinds() == ["hello", "gap", "message.added"]
    assert figures.shed == MOST_PENDING + 1


def stock(variant: str, version: int, **how: Any) -> Event:
    data = {"variant_id": variant, "version": version}
    return Event(show_id=SHOW, kind="stock.changed", latest=variant, data=data, **how)


async def test_of_what_only_the_newest_counts_the_newest_is_sent_even_if_it_came_first() -> None:
    room = Room(seq=0)
    _, screen = inside(room)
    _, staff = inside(room, None)
    for event in (stock("a", 1), stock("b", 7), said(1), stock("a", 3), stock("a", 2)):
        room.hear(event)
    room.hear(stock("a", 1, audience="staff"))
    await screen.hears("stock.changed")
    await staff.hears("stock.changed")
    numbers = [
        [(event["data"].get("variant_id"), event["data"].get("version")) for event in one.frames[1]]
        for one in (screen, staff)
    ]
    assert numbers == [[("b", 7), (None, None), ("a", 3)], [("b", 7), (None, None), ("a", 3), ("a", 1)]]


async def test_screens_of_all_gateways_are_counted_and_staff_are_none() -> None:
    room = Room(seq=0)
    _, screen = inside(room)
    inside(room, None)
    room.count(3)
    await screen.hears("viewers.changed")
    assert screen.frames[-1][-1]["data"] == {"count": 4}
    assert room.viewers == 4


@pytest.mark.parametrize("crowd", [1, 1000])
async def test_a_room_that_closes_tells_everybody_when_to_come_back(crowd: int) -> None:
    room = Room(seq=0)
    screens = [inside(room, str(number))[1] for number in range(crowd)]
    await room.closed(within_ms=700)
    assert all(one.closed for one in screens)
    assert {json.dumps(one.frames[-1]) for one in screens} == {
        json.dumps([{"kind": "closing", "seq": None, "data": {"within_ms": 700}}])
    }


async def test_others_have_their_turn_while_a_big_room_is_told() -> None:
    room = Room(seq=0)
    screens = [inside(room, str(number))[1] for number in range(1000)]
    room.hear(said(1))
    while not (told := sum(bool(one.seqs()) for one in screens)):
        await asyncio.sleep(0)
    assert told == TOGETHER
    await asyncio.gather(*(one.hears("message.added") for one in screens))


async def test_nobody_waits_for_longer_than_one_round() -> None:
    room = Room(seq=0)
    screens = [inside(room, str(number))[1] for number in range(3 * TOGETHER)]
    room.hear(said(1))
    while not screens[0].seqs():
        await asyncio.sleep(0)
    room.hear(said(2))
    await screens[-1].hears("message.added")
    assert {tuple(one.seqs()) for one in screens[:TOGETHER]} == {(1,)}
    assert {tuple(event["seq"] for event in one.frames[1]) for one in screens[TOGETHER:]} == {(1, 2)}
    while len(screens[0].frames) < 3:
        screens[0].heard.clear()
        await screens[0].heard.wait()
    assert {tuple(one.seqs()) for one in screens} == {(1, 2)}


async def test_places_of_those_who_left_are_taken_and_news_goes_on() -> None:
    room = Room(seq=0)
    first = [inside(room, str(number)) for number in range(2 * TOGETHER)]
    room.hear(said(1))
    for member, _ in first[:TOGETHER]:
        room.leave(member)
        room.leave(member)
    others = [inside(room, "new")[1] for _ in range(TOGETHER)]
    assert (len(room.members), room.watching) == (2 * TOGETHER, 2 * TOGETHER)
    room.hear(said(2))
    await asyncio.gather(*(one.hears("message.added") for one in (first[-1][1], others[-1])))
    assert first[-1][1].seqs() == [1, 2]
    assert others[-1].seqs()[-1] == 2


async def test_what_everybody_hears_is_deflated_once_and_what_one_hears_never() -> None:
    room = Room(seq=0)
    _, plain = inside(room)
    leaving, small = inside(room, "ben", inflates=True)
    _, staff = inside(room, None, inflates=True)
    long = "is the blue one still there? " * (LEAST // 20)
    room.hear(said(1, data={"text": long}))
    for screen in (plain, small, staff):
        await screen.hears("message.added")
    deflated = small.small[-1]
    assert deflated is not None
    assert json.loads(inflated(deflated, 1 << 20) or b"") == small.frames[-1] == plain.frames[-1]

    room.hear(said(2, kind="order.changed", data={"viewer_id": "ben", "text": long}))
    await small.hears("order.changed")
    await staff.hears("order.changed")
    assert small.small[-1] is None
    assert staff.small[-1] is None

    room.leave(leaving)
    room.leave(staff_member(room))
    room.hear(said(3, data={"text": long}))
    while plain.seqs()[-1] != 3:
        await asyncio.sleep(0)
    assert plain.small[-1] is None, "nobody inflates: nothing to deflate"


def staff_member(room: Room) -> Member:
    return next(member for member in room.members if member.staff)
