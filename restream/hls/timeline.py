"""What a rendition has made so far: segments and their parts, in order. Pure data."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from restream.hls.cuts import Terms

LISTED_TARGETS: Final = 12
"""Target durations of finished segments that a playlist lists: twice what a delta may skip."""
SLACK: Final = 0.1
"""Sound's segments are a frame longer or shorter; all renditions shall list the same ones."""


@dataclass(slots=True)
class Part:
    """One moof+mdat. `seconds` is exact; `independent` means decoding can begin somewhere in it.

    `key` is how many of its first bytes hold the headers and a keyframe, 0 when it begins with none. A part
    that could not be made is a `gap` and has no data.
    """

    data: bytes
    seconds: float
    independent: bool
    key: int = 0
    gap: bool = False


@dataclass(slots=True)
class Segment:
    """A run of parts that begins at a keyframe. `number` is its media sequence number."""

    number: int
    initialisation: int
    wall: float
    discontinuity: bool = False
    parts: list[Part] = field(default_factory=list)
    closed: bool = False
    gap: bool = False
    """Some of it is missing, so it cannot be played as a whole."""
    seconds: float = 0.0
    """Its duration so far."""
    size: int = 0
    """Bytes so far."""

    def __post_init__(self) -> None:
        parts, self.parts = self.parts, []
        for part in parts:
            self.add(part)

    def add(self, part: Part) -> None:
        """The next part."""
        self.parts.append(part)
        self.seconds += part.seconds
        self.size += len(part.data)
        self.gap = self.gap or part.gap

    @property
    def data(self) -> tuple[bytes, ...]:
        """What there is to play; nothing of a segment with a gap."""
        return () if self.gap else tuple(part.data for part in self.parts)


class Timeline:
    """The segments of one rendition. `version` grows with every change a playlist would show."""

    def __init__(self, first_number: int = 0, terms: Terms | None = None) -> None:
        self.first_number = first_number
        """Media sequence number of the first segment."""
        self.terms = terms or Terms()
        self.segments: deque[Segment] = deque()
        self.initialisations: dict[int, bytes] = {}
        self.part_target: float | None = None
        self.discontinuity_sequence = 0
        self.first_listed = first_number
        self.independent_segments = True
        self.rolls = False
        """The open segment is expected to have all its parts, though only the next frame can tell."""
        self.ended = False
        self.version = 0
        self._listed_seconds = 0.0

    @property
    def target_duration(self) -> int | None:
        """Seconds; None before anything is playable."""
        return self.terms.target_duration

    @property
    def playable(self) -> bool:
        """A finished segment exists: players can begin."""
        return any(segment.closed for segment in self.segments)

    @property
    def newest(self) -> tuple[int, int]:
        """(media sequence number, part) of the newest part; when there is none, just before the first."""
        if self.segments:
            last = self.segments[-1]
            return last.number, len(last.parts) - 1
        return self.first_number - 1, -1

    @property
    def last_closed(self) -> int:
        """Media sequence number of the newest finished segment; when there is none, before the first."""
        return next((s.number for s in reversed(self.segments) if s.closed), self.first_number - 1)

    @property
    def hint(self) -> tuple[int, int]:
        """(media sequence number, part) that is most likely to come next."""
        if not self.segments:
            return self.first_number, 0
        last = self.segments[-1]
        if last.closed or self.rolls:
            return last.number + 1, 0
        return last.number, len(last.parts)

    def may_come_next(self, place: tuple[int, int]) -> bool:
        """Whether (media sequence number, part) can be the next part: the hint may turn out wrong."""
        number, part = self.newest
        return not self.ended and place in ((number, part + 1), (number + 1, 0))

    @property
    def ends(self) -> float:
        """Wall clock (seconds) of the end of what is listed; 0 when nothing is."""
        return self.segments[-1].wall + self.segments[-1].seconds if self.segments else 0.0

    @property
    def peak(self) -> int:
        """Largest bit rate (bits a second) of any finished segment listed; 0 without any."""
        rates = [s.size * 8 / s.seconds for s in self._rated()]
        return round(max(rates, default=0))

    @property
    def average(self) -> int:
        """Bit rate (bits a second) of the finished segments listed, taken together."""
        rated = self._rated()
        seconds = sum(s.seconds for s in rated)
        return round(sum(s.size for s in rated) * 8 / seconds) if seconds else 0

    @property
    def keyframes(self) -> int:
        """Largest bit rate (bits a second) of the keyframes that finished segments begin with."""
        return round(max((s.parts[0].key * 8 / s.seconds for s in self._rated()), default=0))

    def _rated(self) -> list[Segment]:
        return [s for s in self.listed() if s.closed and s.seconds and not s.gap]

    def listed(self) -> list[Segment]:
        """The segments a playlist shows."""
        return [segment for segment in self.segments if segment.number >= self.first_listed]

    def segment(self, number: int) -> Segment | None:
        """A segment that is still served."""
        if not self.segments:
            return None
        index = number - self.segments[0].number
        return self.segments[index] if 0 <= index < len(self.segments) else None

    def close(self) -> None:
        """The newest segment is finished; old ones leave the playlist, and later the memory.

        A segment is served for as long again as a playlist with it may be in use.
        """
        last = self.segments[-1]
        last.closed = True
        self._listed_seconds += last.seconds
        window = LISTED_TARGETS * (self.terms.target_duration or 0) - SLACK
        while leaving := self.segment(self.first_listed):
            if leaving is last or self._listed_seconds - leaving.seconds < window:
                break
            self.discontinuity_sequence += leaving.discontinuity
            self._listed_seconds -= leaving.seconds
            self.first_listed += 1
        self._forget(window)

    def _forget(self, window: float) -> None:
        """Drop what left the playlist longer ago than the playlist lasts, and a segment more."""
        left = [s for s in self.segments if s.number < self.first_listed]
        kept = sum(segment.seconds for segment in left)
        for segment in left:
            kept -= segment.seconds
            if kept < window + segment.seconds:
                break
            self.segments.popleft()
        needed = {segment.initialisation for segment in self.segments}
        for number in [n for n in self.initialisations if n < min(needed)]:
            del self.initialisations[number]
