"""Viewers of all processes add up, and a process that is gone takes its own with it."""

from __future__ import annotations

from hub.gateway.crowd import SILENT, Crowd
from hub.gateway.figures import Figures


def two() -> tuple[Crowd, Crowd]:
    return Crowd("one", "here:8082"), Crowd("two", "here:8082")


def test_who_says_goodbye_and_who_falls_silent_no_longer_counts() -> None:
    one, two_ = two()
    one.hear(two_.beat({"show": 4}, Figures()), now=10.0)
    one.hear(Crowd("three", "there:8082").beat({"show": 3, "other": 1}, Figures()), now=10.5)
    assert (one.elsewhere("show"), one.elsewhere("other"), one.elsewhere("none")) == (7, 1, 0)
    one.hear(two_.beat({"show": 4}, Figures(), gone=True), now=11.0)
    assert one.elsewhere("show") == 3
    one.forget_silent(10.5 + SILENT, deaf=False)
    assert one.elsewhere("show") == 0


def test_nobody_is_forgotten_while_nobody_can_be_heard() -> None:
    one, other = two()
    one.hear(other.beat({"show": 4}, Figures()), now=10.0)
    one.forget_silent(100.0, deaf=True)
    one.forget_silent(101.0, deaf=False)
    assert one.elsewhere("show") == 4


def test_our_own_beat_is_not_counted_twice_and_another_places_figures_are_its_own() -> None:
    one, other = two()
    one.hear(one.beat({"show": 9}, Figures(viewers=9)), now=1.0)
    one.hear(other.beat({"show": 4}, Figures(viewers=4, passes=[1] * 10)), now=1.0)
    one.hear(Crowd("three", "there:8082").beat({}, Figures(viewers=3)), now=1.0)
    assert one.elsewhere("show") == 4
    assert {name: seen.viewers for name, seen in one.figures(Figures(viewers=9)).items()} == {
        "one": 9,
        "two": 4,
    }


def test_a_newer_version_may_tell_more() -> None:
    one, other = two()
    words = other.beat({"show": 4}, Figures(frames=5))
    words["figures"]["invented_later"] = 1
    one.hear(words, now=1.0)
    assert one.figures(Figures())["two"].frames == 5
