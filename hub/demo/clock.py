"""A clock burned into the picture, for measuring delay from glass to glass.

40 black or white squares: 32 bits of Unix time in milliseconds, most significant first, and a sum of
their four bytes. Squares survive any encoder; the sum tells a misread from a reading.
"""

from __future__ import annotations

SQUARE = 16
BITS = 40
LEFT, TOP = 320, 690
"""Position in a 1280 by 720 picture; readers scale it to the picture they have."""


def bits_of(milliseconds: int) -> list[bool]:
    """The squares from left to right; True is white."""
    low = milliseconds & 0xFFFF_FFFF
    total = sum(low.to_bytes(4, "big")) & 0xFF
    word = low << 8 | total
    return [bool(word >> (BITS - 1 - index) & 1) for index in range(BITS)]


def burn(luma: bytearray, width: int, milliseconds: int) -> None:
    """Draw the clock into a luma plane of `width` bytes a row."""
    row = b"".join((b"\xeb" if bit else b"\x10") * SQUARE for bit in bits_of(milliseconds))
    for y in range(TOP, TOP + SQUARE):
        start = y * width + LEFT
        luma[start : start + len(row)] = row


def read(luma: bytes | memoryview, stride: int, scale: float = 1.0) -> int | None:
    """The low 32 bits of the burned time, or None when there is no clock to be read."""
    word = 0
    y = int((TOP + SQUARE / 2) * scale)
    for index in range(BITS):
        x = int((LEFT + (index + 0.5) * SQUARE) * scale)
        word = word << 1 | (luma[y * stride + x] > 125)
    low, total = word >> 8, word & 0xFF
    return low if sum(low.to_bytes(4, "big")) & 0xFF == total else None


def delay_ms(low: int, now_ms: int) -> int:
    """Milliseconds between a burned time (its low 32 bits) and now."""
    return (now_ms - low) & 0xFFFF_FFFF
