"""Finds card numbers where none may be: in a database's dump, in logs, in answers (PCI DSS requirement 3).
And takes them out of what people type, before anybody else sees it.

Fifteen or sixteen digits (13 to 19 with the rarer cards) prove nothing: ids and times have as many. What is
told is a number in a card network's range, with the right check digit, that stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hub.errors import BadInput

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
BETWEEN: Final = r"[\s._\u2010-\u2015\u200b-\u200d\u2060\ufeff-]"
"""What people put between the groups of a number; some of it cannot be seen."""
LONG: Final = re.compile(rf"\d(?:{BETWEEN}{{0,3}}\d){{12}}")
"""The shortest card number's digits: nearly no message has so many, and looking costs it a microsecond."""
TYPED: Final = re.compile(
    # Digits in an address are somebody's id; digits after a plus are a telephone's.
    rf"(?P<link>(?:https?://|www\.)\S+)|(?<![+\d])\d{{4,}}(?:{BETWEEN}{{1,3}}\d+)*",
    re.IGNORECASE,
)
SHORTEST_GROUP: Final = 4
"""As cards are written; only the last group may be shorter. Sizes and prices side by side are no card."""
LONGEST: Final = 19


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


def is_article(digits: str) -> bool:
    """Whether the check digit is an article number's (EAN-13)."""
    weighed = (int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return len(digits) == 13 and sum(weighed) % 10 == 0


def card_of(digits: str) -> str | None:
    """The network whose card number this is; None for any other number.

    German article numbers begin with 4 and have thirteen digits; for decades no new card has had so few.
    """
    network = network_of(digits)
    return network if network and luhn(digits) and not is_article(digits) else None


def find_pans(text: str) -> Iterator[Found]:
    """Every card number in a text; tokens, UUIDs, times and amounts are none."""
    for match in CANDIDATE.finditer(text):
        digits = re.sub(r"[ -]", "", match[0])
        if network := card_of(digits):
            yield Found(network, f"{digits[:6]}…{digits[-4:]}", match.start())


def without_cards(text: str) -> str:
    """What somebody typed, with each card number in it as `•••• 4242`; nothing else is changed.

    More is taken for a number than `find_pans` does: dots, lines and two spaces between its groups, a word
    right before it, an expiry date right behind it. What is left has nothing that `find_pans` would find.
    """
    if not LONG.search(text):
        return text
    # What is left of one number and what stood beside it may be another.
    while (left := CANDIDATE.sub(_alone, TYPED.sub(_typed, text))) != text:
        text = left
    return text


def refuse_card(text: str) -> str:
    """The text, for what is kept as it is given: names, address lines. BadInput `card_number`."""
    if without_cards(text) != text:
        raise BadInput(
            "card_number", "This looks like a card number. Type it into the payment form only, nowhere else."
        )
    return text


def _alone(match: re.Match[str]) -> str:
    digits = re.sub(r"[ -]", "", match[0])
    return _dotted(digits) if card_of(digits) else match[0]


def _typed(match: re.Match[str]) -> str:
    """Groups of digits, with those that are a card number together as dots; an address as it is."""
    if match["link"]:
        return match[0]
    pieces, kept, at = re.split(r"(\D+)", match[0]), list[str](), 0
    while at < len(pieces):
        # Digits and what is between them take turns.
        end = _end_of_card(pieces, at)
        kept.append(_dotted("".join(pieces[at:end:2])) if end else pieces[at])
        at = end or at + 1
        kept += pieces[at : at + 1]
        at += 1
    return "".join(kept)


def _end_of_card(pieces: list[str], begin: int) -> int:
    """Behind the last piece of the longest card number that begins with this one; 0 when none does."""
    digits, end = "", 0
    for place in range(begin, len(pieces), 2):
        digits += pieces[place]
        if card_of(digits):
            end = place + 1
        if len(pieces[place]) < SHORTEST_GROUP or len(digits) >= LONGEST:
            break
    return end


def _dotted(digits: str) -> str:
    return f"•••• {digits[-4:]}"
