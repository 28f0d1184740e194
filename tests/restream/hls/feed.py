"""Streams for the tests: real ones from ffmpeg as FLV, and endless synthetic ones."""

from __future__ import annotations

import functools
import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace

import imageio_ffmpeg

from restream.hls.pictures import Pictures
from restream.hls.renditions import Renditions
from restream.hls.sounds import Sounds
from restream.hls.timeline import Timeline
from restream.live import Live, Session, at_time
from restream.media import Frame, Kind
from restream.rtmp.flv import audio_frame, video_frame

STARTED = 1_700_000_000.0
DELAY = 0.020


@dataclass(frozen=True)
class Shape:
    """What ffmpeg is to make. Audio is AAC-LC."""

    seconds: float = 6.0
    fps: str = "30"
    size: str = "320x180"
    gop: int = 60
    bframes: int = 0
    rate: int = 48_000
    audio: bool = True


@functools.cache
def stream(shape: Shape) -> tuple[Frame, ...]:
    """The frames of an FLV stream that ffmpeg writes to a pipe, as an RTMP publisher would send them."""
    made = subprocess.run(command(shape), capture_output=True, timeout=60, check=True)
    return tuple(frames_of(made.stdout))


def command(shape: Shape) -> list[str]:
    """ffmpeg, writing it as FLV to its output."""
    source = f"testsrc2=size={shape.size}:rate={shape.fps}:duration={shape.seconds}"
    inputs = ["-f", "lavfi", "-i", source]
    sound = ["-an"]
    if shape.audio:
        inputs += [
            "-f",
            "lavfi",
            "-i",
            f"sine=frequency=440:sample_rate={shape.rate}:duration={shape.seconds}",
        ]
        sound = ["-c:a", "aac", "-b:a", "64k", "-ac", "2"]
    picture = ["-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p"]
    picture += ["-g", str(shape.gop), "-keyint_min", str(shape.gop), "-sc_threshold", "0"]
    picture += ["-bf", str(shape.bframes)]
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    return [ffmpeg, "-loglevel", "error", *inputs, *picture, *sound, "-f", "flv", "-"]


def frames_of(data: bytes) -> Iterator[Frame]:
    """The tags of an FLV file (Adobe FLV 10.1, annex E) as frames."""
    at = 9 + 4
    while at < len(data):
        kind, size = data[at], int.from_bytes(data[at + 1 : at + 4], "big")
        dts = int.from_bytes(data[at + 4 : at + 7], "big") | data[at + 7] << 24
        body = data[at + 11 : at + 11 + size]
        at += 11 + size + 4
        frame = None
        if kind == Kind.VIDEO:
            frame = video_frame(body, dts, 0.0)
        elif kind == Kind.AUDIO:
            frame = audio_frame(body, dts, 0.0)
        if frame:
            yield frame


def pictures(frames: tuple[Frame, ...]) -> list[Frame]:
    """The coded pictures among frames."""
    return [frame for frame in frames if frame.kind == Kind.VIDEO and not frame.header]


def sounds(frames: tuple[Frame, ...]) -> list[Frame]:
    """The coded audio frames among frames."""
    return [frame for frame in frames if frame.kind == Kind.AUDIO and not frame.header]


class Studio:
    """A live that is packaged. Time is the stream's own: a frame arrives when it was captured."""

    def __init__(self, part_ms: int = 333, segment_ms: int = 2000, first_number: int = 0) -> None:
        self.live = Live("show")
        self.renditions = Renditions(first_number, part_ms, segment_ms)
        self.live.attach(self.renditions.leader)
        self.now = STARTED

    @property
    def timeline(self) -> Timeline:
        """Of the feed itself."""
        return self.renditions.timeline

    @property
    def source(self) -> Pictures:
        """The feed's pictures."""
        found = self.renditions.rendition("source")
        assert isinstance(found, Pictures)
        return found

    @property
    def audio(self) -> Sounds:
        """The feed's sound."""
        found = self.renditions.rendition("audio")
        assert isinstance(found, Sounds)
        return found

    @property
    def changes(self) -> int:
        """Grows whenever anything was packaged."""
        return self.renditions.version

    def publisher(self) -> Session:
        """Somebody begins to publish."""
        return self.live.open_session("127.0.0.1", "ffmpeg", lambda reason: None, self.now)

    def publish(self, frames: tuple[Frame, ...]) -> Iterator[Frame]:
        """A whole visit of a publisher, one frame at each step; leaving the rest out cuts it."""
        session, began = self.publisher(), self.now
        for frame in frames:
            self.now = began + frame.dts / 1000 + DELAY
            session.frame(replace(frame, arrived=self.now))
            yield frame
        session.closed("bye")


def looped(shape: Shape, times: int) -> tuple[Frame, ...]:
    """A stream repeated without a break: headers once, timestamps going on."""
    frames = stream(shape)
    media = [frame for frame in frames if not frame.header]
    length = round(shape.seconds * 1000)
    headers = [frame for frame in frames if frame.header]
    again = (at_time(f, f.dts + turn * length) for turn in range(times) for f in media)
    return tuple(itertools.chain(headers, again))


def synthetic(
    shape: Shape, rate: int, fps: float, seconds: float, *, begins: int = 0, gop: float = 2.0
) -> Iterator[Frame]:
    """Millisecond timestamps of an encoder that never drifts, with tiny bodies and real headers.

    `shape.bframes` puts one B-frame between two others; a rate of 0 sends no sound.
    """
    yield from (f for f in stream(shape) if f.header and (rate or f.kind == Kind.VIDEO))
    sound, picture, group = 0, 0, round(gop * fps)
    while picture < seconds * fps:
        shown, heard = picture * 1000 / fps, sound * 1024 * 1000 / (rate or 1)
        if rate and heard <= shown:
            yield Frame(Kind.AUDIO, begins + round(heard), b"\xaf\x01s", b"s", keyframe=True)
            sound += 1
            continue
        place = picture % group
        head, body = (b"\x17p", b"key") if not place else (b"\x27p", b"p")
        later = _later(place, group) if shape.bframes else 0
        cts = round((picture + later) * 1000 / fps) - round(shown)
        yield Frame(Kind.VIDEO, begins + round(shown), head, body, cts, keyframe=not place)
        picture += 1


def _later(place: int, group: int) -> int:
    """By how many pictures one is shown after it was decoded: I P B P B … and all are shown by the next I."""
    if not place or (place == group - 1 and place % 2):
        return 1
    return 2 if place % 2 else 0
