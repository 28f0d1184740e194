"""The RTMP client: connects to a platform's ingest and publishes. Bytes are written by whoever owns it."""

from __future__ import annotations

import asyncio
import errno
import ssl as tls
from collections.abc import Callable
from typing import Final

from restream.rtmp import amf0, enhanced, handshake, message
from restream.rtmp.address import RtmpAddress
from restream.rtmp.chunk import DEFAULT_CHUNK, LARGEST_COMMAND, BrokenChunk, ChunkReader, serialise
from restream.rtmp.message import Command, Message

STEP_SECONDS: Final = 10.0
GOODBYE_SECONDS: Final = 2.0
MOST_HELD: Final = 6
"""Messages that wait; sound alone, without pictures, is never later than this many frames (128 ms)."""
FLASH_VERSION: Final = "FMLE/3.0 (compatible; Simulcast Hub)"
AUTH_CODES: Final = ("BadName", "Denied", "Rejected", "Unauthorized", "InvalidKey")


class PublishRejected(Exception):
    """The far end said no. `auth`: the key or the account is the reason, trying again will not help."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{description or 'The platform refused the stream.'} ({code})")
        self.code = code
        self.auth = any(word in code for word in AUTH_CODES)


class RtmpClient:
    """An accepted publish. Make it with `await publish(...)`; write chunks with `write`."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        chunk_size: int,
        step: float = STEP_SECONDS,
    ) -> None:
        self.chunk_size = chunk_size
        self.sent = 0
        self.acked = 0
        self.acked_at = 0.0
        """By the loop's clock, so that whoever looks later knows how long ago it was."""
        self._reader = reader
        self._writer = writer
        self._step = step
        self._chunks = ChunkReader(LARGEST_COMMAND)
        self._out_chunk = DEFAULT_CHUNK
        self._transaction = 0.0
        self._key = ""
        self._held: list[bytes] = []
        self._received = self._answered = 0
        self._window = 2_500_000

    @property
    def waiting(self) -> int:
        """Bytes the network has not taken yet."""
        return self._writer.transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Send serialised chunks, after those that wait; never blocks."""
        if self._held:
            self._held.append(data)
            self.flush()
        else:
            self.sent += len(data)
            self._writer.write(data)

    def write_with_next(self, data: bytes) -> None:
        """Let chunks wait for the next write: a system call spared for each piece of sound."""
        self._held.append(data)
        if len(self._held) >= MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Send what waits, when no next write is in sight."""
        if not self._held:
            return
        self.sent += sum(map(len, self._held))
        self._writer.writelines(self._held)
        self._held = []

    async def follow(self) -> str:
        """Read what the far end says until it ends; the reason it ended. Keeps `acked` current."""
        try:
            while True:
                for found in await self._receive():
                    if found.kind in (message.COMMAND, message.COMMAND_AMF3):
                        self._refused(message.parse_command(found))
        except (OSError, EOFError, BrokenChunk, amf0.BrokenAmf, tls.SSLError) as error:
            return f"The platform closed the connection ({type(error).__name__})."

    async def close(self, *, polite: bool) -> None:
        """End the publish (FCUnpublish, deleteStream) and hang up."""
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                if polite and not self._writer.is_closing():
                    self.flush()
                    await self._say_goodbye()
                self._writer.close()
                await self._writer.wait_closed()
        except (OSError, TimeoutError, tls.SSLError):
            self._writer.transport.abort()

    async def _say_goodbye(self) -> None:
        """Then let the far end read to the end: a socket that is closed would answer its next
        acknowledgement with a reset, and some servers then drop what they have not looked at."""
        self._tell("FCUnpublish", None, self._key)
        self._tell("deleteStream", None, 1.0)
        if self._writer.can_write_eof():
            self._writer.write_eof()
            while await self._reader.read(65536):
                pass

    async def open(self, address: RtmpAddress) -> None:
        """Handshake, connect, createStream, publish; raises PublishRejected, OSError or TimeoutError."""
        async with asyncio.timeout(self._step):
            await self._greet()
        self._key = address.key
        self._send(message.u32(message.SET_CHUNK, self.chunk_size))
        self._out_chunk = self.chunk_size
        connect: dict[str, amf0.Value] = {
            "app": address.app,
            "type": "nonprivate",
            "flashVer": FLASH_VERSION,
            "tcUrl": address.tc_url,
            **enhanced.offer(),
        }
        await self._call("connect", connect)
        self._tell("releaseStream", None, address.key)
        self._tell("FCPublish", None, address.key)
        stream = await self._call("createStream", None)
        if stream != 1.0:
            raise PublishRejected(
                "NetStream.Create.Unexpected", f"The platform opened stream {stream}, not 1."
            )
        self._tell("publish", None, address.key, "live", stream=1)
        await self._await_start()

    async def _greet(self) -> None:
        c1 = handshake.hello()
        self._writer.write(bytes([handshake.VERSION]) + c1)
        version = (await self._reader.readexactly(1))[0]
        if version != handshake.VERSION:
            raise PublishRejected("Handshake", f"The server speaks RTMP version {version}.")
        s1 = await self._reader.readexactly(handshake.SIZE)
        self._writer.write(handshake.echo(s1))
        await self._reader.readexactly(handshake.SIZE)

    async def _call(self, name: str, *arguments: amf0.Value) -> amf0.Value:
        """Send a command and wait for its _result."""
        number = self._tell(name, *arguments)

        def answer(found: Command) -> tuple[amf0.Value] | None:
            if found.transaction != number or found.name not in ("_result", "_error"):
                return None
            if found.name == "_error":
                raise self._rejection(found.arguments or [found.target], f"The platform refused {name}.")
            return (found.arguments[0] if found.arguments else None,)

        return await self._wait(answer)

    async def _await_start(self) -> None:
        def started(found: Command) -> tuple[amf0.Value] | None:
            self._refused(found)
            if found.name == "onStatus" and code_of(found.arguments) == "NetStream.Publish.Start":
                return (None,)
            return None

        await self._wait(started)

    async def _wait(self, wanted: Callable[[Command], tuple[amf0.Value] | None]) -> amf0.Value:
        async with asyncio.timeout(self._step):
            while True:
                for found in await self._receive():
                    if found.kind in (message.COMMAND, message.COMMAND_AMF3):
                        answer = wanted(message.parse_command(found))
                        if answer:
                            return answer[0]

    async def _receive(self) -> list[Message]:
        data = await self._reader.read(65536)
        if not data:
            raise EOFError("the far end closed")
        self._received += len(data)
        if self._received - self._answered >= self._window // 2:
            self._answered = self._received
            self._send(message.u32(message.ACK, self._received & 0xFFFF_FFFF))
        found = self._chunks.feed(data)
        for one in found:
            self._control(one)
        return found

    def _control(self, found: Message) -> None:
        value = int.from_bytes(found.payload[:4], "big")
        if found.kind == message.ACK:
            self.acked, self.acked_at = value, asyncio.get_running_loop().time()
        elif found.kind == message.WINDOW_ACK:
            self._window = max(value, 1024)
        elif found.kind == message.PEER_BANDWIDTH:
            self._send(message.u32(message.WINDOW_ACK, value))
        elif found.kind == message.USER_CONTROL and found.payload[:2] == b"\0\6":
            self._send(message.user_control(message.PONG, int.from_bytes(found.payload[2:6], "big")))

    def _refused(self, found: Command) -> None:
        if found.name == "onStatus" and level_of(found.arguments) == "error":
            raise self._rejection(found.arguments, "The platform refused the stream.")

    def _rejection(self, arguments: list[amf0.Value], fallback: str) -> PublishRejected:
        """The refusal a status describes; some servers repeat the key in it, which is not for showing."""
        info = info_of(arguments)
        said = str(info.get("description") or fallback)
        for secret in (self._key, self._key.partition("?")[0]):
            said = said.replace(secret, "…") if secret else said
        return PublishRejected(str(info.get("code") or "error")[:80], said[:200])

    def _tell(self, name: str, *arguments: amf0.Value, stream: int = 0) -> float:
        self._transaction += 1
        self._send(message.command(name, self._transaction, *arguments, stream=stream))
        return self._transaction

    def _send(self, what: Message) -> None:
        number = message.COMMAND_CHUNK if what.kind == message.COMMAND else message.CONTROL_CHUNK
        self._writer.write(serialise(what, number, self._out_chunk))


