"""Streams in the newer codecs, made by ffmpeg, and decoders to look at what became of them."""

from __future__ import annotations

import functools
import hashlib
import io
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from restream.encode.process import ffmpeg_binary
from restream.media import Frame, Kind
from restream.rtmp.flv import audio_frame, video_frame
from restream.rtmp.flv_file import FlvReader


@dataclass(frozen=True)
class Encoding:
    """What ffmpeg is to make, and who decodes it."""

    video: tuple[str, ...]
    audio: tuple[str, ...]
    video_decoder: str
    audio_decoder: str
    size: str = "320x180"
    seconds: float = 3.0
    rate: int = 48_000
    pixels: str = "yuv420p"


HEVC_AAC = Encoding(
    ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=3", "-g", "30"),
    ("-c:a", "aac", "-ac", "2"),
    "hevc",
    "aac",
)
AV1_OPUS = Encoding(
    ("-c:v", "libsvtav1", "-preset", "12", "-g", "30"),
    ("-c:a", "libopus", "-b:a", "64k", "-ac", "2"),
    "libdav1d",
    "opus",
)


@functools.cache
def recorded(encoding: Encoding) -> bytes:
    """An FLV file."""
    length = f"duration={encoding.seconds}"
    picture = f"testsrc2=size={encoding.size}:rate=30:{length}"
    sound = f"sine=frequency=440:sample_rate={encoding.rate}:{length}"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]
    outputs = [*encoding.video, "-pix_fmt", encoding.pixels, *encoding.audio, "-f", "flv", "-"]
    argv = [ffmpeg_binary(), "-loglevel", "error", *inputs, *outputs]
    return subprocess.run(argv, capture_output=True, timeout=120, check=True).stdout


def frames(encoding: Encoding) -> Iterator[Frame]:
    """Its frames."""
    for tag in FlvReader().feed(recorded(encoding)):
        read = {Kind.VIDEO: video_frame, Kind.AUDIO: audio_frame}.get(Kind(tag.kind))
        frame = read(tag.body, tag.timestamp, 0.0) if read else None
        if frame:
            yield frame


def of(kind: Kind, some: Iterable[Frame], *, header: bool = False) -> list[Frame]:
    """The pictures or the sounds among frames, or their headers."""
    return [frame for frame in some if frame.kind == kind and frame.header == header]


def fingerprints(decoder: str, some: Iterable[Frame], kind: Kind) -> list[str]:
    """Every picture or sound that a decoder makes of frames, as a digest."""
    chosen = [frame for frame in some if frame.kind == kind]
    context = av.CodecContext.create(decoder, "r")
    assert isinstance(context, VideoCodecContext | AudioCodecContext)
    context.extradata = next(frame.body for frame in chosen if frame.header)
    packets = [av.Packet(frame.body) for frame in chosen if not frame.header]
    return [fingerprint(found) for packet in (*packets, None) for found in context.decode(packet)]


def fingerprint(found: object) -> str:
    """A digest of the samples; what lies between the lines of a plane is nobody's."""
    digest = hashlib.sha256()
    if isinstance(found, VideoFrame):
        for plane in found.planes:
            data, step = bytes(plane), plane.line_size
            for row in range(plane.height):
                digest.update(data[row * step : row * step + plane.width])
    else:
        assert isinstance(found, AudioFrame)
        assert found.format.is_planar
        for channel in found.planes:
            digest.update(bytes(channel)[: found.samples * found.format.bytes])
    return digest.hexdigest()


def decoded(file: bytes, kind: Kind) -> list[VideoFrame | AudioFrame]:
    """The pictures or the sounds of an MP4 or FLV file."""
    with av.open(io.BytesIO(file), "r") as container:
        stream = container.streams.video[0] if kind == Kind.VIDEO else container.streams.audio[0]
        return [one for one in container.decode(stream) if isinstance(one, VideoFrame | AudioFrame)]
