"""How often one viewer may ask: no moment of the clock lets more through than the words promise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.errors import SlowDown
from hub.public.pace import Quota

START = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


def refusal(quota: Quota, viewer: str) -> int | None:
    """Seconds to wait, when it was too often."""
    try:
        quota.check(viewer)
    except SlowDown as refused:
        return int(str(refused.extra["retry_after"]))
    return None


@given(st.floats(0, 20), st.integers(1, 5))
def test_a_viewer_asks_as_often_as_promised_whenever_they_begin(begin: float, most: int) -> None:
    now = START + timedelta(seconds=begin)
    quota = Quota(lambda: now, most, 10.0, "Too often.")
    assert [refusal(quota, "ana") for _ in range(most)] == [None] * most
    assert refusal(quota, "ben") is None
    now += timedelta(seconds=4)
    wait = refusal(quota, "ana")
    assert wait == 6
    now += timedelta(seconds=wait)
    assert refusal(quota, "ana") is None
