"""Time, handed in wherever it matters, so that tests decide what time it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns aware UTC."""


def wall_clock() -> datetime:
    """The real time."""
    return datetime.now(UTC)
