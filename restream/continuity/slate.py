"""What is sent while no publisher is there: a short loop in memory, played by the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from restream.continuity.splice import at_time
from restream.media import Frame

MOST_BEHIND: Final = 2.0
"""Seconds of slate that are made up for when the worker was held up; beyond that the slate just goes on."""


@dataclass(frozen=True)
class Shape:
    """What the far ends have got used to: codecs (RFC 6381), size, pictures a second, Hz and channels."""

    video: str
    width: int
    height: int
    fps: float
    audio: str | None = None
    rate: int = 0
    channels: int = 0


@dataclass(frozen=True)
class Slate:
    """`pictures` begin with a keyframe at 0 ms and last for `length` ms; `silence` is one frame of sound,
    `sound_ms` long, that may be repeated for ever."""

    headers: tuple[Frame, ...]
    pictures: tuple[Frame, ...]
    length: float
    silence: Frame | None = None
    sound_ms: float = 0.0

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return sum(len(frame.payload) for frame in self.pictures)


class Player:
    """Plays a slate in a loop from `begins` (ms on the show's timeline), never ahead of the clock.

    Pictures and sound each count their own time from the beginning, so neither drifts from the other however
    the loop's length and the sound's frames divide.
    """

    def __init__(self, slate: Slate, begins: int, now: float) -> None:
        self.slate = slate
        self._begins = begins
        self._started = now
        self._picture = self._sound = 0

    def due(self, now: float, arrived: float) -> list[Frame]:
        """Everything up to now, interleaved. `arrived` is the wall clock (seconds)."""
        played = (now - self._started) * 1000
        if played - self._next() > MOST_BEHIND * 1000:
            self._started = now - self._next() / 1000
            played = self._next()
        found: list[Frame] = []
        while (moment := self._next()) <= played:
            found.append(at_time(self._take(), self._begins + int(moment), arrived))
        return found

    def wait(self, now: float) -> float:
        """Seconds until the next frame is due."""
        return self._next() / 1000 - (now - self._started)

    def _next(self) -> float:
        return min(self._picture_ms(), self._sound_ms())

    def _picture_ms(self) -> float:
        loops, index = divmod(self._picture, len(self.slate.pictures))
        return loops * self.slate.length + self.slate.pictures[index].dts

    def _sound_ms(self) -> float:
        return self._sound * self.slate.sound_ms if self.slate.silence else float("inf")

    def _take(self) -> Frame:
        silence = self.slate.silence
        if silence is None or self._picture_ms() <= self._sound_ms():
            frame = self.slate.pictures[self._picture % len(self.slate.pictures)]
            self._picture += 1
            return frame
        self._sound += 1
        return silence
