"""The delay map: medians, the farthest look, and bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.delays import MOST_DESTINATIONS, MOST_POINTS, DelayMap, Way, packaged_ms
from tests.restream.hls.feed import DELAY, Shape, Studio, stream

BEGAN = 1_700_000_000.0


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> float:
        return self.now

    def seconds(self, count: int) -> Iterator[int]:
        """So many seconds, one by one."""
        for number in range(count):
            yield number
            self.now += 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_median_of_the_last_half_minute_counts(clock: Clock) -> None:
    delays = DelayMap(clock)
    for second in clock.seconds(60):
        delays.note("youtube", 100 if second < 40 else 900, "acknowledged")
    (found,) = delays.current()
    assert (found.destination, found.ms, found.way) == ("youtube", 900, "acknowledged")
    delays.note("youtube", 60_000, "acknowledged")  # one that is far out changes nothing
    assert delays.current()[0].ms == 900


def test_what_looks_farthest_counts_while_it_is_fresh(clock: Clock) -> None:
    delays = DelayMap(clock)
    for second in clock.seconds(40):
        delays.note("tw", 50, "sent")
        if second < 5:
            delays.note("tw", 4000, "platform")
        if second == 20:
            assert delays.current()[0].way == "platform"
    (found,) = delays.current()
    assert (found.ms, found.way) == (50, "sent")


def test_a_destination_that_is_not_measured_any_more_has_no_current_delay(clock: Clock) -> None:
    delays = DelayMap(clock)
    delays.note("a", 10, "sent")
    clock.now += 31
    assert delays.current() == []
    assert [delay.ms for delay in delays.series("a")] == [10]
    delays.forget("a")
    assert delays.series("a") == []


def test_the_series_has_a_point_every_ten_seconds_since_a_moment(clock: Clock) -> None:
    delays = DelayMap(clock)
    for second in clock.seconds(100):
        delays.note("player", 1000 + second, "player")
    found = delays.series("player")
    assert [delay.at.timestamp() - BEGAN for delay in found] == list(range(0, 100, 10))
    assert [delay.ms for delay in found][-1] == pytest.approx(1090 - 15, abs=1)
    since = datetime.fromtimestamp(BEGAN + 75, UTC)
    assert [delay.at.timestamp() - BEGAN for delay in delays.series("player", since)] == [80, 90]


@pytest.mark.parametrize("wrong", [-1, math.nan, math.inf, 1e12])
def test_a_value_that_cannot_be_is_passed_over(wrong: float, clock: Clock) -> None:
    delays = DelayMap(clock)
    delays.note("a", wrong, "player")
    assert delays.current() == []


def test_nothing_grows_without_end(clock: Clock) -> None:
    delays = DelayMap(clock)
    for number in range(2 * MOST_DESTINATIONS):
        delays.note(str(number), 1, "player")
    assert len(delays.current()) == MOST_DESTINATIONS
    for _ in range(MOST_POINTS + 50):
        clock.now += 10
        for _ in range(3):
            delays.note("0", 1, "player")
    assert len(delays.series("0")) == MOST_POINTS


WAYS = st.sampled_from(["sent", "acknowledged", "platform", "player"])


@given(st.lists(st.tuples(WAYS, st.floats(0, 100_000), st.floats(0, 20)), min_size=1, max_size=60))
def test_the_current_delay_lies_among_the_values_of_its_way(notes: list[tuple[Way, float, float]]) -> None:
    clock = Clock()
    delays = DelayMap(clock)
    seen: list[tuple[float, float, Way]] = []
    for way, ms, pause in notes:
        clock.now += pause
        delays.note("a", ms, way)
        seen.append((clock.now, ms, way))
        (found,) = delays.current()
        recent = [(ms, way) for at, ms, way in seen if clock.now - at <= 30]
        of_way = [ms for ms, way in recent if way == found.way]
        assert min(of_way) - 0.1 <= found.ms <= max(of_way) + 0.1
        order = ["player", "platform", "acknowledged", "sent"]
        assert found.way == min((way for _, way in recent), key=order.index)


def test_the_packagers_newest_part_says_how_old_the_players_picture_is_at_least() -> None:
    studio = Studio()
    assert packaged_ms(studio.timeline, studio.now) is None
    frames = stream(Shape())
    ages = []
    for _ in studio.publish(frames):
        age = packaged_ms(studio.timeline, studio.now)
        if age is not None:
            ages.append(age)
    # Between nothing, when a part has just come out, and a part's length, just before the next.
    assert min(ages) == pytest.approx(0, abs=40)
    assert max(ages) <= 333 + 40 + DELAY * 1000
    assert packaged_ms(studio.timeline, studio.now + 60) is None
    studio.renditions.finish()
    assert packaged_ms(studio.timeline, studio.now) is None
