"""A show's targets among its feeds: they move, they share, and none of them notices another's changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from restream.api import TargetSpec, TargetStatus
from restream.encode.distribution import Distribution
from restream.encode.planner import plan
from restream.gate import Publisher
from restream.live import Live
from restream.media import Frame, Kind
from restream.rtmp.server import RtmpServer, serve
from restream.targets.bundler import Feed
from restream.targets.roster import Roster
from restream.targets.target import Outfit
from restream.tls import client_context
from tests.restream.encode.test_encoders import profile
from tests.restream.hls.feed import Shape, stream
from tests.restream.rtmp.peers import KEY, SECONDS, NotingGate
from tests.restream.targets.servers import free_port
from tests.restream.targets.show import QUICK

CAMERA = stream(Shape(seconds=1, gop=15))
TALL = stream(Shape(seconds=1, gop=15, size="180x320"))
MARK = {"copy": CAMERA, "tall": TALL}


class Readers:
    """How many a feed has."""

    def __init__(self, feed: Live | Distribution) -> None:
        self._feed = feed

    def __len__(self) -> int:
        return len(self._feed._readers)


class Room:
    """A live and one profile, both fed by hand, and the targets on them."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.live, self.tall = Live("show"), Distribution()
        self.feeds: dict[str | None, Feed] = {None: self.live, "tall": self.tall}
        self.troubles: dict[str, str] = {}
        self.roster = Roster(
            self.feeds.get, self.troubles.get, Outfit(client_context(), self._note, pace=QUICK)
        )
        self._changed = asyncio.Event()
        self._session: Publisher = self.live.open_session("", "test", lambda reason: None, 0.0)
        self._turn = 0

    def _note(self, status: TargetStatus) -> None:
        self._changed.set()

    def play(self) -> None:
        """A second more of both."""
        for feed in (self._session.frame, self.tall.push):
            for frame in CAMERA if feed == self._session.frame else TALL:
                feed(replace(frame, dts=frame.dts + self._turn * 1000))
        self._turn += 1

    def spec(self, name: str = "one", **changes: object) -> TargetSpec:
        wish = TargetSpec(id=name, name=name, url=f"rtmp://127.0.0.1:{self.port}/live", key=SecretStr(KEY))
        return wish.model_copy(update=changes)

    def status(self, name: str = "one") -> TargetStatus:
        return next(status for status in self.roster.statuses() if status.id == name)

    async def until(self, state: str, name: str = "one") -> TargetStatus:
        """Play until a target is in a state."""
        async with asyncio.timeout(SECONDS):
            while self.status(name).state != state:
                self.play()
                self.roster.flush()
                await asyncio.sleep(0.05)
        return self.status(name)


@pytest.fixture
def gate() -> NotingGate:
    return NotingGate()


@pytest.fixture
async def room(gate: NotingGate) -> AsyncIterator[Room]:
    server: RtmpServer = await serve(gate, "127.0.0.1", 0)
    made = Room(server.port)
    yield made
    await made.roster.stop()
    await server.close()


def whose(frames: list[Frame]) -> set[str]:
    """Whose pictures these are, by their bytes."""
    pictures = {f.body for f in frames if f.kind == Kind.VIDEO and not f.header}
    return {name for name, sent in MARK.items() if pictures & {frame.body for frame in sent}}


async def test_a_target_moves_to_a_profile_and_back_and_keeps_its_figures(
    room: Room, gate: NotingGate
) -> None:
    await room.roster.apply([room.spec()])
    first = await room.until("live")
    await room.roster.apply([room.spec(profile="tall")])
    second = await room.until("live")
    await room.roster.apply([room.spec()])
    third = await room.until("live")
    assert [one.connects for one in (first, second, third)] == [1, 2, 3]
    assert 0 < first.frames_sent < second.frames_sent < third.frames_sent
    assert 0 < first.bytes_acknowledged < second.bytes_acknowledged < third.bytes_acknowledged
    await room.roster.stop()
    intakes = gate.intakes
    for intake in intakes:
        await asyncio.wait_for(intake.over.wait(), SECONDS)
    assert [whose(intake.frames) for intake in intakes] == [{"copy"}, {"tall"}, {"copy"}]


async def test_a_target_of_a_profile_that_is_none_says_which(room: Room) -> None:
    room.troubles["wide"] = "There is no profile “wide”. Choose another for this target."
    await room.roster.apply([room.spec(profile="wide")])
    room.play()
    assert (room.status().state, room.status().reason) == ("idle", room.troubles["wide"])
    room.feeds["wide"] = room.tall
    del room.troubles["wide"]
    await room.roster.apply([room.spec(profile="wide")])
    await room.until("live")


