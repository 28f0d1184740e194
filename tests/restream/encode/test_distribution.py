"""A profile's distribution: headers for joiners, and a clock that never goes back."""

from __future__ import annotations

from restream.encode.distribution import Distribution
from restream.media import Frame, Kind
from tests.restream.encode.stage import Collector


def header(name: bytes = b"sps") -> Frame:
    return Frame(Kind.VIDEO, 0, name, name, header=True)


def picture(dts: int, *, key: bool = False) -> Frame:
    return Frame(Kind.VIDEO, dts, b"p%d" % dts, b"", keyframe=key)


def sound(dts: int) -> Frame:
    return Frame(Kind.AUDIO, dts, b"s%d" % dts, b"", keyframe=True)


def fed(*frames: Frame) -> Distribution:
    made = Distribution()
    for frame in frames:
        made.push(frame)
    return made


def moments(collector: Collector) -> list[int]:
    return [frame.dts for frame in collector.frames if not frame.header]


def test_a_joiner_gets_the_header_at_the_groups_time_and_the_group() -> None:
    made = fed(header(), picture(1000, key=True), picture(1040), picture(2000, key=True), picture(2040))
    late = Collector()
    made.attach(late)
    assert [(frame.header, frame.dts) for frame in late.frames] == [
        (True, 2000),
        (False, 2000),
        (False, 2040),
    ]


def test_a_joiner_between_header_and_keyframe_gets_both() -> None:
    made, early = fed(header()), Collector()
    made.attach(early)
    made.push(picture(1000, key=True))
    assert [frame.header for frame in early.frames] == [True, False]


def test_after_an_interruption_what_was_sent_already_is_left_out() -> None:
    made, reader = fed(header()), Collector()
    made.attach(reader)
    for frame in (picture(1000, key=True), picture(1040), sound(1050)):
        made.push(frame)
    made.ended()
    for frame in (header(), picture(1020, key=True), sound(1060), picture(1060), picture(1080, key=True)):
        made.push(frame)
    made.push(sound(1090))
    assert reader.ends == 1
    assert moments(reader) == [1000, 1040, 1050, 1080, 1090]


def test_readers_are_told_of_an_end_once() -> None:
    made, reader = fed(header(), picture(0, key=True)), Collector()
    made.attach(reader)
    made.ended()
    made.ended()
    assert reader.ends == 1
    assert made.backlog() == []


def test_who_left_gets_nothing_more() -> None:
    made, reader = fed(header()), Collector()
    made.attach(reader)
    made.detach(reader)
    made.detach(reader)
    made.push(picture(0, key=True))
    assert moments(reader) == []
