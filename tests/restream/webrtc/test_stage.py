"""A show's clock, its kept pictures, and the bursts they leave in."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from restream.webrtc.channel import Unit
from restream.webrtc.packets import _cut
from restream.webrtc.stage import JUMP_MS, RUN, Line, Picture, Pictures, Sound
from restream.webrtc.track import PADDED

STEP = 33
OPUS_20_MS = b"\xf8x"


@dataclass(eq=False)
class Watcher:
    """Remembers."""

    pictures: list[Picture] = field(default_factory=list)
    sounds: list[int] = field(default_factory=list)

    def show(self, picture: Picture) -> None:
        self.pictures.append(picture)

    def play(self, payload: bytes, timestamp: int) -> None:
        self.sounds.append(timestamp)


def unit(number: int, *, keyframe: bool = False, late: float = 0.0, size: int = 100, at: int = 0) -> Unit:
    """The picture of that number, on time but for `late` seconds."""
    moment = at or number * STEP
    return Unit(1, moment, 1000 + number * STEP / 1000 + late, keyframe, (bytes(size),))


def test_the_clock_is_that_of_the_picture_that_was_least_late() -> None:
    wall = 1000.0
    line = Line(lambda: wall)
    for number, late in enumerate((0.2, 0.05, 0.1, 0.3)):
        line.arrived(number * STEP, 1000 + number * STEP / 1000 + late)
    assert line.known
    wall = 1000 + 3 * STEP / 1000 + 0.05
    assert abs(line.now() - 3 * STEP) < 2


def test_the_clock_goes_on_while_nobody_publishes() -> None:
    wall = 1000.0
    line = Line(lambda: wall)
    line.arrived(0, 1000.0)
    line.arrived(40, 1060.0)  # the show's own time stood still for a minute
    wall = 1060.0
    assert abs(line.place(40) - 60_000) <= 1
    assert abs(line.now() - line.place(40)) <= 1


def test_a_late_picture_is_only_late() -> None:
    line = Line(lambda: 0.0)
    line.arrived(0, 1000.0)
    line.arrived(STEP, 1000.0 + JUMP_MS / 2000)
    assert line.place(STEP) == STEP


@given(st.lists(st.integers(1, 1186), min_size=1, max_size=120))
def test_a_run_has_one_size_and_a_smaller_end(sizes: list[int]) -> None:
    payloads = tuple(b"x" * size for size in sizes)
    picture = Picture(Unit(1, 0, 0.0, False, payloads), 0)
    runs, sizes = picture.runs, [len(payload) for payload in picture.payloads]
    for head, filled, payload in zip(picture.heads, picture.payloads, payloads, strict=True):
        added = filled[-1] if head & PADDED else 0
        assert filled[: len(filled) - added] == payload
        assert added < 256
    assert [at for begin, end in runs for at in range(begin, end)] == list(range(len(sizes)))
    for begin, end in runs:
        first, *rest = sizes[begin:end]
        assert end - begin <= RUN
        assert all(size == first for size in rest[:-1])
        assert not rest or rest[-1] <= first


def test_a_picture_of_several_slices_leaves_in_one_run() -> None:
    slices = [b"\x41" + bytes(size) for size in (9_000, 7_500)]
    payloads = [payload for one in slices for payload in _cut(one)]
    picture = Picture(Unit(1, 0, 0.0, False, tuple(payloads)), 0)
    assert picture.runs == [(0, len(payloads))]
    assert picture.size < 1.02 * sum(map(len, payloads))


def test_joiners_find_everything_since_the_last_keyframe() -> None:
    pictures = Pictures(Line(lambda: 0.0))
    watcher = Watcher()
    pictures.watchers.add(watcher)
    for number in range(10):
        pictures.take(unit(number, keyframe=number in (3, 7)))
    assert [picture.at for picture in pictures.group] == [7 * STEP, 8 * STEP, 9 * STEP]
    assert len(watcher.pictures) == 10


def test_a_group_that_is_too_large_is_not_kept() -> None:
    pictures = Pictures(Line(lambda: 0.0))
    pictures.take(unit(0, keyframe=True))
    for number in range(1, 6):
        pictures.take(unit(number, size=1 << 20))
    assert pictures.group == []
    pictures.take(unit(7, keyframe=True))
    assert len(pictures.group) == 1


def test_the_rate_is_known_after_some_seconds() -> None:
    pictures = Pictures(Line(lambda: 0.0))
    for number in range(100):
        pictures.take(unit(number, size=1000))
    assert 25_000 < pictures.bytes_per_second < 35_000


def test_sound_is_counted_in_samples_in_spite_of_rounded_timestamps() -> None:
    sound, watcher = Sound(Line(lambda: 0.0)), Watcher()
    sound.watchers.add(watcher)
    for at in (0, 21, 39, 60, 500, 520):
        sound.take(Unit(2, at, 1000.0, True, (OPUS_20_MS,)))
    assert watcher.sounds == [0, 960, 1920, 2880, 24_000, 24_960]
