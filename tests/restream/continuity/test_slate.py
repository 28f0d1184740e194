"""The slate's player: loops in time with the clock, sound and picture each by their own count."""

from __future__ import annotations

from itertools import pairwise

import pytest

from restream.continuity.slate import MOST_BEHIND, Player
from restream.media import Kind
from tests.restream.continuity.stage import SOUND_MS, slate


def test_it_loops_without_a_hole_and_without_drift() -> None:
    player = Player(slate(), 5000, 100.0)
    frames = [frame for step in range(6000) for frame in player.due(100.0 + step / 100, 1.0)]
    pictures = [frame.dts for frame in frames if frame.kind == Kind.VIDEO]
    sounds = [frame.dts for frame in frames if frame.kind == Kind.AUDIO]
    assert pictures[0] == sounds[0] == 5000
    assert {b - a for a, b in pairwise(pictures)} <= {33, 34}
    assert pictures[30 * 59] == 5000 + 59_000
    assert sounds[-1] == 5000 + int((len(sounds) - 1) * SOUND_MS)
    assert abs(pictures[-1] - sounds[-1]) < 40


def test_it_sends_nothing_before_it_is_due_and_says_how_long_that_is() -> None:
    player = Player(slate(), 0, 100.0)
    assert [frame.kind for frame in player.due(100.0, 1.0)] == [Kind.VIDEO, Kind.AUDIO]
    assert player.wait(100.0) == pytest.approx(SOUND_MS / 1000)
    assert player.due(100.02, 1.0) == []
    assert [frame.kind for frame in player.due(100.034, 1.0)] == [Kind.AUDIO, Kind.VIDEO]


def test_it_makes_up_for_a_short_stop_of_the_worker_and_not_for_a_long_one() -> None:
    player = Player(slate(audio=False), 0, 100.0)
    player.due(100.0, 1.0)
    assert len(player.due(101.0, 1.0)) == 30
    after = player.due(101.0 + MOST_BEHIND + 60, 1.0)
    assert len(after) == 1
    assert after[0].dts <= 1034, "its time stood still with the worker"
    assert player.slate.bytes == 60 * len(b"slate")
