"""All gateway processes together: each tells once a second who watches with it and what it counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hub.gateway.figures import Figures

SILENT: Final = 3.5
"""Seconds after which a process that says nothing is taken for gone, and its viewers with it."""
SUBJECT: Final = "gateway.beat"


@dataclass(frozen=True)
class Beat:
    """What one process said last. Processes of one `place` share a port."""

    place: str
    counts: Mapping[str, int]
    figures: Figures
    at: float


class Crowd:
    """`name` is this process."""

    def __init__(self, name: str, place: str) -> None:
        self._name = name
        self._place = place
        self._others: dict[str, Beat] = {}

    def hear(self, words: Mapping[str, Any], now: float) -> None:
        """Another process's beat, or our own, which we know better."""
        name = str(words["gateway"])
        if name == self._name:
            return
        if words.get("gone"):
            self._others.pop(name, None)
            return
        figures = Figures.read(words["figures"])
        self._others[name] = Beat(str(words["place"]), dict(words["counts"]), figures, now)

    def beat(self, counts: Mapping[str, int], figures: Figures, *, gone: bool = False) -> dict[str, Any]:
        """What this process says."""
        words = {"gateway": self._name, "place": self._place, "gone": gone}
        return words | {"counts": {} if gone else dict(counts), "figures": figures.told()}

    def forget_silent(self, now: float, *, deaf: bool) -> None:
        """Those not heard for a while are gone; unless we hear nobody, then nothing is known of them."""
        if deaf:
            self._others = {name: replace(beat, at=now) for name, beat in self._others.items()}
        self._others = {name: beat for name, beat in self._others.items() if beat.at > now - SILENT}

    def elsewhere(self, show: str) -> int:
        """Viewers of a show in all other processes."""
        return sum(beat.counts.get(show, 0) for beat in self._others.values())

    def figures(self, ours: Figures) -> dict[str, Figures]:
        """Of all processes of this place."""
        here = {name: beat.figures for name, beat in self._others.items() if beat.place == self._place}
        return {self._name: ours} | here
