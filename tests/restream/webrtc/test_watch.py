"""What a viewer gets, or is told."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

import pytest

from restream.media import Frame, Reader
from restream.webrtc.watch import NotWatchable, Rung, WatchFeed, choose, has_b_frames
from tests.restream.hls.feed import Shape, pictures, stream
from tests.restream.rtmp.encodings import HEVC_AAC, frames

HLS = "http://media.example/live/show/index.m3u8"


class Kept:
    """A feed with a past."""

    def __init__(self, frames: Sequence[Frame] = ()) -> None:
        self.frames = frames

    def attach(self, reader: Reader) -> None:
        raise AssertionError

    def detach(self, reader: Reader) -> None:
        raise AssertionError

    def backlog(self) -> Sequence[Frame]:
        return self.frames


PLAIN = Kept(stream(Shape(seconds=1.0)))
REORDERED = Kept(stream(Shape(seconds=1.0, bframes=2)))
HEVC = Kept(tuple(frames(HEVC_AAC)))


def refusal(watched: WatchFeed) -> NotWatchable:
    """It must be one."""
    with pytest.raises(NotWatchable) as refused:
        choose(watched)
    return refused.value


def test_the_feed_itself_is_sent_where_that_is_possible() -> None:
    found = choose(WatchFeed(PLAIN, HLS, rung=Rung("720p", PLAIN)))
    assert (found.name, found.feed) == ("source", PLAIN)
    assert found.profile == "42c0"


def test_b_frames_lead_to_the_rung() -> None:
    rung = Kept(PLAIN.frames)
    found = choose(WatchFeed(REORDERED, HLS, rung=Rung("720p", rung)))
    assert (found.name, found.feed) == ("720p", rung)
    told = choose(WatchFeed(PLAIN, HLS, rung=Rung("720p", rung), b_frames=True))
    assert told.feed is rung


def test_b_frames_without_a_rung_are_explained() -> None:
    said = refusal(WatchFeed(REORDERED, HLS))
    assert said.status == HTTPStatus.NOT_ACCEPTABLE
    assert "B-frames" in str(said)
    assert HLS in str(said)
    assert not said.later


def test_another_codec_leads_to_the_rung_or_is_explained() -> None:
    assert choose(WatchFeed(HEVC, HLS, rung=Rung("720p", PLAIN))).name == "720p"
    said = refusal(WatchFeed(HEVC, HLS))
    assert said.status == HTTPStatus.NOT_ACCEPTABLE
    assert "H.264" in str(said)


def test_before_anything_came_it_is_worth_another_try() -> None:
    for watched in (WatchFeed(Kept(), HLS), WatchFeed(REORDERED, HLS, rung=Rung("720p", Kept()))):
        said = refusal(watched)
        assert said.status == HTTPStatus.CONFLICT
        assert said.later


def test_it_can_be_switched_off() -> None:
    assert refusal(WatchFeed(PLAIN, HLS, most_viewers=0)).status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("count", range(1, 12))
def test_b_frames_are_found_however_little_of_a_group_there_is(count: int) -> None:
    assert has_b_frames(pictures(tuple(REORDERED.frames))[:count])
    assert not has_b_frames(pictures(tuple(PLAIN.frames))[:count])
