"""Our own player through drops, slates and stand-ins: every playlist is linted, every part looked into."""

from __future__ import annotations

import pytest

from restream.hls import playlist
from restream.hls.renditions import Renditions
from restream.hls.timeline import Timeline
from restream.media import Frame
from tests.restream.continuity.stage import Stage
from tests.restream.hls.linter import Reloads, lint
from tests.restream.hls.parsing import runs

MOST_AT_ONCE = 8
"""Parts that come with one picture: a new encoder's first ones are held back until its pace is known."""


class Viewer:
    """Reloads after every picture, as a player with a blocking reload does.

    Not `strict`: from one reload to the next nothing is compared, because the hint may name the wrong part.
    """

    def __init__(self, stage: Stage, *, strict: bool) -> None:
        self._strict = strict
        self.reloads = Reloads(MOST_AT_ONCE)
        self.renditions = Renditions(0, 333, 2000)
        self.holes: list[float] = []
        """Milliseconds between parts that follow one another."""
        self._version = 0
        self._ends: int | None = None
        self._newest = (-1, -1)
        stage.live.attach(self.renditions.leader)
        stage.live.attach(self)

    def push(self, frame: Frame) -> None:
        """Of the live, after the leader had it."""
        source = self.renditions.rendition("source")
        assert source is not None
        if source.timeline.version == self._version:
            return
        self._version = source.timeline.version
        self._look_into(source.timeline)
        if source.timeline.playable:
            text = playlist.media(source.timeline, self.renditions.beside(source))
            if self._strict:
                self.reloads.load(text)
            else:
                lint(text)

    def ended(self) -> None:
        """Of the live."""

    def _look_into(self, timeline: Timeline) -> None:
        for segment in timeline.segments:
            for index, part in enumerate(segment.parts):
                if (segment.number, index) > self._newest:
                    self._newest = segment.number, index
                    run = next(runs(part.data))
                    if self._ends is not None and not (segment.discontinuity and not index):
                        self.holes.append((run.begins - self._ends) / 90)
                    self._ends = run.ends


@pytest.mark.parametrize("size", ["320x180", "640x360"])
def test_a_player_follows_a_slate_a_standby_and_the_way_back(size: str) -> None:
    stage = Stage()
    # A standby with the very same headers goes on in the same segment, where its keyframes are not expected.
    viewer = Viewer(stage, strict=size != "320x180")
    primary = stage.encoder("one", gop=60)
    stage.run(9.0)
    primary.leave()
    stage.run(5.0)
    primary = stage.encoder("two", gop=60)
    standby = stage.encoder("three", "backup", gop=60, size=size)
    stage.run(7.0)
    primary.leave()
    stage.run(5.0)
    stage.encoder("four", gop=60)
    stage.run(7.0)
    standby.leave()
    stage.run(3.0)
    assert stage.reader.sources() == ["one", "slate", "two", "three", "four"]
    assert len(viewer.holes) > 80
    assert set(viewer.holes) == {0.0}, "each part begins where the one before it ends"
