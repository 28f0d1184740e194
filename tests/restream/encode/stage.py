"""A feed whose colours are known, an encoder on it, and what comes out as pictures."""

from __future__ import annotations

import asyncio
import functools
import io
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import av
import imageio_ffmpeg
import segno
from PIL import Image

from restream.api import EncoderStatus, ProfileSpec
from restream.encode.encoder import Encoder, Kit, Pace
from restream.encode.facts import Watch
from restream.encode.overlay import QUIET_ZONE
from restream.encode.planner import Allotment
from restream.live import Live
from restream.media import Frame, Kind, Reader
from restream.rtmp.flv_file import HEADER, tag
from tests.restream.hls.feed import frames_of

SECONDS = 20.0
"""Patience with real processes on a busy machine."""
RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
PACE = Pace(check=0.05, first=40.0, hung=40.0, window=1.0, gone=0.2, steady=0.0)


@dataclass(frozen=True)
class Scene:
    """What the camera sees: four upright stripes (red, green, blue, white), or `noise` all over."""

    seconds: float = 4.0
    width: int = 640
    height: int = 360
    fps: int = 30
    rate: int | None = 44_100
    gop: int = 30
    noise: bool = False
    bframes: int = 0


@functools.cache
def feed(scene: Scene) -> tuple[Frame, ...]:
    """The scene as a publisher sends it."""
    if scene.noise:
        size = f"{scene.width}x{scene.height}"
        picture = f"nullsrc=s={size}:r={scene.fps}:d={scene.seconds},geq=lum='random(1)*255':cb=128:cr=128"
    else:
        size = f"{scene.width // 4}x{scene.height}"
        stripes = ("red", "lime", "blue", "white")
        parts = [f"color={c}:s={size}:r={scene.fps}:d={scene.seconds}[{c}]" for c in stripes]
        picture = ";".join(parts) + ";[red][lime][blue][white]hstack=inputs=4"
    line = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i", picture]
    if scene.rate:
        line += ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate={scene.rate}:duration={scene.seconds}"]
    line += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", str(scene.bframes)]
    line += ["-g", str(scene.gop), "-keyint_min", str(scene.gop), "-sc_threshold", "0", "-threads", "1"]
    line += ["-crf", "30", "-c:a", "aac", "-f", "flv", "-"]
    made = subprocess.run(line, capture_output=True, timeout=SECONDS, check=True)
    return tuple(frames_of(made.stdout))


def endless(scene: Scene) -> Iterator[Frame]:
    """The scene again and again: headers once, timestamps going on."""
    frames = feed(scene)
    media = [frame for frame in frames if not frame.header]
    yield from (frame for frame in frames if frame.header)
    turn, length = 0, round(scene.seconds * 1000)
    while True:
        for frame in media:
            dts = frame.dts + turn * length
            yield replace(frame, dts=dts, arrived=1_000_000 + dts / 1000)
        turn += 1


