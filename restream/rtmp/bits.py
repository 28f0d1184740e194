"""Reading bits, most significant first, with H.264's Exp-Golomb numbers. Pure."""

from __future__ import annotations


class BitReader:
    """Reads from the front; EOFError past the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def read(self, count: int) -> int:
        """An unsigned number of `count` bits."""
        if count > self._left:
            raise EOFError("no bits left")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def ue(self) -> int:
        """An unsigned Exp-Golomb number (ITU-T H.264, 9.1)."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 32:
                raise EOFError("an endless number")
        return (1 << zeros) - 1 + self.read(zeros)

    def se(self) -> int:
        """A signed one."""
        value = self.ue()
        return (value + 1) // 2 if value % 2 else -(value // 2)
