"""Replays as ffmpeg plays them over HTTP: every picture, every sound, at its time."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from restream.hls.finished import FinishedSegment
from restream.hls.respond import Receive, Scope, Send
from restream.replay.door import ReplayDoor
from restream.replay.shelf import Shelf
from restream.serving import serving
from tests.restream.encoder import ended, ffmpeg
from tests.restream.record.test_repair import until
from tests.restream.replay.stage import (
    EMPTY_DISK,
    FIRST,
    FPS,
    Open,
    Response,
    ask,
    kept,
    show,
    wish,
    written,
)

STEP = Fraction(1, FPS)


class Theatre:
    """A shelf behind a real port; `asked` are the paths somebody wanted."""

    def __init__(self, root: Path) -> None:
        self.running = {"show"}
        self.shelf = Shelf(root, self.running.__contains__, free=lambda _: EMPTY_DISK)
        self.asked: list[str] = []
        self.port = 0
        self._door = ReplayDoor(self.shelf, Open())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        await self._door(scope, receive, send)

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/live/show/{name}"

    async def got(self, name: str) -> Response:
        """An answer that must be 200."""
        found = await ask(self._door, f"/live/show/{name}")
        assert found.status == 200, found.text
        return found

    async def end(self) -> None:
        self.running.clear()
        await self.shelf.apply(wish(open=False))


@asynccontextmanager
async def theatre(
    root: Path, segments: Sequence[FinishedSegment] | None = None, kind: type[Theatre] = Theatre
) -> AsyncIterator[Theatre]:
    """With a running show, or (no segments) with what is on the disk."""
    opened = kind(root)
    if segments is None:
        opened.running.clear()
        await opened.shelf.scan()
    else:
        await kept(opened.shelf, segments)
    async with serving(opened, "127.0.0.1", 0) as opened.port:
        yield opened
    await opened.shelf.stop()


@dataclass(frozen=True)
class Played:
    """Times (seconds) of the source's pictures, the sounds, the rung's pictures; and complaints."""

    times: list[list[Fraction]]
    said: str

    def steps(self, stream: int) -> set[Fraction]:
        times = self.times[stream]
        return {after - before for before, after in itertools.pairwise(times)}


def played(file: Path, said: str) -> Played:
    """A framecrc file (stream, dts, pts, duration, size, checksum)."""
    bases: dict[int, Fraction] = {}
    times: list[list[Fraction]] = [[], [], []]
    for line in file.read_text().splitlines():
        if line.startswith("#tb"):
            stream, base = line[4:].split(": ")
            bases[int(stream)] = Fraction(base)
        elif not line.startswith("#"):
            stream, _, pts = line.split(",")[:3]
            times[int(stream)].append(int(pts) * bases[int(stream)])
    return Played(times, said)


def options(address: str, into: Path, *before: str) -> list[str]:
    """Play everything and note its times."""
    # Everything is taken: ffmpeg leaves a rendition that nobody wants in the middle, and complains of that.
    output = [*("-map", "0:v:0", "-map", "0:a:0?", "-map", "0:v:1?"), "-fps_mode", "passthrough"]
    return ["-v", "warning", *before, "-i", address, *output, "-f", "framecrc", str(into)]


async def play(address: str, into: Path, *before: str) -> Played:
    async with ffmpeg(*options(address, into, *before)) as process:
        code, said = await ended(process)
    assert code == 0, said
    return played(into, said)


async def test_the_whole_show_plays_without_a_jump(tmp_path: Path) -> None:
    async with theatre(tmp_path / "data", show(12)) as house:
        await house.end()
        found = await play(house.address("index.m3u8"), tmp_path / "out")
    assert found.said == ""
    assert len(found.times[0]) == 12 * FPS
    assert found.steps(0) == found.steps(2) == {STEP}
    assert len(found.times[2]) == 12 * FPS
    sounds = [one for one in show(12) if one.rendition == "audio"]
    assert len(found.times[1]) * 1024 / 48_000 >= sum(one.seconds for one in sounds) - 0.05
    assert found.steps(1) == {Fraction(1024, 48_000)}


async def test_every_rendition_plays(tmp_path: Path) -> None:
    async with theatre(tmp_path / "data", show(12)) as house:
        await house.end()
        for name, stream in (("180p", "v"), ("audio", "a")):
            out = tmp_path / name
            address = house.address(f"replay/{name}/media.m3u8")
            async with ffmpeg(
                "-v", "warning", "-i", address, "-map", f"0:{stream}:0", "-f", "framecrc", str(out)
            ) as process:
                code, said = await ended(process)
            assert (code, said) == (0, "")
            assert len(played(out, "").times[0]) >= 12 * FPS


async def test_a_viewer_sees_a_running_show_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    segments = show(12)
    async with theatre(tmp_path / "data", segments[: 3 * 3]) as house:
        out = tmp_path / "out"
        address = house.address("dvr.m3u8")
        async with ffmpeg(*options(address, out, "-live_start_index", "0")) as process:
            await until(lambda: any(path.endswith(f"source/s{FIRST + 2}.m4s") for path in house.asked))
            for segment in segments[3 * 3 :]:
                house.shelf.take("show", segment)
            await written(house.shelf)
            seen = len(house.asked)
            await until(lambda: any(path.endswith(f"source/s{FIRST + 5}.m4s") for path in house.asked[seen:]))
            await house.end()
            code, said = await ended(process)
        assert code == 0, said
        found = played(out, said)
    assert len(found.times[0]) == 12 * FPS
    assert found.steps(0) == {STEP}
