"""Rungs of the ladder: they follow the feed's cuts, and what they miss is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from restream.hls import playlist
from restream.hls.rendition import Rendition
from restream.hls.renditions import Rung
from restream.media import Frame, Kind
from tests.restream.hls.feed import STARTED, Shape, Studio, synthetic
from tests.restream.hls.ladder import Encoder
from tests.restream.hls.linter import lint
from tests.restream.hls.parsing import runs

FEED, SMALL, OTHER = Shape(seconds=2), Shape(seconds=2, size="160x90"), Shape(seconds=2, size="192x108")
RUNG = Rung("90p", 160, 90, 30.0)


class Stage:
    """A feed that goes on, and one rung of it."""

    def __init__(self, late: int = 100, seconds: float = 120.0) -> None:
        self.studio = Studio()
        self.renditions = self.studio.renditions
        self._frames: Iterator[Frame] = synthetic(FEED, 48_000, 30.0, seconds)
        self._now = 0
        self._session = self.studio.publisher()
        self.late = late
        self.encoder: Encoder | None = None

    def open(self, shape: Shape = SMALL) -> Encoder:
        """The rung begins, with what the feed has sent since its last keyframe."""
        self.encoder = Encoder(self.renditions.open_rung(RUNG), shape, self.late)
        self.studio.live.attach(self.encoder)
        return self.encoder

    def close(self) -> None:
        """The rung is over."""
        assert self.encoder
        self.studio.live.detach(self.encoder)
        self.renditions.close_rung("90p")

    def play(self, seconds: float) -> None:
        """So much more of the feed."""
        until = self._now + round(seconds * 1000)
        for frame in self._frames:
            self._session.frame(replace(frame, arrived=STARTED + frame.dts / 1000))
            if frame.kind == Kind.VIDEO and frame.dts >= until:
                break
        self._now = until

    @property
    def rung(self) -> Rendition:
        """The rendition."""
        found = self.renditions.rendition("90p")
        assert found is not None
        return found

    def gaps(self) -> list[int]:
        """Numbers of the rung's segments that cannot be played."""
        return [segment.number for segment in self.rung.timeline.segments if segment.gap]

    def offered(self) -> list[str]:
        """What players are told of."""
        return [one.name for one in self.renditions.current()]

    def lint(self) -> None:
        """Its playlist breaks no rule."""
        lint(playlist.media(self.rung.timeline, self.renditions.beside(self.rung)))


def test_a_rung_has_the_feeds_parts_at_the_feeds_moments() -> None:
    stage = Stage()
    stage.open()
    stage.play(20)
    source, rung = stage.studio.source.timeline, stage.rung.timeline
    assert stage.offered() == ["source", "90p", "audio"]
    assert len(rung.segments) >= 9
    for mine, theirs in zip(rung.segments, source.segments, strict=False):
        assert (mine.number, mine.wall) == (theirs.number, theirs.wall)
        for part, other in zip(mine.parts, theirs.parts, strict=False):
            (run,), (source_run,) = runs(part.data), runs(other.data)
            assert (run.begins, run.durations) == (source_run.begins, source_run.durations)
            assert part.independent == other.independent
    stage.lint()


def test_a_rung_that_begins_late_begins_with_a_whole_segment_of_the_feeds_number() -> None:
    stage = Stage()
    stage.play(9)
    stage.open()
    stage.play(1)
    assert stage.offered() == ["source", "audio"]
    stage.play(4)
    assert stage.rung.timeline.first_number == 4
    assert "90p" in stage.offered()
    assert not stage.gaps()
    first = lint(playlist.media(stage.rung.timeline, stage.renditions.beside(stage.rung))).segments[0]
    assert (first.number, first.map) == (4, "init4.mp4")


