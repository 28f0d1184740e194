"""Recordings for the tests, written without a thread, and what a decoder finds in them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av

from restream.live import at_time
from restream.media import Frame
from restream.record.batch import Cutter
from restream.record.writer import Writer
from tests.restream.hls.feed import Shape, stream

STARTED = 1_700_000_000.0
EMPTY_DISK = 1 << 40


class Reel:
    """A writer fed frame by frame; its clock is the stream's. `free` may be changed."""

    def __init__(self, folder: Path, least_free_gb: float = 2.0) -> None:
        self.free = EMPTY_DISK
        self.now = STARTED
        self.news: list[tuple[str, str | None]] = []
        self.writer = Writer(
            folder, least_free_gb, changed=self._changed, clock=lambda: self.now, free=lambda _: self.free
        )
        self.writer.prepare()
        self.cutter = Cutter(self.writer.write)

    def _changed(self) -> None:
        self.news.append((self.writer.state, self.writer.reason))

    def play(self, frames: Iterable[Frame]) -> None:
        """Frames arrive when they were captured."""
        for frame in frames:
            self.now = max(self.now, STARTED + frame.dts / 1000)
            self.cutter.push(replace(frame, arrived=self.now))

    def close(self) -> None:
        """The publisher leaves, the show is over."""
        self.cutter.ended()
        self.writer.close()


def recorded(folder: Path, frames: Iterable[Frame]) -> list[Path]:
    """A whole show; its files."""
    reel = Reel(folder)
    reel.play(frames)
    reel.close()
    return sorted(folder.glob("*.mp4"))


def later(shape: Shape, seconds: float) -> list[Frame]:
    """A stream as another publisher sends it later in the show: headers first."""
    return [at_time(frame, frame.dts + round(seconds * 1000)) for frame in stream(shape)]


@dataclass(frozen=True)
class Decoded:
    """What a decoder found: times in seconds, in the order shown."""

    pictures: list[float]
    sounds: list[float]
    corrupt: int
    width: int
    rate: int | None
    claims: float | None
    """Seconds the file says it lasts."""

    @property
    def holes(self) -> list[float]:
        """Intervals between pictures."""
        return [b - a for a, b in itertools.pairwise(self.pictures)]


def decode(path: Path) -> Decoded:
    """Every picture and sound. Raises when the file is broken."""
    with av.open(str(path), "r", options={"err_detect": "explode"}) as container:
        claims = container.duration / av.time_base if container.duration else None
        shown = list(container.decode(video=0))
    heard: list[av.AudioFrame] = []
    with av.open(str(path), "r") as container:
        if container.streams.audio:
            heard = list(container.decode(audio=0))
    return Decoded(
        pictures=[seconds(frame) for frame in shown],
        sounds=[seconds(frame) for frame in heard],
        corrupt=sum(frame.is_corrupt for frame in shown),
        width=shown[0].width,
        rate=heard[0].sample_rate if heard else None,
        claims=claims,
    )


def seconds(frame: av.VideoFrame | av.AudioFrame) -> float:
    return float(Fraction(frame.pts or 0) * (frame.time_base or 1))
