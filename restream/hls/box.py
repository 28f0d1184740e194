"""The box every other one is made with (ISO/IEC 14496-12, 4.2). Pure."""

from __future__ import annotations

import struct


def box(kind: bytes, *content: bytes) -> bytes:
    """A box around its content."""
    size = 8 + sum(map(len, content))
    return b"".join((struct.pack(">I4s", size, kind), *content))


def full(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)
