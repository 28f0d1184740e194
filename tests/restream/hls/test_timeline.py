"""The timeline: what is listed, what is still served, what comes next."""

from __future__ import annotations

from restream.hls.timeline import KEPT_SEGMENTS, SPARE_SEGMENTS, Part, Segment, Timeline


def part(seconds: float = 0.5, size: int = 1000, independent: bool = False) -> Part:
    return Part(bytes(size), seconds, independent)


def filled(segments: int, breaks: tuple[int, ...] = ()) -> Timeline:
    """Finished segments of four parts; some begin with a discontinuity and a new initialisation."""
    timeline = Timeline()
    made = 0
    for number in range(segments):
        made += number in breaks
        timeline.initialisations[made] = b"init"
        parts = [part(independent=True), part(), part(), part()]
        segment = Segment(number, made, number * 2.0, number in breaks, parts, closed=True)
        timeline.segments.append(segment)
        timeline.trim()
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
    timeline = filled(50)
    listed = [segment.number for segment in timeline.listed()]
    assert listed == list(range(50 - KEPT_SEGMENTS, 50))
    assert timeline.segments[0].number == 50 - KEPT_SEGMENTS - SPARE_SEGMENTS
    assert timeline.segment(listed[0] - 1) is not None
    assert timeline.segment(5) is None


def test_a_discontinuity_is_counted_when_its_segment_has_left() -> None:
    before = filled(KEPT_SEGMENTS + 3, breaks=(3,))
    assert before.listed()[0].number == 3
    assert before.discontinuity_sequence == 0
    after = filled(KEPT_SEGMENTS + 4, breaks=(3,))
    assert after.listed()[0].number == 4
    assert after.discontinuity_sequence == 1


def test_initialisations_live_as_long_as_a_segment_needs_them() -> None:
    timeline = filled(KEPT_SEGMENTS + SPARE_SEGMENTS + 5, breaks=(3, 8))
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


def test_an_empty_open_segment_is_not_listed() -> None:
    timeline = filled(1)
    timeline.segments.append(Segment(1, 0, 2.0))
    assert [segment.number for segment in timeline.listed()] == [0]
    assert timeline.newest == (0, 3)


def test_bandwidth_is_the_peak_of_finished_segments() -> None:
    timeline = filled(3)
    timeline.segments[1].parts[0] = part(size=5000)
    timeline.segments.append(Segment(3, 0, 6.0, parts=[part(size=1 << 20)]))
    assert timeline.bandwidth == 8000 * 8 / 2
