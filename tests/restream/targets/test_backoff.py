"""Pauses: they grow, they end at ten seconds, they are spread."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from restream.targets.backoff import JITTER, STEPS, pause


def test_pauses_double_up_to_ten_seconds() -> None:
    assert [round(pause(attempt, 0.5), 3) for attempt in range(8)] == [0.5, 1, 2, 4, 8, 10, 10, 10]


@given(attempt=st.integers(0, 10_000), chance=st.floats(0, 1, exclude_max=True))
def test_chance_moves_a_pause_by_a_fifth_at_most(attempt: int, chance: float) -> None:
    step = STEPS[min(attempt, len(STEPS) - 1)]
    assert step * (1 - JITTER) <= pause(attempt, chance) <= step * (1 + JITTER)
    assert pause(attempt, 0.0) < pause(attempt, 0.9)
