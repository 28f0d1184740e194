"""A way to YouTube's fake that keeps back one answer: the broadcast is made, and nobody hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Holding:
    """`held` once the first broadcast was asked for; its answer comes when `released`, or never."""

    def __init__(self, base_url: str) -> None:
        self._target = urlsplit(base_url)
        self.url = ""
        self.held = asyncio.Event()
        self.released = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request on its way there and back."""
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
        up_reader, up_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        up_writer.write(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1) + body)
        answer = await up_reader.read()
        up_writer.close()
        verb, path = head.split(b" ")[:2]
        opens = verb == b"POST" and path.partition(b"?")[0].endswith(b"/liveBroadcasts")
        if opens and not self.held.is_set():
            self.held.set()
            await self._kept(reader)
        writer.write(answer)
        writer.close()

    async def _kept(self, asker: asyncio.StreamReader) -> None:
        """Until it is released, or whoever asked is dead."""
        ends = [asyncio.ensure_future(one) for one in (asker.read(), self.released.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for one in ends:
            one.cancel()
        await asyncio.gather(*ends, return_exceptions=True)


@asynccontextmanager
async def holding(base_url: str) -> AsyncIterator[Holding]:
    """On a free port."""
    relay = Holding(base_url)
    async with await asyncio.start_server(relay.serve, "127.0.0.1", 0) as server:
        relay.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield relay
