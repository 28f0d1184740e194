"""Who waits: thousands at once, served alike, in slices, and forgotten when they leave."""

from __future__ import annotations

import asyncio

import pytest

from restream.hls.bell import SLICE, Bell, Waiting
from restream.hls.fast import Lane, Limits
from restream.hls.respond import PLAYLIST, SEGMENT, Answer
from tests.restream.hls.wire import LATE, Desk, house, request, until

ANSWER = Answer(200, PLAYLIST, "no-store", (b"#EXTM3U",))


class Viewer:
    """Notes what it was given, and how often the loop had turned."""

    turns = 0

    def __init__(self) -> None:
        self.given: list[Answer] = []
        self.turn = 0

    def answer(self, answer: Answer) -> None:
        self.given.append(answer)
        self.turn = Viewer.turns


class Door:
    """One thing to wait for, by name."""

    def __init__(self, bell: Bell, key: str = "next", answer: Answer | None = None) -> None:
        self.asked = 0
        self.given = answer
        self.waiting = Waiting(bell, key, self._ready, 1.0, LATE)

    def _ready(self) -> Answer | None:
        self.asked += 1
        return self.given

    def crowd(self, count: int) -> list[Viewer]:
        viewers = [Viewer() for _ in range(count)]
        for viewer in viewers:
            self.waiting.bell.join(self.waiting, viewer)
        return viewers


async def round_over(bell: Bell) -> None:
    await until(lambda: not bell.ringing)


async def test_five_hundred_players_get_one_playlist_made_once() -> None:
    desk = Desk()
    async with house(desk) as port:
        wires = [await port.wire() for _ in range(500)]
        for wire in wires:
            await wire.send(request("/live/show/1.m3u8"))
        await until(lambda: len(desk.bell) == 500)
        desk.ring()
        got = [await wire.got() for wire in wires]
        assert {one.body for one in got} == {b"1"}
        assert (desk.made, desk.usual, len(desk.bell)) == (1, 0, 0)


async def test_what_many_get_is_one_object() -> None:
    lane = Lane(lambda asked: None, Limits())
    large = Answer(200, SEGMENT, "no-store", (bytes(100_000),))
    assert lane.whole(ANSWER) is lane.whole(ANSWER)
    assert lane.whole(ANSWER).startswith(b"HTTP/1.1 200 OK\r\ndate: ")
    assert ANSWER.head is ANSWER.head
    assert lane.whole(large).endswith(large.body[0])


async def test_a_crowd_is_served_in_slices_between_which_frames_come_in() -> None:
    bell = Bell()
    viewers = Door(bell, answer=ANSWER).crowd(10 * SLICE + 1)
    Viewer.turns = 0

    def turn() -> None:
        Viewer.turns += 1
        asyncio.get_running_loop().call_soon(turn)

    turn()
    bell.ring()
    assert not any(viewer.given for viewer in viewers), "the frame that rang must not pay for the crowd"
    await round_over(bell)
    assert all(viewer.given == [ANSWER] for viewer in viewers)
    turns = [viewer.turn for viewer in viewers]
    assert max(turns.count(turn) for turn in set(turns)) <= SLICE
    assert turns == sorted(turns), "first come, first served"


async def test_each_thing_is_asked_for_once_a_ring() -> None:
    bell = Bell()
    there, missing = Door(bell, "a", ANSWER), Door(bell, "b")
    served, waiting = there.crowd(100), missing.crowd(100)
    bell.ring()
    await round_over(bell)
    assert (there.asked, missing.asked) == (1, 1)
    assert all(viewer.given == [ANSWER] for viewer in served)
    assert not any(viewer.given for viewer in waiting)
    assert len(bell) == 100


async def test_many_different_things_are_asked_for_in_slices_too() -> None:
    bell = Bell()
    doors = [Door(bell, str(number)) for number in range(3 * SLICE)]
    for door in doors:
        door.crowd(1)
    bell.ring()
    await asyncio.sleep(0)
    assert 0 < sum(door.asked for door in doors) <= SLICE
    await round_over(bell)
    assert {door.asked for door in doors} == {1}


