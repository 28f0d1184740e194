"""One timeline for the whole show, whoever publishes; readers that join late; limits."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.live import GAP_MS, LARGEST_GOP, LONGEST_GOP, MOST_IN_WINDOW, Live, Session
from restream.media import Frame, Kind
from restream.rtmp import amf0
from restream.rtmp.flv import BrokenTag
from tests.restream.hls.feed import Shape, pictures, stream


@dataclass
class Notebook:
    """A reader (`media.Reader`)."""

    frames: list[Frame] = field(default_factory=list)
    ends: int = 0

    def push(self, frame: Frame) -> None:
        self.frames.append(frame)

    def ended(self) -> None:
        self.ends += 1


class Stage:
    """A live with one reader; the reasons publishers were cut for."""

    def __init__(self) -> None:
        self.live = Live("show")
        self.reader = Notebook()
        self.live.attach(self.reader)
        self.kicked: list[str] = []

    def publisher(self) -> Session:
        return self.live.open_session("127.0.0.1", "OBS", self.kicked.append, 1_700_000_000.0)


def picture(dts: int, key: bool = False, size: int = 10, cts: int = 0) -> Frame:
    return Frame(Kind.VIDEO, dts, bytes(size), b"p", cts=cts, keyframe=key)


def sound(dts: int) -> Frame:
    return Frame(Kind.AUDIO, dts, bytes(5), b"s", keyframe=True)


def publish(session: Session, frames: tuple[Frame, ...]) -> None:
    for frame in frames:
        session.frame(frame)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_time_goes_on_across_publishers_whatever_their_clocks_say(stage: Stage) -> None:
    for offset in (0, 5_000_000, 17):
        session = stage.publisher()
        for dts in range(0, 400, 40):
            session.frame(picture(offset + dts, key=not dts))
        session.closed("bye")
    times = [frame.dts for frame in stage.reader.frames]
    assert times == list(range(0, 30 * 40, 40))
    assert stage.reader.ends == 3


def test_headers_sent_at_zero_do_not_move_the_media_behind_them(stage: Stage) -> None:
    headers = [frame for frame in stream(Shape()) if frame.header]
    session = stage.publisher()
    for header in headers:
        session.frame(header)
    session.frame(picture(9_000_000, key=True))
    session.frame(picture(9_000_040))
    times = [frame.dts for frame in stage.reader.frames]
    assert times == [0, 0, 0, 40]


def test_the_newest_publisher_takes_over(stage: Stage) -> None:
    first = stage.publisher()
    left: list[str] = []
    first.on_closed = left.append
    publish(first, stream(Shape()))
    second = stage.publisher()
    assert stage.kicked == ["Another encoder with the same key took over."]
    assert left == ["Another encoder took over."]
    before = len(stage.reader.frames)
    first.frame(picture(99_999, key=True))
    first.metadata({"width": 1.0})
    first.closed("bye")
    assert len(stage.reader.frames) == before
    assert stage.live.publisher is second
    assert stage.reader.ends == 1
    assert (stage.live.video, stage.live.audio) == (None, None)
    publish(second, stream(Shape()))
    for kind in (Kind.VIDEO, Kind.AUDIO):
        times = [frame.dts for frame in stage.reader.frames if frame.kind == kind]
        assert times == sorted(times)
    assert left == ["Another encoder took over."]


@given(
    visits=st.lists(
        st.lists(st.tuples(st.booleans(), st.integers(0, 1 << 33)), max_size=8), min_size=1, max_size=4
    )
)
def test_within_a_track_time_never_goes_back(visits: list[list[tuple[bool, int]]]) -> None:
    stage = Stage()
    for visit in visits:
        session = stage.publisher()
        for video, dts in visit:
            session.frame(picture(dts, key=True) if video else sound(dts))
    for kind in (Kind.VIDEO, Kind.AUDIO):
        times = [frame.dts for frame in stage.reader.frames if frame.kind == kind]
        assert times == sorted(times)
        assert all(time >= 0 for time in times)


def test_a_late_joiner_gets_metadata_headers_and_the_group_since_the_keyframe(stage: Stage) -> None:
    session = stage.publisher()
    session.metadata({"width": 320.0})
    frames = stream(Shape())
    half = frames.index(pictures(frames)[70])
    publish(session, frames[: half + 1])
    late = Notebook()
    stage.live.attach(late)
    kinds = [(frame.kind, frame.header) for frame in late.frames[:4]]
    assert kinds == [(Kind.DATA, False), (Kind.VIDEO, True), (Kind.AUDIO, True), (Kind.VIDEO, False)]
    assert late.frames[3].keyframe
    assert late.frames[3].body == pictures(frames)[60].body
    assert {frame.dts for frame in late.frames[:3]} == {late.frames[3].dts}
    assert sum(f.kind == Kind.VIDEO and not f.header for f in late.frames) == 11
    session.frame(frames[half + 1])
    assert late.frames[-1] is stage.reader.frames[-1]


def test_there_is_no_backlog_without_a_publisher(stage: Stage) -> None:
    session = stage.publisher()
    publish(session, stream(Shape()))
    session.closed("bye")
    assert list(stage.live.backlog()) == []


def test_a_detached_reader_gets_nothing_more(stage: Stage) -> None:
    stage.live.detach(stage.reader)
    stage.live.detach(stage.reader)
    publish(stage.publisher(), stream(Shape()))
    assert not stage.reader.frames


def test_a_group_is_kept_up_to_a_number_of_frames_and_bytes(stage: Stage) -> None:
    session = stage.publisher()
    session.frame(picture(0, key=True))
    for number in range(1, LONGEST_GOP + 50):
        session.frame(picture(number * 40))
    assert list(stage.live.backlog()) == []
    session.frame(picture(2_000_000, key=True))
    assert len(stage.live.backlog()) == 1
    size = LARGEST_GOP // 4
    for number in range(1, 6):
        session.frame(picture(2_000_000 + number * 10_000, size=size))
    assert list(stage.live.backlog()) == []


def test_a_clock_that_stands_still_or_a_flood_is_cut(stage: Stage) -> None:
    session = stage.publisher()
    for _ in range(MOST_IN_WINDOW + 1):
        session.frame(picture(0, key=True))
    assert stage.kicked == ["The encoder sends more than any live needs, or its clock stands still."]
    flooded = Stage()
    session = flooded.publisher()
    block = picture(0, size=8 << 20)
    for number in range(9):
        session.frame(Frame(Kind.VIDEO, number * 40, block.payload, b"", keyframe=True))
    assert len(flooded.kicked) == 1


def test_a_broken_header_is_an_error_and_reaches_no_reader(stage: Stage) -> None:
    session = stage.publisher()
    with pytest.raises(BrokenTag):
        session.frame(Frame(Kind.VIDEO, 0, b"", b"\1garbage", header=True))
    assert not stage.reader.frames


def test_metadata_is_passed_on_as_encoders_write_it(stage: Stage) -> None:
    session = stage.publisher()
    session.metadata({"encoder": "OBS 31", "width": 1920.0, "odd": {"nested": 1.0}, "stereo": True})
    (frame,) = stage.reader.frames
    assert frame.kind == Kind.DATA
    assert amf0.decode(frame.payload) == [
        "@setDataFrame",
        "onMetaData",
        {"encoder": "OBS 31", "width": 1920.0, "stereo": True},
    ]
    assert session.measured().encoder == "OBS 31"


def test_what_is_measured_is_what_was_sent(stage: Stage) -> None:
    session = stage.publisher()
    publish(session, stream(Shape()))
    status = session.measured()
    assert status.fps == pytest.approx(30, abs=0.5)
    assert status.keyframe_interval_ms == 2000
    assert (status.width, status.height) == (320, 180)
    assert (status.video_codec or "").startswith("avc1.")
    assert status.audio_codec == "mp4a.40.2"
    recent = [f for f in stage.reader.frames if not f.header and f.dts > stage.live.now - 4000]
    sent = sum(len(frame.payload) for frame in recent) * 8 / 4000
    assert status.bitrate_kbps == pytest.approx(sent, rel=0.05)


def test_the_first_frame_of_a_publisher_follows_the_last_of_the_one_before_by_a_frame(stage: Stage) -> None:
    stage.publisher().frame(picture(123, key=True))
    stage.publisher().frame(picture(7, key=True))
    assert [frame.dts for frame in stage.reader.frames] == [0, GAP_MS]
