"""Playlists as text: what the linter cannot see because it depends on the timeline behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.api import CueSpec
from restream.hls import playlist
from restream.hls.cues import MOST_CUES, Cues, quoted
from restream.hls.multivariant import Address, Variant, multivariant
from restream.hls.playlist import Beside, Skip
from restream.hls.timeline import Timeline
from tests.restream.hls.feed import STARTED, Shape, Studio, synthetic
from tests.restream.hls.linter import Reloads, attributes, lint, merged

VIDEO = Variant("source", "avc1.640028", 5_000_000, 4_000_000, 900_000, 1920, 1080, 29.97)
SMALLER = replace(VIDEO, name="360p", peak=800_000, average=700_000, width=640, height=360)
AUDIO = Variant("audio", "mp4a.40.2", 130_000, 128_000, channels=2)


def published(seconds: float, studio: Studio | None = None, fps: float = 30.0) -> Studio:
    """A visit of a publisher that goes on."""
    studio = studio or Studio()
    session = studio.publisher()
    for frame in synthetic(Shape(seconds=2), 48_000, fps, seconds):
        session.frame(replace(frame, arrived=STARTED + frame.dts / 1000))
    return studio


def text_of(studio: Studio, skip: Skip | None = None) -> str:
    """The feed's playlist."""
    return playlist.media(studio.source.timeline, studio.renditions.beside(studio.source), skip)


def cue(name: str, at: float, lasts: float | None = None, title: str = "") -> CueSpec:
    """Some seconds after the beginning."""
    begins = datetime.fromtimestamp(STARTED, UTC) + timedelta(seconds=at)
    ends = None if lasts is None else begins + timedelta(seconds=lasts)
    return CueSpec(id=name, kind="product", begins_at=begins, ends_at=ends, title=title)


def test_before_anything_is_playable_there_is_no_playlist() -> None:
    with pytest.raises(ValueError, match="nothing is playable"):
        playlist.media(Timeline(), Beside())
    with pytest.raises(ValueError, match="nothing is playable"):
        playlist.iframes(Timeline())


def test_the_same_timeline_gives_the_same_text() -> None:
    studio = published(10)
    assert text_of(studio) == text_of(studio)


def test_parts_are_listed_for_three_target_durations() -> None:
    linted = lint(text_of(published(30)))
    with_parts = [segment.number for segment in linted.segments if segment.parts]
    newest = linted.segments[-1].number
    assert with_parts[0] in (newest - 3, newest - 2)
    assert len(linted.segments) >= 12


@pytest.mark.parametrize("skip", ["YES", "v2"])
def test_a_delta_leaves_out_what_is_older_than_six_targets_and_says_its_map_again(skip: Skip) -> None:
    studio = published(40)
    full, delta = lint(text_of(studio)), lint(text_of(studio, skip))
    assert delta.skipped == 6
    assert [one.number for one in delta.segments] == [one.number for one in full.segments[6:]]
    assert delta.segments[0].map == "init0.mp4"
    assert len(text_of(studio, skip)) < 0.9 * len(text_of(studio))
    together = merged(full, delta)
    assert [one.uri for one in together.segments] == [one.uri for one in full.segments]


def test_without_enough_to_skip_and_at_the_end_a_delta_is_the_whole() -> None:
    studio = published(9)
    assert text_of(studio, "YES") == text_of(studio)
    studio = published(40)
    studio.renditions.finish()
    assert text_of(studio, "v2") == text_of(studio)


def test_another_publisher_is_a_discontinuity_that_stays_until_its_segment_left() -> None:
    studio = published(9)
    session = studio.live.publisher
    assert session is not None
    session.closed("bye")
    reloads = Reloads()
    published(5, studio, fps=25.0)
    linted = reloads.load(text_of(studio))
    assert text_of(studio).count("#EXT-X-DISCONTINUITY\n") == 1
    assert {segment.map for segment in linted.segments} == {"init0.mp4"}
    published(60, studio, fps=25.0)
    later = lint(text_of(studio))
    assert int(later.header["EXT-X-DISCONTINUITY-SEQUENCE"]) >= 1
    assert later.part_target == linted.part_target


def test_the_pace_that_is_told_does_not_waver_with_whole_milliseconds() -> None:
    studio, told = Studio(), []
    session = studio.publisher()
    for frame in synthetic(Shape(seconds=2), 48_000, 30.0, 20):
        session.frame(replace(frame, arrived=STARTED + frame.dts / 1000))
        if studio.source.fps:
            told.append(studio.source.fps)
    assert len(set(told)) == 1
    assert 29.5 < told[0] < 30.5
    session.closed("bye")
    published(5, studio, fps=25.0)
    assert studio.source.fps == pytest.approx(25.0, abs=0.5)


