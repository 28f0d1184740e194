"""What a platform's chat takes, asked before anything is sent. Pure.

What does not fit is refused with a sentence, not cut in two: half a sentence in a busy chat misleads, and
the parts would use up the budget of the next answer. Only what is passed on from another platform is cut.
"""

from __future__ import annotations

import re

from connectors.types import ChatLimits

LINK = re.compile(
    r"(?:https?://|www\.)\S|\b[\w-]+\.(?:com|net|org|io|tv|shop|store|live|me|co|de|uk)\b", re.IGNORECASE
)
CUT = "…"


def length(words: str, limits: ChatLimits) -> int:
    """In the platform's own unit."""
    return len(words.encode("utf-16-le")) // 2 if limits.unit == "utf16" else len(words)


def refusal(words: str, limits: ChatLimits, place: str, last: str | None) -> str | None:
    """Why this cannot go there, or None. `last` is what was sent there before it."""
    has = length(words, limits)
    if has > limits.characters:
        return f"{place} takes {limits.characters} characters, and this has {has}. Make it shorter."
    if not limits.links and LINK.search(words):
        return f"{place} refuses messages with links. Say it without the address."
    if not limits.repeats and last is not None and last.split() == words.split():
        return f"{place} refuses the same words twice in a row. Say it differently."
    return None


def fitted(words: str, limits: ChatLimits) -> str:
    """Cut to what the platform takes; whole characters only."""
    if length(words, limits) <= limits.characters:
        return words
    room = limits.characters - length(CUT, limits)
    while length(words, limits) > room:
        over = length(words, limits) - room
        words = words[: len(words) - max(1, over // 2)]
    return words.rstrip() + CUT
