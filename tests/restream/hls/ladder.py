"""A rung of a ladder without any encoding, so that hours take seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from restream.live import at_time
from restream.media import Frame, Kind, Reader
from tests.restream.hls.feed import Shape, stream


class Encoder:
    """One rung of a ladder, reading the live: its pictures come in order of presentation, `late` ms after the
    feed's, and not at all while it is `dead`."""

    def __init__(self, reader: Reader, shape: Shape, late: int) -> None:
        self.reader = reader
        self.late = late
        self.dead = False
        self._header = next(f for f in stream(shape) if f.header and f.kind == Kind.VIDEO)
        self._reordering: list[Frame] = []
        self._coming: deque[Frame] = deque()

    def push(self, frame: Frame) -> None:
        """Of the live."""
        if frame.kind != Kind.VIDEO:
            return
        if frame.header:
            self.ended()
            self._coming.append(self._header)
            return
        self._reordering.append(at_time(replace(frame, cts=0), frame.dts + frame.cts))
        self._reordering.sort(key=lambda one: one.dts)
        while self._reordering and self._reordering[0].dts <= frame.dts:
            self._coming.append(self._reordering.pop(0))
        self.until(frame.dts)

    def ended(self) -> None:
        """The feed is over, or another begins."""
        self._coming.extend(self._reordering)
        self._reordering.clear()

    def until(self, now: int) -> None:
        """What is due by now (ms)."""
        while self._coming and (self._coming[0].header or self._coming[0].dts + self.late <= now):
            frame = self._coming.popleft()
            if frame.header or not self.dead:
                self.reader.push(frame)