async def test_a_target_of_a_refused_profile_gives_the_planners_reason(room: Room) -> None:
    wish = profile("tall", width=2160, height=3840)
    room.troubles |= plan([wish], None, cores=1.0).status.refused
    room.feeds["tall"] = Distribution()
    await room.roster.apply([room.spec(profile="tall"), room.spec("two")])
    await room.until("live", "two")
    assert room.status().state == "idle"
    assert "needs about" in (room.status().reason or "")
    await room.roster.apply([room.spec(profile="tall", wanted=False), room.spec("two")])
    assert (await room.until("paused")).reason is None


async def test_an_address_edited_to_another_protocol_is_served_each_frame_at_once(room: Room) -> None:
    await room.roster.apply([room.spec()])
    place = room.roster._places["one"]
    bundler = place.joint.bundler
    assert (bundler._members, bundler._prompt) == ([place.target], [])
    await room.roster.apply([room.spec(url=f"srt://127.0.0.1:{free_port()}")])
    assert (bundler._members, bundler._prompt) == ([], [place.target])
    await room.roster.apply([room.spec()])
    assert (bundler._members, bundler._prompt) == ([place.target], [])
    assert len(Readers(room.live)) == 1


async def test_wishes_that_come_at_once_leave_one_connection_each(room: Room, gate: NotingGate) -> None:
    names = [f"t{number}" for number in range(4)]
    wishes = [
        [room.spec(name, profile=None if turn % 2 else "tall") for name in names[turn % 3 :]]
        for turn in range(6)
    ]
    await asyncio.gather(*(room.roster.apply(wish) for wish in wishes))
    last = names[5 % 3 :]
    assert sorted(status.id for status in room.roster.statuses()) == sorted(last)
    for name in last:
        await room.until("live", name)
    alive = [task for task in asyncio.all_tasks() if task.get_name().startswith("target ")]
    assert sorted(task.get_name() for task in alive) == [f"target {name}" for name in sorted(last)]
    joints = {id(room.roster._places[name].joint) for name in last}
    assert len(joints) == 1, "all of one feed share what they write"
    assert (len(Readers(room.live)), len(Readers(room.tall))) == (1, 0)


async def test_targets_that_move_together_share_what_they_write(room: Room) -> None:
    await room.roster.apply([room.spec("one"), room.spec("two")])
    await room.roster.apply([room.spec("one", profile="tall"), room.spec("two", profile="tall")])
    one, two = room.roster._places.values()
    assert one.joint is two.joint
    assert (len(Readers(room.live)), len(Readers(room.tall))) == (0, 1)


async def test_one_that_is_removed_leaves_the_others_untouched(room: Room, gate: NotingGate) -> None:
    await room.roster.apply([room.spec("one"), room.spec("two")])
    for name in ("one", "two"):
        await room.until("live", name)
    before = room.status("two")
    await room.roster.apply([room.spec("two")])
    room.play()
    after = room.status("two")
    assert (after.state, after.since, after.connects) == ("live", before.since, 1)
    assert [status.id for status in room.roster.statuses()] == ["two"]
    one, two = gate.intakes
    await asyncio.wait_for(one.over.wait(), SECONDS)
    came = len(two.frames)
    room.play()
    await two.until(lambda: len(two.frames) > came)
    assert not two.over.is_set()


async def test_a_persons_wish_to_try_again_wakes_one_that_gave_up_and_cuts_nobody(room: Room) -> None:
    await room.roster.apply([room.spec("one", key=SecretStr("wrong")), room.spec("two")])
    failed = await room.until("failed")
    live = await room.until("live", "two")
    await room.roster.apply(
        [room.spec("one", key=SecretStr("wrong"), attempt=1), room.spec("two", attempt=1)]
    )
    assert (await room.until("failed")).connects > failed.connects
    after = room.status("two")
    assert (after.state, after.since, after.connects) == ("live", live.since, live.connects)


async def test_after_the_end_nothing_is_read_and_the_figures_stay(room: Room) -> None:
    await room.roster.apply([room.spec("one"), room.spec("two", profile="tall")])
    for name in ("one", "two"):
        await room.until("live", name)
    await room.roster.stop()
    assert (len(Readers(room.live)), len(Readers(room.tall))) == (0, 0)
    assert all(status.frames_sent > 0 for status in room.roster.statuses())
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("target ")]
