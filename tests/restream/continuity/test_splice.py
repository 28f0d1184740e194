"""Clocks laid onto one timeline."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from restream.continuity.group import LONGEST_GOP, Group
from restream.continuity.splice import Splice, at_time
from restream.media import Frame, Kind


def picture(dts: int, *, key: bool = False, size: int = 1) -> Frame:
    return Frame(Kind.VIDEO, dts, bytes(size), b"p", keyframe=key)


def sound(dts: int) -> Frame:
    return Frame(Kind.AUDIO, dts, b"s", b"s", keyframe=True)


@settings(max_examples=50, deadline=None)
@given(
    floor=st.integers(0, 1 << 33),
    step=st.integers(1, 450),
    begins=st.integers(0, 1 << 33),
    pictures=st.integers(1, 600),
    lag=st.integers(-300, 300),
)
def test_a_squeezed_group_moves_on_strictly_and_what_follows_keeps_its_distance(
    floor: int, step: int, begins: int, pictures: int, lag: int
) -> None:
    group = [picture(begins + n * 33, key=n == 0) for n in range(pictures)]
    group += [sound(begins + lag + n * 21) for n in range(pictures)]
    splice = Splice(floor, step)
    placed = splice.squeeze(group, 5.0)
    times = [frame.dts for frame in placed]
    assert times == sorted(times)
    assert times[0] > floor
    shown = [frame.dts for frame in placed if frame.kind == Kind.VIDEO]
    assert len(shown) == pictures, "a decoder needs them all"
    assert all(a < b for a, b in pairwise(shown))
    assert shown[-1] == floor + max(step, pictures), "the newest is due now"
    assert {frame.arrived for frame in placed} == {5.0}
    assert splice.place(picture(group[pictures - 1].dts + 33)).dts == shown[-1] + 33
    heard = [frame.dts for frame in placed if frame.kind == Kind.AUDIO]
    assert all(b - a == 21 for a, b in pairwise(heard)), "sound keeps its pace"


@given(frames=st.lists(st.tuples(st.booleans(), st.integers(0, 1 << 33)), max_size=30))
def test_no_track_steps_back_whatever_an_encoder_claims(frames: list[tuple[bool, int]]) -> None:
    splice = Splice(1000, 40)
    placed = [splice.place(picture(dts) if video else sound(dts)) for video, dts in frames]
    for kind in (Kind.VIDEO, Kind.AUDIO):
        times = [frame.dts for frame in placed if frame.kind == kind]
        assert times == sorted(times)
        assert all(time >= 1000 for time in times)


def test_a_frame_at_its_moment_is_the_frame_itself() -> None:
    frame = picture(7)
    assert at_time(frame, 7) is frame
    assert at_time(frame, 8).dts == 8


def test_a_group_begins_with_a_keyframe_and_is_dropped_when_it_grows_too_long() -> None:
    group = Group()
    group.add(sound(0))
    group.add(picture(1))
    assert group.frames == []
    group.add(picture(2, key=True, size=5))
    group.add(sound(3))
    assert (len(group.frames), group.bytes) == (2, 6)
    for number in range(LONGEST_GOP):
        group.add(picture(4 + number))
    assert (group.frames, group.bytes) == ([], 0)
    group.add(picture(9000, key=True))
    assert len(group.frames) == 1
