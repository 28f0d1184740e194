"""Frames to batches, each of which becomes one fragment of a recording. Runs in the event loop, costs little.

A batch begins at every keyframe, and after a second, so that a kill costs a second at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from restream.media import Frame, Kind

LONGEST_MS: Final = 1000
MOST_FRAMES: Final = 1000
"""Frames in a batch; pictures may stop and sound go on."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames in order, with the headers they need. `until` is the next picture's time (ms) where known;
    `wall` is the clock at the first frame, and never goes back."""

    frames: tuple[Frame, ...]
    video: Frame
    audio: Frame | None
    until: int | None
    wall: float
    size: int

    @property
    def keyframe(self) -> bool:
        """Whether decoding can begin here."""
        return self.frames[0].kind == Kind.VIDEO and self.frames[0].keyframe


class Cutter:
    """A Reader. `take` gets each batch as soon as it is complete; `now` serves frames without an arrival."""

    def __init__(self, take: Callable[[Batch], None], now: Callable[[], float] = time.time) -> None:
        self._take = take
        self._now = now
        self._wall = 0.0
        self._headers: dict[Kind, Frame] = {}
        self._video: Frame | None = None
        self._audio: Frame | None = None
        self._frames: list[Frame] = []
        self._size = 0

    def push(self, frame: Frame) -> None:
        """A frame of the live."""
        if frame.header:
            known = self._headers.get(frame.kind)
            if known is None or known.body != frame.body:
                self._headers[frame.kind] = frame
        elif frame.kind == Kind.VIDEO:
            self._picture(frame)
        elif frame.kind == Kind.AUDIO and self._sound_belongs():
            if len(self._frames) >= MOST_FRAMES or self._lasted(frame) >= 2 * LONGEST_MS:
                self._finish(None)
            self._add(frame)

    def ended(self) -> None:
        """The publisher is gone; what comes next begins with a keyframe."""
        self._finish(None)
        self._video = None

    def _picture(self, frame: Frame) -> None:
        if frame.keyframe:
            self._finish(frame.dts)
            self._video, self._audio = self._headers.get(Kind.VIDEO), self._headers.get(Kind.AUDIO)
        elif self._lasted(frame) >= LONGEST_MS or len(self._frames) >= MOST_FRAMES:
            self._finish(frame.dts)
        if self._video:
            self._add(frame)

    def _sound_belongs(self) -> bool:
        """Sound is taken between keyframes of a feed with the same sound; another begins at a keyframe."""
        return self._video is not None and self._audio is self._headers.get(Kind.AUDIO)

    def _lasted(self, frame: Frame) -> int:
        return frame.dts - self._frames[0].dts if self._frames else 0

    def _add(self, frame: Frame) -> None:
        if not self._frames:
            self._wall = max(self._wall, frame.arrived or self._now())
        self._frames.append(frame)
        self._size += len(frame.body)

    def _finish(self, until: int | None) -> None:
        frames, self._frames = self._frames, []
        size, self._size = self._size, 0
        if frames and self._video:
            self._take(Batch(tuple(frames), self._video, self._audio, until, self._wall, size))
