"""Far ends that are broken in their own ways, and a wire for datagrams that loses some."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import cast


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that answers no SYN: its queue of connections is full, and nobody takes them."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(address)
        yield address[1]


@asynccontextmanager
async def tls_front(port: int, context: ssl.SSLContext) -> AsyncIterator[int]:
    """A port that takes TLS off, in front of one that knows none."""
    tasks: set[asyncio.Task[None]] = set()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        tasks.add(asyncio.create_task(pump(reader, far_writer)))
        tasks.add(asyncio.create_task(pump(far_reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class LossyWire(asyncio.DatagramProtocol):
    """Datagrams to a port and back; each is lost with a probability. `lost` counts, `mute` loses all."""

    def __init__(self, port: int, probability: float) -> None:
        self.port = 0
        self.lost = 0
        self.mute = False
        self._to = ("127.0.0.1", port)
        self._probability = probability
        self._chance = random.Random(7)  # the same losses every time
        self._near: tuple[str, int] | None = None
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port = self._transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr != self._to:
            self._near = addr
        if self.mute or self._chance.random() < self._probability:
            self.lost += 1
            return
        to = self._near if addr == self._to else self._to
        if to and self._transport:
            self._transport.sendto(data, to)


@asynccontextmanager
async def lossy_wire(port: int, probability: float) -> AsyncIterator[LossyWire]:
    """It, on a free port."""
    transport, wire = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: LossyWire(port, probability), local_addr=("127.0.0.1", 0)
    )
    try:
        yield wire
    finally:
        transport.close()


def command_lines() -> list[str]:
    """What everybody on the machine can read of the children that are fed through a pipe."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if "pipe:0" in line:
                found.append(line)
    return found
