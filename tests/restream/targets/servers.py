"""Far ends for the tests: nginx-rtmp, and a wire that can freeze or break."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

NGINX = "/usr/sbin/nginx"
CONFIGURATION = """
user root;
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
rtmp {{
    server {{
        listen 127.0.0.1:{port};
        chunk_size 4096;
        application live {{ live on; record all; record_path {folder}; record_suffix .flv; }}
    }}
}}
"""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def configured(folder: Path, port: int) -> Path:
    """A configuration file."""
    file = folder / "nginx.conf"
    file.write_text(CONFIGURATION.format(folder=folder, port=port))
    return file


@asynccontextmanager
async def nginx(folder: Path) -> AsyncIterator[int]:
    """nginx-rtmp on a port; application `live` records each stream as KEY.flv in the folder."""
    port = free_port()
    file = configured(folder, port)
    await _run("-c", str(file))  # returns when it listens
    try:
        yield port
    finally:
        await _run("-c", str(file), "-s", "stop")


async def _run(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(NGINX, *arguments)
    async with asyncio.timeout(20):
        assert await process.wait() == 0


class Wire:
    """Stands between a client and a server. `freeze` stops reading from the client, `cut` ends everything."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.connections = 0
        self._to = port
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._answers = asyncio.Event()
        self._answers.set()
        self._most: int | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self, receive_buffer: int) -> None:
        """Listen on a free port; `receive_buffer` (bytes) makes the kernel hold little."""
        listener = socket.socket()
        if receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        listener.bind(("127.0.0.1", 0))
        self._server = await asyncio.start_server(self._connected, sock=listener)
        self.port = self._server.sockets[0].getsockname()[1]

    def freeze(self) -> None:
        """Read no more."""
        self._flowing.clear()

    def freeze_after(self, size: int) -> None:
        """Read no more from any connection that has brought so many bytes."""
        self._most = size

    def deafen(self) -> None:
        """Bring nothing back from the server any more; what the client says still arrives."""
        self._answers.clear()

    def thaw(self) -> None:
        """Read on."""
        self._flowing.set()

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        """Break everything and listen no more."""
        self.cut()
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, far_writer}
        for source, sink, held in ((reader, far_writer, True), (far_reader, writer, False)):
            task = asyncio.create_task(self._pump(source, sink, held))
            self._tasks.add(task)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, held: bool) -> None:
        brought = 0
        try:
            while data := await source.read(65536):
                await (self._flowing if held else self._answers).wait()
                brought += len(data)
                if held and self._most is not None and brought > self._most:
                    await asyncio.Event().wait()
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()


@asynccontextmanager
async def wire(port: int, receive_buffer: int = 0) -> AsyncIterator[Wire]:
    """A wire to a port."""
    between = Wire(port)
    await between.open(receive_buffer)
    try:
        yield between
    finally:
        await between.close()
