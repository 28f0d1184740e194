"""A worker on real ports, real ffmpeg encoders in, nginx-rtmp as the far end: what it has recorded counts."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from restream.api import LiveSpec, LiveStatus, TargetSpec
from restream.continuity.slate import Slate
from restream.continuity.splice import at_time
from restream.main import running
from restream.media import Frame, Kind
from restream.programme import Programme
from restream.rtmp.flv_file import HEADER, tag
from restream.settings import MediaSettings
from restream.worker import Worker
from tests.restream.continuity.recording import backward, decoded, largest_gap, media
from tests.restream.encoder import ffmpeg, recorded
from tests.restream.hls.feed import Shape, frames_of
from tests.restream.targets.servers import free_port, nginx

PATIENCE = 60.0
KEY, STANDBY = "the-first-key", "the-second-key"


def hashed(key: str) -> str:
    """As the hub sends it."""
    return hashlib.sha256(key.encode()).hexdigest()


class Stopwatch:
    """A reader (`media.Reader`) that notes when."""

    def __init__(self) -> None:
        self.moments: list[float] = []

    def push(self, frame: Frame) -> None:
        self.moments.append(time.monotonic())

    def ended(self) -> None:
        pass


@dataclass
class Broadcast:
    """One show with one far end."""

    worker: Worker
    port: int
    spec: LiveSpec
    folder: Path

    async def wish(self, **changes: Any) -> None:
        """Another wanted state."""
        newer = {"version": self.spec.version + 1, **changes}
        self.spec = self.spec.model_copy(update=newer)
        await self.worker.put(self.spec)

    @property
    def programme(self) -> Programme:
        """The show."""
        found = self.worker.programme("show")
        assert found
        return found

    def status(self) -> LiveStatus:
        """What it says of itself."""
        return self.programme.status()

    @property
    def slate(self) -> Slate | None:
        """What is ready to be sent."""
        return self.programme.live.director.slate

    async def until(self, true: Callable[[LiveStatus], bool]) -> LiveStatus:
        """The first status for which something is so."""
        async with asyncio.timeout(PATIENCE):
            while not true(status := self.status()):
                await asyncio.sleep(0.02)
        return status

    async def ready(self) -> Slate:
        """Until the far end takes the feed and the slate is made."""
        await self.until(lambda now: now.targets[0].state == "live" and self.slate is not None)
        assert self.slate
        return self.slate

    def watch(self) -> list[float]:
        """From now on, the moments (seconds) at which frames leave for whoever reads."""
        stopwatch = Stopwatch()
        self.programme.live.attach(stopwatch)
        return stopwatch.moments

    async def lasts(self, seconds: float) -> None:
        """Until the show's own time has gone on by so much."""
        began = self.programme.live.now
        await self.until(lambda _: self.programme.live.now - began >= seconds * 1000)

    @asynccontextmanager
    async def encoder(
        self, shape: Shape, key: str = KEY, *, camera_after: float = 0.0, then: Shape | None = None
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """ffmpeg sends a recording at its own pace, again and again; killed at the end.

        `camera_after` seconds of sound the pictures begin; after four seconds it goes on with `then`, once.
        """
        with tempfile.NamedTemporaryFile(suffix=".flv") as file:
            file.write(joined(shape, then) if then else recorded(shape))
            file.flush()
            address = f"rtmp://127.0.0.1:{self.port}/live/{key}"
            feed = ["-re", "-stream_loop", "0" if then else "-1"]
            inputs = [*feed, "-i", file.name]
            if camera_after:
                inputs += [*feed, "-itsoffset", str(camera_after), "-i", file.name]
                inputs += ["-map", "0:a", "-map", "1:v"]
            async with ffmpeg(*inputs, "-c", "copy", "-f", "flv", address) as process:
                yield process

    async def finish(self) -> list[Frame]:
        """End the show; everything the far end has got. It was one connection, and time only went on."""
        assert self.status().targets[0].connects == 1, "the far end has noticed nothing"
        await self.wish(open=False)
        file = self.folder / "far.flv"
        frames = list(frames_of(file.read_bytes()))
        assert backward(frames) == 0
        return frames


@asynccontextmanager
async def broadcast(tmp_path: Path, **more: Any) -> AsyncIterator[Broadcast]:
    """Everything running, nobody publishing yet."""
    far, data = tmp_path / "far", tmp_path / "data"
    far.mkdir()
    settings = MediaSettings(
        data=data,
        media_port=free_port(),
        media_control_port=free_port(),
        rtmp_port=free_port(),
        rtmps_port=free_port(),
        srt_port=free_port(),
        webrtc_port=free_port(),
        media_token=SecretStr("the-media-token"),
    )
    async with nginx(far) as port, running(settings) as worker:
        url = f"rtmp://127.0.0.1:{port}/live"
        spec = LiveSpec(
            slug="show",
            version=1,
            key_hashes=[hashed(KEY)],
            backup_key_hashes=[hashed(STANDBY)],
            targets=[TargetSpec(id="far", name="far", url=url, key=SecretStr("far"))],
            **more,
        )
        await worker.put(spec)
        yield Broadcast(worker, settings.rtmp_port, spec, far)


def joined(first: Shape, second: Shape, at: int = 4000) -> bytes:
    """Two recordings as one FLV file: `at` milliseconds, a keyframe, the encoder changes its settings."""
    before = [frame for frame in frames_of(recorded(first)) if frame.dts < at]
    after = [at_time(frame, frame.dts + at) for frame in frames_of(recorded(second))]
    return HEADER + b"".join(tag(frame.kind, frame.dts, frame.payload) for frame in [*before, *after])


Origin = tuple[str, Iterable[Frame]]


def runs(frames: list[Frame], *origins: Origin) -> list[str]:
    """Whose pictures came, one name for each run of them. Every frame must be somebody's, to the byte."""
    owner = {(int(frame.kind), frame.body): name for name, sent in origins for frame in sent}
    found: list[str] = []
    fresh: set[Kind] = set()
    for frame in frames:
        assert (int(frame.kind), frame.body) in owner, "a frame that nobody has sent"
        name = owner[int(frame.kind), frame.body]
        if frame.header:
            fresh.add(frame.kind)
        elif frame.kind == Kind.VIDEO:
            if [name] != found[-1:]:
                found.append(name)
                assert Kind.VIDEO in fresh, "headers at each switch"
                assert frame.keyframe
            fresh.clear()
    return found


def made_of(name: str, slate: Slate) -> Origin:
    """A slate, as an origin of frames."""
    frames = [*slate.headers, *slate.pictures, *([slate.silence] if slate.silence else [])]
    return name, frames


def sent_by(name: str, shape: Shape) -> Origin:
    """An encoder, as an origin of frames."""
    return name, list(frames_of(recorded(shape)))


def shown_whole(frames: list[Frame], *, audio: bool = True) -> None:
    """No hole longer than half a second in either track, and every picture can be decoded."""
    pictures = media(frames, Kind.VIDEO)
    assert largest_gap(pictures) <= 500
    assert decoded(frames) == len(pictures)
    if audio:
        assert largest_gap(media(frames, Kind.AUDIO)) <= 500


def repeated(frames: list[Frame], name: str, shape: Shape) -> int:
    """How many of an encoder's pictures came twice."""
    own = {frame.body for frame in sent_by(name, shape)[1] if frame.kind == Kind.VIDEO and not frame.header}
    came = [frame.body for frame in media(frames, Kind.VIDEO) if frame.body in own]
    return len(came) - len(set(came))
