"""How many watch one show, counted without keeping who they are."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, TypeVar

SEEN_SECONDS: Final = 15.0
"""A player asks for a playlist at least once per target duration; who is silent for longer has gone."""
MOST: Final = 200_000
"""Remembered at one time: far more than one worker serves."""
REFUSED_AGAIN: Final = 60.0
"""Who is turned away tries again every few seconds, and is one viewer all the same."""

T = TypeVar("T")


class Audience:
    """Viewers are numbers (hashes); times are Unix seconds."""

    def __init__(self) -> None:
        self.refused = 0
        self._seen: OrderedDict[int, float] = OrderedDict()
        self._webrtc: OrderedDict[int, None] = OrderedDict()
        self._turned_away: OrderedDict[int, float] = OrderedDict()

    def count(self, now: float) -> int:
        """Who asked lately."""
        seen = self._seen
        while seen and next(iter(seen.values())) < now - SEEN_SECONDS:
            seen.popitem(last=False)
        return len(seen)

    def watches(self, viewer: int) -> bool:
        """Whether somebody is in already: by a playlist, or by WebRTC, from which players fall back."""
        return viewer in self._seen or viewer in self._webrtc

    def saw(self, viewer: int, now: float) -> None:
        """Somebody asked for a playlist."""
        _remember(self._seen, viewer, now)

    def joined(self, viewer: int) -> None:
        """Somebody began a WebRTC session; when it ends is not told here."""
        _remember(self._webrtc, viewer, None)

    def turned_away(self, viewer: int, now: float) -> None:
        """Somebody found no room."""
        if self._turned_away.get(viewer, 0.0) < now - REFUSED_AGAIN:
            self.refused += 1
        _remember(self._turned_away, viewer, now)


def _remember(where: OrderedDict[int, T], viewer: int, what: T) -> None:
    where[viewer] = what
    where.move_to_end(viewer)
    if len(where) > MOST:
        where.popitem(last=False)