class Collector:
    """A Reader that keeps everything, and the number of times it was told of an end."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.ends = 0

    def push(self, frame: Frame) -> None:
        self.frames.append(frame)

    def ended(self) -> None:
        self.ends += 1

    def media(self, kind: Kind) -> list[Frame]:
        return [frame for frame in self.frames if frame.kind == kind and not frame.header]

    @property
    def newest(self) -> int:
        """Of the pictures, ms."""
        found = self.media(Kind.VIDEO)
        return found[-1].dts if found else -1


async def until(ready: Callable[[], object], what: str) -> None:
    """Wait for something a real process does."""
    try:
        async with asyncio.timeout(SECONDS):
            while not ready():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"waited in vain for: {what}") from None


class Camera:
    """A publisher on a live, which sends as fast as a reader takes it."""

    def __init__(self, live: Live, scene: Scene) -> None:
        self.live, self.scene = live, scene
        self.sent = -1
        self._frames = endless(scene)
        self._session = live.open_session("127.0.0.1", "test", lambda reason: None, 1_700_000_000.0)

    async def send(self, until_ms: int, ready: Callable[[], bool] = lambda: True) -> None:
        """Frames up to a moment of the live, each when somebody is ready for it."""
        for frame in self._frames:
            self._session.frame(frame)
            if not frame.header and frame.kind == Kind.VIDEO:
                self.sent = self.live.now
                await until(ready, "the encoder to keep up")
                if self.sent >= until_ms:
                    return
            await asyncio.sleep(0)

    def leave(self) -> None:
        """Hang up."""
        self._session.closed("bye")


class Stage:
    """A live, a camera, one encoder and somebody who reads what it makes."""

    def __init__(self, profile: ProfileSpec, scene: Scene | None = None, pace: Pace = PACE) -> None:
        self.scene = scene or Scene()
        self.live = Live("show")
        self.watch = Watch(self.live)
        self.live.attach(self.watch)
        self.news: list[EncoderStatus] = []
        self.rests: list[float] = []
        kit = Kit(
            lambda sha: None,
            on_change=lambda encoder: self.news.append(encoder.status()),
            sleep=self._rest,
            pace=pace,
        )
        allotment = Allotment("superfast", 1, 0.5)
        self.encoder = Encoder(profile, allotment, self.live, lambda: self.watch.facts, kit)
        self.out = Collector()
        self.encoder.output.attach(self.out)
        self.camera = Camera(self.live, self.scene)

    async def _rest(self, seconds: float) -> None:
        self.rests.append(seconds)

    async def __aenter__(self) -> Stage:
        self.encoder.start()
        await self.camera.send(until_ms=500)
        await until(lambda: self.encoder.pid, "the child")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.encoder.stop()

    async def play(self, until_ms: int) -> None:
        """Send up to a moment of the live, and wait for most of it to come out."""
        await self.camera.send(until_ms, lambda: self.behind < 1000)
        await until(lambda: self.out.newest >= until_ms - 500, "the encoded pictures")

    async def rest(self) -> None:
        """Until the child has given back nearly all it was fed."""
        await until(lambda: self.behind < 500, "the encoder")

    @property
    def behind(self) -> int:
        """Milliseconds of media in the child."""
        return run.supply.behind if (run := self.encoder._running) else 0

    @property
    def left_out_ms(self) -> int:
        """Milliseconds of media the child was spared, as far as it has come."""
        return run.supply.left_out_ms if (run := self.encoder._running) else 0

    @property
    def states(self) -> list[str]:
        return [status.state for status in self.news]


def flv(frames: Sequence[Frame]) -> bytes:
    """Frames as a file."""
    tags = (tag(frame.kind, max(0, frame.dts), frame.payload) for frame in frames if frame.kind != Kind.DATA)
    return HEADER + b"".join(tags)


@dataclass(frozen=True)
class Shown:
    """A decoded picture and its moment (ms of the live)."""

    ms: int
    picture: Image.Image

    def colour(self, x: float, y: float) -> tuple[int, int, int]:
        """At a place, both as shares of the picture."""
        at = (round(x * (self.picture.width - 1)), round(y * (self.picture.height - 1)))
        red, green, blue = self.picture.getpixel(at)[:3]  # type: ignore[index]  # it is RGB
        return red, green, blue


def decoded(frames: Sequence[Frame]) -> list[Shown]:
    """Every picture."""
    with av.open(io.BytesIO(flv(frames)), mode="r", format="flv") as file:
        return [
            Shown(round((frame.time or 0) * 1000), frame.to_image())  # type: ignore[no-untyped-call]  # PyAV ships no types for it
            for frame in file.decode(file.streams.video[0])
        ]


def like(seen: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    """The same colour, as far as a codec keeps it."""
    return all(abs(a - b) < 60 for a, b in zip(seen, wanted, strict=True))


def attached(live: Live) -> Collector:
    """Somebody who reads a live."""
    collector: Collector = Collector()
    reader: Reader = collector
    live.attach(reader)
    return collector


def modules(picture: Image.Image, text: str, box: tuple[int, int, int, int]) -> list[list[bool]]:
    """The grid a reader would see in the QR code that fills a box of the picture; True is dark."""
    code = segno.make(text, micro=False, error="m", boost_error=False)
    count = int(code.symbol_size(border=QUIET_ZONE)[0])
    step, grey = (box[2] - box[0]) / count, picture.convert("L")

    def dark(column: int, row: int) -> bool:
        value = grey.getpixel((int(box[0] + (column + 0.5) * step), int(box[1] + (row + 0.5) * step)))
        return isinstance(value, int | float) and value < 128

    return [[dark(column, row) for column in range(count)] for row in range(count)]
