"""Clips, pictures and the end of recordings, as the studio asks for them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from restream.api import Clip
from restream.media import Frame, Kind
from restream.record import shelf
from restream.record.clips import NotCut, select
from restream.record.library import Library
from restream.record.pictures import LatestPicture, NoPicture
from restream.record.reading import Entry
from restream.record.shelf import Description, Recorded
from tests.restream.encoder import ended, ffmpeg
from tests.restream.health.stage import made as encoded
from tests.restream.hls.feed import Shape, stream
from tests.restream.record.reel import EMPTY_DISK, STARTED, Reel, decode, later, recorded

TWENTY = Shape(seconds=20, bframes=2)


def at(second: float) -> datetime:
    return datetime.fromtimestamp(STARTED + second, UTC)


def library(root: Path) -> Library:
    return Library(root, free=lambda _: EMPTY_DISK)


async def clipped(root: Path, begins: float, ends: float) -> tuple[Clip, Path]:
    shelves = library(root)
    clip = await shelves.clip("show", at(begins), at(ends))
    return clip, shelves.clip_path("show", clip.name)


@pytest.mark.parametrize(("begins", "ends"), [(0, 20), (5.5, 9.25), (4.1, 4.2), (17, 60), (-10, 3)])
async def test_a_clip_begins_at_a_keyframe_and_holds_what_was_asked_for(
    begins: float, ends: float, tmp_path: Path
) -> None:
    recorded(tmp_path / "show", stream(TWENTY))
    clip, path = await clipped(tmp_path, begins, ends)
    real = clip.begins_at.timestamp() - STARTED
    assert real == pytest.approx(max(0, begins // 2 * 2), abs=0.15)
    assert real <= max(0.15, begins)
    assert min(20, ends) - 0.15 <= clip.ends_at.timestamp() - STARTED <= min(20, ends) + 1.2
    found = decode(path)
    assert found.corrupt == 0
    assert found.pictures[0] < 0.1
    assert found.sounds[0] < 0.1
    assert len(found.pictures) == pytest.approx(30 * clip.seconds, abs=4)
    assert await complaints(path) == ""
    assert found.pictures[-1] == pytest.approx(clip.seconds, abs=0.1)
    assert found.claims == pytest.approx(clip.seconds, abs=0.15)
    # The end may fall between a picture and the B-frames that are shown before it.
    assert max(found.holes[:-1]) < 0.05
    assert found.holes[-1] < 0.15
    assert clip.bytes == path.stat().st_size


async def complaints(path: Path) -> str:
    """What ffmpeg says while it decodes a file."""
    async with ffmpeg("-v", "warning", "-xerror", "-i", str(path), "-f", "null", "-") as process:
        code, said = await ended(process)
    assert code == 0
    return said


HEVC = ("-c:v", "libx265", "-x265-params", "log-level=none")
OPUS = ("-c:a", "libopus")


@pytest.mark.parametrize("options", [pytest.param(HEVC, id="hevc"), pytest.param(OPUS, id="opus")])
async def test_a_clip_of_newer_codecs_plays(options: tuple[str, ...], tmp_path: Path) -> None:
    recorded(tmp_path / "show", encoded(*options, seconds=8))
    clip, path = await clipped(tmp_path, 2.5, 6)
    found = decode(path)
    assert found.corrupt == 0
    assert len(found.pictures) == pytest.approx(30 * clip.seconds, abs=4)
    assert await complaints(path) == ""


async def test_a_clip_is_a_plain_file_with_its_index_in_front(tmp_path: Path) -> None:
    recorded(tmp_path / "show", stream(Shape(seconds=4)))
    _, path = await clipped(tmp_path, 1, 3)
    data = path.read_bytes()
    places = [data.index(kind) for kind in (b"ftyp", b"moov", b"mdat")]
    assert places == sorted(places)
    assert not any(kind in data[: places[-1]] for kind in (b"moof", b"mvex", b"edts", b"prft"))


async def test_sound_that_begins_late_in_a_clip_stays_late(tmp_path: Path) -> None:
    frames = [f for f in stream(Shape(seconds=6)) if f.kind == Kind.VIDEO or f.header or f.dts > 1500]
    recorded(tmp_path / "show", frames)
    _, path = await clipped(tmp_path, 0, 6)
    found = decode(path)
    assert found.pictures[0] < 0.1
    assert found.sounds[0] == pytest.approx(1.5, abs=0.05)


async def test_picture_and_sound_of_a_clip_are_as_far_apart_as_in_the_show(tmp_path: Path) -> None:
    (whole,) = recorded(tmp_path / "show", stream(TWENTY))
    _, path = await clipped(tmp_path, 10, 14)
    show, clip = decode(whole), decode(path)
    first = next(time for time in show.pictures if time >= 10)
    offset = first - clip.pictures[0]
    sounds = [time - offset for time in show.sounds]
    assert min(abs(time - clip.sounds[3]) for time in sounds) < 0.0215


async def test_a_clip_is_cut_while_the_show_is_still_recorded(tmp_path: Path) -> None:
    reel = Reel(tmp_path / "show")
    reel.play(stream(TWENTY))
    _, path = await clipped(tmp_path, 2, 6)
    assert len(decode(path).pictures) == pytest.approx(120, abs=35)
    reel.close()


async def test_a_clip_goes_on_across_a_restart_without_a_hole(tmp_path: Path) -> None:
    shape = Shape(seconds=6)
    for begins in (0, 10):
        reel = Reel(tmp_path / "show")
        reel.play(later(shape, begins))
        reel.close()
    clip, path = await clipped(tmp_path, 2.1, 14)
    found = decode(path)
    assert found.corrupt == 0
    assert clip.seconds == pytest.approx(8, abs=0.1)
    assert len(found.pictures) == pytest.approx(240, abs=2)
    assert max(found.holes) < 0.1
    assert sorted(found.pictures) == found.pictures
    gap, inside = await clipped(tmp_path, 7, 12)  # nothing was recorded at 7
    assert gap.begins_at == at(10.021)
    assert decode(inside).pictures[-1] == pytest.approx(2, abs=0.1)


async def test_a_clip_across_a_change_of_size_is_refused_with_its_time(tmp_path: Path) -> None:
    reel = Reel(tmp_path / "show")
    reel.play(later(Shape(seconds=4), 0))
    reel.play(later(Shape(seconds=4, size="640x360"), 4))
    reel.close()
    with pytest.raises(NotCut, match="changed at 22:13:24 UTC"):
        await clipped(tmp_path, 1, 7)
    small, _ = await clipped(tmp_path, 1, 3.5)
    assert small.seconds == pytest.approx(4, abs=0.5)
    infos = await library(tmp_path).recordings("show")
    assert [(info.width, info.height) for info in infos] == [(320, 180), (640, 360)]
    assert infos[0].begins_at == at(0.021)
    assert infos[1].seconds == pytest.approx(4, abs=0.1)


async def test_what_was_not_recorded_is_not_cut(tmp_path: Path) -> None:
    with pytest.raises(NotCut, match="Nothing was recorded"):
        await clipped(tmp_path, 0, 5)
    recorded(tmp_path / "show", stream(Shape()))
    for begins, ends in ((-20, -10), (30, 40)):
        with pytest.raises(NotCut, match="Nothing was recorded"):
            await clipped(tmp_path, begins, ends)
    with pytest.raises(NotCut, match="has to end after it begins"):
        await clipped(tmp_path, 3, 3)


async def test_a_damaged_part_is_not_cut_and_the_rest_is(tmp_path: Path) -> None:
    (path,) = recorded(tmp_path / "show", stream(Shape(seconds=8)))
    (one,) = shelf.recordings(tmp_path / "show")
    damaged = next(entry for entry in one.entries if entry.media >= 4000)
    with path.open("r+b") as file:
        file.seek(damaged.at + 36)
        file.write(b"junk")
    with pytest.raises(NotCut, match="damaged"):
        await clipped(tmp_path, 1, 7)
    clip, good = await clipped(tmp_path, 1, 3.5)
    assert decode(good).corrupt == 0
    assert clip.seconds == pytest.approx(4, abs=0.2)


async def test_a_full_disk_takes_no_clip_and_nothing_is_left_lying(tmp_path: Path) -> None:
    recorded(tmp_path / "show", stream(Shape()))
    full = Library(tmp_path, free=lambda _: 2_000_100_000)
    with pytest.raises(NotCut, match="not enough room"):
        await full.clip("show", at(0), at(6))
    assert not list((tmp_path / "show").glob("clips/*"))


ENTRIES = st.lists(st.tuples(st.booleans(), st.floats(0.1, 3), st.sampled_from([0.0, 0.0, 5.0])), min_size=1)


@given(ENTRIES, st.floats(-5, 60), st.floats(0.1, 30))
def test_a_selection_is_one_run_that_begins_at_a_key(
    steps: list[tuple[bool, float, float]], begins: float, lasts: float
) -> None:
    entries: list[Entry] = []
    wall = 0.0
    for key, length, gap in steps:
        wall += gap
        entries.append(Entry(len(entries), 1, 0, length * 1000, wall, key))
        wall += length
    one = Recorded(Path("/dev/null"), Description(initialisation=0), entries)
    try:
        (chosen,) = select([one], begins, begins + lasts)
    except NotCut:
        assert not any(e.key and begins <= e.wall < begins + lasts for e in entries)
        return
    first = chosen.entries[0]
    assert first.key
    place = entries.index(first)
    assert chosen.entries == entries[place : place + len(chosen.entries)]
    assert chosen.entries[-1].wall < begins + lasts
    assert not any(e.key and first.wall < e.wall <= begins for e in entries)


async def test_a_picture_of_any_moment_is_the_nearest_keyframe(tmp_path: Path) -> None:
    (path,) = recorded(tmp_path / "show", stream(Shape(seconds=8, size="1280x720")))
    shelves = library(tmp_path)
    picture = Image.open(io.BytesIO(await shelves.thumbnail("show", at(4.4))))
    assert picture.format == "JPEG"
    assert picture.size == (640, 360)
    keyframe = next(frame for frame in frames_of(path) if frame.time and frame.time >= 3.99)
    expected = keyframe.reformat(width=640, height=360, format="rgb24").to_image()  # type: ignore[no-untyped-call]
    assert difference(picture, expected) < 6
    other = Image.open(io.BytesIO(await shelves.thumbnail("show", at(100))))
    assert difference(other, expected) > difference(picture, expected)
    with pytest.raises(NoPicture):
        await shelves.thumbnail("another", at(0))


def frames_of(path: Path) -> Iterator[av.VideoFrame]:
    with av.open(str(path)) as container:
        yield from container.decode(video=0)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean distance of the pixels' values, 0 to 255."""
    apart = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean
    return sum(apart) / len(apart)


