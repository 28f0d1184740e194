"""Findings do not flicker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from restream.api import Finding
from restream.health.findings import Problem
from restream.health.watch import CLEAR_SECONDS, RAISE_SECONDS, Watch

ALARM = Problem("no_video", "alarm", "No picture.")
WARNING = Problem("drift", "warning", "Late.", "youtube")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class Wall:
    """A watch, and what it said."""

    def __init__(self) -> None:
        self.now = BEGAN
        self.news: list[tuple[str, Finding]] = []
        self.watch = Watch(
            lambda finding: self.news.append(("raised", finding)),
            lambda finding: self.news.append(("cleared", finding)),
        )

    def see(self, *problems: Problem, seconds: float = 1.0) -> None:
        self.watch.update(problems, self.now)
        self.now += timedelta(seconds=seconds)

    @property
    def said(self) -> list[str]:
        return [what for what, _ in self.news]


def test_a_problem_is_told_once_when_it_has_stayed() -> None:
    wall = Wall()
    for _ in range(int(RAISE_SECONDS["alarm"])):
        wall.see(ALARM)
    assert wall.said == []
    for _ in range(20):
        wall.see(ALARM)
    assert wall.said == ["raised"]
    assert wall.news[0][1].since == BEGAN


def test_a_problem_that_comes_and_goes_is_not_told() -> None:
    wall = Wall()
    for _ in range(50):
        wall.see(WARNING)
        wall.see()
    assert wall.said == []


def test_a_finding_is_cleared_when_it_has_been_gone_for_a_while() -> None:
    wall = Wall()
    for _ in range(10):
        wall.see(WARNING)
    for _ in range(int(CLEAR_SECONDS)):
        wall.see()
    assert wall.said == ["raised"]
    wall.see(WARNING)  # back in time: nothing has happened
    for _ in range(int(CLEAR_SECONDS) + 1):
        wall.see()
    assert wall.said == ["raised", "cleared"]
    assert wall.watch.findings == []


def test_a_finding_that_gets_worse_is_told_again_and_follows_its_figures() -> None:
    wall = Wall()
    for number in range(10):
        wall.see(Problem("late", "warning", f"{number} s late."))
    assert wall.watch.findings[0].sentence == "9 s late."
    wall.see(Problem("late", "alarm", "10 s late."))
    assert wall.said == ["raised", "raised"]
    assert wall.news[-1][1].severity == "alarm"


def test_alarms_come_first() -> None:
    wall = Wall()
    for _ in range(10):
        wall.see(WARNING, ALARM)
    assert [finding.code for finding in wall.watch.findings] == ["no_video", "drift"]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0.1, 4)), max_size=60))
def test_raised_and_cleared_alternate_and_match_what_is_listed(
    steps: list[tuple[bool, bool, float]],
) -> None:
    wall = Wall()
    for alarm, warning, seconds in steps:
        wall.see(*[ALARM] * alarm, *[WARNING] * warning, seconds=seconds)
        for code in ("no_video", "drift"):
            said = [what for what, finding in wall.news if finding.code == code]
            assert said == ["raised", "cleared"] * (len(said) // 2) + ["raised"] * (len(said) % 2)
            listed = any(finding.code == code for finding in wall.watch.findings)
            assert listed is bool(len(said) % 2)
    wall.watch.clear()
    assert wall.said.count("raised") == wall.said.count("cleared")
