"""A comment as a row of plain words. Pure; what comes out, put in again, comes out the same.

Case, accents, emoji and punctuation are gone. What is left are words, numbers, `x2` for "2x" and its
relatives, and three signs: `+`, `?` for any question mark, `$` for what is an amount, a share or a time.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 160
"""Characters. Who writes more tells a story."""

LINK: Final = re.compile(r"(?:https?://|www\.)\S*")
MENTION: Final = re.compile(r"(?<!\w)@\w+")
APOSTROPHE: Final = re.compile(r"(?<=\w)['’`´](?=\w)")
AMOUNT: Final = re.compile(r"\d+(?:[.,:/]\d+)+|[€£¥₽%$]")
ASKS: Final = re.compile(r"[?？؟¿⁇⁈]")
TIMES: Final = re.compile(r"[×✕✖*]")
GLUED: Final = re.compile(r"(?<!\w)(\d{1,3})x(\d{1,3})(?!\w)")
BEFORE: Final = re.compile(r"(?<!\w)(\d{1,3})x(?!\w)")
AFTER: Final = re.compile(r"(?<!\w)x(\d{1,3})(?!\w)")
STRETCHED: Final = re.compile(r"([^\W\d_])\1{2,}")
PIECE: Final = re.compile(r"x\d+(?!\w)|[^\W\d_]+|\d+|[+?$]")
UNMARKED: Final = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ı": "i"})


def words_of(comment: str) -> list[str]:
    """Its pieces in their order; none when it is too long to be a claim."""
    if len(comment) > LONGEST:
        return []
    plain = comment.lower() if comment.isascii() else unmarked(comment)
    plain = ASKS.sub(" ? ", plain)
    plain = MENTION.sub(" ", LINK.sub(" http ", plain))
    plain = TIMES.sub("x", AMOUNT.sub(" $ ", APOSTROPHE.sub("", plain)))
    plain = AFTER.sub(r" x\1 ", BEFORE.sub(r" x\1 ", GLUED.sub(r" \1 x\2 ", plain)))
    return PIECE.findall(STRETCHED.sub(r"\1", plain))


def unmarked(comment: str) -> str:
    """Lower case, without accents, with the digits of every script as 0–9."""
    apart = unicodedata.normalize("NFKD", comment.casefold()).translate(UNMARKED)
    kept = (
        str(unicodedata.decimal(one)) if one.isdecimal() and not one.isascii() else one
        for one in apart
        if unicodedata.category(one) not in ("Mn", "Me", "Cf") or "\u0e00" <= one <= "\u0eff"
    )
    return unicodedata.normalize("NFC", "".join(kept)).lower()


def near(word: str, other: str, most: int) -> int | None:
    """How many letters have to be changed, added, left out or swapped with the next; None: over `most`."""
    if abs(len(word) - len(other)) > most:
        return None
    before: list[int] = []
    row = [*range(len(other) + 1)]
    for i, mine in enumerate(word, 1):
        last, before, row = before, row, [i]
        for j, theirs in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (mine != theirs))
            if i > 1 and j > 1 and mine == other[j - 2] and word[i - 2] == theirs:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1] if row[-1] <= most else None
