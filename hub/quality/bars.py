"""What is good enough for viewers, and the word for each figure. Sources: the rivals' 7 to 13 s, and ours."""

from __future__ import annotations

from typing import Final, Literal

Grade = Literal["good", "attention", "bad"]

REBUFFER: Final = 0.005
STARTUP_MS: Final = 2_000
LATENCY_MS: Final = 3_000
STILL_BEARABLE: Final = 2
"""Up to so many times the bar it is worth a look; beyond, viewers leave."""


def grade(value: float | None, bar: float) -> Grade | None:
    """Good is below the bar. None while nothing was measured."""
    if value is None:
        return None
    if value < bar:
        return "good"
    return "attention" if value < STILL_BEARABLE * bar else "bad"