async def publish(
    address: RtmpAddress,
    *,
    chunk_size: int,
    context: tls.SSLContext | None = None,
    step: float = STEP_SECONDS,
) -> RtmpClient:
    """Connect and publish; each step may take `step` seconds.

    Raises PublishRejected, OSError (unreachable, bad certificate) or TimeoutError.
    """
    async with asyncio.timeout(step):
        reader, writer = await asyncio.open_connection(
            address.host,
            address.port,
            ssl=context if address.secure else None,
            server_hostname=address.host if address.secure else None,
        )
    client = RtmpClient(reader, writer, chunk_size, step)
    try:
        await client.open(address)
    except (EOFError, BrokenChunk, amf0.BrokenAmf) as error:
        await client.close(polite=False)
        why = "it hung up during the introduction" if isinstance(error, EOFError) else "it speaks no RTMP"
        raise ConnectionResetError(errno.ECONNRESET, why) from None
    except BaseException:
        await client.close(polite=False)
        raise
    return client


def info_of(arguments: list[amf0.Value]) -> dict[str, amf0.Value]:
    """The information object of a status, wherever a server puts it."""
    return next((value for value in arguments if isinstance(value, dict)), {})


def code_of(arguments: list[amf0.Value]) -> str:
    """Its code."""
    return str(info_of(arguments).get("code") or "")


def level_of(arguments: list[amf0.Value]) -> str:
    """Its level."""
    return str(info_of(arguments).get("level") or "")
