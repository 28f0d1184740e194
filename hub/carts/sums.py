"""Dividing money so that the parts add up to the whole, to the last cent. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from hub.offers.pricing import spread

SCALE: Final = 100_000
"""A percentage in thousandths of a percent: exact for every rate the tables hold."""


def tax_in(amount: int, percent: Decimal, *, included: bool) -> int:
    """The tax in an amount, or on top of it; half a unit is rounded up."""
    rate = int(percent * 1000)
    whole = SCALE + rate if included else SCALE
    return (2 * amount * rate + whole) // (2 * whole)


@dataclass(frozen=True)
class Rate:
    """One percentage with its name, for example 19 "VAT"."""

    percent: Decimal = Decimal(0)
    title: str = ""


def taxes(amounts: Sequence[tuple[int, Rate]], *, included: bool) -> list[int]:
    """The tax of each amount: rounded once per rate, as invoices show it, then spread over its amounts."""
    found = [0] * len(amounts)
    for rate in dict.fromkeys(rate for _, rate in amounts):
        places = [n for n, (_, own) in enumerate(amounts) if own == rate]
        weights = [amounts[n][0] for n in places]
        total = tax_in(sum(weights), rate.percent, included=included)
        for n, part in zip(places, spread(total, weights), strict=True):
            found[n] = part
    return found