def test_the_end_is_said_and_nothing_is_hinted() -> None:
    studio = published(9)
    studio.renditions.finish()
    linted = lint(text_of(studio))
    assert linted.ended
    assert linted.hint is None
    assert playlist.iframes(studio.source.timeline).endswith("#EXT-X-ENDLIST\n")


def test_a_multivariant_playlist_names_what_there_is() -> None:
    full = multivariant([VIDEO, SMALLER], AUDIO, Address("door/", "t.o-k"), language="vi")
    assert 'CODECS="avc1.640028,mp4a.40.2"' in full
    assert "BANDWIDTH=5130000,AVERAGE-BANDWIDTH=4128000" in full
    assert "FRAME-RATE=29.970" in full
    assert "I-FRAME-STREAM-INF:BANDWIDTH=900000," in full
    assert 'LANGUAGE="vi"' in full
    assert 'URI="door/360p/iframes.m3u8?token=t.o-k"' in full
    assert [line for line in full.splitlines() if not line.startswith("#")] == [
        "door/source/live.m3u8?token=t.o-k",
        "door/360p/live.m3u8?token=t.o-k",
    ]
    bare = multivariant([replace(VIDEO, fps=None)], None, Address(), independent=False)
    assert 'CODECS="avc1.640028"' in bare
    assert not {"FRAME-RATE", "AUDIO", "INDEPENDENT"} & set(bare.replace("=", " ").replace("-", " ").split())


def test_a_cue_is_told_once_and_may_end() -> None:
    studio = published(9)
    studio.renditions.set_cues([cue("a", 3, title="Tea")])
    first = lint(text_of(studio))
    assert first.cues["a"] == {
        "ID": "a",
        "CLASS": "com.simulcast.product",
        "START-DATE": "2023-11-14T22:13:23.000Z",
        "X-TITLE": "Tea",
    }
    studio.renditions.set_cues([cue("a", 4, 2.5, title="Coffee")])
    second = lint(text_of(studio))
    assert second.cues["a"] == first.cues["a"] | {"END-DATE": "2023-11-14T22:13:26.500Z"}
    studio.renditions.set_cues([cue("a", 3, 9.0)])
    assert lint(text_of(studio)).cues == second.cues


def test_a_delta_leaves_out_cues_told_long_ago_and_names_those_that_left() -> None:
    studio = published(20)
    studio.renditions.set_cues([cue("old", 18, 3.0), cue("staying", 18)])
    for frame in list(synthetic(Shape(seconds=2), 48_000, 30.0, 50.0)):
        if frame.dts >= 20_000 and not frame.header:
            studio.renditions.leader.push(replace(frame, arrived=STARTED + frame.dts / 1000))
        if frame.dts == 40_000:
            studio.renditions.set_cues([cue("old", 18, 3.0), cue("staying", 18), cue("new", 40)])
    full, delta, plain = lint(text_of(studio)), lint(text_of(studio, "v2")), lint(text_of(studio, "YES"))
    assert set(full.cues) == set(plain.cues) == {"staying", "new"}
    assert set(delta.cues) == {"new"}
    assert delta.removed == ["old"]
    assert plain.removed is None


def test_what_has_no_end_is_told_until_the_next_of_its_kind_and_never_again() -> None:
    cues = Cues()
    wanted = [cue("a", 0), cue("b", 10), cue("c", 20)]
    assert cues.set(wanted, 0.0)
    cues.expire(STARTED + 15, 100.0)
    assert [one.split('"')[1] for one in cues.tags()] == ["b", "c"]
    assert not cues.set(wanted, 200.0)
    assert cues.set(wanted[1:2], 300.0)
    assert (cues.removed(250.0), cues.removed(50.0)) == (["c"], ["a", "c"])


def test_cues_without_number_are_not_listed_without_number() -> None:
    cues = Cues()
    cues.set([cue(f"n{number}", number) for number in range(MOST_CUES + 50)], 0.0)
    cues.expire(0.0, 1.0)
    assert len(cues.tags()) == MOST_CUES
    assert 'ID="n49"' not in "".join(cues.tags())


@given(st.text(max_size=200))
def test_any_title_stays_between_its_quotation_marks(title: str) -> None:
    cues = Cues()
    cues.set([cue("x", 0, title=title)], 0.0)
    (line,) = cues.tags()
    assert len(line.splitlines()) == 1
    assert attributes(line.partition(":")[2]).get("X-TITLE", "") == quoted(title)
