"""How long to wait before trying a platform again. Pure."""

from __future__ import annotations

from typing import Final

STEPS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 10.0)
"""Seconds; quick at first, because most platforms keep a show for a minute or so."""
JITTER: Final = 0.2


def pause(attempt: int, chance: float) -> float:
    """Seconds before try number `attempt` (from 0); `chance` in [0, 1) spreads many targets apart."""
    step = STEPS[min(attempt, len(STEPS) - 1)]
    return step * (1 - JITTER + 2 * JITTER * chance)
