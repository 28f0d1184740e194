"""A replay in memory: one line of time that all renditions share, and where each has its media. Pure.

Every rendition lists the same segments in the same order, with a gap for what it lacks, so that a player
changes from one to another without guessing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from restream.replay.journal import Entry, Line, Opening

LEADER: Final = "source"
AUDIO: Final = "audio"
LATE: Final = 5
"""Segments a rendition may be behind the newest before what it lacks is called a gap."""
ENOUGH: Final = 0.5
"""Share of the show a rendition must have to be offered once it is over."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Where media lies in a rendition's file, in bytes."""

    at: int
    size: int


class Rendition:
    """What one rendition has; the place of a segment on the line of time is its index here."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.openings: list[Opening] = []
        self.peak = 0.0
        """Bits a second, of the segment with the most."""
        self.bytes = 0
        self.seconds = 0.0
        """Of the media it has."""
        self._places = array("q")
        self._sizes = array("q")
        self._maps = array("l")
        self._codecs: Counter[str] = Counter()

    @property
    def kind(self) -> str:
        """video or audio; empty before its first media."""
        return self.openings[0].kind if self.openings else ""

    @property
    def reaches(self) -> int:
        """How many places of the line of time it knows about."""
        return len(self._places)

    @property
    def average(self) -> float:
        """Bits a second of the media it has."""
        return self.bytes * 8 / self.seconds if self.seconds else 0.0

    @property
    def largest(self) -> Opening | None:
        """The initialisation section with the largest picture."""
        return max(self.openings, key=lambda opening: opening.width * opening.height, default=None)

    @property
    def codecs(self) -> list[str]:
        """One for each kind of sample entry (RFC 6381, up to the first dot): the one most media has."""
        found: dict[str, str] = {}
        for codec, _ in self._codecs.most_common():
            found.setdefault(codec.partition(".")[0], codec)
        return list(found.values())

    def piece(self, place: int) -> Piece | None:
        """The media of a segment; None for a gap."""
        if not 0 <= place < len(self._places) or not self._sizes[place]:
            return None
        return Piece(self._places[place], self._sizes[place])

    def opening_for(self, place: int, number: int) -> Opening:
        """What a segment's media needs; for a gap, what was needed before it. There must have been media."""
        if self.piece(place):
            return self.openings[self._maps[place]]
        before = bisect_right(self.openings, number, key=lambda opening: opening.number)
        return self.openings[max(0, before - 1)]

    def opening(self, number: int) -> Opening | None:
        """The initialisation section that begins with a segment number."""
        return next((opening for opening in self.openings if opening.number == number), None)

    def put(self, place: int, entry: Entry, *, full: bool) -> None:
        """Note a segment. One that is not `full` (much shorter than others) says nothing about the peak."""
        while len(self._places) <= place:
            self._places.append(0)
            self._sizes.append(0)
            self._maps.append(0)
        if not entry.size or not self.openings or self._sizes[place]:
            return
        self._places[place], self._sizes[place] = entry.at, entry.size
        self._maps[place] = len(self.openings) - 1
        self._codecs[self.openings[-1].codec] += 1
        self.bytes += entry.size
        self.seconds += entry.seconds
        if entry.seconds and (full or not self.peak):
            self.peak = max(self.peak, entry.size * 8 / entry.seconds)


class Index:
    """`add` lines as they are written. `least_target` is a TARGETDURATION known beforehand."""

    def __init__(self, lines: Iterable[Line] = (), least_target: int = 1) -> None:
        self.renditions: dict[str, Rendition] = {}
        self.target = least_target
        """TARGETDURATION: the longest segment, rounded."""
        self.anew = bytearray()
        """By place: whether a segment begins anew."""
        self.numbers = array("q")
        self.seconds = array("d")
        self.walls = array("d")
        self.begins = array("d")
        """By place: seconds of all segments before."""
        self.lasts = 0.0
        """Seconds of all segments."""
        for line in lines:
            self.add(line)

    def __len__(self) -> int:
        """How many segments the line of time has."""
        return len(self.numbers)

    def add(self, line: Line) -> None:
        """A line of the journal. A segment older than the newest that nobody has told of is left out."""
        rendition = self.renditions.get(line.rendition)
        if rendition is None:
            rendition = self.renditions[line.rendition] = Rendition(line.rendition)
        if isinstance(line, Opening):
            rendition.openings.append(line)
            return
        if not self.numbers or line.number > self.numbers[-1]:
            self._lengthen(line)
        place = self.place(line.number)
        if place is not None:
            rendition.put(place, line, full=line.seconds >= self.target / 2)

    def place(self, number: int) -> int | None:
        """Where a segment is on the line of time; None when it is not."""
        place = bisect_left(self.numbers, number)
        return place if place < len(self.numbers) and self.numbers[place] == number else None

    @property
    def leader(self) -> str | None:
        """The rendition without which nothing can be played."""
        return next((name for name in (LEADER, AUDIO) if self._has_media(name)), None)

    def offered(self, *, ended: bool) -> list[Rendition]:
        """The renditions a player may choose from, the leader first, then the largest.

        While the show runs, those with something recent; afterwards those with most of it.
        """
        leader = self.leader
        found = [
            rendition
            for name, rendition in self.renditions.items()
            if self._has_media(name)
            and (name == leader or (self._whole(rendition) if ended else self._recent(rendition)))
        ]
        return sorted(found, key=lambda rendition: (rendition.name != leader, -_height(rendition)))

    def listed(self, rendition: Rendition, *, ended: bool) -> int:
        """How many segments of the line of time a rendition's playlist shows."""
        if ended:
            return len(self)
        return max(rendition.reaches, len(self) - LATE)

    def moment(self, wall: float) -> float:
        """Seconds of the programme at a moment of the wall clock.

        Where nothing was made (nobody published) it is the beginning of what came next; after the newest
        segment it goes on with the clock.
        """
        place = bisect_right(self.walls, wall) - 1
        if place < 0:
            return 0.0
        inside = wall - self.walls[place]
        if place < len(self) - 1:
            inside = min(inside, self.seconds[place])
        return self.begins[place] + inside

    def _lengthen(self, entry: Entry) -> None:
        follows = not self.numbers or entry.number == self.numbers[-1] + 1
        self.anew.append(bool(self.numbers) and (entry.anew or not follows))
        self.numbers.append(entry.number)
        self.begins.append(self.lasts)
        self.seconds.append(entry.seconds)
        # The clock of a line of time never goes back, or a moment would have two places.
        self.walls.append(max(entry.wall, self.walls[-1]) if self.walls else entry.wall)
        self.lasts += entry.seconds
        self.target = max(self.target, int(entry.seconds + 0.5))

    def _has_media(self, name: str) -> bool:
        return name in self.renditions and self.renditions[name].bytes > 0

    def _recent(self, rendition: Rendition) -> bool:
        newest = range(max(0, len(self) - LATE), len(self))
        return any(rendition.piece(place) for place in newest)

    def _whole(self, rendition: Rendition) -> bool:
        return rendition.name == AUDIO or rendition.seconds >= ENOUGH * self.lasts


def _height(rendition: Rendition) -> int:
    largest = rendition.largest
    return largest.height if largest else 0


def peak_of(renditions: Sequence[Rendition]) -> int:
    """Bits a second that the renditions played together need at most."""
    return round(sum(rendition.peak for rendition in renditions))
