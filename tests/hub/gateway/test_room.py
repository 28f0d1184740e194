"""A room's promises: in order, once, to those it is for, and a slow screen costs nobody else."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

from hub.bus import Event
from hub.gateway.room import TOO_FAR_BEHIND, Member, Room

SHOW = uuid4()


class Screen:
    """Takes frames, or lets them pile up."""

    def __init__(self) -> None:
        self.frames: list[list[dict[str, Any]]] = []
        self.stuck = 0
        self.heard = asyncio.Event()

    def send(self, frame: bytes) -> None:
        self.frames.append(json.loads(frame))
        self.heard.set()

    def waiting(self) -> int:
        return self.stuck

    def close(self) -> None:
        self.frames.clear()

    def kinds(self) -> list[str]:
        return [event["kind"] for frame in self.frames for event in frame]

    async def hears(self, kind: str) -> None:
        async with asyncio.timeout(5):
            while kind not in self.kinds():
                self.heard.clear()
                await self.heard.wait()


def said(number: int, **how: Any) -> Event:
    return Event(show_id=SHOW, kind="message.added", seq=number, data={"n": number}, **how)


async def test_a_newcomer_is_greeted_with_the_number_to_begin_from() -> None:
    room, screen = Room(seq=7), Screen()
    room.join(Member(screen, "ana"), None, "2026-11-24T20:00:00+00:00")
    assert screen.frames == [
        [
            {
                "kind": "hello",
                "seq": None,
                "data": {"seq": 7, "server_time": "2026-11-24T20:00:00+00:00", "viewers": 0},
            }
        ]
    ]


async def test_what_arrives_together_travels_in_one_frame() -> None:
    room, screen = Room(seq=0), Screen()
    room.join(Member(screen, "ana"), None, "")
    for number in range(1, 6):
        room.hear(said(number))
    await screen.hears("message.added")
    assert [event["seq"] for event in screen.frames[1]] == [1, 2, 3, 4, 5]


async def test_staff_news_stay_with_staff() -> None:
    room, viewer, staff = Room(seq=0), Screen(), Screen()
    room.join(Member(viewer, "ana"), None, "")
    room.join(Member(staff, None), None, "")
    room.hear(Event(show_id=SHOW, kind="order.placed", audience="staff", data={}))
    room.hear(said(1))
    await viewer.hears("message.added")
    await staff.hears("message.added")
    assert "order.placed" in staff.kinds()
    assert "order.placed" not in viewer.kinds()


async def test_news_of_an_order_reaches_its_buyer_alone() -> None:
    room, ana, bo = Room(seq=0), Screen(), Screen()
    room.join(Member(ana, "ana"), None, "")
    room.join(Member(bo, "bo"), None, "")
    room.hear(Event(show_id=SHOW, kind="order.changed", data={"viewer_id": "ana", "state": "paid"}))
    room.hear(said(1))
    await ana.hears("message.added")
    await bo.hears("message.added")
    assert "order.changed" in ana.kinds()
    assert "order.changed" not in bo.kinds()


async def test_a_returning_screen_gets_exactly_what_it_missed() -> None:
    room = Room(seq=0)
    for number in range(1, 11):
        room.hear(said(number))
    screen = Screen()
    room.join(Member(screen, "ana"), 6, "")
    assert [event["seq"] for event in screen.frames[0][1:]] == [7, 8, 9, 10]


async def test_a_screen_that_missed_more_than_is_kept_is_told_to_start_over() -> None:
    room, screen = Room(seq=400), Screen()
    room.join(Member(screen, "ana"), 100, "")
    assert screen.kinds() == ["hello", "gap"]


async def test_a_slow_screen_gets_a_gap_and_the_others_everything() -> None:
    room, slow, quick = Room(seq=0), Screen(), Screen()
    room.join(Member(slow, "slow"), None, "")
    room.join(Member(quick, "quick"), None, "")
    slow.stuck = TOO_FAR_BEHIND + 1
    room.hear(said(1))
    await quick.hears("message.added")
    assert slow.kinds() == ["hello"]
    slow.stuck = 0
    room.hear(said(2))
    await slow.hears("message.added")
    assert slow.kinds() == ["hello", "gap", "message.added"]
    assert quick.kinds() == ["hello", "message.added", "message.added"]


async def test_screens_of_all_gateways_are_counted_and_a_silent_gateway_is_forgotten() -> None:
    room, screen = Room(seq=0), Screen()
    room.join(Member(screen, "ana"), None, "")
    room.count("one", 3, now=10.0)
    room.count("two", 4, now=10.5)
    assert room.viewers == 7
    room.count("two", 4, now=14.0)
    assert room.viewers == 4
