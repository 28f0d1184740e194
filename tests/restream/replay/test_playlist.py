"""Playlists of hours: written once, lengthened with the show, the same whichever way they came about."""

from __future__ import annotations

import gzip
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restream.api import CueSpec
from restream.hls.finished import FinishedSegment
from restream.replay.cues import chapters
from restream.replay.index import LATE, Index
from restream.replay.journal import Entry, Opening
from restream.replay.playlist import MediaPlaylist, multivariant
from tests.restream.replay.reading import merged, read, variants
from tests.restream.replay.stage import FIRST, STARTED, again, cue, synthetic

FOUR_HOURS = 7200


def fill(index: Index, segments: Sequence[FinishedSegment]) -> None:
    """As the writer tells of them."""
    for one in segments:
        rendition = index.renditions.get(one.rendition)
        if not one.gap and (rendition is None or not rendition.openings or one.discontinuity):
            picture = (one.kind, one.codec, one.width, one.height, one.fps)
            index.add(Opening(one.rendition, one.number, 0, 4, *picture))
        size = sum(map(len, one.data))
        index.add(Entry(one.rendition, one.number, 0, size, one.seconds, one.wall, one.discontinuity))


def indexed(segments: Sequence[FinishedSegment]) -> Index:
    index = Index(least_target=2)
    fill(index, segments)
    return index


def playlist(index: Index, name: str = "source", *, ended: bool = False) -> MediaPlaylist:
    return MediaPlaylist(index, index.renditions[name], ended=ended)


def text(made: MediaPlaylist, cues: Sequence[CueSpec] = ()) -> str:
    while not made.lengthen(cues):
        pass
    whole = made.whole()
    assert gzip.decompress(whole.zipped) == whole.plain
    return whole.plain.decode()


def test_a_running_show_can_be_seen_from_its_beginning() -> None:
    media = read(text(playlist(indexed(list(synthetic(30))))))
    assert media.header["EXT-X-PLAYLIST-TYPE"] == "EVENT"
    assert media.header["EXT-X-MEDIA-SEQUENCE"] == "0"
    assert media.numbers == list(range(FIRST, FIRST + 30))
    assert [one.moment for one in media.segments] == [STARTED + 2 * place for place in range(30)]
    assert {one.map for one in media.segments} == {f"init{FIRST}.mp4"}


def test_after_the_end_it_is_video_on_demand() -> None:
    media = read(text(playlist(indexed(list(synthetic(30))), ended=True)))
    assert media.header["EXT-X-PLAYLIST-TYPE"] == "VOD"
    assert media.ended
    assert "EXT-X-SERVER-CONTROL" not in media.header


@given(
    lost=st.sets(st.tuples(st.sampled_from(["source", "audio", "720p"]), st.integers(1, 39))),
    breaks=st.sets(st.integers(1, 39), max_size=3),
    looks=st.sets(st.integers(1, 119)),
)
@settings(max_examples=30, deadline=None)
def test_each_version_only_adds_to_the_one_before(
    lost: set[tuple[str, int]], breaks: set[int], looks: set[int]
) -> None:
    segments = [
        replace(one, discontinuity=one.number - FIRST in breaks, wall=one.wall + 0.01)
        for one in synthetic(40, ("source", "audio", "720p"))
        if (one.rendition, one.number - FIRST) not in lost
    ]
    index = Index(least_target=2)
    fill(index, segments[:3])
    names = list(index.renditions)
    lists = {name: playlist(index, name) for name in names}
    before = {name: text(made) for name, made in lists.items()}
    for count, segment in enumerate(segments[3:], 3):
        fill(index, [segment])
        if count not in looks:
            continue
        for name, made in lists.items():
            now = text(made)
            assert now.startswith(before[name])
            delta = read(made.delta().plain.decode())
            if delta.skipped <= len(read(before[name]).segments):  # else nobody would have asked for it
                assert merged(read(before[name]), delta).segments == read(now).segments
            before[name] = now
    ended = [read(text(playlist(index, name, ended=True))) for name in index.renditions]
    assert len({tuple(one.numbers) for one in ended}) == 1, "every rendition lists the same"
    assert len({tuple(s.anew for s in one.segments) for one in ended}) == 1
    for name, media in zip(index.renditions, ended, strict=True):
        places = zip(media.numbers, media.segments, strict=True)
        gaps = {number for number, one in places if one.gap}
        assert gaps == {FIRST + place for which, place in lost if which == name} & set(media.numbers)


