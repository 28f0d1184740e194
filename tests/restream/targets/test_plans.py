"""When a platform is tried again: quickly while it keeps the show, and then as it deserves."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.api import RetryPlan
from restream.targets.plans import JITTER, PLANS


def pauses(plan: RetryPlan, tries: int = 8, broken_for: float = 0.0) -> list[float]:
    found = [PLANS[plan].pause(attempt, broken_for, 0.5) for attempt in range(tries)]
    return [round(pause, 3) for pause in found if pause is not None]


def test_there_is_a_plan_for_every_name() -> None:
    assert set(PLANS) == set(get_args(RetryPlan))


@pytest.mark.parametrize(
    ("plan", "wanted"),
    [
        ("steady", [0.5, 1, 2, 4, 8, 10, 10, 10]),
        ("twitch", [0.5, 1, 2, 4, 8, 10, 10, 10]),
        ("youtube", [0.5, 1, 2, 4, 5, 5, 5, 5]),
        ("facebook", [0.5, 1, 2, 4, 5, 5, 5, 5]),
        ("single_use", [0.5, 1, 2, 4, 5, 5, 5, 5]),
    ],
)
def test_pauses_grow_while_the_platform_keeps_the_show(plan: RetryPlan, wanted: list[float]) -> None:
    assert pauses(plan) == wanted


@pytest.mark.parametrize(
    ("plan", "kept", "later"), [("twitch", 90, 30), ("youtube", 60, 15), ("facebook", 150, 30)]
)
def test_past_the_window_tries_are_rare(plan: RetryPlan, kept: float, later: float) -> None:
    assert pauses(plan, broken_for=kept - 0.1)[-1] <= 10
    assert pauses(plan, broken_for=kept) == [later] * 8


def test_a_key_that_is_used_up_is_tried_no_more_and_the_plan_says_what_to_do() -> None:
    assert len(pauses("single_use", broken_for=59.9)) == 8
    assert pauses("single_use", broken_for=60) == []
    assert "fetch a new key" in PLANS["single_use"].advice


def test_steady_never_gives_up() -> None:
    assert pauses("steady", broken_for=1e9)[-1] == 10


@given(
    plan=st.sampled_from(get_args(RetryPlan)),
    attempt=st.integers(0, 10_000),
    broken_for=st.floats(0, 1e6),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_chance_moves_a_pause_by_a_fifth_at_most(
    plan: RetryPlan, attempt: int, broken_for: float, chance: float
) -> None:
    middle = PLANS[plan].pause(attempt, broken_for, 0.5)
    moved = PLANS[plan].pause(attempt, broken_for, chance)
    assert (middle is None) == (moved is None)
    if middle is not None and moved is not None:
        assert middle * (1 - JITTER) * 0.999 <= moved <= middle * (1 + JITTER) * 1.001
