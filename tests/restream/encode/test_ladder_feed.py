"""The child's own clock: whatever the feed's does, each picture has one time on it, in the right order."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.encode import process
from restream.encode.inlet import Inlet
from restream.encode.ladder_feed import LEAD_IN, LONGEST_LIFE, MOST_PICTURES, Clock, Supply
from restream.encode.ladder_ffmpeg import argv
from restream.encode.outlet import Outlet
from restream.encode.pipe import read_into
from restream.encode.rungs import Step
from restream.hls.renditions import Rung
from restream.media import Frame, Kind
from tests.restream.encode.ladder_stage import Scene, keyframes, moments, pictures
from tests.restream.encode.stage import Collector

DAY = 86_400_000


def picture(dts: int, cts: int = 0, keyframe: bool = False) -> Frame:
    payload = bytes([0x17 if keyframe else 0x27, 1, *cts.to_bytes(3, "big", signed=True), 7])
    return Frame(Kind.VIDEO, dts, payload, b"\7", cts, keyframe, arrived=dts / 1000)


class Pipe:
    """A child that takes everything, or nothing."""

    def __init__(self) -> None:
        self.waiting = 0
        self.fed: list[bytes] = []

    def feed(self, data: bytes) -> None:
        self.fed.append(data)


@given(st.lists(st.tuples(st.integers(-5000, 5000), st.booleans(), st.integers(0, 200)), max_size=200))
def test_each_picture_has_one_time_of_its_own_and_is_known_by_it(
    steps: list[tuple[int, bool, int]],
) -> None:
    """Steps of a clock that stands still, goes back and leaps."""
    clock, now = Clock(30.0), 0
    last = -1
    entered: dict[int, Frame] = {}
    for step, keyframe, cts in steps:
        now = max(0, now + step)
        frame = picture(now, cts, keyframe)
        dts = clock.enter(frame)
        assert dts > last
        assert dts + cts not in entered
        if keyframe:
            assert dts + cts > max(entered, default=-1)
        entered[dts + cts] = frame
        last = dts
    for time, frame in entered.items():
        found = clock.known(time)
        assert found
        assert (found.shown, found.arrived) == (frame.dts + frame.cts, frame.arrived)


@given(st.integers(0, 40 * DAY), st.sampled_from([24.0, 25.0, 30.0, 50.0, 60.0]), st.integers(0, 3))
def test_an_even_feed_keeps_its_distances(begins: int, fps: float, delay: int) -> None:
    clock = Clock(fps)
    dts = [begins + round(number * 1000 / fps) for number in range(300)]
    cts = round(delay * 1000 / fps)
    given_times = [clock.enter(picture(at, cts, number % 60 == 0)) for number, at in enumerate(dts)]
    assert given_times == [at - begins + LEAD_IN for at in dts]


def test_a_group_squeezed_into_a_moment_keeps_its_order_and_the_clock_comes_back() -> None:
    """With B-frames, whose composition offsets tell the order only at their true distance."""
    clock, offsets = Clock(30.0), (67, 133, 0, 0)
    shown = [(at, offsets[at % 4]) for at in range(60)]
    for at, cts in shown:
        clock.enter(picture(at * 33, cts, at == 0))
    squeezed = {clock.enter(picture(2000 + at * 2, cts, at == 0)) + cts: at for at, cts in shown}
    order = [at for _, at in sorted(squeezed.items())]
    true = [at for _, at in sorted((at * 33 + cts, at) for at, cts in shown)]
    assert order == true
    ahead = [clock.enter(picture(2120 + at * 33)) - (2120 + at * 33 + LEAD_IN) for at in range(900)]
    assert ahead[0] > 1000
    assert ahead[-1] == 0
    assert all(after <= before for before, after in pairwise(ahead))


def test_only_what_is_on_its_way_is_remembered() -> None:
    clock = Clock(30.0)
    times = [clock.enter(picture(at * 33)) for at in range(MOST_PICTURES + 10)]
    assert clock.known(times[9]) is None
    assert clock.known(times[10])


def test_a_fresh_ladder_begins_with_the_kept_keyframe_when_it_is_not_long_ago() -> None:
    group = [picture(5000 + at * 33, keyframe=at == 0) for at in range(20)]
    supply = Supply(group, {"a": -1}, 30.0)
    pipe = Pipe()
    supply.connect(pipe)
    assert (supply.begins, supply.started) == ({"a": LEAD_IN}, 5000)
    assert supply.encoded("a", picture(LEAD_IN)).dts == 5000
    assert b"".join(pipe.fed).count(b"\x27\x01") == 19


def test_a_fresh_ladder_waits_for_the_next_keyframe_when_the_last_is_long_ago() -> None:
    group = [picture(at * 33, keyframe=at == 0) for at in range(60)]
    supply = Supply(group, {"a": -1}, 30.0)
    pipe = Pipe()
    supply.connect(pipe)
    supply.push(picture(2000))
    assert len(pipe.fed) == 1
    supply.push(picture(2033, keyframe=True))
    assert len(pipe.fed) == 2
    assert supply.begins == {"a": 0}
    assert supply.encoded("a", picture(LEAD_IN)).dts == 2033


@pytest.mark.parametrize(("done", "begins"), [(1500, 1518), (1517, 1518), (500, 957)])
def test_after_an_accident_each_rung_begins_behind_what_it_gave_out(done: int, begins: int) -> None:
    group = [picture(at * 33, keyframe=at == 0) for at in range(60)]
    supply = Supply(group, {"a": done, "b": 1914, "c": 5000}, 30.0)
    assert supply.begins["a"] == begins + LEAD_IN
    assert supply.encoded("a", picture(supply.begins["a"])).dts == begins
    assert supply.begins["b"] == 1947 + LEAD_IN
    assert supply.begins["c"] > 1947 + LEAD_IN  # it has shown all of this already


def test_a_child_that_does_not_keep_up_is_spared_whole_groups() -> None:
    supply = Supply([picture(0, keyframe=True)], {"a": -1}, 30.0)
    pipe = Pipe()
    supply.connect(pipe)
    for at in range(1, 400):
        supply.push(picture(at * 33, keyframe=at % 30 == 0))
    sent = len(pipe.fed)
    assert 4000 / 33 < sent < 4000 / 33 + 5
    assert supply.behind > 4000
    for at in range(sent):
        supply.encoded("a", picture(LEAD_IN + at * 33))
    supply.push(picture(13_201, keyframe=True))
    assert len(pipe.fed) == sent + 1
    assert supply.behind == 0  # what was left out does not count
    supply.encoded("a", picture(LEAD_IN + 13_201))
    assert supply.left_out_ms > 8000


def test_a_clock_that_is_nearly_over_is_told() -> None:
    supply = Supply([picture(0, keyframe=True)], {"a": -1}, 30.0, lead_in=LONGEST_LIFE - 50)
    supply.connect(Pipe())
    assert not supply.old
    supply.push(picture(100))
    assert supply.old


@pytest.mark.parametrize("hours", [4.66, 24, 24 * 19])
async def test_after_many_hours_moments_are_still_the_feeds(hours: float) -> None:
    """The child's clock as it is then: past 24 bits, past a day, near its end."""
    scene = Scene(size="320x180", bframes=3, seconds=4, keys=(0, 1, 2.5))
    begins = round(hours * 3_600_000) - 2000
    feed = [replace(frame, dts=frame.dts + 7 * DAY) for frame in pictures(scene)]
    step = Step(Rung("144p", 256, 144, 30.0), 300, 1)
    got = Collector()
    async with await Inlet.open() as media, await Outlet.open() as outlet:
        supply = Supply([], {"144p": -1}, 30.0, lead_in=begins)
        line = argv([step], "ultrafast", supply.begins, media_fd=media.fd, fds={"144p": outlet.fd})
        child = await process.start("rung", line, pass_fds=(media.fd, outlet.fd))
        try:
            media.handed_over()
            outlet.handed_over()
            supply.connect(media)
            for frame in feed:
                supply.push(frame)
                await asyncio.sleep(0)
            while media.waiting:
                await asyncio.sleep(0.01)
            media.close()
            async with asyncio.timeout(60):
                await read_into(outlet, _Sink(supply, got))
        finally:
            await child.stop()
    assert [frame.dts for frame in got.media(Kind.VIDEO)] == moments([f for f in feed if not f.header])
    made = keyframes(got.media(Kind.VIDEO))
    assert set(keyframes(feed)) <= set(made)
    # A player whose network gives way need not load two seconds to get a picture.
    assert all(after - before <= 1100 for before, after in pairwise(made))


class _Sink:
    def __init__(self, supply: Supply, got: Collector) -> None:
        self._supply, self._got = supply, got

    def frame(self, frame: Frame) -> None:
        self._got.push(self._supply.encoded("144p", frame))

    def metadata(self, values: dict[str, object]) -> None:
        pass