def test_a_rendition_that_lags_is_waited_for_and_one_that_died_has_gaps() -> None:
    segments = list(synthetic(40, ("source", "audio")))
    rung = [one for one in synthetic(40, ("720p",)) if one.number < FIRST + 10]
    index = indexed([*segments[: 2 * 12], *rung])
    made = playlist(index, "720p")
    assert read(text(made)).numbers == list(range(FIRST, FIRST + 10)), "two segments may still come"
    assert [one.name for one in index.offered(ended=False)] == ["source", "720p", "audio"]
    fill(index, segments[2 * 12 :])
    media = read(text(made))
    assert len(media.segments) == 40 - LATE
    assert [one.gap for one in media.segments] == [False] * 10 + [True] * (30 - LATE)
    assert [one.name for one in index.offered(ended=False)] == ["source", "audio"]
    assert [one.name for one in index.offered(ended=True)] == ["source", "audio"], "a quarter is too little"


def test_a_restart_is_a_discontinuity_with_its_own_date() -> None:
    first = list(synthetic(5))
    media = read(text(playlist(indexed([*first, *again(first, 100, 300.0)]))))
    assert [one.anew for one in media.segments] == [False] * 5 + [True] + [False] * 4
    assert media.segments[5].moment == STARTED + 300
    assert media.segments[5].map == f"init{FIRST + 100}.mp4"


def test_lost_segments_of_all_renditions_are_a_discontinuity() -> None:
    segments = [one for one in synthetic(10) if one.number not in (FIRST + 4, FIRST + 5)]
    media = read(text(playlist(indexed(segments))))
    assert media.numbers == [FIRST + place for place in (0, 1, 2, 3, 6, 7, 8, 9)]
    assert [place for place, one in enumerate(media.segments) if one.anew] == [4]
    assert media.segments[4].moment == STARTED + 12


def test_a_longer_segment_raises_the_target_everywhere() -> None:
    segments = list(synthetic(6))
    index = indexed(segments)
    made = playlist(index)
    assert read(text(made)).header["EXT-X-TARGETDURATION"] == "2"
    fill(index, [replace(segments[0], number=FIRST + 6, seconds=3.5, wall=STARTED + 12)])
    assert read(text(made)).header["EXT-X-TARGETDURATION"] == "4"
    assert read(text(playlist(index, "audio"))).header["EXT-X-TARGETDURATION"] == "4"


def test_cues_are_told_once_and_their_end_when_it_is_known() -> None:
    index = indexed(list(synthetic(10)))
    made = playlist(index)
    one = cue("a", 3.5, title='The "best"\nlamp', reference="sku-1")
    first = read(text(made, [one]))
    assert first.cues["a"] == {
        "ID": "a",
        "CLASS": "com.simulcast.product",
        "START-DATE": "2023-11-14T22:13:23.500Z",
        "X-TITLE": "The ”best” lamp",
        "X-REFERENCE": "sku-1",
    }
    ended = cue("a", 3.5, 9, title='The "best"\nlamp', reference="sku-1")
    before, now = text(made, [one]), text(made, [ended, cue("b", 12)])
    assert now.startswith(before)
    assert read(now).cues["a"]["END-DATE"] == "2023-11-14T22:13:29.000Z"
    assert list(read(now).cues) == ["a", "b"]
    assert read(made.delta().plain.decode()).cues == read(now).cues
    assert len(read(text(playlist(index, ended=True), [ended])).dateranges) == 1


