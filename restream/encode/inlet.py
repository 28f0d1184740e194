"""One more pipe into a child, beside its standard input."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Inlet:
    """`feed` never blocks: `waiting` says how much the child has not taken yet, `on_drained` is told when
    that has become nothing.

    Open it, start the child with `fd` among its `pass_fds`, then call `handed_over`.
    """

    def __init__(self, fd: int, transport: asyncio.WriteTransport, ear: _Ear) -> None:
        self.fd = fd
        self._transport = transport
        self._ear = ear
        transport.set_write_buffer_limits(high=0)

    @classmethod
    async def open(cls) -> Self:
        """A fresh pipe. Raises OSError when there are no more descriptors."""
        theirs, ours = os.pipe()
        try:
            loop = asyncio.get_running_loop()
            transport, ear = await loop.connect_write_pipe(_Ear, os.fdopen(ours, "wb", 0))
        except BaseException:
            os.close(theirs)
            raise
        return cls(theirs, transport, ear)

    def on_drained(self, told: Callable[[], None]) -> None:
        """Whom to tell each time all that was fed has been taken."""
        self._ear.told = told

    def handed_over(self) -> None:
        """The child has its end: close ours of it, or its end would never be noticed. Harmless twice."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    @property
    def waiting(self) -> int:
        """Bytes not taken yet."""
        return self._transport.get_write_buffer_size()

    def feed(self, data: bytes) -> None:
        """Write; what a dead child is told is lost."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Nothing more will come, and nobody waits for what is still here."""
        self.handed_over()
        if not self._transport.is_closing():  # asyncio fails when it is closed already
            self._transport.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Ear(asyncio.BaseProtocol):
    """Hears from the event loop when the pipe's buffer has run empty."""

    def __init__(self) -> None:
        self.told: Callable[[], None] = lambda: None

    def resume_writing(self) -> None:
        self.told()
