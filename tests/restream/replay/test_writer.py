"""What a kill, a full disk or another clock do to a replay: whole segments stay, byte for byte."""

from __future__ import annotations

import asyncio
import resource
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restream.hls.finished import FinishedSegment
from restream.replay.about import About
from restream.replay.index import Index
from restream.replay.journal import Line
from restream.replay.replay import about_of
from restream.replay.shelf import Shelf
from restream.replay.writer import JOURNAL, Writer, index_of, media_file
from tests.restream.record.test_repair import until
from tests.restream.replay.stage import EMPTY_DISK, FIRST, again, kept, show, synthetic, wish

ABOUT = about_of(wish())


class Hand:
    """A writer without a thread; its clock and its disk are told what to say."""

    def __init__(self, folder: Path, least_free_gb: float = 2.0, about: About | None = ABOUT) -> None:
        self.now = 0.0
        self.free = EMPTY_DISK
        self.index: Index | None = None
        self.writer = Writer(
            folder,
            least_free_gb,
            began=self._began,
            told=self._told,
            clock=lambda: self.now,
            free=lambda _: self.free,
        )
        if about:
            self.writer.note(about)
        self.writer.prepare()

    def _began(self, index: Index) -> None:
        assert self.index is None, "told twice"
        self.index = index

    def _told(self, line: Line) -> None:
        assert self.index is not None
        self.index.add(line)

    def write(self, segments: Sequence[FinishedSegment]) -> None:
        """A second passes with each."""
        for segment in segments:
            self.now += 1
            self.writer.write(segment)


def held(folder: Path, index: Index, rendition: str) -> dict[int, bytes]:
    """By number: initialisation and media as a player puts them together."""
    found, media = index.renditions[rendition], media_file(folder, rendition).read_bytes()
    kept = {}
    for place, number in enumerate(index.numbers):
        piece = found.piece(place)
        if piece:
            opening = found.opening_for(place, number)
            init = media[opening.at : opening.at + opening.size]
            kept[number] = init + media[piece.at : piece.at + piece.size]
    return kept


def made(segments: Sequence[FinishedSegment], rendition: str) -> dict[int, bytes]:
    """The same as they were finished."""
    return {one.number: one.init + b"".join(one.data) for one in segments if one.rendition == rendition}


