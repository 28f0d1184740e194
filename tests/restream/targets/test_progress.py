"""Acknowledgements that stop are noticed, those that never came are not missed; delays; the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.targets.ledger import Ledger
from restream.targets.progress import MARKS, Acknowledgements, Marks

START = datetime(2026, 1, 1, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@given(steps=st.lists(st.integers(1, (1 << 31) - 1), max_size=20))
def test_the_count_goes_on_past_32_bits(steps: list[int]) -> None:
    counted = Acknowledgements(usual=100)
    total = 0
    for step in steps:
        total += step
        assert counted.note(total & 0xFFFF_FFFF, 0.0)
        assert not counted.note(total & 0xFFFF_FFFF, 1.0)
    assert counted.total == total


def test_a_count_that_goes_back_is_no_news() -> None:
    counted = Acknowledgements(usual=100)
    counted.note(1000, 0.0)
    assert not counted.note(900, 1.0)
    assert counted.total == 1000


def regular(acknowledgements: int) -> Acknowledgements:
    counted = Acknowledgements(usual=100)
    for number in range(1, acknowledgements + 1):
        counted.note(number * 100, float(number))
    return counted


def test_regular_acknowledgements_that_stop_while_bytes_leave_are_missed() -> None:
    counted = regular(5)
    assert not counted.stopped(left=501 + 300, now=14.9, patience=10)
    assert counted.stopped(left=501 + 300, now=15.1, patience=10)


def test_nothing_is_missed_while_little_leaves() -> None:
    assert not regular(5).stopped(left=500 + 300, now=1000, patience=10)


@pytest.mark.parametrize("few", [0, 1, 2])
def test_a_far_end_that_hardly_acknowledges_is_not_suspected(few: int) -> None:
    assert not regular(few).stopped(left=10**9, now=1000, patience=10)


def test_bytes_between_two_marks_came_in_between() -> None:
    marks = Marks()
    for written, arrived in ((100, 10.0), (200, 11.0), (600, 12.0)):
        marks.add(written, arrived)
    assert [marks.arrived(written) for written in (99, 100, 150, 200, 300, 600, 700)] == [
        *(None, 10.0, 10.5, 11.0, 11.25, 12.0, 12.0)
    ]


@given(sizes=st.lists(st.integers(0, 1000), min_size=1, max_size=3 * MARKS))
def test_marks_never_go_back_and_never_grow(sizes: list[int]) -> None:
    marks, written = Marks(), 0
    for number, size in enumerate(sizes):
        written += size
        marks.add(written, float(number))
    found = [at for at in (marks.arrived(byte) for byte in range(written + 1)) if at is not None]
    assert found == sorted(found)


def test_time_counts_while_it_is_wanted_and_gaps_are_counted_once() -> None:
    ledger = Ledger(START)
    ledger.note(after(5), wanted=True)
    ledger.note(after(7), live=True)
    ledger.broke()
    ledger.note(after(17), live=False)
    ledger.broke()
    ledger.note(after(20), live=True)
    ledger.note(after(30), wanted=False)
    ledger.broke()
    ledger.count(after(100))
    assert (ledger.wanted, ledger.live, ledger.gaps) == (25, 20, 1)


def test_a_clock_that_is_set_back_takes_nothing_away() -> None:
    ledger = Ledger(START)
    ledger.note(START, wanted=True, live=True)
    ledger.count(after(10))
    ledger.count(after(-100))
    ledger.count(after(-99))
    assert (ledger.wanted, ledger.live) == (11, 11)
