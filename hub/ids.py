"""Keys: UUIDv7 (RFC 9562), made by us, so that rows sort by age and exist before they are stored."""

from __future__ import annotations

import os
import time
from typing import Final
from uuid import UUID

BLANK: Final = ~(0xF << 76 | 0x3 << 62)
MARKS: Final = 0x7 << 76 | 0x2 << 62
"""Version 7, variant 2."""


def new_id() -> UUID:
    """A fresh UUIDv7: 48 bits of Unix milliseconds, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10))
    return UUID(int=value & BLANK | MARKS)
