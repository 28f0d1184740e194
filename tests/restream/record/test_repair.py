"""A recording that was cut off anywhere plays to its last whole fragment, and goes on in a new file."""

from __future__ import annotations

import asyncio
import io
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restream.api import RecordingSpec
from restream.record import shelf
from restream.record.reading import whole
from restream.record.recorder import Recorder
from tests.restream.hls.feed import Shape, stream
from tests.restream.record.reel import Reel, decode, later, recorded

WAIT_SECONDS = 60.0


async def until(true: Callable[[], bool]) -> None:
    """Wait for another process or thread."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not true():
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole recording of six fragments."""
    (path,) = recorded(tmp_path_factory.mktemp("original"), stream(Shape(gop=30)))
    return path


@given(share=st.floats(0, 1), index=st.sampled_from(["whole", "torn", "gone", "junk"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_breaks_off_anywhere_keeps_every_whole_fragment(
    original: Path, tmp_path_factory: pytest.TempPathFactory, share: float, index: str
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    path = folder / original.name
    data = original.read_bytes()[: round(share * original.stat().st_size)]
    path.write_bytes(data)
    lines = shelf.index_of(original).read_bytes()
    kept = {"whole": lines, "torn": lines[: len(lines) - 40], "junk": b"\0" * 100}.get(index)
    if kept is not None:
        shelf.index_of(path).write_bytes(kept)
    with original.open("rb") as file:
        _, entries = whole(file, len(data))
    shelf.repair(folder)
    found = list(shelf.recordings(folder))
    if not entries:
        assert not list(folder.iterdir())
        return
    assert [(e.at, e.size) for e in found[0].entries] == [(e.at, e.size) for e in entries]
    assert path.stat().st_size == found[0].size
    if index != "junk":
        assert len(decode(path).pictures) == 30 * len(entries)
    shutil.rmtree(folder)


@given(st.binary(max_size=400), st.integers(0, 1 << 20), st.binary(min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_damage_of_any_kind_is_survived(original: Path, junk: bytes, place: int, damage: bytes) -> None:
    assert whole(io.BytesIO(junk), len(junk))[1] == []
    data = bytearray(original.read_bytes())
    at = place % len(data)
    data[at : at + len(damage)] = damage
    _, entries = whole(io.BytesIO(data), len(data))
    ends = [0, *(entry.at + entry.size for entry in entries)]
    assert all(entry.at >= end for entry, end in zip(entries, ends, strict=False))
    assert ends[-1] <= len(data)


async def test_kill_9_leaves_a_file_that_plays_to_the_last_fragment(tmp_path: Path) -> None:
    folder = tmp_path / "show"
    argv = [sys.executable, "-m", "tests.restream.record.endless", str(tmp_path)]
    process = await asyncio.create_subprocess_exec(*argv)
    try:

        def written() -> int:
            return sum(len(one.entries) for one in shelf.recordings(folder))

        await until(lambda: written() >= 12)
        process.send_signal(signal.SIGKILL)
        async with asyncio.timeout(WAIT_SECONDS):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    (path,) = folder.glob("*.mp4")
    with path.open("ab") as file:
        file.write(b"\0\0\4\0moof half a fragment")  # as a kill in the middle of a write leaves it
    before = written()
    recorder = Recorder(tmp_path, "show", RecordingSpec())
    recorder.start()
    await recorder.stop()
    (found,) = shelf.recordings(folder)
    assert found.size == path.stat().st_size
    assert before <= len(found.entries) <= before + 1
    decoded = decode(path)
    assert decoded.corrupt == 0
    assert len(decoded.pictures) == 30 * len(found.entries)
    assert max(decoded.holes) < 0.05
    assert recorder.status().seconds == pytest.approx(len(found.entries), abs=0.5)


def test_a_restart_goes_on_in_a_new_file_and_counts_on(tmp_path: Path) -> None:
    first = Reel(tmp_path)
    first.play(stream(Shape(seconds=4)))
    first.close()
    second = Reel(tmp_path)
    assert second.writer.seconds == pytest.approx(4, abs=0.1)
    second.play(later(Shape(seconds=4), 10))
    second.close()
    assert len(list(tmp_path.glob("*.mp4"))) == 2
    assert second.writer.seconds == pytest.approx(8, abs=0.2)
    assert second.writer.bytes == sum(path.stat().st_size for path in tmp_path.glob("*.mp4"))


def test_two_files_that_begin_in_the_same_millisecond_are_two(tmp_path: Path) -> None:
    for _ in range(2):
        recorded(tmp_path, stream(Shape(seconds=2)))
    assert len(list(shelf.recordings(tmp_path))) == 2
