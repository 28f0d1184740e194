"""What the ingest tests share: a gate that knows several keys, real encoders, and a look at what came."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import struct
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from restream.gate import Publisher, PublishRefused, PublishRequest
from restream.media import Frame, Kind
from restream.rtmp.flv_file import HEADER, tag

SECONDS = 60.0
"""How long a real process may take on a slow machine."""

PICTURE = (
    *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=48000"),
    *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1"),
    *("-pix_fmt", "yuv420p", "-g", "30", "-bf", "0"),
)
AAC = ("-c:a", "aac", "-b:a", "96k", "-ac", "2")


@dataclass
class Intake:
    """One publish, and everything it was fed."""

    request: PublishRequest
    kick: Callable[[str], None] = lambda reason: None
    frames: list[Frame] = field(default_factory=list)
    described: dict[str, object] = field(default_factory=dict)
    reason: str | None = None

    def frame(self, frame: Frame) -> None:
        assert self.reason is None, "a frame after the end"
        self.frames.append(frame)

    def metadata(self, values: dict[str, object]) -> None:
        self.described = values

    def closed(self, reason: str) -> None:
        assert self.reason is None, "closed twice"
        self.reason = reason

    def pictures(self) -> list[Frame]:
        """Its coded pictures so far."""
        return [frame for frame in self.frames if frame.kind == Kind.VIDEO and not frame.header]

    def sounds(self) -> list[Frame]:
        """Its coded audio so far."""
        return [frame for frame in self.frames if frame.kind == Kind.AUDIO and not frame.header]


class Keys:
    """A gate that knows these keys (key → SRT passphrase); newest wins unless `takeover` is off."""

    def __init__(self, keys: dict[str, str | None], *, takeover: bool = True) -> None:
        self.keys = keys
        self.takeover = takeover
        self.intakes: list[Intake] = []
        self.asked = 0

    def srt_passphrase(self, key: str) -> str | None:
        if key not in self.keys:
            raise PublishRefused("NetStream.Publish.BadName", "No show has this stream key.")
        return self.keys[key]

    async def publish(self, request: PublishRequest, kick: Callable[[str], None]) -> Publisher:
        self.asked += 1
        self.srt_passphrase(request.key)
        for before in self.intakes:
            if before.request.key == request.key and before.reason is None:
                if not self.takeover:
                    raise PublishRefused("NetStream.Publish.Rejected", "Somebody publishes already.")
                before.kick("Another encoder took over.")
        self.intakes.append(Intake(request, kick))
        return self.intakes[-1]

    def of(self, key: str) -> Intake | None:
        """The newest publish with that key."""
        return next((found for found in reversed(self.intakes) if found.request.key == key), None)


async def until(true: Callable[[], object], seconds: float = SECONDS) -> None:
    """Poll what real processes bring about."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


async def flowing(gate: Keys, key: str, pictures: int = 30, after: Intake | None = None) -> Intake:
    """The publish with that key (newer than `after`) once it has brought so many pictures, and some sound."""

    def flows() -> bool:
        found = gate.of(key)
        return found is not after and found is not None and len(found.pictures()) >= pictures

    await until(flows)
    found = gate.of(key)
    assert found
    await until(found.sounds)
    return found


def decoded(frames: Iterable[Frame]) -> tuple[int, int]:
    """How many pictures and audio frames libav gets out of them, without one complaint."""
    counts = {"video": 0, "audio": 0}
    with _opened(frames) as container:
        for stream in container.streams:
            if isinstance(stream, av.VideoStream):
                stream.codec_context.options = {"err_detect": "explode"}
        for frame in container.decode():
            counts["video" if isinstance(frame, av.VideoFrame) else "audio"] += 1
    return counts["video"], counts["audio"]


def _opened(frames: Iterable[Frame]) -> InputContainer:
    flv = HEADER + b"".join(tag(frame.kind, frame.dts, frame.payload) for frame in frames)
    return cast(InputContainer, av.open(io.BytesIO(flv), format="flv"))


FLASH = (
    *(
        "-f",
        "lavfi",
        "-i",
        "color=black:size=160x90:rate=30,drawbox=color=white:t=fill:enable='lt(mod(t,1),0.2)'",
    ),
    *("-f", "lavfi", "-i", "aevalsrc='if(lt(mod(t,1),0.2),sin(2*PI*1000*t),0)':sample_rate=48000"),
    *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1"),
    *("-pix_fmt", "yuv420p", "-g", "30", "-bf", "0"),
)
"""Every second begins with a white picture and a tone."""


def onsets(frames: Iterable[Frame]) -> tuple[list[float], list[float]]:
    """When the picture turns white, and when the tone begins, in seconds."""
    white: list[float] = []
    tone: list[float] = []
    before = {"white": True, "tone": True}
    with _opened(frames) as container:
        for frame in cast(Iterable[av.VideoFrame | av.AudioFrame], container.decode()):
            if isinstance(frame, av.VideoFrame):
                plane = frame.planes[0]
                kind, found, now = "white", white, bytes(plane)[plane.line_size * 40 + 80] > 128
            else:
                samples = array("f", bytes(frame.planes[0]))
                kind, found, now = "tone", tone, max(map(abs, samples)) > 0.2
            if now and not before[kind] and frame.time is not None:
                found.append(frame.time)
            before[kind] = now
    return white, tone


def assert_in_order(frames: Sequence[Frame]) -> None:
    """Headers come first, time never goes back within a track, and pictures begin with a keyframe."""
    for kind in (Kind.VIDEO, Kind.AUDIO):
        track = [frame for frame in frames if frame.kind == kind]
        if not track:
            continue
        assert track[0].header
        times = [frame.dts for frame in track if not frame.header]
        assert times == sorted(times)
    assert next(frame for frame in frames if frame.kind == Kind.VIDEO and not frame.header).keyframe


def children() -> dict[int, str]:
    """The processes this one has started and not reaped: pid → command line."""
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid():
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = time.monotonic()

    def __call__(self) -> float:
        return self.time


def key_material(passphrase: str, key: bytes) -> bytes:
    """A KMREQ, as a caller of libsrt makes it from a passphrase and a stream key of its own."""
    salt = os.urandom(16)
    outer = hashlib.pbkdf2_hmac("sha1", passphrase.encode(), salt[8:], 2048, len(key))
    head = struct.pack(">BHBI4BHBB", 0x12, 0x2029, 1, 0, 2, 0, 2, 0, 0, 4, len(key) // 4)
    return head + salt + aes_key_wrap(outer, key)
