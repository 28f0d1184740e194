"""Time, handed in wherever it matters, so that tests decide what time it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns aware UTC."""


def wall_clock() -> datetime:
    """The real time."""
    return datetime.now(UTC)


def share_of(name: str) -> float:
    """From 0 to 1: always the same for a name, and evenly spread over names, so that not all come at once."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / (1 << 64)
