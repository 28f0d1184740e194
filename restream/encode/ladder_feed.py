"""What a ladder's child is fed, and what becomes of its pictures' moments on the way.

A child must give each picture back with exactly the moment the feed shows it at, whatever the feed's clock
does. ffmpeg can't promise that: where moments repeat or go back, at a change of publishers, it makes up
others from then on. So the child has a clock of its own, on which all is well, and each picture is known by
its time there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Final, Protocol

from restream.media import Frame, Kind
from restream.rtmp.flv_file import HEADER, tag

LEAD_IN: Final = 1000
"""The child's clock (ms) at the first picture: above zero, whatever its composition offset."""
LONGEST_LIFE: Final = 20 * 86_400_000
"""Milliseconds of the child's clock; ffmpeg writes 31 bits of it, which are 24.8 days."""
MOST_PICTURES: Final = 1024
"""Remembered on their way through the child; more than it can hold."""
MEASURED: Final = 240
ENOUGH: Final = 30
SURE: Final = 150
"""Distances of pictures that are kept, that say something, and that a squeezed group can't mislead."""
CLOSEST: Final = 0.9
"""Pictures are this share of their usual distance apart at least. A change of publishers lays a whole group
of pictures into a moment, and they would get no bits, and with B-frames no order."""
BUFFER: Final = 4 << 20
"""Bytes the child may be behind before pictures are dropped to the next keyframe."""
LONGEST_LAG: Final = 4000
"""Milliseconds it may be behind."""
CATCH_UP: Final = 1000
"""Milliseconds of what is there already that a new child encodes: players have done without what is older."""
VIDEO_ALONE: Final = HEADER[:4] + b"\x01" + HEADER[5:]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the feed: when it is shown (ms, the show's timeline), when it arrived (wall clock)."""

    shown: int
    arrived: float


class Pipe(Protocol):
    """The way into the child."""

    @property
    def waiting(self) -> int:
        """Bytes not taken yet."""
        ...

    def feed(self, data: bytes) -> None:
        """Write, without blocking."""
        ...


class Clock:
    """The child's clock. Pictures enter in coding order and leave by their time on it, in any rung."""

    def __init__(self, fps: float, lead_in: int = LEAD_IN) -> None:
        self.fps: float | None = None
        """Pictures a second, as measured; None while too few have come."""
        self._least = max(1, int(CLOSEST * 1000 / fps))
        self._lead_in = lead_in
        self._base: int | None = None
        self._last = -1
        self._highest = -1
        self._before: int | None = None
        self._distances: deque[int] = deque(maxlen=MEASURED)
        self._pictures: dict[int, Picture] = {}

    @property
    def now(self) -> int:
        """The newest time."""
        return self._last

    def enter(self, frame: Frame) -> int:
        """Decoding time on the child's clock; the composition offset stays."""
        if self._base is None:
            self._base = frame.dts - self._lead_in
        self._measure(frame)
        dts = max(frame.dts - self._base, self._last + self._least)
        if frame.keyframe:  # a closed group is shown after all that was before
            dts = max(dts, self._highest + 1 - frame.cts)
        while dts + frame.cts in self._pictures:
            dts += 1
        self._last, self._highest = dts, max(self._highest, dts + frame.cts)
        self._pictures[dts + frame.cts] = Picture(frame.dts + frame.cts, frame.arrived)
        if len(self._pictures) > MOST_PICTURES:
            del self._pictures[next(iter(self._pictures))]
        return dts

    def known(self, time: int) -> Picture | None:
        """The picture that is shown at a time of the child's."""
        return self._pictures.get(time)

    def time_of_first_after(self, moment: int) -> int:
        """When the child shows the first picture that the feed shows after a moment; later if none."""
        found = [time for time, picture in self._pictures.items() if picture.shown > moment]
        return min(found, default=self._highest + 1)

    def _measure(self, frame: Frame) -> None:
        """Let the least distance follow the feed, from one group to the next."""
        if self._before is not None and frame.dts > self._before:
            self._distances.append(frame.dts - self._before)
        self._before = frame.dts
        if not frame.keyframe or len(self._distances) < ENOUGH:
            return
        usual = median(self._distances)
        self._least = max(1, int(CLOSEST * usual))
        if len(self._distances) >= SURE:
            near = [distance for distance in self._distances if abs(distance - usual) <= usual / 2]
            self.fps = round(1000 / fmean(near), 1)


class Supply:
    """A Reader of the feed that gives its pictures to a child. All times are the show's (ms), but `begins`.

    `backlog` is the feed's, `done` the newest moment each rung has given out (-1: none). `begins` is the
    child's time of the first picture to be encoded for each rung.
    """

    def __init__(
        self, backlog: Sequence[Frame], done: Mapping[str, int], fps: float, lead_in: int = LEAD_IN
    ) -> None:
        self._clock = Clock(fps, lead_in)
        self._pipe: Pipe | None = None
        self._skipping = True
        self._gaps: deque[tuple[int, int]] = deque()
        self.newest = self.fed = 0
        self.left_out_ms = 0
        self.begins = dict.fromkeys(done, 0)
        self.done = dict.fromkeys(done, 0)
        self._opening = [VIDEO_ALONE]
        self._open([frame for frame in backlog if frame.kind == Kind.VIDEO], done)
        self.started = self.slowest

    def connect(self, pipe: Pipe) -> None:
        """The child is there."""
        pipe.feed(b"".join(self._opening))
        self._opening.clear()
        self._pipe = pipe

    def push(self, frame: Frame) -> None:
        """Headers always; pictures from a keyframe on, while the child keeps up."""
        if frame.kind != Kind.VIDEO:
            return
        if frame.header:
            self._feed(tag(Kind.VIDEO, max(self._clock.now, 0), frame.payload))
            return
        self.newest = max(self.newest, frame.dts + frame.cts)
        if not self._skips(frame):
            self._take(frame)

    def ended(self) -> None:
        """What comes next begins with headers and a keyframe."""
        self._skipping = True

    @property
    def fps(self) -> float | None:
        """Pictures a second, as measured; None while too few have come."""
        return self._clock.fps

    @property
    def old(self) -> bool:
        """Whether the child's clock is near its end."""
        return self._clock.now > LONGEST_LIFE

    def encoded(self, name: str, frame: Frame) -> Frame:
        """A rung's frame at its moment of the show, and arrived when the picture it shows did."""
        if frame.header:
            return replace(frame, dts=max(self.done[name], 0))
        picture = self._clock.known(frame.dts + frame.cts)
        if picture is None:  # the decoder made it up; without it those that follow could not be decoded
            picture = Picture(self.done[name] + 1, frame.arrived)
        # Where the feed itself goes back, between publishers, a rung stands still until it is past that.
        moment = max(picture.shown, self.done[name])
        self.done[name] = moment
        self._count()
        return replace(frame, dts=moment, cts=0, arrived=picture.arrived)

    @property
    def slowest(self) -> int:
        """What even the slowest rung has given back."""
        return min(self.done.values())

    @property
    def behind(self) -> int:
        """Milliseconds of media the child was fed and has not given back."""
        return max(0, self.fed - self.slowest - sum(length for _, length in self._gaps))

    @property
    def encoded_ms(self) -> int:
        """Milliseconds of media encoded, without what was left out of its food."""
        return self.slowest - self.left_out_ms

    def _open(self, backlog: list[Frame], done: Mapping[str, int]) -> None:
        """Take what is there, if it is any good, and find out where each rung has to begin."""
        pictures = [frame for frame in backlog if not frame.header]
        shown = [frame.dts + frame.cts for frame in pictures]
        self.newest = self.fed = max(shown, default=0)
        self.done = dict.fromkeys(done, self.newest)
        for frame in backlog:
            if frame.header:
                self._feed(tag(Kind.VIDEO, 0, frame.payload))
        if not pictures or (shown[0] > max(done.values()) and self.newest - shown[0] > CATCH_UP):
            return  # all begin with the next keyframe
        self._skipping = False
        for frame in pictures:
            self._take(frame)
        for name, moment in done.items():
            before = max(moment, shown[0] - 1, self.newest - CATCH_UP)
            self.begins[name] = self._clock.time_of_first_after(before)
            self.done[name] = min(before + 1, self.newest)

    def _take(self, frame: Frame) -> None:
        self.fed = max(self.fed, frame.dts + frame.cts)
        self._feed(tag(Kind.VIDEO, self._clock.enter(frame), frame.payload))

    def _feed(self, data: bytes) -> None:
        if self._pipe:
            self._pipe.feed(data)
        else:
            self._opening.append(data)

    def _skips(self, frame: Frame) -> bool:
        waiting = self._pipe.waiting if self._pipe else 0
        load = max(waiting / BUFFER, self.behind / LONGEST_LAG)
        if frame.keyframe:
            was, self._skipping = self._skipping, load > (0.5 if self._skipping else 1)
            moment = frame.dts + frame.cts
            if was and not self._skipping and moment > self.fed:
                self._gaps.append((moment, moment - self.fed))
        elif load > 1:
            self._skipping = True
        return self._skipping

    def _count(self) -> None:
        slowest = self.slowest
        while self._gaps and self._gaps[0][0] <= slowest:
            self.left_out_ms += self._gaps.popleft()[1]