async def test_the_latest_picture_is_made_when_asked_for_and_seldom() -> None:
    now = 0.0
    latest = LatestPicture(clock=lambda: now)
    assert await latest.get() is None
    frames = [replace(frame, arrived=STARTED) for frame in stream(Shape(seconds=4))]
    half = len(frames) // 2
    push(latest, frames[:half])
    first = await latest.get()
    assert first
    assert Image.open(io.BytesIO(first)).size == (320, 180)
    push(latest, frames[half:])
    now = 9.9
    assert await latest.get() is first
    now = 10.0
    second = await latest.get()
    assert second
    assert second != first
    latest.ended()
    now = 30.0
    assert await latest.get() == second


def push(latest: LatestPicture, frames: list[Frame]) -> None:
    for frame in frames:
        latest.push(frame)


async def test_recordings_are_kept_so_long_after_the_end_and_no_longer(tmp_path: Path) -> None:
    shelves = library(tmp_path)
    hour = 3600
    for slug, keep_hours, over in (("over", 1, 0), ("kept", 48, 0), ("running", 1, None), ("open", 1, 0)):
        recorded(tmp_path / slug, stream(Shape(seconds=2)))
        shelf.keep(tmp_path / slug, keep_hours, None if over is None else STARTED)
        for path in (tmp_path / slug, *(tmp_path / slug).iterdir()):
            os.utime(path, (STARTED, STARTED))
    assert await shelves.sweep(at(hour - 1), {"open"}) == []
    # "running" was never told that it ended: the worker was killed. Its last byte was its end.
    assert await shelves.sweep(at(hour), {"open"}) == ["over", "running"]
    assert {slug for slug in ("over", "kept", "running", "open") if on_shelf(tmp_path, slug)} == {
        "kept",
        "open",
    }
    assert await shelves.sweep(at(48 * hour), {"open"}) == ["kept"]
    assert await Library(tmp_path / "nothing").sweep(at(0), set()) == []


def on_shelf(root: Path, slug: str) -> bool:
    return (root / slug).exists()


@pytest.mark.parametrize("name", ["../show.json", "a/b", "", ".part"])
def test_the_name_of_a_clip_leads_nowhere_else(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="clip"):
        library(tmp_path).clip_path("show", name)


async def test_a_clip_goes_on_across_a_slate_with_parameters_of_its_own(tmp_path: Path) -> None:
    reel = Reel(tmp_path / "show")
    before, slate, after = Shape(seconds=4), Shape(seconds=2, bframes=2), Shape(seconds=4)
    reel.play(later(before, 0))
    reel.play(later(slate, 4))
    reel.play(later(after, 6))
    reel.close()
    assert len(list((tmp_path / "show").glob("*.mp4"))) == 3
    clip, path = await clipped(tmp_path, 0.5, 9.9)
    found = decode(path)
    assert found.corrupt == 0
    assert len(found.pictures) == sum(
        frame.kind == Kind.VIDEO and not frame.header
        for shape in (before, slate, after)
        for frame in stream(shape)
    )
    assert sorted(found.pictures) == found.pictures
    assert max(found.holes) < 0.2
    assert clip.seconds == pytest.approx(10, abs=0.3)
