"""Playlists as text: what the linter cannot see because it depends on the timeline behind it."""

from __future__ import annotations

import pytest

from restream.hls import playlist
from restream.hls.timeline import Timeline
from restream.media import AudioTrack, VideoTrack
from tests.restream.hls.feed import Shape, Studio, synthetic
from tests.restream.hls.linter import Reloads, lint

VIDEO = VideoTrack("avc1.640028", 1920, 1080, b"")
AUDIO = AudioTrack("mp4a.40.2", 48_000, 2, b"")


def published(seconds: float, studio: Studio | None = None, fps: float = 30.0) -> Studio:
    """A visit of a publisher that goes on."""
    studio = studio or Studio()
    session = studio.publisher()
    for frame in synthetic(Shape(seconds=2), 48_000, fps, seconds):
        session.frame(frame)
    return studio


def test_before_anything_is_playable_there_is_no_playlist() -> None:
    with pytest.raises(ValueError, match="nothing is playable"):
        playlist.media(Timeline())


def test_the_same_timeline_gives_the_same_text() -> None:
    timeline = published(10).timeline
    assert playlist.media(timeline) == playlist.media(timeline)


def test_parts_are_listed_for_three_target_durations() -> None:
    linted = lint(playlist.media(published(30).timeline))
    with_parts = [segment.number for segment in linted.segments if segment.parts]
    newest = linted.segments[-1].number
    assert with_parts[0] in (newest - 3, newest - 2)
    assert len(linted.segments) >= 10


def test_another_publisher_is_a_discontinuity_that_stays_until_its_segment_left() -> None:
    studio = published(9)
    session = studio.live.publisher
    assert session is not None
    session.closed("bye")
    reloads = Reloads()
    published(5, studio, fps=25.0)
    text = playlist.media(studio.timeline)
    linted = reloads.load(text)
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert {segment.map for segment in linted.segments} == {"init0.mp4"}
    published(40, studio, fps=25.0)
    later = lint(playlist.media(studio.timeline))
    assert int(later.header["EXT-X-DISCONTINUITY-SEQUENCE"]) >= 1
    assert later.part_target == linted.part_target


def test_the_end_is_said_and_nothing_is_hinted() -> None:
    studio = published(9)
    studio.packager.finish()
    linted = lint(playlist.media(studio.timeline))
    assert linted.ended
    assert linted.hint is None


def test_a_multivariant_playlist_names_what_there_is() -> None:
    timeline = published(9).timeline
    full = playlist.multivariant(timeline, VIDEO, AUDIO, 29.97)
    assert 'CODECS="avc1.640028,mp4a.40.2"' in full
    assert "RESOLUTION=1920x1080" in full
    assert "FRAME-RATE=29.970" in full
    bare = playlist.multivariant(timeline, VIDEO, None, None)
    assert 'CODECS="avc1.640028"' in bare
    assert "FRAME-RATE" not in bare
