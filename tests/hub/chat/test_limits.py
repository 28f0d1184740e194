"""Limits are counted in the platform's own unit, and a bucket never lets more through than it promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.types import ChatLimits
from hub.chat.limits import fitted, length, refusal
from hub.chat.pace import Bucket

LIMITS = ChatLimits(characters=10, messages=1, seconds=1)
START = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


@given(st.text(max_size=60), st.integers(2, 30), st.sampled_from(["code_point", "utf16"]))
def test_what_is_cut_fits_and_what_fits_is_not_cut(words: str, most: int, unit: str) -> None:
    limits = ChatLimits.model_validate({**LIMITS.model_dump(), "characters": most, "unit": unit})
    words = words.encode("utf-8", "replace").decode()
    cut = fitted(words, limits)
    assert length(cut, limits) <= most
    assert (cut == words) == (length(words, limits) <= most)
    assert refusal(cut, limits, "Here", None) is None


def test_an_emoji_counts_as_the_platform_counts_it() -> None:
    assert length("😀", LIMITS) == 1
    assert length("😀", LIMITS.model_copy(update={"unit": "utf16"})) == 2


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("see https://a.b/c", True),
        ("www.x.example", True),
        ("shop.example.com!", True),
        ("3.5 m, e.g. red", False),
    ],
)
def test_links_are_seen_where_they_are_refused(words: str, refused: bool) -> None:
    limits = LIMITS.model_copy(update={"characters": 100, "links": False})
    assert bool(refusal(words, limits, "Here", None)) is refused


@given(
    st.integers(1, 30),
    st.floats(0.5, 60),
    st.lists(st.floats(0, 20), min_size=1, max_size=80),
)
def test_no_span_of_time_sees_more_messages_than_the_platform_takes(
    messages: int, seconds: float, waits: list[float]
) -> None:
    bucket = Bucket.of(ChatLimits(characters=1, messages=messages, seconds=seconds))
    now, full_at, sent = START, START, []
    for wait in waits:
        now += timedelta(seconds=wait)
        full_at = max(full_at, now)
        now = max(now, bucket.free_at(full_at))
        full_at += bucket.every
        sent.append(now)
    # A microsecond is what datetime rounds by.
    span = timedelta(seconds=seconds) - timedelta(microseconds=messages + 1)
    assert all(sum(start <= at < start + span for at in sent) <= messages for start in sent)
