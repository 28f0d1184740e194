"""Problems that stay become findings; findings that are gone for a while are cleared. No flicker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from restream.api import Finding
from restream.health.findings import Problem, Severity

RAISE_SECONDS: Final[Mapping[Severity, float]] = MappingProxyType({"alarm": 2.0, "warning": 4.0, "info": 6.0})
CLEAR_SECONDS: Final = 5.0

Key = tuple[str, str | None]


@dataclass
class _Case:
    """One problem: since when it is there, since when it is not, and whether anybody was told."""

    problem: Problem
    since: datetime
    gone_since: datetime | None = None
    raised: Finding | None = None


class Watch:
    """`update` about once a second. Callbacks are called from within it."""

    def __init__(
        self,
        on_raised: Callable[[Finding], None] = lambda finding: None,
        on_cleared: Callable[[Finding], None] = lambda finding: None,
    ) -> None:
        self._on_raised = on_raised
        self._on_cleared = on_cleared
        self._cases: dict[Key, _Case] = {}

    @property
    def findings(self) -> list[Finding]:
        """What is raised, alarms first, then by age."""
        order = ("alarm", "warning", "info")
        raised = [case.raised for case in self._cases.values() if case.raised]
        return sorted(raised, key=lambda finding: (order.index(finding.severity), finding.since))

    def update(self, problems: Iterable[Problem], now: datetime) -> None:
        """What is wrong now."""
        present: dict[Key, Problem] = {(problem.code, problem.target): problem for problem in problems}
        for key, problem in present.items():
            case = self._cases.setdefault(key, _Case(problem, now))
            case.problem, case.gone_since = problem, None
            self._consider(case, now)
        for key in [key for key in self._cases if key not in present]:
            self._fade(key, now)

    def clear(self) -> None:
        """Nobody publishes: there is nothing to find fault with."""
        for key in list(self._cases):
            self._drop(key)

    def _consider(self, case: _Case, now: datetime) -> None:
        before, problem = case.raised, case.problem
        if before is None and now - case.since < timedelta(seconds=RAISE_SECONDS[problem.severity]):
            return
        # The sentence of a raised finding follows the figures; only a new severity is news.
        case.raised = Finding(
            code=problem.code,
            severity=problem.severity,
            sentence=problem.sentence,
            target=problem.target,
            since=case.since,
        )
        if before is None or before.severity != problem.severity:
            self._on_raised(case.raised)

    def _fade(self, key: Key, now: datetime) -> None:
        case = self._cases[key]
        if case.gone_since is None:
            case.gone_since = now
        if case.raised is None or now - case.gone_since >= timedelta(seconds=CLEAR_SECONDS):
            self._drop(key)

    def _drop(self, key: Key) -> None:
        case = self._cases.pop(key)
        if case.raised:
            self._on_cleared(case.raised)
