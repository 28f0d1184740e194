"""What a packager has made so far: segments and their parts, in order. Pure data."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

KEPT_SEGMENTS: Final = 10
"""Finished segments a playlist lists; at 2 s a segment that is more than six target durations."""
SPARE_SEGMENTS: Final = 4
"""Segments still served after they left the playlist, for players that loaded it just before."""


@dataclass(slots=True)
class Part:
    """One moof+mdat. `seconds` is exact; `independent` means decoding can begin here."""

    data: bytes
    seconds: float
    independent: bool


@dataclass(slots=True)
class Segment:
    """A run of parts that begins at a keyframe. `number` is its media sequence number."""

    number: int
    initialisation: int
    wall: float
    discontinuity: bool = False
    parts: list[Part] = field(default_factory=list)
    closed: bool = False

    @property
    def seconds(self) -> float:
        """Its duration so far."""
        return sum(part.seconds for part in self.parts)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return sum(len(part.data) for part in self.parts)


class Timeline:
    """The segments of one rendition. `version` grows with every change a playlist would show."""

    def __init__(self, first_number: int = 0) -> None:
        self.first_number = first_number
        """Media sequence number of the first segment, and number of the first initialisation section."""
        self.segments: deque[Segment] = deque()
        self.initialisations: dict[int, bytes] = {}
        self.part_target: float | None = None
        self.target_duration: int | None = None
        self.discontinuity_sequence = 0
        self.first_listed = first_number
        self.independent_segments = True
        self.rolls = False
        """The open segment is expected to have all its parts, though only the next frame can tell."""
        self.ended = False
        self.version = 0

    @property
    def playable(self) -> bool:
        """A finished segment exists: players can begin."""
        return any(segment.closed for segment in self.segments)

    @property
    def newest(self) -> tuple[int, int]:
        """(media sequence number, part) of the newest part; when there is none, just before the first."""
        for segment in reversed(self.segments):
            if segment.parts:
                return segment.number, len(segment.parts) - 1
        return self.first_number - 1, -1

    @property
    def last_closed(self) -> int:
        """Media sequence number of the newest finished segment; when there is none, before the first."""
        return next((s.number for s in reversed(self.segments) if s.closed), self.first_number - 1)

    @property
    def hint(self) -> tuple[int, int]:
        """(media sequence number, part) that is most likely to come next."""
        last = next((s for s in reversed(self.segments) if s.parts), None)
        if last is None:
            return self.first_number, 0
        if last.closed or self.rolls:
            return last.number + 1, 0
        return last.number, len(last.parts)

    def may_come_next(self, place: tuple[int, int]) -> bool:
        """Whether (media sequence number, part) can be the next part: the hint may turn out wrong."""
        number, part = self.newest
        return not self.ended and place in ((number, part + 1), (number + 1, 0))

    @property
    def bandwidth(self) -> int:
        """Peak segment bit rate (bits a second) of the finished segments listed; 0 without any."""
        rates = [s.size * 8 / s.seconds for s in self.listed() if s.closed and s.seconds]
        return round(max(rates, default=0))

    def listed(self) -> list[Segment]:
        """The segments a playlist shows."""
        return [segment for segment in self.segments if segment.number >= self.first_listed and segment.parts]

    def segment(self, number: int) -> Segment | None:
        """A segment that is still served."""
        if not self.segments:
            return None
        index = number - self.segments[0].number
        return self.segments[index] if 0 <= index < len(self.segments) else None

    def trim(self) -> None:
        """Let old segments leave the playlist, and later the memory."""
        closed = sum(1 for segment in self.segments if segment.closed and segment.number >= self.first_listed)
        while closed > KEPT_SEGMENTS:
            leaving = self.segment(self.first_listed)
            self.discontinuity_sequence += bool(leaving and leaving.discontinuity)
            self.first_listed += 1
            closed -= 1
        while self.segments and self.segments[0].number < self.first_listed - SPARE_SEGMENTS:
            self.segments.popleft()
        for number in [n for n in self.initialisations if n < self.segments[0].initialisation]:
            del self.initialisations[number]
