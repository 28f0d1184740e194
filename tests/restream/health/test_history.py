"""The history is bounded, and means are means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.api import HealthSample
from restream.health.history import COARSE_ROWS, COARSE_SECONDS, COLUMNS, FINE_ROWS, ROW, History

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def sample(second: float, **values: float | None) -> HealthSample:
    return HealthSample(at=BEGAN + timedelta(seconds=second), **values)


@given(st.dictionaries(st.sampled_from(COLUMNS), st.none() | st.floats(-1e6, 1e6, width=32)))
def test_a_sample_comes_back_as_it_was(values: dict[str, float | None]) -> None:
    history = History()
    history.add(sample(1.5, **values))
    (found,) = history.since()
    assert found.at == BEGAN + timedelta(seconds=1.5)
    for name in COLUMNS:
        expected = values.get(name)
        assert getattr(found, name) == (
            None if expected is None else pytest.approx(expected, abs=0.01, rel=1e-6)
        )


def test_the_last_hour_is_kept_by_the_second_and_what_is_older_as_means() -> None:
    history = History()
    for second in range(FINE_ROWS + 100):
        history.add(sample(second, video_kbps=second, fps=None if second % 2 else 30.0))
    found = history.since()
    newest = found[-FINE_ROWS:]
    assert [row.video_kbps for row in newest] == list(range(100, FINE_ROWS + 100))
    means = [row for row in found if row.at < BEGAN + timedelta(seconds=90)]
    assert [row.video_kbps for row in means] == [4.5 + 10 * number for number in range(9)]
    assert {row.fps for row in means} == {30.0}
    assert [row.at for row in found] == sorted(row.at for row in found)


def test_a_day_and_an_hour_is_the_most_it_holds() -> None:
    history = History()
    seconds = 100_000
    template = sample(0, video_kbps=1.0)
    for second in range(seconds):
        history.add(template.model_copy(update={"at": BEGAN + timedelta(seconds=second)}))
    assert len(history) <= FINE_ROWS + COARSE_ROWS + COARSE_SECONDS + 1
    oldest = history.since()[0].at
    assert oldest > BEGAN + timedelta(seconds=seconds - 86_400 - FINE_ROWS - 60)
    assert len(history) * ROW.size < 1 << 20


def test_rows_are_asked_for_since_a_moment() -> None:
    history = History()
    for second in range(30):
        history.add(sample(second))
    assert [row.at for row in history.since(BEGAN + timedelta(seconds=27))] == [
        BEGAN + timedelta(seconds=second) for second in (27, 28, 29)
    ]
    assert history.since(BEGAN + timedelta(days=1)) == []