def test_chapters_are_seconds_of_the_programme() -> None:
    first = list(synthetic(5))
    index = indexed([*first, *again(first, 100, 60.0)])  # ten seconds, a pause of fifty, ten seconds
    cues = [
        cue("late", 500),
        cue("second", 63, 64, kind="chapter"),
        cue("first", 3.25, 7, kind="offer", title="Now"),
        cue("pause", 30),
        cue("early", -5),
        cue("poll", 4, kind="poll"),
    ]
    found = {one["id"]: one for one in chapters(cues, index, ended=True)}
    begins = {name: (one["begins_at"], one["ends_at"]) for name, one in found.items()}
    assert begins == {"early": (0, None), "first": (3.25, 7), "pause": (10, None), "second": (13, 14)}
    assert list(begins) == ["early", "first", "pause", "second"]
    assert found["first"] == {
        "id": "first",
        "kind": "offer",
        "title": "Now",
        "reference": "",
        "begins_at": 3.25,
        "ends_at": 7.0,
    }
    assert [one["id"] for one in chapters(cues, index, ended=False)][-1] == "late"


@given(st.lists(st.floats(0.5, 6), min_size=1, max_size=30), st.floats(-10, 200))
@settings(deadline=None)
def test_a_moment_lies_where_the_playlists_dates_say(lengths: list[float], offset: float) -> None:
    index, wall = Index(), STARTED
    for place, seconds in enumerate(lengths):
        index.add(Entry("source", FIRST + place, 0, 0, seconds, wall, False))
        wall += seconds
    found = index.moment(STARTED + offset)
    assert found == pytest.approx(max(0.0, offset), abs=1e-4)


def test_variants_are_measured() -> None:
    index = indexed(list(synthetic(10, ("source", "audio", "720p"))))
    found, sound = variants(multivariant(index, ended=False, door="secret/", token="t.o-k"))
    assert [one.uri for one in found] == [
        "secret/replay/source/media.m3u8?token=t.o-k",
        "secret/replay/720p/media.m3u8?token=t.o-k",
    ]
    assert found[0].given["BANDWIDTH"] == "40"  # five bytes in two seconds, twice
    assert found[0].given["CODECS"] == "avc1.42c01e,mp4a.40.2"
    assert found[0].given["RESOLUTION"] == "640x360"
    assert found[0].given["FRAME-RATE"] == "30.000"
    assert sound is not None
    assert sound["URI"] == "secret/replay/audio/media.m3u8?token=t.o-k"


def test_a_show_without_pictures_has_one_variant() -> None:
    index = indexed(list(synthetic(10, ("audio",))))
    found, sound = variants(multivariant(index, ended=True, door="", token=""))
    assert [one.uri for one in found] == ["replay/audio/media.m3u8"]
    assert sound is None
    assert "RESOLUTION" not in found[0].given


def test_a_silent_show_has_no_audio_group() -> None:
    index = indexed(list(synthetic(10, ("source",))))
    found, sound = variants(multivariant(index, ended=True, door="", token=""))
    assert sound is None
    assert found[0].given["CODECS"] == "avc1.42c01e"


def test_a_request_after_four_hours_costs_no_rendering_of_four_hours() -> None:
    segments = list(synthetic(FOUR_HOURS + 100, ("source",)))
    index = indexed(segments[:FOUR_HOURS])
    made = playlist(index)
    began = time.process_time()
    text(made)
    everything = time.process_time() - began
    began = time.process_time()
    for segment in segments[FOUR_HOURS:]:
        fill(index, [segment])
        made.lengthen(())
        made.whole()
    each = (time.process_time() - began) / 100
    again_and_again = made.whole()
    assert made.lengthen(())
    assert made.whole() is again_and_again, "nothing new: the same bytes"
    assert each < everything / 10
    assert len(made.whole().zipped) < 60_000
    assert len(made.delta().zipped) < 600


def test_hours_are_written_in_turns() -> None:
    made = playlist(indexed(list(synthetic(FOUR_HOURS, ("source",)))))
    turns = 1
    while not made.lengthen(()):
        turns += 1
    assert turns >= 10
    assert len(read(made.whole().plain.decode()).segments) == FOUR_HOURS


def test_dates_are_those_of_the_clock_even_when_it_jumps() -> None:
    segments = list(synthetic(20, ("source",)))
    moved = [one if one.number < FIRST + 7 else replace(one, wall=one.wall + 5) for one in segments]
    media = read(text(playlist(indexed(moved))))
    assert [one.moment for one in media.segments] == [one.wall for one in moved]
