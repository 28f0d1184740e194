"""The plain RTMP handshake (RTMP 1.0, section 5.2). Pure."""

from __future__ import annotations

import secrets
import struct
from typing import Final

VERSION: Final = 3
SIZE: Final = 1536


def hello(time: int = 0) -> bytes:
    """C1 or S1: time, zero, random."""
    return struct.pack(">II", time & 0xFFFF_FFFF, 0) + secrets.token_bytes(SIZE - 8)


def echo(theirs: bytes, time: int = 0) -> bytes:
    """C2 or S2: must carry the peer's time and random back, or encoders hang up."""
    return theirs[:4] + struct.pack(">I", time & 0xFFFF_FFFF) + theirs[8:SIZE]
