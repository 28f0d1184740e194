"""Media through a child's pipes."""

from __future__ import annotations

import asyncio

import pytest

from restream.encode import process
from restream.encode.pipe import Feeder, read_into
from restream.media import Frame, Kind
from restream.rtmp.flv_file import BrokenFlv
from tests.restream.hls.feed import Shape, pictures, stream
from tests.restream.targets.show import media

SHAPE = Shape(seconds=2, gop=15)


class Sink:
    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.values: dict[str, object] = {}

    def frame(self, frame: Frame) -> None:
        self.frames.append(frame)

    def metadata(self, values: dict[str, object]) -> None:
        self.values = values


async def test_what_ffmpeg_copies_comes_back_as_it_was() -> None:
    line = [process.ffmpeg_binary(), "-loglevel", "error", "-f", "flv", "-i", "pipe:0", "-c", "copy"]
    child = await process.start("copy", [*line, "-copyts", "-f", "flv", "pipe:1"], fed=True, read=True)
    feeder, sink = Feeder(child), Sink()
    for frame in stream(SHAPE):
        feeder.push(frame)
    child.finish()
    async with asyncio.timeout(60):
        await read_into(child, sink)
    await child.stop()
    sent = [f for f in media(stream(SHAPE)) if f[0] == Kind.VIDEO]
    assert [f for f in media(sink.frames) if f[0] == Kind.VIDEO] == sent
    assert sink.values["width"] == 320.0


async def test_a_child_that_takes_nothing_costs_frames_up_to_the_next_keyframe() -> None:
    child = await process.start("stuck", ["sleep", "600"], fed=True)
    try:
        feeder = Feeder(child, buffer=20_000)
        made = [frame for frame in stream(SHAPE) if frame.kind == Kind.VIDEO]
        big = [Frame(f.kind, f.dts, bytes(10_000), b"", keyframe=f.keyframe, header=f.header) for f in made]
        for frame in big * 4:
            feeder.push(frame)
            await asyncio.sleep(0)
        assert feeder.dropped > 0
        assert child.waiting < 20_000 + 2 * 10_100 + 4 * 10_100  # a frame each way, and the headers
        assert feeder.frames + feeder.dropped == 4 * len(pictures(tuple(made)))
    finally:
        child.kill()
        await child.stop()


async def test_after_an_end_nothing_goes_in_before_a_keyframe() -> None:
    child = await process.start("null", ["cat"], fed=True)
    try:
        feeder = Feeder(child)
        key, other = pictures(stream(SHAPE))[:2]
        feeder.push(other)
        feeder.push(key)
        feeder.push(other)
        feeder.ended()
        feeder.push(other)
        assert (feeder.frames, feeder.dropped) == (2, 2)
    finally:
        await child.stop()


async def test_what_is_no_flv_is_noticed() -> None:
    child = await process.start("junk", ["echo", "this is surely no flash video"], read=True)
    with pytest.raises(BrokenFlv):
        await read_into(child, Sink())
    await child.stop()
