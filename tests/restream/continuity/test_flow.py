"""Whether frames still come, how steadily, and whether they are of now."""

from __future__ import annotations

from restream.continuity.flow import SILENCE, Flow


def sent(flow: Flow, times: range, *, late: float = 0.0) -> None:
    """A picture every 100 ms: `times` in milliseconds, each arriving `late` seconds after its time."""
    for time in times:
        now = time / 1000 + late
        flow.arrived(now)
        flow.timed(time, now)


def test_silence_is_less_than_half_a_second_for_a_usual_feed_and_longer_for_a_slow_one() -> None:
    flow = Flow(10.0)
    assert flow.silent_at(0.03) == 10.0 + SILENCE <= 10.5
    assert flow.silent_at(1.0) == 13.0


def test_a_break_begins_the_steady_time_anew() -> None:
    flow = Flow(0.0)
    sent(flow, range(0, 3000, 100))
    assert flow.lasted(3.0) >= 2.9
    sent(flow, range(5000, 6000, 100))
    assert 0.9 <= flow.lasted(6.0) <= 1.0


def test_a_burst_of_what_was_held_up_is_not_of_now_until_it_ends() -> None:
    flow = Flow(0.0)
    sent(flow, range(0, 1000, 100))
    for time in range(1000, 4000, 100):
        flow.timed(time, 4.0)
        assert flow.caught_up == (4.0 - time / 1000 < 0.5)


def test_an_encoder_that_stays_late_is_believed_after_half_a_second() -> None:
    flow = Flow(0.0)
    sent(flow, range(0, 1000, 100))
    known = []
    for begins, ends in ((1000, 1400), (1400, 1600), (1600, 9000)):
        sent(flow, range(begins, ends, 100), late=3.0)
        known.append(flow.caught_up)
    assert known == [False, True, True]
