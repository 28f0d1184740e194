"""Shows for the tests: real segments that ffmpeg's own muxer cut, as finished segments of renditions."""

from __future__ import annotations

import asyncio
import functools
import gzip
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import imageio_ffmpeg
from pydantic import SecretStr

from restream.api import CueSpec, LiveSpec, PlaybackSpec, RecordingSpec
from restream.hls.finished import FinishedSegment
from restream.hls.respond import Answer, Message, Request, Scope
from restream.replay.door import ReplayDoor
from restream.replay.shelf import Shelf
from tests.restream.record.test_repair import until

STARTED = 1_700_000_000.0
FIRST = 1_700_000_000
EMPTY_DISK = 1 << 40
SLUG = "show"
SECRET = "abcdefghijklmnop0123"
GOP_SECONDS = 2.0
FPS = 25


@functools.cache
def renditions(seconds: int) -> dict[str, tuple[FinishedSegment, ...]]:
    """`source` (640x360), `180p` and `audio`, in segments of two seconds (48,000 / 1,024 is no whole number
    of sounds, so those of `audio` are a little longer or shorter)."""
    with tempfile.TemporaryDirectory() as folder:
        _encode(Path(folder), seconds)
        return {
            "source": tuple(_read(Path(folder), 0, "source", (640, 360))),
            "180p": tuple(_read(Path(folder), 1, "180p", (320, 180))),
            "audio": tuple(_read(Path(folder), 2, "audio", (0, 0))),
        }


def _encode(folder: Path, seconds: int) -> None:
    video = ["-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p"]
    video += ["-g", str(int(GOP_SECONDS * FPS)), "-sc_threshold", "0", "-s:v:1", "320x180"]
    hls = ["-f", "hls", "-hls_time", "2", "-hls_list_size", "0", "-hls_segment_type", "fmp4"]
    hls += ["-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename", f"{folder}/%v/%d.m4s"]
    hls += ["-var_stream_map", "v:0,agroup:a v:1,agroup:a a:0,agroup:a"]
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-loglevel", "error", "-f", "lavfi", "-i", f"testsrc2=size=640x360:rate={FPS}:duration={seconds}"),
        *("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"),
        *("-map", "0:v", "-map", "0:v", "-map", "1:a", *video, "-c:a", "aac", "-b:a", "64k"),
        *(*hls, f"{folder}/%v/list.m3u8"),
    ]
    subprocess.run(command, timeout=120, check=True)


def _read(folder: Path, variant: int, name: str, size: tuple[int, int]) -> Iterator[FinishedSegment]:
    place = folder / str(variant)
    (init,) = place.glob("init*.mp4")
    listed = re.findall(r"#EXTINF:([0-9.]+),\n(\S+)", (place / "list.m3u8").read_text())
    kind: Literal["video", "audio"] = "video" if size[0] else "audio"
    for index, (seconds, file) in enumerate(listed):
        yield FinishedSegment(
            rendition=name,
            number=FIRST + index,
            init=init.read_bytes(),
            init_number=FIRST,
            data=((place / Path(file).name).read_bytes(),),
            seconds=float(seconds),
            wall=STARTED + GOP_SECONDS * index,
            discontinuity=False,
            kind=kind,
            codec="avc1.42c01e" if size[0] else "mp4a.40.2",
            width=size[0],
            height=size[1],
            fps=float(FPS) if size[0] else None,
            gap=False,
        )


def show(seconds: int) -> list[FinishedSegment]:
    """All renditions, in the order in which they are finished."""
    made = renditions(seconds)
    count = min(map(len, made.values()))
    return [made[name][index] for index in range(count) for name in ("source", "audio", "180p")]


def again(segments: Sequence[FinishedSegment], by: int, after: float) -> list[FinishedSegment]:
    """The same `by` numbers and `after` seconds later, as another run of the worker cuts them."""
    first = segments[0].number
    return [
        replace(one, number=one.number + by, wall=one.wall + after, discontinuity=one.number == first)
        for one in segments
    ]


def synthetic(count: int, names: Sequence[str] = ("source", "audio")) -> Iterator[FinishedSegment]:
    """Segments of two seconds without anything that could be decoded, for shows of many hours."""
    for index in range(count):
        for name in names:
            yield FinishedSegment(
                rendition=name,
                number=FIRST + index,
                init=b"init",
                init_number=FIRST,
                data=(b"media",),
                seconds=2.0,
                wall=STARTED + 2 * index,
                discontinuity=False,
                kind="audio" if name == "audio" else "video",
                codec="mp4a.40.2" if name == "audio" else "avc1.42c01e",
                width=0 if name == "audio" else 640,
                height=0 if name == "audio" else 360,
                fps=None if name == "audio" else 30.0,
                gap=False,
            )


def wish(**changes: Any) -> LiveSpec:
    """A recorded show."""
    values: dict[str, Any] = {
        "slug": SLUG,
        "version": 1,
        "key_hashes": [],
        "recording": RecordingSpec(least_free_gb=0),
    }
    return LiveSpec(**(values | changes))


def signed() -> PlaybackSpec:
    """Only for those with a token, behind a secret part of the address."""
    return PlaybackSpec(policy="signed", path_secret=SecretStr(SECRET))


def cue(name: str, at: float, until: float | None = None, **more: Any) -> CueSpec:
    """A moment, in seconds from the show's beginning."""
    return CueSpec(
        id=name,
        kind=more.pop("kind", "product"),
        begins_at=datetime.fromtimestamp(STARTED + at, UTC),
        ends_at=None if until is None else datetime.fromtimestamp(STARTED + until, UTC),
        **more,
    )


class Open:
    """A guard that lets everybody in."""

    def refusal(self, request: Request) -> Answer | None:
        """Nobody is refused."""
        return None


async def kept(shelf: Shelf, segments: Sequence[FinishedSegment], spec: LiveSpec | None = None) -> None:
    """A running show, all of it on the disk."""
    spec = spec or wish()
    await shelf.apply(spec)
    for segment in segments:
        shelf.take(spec.slug, segment)
    await written(shelf, spec.slug)


async def written(shelf: Shelf, slug: str = SLUG) -> None:
    """Until the thread has written what it was given, and the loop knows."""
    live = shelf._live[slug]
    await until(lambda: live.screening is not None and live._queue.empty() and live._put == live._taken)
    await asyncio.sleep(0)  # what the thread has told by now


@dataclass(frozen=True)
class Response:
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, unzipped."""
        zipped = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if zipped else self.body).decode()


async def ask(door: ReplayDoor, address: str, method: str = "GET", **headers: str) -> Response:
    """What a browser gets."""
    path, _, query = address.partition("?")
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": fields,
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    await door(scope, receive, send)
    begin, *rest = sent
    assert [bool(message.get("more_body")) for message in rest] == [True] * (len(rest) - 1) + [False]
    given = {name.decode(): value.decode() for name, value in begin["headers"]}
    return Response(begin["status"], given, b"".join(message.get("body", b"") for message in rest))