async def test_a_ring_during_a_round_is_another_round() -> None:
    bell = Bell()
    first, second = Door(bell, "a", ANSWER), Door(bell, "b")
    (late,) = second.crowd(1)
    first.crowd(3 * SLICE)
    bell.ring()
    await asyncio.sleep(0)
    second.given = ANSWER  # it was asked already
    bell.ring()
    await round_over(bell)
    assert late.given == [ANSWER]


async def test_who_leaves_during_a_round_gets_nothing_and_who_joins_waits_for_the_next() -> None:
    bell = Bell()
    door = Door(bell, answer=ANSWER)
    door.crowd(SLICE)
    leaving = Viewer()
    group = bell.join(door.waiting, leaving)
    bell.ring()
    await asyncio.sleep(0)
    assert bell.ringing
    bell.leave(group, leaving)
    (joined,) = door.crowd(1)
    await round_over(bell)
    assert (leaving.given, joined.given, len(bell)) == ([], [], 1)
    bell.ring()
    await round_over(bell)
    assert joined.given == [ANSWER]


async def test_a_mistake_about_one_thing_keeps_nobody_else_waiting() -> None:
    bell = Bell()

    def broken() -> Answer:
        raise RuntimeError("a mistake")

    unlucky = Viewer()
    bell.join(Waiting(bell, "x", broken, 1.0, LATE), unlucky)
    viewers = Door(bell, answer=ANSWER).crowd(3)
    bell.ring()
    await round_over(bell)
    assert unlucky.given == [LATE]
    assert all(viewer.given == [ANSWER] for viewer in viewers)


async def test_a_viewer_in_trouble_keeps_nobody_else_waiting() -> None:
    bell = Bell()
    door = Door(bell, answer=ANSWER)

    class Broken(Viewer):
        def answer(self, answer: Answer) -> None:
            raise OSError("gone")

    bell.join(door.waiting, Broken())
    viewers = door.crowd(3)
    bell.ring()
    await round_over(bell)
    assert all(viewer.given == [ANSWER] for viewer in viewers)


@pytest.mark.parametrize("usual", [(), ("Content-Length: 0",)], ids=["fast", "asgi"])
async def test_who_leaves_while_waiting_is_forgotten(usual: tuple[str, ...]) -> None:
    desk = Desk()
    async with house(desk) as port:
        leaving, staying = await port.wire(), await port.wire()
        await leaving.send(request("/live/show/1.m3u8", *usual))
        await staying.send(request("/live/show/1.m3u8", *usual))
        await until(lambda: len(desk.bell) == 2)
        leaving.leave()
        await until(lambda: len(desk.bell) == 1)
        desk.ring()
        assert (await staying.got()).body == b"1"
        assert not len(desk.bell)


@pytest.mark.parametrize("usual", [(), ("Content-Length: 0",)], ids=["fast", "asgi"])
async def test_who_waits_too_long_is_told_to_come_again_on_the_same_connection(
    usual: tuple[str, ...],
) -> None:
    desk = Desk(patience=0.05)
    async with house(desk, Limits(look=0.02)) as port:
        wire = await port.wire()
        for _ in range(2):
            got = await wire.get("/live/show/1.m3u8", *usual)
            assert (got.status, got.body) == (503, LATE.body[0])
        assert not len(desk.bell)


async def test_a_head_request_waits_as_well() -> None:
    desk = Desk()
    async with house(desk) as port:
        wire = await port.wire()
        await wire.send(request("/live/show/1.m3u8", method="HEAD"))
        await until(lambda: len(desk.bell) == 1)
        desk.ring()
        got = await wire.got(head=True)
        assert (got.status, got.headers["content-length"]) == (200, "1")
        assert (await wire.get("/live/show/1.m3u8")).body == b"1"
