"""One more pipe out of a child, beside its standard output."""

from __future__ import annotations

import asyncio
import os
from types import TracebackType
from typing import Final, Self

READ: Final = 64 << 10


class Outlet:
    """Open it, start the child with `fd` among its `pass_fds`, then call `handed_over`."""

    def __init__(self, fd: int, transport: asyncio.ReadTransport, stream: asyncio.StreamReader) -> None:
        self.fd = fd
        self._transport = transport
        self._stream = stream

    @classmethod
    async def open(cls) -> Self:
        """A fresh pipe. Raises OSError when there are no more descriptors."""
        ours, theirs = os.pipe()
        try:
            loop = asyncio.get_running_loop()
            stream = asyncio.StreamReader()
            transport, _ = await loop.connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(ours, "rb", 0)
            )
        except BaseException:
            os.close(theirs)
            raise
        return cls(theirs, transport, stream)

    def handed_over(self) -> None:
        """The child has its end: close ours of it, or its end would never be noticed. Harmless twice."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    async def read(self, size: int = READ) -> bytes:
        """Some bytes of what the child wrote; empty when it has closed its end."""
        return await self._stream.read(size)

    def close(self) -> None:
        """Nobody reads any more: a child that goes on writing fails."""
        self.handed_over()
        self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
