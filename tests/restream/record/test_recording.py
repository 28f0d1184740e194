"""What was sent is in the file, decodes, and is where the index says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.media import Frame, Kind
from restream.record import shelf
from restream.record.batch import LONGEST_MS, Batch, Cutter
from restream.record.reading import whole
from tests.restream.health.stage import made as encoded
from tests.restream.hls.feed import Shape, looped, pictures, sounds, stream
from tests.restream.record.reel import EMPTY_DISK, STARTED, Reel, decode, later, recorded

SHAPES = [
    pytest.param(Shape(), id="30fps"),
    pytest.param(Shape(bframes=2, gop=120), id="bframes-gop4"),
    pytest.param(Shape(fps="25", gop=50, rate=44_100), id="25fps-44100"),
    pytest.param(Shape(fps="30000/1001", gop=15, bframes=3), id="ntsc-bframes"),
    pytest.param(Shape(fps="60", gop=120), id="60fps"),
    pytest.param(Shape(audio=False), id="silent"),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_picture_and_sound_is_recorded_at_its_time(shape: Shape, tmp_path: Path) -> None:
    (path,) = recorded(tmp_path, stream(shape))
    sent, found = pictures(stream(shape)), decode(path)
    assert len(found.pictures) == len(sent)
    assert found.corrupt == 0
    shown = sorted(frame.dts + frame.cts for frame in sent)
    begins = sent[0].dts
    assert found.pictures == pytest.approx([(time - begins) / 1000 for time in shown], abs=0.0015)
    if not shape.audio:
        assert found.rate is None
        return
    assert found.rate == shape.rate
    assert len(found.sounds) >= len(sounds(stream(shape))) - 8
    # Sound as far behind the picture as it was sent, to a frame of sound.
    heard = [frame.dts - begins for frame in sounds(stream(shape)) if frame.dts >= begins]
    assert found.sounds[0] == pytest.approx(heard[0] / 1000, abs=0.045)
    assert found.sounds[-1] == pytest.approx(heard[-1] / 1000, abs=0.045)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("-c:v", "libx265", "-x265-params", "log-level=none:bframes=0"), id="hevc"),
        pytest.param(("-c:v", "libsvtav1", "-preset", "12"), id="av1"),
        pytest.param(("-c:a", "libopus"), id="opus"),
    ],
)
def test_newer_codecs_are_recorded_as_they_come(options: tuple[str, ...], tmp_path: Path) -> None:
    frames = encoded(*options, seconds=4)
    (path,) = recorded(tmp_path, frames)
    found = decode(path)
    assert found.corrupt == 0
    assert len(found.pictures) == len(pictures(frames))
    assert max(found.holes) < 0.05
    assert found.sounds[-1] == pytest.approx(4, abs=0.1)


def test_the_index_names_every_fragment_with_its_time(tmp_path: Path) -> None:
    (path,) = recorded(tmp_path, stream(Shape(gop=90)))
    about, *lines = [json.loads(text) for text in shelf.index_of(path).read_text().splitlines()]
    assert (about["width"], about["height"]) == (320, 180)
    assert lines[0]["at"] == about["initialisation"]
    assert [entry["key"] for entry in lines] == [True, False, False] * 2
    assert [entry["media"] for entry in lines] == pytest.approx([0, 1000, 2000, 3000, 4000, 5000], abs=35)
    assert [entry["wall"] - STARTED for entry in lines] == pytest.approx([0, 1, 2, 3, 4, 5], abs=0.05)
    with path.open("rb") as file:
        _, found = whole(file, path.stat().st_size)
    (one,) = shelf.recordings(tmp_path)
    assert [(e.at, e.size, e.key) for e in found] == [(e.at, e.size, e.key) for e in one.entries]
    for scanned, indexed in zip(found, one.entries, strict=True):
        assert scanned.wall == pytest.approx(indexed.wall, abs=1e-6)
        assert scanned.media == pytest.approx(indexed.media, abs=0.01)
        assert scanned.lasts == pytest.approx(indexed.lasts, abs=0.01)


FRAMES = st.lists(
    st.tuples(
        st.sampled_from(["key", "picture", "sound", "video-header", "audio-header"]), st.integers(0, 700)
    ),
    max_size=80,
)


@given(FRAMES)
def test_a_batch_begins_at_a_keyframe_or_after_a_second_and_nothing_in_between_is_lost(
    steps: list[tuple[str, int]],
) -> None:
    batches: list[Batch] = []
    cutter = Cutter(batches.append)
    expected: list[Frame] = []
    dts, begun, headers = 0, False, 0
    with_video, usable = False, True
    for what, delta in steps:
        dts += delta
        frame = made(what, dts, headers)
        headers += frame.header
        if frame.header and frame.kind == Kind.VIDEO:
            with_video = True
        elif frame.header:
            usable = False  # another sound: taken from the next keyframe on
        elif what == "key":
            begun, usable = with_video, True
        if not frame.header and begun and (frame.kind == Kind.VIDEO or usable):
            expected.append(frame)
        cutter.push(frame)
    cutter.ended()
    assert [frame for batch in batches for frame in batch.frames] == expected
    for batch in batches:
        inside = [frame for frame in batch.frames[1:] if frame.kind == Kind.VIDEO]
        assert not any(frame.keyframe for frame in inside)
        assert all(frame.dts - batch.frames[0].dts < LONGEST_MS for frame in inside)


def made(what: str, dts: int, number: int) -> Frame:
    if what.endswith("header"):
        kind = Kind.VIDEO if what.startswith("video") else Kind.AUDIO
        return Frame(kind, dts, b"", str(number).encode(), header=True)
    kind = Kind.AUDIO if what == "sound" else Kind.VIDEO
    return Frame(kind, dts, b"", b"x", keyframe=what != "picture")


def test_a_feed_that_begins_with_sound_is_recorded_from_its_first_picture(tmp_path: Path) -> None:
    frames = [f for f in stream(Shape()) if f.kind == Kind.AUDIO or f.header or f.dts >= 2000]
    (path,) = recorded(tmp_path, frames)
    found = decode(path)
    assert found.pictures[0] == 0
    assert found.sounds[0] < 0.05
    assert found.pictures[-1] == pytest.approx(4, abs=0.05)


def test_another_size_begins_another_file_and_the_same_again_does_not(tmp_path: Path) -> None:
    small, large = Shape(seconds=2), Shape(seconds=2, size="640x360")
    reel = Reel(tmp_path)
    for shape, at in ((small, 0), (small, 2), (large, 4), (small, 6)):
        reel.play(later(shape, at))
        reel.cutter.ended()
    reel.close()
    widths = [decode(path).width for path in sorted(tmp_path.glob("*.mp4"))]
    assert widths == [320, 640, 320]
    (first, *_) = shelf.recordings(tmp_path)
    assert first.seconds == pytest.approx(4, abs=0.1)
    assert reel.writer.seconds == pytest.approx(8, abs=0.2)


def test_sound_that_comes_later_begins_another_file_at_the_next_keyframe(tmp_path: Path) -> None:
    frames = [f for f in looped(Shape(), 1) if f.kind == Kind.VIDEO]
    audio = [f for f in stream(Shape()) if f.kind == Kind.AUDIO]
    late = [replace(f, dts=max(f.dts, 1000)) for f in audio if f.header or f.dts >= 1000]
    both = sorted([*frames, *late], key=lambda frame: (frame.dts, not frame.header))
    first, second = (decode(path) for path in recorded(tmp_path, both))
    assert first.rate is None
    assert second.rate == 48_000
    assert len(first.pictures) + len(second.pictures) == len(pictures(tuple(frames)))


def test_a_picture_that_stops_while_sound_goes_on_leaves_a_hole_and_no_more(tmp_path: Path) -> None:
    frames = [f for f in looped(Shape(), 4) if f.kind == Kind.AUDIO or f.header or not 5900 < f.dts < 18_000]
    (path,) = recorded(tmp_path, frames)
    found = decode(path)
    assert max(found.holes) == pytest.approx(12.1, abs=0.3)
    assert found.sounds[-1] == pytest.approx(24, abs=0.2)
    assert len(found.sounds) == pytest.approx(24 * 48_000 / 1024, abs=12)


def test_recording_stops_when_the_disk_is_nearly_full_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    reel = Reel(tmp_path, least_free_gb=2)
    reel.play(later(Shape(), 0))
    reel.free = 1_900_000_000
    reel.play(later(Shape(), 6))
    reel.free = 2_100_000_000  # enough, but not enough not to stop again at once
    reel.play(later(Shape(), 12))
    assert reel.writer.state == "stopped"
    reel.free = EMPTY_DISK
    reel.play(later(Shape(), 18))
    reel.close()
    assert [state for state, _ in reel.news] == ["recording", "stopped", "recording", "waiting"]
    assert "1.9 GB are free on the disk; 2 GB are to be left" in (reel.news[1][1] or "")
    one, two = sorted(tmp_path.glob("*.mp4"))
    assert decode(one).pictures[-1] == pytest.approx(6, abs=1.1)
    assert decode(two).pictures[-1] == pytest.approx(6, abs=1.1)


def test_when_nothing_comes_it_waits_and_goes_on_in_the_same_file(tmp_path: Path) -> None:
    reel = Reel(tmp_path)
    reel.play(later(Shape(seconds=2), 0))
    reel.cutter.ended()
    reel.writer.idle()
    reel.writer.idle()
    reel.play(later(Shape(seconds=2), 2))
    reel.close()
    assert [state for state, _ in reel.news] == ["recording", "waiting", "recording", "waiting"]
    (path,) = tmp_path.glob("*.mp4")
    assert len(decode(path).pictures) == 120


def test_a_disk_that_refuses_is_tried_again_and_nothing_torn_stays(tmp_path: Path) -> None:
    folder = tmp_path / "show"
    reel = Reel(folder)
    reel.play(later(Shape(), 0))
    assert reel.writer._file
    reel.writer._file._media.close()  # whatever is written now is an error
    reel.writer._file._media = Refusing()  # type: ignore[assignment]
    reel.play(later(Shape(), 6))
    reel.play(later(Shape(), 12))
    reel.close()
    assert [state for state, _ in reel.news] == ["recording", "stopped", "recording", "waiting"]
    assert "No space left on device" in (reel.news[1][1] or "")
    shelf.repair(folder)
    assert all(decode(path).corrupt == 0 for path in folder.glob("*.mp4"))


class Refusing:
    """A file on a full disk."""

    def write(self, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    def truncate(self, size: int) -> None:
        pass

    def fileno(self) -> int:
        raise OSError(9, "Bad file descriptor")

    def close(self) -> None:
        pass


def test_a_feed_that_fits_into_no_file_says_so(tmp_path: Path) -> None:
    reel = Reel(tmp_path)
    frames = stream(Shape(seconds=2))
    broken = [replace(f, body=b"\1broken") if f.header and f.kind == Kind.VIDEO else f for f in frames]
    reel.play(broken)
    reel.close()
    assert reel.news[0][0] == "stopped"
    assert "can't be recorded" in (reel.news[0][1] or "")
    assert not list(tmp_path.glob("*.mp4"))
