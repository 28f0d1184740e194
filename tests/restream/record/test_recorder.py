"""The recorder as the show uses it: a thread, a queue, and a disk that may stall."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from restream.api import RecordingSpec, RecordingStatus
from restream.live import at_time
from restream.media import Frame
from restream.record import shelf
from restream.record.recorder import Recorder
from tests.restream.hls.feed import Shape, stream
from tests.restream.record.reel import EMPTY_DISK, STARTED, decode
from tests.restream.record.test_repair import until


class Disk:
    """Its free space is only told when it is not stalled."""

    def __init__(self) -> None:
        self.flowing = threading.Event()
        self.flowing.set()
        self.asked = 0

    def free(self, _: Path) -> int:
        self.asked += 1
        self.flowing.wait(60)
        return EMPTY_DISK


@asynccontextmanager
async def recording(
    root: Path, disk: Disk, news: list[RecordingStatus], most_waiting: int = 1 << 24
) -> AsyncIterator[Recorder]:
    recorder = Recorder(
        root, "show", RecordingSpec(), on_change=news.append, free=disk.free, most_waiting=most_waiting
    )
    recorder.start()
    try:
        yield recorder
    finally:
        disk.flowing.set()
        await recorder.stop(show_over=True)


def play(recorder: Recorder, seconds: float, frames: tuple[Frame, ...] = ()) -> None:
    """Some seconds of show, at once."""
    for frame in frames or stream(Shape(seconds=4, gop=30)):
        moved = at_time(frame, frame.dts + round(seconds * 1000))
        recorder.push(replace(moved, arrived=STARTED + moved.dts / 1000))


async def test_a_show_is_recorded_and_what_happens_is_told(tmp_path: Path) -> None:
    news: list[RecordingStatus] = []
    async with recording(tmp_path, Disk(), news) as recorder:
        assert recorder.status().state == "waiting"
        play(recorder, 0)
        await until(lambda: recorder.status().seconds >= 3)
        status = recorder.status()
        assert (status.state, status.reason) == ("recording", None)
        assert status.bytes > 10_000
    assert recorder.status().state == "off"
    assert news[0].state == "recording"
    (path,) = (tmp_path / "show").glob("*.mp4")
    assert len(decode(path).pictures) == 120
    assert (tmp_path / "show" / "show.json").exists()


async def test_a_stalled_disk_stalls_nobody_and_costs_whole_groups_only(tmp_path: Path) -> None:
    disk, news = Disk(), list[RecordingStatus]()
    most = 1 << 20
    async with recording(tmp_path, disk, news, most_waiting=most) as recorder:
        disk.flowing.clear()
        play(recorder, 0)
        await until(lambda: disk.asked > 0)
        for turn in range(1, 30):
            play(recorder, 4 * turn)  # returns at once, or the test's time is over
        assert recorder._put - recorder._taken <= most
        said = recorder.status().reason or ""
        assert said.startswith("The disk was too slow:")
        disk.flowing.set()
        await until(lambda: recorder._put == recorder._taken)
        play(recorder, 120)
    (path,) = (tmp_path / "show").glob("*.mp4")
    found = decode(path)
    assert found.corrupt == 0
    assert len(found.pictures) % 30 == 0
    assert found.pictures[-1] == pytest.approx(124, abs=0.1)
    assert max(found.holes) > 60


async def test_a_new_wish_is_taken_without_a_break(tmp_path: Path) -> None:
    disk, news = Disk(), list[RecordingStatus]()
    async with recording(tmp_path, disk, news) as recorder:
        play(recorder, 0)
        await until(lambda: recorder.status().seconds >= 3)
        recorder.apply(RecordingSpec(keep_hours=7, least_free_gb=EMPTY_DISK))
        kept = tmp_path / "show" / "show.json"
        await until(lambda: nudged(recorder) and '"keep_hours":7.0' in kept.read_text())
        await until(lambda: nudged(recorder) and recorder.status().state == "stopped")
    assert [one.state for one in news][:2] == ["recording", "stopped"]


def nudged(recorder: Recorder) -> bool:
    """Two more seconds of show."""
    play(recorder, 4, tuple(f for f in stream(Shape(seconds=4, gop=30)) if f.dts < 1500))
    return True


async def test_stopping_twice_or_without_a_start_does_no_harm(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "show", RecordingSpec())
    await recorder.stop()
    recorder.start()
    await recorder.stop()
    await recorder.stop()
    assert recorder.status().state == "off"


@pytest.mark.parametrize("slug", ["", "..", "../up", "a/b", ".hidden", "a\0b"])
def test_a_slug_leads_nowhere_else(slug: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="slug"):
        Recorder(tmp_path, slug, RecordingSpec())
    with pytest.raises(ValueError, match="slug"):
        shelf.folder_of(tmp_path, slug)


async def test_a_folder_that_cannot_be_made_is_a_reason_and_not_an_end(tmp_path: Path) -> None:
    root = tmp_path / "a-file"
    root.write_text("in the way")
    news: list[RecordingStatus] = []
    recorder = Recorder(root, "show", RecordingSpec(), on_change=news.append)
    recorder.start()
    await until(lambda: bool(news))
    assert news[0].state == "stopped"
    assert "The disk did not take the recording" in (news[0].reason or "")
    play(recorder, 0)
    await recorder.stop()
