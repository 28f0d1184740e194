"""Until when a buyer may go back on an order, in their own time zone and by their own calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.aftersale.deadlines import (
    ZONES,
    cancel_until,
    deadline,
    easter,
    has_legal_right,
    is_working_day,
    longest_stated,
    zone_of,
)

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def legal(country: str | None, delivered: datetime | None, placed: datetime = NOON) -> tuple[datetime, date]:
    found = deadline(country, 14, placed_at=placed, delivered_at=delivered, longest_delivery_days=30)
    return found.until, found.last_day


@pytest.mark.parametrize(
    ("country", "delivered", "until"),
    [
        # Tuesday; the 14th day after is Tuesday, 8 December, and ends at midnight in Berlin.
        ("DE", datetime(2026, 11, 24, 9, tzinfo=UTC), datetime(2026, 12, 8, 23, tzinfo=UTC)),
        # 23:30 UTC is already Wednesday in Berlin, and still Tuesday in London.
        ("DE", datetime(2026, 11, 24, 23, 30, tzinfo=UTC), datetime(2026, 12, 9, 23, tzinfo=UTC)),
        ("GB", datetime(2026, 11, 24, 23, 30, tzinfo=UTC), datetime(2026, 12, 9, 0, tzinfo=UTC)),
        # The 14th day is Saturday, 12 December: Monday counts.
        ("FR", datetime(2026, 11, 28, 9, tzinfo=UTC), datetime(2026, 12, 14, 23, tzinfo=UTC)),
        # Over the change of clocks on 29 March the days are as long as they are.
        ("DE", datetime(2026, 3, 18, 9, tzinfo=UTC), datetime(2026, 4, 1, 22, tzinfo=UTC)),
        # 25 December is a Friday, then St Stephen's on Saturday and a Sunday: Monday, 28 December.
        ("DE", datetime(2026, 12, 11, 9, tzinfo=UTC), datetime(2026, 12, 28, 23, tzinfo=UTC)),
        # Spain ends its days in the Canaries; an unknown country in the Azores.
        ("ES", datetime(2026, 11, 24, 9, tzinfo=UTC), datetime(2026, 12, 9, 0, tzinfo=UTC)),
        (None, datetime(2026, 11, 24, 9, tzinfo=UTC), datetime(2026, 12, 9, 1, tzinfo=UTC)),
    ],
)
def test_fourteen_days_end_where_the_buyer_is(
    country: str | None, delivered: datetime, until: datetime
) -> None:
    assert legal(country, delivered)[0] == until


def test_without_a_delivery_the_days_begin_on_the_latest_day_it_may_come() -> None:
    found = deadline("DE", 14, placed_at=NOON, delivered_at=None, longest_delivery_days=4)
    assert (found.counted_from, found.last_day) == ("longest_delivery", date(2026, 12, 14))
    known = deadline("DE", 14, placed_at=NOON, delivered_at=NOON, longest_delivery_days=4)
    assert (known.counted_from, known.last_day) == ("delivery", date(2026, 12, 8))


@given(
    st.sampled_from([*ZONES, None]),
    st.integers(0, 15 * 365 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)),
)
def test_nobody_gets_less_than_fourteen_whole_days(country: str | None, delivered: datetime) -> None:
    until, last = legal(country, delivered, delivered - timedelta(days=3))
    zone = zone_of(country)
    assert (last - delivered.astimezone(zone).date()).days >= 14
    assert is_working_day(last)
    after = until.astimezone(zone)
    assert after.date() == last + timedelta(days=1)
    assert until - delivered > timedelta(days=13, hours=23)
    assert until - delivered < timedelta(days=23)


def test_the_24_hours_are_hours() -> None:
    before_change = datetime(2026, 3, 28, 20, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    assert cancel_until(before_change.astimezone(UTC)) == before_change.astimezone(UTC) + timedelta(hours=24)


def test_the_right_is_european_and_an_unknown_country_has_it() -> None:
    assert [has_legal_right(one) for one in ("DE", "gb", "NO", None)] == [True] * 4
    assert [has_legal_right(one) for one in ("US", "CH", "AU")] == [False] * 3


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("2–4 days", 4),
        ("3-5 working days", 7),
        ("1-2 weeks", 14),
        ("tomorrow", None),
        ("", None),
        ("24 h", 24),
    ],
)
def test_the_longest_stated_delivery_is_read(words: str, days: int | None) -> None:
    assert longest_stated(words) == days


@pytest.mark.parametrize(("year", "day"), [(2024, (3, 31)), (2026, (4, 5)), (2027, (3, 28)), (2038, (4, 25))])
def test_easter_is_when_it_is(year: int, day: tuple[int, int]) -> None:
    assert easter(year) == date(year, *day)
