"""What a sender process has of a show: its pictures since the last keyframe, its sound, and its clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from restream.rtmp.codecs import OPUS_RATE, opus_samples
from restream.webrtc.channel import Unit
from restream.webrtc.track import padded

RUN: Final = 24
"""Packets that leave in one burst; more would fill a router's buffer."""
LARGEST_GROUP: Final = 4 << 20
MOST_PICTURES: Final = 600
"""What is kept for joiners. A joiner to more waits for the next keyframe: it would be there no later."""
JUMP_MS: Final = 3000
"""Further off, a picture is not late: time stood still while nobody published."""
FOLLOW: Final = 0.002
"""How much of its lateness a picture moves the clock by; a publisher's clock is not quite ours."""
WINDOW: Final = 2.0
SAMPLES_PER_MS: Final = OPUS_RATE // 1000
NEARLY_MS: Final = 25
"""A packet of sound this near to the end of the one before continues it; timestamps are rounded."""


class Line:
    """RTP's time (ms): the show's, but it goes on while the show's stands still. `wall` is in seconds."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._origin: float | None = None
        self._skew = 0

    def arrived(self, at: int, arrived: float) -> None:
        """A picture of that moment has come: this is how the two clocks are known."""
        late = arrived * 1000 - (at + self._skew)
        if self._origin is None:
            self._origin = late
        elif abs(late - self._origin) > JUMP_MS:
            self._skew += round(late - self._origin)
        elif late < self._origin:
            self._origin = late
        else:
            self._origin += (late - self._origin) * FOLLOW

    def place(self, at: int) -> int:
        """A moment of the show."""
        return at + self._skew

    @property
    def known(self) -> bool:
        """Whether anything has come yet."""
        return self._origin is not None

    def now(self) -> float:
        """What would be shown now, if there were no delay."""
        return self._wall() * 1000 - (self._origin or 0.0)


class Picture:
    """A unit, and how its packets can leave: runs of one size, with a smaller one at the end at most.

    Packets that are nearly as large as the largest are filled up to it, so that runs are long. `heads` are
    the first bytes of their RTP headers, which say so.
    """

    __slots__ = ("at", "heads", "keyframe", "payloads", "runs", "size")

    def __init__(self, unit: Unit, at: int) -> None:
        self.at = at
        self.keyframe = unit.keyframe
        self.heads, self.payloads = padded(unit.payloads)
        self.size = sum(map(len, self.payloads))
        self.runs = _runs(self.payloads)


def _runs(payloads: Sequence[bytes]) -> list[tuple[int, int]]:
    runs, begin = [], 0
    for at in range(1, len(payloads) + 1):
        if at < len(payloads) and at - begin < RUN:
            size, before, first = len(payloads[at]), len(payloads[at - 1]), len(payloads[begin])
            if size <= first and before == first:
                continue
        runs.append((begin, at))
        begin = at
    return runs


class Watcher(Protocol):
    """Whoever watches. Called in the event loop; must not raise."""

    def show(self, picture: Picture) -> None:
        """The next picture."""
        ...

    def play(self, payload: bytes, timestamp: int) -> None:
        """The next packet of sound, at that many samples of 48 kHz."""
        ...


class Pictures:
    """A stream of pictures."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.watchers: set[Watcher] = set()
        self.group: list[Picture] = []
        self.bytes_per_second = 0.0
        self._group_size = 0
        self._counted = 0
        self._counted_from: float | None = None

    def take(self, unit: Unit) -> None:
        """The next one, for everybody; before a keyframe has come, for nobody."""
        self.line.arrived(unit.at, unit.arrived)
        picture = Picture(unit, self.line.place(unit.at))
        self._count(picture, unit.arrived)
        if picture.keyframe:
            self.group, self._group_size = [], 0
        if picture.keyframe or self.group:
            self.group.append(picture)
            self._group_size += picture.size
            if self._group_size > LARGEST_GROUP or len(self.group) > MOST_PICTURES:
                self.group = []
        for watcher in self.watchers:
            watcher.show(picture)

    def _count(self, picture: Picture, arrived: float) -> None:
        since = self._counted_from
        if since is None or arrived - since > 2 * WINDOW or arrived < since:
            self._counted_from, self._counted = arrived, 0
        elif arrived - since > WINDOW:
            self.bytes_per_second = self._counted / (arrived - since)
            self._counted_from, self._counted = arrived, 0
        self._counted += picture.size


class Sound:
    """A stream of Opus."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.watchers: set[Watcher] = set()
        self._next: int | None = None

    def take(self, unit: Unit) -> None:
        """The next packet, for everybody."""
        timestamp = self.line.place(unit.at) * SAMPLES_PER_MS
        if self._next is not None and abs(timestamp - self._next) <= NEARLY_MS * SAMPLES_PER_MS:
            timestamp = self._next
        for payload in unit.payloads:
            self._next = timestamp + opus_samples(payload)
            for watcher in self.watchers:
                watcher.play(payload, timestamp)
