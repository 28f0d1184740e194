"""What things cost in an offer: whole minor units in, whole minor units out. No I/O.

Order of discounts, on each line: 1. at most one automatic offer makes the unit price; 2. a coupon comes off
the total of the lines it may be used on. Percentages are rounded half up to the minor unit, per unit for an
offer and per line for a coupon. Amounts are spread over lines or components by largest remainder, so that
the parts sum to the whole to the cent. No price is below zero or above the price without the offer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Terms:
    """What one unit costs, and by which offer (and step of it); None and None: the price without offer."""

    unit_minor: int
    offer_id: UUID | None = None
    tier_id: UUID | None = None


@dataclass(frozen=True)
class Share:
    """So many units of one component of a bundle, at this price each."""

    part: int
    quantity: int
    unit_minor: int


def discounted(list_minor: int, percent_off: int) -> int:
    """The price of one unit, half a minor unit rounded up."""
    return (list_minor * (100 - percent_off) + 50) // 100


def offered(list_minor: int, *, percent_off: int | None = None, unit_minor: int | None = None) -> int:
    """The price of one unit in an offer: its own price where it has one, else by percentage, else as listed.

    Never above the list: an offer whose price was passed by a cheaper list price gives that.
    """
    if unit_minor is not None:
        return max(0, min(unit_minor, list_minor))
    return discounted(list_minor, percent_off) if percent_off else list_minor


def stepped(list_minor: int, percent_off: int, fixed_minor: int | None = None) -> int:
    """The price of one unit in a step of a tiered offer: by the list price it was launched with, if known."""
    base = list_minor if fixed_minor is None else fixed_minor
    return offered(list_minor, unit_minor=discounted(base, percent_off))


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole parts in proportion to `weights` (≥ 0), by largest remainder; ties go to the first.

    The parts sum to `total`; where `total` ≤ sum of weights no part is above its weight. With nothing to go
    by (all weights 0), everything is in the first part.
    """
    whole = sum(weights)
    if not weights or not whole:
        return [total, *[0] * (len(weights) - 1)] if weights else []
    parts = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    neediest = sorted(range(len(weights)), key=lambda n: (-remainders[n], n))
    for n in neediest[: total - sum(parts)]:
        parts[n] += 1
    return parts


def split(bundle_minor: int, parts: Sequence[tuple[int, int]]) -> list[Share]:
    """The price of one bundle over its components, given as (list price of one, how many in a bundle).

    A component of several units may get two shares, a cent apart: `sum(quantity × unit_minor)` is exactly
    `bundle_minor`. Shares come in the order of the parts, the dearer first.
    """
    units = [(part, minor) for part, (minor, quantity) in enumerate(parts) for _ in range(quantity)]
    prices = spread(bundle_minor, [minor for _, minor in units])
    counted: dict[tuple[int, int], int] = {}
    for (part, _), price in zip(units, prices, strict=True):
        counted[part, price] = counted.get((part, price), 0) + 1
    return [
        Share(part=part, quantity=quantity, unit_minor=price)
        for (part, price), quantity in sorted(counted.items(), key=lambda one: (one[0][0], -one[0][1]))
    ]


def reduced(lines: Sequence[int], *, percent_off: int | None, amount_minor: int | None) -> list[int]:
    """What a coupon takes off each line (totals in), never more than the line; percent or an amount."""
    if percent_off:
        return [line - discounted(line, percent_off) for line in lines]
    return spread(min(amount_minor or 0, sum(lines)), lines)
