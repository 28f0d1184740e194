"""How fast the machine is, found out by encoding."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from restream.encode.measure import NotMeasured, measure


async def test_a_real_trial_gives_a_factor(tmp_path: Path) -> None:
    """Any machine this will ever run on is between ten times as fast and fifty times as slow."""
    assert 0.1 <= await measure(tmp_path) <= 50
    assert not os.listdir(tmp_path)  # noqa: PTH208 - a look into one empty folder


async def test_without_room_for_it_the_trial_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="could not be run"):
        await measure(tmp_path / "none")
