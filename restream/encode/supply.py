"""What an encoder is fed: the feed's frames, and with them the pictures of the layers it waits for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from restream.encode.ffmpeg import LAYERS_PER_SECOND
from restream.encode.inlet import Inlet
from restream.media import Frame, Kind
from restream.rtmp.flv_file import HEADER, tag

LEAD_IN: Final = 1000
"""The child's clock (ms) at the first frame: above zero, because AAC's first packet lies a little before."""
BUFFER: Final = 4 << 20
"""Bytes the child may be behind before frames are dropped to the next keyframe."""
LONGEST_LAG: Final = 4000
"""Milliseconds it may be behind; of a thin feed the bytes alone would be minutes."""
LONGEST_JUMP: Final = 60_000
"""Milliseconds the feed's clock may leap; beyond, a new child is quicker than all the layers' pictures."""
LAYERS_PERIOD: Final = 1000 // LAYERS_PER_SECOND
LAYERS_LEAD: Final = LAYERS_PERIOD
"""ffmpeg hands a picture of the layers on when it has the one after, so they run ahead of the media."""
MOST_MOMENTS: Final = 4000

AUDIO_FLAG, VIDEO_FLAG = 4, 1


class Supply:
    """A Reader of the feed. Times are the feed's own (ms); the child's clock begins near zero.

    `base` is the feed's time at the child's zero, `begins` the first one to be encoded. `on_jump` is told
    once when the feed's clock leaps and a new child is needed.
    """

    def __init__(
        self,
        *,
        media: Inlet,
        layers: Inlet,
        picture: bytes,
        base: int,
        begins: int,
        audio: bool,
        on_jump: Callable[[], None],
    ) -> None:
        self._media, self._layers, self._picture = media, layers, picture
        self._base, self.begins = base, begins
        self._on_jump = on_jump
        self._covered = begins - base
        self._due = 0
        self._skipping = True
        self._gaps: deque[tuple[int, int]] = deque()
        self._moments: deque[tuple[int, float]] = deque(maxlen=MOST_MOMENTS)
        self.newest = self.fed = self.done = begins
        self.left_out_ms = 0
        flags = VIDEO_FLAG | (AUDIO_FLAG if audio else 0)
        media.feed(HEADER[:4] + bytes([flags]) + HEADER[5:])
        layers.on_drained(self._paint_due)
        self._cover(begins)

    def push(self, frame: Frame) -> None:
        """Headers always; frames from a keyframe on, while the child keeps up."""
        if frame.kind == Kind.DATA:
            return
        if not frame.header:
            if frame.kind == Kind.VIDEO:
                self.newest = max(self.newest, frame.dts)
            if self._skips(frame):
                return
            if frame.dts - self._base - self._covered > LONGEST_JUMP:
                self._on_jump()
                return
            if frame.kind == Kind.VIDEO:
                self._moments.append((frame.dts, frame.arrived))
                self.fed = max(self.fed, frame.dts)
            self._cover(frame.dts)
        self._media.feed(tag(frame.kind, max(frame.dts - self._base, 0), frame.payload))

    def ended(self) -> None:
        """What comes next begins with headers and a keyframe."""
        self._skipping = True

    def paint(self, picture: bytes) -> None:
        """Other layers, from the next picture of them on: raw RGBA of the output's size."""
        self._picture = picture

    def encoded(self, frame: Frame) -> Frame:
        """The child's frame at its place on the feed's time, and arrived when what it shows arrived."""
        dts = frame.dts + self._base
        if frame.kind == Kind.VIDEO and not frame.header:
            self._count(dts)
        arrived = self._moments[0][1] if self._moments else frame.arrived
        return replace(frame, dts=dts, arrived=arrived)

    @property
    def behind(self) -> int:
        """Milliseconds of media the child was fed and has not given back."""
        return max(0, self.fed - self.done - sum(length for _, length in self._gaps))

    @property
    def encoded_ms(self) -> int:
        """Milliseconds of media encoded, without what was left out of its food."""
        return self.done - self.left_out_ms

    def _count(self, dts: int) -> None:
        self.done = max(self.done, dts)
        while len(self._moments) > 1 and self._moments[1][0] <= dts:
            self._moments.popleft()
        while self._gaps and self._gaps[0][0] <= dts:
            self.left_out_ms += self._gaps.popleft()[1]

    def _skips(self, frame: Frame) -> bool:
        load = max(self._media.waiting / BUFFER, self.behind / LONGEST_LAG)
        if frame.kind == Kind.VIDEO and frame.keyframe:
            was, self._skipping = self._skipping, load > (0.5 if self._skipping else 1)
            if was and not self._skipping and frame.dts > self.fed:
                self._gaps.append((frame.dts, frame.dts - self.fed))
        elif load > 1:
            self._skipping = True
        return self._skipping

    def _cover(self, dts: int) -> None:
        """Enough pictures of the layers for the media up to `dts`."""
        while self._covered <= dts - self._base + LAYERS_LEAD:
            self._covered += LAYERS_PERIOD
            self._due += 1
        self._paint_due()

    def _paint_due(self) -> None:
        """One picture at a time: they are large, and after a gap many are due."""
        while self._due and not self._layers.waiting:
            self._due -= 1
            self._layers.feed(self._picture)
