"""A feed whose pictures carry their own numbers, a ladder on it, and what comes out of each rung."""

from __future__ import annotations

import functools
import io
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import av
import imageio_ffmpeg

from restream.api import LadderSpec, RungStatus
from restream.encode.encoder import Pace
from restream.encode.encoders import Machine
from restream.encode.ladder import Ladder
from restream.hls.renditions import Rung
from restream.live import Live, Session
from restream.media import Frame, Kind, Reader
from tests.restream.encode.stage import Collector, attached, flv, until
from tests.restream.hls.feed import frames_of

SECONDS = 60.0
BITS = 12
PACE = Pace(check=0.05, first=40.0, hung=40.0, window=1.0, gone=60.0, steady=0.0)
UNEVEN = (0.0, 1.0, 2.5, 3.2, 5.7, 6.0)
"""Seconds of a scene at which there are keyframes."""


@dataclass(frozen=True)
class Scene:
    """Upright stripes that are the picture's number in binary; the leftmost is the lowest bit."""

    seconds: float = 8.0
    size: str = "640x360"
    fps: int = 30
    bframes: int = 0
    keys: tuple[float, ...] = UNEVEN
    more: tuple[str, ...] = ()
    filters: str = ""


@functools.cache
def pictures(scene: Scene) -> tuple[Frame, ...]:
    """The scene as a publisher sends it, a header first."""
    stripes = f"lum='255*mod(floor(N/pow(2,floor(X/(W/{BITS})))),2)':cb=128:cr=128"
    source = f"nullsrc=s=96x16:r={scene.fps}:d={scene.seconds},geq={stripes}"
    width, height = scene.size.split("x")
    source += f",scale={width}:{height}:flags=neighbor{scene.filters}"
    line = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i", source]
    line += ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", str(scene.bframes)]
    line += ["-b_strategy", "0", "-g", "600", "-sc_threshold", "0", "-threads", "1"]
    line += ["-force_key_frames", ",".join(str(key) for key in scene.keys), *scene.more, "-f", "flv", "-"]
    made = subprocess.run(line, capture_output=True, timeout=SECONDS, check=True)
    return tuple(frame for frame in frames_of(made.stdout) if frame.kind == Kind.VIDEO)


class Camera:
    """A publisher that sends a scene again and again."""

    def __init__(self, live: Live, scene: Scene, role: Any = "primary") -> None:
        self.session: Session = live.open_session(
            "127.0.0.1", "test", lambda reason: None, 1_700_000_000.0, role
        )
        self._frames = self._endless(scene)

    def send(self, milliseconds: int) -> None:
        """Pictures of so much of the scene, at once."""
        end: int | None = None
        for frame in self._frames:
            self.session.frame(frame)
            if not frame.header:
                end = frame.dts + milliseconds if end is None else end
                if frame.dts >= end:
                    return

    def leave(self) -> None:
        """Hang up."""
        self.session.closed("bye")

    def _endless(self, scene: Scene) -> Iterator[Frame]:
        made = pictures(scene)
        yield from (frame for frame in made if frame.header)
        turn, length = 0, round(scene.seconds * 1000)
        while True:
            for frame in made:
                if not frame.header:
                    dts = frame.dts + turn * length
                    yield replace(frame, dts=dts, arrived=1_000_000 + dts / 1000)
            turn += 1


class Desk:
    """A live with its ladder, who reads its rungs, and what is told of them."""

    def __init__(
        self,
        *heights: int,
        machine: Machine | None = None,
        pace: Pace = PACE,
        live: Live | None = None,
        forgiven: float = 600.0,
    ) -> None:
        self.live = live or Live("show")
        self.machine = machine or Machine(cores=8)
        self.news: list[RungStatus] = []
        self.opened: list[Rung] = []
        self.closed: list[str] = []
        self.out: dict[str, Collector] = {}
        self.source = attached(self.live)
        self.heights = heights
        self.camera: Camera | None = None
        self.ladder = Ladder(
            "show",
            self.live,
            self.machine,
            self._open,
            self.closed.append,
            self.news.append,
            pace=pace,
            forgiven=forgiven,
        )

    async def __aenter__(self) -> Desk:
        await self.ladder.apply(LadderSpec(heights=list(self.heights)))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ladder.stop()

    def _open(self, rung: Rung) -> Reader:
        self.opened.append(rung)
        return self.out.setdefault(rung.name, Collector())

    async def start(self, scene: Scene, role: Any = "primary") -> None:
        """A publisher comes, and every rung gives something."""
        self.camera = Camera(self.live, scene, role)
        self.camera.send(700)
        await until(lambda: self.ladder.pid, "the child")
        await self.play(700)

    async def play(self, milliseconds: int, step: int = 100) -> None:
        """Send, never far ahead of the slowest rung, and wait until all of it has come out."""
        assert self.camera
        for _ in range(0, milliseconds, step):
            self.camera.send(step)
            await until(lambda: self.behind < 800, "the rungs to keep up")
        await self.rest()

    async def rest(self) -> None:
        """Until all that can come out has."""
        await until(lambda: self.behind <= 250, "the rungs")  # B-frames wait for those behind them

    @property
    def behind(self) -> int:
        """Milliseconds of media in the child."""
        transcoder = self.ladder._transcoder
        return transcoder.supply.behind if transcoder and transcoder.supply else 0

    def states(self, name: str) -> list[str]:
        """What a rung has been, one after the other."""
        return [state for state, _ in groupby(status.state for status in self.news if status.name == name)]

    def status(self, name: str) -> RungStatus:
        return next(status for status in self.ladder.statuses() if status.name == name)


def moments(frames: Sequence[Frame]) -> list[int]:
    """When pictures are shown, in order."""
    return sorted(frame.dts + frame.cts for frame in frames)


def keyframes(frames: Sequence[Frame]) -> list[int]:
    """When keyframes are shown, in order."""
    return moments([frame for frame in frames if frame.keyframe])


def aligned(source: Collector, rung: Collector) -> None:
    """From a rung's first picture to its last, all moments are the feed's, and so are the keyframes.

    A small rung may have more of them.
    """
    made = rung.media(Kind.VIDEO)
    first, last = made[0].dts, made[-1].dts
    feed = [frame for frame in source.media(Kind.VIDEO) if first <= frame.dts + frame.cts <= last]
    assert not any(frame.cts for frame in made)
    assert [frame.dts for frame in made] == moments(feed)
    assert set(keyframes(feed)) <= set(keyframes(made))


def numbers(frames: Sequence[Frame]) -> dict[int, int]:
    """The number each decoded picture shows, by its moment."""
    with av.open(io.BytesIO(flv(frames)), mode="r", format="flv") as file:
        found: dict[int, int] = {}
        for frame in file.decode(file.streams.video[0]):
            picture = frame.to_image().convert("L")  # type: ignore[no-untyped-call]  # PyAV ships no types for it
            row, step = picture.height // 2, picture.width / BITS
            bits = [picture.getpixel((int((bit + 0.5) * step), row)) > 127 for bit in range(BITS)]
            found[round((frame.time or 0) * 1000)] = sum(1 << bit for bit, lit in enumerate(bits) if lit)
    return found
