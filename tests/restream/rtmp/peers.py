"""Both ends of RTMP for the tests: a gate that notes what it is fed, and an encoder spelled out by hand."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from restream.gate import Publisher, PublishRefused, PublishRequest
from restream.media import Frame
from restream.rtmp import amf0, handshake, message
from restream.rtmp.chunk import ChunkReader, serialise
from restream.rtmp.message import Command, Message

KEY = "sk_live?user=1&a=b/c"
SECONDS = 10.0
"""How long a test waits for what must happen at once."""


@dataclass
class Intake:
    """One publish (`rtmp.server.Publisher`)."""

    request: PublishRequest
    kick: Callable[[str], None]
    frames: list[Frame] = field(default_factory=list)
    described: dict[str, object] = field(default_factory=dict)
    reason: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def frame(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.came.set()

    def metadata(self, values: dict[str, object]) -> None:
        self.described = values
        self.came.set()

    def closed(self, reason: str) -> None:
        assert not self.over.is_set(), "closed twice"
        self.reason = reason
        self.over.set()
        self.came.set()

    async def until(self, ready: Callable[[], bool]) -> None:
        """Wait for something that frames bring about."""
        async with asyncio.timeout(SECONDS):
            while not ready():
                self.came.clear()
                await self.came.wait()


class NotingGate:
    """A gate (`rtmp.server.Gate`) that admits KEY, with or without a query."""

    def __init__(self) -> None:
        self.intakes: list[Intake] = []
        self.asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self._came = asyncio.Event()

    async def publish(self, request: PublishRequest, kick: Callable[[str], None]) -> Publisher:
        self.asked.set()
        await self.open.wait()
        if request.key != KEY:
            raise PublishRefused("NetStream.Publish.BadName", "No show has this stream key.")
        self.intakes.append(Intake(request, kick))
        self._came.set()
        return self.intakes[-1]

    async def intake(self, number: int = 0) -> Intake:
        """The publish with that number, as soon as there is one."""
        async with asyncio.timeout(SECONDS):
            while len(self.intakes) <= number:
                self._came.clear()
                await self._came.wait()
        return self.intakes[number]


class Peer:
    """An encoder, one message at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._chunks = ChunkReader()
        self._unread: list[Message] = []
        self.seen: list[Message] = []

    async def greet(self) -> None:
        """The handshake; what comes back is checked as librtmp does."""
        c1 = handshake.hello(1)
        self.writer.write(bytes([handshake.VERSION]) + c1)
        answer = await self._reader.readexactly(1 + 2 * handshake.SIZE)
        assert answer[0] == handshake.VERSION
        assert answer[1 + handshake.SIZE :][8:] == c1[8:], "S2 must echo C1"
        self.writer.write(handshake.echo(answer[1 : 1 + handshake.SIZE]))

    async def skip(self, count: int) -> None:
        """Read some bytes and forget them."""
        await self._reader.readexactly(count)

    def send(self, what: Message, number: int = 3, chunk_size: int = 128) -> None:
        """One message."""
        self.writer.write(serialise(what, number, chunk_size))

    def say(self, name: str, transaction: float, *arguments: amf0.Value, stream: int = 0) -> None:
        """One command."""
        self.send(message.command(name, transaction, *arguments, stream=stream))

    async def receive(self) -> Message | None:
        """The next message; None when the server hung up."""
        while not self._unread:
            try:
                data = await self._reader.read(65536)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._unread = self._chunks.feed(data)
        self.seen.append(self._unread.pop(0))
        return self.seen[-1]

    async def command(self, name: str) -> Command:
        """Read on until a command of that name."""
        async with asyncio.timeout(SECONDS):
            while found := await self.receive():
                if found.kind == message.COMMAND:
                    command = message.parse_command(found)
                    if command.name == name:
                        return command
        raise AssertionError(f"the server hung up before {name}")

    async def status(self) -> dict[str, amf0.Value]:
        """The information of the next onStatus."""
        (info,) = (await self.command("onStatus")).arguments
        assert isinstance(info, dict)
        return info

    async def left(self) -> None:
        """Read until the server hangs up."""
        async with asyncio.timeout(SECONDS):
            while await self.receive():
                pass

    async def hung_up(self) -> None:
        """Say nothing more and read whatever it is until the server hangs up."""
        async with asyncio.timeout(SECONDS):
            with contextlib.suppress(OSError):
                self.writer.write_eof()
                while await self._reader.read(65536):
                    pass

    async def connect(self, **announced: amf0.Value) -> Command:
        """Greet and connect, announcing more than the old encoders do; the answer."""
        await self.greet()
        info: dict[str, amf0.Value] = {
            "app": "live",
            "tcUrl": "rtmp://localhost/live",
            "flashVer": "FMLE/3.0",
        }
        self.say("connect", 1, {**info, **announced})
        return await self.command("_result")

    async def publish(self, key: str = KEY, **announced: amf0.Value) -> dict[str, amf0.Value]:
        """Everything up to the answer to publish."""
        await self.connect(**announced)
        self.say("createStream", 2, None)
        await self.command("_result")
        self.say("publish", 3, None, key, "live", stream=1)
        return await self.status()


@asynccontextmanager
async def peer(
    port: int, context: ssl.SSLContext | None = None, receive_buffer: int = 0
) -> AsyncIterator[Peer]:
    """An encoder that is connected; `receive_buffer` (bytes) makes its kernel hold little."""
    plain = socket.socket()
    if receive_buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(
        sock=plain, ssl=context, server_hostname="localhost" if context else None
    )
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()
