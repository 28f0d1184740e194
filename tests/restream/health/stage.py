"""A publisher's health, fed with what ffmpeg really makes. A frame arrives when `delay` says."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import replace

import imageio_ffmpeg
from pydantic import SecretStr

from restream.api import Finding, TargetSpec
from restream.health.health import Health
from restream.media import Frame, Kind
from tests.restream.hls.feed import frames_of

STARTED = 1_700_000_000.0
PICTURE = (
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-threads",
    "1",
    "-pix_fmt",
    "yuv420p",
    "-sc_threshold",
    "0",
)


@functools.cache
def made(
    *options: str,
    seconds: float = 14,
    fps: str = "30",
    size: str = "320x180",
    gop: int = 60,
    rate: int | None = 48_000,
) -> tuple[Frame, ...]:
    """The frames of a test pattern with H.264 and AAC (`rate` None: without sound); `options` come last."""
    source = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={fps}:duration={seconds}"]
    sound = ["-an"]
    if rate:
        source += ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate={rate}:duration={seconds}"]
        sound = ["-c:a", "aac", "-b:a", "64k", "-ac", "2"]
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *source, *PICTURE]
    argv += ["-g", str(gop), "-bf", "0", *sound, *options, "-f", "flv", "-"]
    data = subprocess.run(argv, capture_output=True, timeout=120, check=True).stdout
    return tuple(frames_of(data))


def target(platform: str, **more: str) -> TargetSpec:
    """A target that copies the feed."""
    known = {"id": platform, "name": platform.title(), "platform": platform} | more
    return TargetSpec(url="rtmp://far.test/app", key=SecretStr("k"), **known)


class Nobody:
    """A publisher (`gate.Publisher`) whose frames go nowhere."""

    def frame(self, frame: Frame) -> None:
        pass

    def metadata(self, values: dict[str, object]) -> None:
        pass

    def closed(self, reason: str) -> None:
        pass


class Stage:
    """`play` moves the clock with the frames and ticks each second."""

    def __init__(self, *platforms: str, player: bool = False) -> None:
        self.now = STARTED
        self.raised: list[Finding] = []
        self.cleared: list[Finding] = []
        self.targets = [target(platform) for platform in platforms]
        self.player = player
        self.health = Health(self.raised.append, self.cleared.append, clock=lambda: self.now)
        self.publisher = self.health.observe(Nobody())
        self._ticked = STARTED

    def play(
        self, frames: Iterable[Frame], delay: Callable[[float], float] = lambda at: 0.0, begins: float = 0.0
    ) -> None:
        """`begins` is the stream's time now; `delay` gives a frame's lateness from its time (seconds)."""
        began = self.now - begins
        for frame in frames:
            at = frame.dts / 1000
            self.pass_time(max(0.0, began + at + delay(at) - self.now))
            self.publisher.frame(replace(frame, arrived=self.now))

    def pass_time(self, seconds: float) -> None:
        """The clock goes on, with a tick at every full second."""
        until = self.now + seconds
        while self._ticked + 1 <= until:
            self._ticked += 1
            self.now = self._ticked
            self.health.tick(self.targets, player=self.player)
        self.now = until

    def leave(self) -> None:
        """The publisher goes; another may come."""
        self.publisher.closed("bye")
        self.publisher = self.health.observe(Nobody())

    def codes(self, place: str | None) -> set[str]:
        """What is raised now for a target, or for everybody."""
        return {finding.code for finding in self.health.findings() if finding.target == place}

    def sentence(self, code: str) -> str:
        """The words of a finding that is raised."""
        return next(finding.sentence for finding in self.health.findings() if finding.code == code)


def without(frames: Iterable[Frame], kind: Kind) -> list[Frame]:
    """A stream without one of its tracks."""
    return [frame for frame in frames if frame.kind != kind]
