"""Finds card numbers where none may be: in a database's dump, in logs, in answers (PCI DSS requirement 3).

Fifteen or sixteen digits (13 to 19 with the rarer cards) prove nothing: ids and times have as many. What is
told is a number in a card network's range, with the right check digit, that stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

RANGES: Final[tuple[tuple[str, int, int, tuple[int, ...]], ...]] = (
    # (network, first prefix, last prefix, lengths). ISO/IEC 7812, as the networks publish them.
    ("Visa", 4, 4, (13, 16, 19)),
    ("Mastercard", 51, 55, (16,)),
    ("Mastercard", 2221, 2720, (16,)),
    ("American Express", 34, 34, (15,)),
    ("American Express", 37, 37, (15,)),
    ("Diners Club", 300, 305, (14,)),
    ("Diners Club", 36, 36, (14,)),
    ("Diners Club", 38, 39, (14,)),
    ("Discover", 6011, 6011, (16,)),
    ("Discover", 644, 659, (16,)),
    ("JCB", 3528, 3589, (16,)),
    ("UnionPay", 62, 62, (16, 17, 18, 19)),
    ("Maestro", 6759, 6763, (16, 18, 19)),
)
CANDIDATE: Final = re.compile(
    r"""
    (?<![0-9A-Za-z.+/=_-])        # not a piece of an id, a decimal or base64
    (?:\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,7}   # as people write it
      |\d{4}[ -]\d{6}[ -]\d{4,5}            # American Express, Diners Club
      |\d{13,19})
    (?![0-9A-Za-z+/=_-]|\.\d)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Found:
    """A card number at a place. Shown as networks allow it: the first six digits and the last four."""

    network: str
    masked: str
    offset: int


def network_of(digits: str) -> str | None:
    """Whose card this may be, by prefix and length."""
    for network, first, last, lengths in RANGES:
        if len(digits) in lengths and first <= int(digits[: len(str(first))]) <= last:
            return network
    return None


def luhn(digits: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def find_pans(text: str) -> Iterator[Found]:
    """Every card number in a text; tokens, UUIDs, times and amounts are none."""
    for match in CANDIDATE.finditer(text):
        digits = re.sub(r"[ -]", "", match[0])
        network = network_of(digits)
        if network and luhn(digits):
            yield Found(network, f"{digits[:6]}…{digits[-4:]}", match.start())
