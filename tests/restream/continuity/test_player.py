"""Our own player through drops, slates and stand-ins: every playlist is linted, every part looked into."""

from __future__ import annotations

import pytest

from restream.hls import playlist
from restream.hls.packager import Packager
from restream.hls.timeline import Timeline
from tests.restream.continuity.stage import Stage
from tests.restream.hls.linter import Linted, Reloads, lint
from tests.restream.hls.parsing import runs


class Viewer:
    """Reloads after every change, as a player with a blocking reload does.

    Not `strict`: from one reload to the next nothing is compared, because the hint may name the wrong part.
    """

    def __init__(self, stage: Stage, *, strict: bool) -> None:
        self._strict = strict
        self.reloads = Reloads()
        self.timeline = Timeline()
        self.holes: list[float] = []
        """Milliseconds between parts that follow one another."""
        self._ends: int | None = None
        self._segment = -1
        self._discontinuities = 0
        stage.live.attach(Packager(self.timeline, 333, 2000, self._changed))

    def _changed(self) -> None:
        if not self.timeline.playable:
            return
        text = playlist.media(self.timeline)
        self._look_into(self.reloads.load(text) if self._strict else lint(text))

    def _look_into(self, linted: Linted) -> None:
        newest = self.timeline.segments[-1]
        if not newest.parts or newest.closed:
            return
        run = next(runs(newest.parts[-1].data))
        discontinuities = linted.segments[-1].discontinuities
        if self._ends is not None and discontinuities == self._discontinuities:
            self.holes.append((run.begins - self._ends) / 90)
        self._ends, self._discontinuities = run.ends, discontinuities


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
