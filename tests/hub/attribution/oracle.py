"""What attribution should say, reckoned slowly and plainly in Python: the tests' second opinion.

Nothing here shares code with hub/attribution but the words; weights and shares are those of the audit
(`hub/analytics/audit/credits.py`), which are whole numbers as the SQL has them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import combinations, groupby
from math import factorial
from uuid import UUID

from hub.analytics.audit.credits import BACK, share, weights
from hub.attribution.words import Model, Window


@dataclass(frozen=True)
class Touch:
    """One touch; `key` is its channel, whatever that is taken to be."""

    id: UUID
    person: str
    at: datetime
    key: str
    show: UUID
    session_until: datetime

    @property
    def direct(self) -> bool:
        return self.key == "(direct)"


@dataclass(frozen=True)
class Order:
    """One order with what happened to its money: (entry, when, amount), the sale first."""

    id: UUID
    person: str
    at: datetime
    show: UUID
    session_from: datetime | None
    currency: str
    steps: tuple[tuple[str, datetime, int], ...]


@dataclass
class Story:
    """All there is."""

    touches: list[Touch] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)


Credit = dict[tuple[UUID, str, int, UUID | None], int]
"""(order, entry, its number, touch or None) → amount."""


def path(story: Story, order: Order, window: Window) -> list[Touch]:
    """The order's touches, oldest first."""

    def within(touch: Touch) -> bool:
        if window != "session":
            return touch.at >= order.at - BACK[window]
        if touch.session_until >= order.at:
            return True
        began = order.session_from
        return began is not None and touch.show == order.show and touch.at >= began

    mine = [one for one in story.touches if one.person == order.person and one.at <= order.at and within(one)]
    return sorted(mine, key=lambda one: (one.at, one.id.bytes))


def shares(story: Story, model: Model, window: Window, effects: Mapping[str, int] | None = None) -> Credit:
    """Every credit that is not zero."""
    found: Credit = {}
    for order in story.orders:
        touches = path(story, order, window)
        parts = weights(model, touches, order.at, effects or {})
        for steps in (order.steps, (("order", order.at, 1_000_000),)):
            before: dict[UUID, int] = {}
            left = 0
            for number, (entry, _, amount) in enumerate(steps, 1):
                left += amount
                if not touches:
                    found[order.id, entry, number, None] = amount
                    continue
                after = share(left, parts)
                for one, part in after.items():
                    found[order.id, entry, number, one] = part - before.get(one, 0)
                before = after
    return {place: amount for place, amount in found.items() if amount}


def moves(ways: Iterable[tuple[Sequence[str], bool]]) -> Counter[tuple[str | None, str | None, bool | None]]:
    """Moves of (channels, bought) ways: START is None, an end is None."""
    found: Counter[tuple[str | None, str | None, bool | None]] = Counter()
    for keys, bought in ways:
        here: str | None = None
        for key, _ in groupby(keys):
            found[here, key, None] += 1
            here = key
        found[here, None, bought] += 1
    return found


def chance(
    counts: Mapping[tuple[str | None, str | None, bool | None], int], without: str | None = None
) -> float:
    """How likely a way ends in an order, by walking all of them at once until nobody is under way."""
    leaving: Counter[str | None] = Counter()
    for (here, _, _), times in counts.items():
        leaving[here] += times
    under_way: dict[str | None, float] = {None: 1.0}
    ordered = 0.0
    for _ in range(5000):
        after: dict[str | None, float] = defaultdict(float)
        for (here, there, bought), times in counts.items():
            part = under_way.get(here, 0.0) * times / leaving[here]
            if there is None:
                ordered += part if bought else 0.0
            elif there != without:
                after[there] += part
        under_way = after
        if sum(under_way.values()) < 1e-15:
            break
    return ordered


def shapley(sets: Mapping[frozenset[str], int]) -> dict[str, Fraction]:
    """By the definition: over every coalition without the channel."""
    channels = sorted({one for channels in sets for one in channels})
    count = len(channels)

    def value(coalition: frozenset[str]) -> int:
        return sum(orders for channels, orders in sets.items() if channels <= coalition)

    found = {}
    for one in channels:
        others = [other for other in channels if other != one]
        found[one] = sum(
            (
                Fraction(factorial(size) * factorial(count - size - 1), factorial(count))
                * (value(frozenset(chosen) | {one}) - value(frozenset(chosen)))
                for size in range(count)
                for chosen in combinations(others, size)
            ),
            Fraction(0),
        )
    return found
