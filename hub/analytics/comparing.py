"""Whether some people differ from others, or only seem to. Pure arithmetic.

Ratios with an interval of 95 %: of shares after Katz et al. (Biometrics 34, 1978), of means by the delta
method, both on the scale of the logarithm.
"""

from __future__ import annotations

import math
from typing import Final

from pydantic import BaseModel

Z: Final = 1.959964
FEWEST_PEOPLE: Final = 30
FEWEST_BUYERS: Final = 5


class Ratio(BaseModel):
    """How many times as high, and the range it lies in. None: too few on either side to say.

    `sure`: the range leaves out 1, so that the difference is more than chance.
    """

    times: float | None = None
    low: float | None = None
    high: float | None = None
    sure: bool = False


def ratio_of(logarithm: float, error: float) -> Ratio:
    """From its logarithm and the standard error of that."""
    low, high = math.exp(logarithm - Z * error), math.exp(logarithm + Z * error)
    return Ratio(
        times=round(math.exp(logarithm), 3),
        low=round(low, 3),
        high=round(high, 3),
        sure=not low <= 1 <= high,
    )


def shares(hits: int, people: int, other_hits: int, others: int) -> Ratio:
    """The ratio of two shares."""
    if not (hits and other_hits):
        return Ratio()
    variance = 1 / hits - 1 / people + 1 / other_hits - 1 / others
    return ratio_of(math.log(hits / people * others / other_hits), math.sqrt(max(variance, 0)))


def means(total: int, squares: int, people: int, others: tuple[int, int, int]) -> Ratio:
    """The ratio of two means; sums, sums of squares and counts of both sides."""
    other_total, other_squares, other_people = others
    if total <= 0 or other_total <= 0 or people < 2 or other_people < 2:
        return Ratio()
    variance = spread(total, squares, people) + spread(other_total, other_squares, other_people)
    logarithm = math.log(total / people * other_people / other_total)
    return ratio_of(logarithm, math.sqrt(max(variance, 0)))


def spread(total: int, squares: int, people: int) -> float:
    """The squared relative error of a mean."""
    mean = total / people
    variance = (squares - people * mean * mean) / (people - 1)
    return max(variance, 0) / (people * mean * mean)


def note_of(people: int, others: int, buyers: int) -> str:
    """A warning in words; empty where there are enough."""
    fewer = min(people, others)
    if fewer < FEWEST_PEOPLE:
        return (
            f"Only {fewer} {'person is' if fewer == 1 else 'people are'} on one side: take this as a hint. "
            f"From {FEWEST_PEOPLE} on both sides it means more."
        )
    if buyers < FEWEST_BUYERS:
        return f"Only {buyers} of them bought: take this as a hint."
    return ""
