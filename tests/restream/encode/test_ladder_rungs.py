"""How large rungs are, what they may weigh, and how many of them a machine carries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.encode.ffmpeg import Facts
from restream.encode.planner import RESERVE
from restream.encode.rungs import plan_ladder, size, weight

ALL = [1080, 720, 540, 480, 360]
FEED = Facts(1920, 1080)


def names(cores: float, feed: Facts | None = FEED, left: float | None = None, factor: float = 1) -> list[str]:
    """The rungs that run."""
    planned = plan_ladder(ALL, feed, cores if left is None else left, cores=cores, factor=factor)
    return [step.rung.name for step in planned.steps]


@pytest.mark.parametrize(
    ("cores", "rungs"),
    [
        (1, ["720p", "360p"]),
        (2, ["720p", "360p"]),
        (4, ["720p", "540p", "480p", "360p"]),
        (16, ["720p", "540p", "480p", "360p"]),
    ],
)
def test_small_machines_make_two_rungs_and_four_cores_make_all(cores: float, rungs: list[str]) -> None:
    assert names(cores) == rungs
    assert names(cores, None) == rungs  # before there is a feed


def test_two_cores_carry_the_small_ladder_beside_an_upright_profile() -> None:
    assert names(2, left=2 - 0.55) == ["720p", "360p"]


def test_the_better_preset_is_taken_from_two_cores_on() -> None:
    assert plan_ladder(ALL, FEED, 1, cores=1).preset == "ultrafast"
    assert plan_ladder(ALL, FEED, 2, cores=2).preset == "superfast"


def test_a_slow_or_taken_machine_keeps_the_smallest_and_says_why_the_rest_is_missing() -> None:
    assert names(2, left=0.85) == ["360p"]
    assert names(2, factor=2) == ["360p"]
    assert names(2, left=0.6) == []
    planned = plan_ladder(ALL, FEED, 0.85, cores=2)
    assert set(planned.left_out) == {"1080p", "720p", "540p", "480p"}
    assert "not smaller than the feed" in planned.left_out["1080p"]
    assert "720p needs about" in planned.left_out["720p"]
    assert "this machine's 2.0" in planned.left_out["720p"]
    assert planned.status.refused == planned.left_out
    assert set(planned.status.costs) == {"720p", "540p", "480p", "360p"}


@pytest.mark.parametrize("side", [480, 540, 720, 900, 1080])
def test_no_rung_is_as_large_as_the_feed(side: int) -> None:
    for feed in (Facts(side * 16 // 9, side), Facts(side, side * 16 // 9)):
        planned = plan_ladder(ALL, feed, 64, cores=64)
        assert [step.rung.name for step in planned.steps] == [f"{h}p" for h in ALL if h < side]


def test_fast_pictures_cost_more_and_a_larger_feed_gets_a_rung_more() -> None:
    assert "540p" not in names(4, Facts(1920, 1080, 60))
    assert names(16, Facts(3840, 2160))[0] == "1080p"


def test_sizes_are_the_usual_ones_and_upright_ones_lie_on_their_side() -> None:
    usual = {360: (640, 360), 480: (854, 480), 540: (960, 540), 720: (1280, 720)}
    assert {height: size(height, FEED) for height in usual} == usual
    assert size(480, Facts(1080, 1920)) == (480, 854)


@given(st.integers(64, 2160), st.integers(128, 3840), st.integers(128, 3840))
def test_sizes_are_even_and_keep_the_shape(height: int, wide: int, tall: int) -> None:
    width, given_height = size(height, Facts(wide, tall))
    assert width % 2 == given_height % 2 == 0
    scale = height / min(wide, tall)
    assert abs(width - wide * scale) <= 1.001
    assert abs(given_height - tall * scale) <= 1.001


@pytest.mark.parametrize(
    ("height", "least", "most"),
    [(360, 600, 800), (480, 1100, 1400), (540, 1700, 1900), (720, 2800, 3000), (1080, 4500, 5000)],
)
def test_rates_are_near_what_apple_advises(height: int, least: int, most: int) -> None:
    width, _ = size(height, FEED)
    assert least <= weight(width, height, 30) <= most
    assert weight(width, height, 25) == weight(width, height, 30)
    assert 1.3 <= weight(width, height, 60) / weight(width, height, 30) <= 1.6


@given(st.integers(128, 3000), st.floats(10, 120))
def test_more_pixels_get_more_bits(height: int, fps: float) -> None:
    assert weight(height * 16 // 9, height, fps) <= weight((height + 8) * 16 // 9, height + 8, fps)


heights = st.lists(st.integers(-10, 3000), max_size=8)
feeds = st.builds(Facts, st.integers(64, 4096), st.integers(64, 4096), st.floats(5, 60)) | st.none()


@given(heights, feeds, st.floats(0.1, 64), st.floats(0, 1), st.floats(0.1, 10))
def test_every_wish_is_answered_and_never_for_more_than_is_left(
    wish: list[int], feed: Facts | None, cores: float, share: float, factor: float
) -> None:
    left = cores * share
    planned = plan_ladder(wish, feed, left, cores=cores, factor=factor)
    assert planned.cost <= max(0.0, left - RESERVE) + 1e-9
    running = {step.rung.name for step in planned.steps}
    assert running | set(planned.left_out) == {f"{height}p" for height in wish}
    assert not running & set(planned.left_out)
    sizes = [step.rung.width * step.rung.height for step in planned.steps]
    assert sizes == sorted(sizes, reverse=True)


def test_what_is_shed_is_not_planned_and_not_refused() -> None:
    planned = plan_ladder(ALL, FEED, 8, cores=8, without=["720p"])
    assert [step.rung.name for step in planned.steps] == ["540p", "480p", "360p"]
    assert "720p" not in planned.left_out