def test_every_segment_is_kept_as_it_was(tmp_path: Path) -> None:
    segments = show(8)
    hand = Hand(tmp_path)
    hand.write(segments)
    hand.writer.close()
    on_disk, _ = index_of(tmp_path)
    assert hand.index is not None
    for index in (hand.index, on_disk):
        assert list(index.numbers) == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]
        for name in ("source", "audio", "180p"):
            assert held(tmp_path, index, name) == made(segments, name)
    assert (tmp_path / "about.json").stat().st_mode & 0o777 == 0o600


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A replay of twelve segments in three renditions, whose initialisation changes once."""
    folder = tmp_path_factory.mktemp("original")
    hand = Hand(folder)
    hand.write(varied())
    hand.writer.close()
    return folder


def varied() -> list[FinishedSegment]:
    before = show(4)
    after = again(before, 2, 4.0)
    return before + [replace(one, init=one.init + b"\0\0\0\x08free") for one in after]


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_kill_at_any_byte_leaves_whole_segments_and_the_show_goes_on(
    original: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("torn") / "replay"
    shutil.copytree(original, folder)
    for path in sorted(folder.glob("*.[mj]*")):
        if path.suffix in (".m4s", ".jsonl"):
            size = path.stat().st_size
            keep = data.draw(st.sampled_from([size, data.draw(st.integers(0, size), path.name)]))
            path.write_bytes(path.read_bytes()[:keep] + data.draw(st.sampled_from([b"", b"\0" * 50])))
    hand = Hand(folder)
    assert hand.index is not None
    for name in hand.index.renditions:
        whole = made(varied(), name)
        assert held(folder, hand.index, name).items() <= whole.items()
    before = {name: held(folder, hand.index, name) for name in hand.index.renditions}
    more = again(show(4), 1000, 2000.0)
    hand.write(more)
    hand.writer.close()
    index, whole_journal = index_of(folder)
    assert whole_journal.size == (folder / JOURNAL).stat().st_size
    for name in ("source", "audio", "180p"):
        assert held(folder, index, name) == before.get(name, {}) | made(more, name)
        assert media_file(folder, name).stat().st_size == whole_journal.ends[name]
    place = index.place(FIRST + 1000)
    assert place is not None
    assert place == 0 or index.anew[place]
    shutil.rmtree(folder)


async def test_kill_9_costs_nothing_that_was_told(tmp_path: Path) -> None:
    folder = tmp_path / "show" / "replay"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.restream.replay.endless", str(tmp_path)
    )
    try:

        def lines() -> int:
            return (folder / JOURNAL).read_bytes().count(b"\n") if (folder / JOURNAL).exists() else 0

        await until(lambda: lines() >= 40)
        process.send_signal(signal.SIGKILL)
        async with asyncio.timeout(60):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    told = lines()
    hand = Hand(folder)
    assert hand.index is not None
    _, whole = index_of(folder)
    assert len(whole.lines) == told
    segments = [one for turn in range(1 + told // 2) for one in again(show(4), 2 * turn, 4.0 * turn)]
    for name in ("source", "audio", "180p"):
        assert held(folder, hand.index, name).items() <= made(segments, name).items()


def test_a_clock_that_was_set_back_gives_no_name_twice(tmp_path: Path) -> None:
    segments = list(synthetic(3))
    for _ in range(2):
        hand = Hand(tmp_path)
        hand.write(segments)
        hand.writer.close()
    index, _ = index_of(tmp_path)
    assert list(index.numbers) == [FIRST + place for place in range(6)]
    assert list(index.anew) == [0, 0, 0, 1, 0, 0]
    assert list(index.walls) == sorted(index.walls)


def test_two_writers_never_write_to_one_replay(tmp_path: Path) -> None:
    first = Hand(tmp_path)
    first.write(list(synthetic(2)))
    second = Hand(tmp_path)
    second.write(list(synthetic(4))[4:])
    assert second.index is None
    assert "It is tried again" in (second.writer.room.reason or "")
    first.writer.close()
    second.now += 10
    second.write(list(synthetic(4))[4:])
    assert second.writer.room.reason is None
    index, _ = index_of(tmp_path)
    assert len(index) == 4


def test_without_room_there_are_gaps_until_there_is(tmp_path: Path) -> None:
    hand = Hand(tmp_path, least_free_gb=2.0)
    segments = list(synthetic(12, names=("source",)))
    hand.write(segments[:3])
    hand.free = 1_900_000_000
    hand.write(segments[3:6])
    assert (hand.writer.room.reason or "").startswith("Only 1.9 GB are free")
    hand.free = 2_100_000_000  # more than the least, but it would stop again at once
    hand.write(segments[6:8])
    hand.free = EMPTY_DISK
    hand.write(segments[8:])
    assert hand.writer.room.reason is None
    assert hand.index is not None
    source = hand.index.renditions["source"]
    there = [place for place in range(12) if source.piece(place)]
    assert there == [0, 1, 2, 8, 9, 10, 11]
    assert hand.index.lasts == 24


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The kernel lets no file of this process grow beyond a size; a write is cut short or fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_half_a_segment_leaves_none_of_it(tmp_path: Path) -> None:
    hand = Hand(tmp_path)
    segments = show(8)
    size = sum(len(one.init) + len(one.data[0]) for one in segments if one.rendition == "source")
    with largest_file(size // 2):
        hand.write(segments[:9])
        assert "The disk did not take the replay" in (hand.writer.room.reason or "")
    hand.now += 10
    hand.write(segments[9:])
    hand.writer.close()
    assert hand.writer.room.reason is None
    index, whole = index_of(tmp_path)
    assert whole.size == (tmp_path / JOURNAL).stat().st_size
    assert hand.index is not None
    for name in ("source", "audio", "180p"):
        kept = held(tmp_path, index, name)
        assert kept.items() <= made(segments, name).items()
        assert FIRST + 3 in kept
        assert kept == held(tmp_path, hand.index, name)
    assert FIRST + 2 not in held(tmp_path, index, "source")


def test_nothing_lies_there_before_it_is_known_who_may_see_it(tmp_path: Path) -> None:
    hand = Hand(tmp_path, about=None)
    hand.write(show(4))
    assert not list(tmp_path.glob("*.m4s"))


@pytest.mark.parametrize(
    "strange", [{"seconds": float("nan")}, {"seconds": 1e6}, {"init": b""}, {"rendition": "../up"}]
)
def test_a_segment_that_makes_no_sense_harms_no_other(tmp_path: Path, strange: dict[str, Any]) -> None:
    folder = tmp_path / "replay"
    hand = Hand(folder)
    first, *others = synthetic(4, ("source",))
    hand.write([replace(first, **strange), *others])
    hand.writer.close()
    assert hand.writer.room.reason is None
    index, whole = index_of(folder)
    assert whole.size == (folder / JOURNAL).stat().st_size
    assert held(folder, index, "source") == made(others, "source")
    assert not list(tmp_path.glob("*.m4s"))


async def test_a_folder_that_cannot_be_made_is_a_reason_and_not_an_end(tmp_path: Path) -> None:
    root = tmp_path / "a-file"
    root.write_text("in the way")
    shelf = Shelf(root)
    await shelf.apply(wish())
    for segment in synthetic(3):
        shelf.take("show", segment)
    await until(lambda: shelf.trouble("show") is not None)
    assert "The disk did not take the replay" in (shelf.trouble("show") or "")
    assert await shelf.find("show") is None
    await shelf.stop()


async def test_the_replay_is_kept_while_the_loop_does_other_things(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, free=lambda _: EMPTY_DISK)
    await kept(shelf, show(8))
    screening = await shelf.find("show")
    assert screening is not None
    folder = tmp_path / "show" / "replay"
    assert held(folder, screening.index, "source") == made(show(8), "source")
    assert shelf.size("show") == sum(len(one.data[0]) for one in show(8))
    await shelf.stop()
