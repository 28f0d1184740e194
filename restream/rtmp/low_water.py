"""How much must have come before the kernel wakes us: of a fast feed, more than a piece of sound.

Most of what a feed costs is not its bytes but each wake-up, after which nothing of ours is in the processor's
caches any more. Encoders write every piece of sound by itself; here it comes with the next picture.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

LOOK_SECONDS: Final = 0.25
"""How long the last bytes of a feed that falls silent may lie unread: less than it takes to count as gone."""
FAST_BYTES: Final = 16 << 10
"""In that time (half a megabit a second); what a slow feed sends is read at once."""
LEAST_BYTES: Final = 1024
"""More than a piece of sound at 320 kbit/s, less than nearly every picture."""


class LowWater:
    """Follows one connection's pace. `received` is how many bytes have come on it so far."""

    def __init__(self, transport: asyncio.Transport, received: Callable[[], int]) -> None:
        self._transport = transport
        self._received = received
        self._before = received()
        self._mark = 1
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """The connection is over."""
        self._timer.cancel()

    def _look(self) -> None:
        if self._transport.is_closing():
            return  # its socket may be gone before we are told
        now = self._received()
        mark = LEAST_BYTES if now - self._before >= FAST_BYTES else 1
        self._before = now
        if mark != self._mark:
            self._mark = mark
            # Lowering it makes the kernel look again: what lies there is then read.
            kernel = self._transport.get_extra_info("socket")
            kernel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, mark)
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)
