"""What is said, cut into pieces that screens draw in different ways. Put together it is the text again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.types import Fragment

EMOTE = "[emote]"
"""TikTok gives an emote a picture, but no name."""
LINK = re.compile(r"https?://[^\s<>\"]+")
Emote = tuple[int, str | None]
"""(index in the text before which it stands, picture)."""


def fragments_of(text: str, emotes: Sequence[Emote] = (), mentioned: str = "") -> tuple[Fragment, ...]:
    """The pieces in order; `text` is without the emotes. `mentioned` is the name of somebody addressed."""
    pieces: list[Fragment] = []
    at = 0
    for index, picture in sorted(emotes, key=lambda emote: emote[0]):
        place = min(max(index, at), len(text))
        pieces += plain(text[at:place], mentioned)
        pieces.append(Fragment(kind="emote", text=EMOTE, url=picture))
        at = place
    return (*pieces, *plain(text[at:], mentioned))


def plain(text: str, mentioned: str) -> list[Fragment]:
    """Links and the name that is addressed, in what has no emotes."""
    pieces: list[Fragment] = []
    at = 0
    special = [(found.start(), found[0], "link") for found in LINK.finditer(text)]
    name = f"@{mentioned}"
    if mentioned and (start := text.find(name)) >= 0:
        special.append((start, name, "mention"))
    for start, piece, kind in sorted(special):
        if start < at:
            continue  # a name inside a link
        if start > at:
            pieces.append(Fragment(text=text[at:start]))
        is_link = kind == "link"
        pieces.append(
            Fragment(kind="link" if is_link else "mention", text=piece, url=piece if is_link else None)
        )
        at = start + len(piece)
    return [*pieces, Fragment(text=text[at:])] if at < len(text) else pieces


def said_in(fragments: Sequence[Fragment]) -> str:
    """The text of the pieces."""
    return "".join(fragment.text for fragment in fragments)
