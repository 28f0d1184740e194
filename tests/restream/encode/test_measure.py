"""How fast the machine is, found out by encoding."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from restream.encode.measure import NotMeasured, measure, processor, remember, remembered


async def test_a_real_trial_gives_a_factor(tmp_path: Path) -> None:
    """Any machine this will ever run on is between ten times as fast and fifty times as slow."""
    assert 0.1 <= await measure(tmp_path) <= 50
    assert not os.listdir(tmp_path)  # noqa: PTH208 - a look into one empty folder


async def test_without_room_for_it_the_trial_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="could not be run"):
        await measure(tmp_path / "none")


def test_a_measurement_is_remembered_for_this_machine_only(tmp_path: Path) -> None:
    file = tmp_path / "data" / "machine.json"
    assert remembered(file) is None
    remember(file, 1.4)
    assert remembered(file) == 1.4
    file.write_text(file.read_text().replace(processor(), "2 x another"))
    assert remembered(file) is None
    file.write_text("torn")
    assert remembered(file) is None
