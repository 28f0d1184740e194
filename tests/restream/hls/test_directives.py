"""Delivery directives: what is asked for, what is too far, what satisfies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.hls.cuts import Terms
from restream.hls.directives import BadDirective, Directives, Wanted, parse, satisfied, too_far
from restream.hls.timeline import Part, Segment, Timeline


def timeline(closed: int, open_parts: int, part_target: float = 0.5) -> Timeline:
    """`closed` segments of four parts, then an open one."""
    made = Timeline(0, Terms(target_duration=2))
    made.part_target = part_target
    for number in range(closed + 1):
        count = 4 if number < closed else open_parts
        parts = [Part(b"", part_target, False)] * count
        if not parts:
            continue
        made.segments.append(Segment(number, 0, 0.0, parts=parts, closed=number < closed))
    return made


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (b"", Directives()),
        (b"token=abc", Directives()),
        (b"_HLS_skip=YES", Directives(None, "YES")),
        (b"_HLS_skip=v3", Directives()),
        (b"_HLS_msn=7", Directives(Wanted(7))),
        (b"_HLS_msn=7&_HLS_part=0&token=a%26b", Directives(Wanted(7, 0))),
        (b"_HLS_part=3&_HLS_msn=007&_HLS_skip=v2", Directives(Wanted(7, 3), "v2")),
    ],
)
def test_directives(query: bytes, wanted: Directives) -> None:
    assert parse(query) == wanted


@pytest.mark.parametrize(
    "query",
    [
        b"_HLS_part=1",
        b"_HLS_msn=",
        b"_HLS_msn=-1",
        b"_HLS_msn=1.5",
        b"_HLS_msn=x&_HLS_part=1",
        b"_HLS_msn=1&_HLS_part=x",
        b"_HLS_msn=1&_HLS_msn=1",
        b"_HLS_msn=1&_HLS_part=1&_HLS_part=2",
        b"_HLS_msn=1e3",
        b"_HLS_skip=YES&_HLS_skip=YES",
        b"_HLS_msn=\xd9\xa3",
        b"_HLS_msn=" + b"9" * 400,
    ],
)
def test_what_is_no_directive_is_refused(query: bytes) -> None:
    with pytest.raises(BadDirective):
        parse(query)


@given(st.binary(max_size=60))
def test_any_query_is_directives_or_refused(query: bytes) -> None:
    for candidate in (query, b"_HLS_msn=" + query):
        try:
            parse(candidate)
        except BadDirective:
            continue


@pytest.mark.parametrize(
    ("wanted", "far"),
    [
        (Wanted(0), False),
        (Wanted(12), False),  # two past the last finished one, 10
        (Wanted(13), True),
        (Wanted(11, 2), False),  # the next part
        (Wanted(11, 7), False),  # six parts: three seconds
        (Wanted(11, 8), True),
        (Wanted(12, 3), False),  # two left in the open one, then four
        (Wanted(12, 4), True),
        (Wanted(9, 70), False),  # the past is never too far
        (Wanted(13, 0), True),
    ],
)
def test_what_is_too_far(wanted: Wanted, far: bool) -> None:
    assert too_far(timeline(11, 2), wanted) == far


def test_with_parts_of_a_second_three_parts_are_the_limit() -> None:
    made = timeline(3, 1, part_target=1.0)
    assert not too_far(made, Wanted(3, 3))
    assert too_far(made, Wanted(3, 4))


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        (Wanted(2), True),
        (Wanted(3), False),
        (Wanted(3, 0), True),
        (Wanted(3, 1), True),
        (Wanted(3, 2), False),
        (Wanted(2, 9), True),  # past the end of a finished one: the next one's first, which is there
        (Wanted(0, 0), True),
        (Wanted(4, 0), False),
    ],
)
def test_what_satisfies(wanted: Wanted, there: bool) -> None:
    assert satisfied(timeline(3, 2), wanted) == there


def test_a_part_past_a_finished_segment_waits_for_the_next_ones_first() -> None:
    assert not satisfied(timeline(3, 0), Wanted(2, 4))
    assert satisfied(timeline(3, 1), Wanted(2, 4))


def test_an_ended_show_satisfies_everybody_and_one_not_begun_nobody() -> None:
    ended = timeline(3, 2)
    ended.ended = True
    assert satisfied(ended, Wanted(99, 3))
    assert not satisfied(timeline(0, 2), Wanted(0, 0))
