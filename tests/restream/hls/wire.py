"""A browser down to the bytes: what is sent is the test's, and answers are read one by one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from restream.hls import asgi
from restream.hls.bell import Bell, Waiting
from restream.hls.fast import Limits
from restream.hls.respond import PLAYLIST, SEGMENT, TEXT, Answer, Receive, Request, Scope, Send, refusal
from restream.serving import serving

SECONDS = 20.0
LATE = refusal(HTTPStatus.SERVICE_UNAVAILABLE, "no-store", "Nothing new came in time.")
MISSING = refusal(HTTPStatus.NOT_FOUND, "public, max-age=1", "There is no such show.")


@dataclass(frozen=True)
class Got:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def got(self, *, head: bool = False) -> Got:
        """The next answer; `head` when it was asked for by HEAD."""
        async with asyncio.timeout(SECONDS):
            lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
            pairs = [line.partition(": ") for line in lines[1:]]
            headers = {name.lower(): value for name, _, value in pairs}
            assert len(headers) == len(pairs), lines
            size = 0 if head or lines[0].split()[1] == "204" else int(headers["content-length"])
            return Got(int(lines[0].split()[1]), headers, await self._reader.readexactly(size))

    async def get(self, target: str, *lines: str, method: str = "GET") -> Got:
        """One whole request and its answer."""
        await self.send(request(target, *lines, method=method))
        return await self.got(head=method == "HEAD")

    async def closed(self) -> bytes:
        """What still comes until the server closes the connection."""
        async with asyncio.timeout(SECONDS):
            try:
                return await self._reader.read()
            except ConnectionResetError:
                return b""

    def leave(self) -> None:
        """Close the window."""
        self._writer.transport.abort()


def request(target: str, *lines: str, method: str = "GET") -> bytes:
    """As a browser sends it."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: shop.example", *lines, "", ""]).encode()


@dataclass
class Desk:
    """A show's origin with next to nothing in it, over the fast path and by ASGI.

    `/live/show/now` is there; `/live/show/NUMBER.m3u8` when `newest` has come so far; so is
    `/live/show/big`.
    """

    big: bytes = b""
    patience: float = 1000.0
    newest: int = 0
    bell: Bell = field(default_factory=Bell)
    fast: int = 0
    """How many requests the fast path asked about."""
    usual: int = 0
    """How many came by ASGI."""
    made: int = 0
    """How many playlists were made for those who waited."""

    def resolve(self, asked: Request) -> Answer | Waiting | None:
        """The fast path's resolver."""
        if not asked.path.startswith("/live/"):
            return None
        self.fast += 1
        return self.found(asked)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The same by ASGI."""
        self.usual += 1
        await asgi.serve(self.found, scope, receive, send)

    def found(self, asked: Request) -> Answer | Waiting:
        """What there is."""
        match asked.path.split("/")[1:]:
            case ["live", "show", "now"]:
                return Answer(200, TEXT, "no-store", (b"now ", asked.query), ranges=True)
            case ["live", "show", "big"]:
                return Answer(200, SEGMENT, "no-store", (self.big,), ranges=True)
            case ["live", "show", "broken"]:
                raise RuntimeError("a mistake")
            case ["live", "show", name]:
                return self._playlist(int(name.removesuffix(".m3u8")))
        return MISSING

    def _playlist(self, number: int) -> Answer | Waiting:
        def ready() -> Answer | None:
            if self.newest < number:
                return None
            self.made += 1
            return Answer(200, PLAYLIST, "no-store", (b"%d" % self.newest,))

        return ready() or Waiting(self.bell, number, ready, self.patience, LATE)

    def ring(self) -> None:
        """The next one has come."""
        self.newest += 1
        self.bell.ring()


async def until(true: Callable[[], bool]) -> None:
    """Look again and again."""
    async with asyncio.timeout(SECONDS):
        while not true():
            await asyncio.sleep(0.005)


class House:
    """A port with a desk behind it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.wires: list[Wire] = []

    async def wire(self, receive_buffer: int | None = None) -> Wire:
        """A new connection; a small buffer makes a client that takes little before it reads."""
        plug = socket.socket()
        if receive_buffer:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plug.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", self.port))
        self.wires.append(Wire(*await asyncio.open_connection(sock=plug, limit=2 << 10)))
        return self.wires[-1]


@asynccontextmanager
async def house(desk: Desk, limits: Limits | None = None) -> AsyncIterator[House]:
    """Open for as long as it is used."""
    async with serving(desk.app, "127.0.0.1", 0, desk.resolve, limits or Limits()) as port:
        opened = House(port)
        try:
            yield opened
        finally:
            for wire in opened.wires:
                wire.leave()