def test_a_rung_counts_the_discontinuities_before_its_beginning() -> None:
    stage = Stage(seconds=8.0)
    stage.play(8)
    stage._session.closed("bye")
    stage._session = stage.studio.publisher()
    stage._frames = synthetic(OTHER, 48_000, 30.0, 60.0)
    stage.open()
    stage.play(12)
    assert stage.rung.timeline.discontinuity_sequence in (0, 1)
    text = playlist.media(stage.rung.timeline, stage.renditions.beside(stage.rung))
    mine = {segment.number: segment.discontinuities for segment in lint(text).segments}
    source = stage.studio.source
    feed = lint(playlist.media(source.timeline, stage.renditions.beside(source)))
    theirs = {segment.number: segment.discontinuities for segment in feed.segments}
    assert mine
    assert all(theirs[number] == count for number, count in mine.items())


@pytest.mark.parametrize("late", [0, 300, 900])
def test_a_rung_may_be_somewhat_late_and_delays_nobody(late: int) -> None:
    stage = Stage(late)
    stage.open()
    stage.play(20)
    assert not stage.gaps()
    assert stage.studio.source.timeline.newest >= (9, 4)
    behind = stage.studio.source.timeline.ends - stage.rung.timeline.ends
    assert behind <= late / 1000 + 0.4


def test_what_comes_too_late_is_a_gap_and_not_offered_until_it_has_caught_up() -> None:
    stage = Stage()
    encoder = stage.open()
    stage.play(11)
    encoder.late = 3000
    stage.play(9)
    assert "90p" not in stage.offered()
    lost = stage.gaps()
    assert lost
    assert lost[0] >= 5
    stage.lint()
    encoder.late = 100
    stage.play(10)
    assert "90p" in stage.offered()
    assert len(stage.gaps()) <= 7
    stage.lint()


def test_a_segment_whose_keyframe_is_missing_is_a_gap_and_the_next_is_not() -> None:
    stage = Stage()
    encoder = stage.open()
    stage.play(9)
    encoder.dead = True
    stage.play(1.5)  # over the keyframe at 10 s
    encoder.dead = False
    stage.play(10)
    assert stage.gaps() == [4, 5]
    stage.lint()
    last = list(stage.rung.timeline.segments)[-2]
    assert next(runs(last.parts[0].data)).bodies[0] == b"key"


def test_a_rung_that_was_closed_leaves_gaps_and_goes_on_when_it_is_opened_again() -> None:
    stage = Stage()
    stage.open()
    stage.play(11)
    stage.close()
    stage.play(6)
    assert "90p" not in stage.offered()
    stage.open()
    stage.play(8)
    assert "90p" in stage.offered()
    numbers = [segment.number for segment in stage.rung.timeline.segments]
    assert numbers == list(range(len(numbers)))
    assert {6, 7} <= set(stage.gaps())
    stage.lint()


def test_a_rung_that_is_closed_for_good_is_forgotten() -> None:
    stage = Stage()
    stage.open()
    stage.play(11)
    stage.close()
    stage.play(60)
    assert stage.renditions.rendition("90p") is None
    stage.renditions.close_rung("90p")


def test_another_encoder_of_a_rung_gets_another_initialisation_at_the_next_segment() -> None:
    stage = Stage()
    first = stage.open()
    stage.play(11)
    stage.studio.live.detach(first)
    stage.open(OTHER)
    stage.play(10)
    timeline = stage.rung.timeline
    assert len(timeline.initialisations) == 2
    assert not any(segment.discontinuity for segment in timeline.segments)
    text = playlist.media(timeline, stage.renditions.beside(stage.rung))
    assert text.count("#EXT-X-MAP:") == 2


def test_at_the_end_a_rung_keeps_what_it_has() -> None:
    stage = Stage(late=500)
    stage.open()
    stage.play(9)
    stage.renditions.finish()
    timeline = stage.rung.timeline
    assert timeline.ended
    assert not any(segment.gap for segment in list(timeline.segments)[:-1])
    assert timeline.segments[-1].parts[0].data
