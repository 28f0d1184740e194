"""A whole show: an encoder's frames, packaged as for the live player, kept, and played again by ffmpeg."""

from __future__ import annotations

import heapq
import io
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import pytest

from restream.hls.renditions import Rung
from restream.live import at_time
from restream.media import Frame, Kind
from restream.replay.shelf import Shelf
from tests.restream.hls.feed import Shape, Studio, pictures, stream
from tests.restream.replay.reading import read
from tests.restream.replay.stage import EMPTY_DISK, FIRST, SLUG, wish
from tests.restream.replay.test_play import play, theatre

SHAPE = Shape(seconds=12, size="640x360")
SMALL = Shape(seconds=12, size="320x180", audio=False)
REORDERED = 3
"""Pictures after which no earlier one is shown."""
NAMES = ("source", "audio", "180p")


class Ladder:
    """A rung made beforehand: for each picture of the feed, in the order of being shown, its twin."""

    def __init__(self, studio: Studio) -> None:
        self._rung = studio.renditions.open_rung(Rung("180p", 320, 180, 30.0))
        self._header, *_ = [f for f in stream(SMALL) if f.header and f.kind == Kind.VIDEO]
        self._pictures = iter(pictures(stream(SMALL)))
        self._moments: list[int] = []
        studio.live.attach(self)

    def push(self, frame: Frame) -> None:
        """The feed's frame."""
        if frame.kind != Kind.VIDEO:
            return
        if frame.header:
            self._rung.push(at_time(self._header, frame.dts))
            return
        heapq.heappush(self._moments, frame.dts + frame.cts)
        if len(self._moments) > REORDERED:
            self._make()

    def ended(self) -> None:
        """The publisher is gone."""
        while self._moments:
            self._make()
        self._rung.ended()

    def _make(self) -> None:
        self._rung.push(at_time(next(self._pictures), heapq.heappop(self._moments)))


def publish(studio: Studio, shelf: Shelf, shape: Shape = SHAPE) -> None:
    """A whole visit of a publisher."""
    studio.renditions.on_segment = partial(shelf.take, SLUG)
    for _ in studio.publish(stream(shape)):
        pass


async def broadcast(root: Path, shape: Shape = SHAPE, first: int = FIRST, *, rung: bool = True) -> None:
    """A show from its beginning to its end."""
    shelf = Shelf(root, free=lambda _: EMPTY_DISK)
    await shelf.apply(wish())
    studio = Studio(first_number=first)
    if rung:
        Ladder(studio)
    publish(studio, shelf, shape)
    studio.renditions.finish()
    await shelf.apply(wish(open=False))
    await shelf.stop()


@pytest.mark.parametrize("bframes", [0, 2])
async def test_a_show_with_a_ladder_plays_as_it_was_sent(tmp_path: Path, bframes: int) -> None:
    shape = Shape(seconds=12, size="640x360", bframes=bframes)
    await broadcast(tmp_path / "data", shape)
    async with theatre(tmp_path / "data") as house:
        media = [read((await house.got(f"replay/{name}/media.m3u8")).text) for name in NAMES]
        found = await play(house.address("index.m3u8"), tmp_path / "out")
    assert [len(one.segments) for one in media] == [6, 6, 6]
    assert not any(segment.gap for one in media for segment in one.segments)
    assert len({tuple(one.numbers) for one in media}) == 1
    assert found.said == ""
    assert len(found.times[0]) == len(found.times[2]) == 360
    for stream_ in (0, 2):
        # RTMP's milliseconds: a thirtieth of a second is 33 or 34 of them.
        assert all(Fraction(32, 1000) < step < Fraction(35, 1000) for step in found.steps(stream_))
    assert found.steps(1) == {Fraction(1024, 48_000)}
    assert abs(found.times[1][-1] - found.times[0][-1]) < 0.1


async def test_a_silent_show_plays(tmp_path: Path) -> None:
    await broadcast(tmp_path / "data", Shape(seconds=6, audio=False), rung=False)
    async with theatre(tmp_path / "data") as house:
        found = await play(house.address("index.m3u8"), tmp_path / "out")
    assert found.said == ""
    assert len(found.times[0]) == 180


async def test_a_rung_that_dies_leaves_gaps_and_the_rest_plays(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "data", free=lambda _: EMPTY_DISK)
    await shelf.apply(wish())
    studio = Studio(first_number=FIRST)
    ladder = Ladder(studio)
    studio.renditions.on_segment = partial(shelf.take, SLUG)
    for count, _ in enumerate(studio.publish(stream(SHAPE))):
        if count == 600:  # pictures and sounds: about seven and a half seconds
            studio.live.detach(ladder)
            studio.renditions.close_rung("180p")
    studio.renditions.finish()
    await shelf.apply(wish(open=False))
    await shelf.stop()
    async with theatre(tmp_path / "data") as house:
        rung = read((await house.got("replay/180p/media.m3u8")).text)
        source = read((await house.got("replay/source/media.m3u8")).text)
    gaps = [one.gap for one in rung.segments]
    assert rung.numbers == source.numbers
    assert gaps == sorted(gaps)
    assert 2 <= gaps.count(False) <= 4
    assert not any(one.gap for one in source.segments)


async def test_another_publisher_and_another_worker_are_discontinuities(tmp_path: Path) -> None:
    root = tmp_path / "data"
    shelf = Shelf(root, free=lambda _: EMPTY_DISK)
    await shelf.apply(wish())
    studio = Studio(first_number=FIRST)
    publish(studio, shelf, Shape(seconds=6))
    studio.renditions.ended()
    studio.now += 30
    publish(studio, shelf, Shape(seconds=6, size="640x360"))
    await shelf.stop()  # the worker is replaced
    await broadcast(root, Shape(seconds=6), FIRST + 1000, rung=False)
    async with theatre(root) as house:
        media = [read((await house.got(f"replay/{name}/media.m3u8")).text) for name in NAMES[:2]]
        for segment in media[0].segments:
            init = (await house.got(f"replay/source/{segment.map}")).body
            body = (await house.got(f"replay/source/{segment.uri}")).body
            assert decoded(init + body) == 60
    for one in media:
        assert len(one.segments) == 9
        assert [place for place, segment in enumerate(one.segments) if segment.anew] == [3, 6]
    assert len({segment.map for segment in media[0].segments}) == 3


def decoded(data: bytes) -> int:
    """Pictures in a segment that is looked at alone."""
    with av.open(io.BytesIO(data), "r") as container:
        return len(list(container.decode(video=0)))
