"""The timeline: what is listed, what is still served, what comes next."""

from __future__ import annotations

from restream.hls.cuts import Terms
from restream.hls.timeline import LISTED_TARGETS, Part, Segment, Timeline

LISTED, SERVED = LISTED_TARGETS, 2 * LISTED_TARGETS + 1
"""Segments as long as the target duration: in the playlist, and altogether (as long again, and one)."""


def part(seconds: float = 0.5, size: int = 1000, independent: bool = False) -> Part:
    return Part(bytes(size), seconds, independent)


def filled(segments: int, breaks: tuple[int, ...] = (), seconds: float = 2.0) -> Timeline:
    """Finished segments of four parts; some begin with a discontinuity and a new initialisation."""
    timeline = Timeline(0, Terms(part_target=0.5, hold_back=1.5, target_duration=2))
    made = 0
    for number in range(segments):
        made += number in breaks
        timeline.initialisations[made] = b"init"
        quarter = seconds / 4
        parts = [part(quarter, independent=True), part(quarter), part(quarter), part(quarter)]
        timeline.segments.append(Segment(number, made, number * seconds, number in breaks, parts))
        timeline.close()
    return timeline


def test_nothing_is_playable_before_a_segment_is_finished() -> None:
    timeline = Timeline()
    assert (timeline.newest, timeline.hint, timeline.last_closed) == ((-1, -1), (0, 0), -1)
    timeline.segments.append(Segment(0, 0, 0.0, parts=[part()]))
    assert (timeline.playable, timeline.newest, timeline.hint) == (False, (0, 0), (0, 1))
    timeline.segments[0].closed = True
    assert bool(timeline.playable) is True
    assert (timeline.last_closed, timeline.hint) == (0, (1, 0))
    assert timeline.segment(1) is None


def test_old_segments_leave_the_playlist_first_and_the_memory_later() -> None:
    timeline = filled(80)
    listed = [segment.number for segment in timeline.listed()]
    assert listed == list(range(80 - LISTED, 80))
    assert timeline.segments[0].number == 80 - SERVED
    assert timeline.segment(listed[0] - 1) is not None
    assert timeline.segment(5) is None


def test_what_is_listed_is_long_enough_whatever_the_length_of_segments() -> None:
    listed = filled(80, seconds=0.7).listed()
    assert 23.9 <= sum(segment.seconds for segment in listed) < 24.7


def test_a_discontinuity_is_counted_when_its_segment_has_left() -> None:
    before = filled(LISTED + 3, breaks=(3,))
    assert before.listed()[0].number == 3
    assert before.discontinuity_sequence == 0
    after = filled(LISTED + 4, breaks=(3,))
    assert after.listed()[0].number == 4
    assert after.discontinuity_sequence == 1


def test_initialisations_live_as_long_as_a_segment_needs_them() -> None:
    timeline = filled(SERVED + 5, breaks=(3, 8))
    assert timeline.segments[0].number == 5
    assert sorted(timeline.initialisations) == [1, 2]


def test_an_open_segment_that_is_due_hints_at_the_next() -> None:
    timeline = filled(1)
    timeline.segments.append(Segment(1, 0, 2.0, parts=[part()]))
    assert timeline.hint == (1, 1)
    timeline.rolls = True
    assert timeline.hint == (2, 0)
    assert timeline.may_come_next((1, 1))
    assert timeline.may_come_next((2, 0))
    assert not timeline.may_come_next((1, 2))
    timeline.ended = True
    assert not timeline.may_come_next((1, 1))


def test_rates_are_of_finished_and_whole_segments() -> None:
    timeline = filled(3)
    timeline.segments[1].add(part(0.5, size=6000))
    timeline.segments[2].add(Part(b"", 0.5, independent=False, gap=True))
    timeline.segments.append(Segment(3, 0, 6.0, parts=[part(size=1 << 20)]))
    assert timeline.peak == 10_000 * 8 / 2.5
    assert timeline.average == round(14_000 * 8 / 4.5)
