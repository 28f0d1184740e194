"""What the feed is: its size, its rates, its codecs, as far as an encoder must know them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Final, Protocol

from restream.encode.ffmpeg import Facts
from restream.media import AudioTrack, Frame, Kind, VideoTrack

ENOUGH: Final = 10
"""Distances of pictures after which the rate is known."""
USUAL: Final = (10.0, 12.0, 15.0, 20.0, 24.0, 25.0, 30.0, 48.0, 50.0, 60.0)
"""Rates that millisecond timestamps stand for (23.976 and 29.97 are too near their neighbours to matter)."""


class Tracks(Protocol):
    """Whoever knows the feed's tracks; a live does."""

    video: VideoTrack | None
    audio: AudioTrack | None


class Watch:
    """A Reader of the feed. `facts` is None until the picture's size and rate are known."""

    def __init__(self, tracks: Tracks, on_change: Callable[[], None] = lambda: None) -> None:
        self._tracks = tracks
        self._on_change = on_change
        self._distances: deque[int] = deque(maxlen=ENOUGH)
        self._last: int | None = None
        self._fps: float | None = None
        self._told: Facts | None = None

    @property
    def facts(self) -> Facts | None:
        """What is known now."""
        video, audio = self._tracks.video, self._tracks.audio
        if not video or not self._fps:
            return None
        codecs = tuple(track.codec.split(".")[0] for track in (video, audio) if track)
        return Facts(video.width, video.height, self._fps, audio.rate if audio else None, codecs)

    def push(self, frame: Frame) -> None:
        """A frame; told of is only what changes."""
        if frame.kind == Kind.VIDEO and not frame.header and not self._fps:
            self._measure(frame.dts)
        elif not frame.header:
            return
        if (facts := self.facts) and facts != self._told:
            self._told = facts
            self._on_change()

    def ended(self) -> None:
        """The next publisher may send another rate; until it is measured the one before is the best guess."""
        self._distances.clear()
        self._last = None

    def _measure(self, dts: int) -> None:
        if self._last is not None and dts > self._last:
            self._distances.append(dts - self._last)
        self._last = dts
        if len(self._distances) == ENOUGH:
            fps = 1000 / median(self._distances)
            nearest = min(USUAL, key=lambda usual: abs(usual - fps))
            self._fps = nearest if abs(nearest - fps) < 0.04 * fps else round(fps, 1)
