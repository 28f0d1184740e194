"""The RTMP server: accepts publishers whose key the gate knows, and feeds their frames on.

The key is checked before `NetStream.Publish.Start` is said. One connection's trouble ends that
connection and nothing else. Keys appear in no log line and no repr.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl as tls
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from restream.gate import Gate, PublishRefused, PublishRequest
from restream.rtmp import amf0, enhanced, handshake, message
from restream.rtmp.chunk import (
    DEFAULT_CHUNK,
    LARGEST_COMMAND,
    LARGEST_MESSAGE,
    BrokenChunk,
    ChunkReader,
    serialise,
)
from restream.rtmp.feed import Feed, Rejected
from restream.rtmp.low_water import LowWater
from restream.rtmp.message import Command, Message

MOST_UNREAD: Final = 64 << 10
"""Bytes of answers we keep for a peer that does not read them."""
WINDOW: Final = 2_500_000
OUT_CHUNK: Final = 4096
READ: Final = 256 << 10
"""Bytes taken from a socket at a time; one such piece of memory serves all connections."""
LARGEST_EARLY: Final = 2 << 20
"""Bytes of media kept for an encoder that does not wait to be admitted: seconds of any feed, and the gate
answers at once."""
MOST_EARLY: Final = 500


@dataclass(frozen=True)
class Patience:
    """Seconds: to begin publishing, without a byte from an encoder, to take our last words when cut."""

    greeting: float = 10.0
    silence: float = 30.0
    linger: float = 2.0


class RtmpServer:
    """A listening server. `close` cuts every connection; asked to reconnect before, encoders lose nothing."""

    def __init__(self, server: asyncio.Server, connections: set[_Connection], linger: float) -> None:
        self._server = server
        self._connections = connections
        self._linger = linger
        self.port: int = server.sockets[0].getsockname()[1]

    def ask_reconnect(self, tc_url: str | None = None) -> int:
        """Ask every publisher that knows how to come again, to `tc_url` or to where it came to; how many.

        They bring the new connection up first and are served here until they hang up.
        """
        return sum(connection.ask_reconnect(tc_url) for connection in self._connections)

    def stop_listening(self) -> None:
        """Take nobody new: the next worker may have the port. Who is here is served on."""
        self._server.close()

    async def close(self) -> None:
        """Stop listening, cut everybody, wait for their ends."""
        self._server.close()
        for connection in list(self._connections):
            connection.kick("The server is stopping.")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._linger / 2):
                await self._server.wait_closed()
        for connection in list(self._connections):
            connection.abort()


async def serve(
    gate: Gate,
    host: str,
    port: int,
    *,
    ssl: tls.SSLContext | None = None,
    patience: Patience | None = None,
    clock: Callable[[], float] | None = None,
) -> RtmpServer:
    """Listen; port 0 picks a free one. `clock` (seconds, steady) measures how fast broken tags come."""
    patience = patience or Patience()
    connections: set[_Connection] = set()
    loop, buffer = asyncio.get_running_loop(), memoryview(bytearray(READ))
    server = await loop.create_server(
        lambda: _Connection(gate, connections, patience, clock or loop.time, buffer),
        host,
        port,
        ssl=ssl,
        ssl_handshake_timeout=patience.greeting if ssl else None,
        backlog=128,
    )
    return RtmpServer(server, connections, patience.linger)


class _Connection(asyncio.BufferedProtocol):
    """One encoder: handshake, commands, then media.

    All connections of a server are read into the same `buffer`: what is read is used up in the same breath.
    """

    def __init__(
        self,
        gate: Gate,
        connections: set[_Connection],
        patience: Patience,
        clock: Callable[[], float],
        buffer: memoryview,
    ) -> None:
        self._buffer = buffer
        self._gate = gate
        self._connections = connections
        self._patience = patience
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._greeting = bytearray()
        self._greeted = 0
        self._reader = ChunkReader(LARGEST_COMMAND)
        self._feed: Feed | None = None
        self._asking: asyncio.Task[None] | None = None
        self._early: list[Message] = []
        self._early_bytes = 0
        self._watchdog: asyncio.TimerHandle | None = None
        self._app = ""
        self._encoder = ""
        self._reconnects = False
        self._received = self._acknowledged = 0
        self._low_water: LowWater | None = None
        self._window = WINDOW
        self._last_data = self._loop.time()
        self._out_chunk = DEFAULT_CHUNK
        self._over = False
        self._ended_because = "The encoder closed the connection."

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)
        self._watchdog = self._loop.call_later(self._patience.greeting, self._watch)

    def connection_lost(self, _: Exception | None) -> None:
        self._over = True
        self._connections.discard(self)
        if self._watchdog:
            self._watchdog.cancel()
        if self._asking:
            self._asking.cancel()
        if self._low_water:
            self._low_water.stop()
        self._tell_publisher()

    def _tell_publisher(self) -> None:
        feed, self._feed = self._feed, None
        if feed:
            feed.closed(self._ended_because)

    def eof_received(self) -> bool:
        return False

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._over:
            return  # over TLS, bytes still arrive while the close is being agreed on
        self._last_data = self._loop.time()
        self._received += nbytes
        data: bytes | memoryview = self._buffer[:nbytes]
        try:
            if self._greeted < 2:
                data = self._greet(data)
            for found in self._reader.messages(data):
                if self._feed and found.kind in message.MEDIA:
                    self._take(self._feed, found)
                elif not self._over:
                    self._handle(found)
        except (BrokenChunk, amf0.BrokenAmf) as error:
            self.kick(f"Broken RTMP: {error}")
        if self._received - self._acknowledged >= self._window // 2:
            self._acknowledged = self._received
            self._send(message.u32(message.ACK, self._received & 0xFFFF_FFFF))

    def kick(self, reason: str) -> None:
        """Cut the connection; harmless when it is cut already."""
        if self._transport and not self._over:
            self._over = True
            self._ended_because = reason
            self._transport.close()
            self._loop.call_later(self._patience.linger, self._transport.abort)
            self._tell_publisher()

    def abort(self) -> None:
        """Cut it without a word."""
        self._over = True
        if self._transport:
            self._transport.abort()

    @property
    def peer(self) -> str:
        """The encoder's address."""
        name = self._transport.get_extra_info("peername") if self._transport else None
        return str(name[0]) if name else "?"

    def ask_reconnect(self, tc_url: str | None) -> bool:
        """Ask a publisher to come again; False where there is none, or none that would understand."""
        if not self._feed or not self._reconnects:
            return False
        self._send(message.reconnect_request(tc_url))
        return True

    def _watch(self) -> None:
        """Cut whoever does not begin to publish, or falls silent."""
        silence = self._patience.silence
        if not self._feed and not self._asking:
            return self.kick("Nothing was published in time.")
        if self._loop.time() - self._last_data > silence:
            return self.kick(f"The encoder was silent for {silence:.0f} seconds.")
        self._watchdog = self._loop.call_later(silence / 3, self._watch)
        return None

    def _greet(self, data: bytes | memoryview) -> bytes:
        """C0 C1 in, S0 S1 S2 out, C2 in; what is left belongs to the chunk stream."""
        self._greeting += data
        if self._greeted == 0:
            if self._greeting[0] != handshake.VERSION:
                raise BrokenChunk("this is not RTMP")
            if len(self._greeting) < 1 + handshake.SIZE:
                return b""
            c1 = bytes(self._greeting[1 : 1 + handshake.SIZE])
            del self._greeting[: 1 + handshake.SIZE]
            self._write(bytes([handshake.VERSION]) + handshake.hello() + handshake.echo(c1))
            self._greeted = 1
        if len(self._greeting) < handshake.SIZE:
            return b""
        rest = bytes(self._greeting[handshake.SIZE :])
        self._greeting.clear()
        self._greeted = 2
        return rest

    def _handle(self, found: Message) -> None:
        if found.kind in message.MEDIA:
            self._hold(found)
        elif found.kind in (message.COMMAND, message.COMMAND_AMF3):
            self._command(message.parse_command(found))
        elif found.kind == message.WINDOW_ACK:
            self._window = max(int.from_bytes(found.payload[:4], "big"), 1024)
        elif found.kind == message.USER_CONTROL and found.payload[:2] == b"\0\6":
            self._send(message.user_control(message.PONG, int.from_bytes(found.payload[2:6], "big")))
        elif found.kind == message.AGGREGATE:
            raise BrokenChunk("aggregate messages are not in use by any encoder we know")

    def _take(self, feed: Feed, found: Message) -> None:
        try:
            feed.take(found)
        except Rejected as error:
            self._refuse("NetStream.Publish.Rejected", str(error))

    def _hold(self, found: Message) -> None:
        """Media that did not wait for our answer to `publish`: librtmp's relatives send on without it."""
        if not self._asking:
            if found.kind == message.DATA:
                return
            raise BrokenChunk("media before publish")
        self._early.append(found)
        self._early_bytes += len(found.payload)
        if self._early_bytes > LARGEST_EARLY or len(self._early) > MOST_EARLY:
            self._refuse("NetStream.Publish.Rejected", "The encoder sent too much before it was admitted.")

    def _command(self, found: Command) -> None:
        if found.name == "connect":
            self._connect(found)
        elif found.name == "createStream":
            self._send(message.command("_result", found.transaction, None, 1.0))
        elif found.name == "publish":
            self._publish(found)
        elif found.name in ("releaseStream", "FCPublish"):
            # Asked by encoders of Flash's family before publish. No onFCPublish: it says "Start", and the
            # key has not been looked at.
            self._send(message.command("_result", found.transaction, None, None))
        elif found.name == "play":
            self._refuse("NetStream.Play.Failed", "This address takes streams in; it does not play them.")
        elif found.name in ("FCUnpublish", "deleteStream", "closeStream") and self._feed:
            self.kick("The encoder stopped.")

    def _connect(self, found: Command) -> None:
        info = found.target if isinstance(found.target, dict) else {}
        self._app = str(info.get("app") or "").strip("/")
        self._encoder = str(info.get("flashVer") or "")[:80]
        self._reconnects = enhanced.reconnects(info)
        # The specification does not say in which of the two objects: both are looked at by somebody.
        able = enhanced.answer(info)
        connected = {"level": "status", "code": "NetConnection.Connect.Success", "description": "Connected."}
        for reply in (
            message.u32(message.WINDOW_ACK, WINDOW),
            message.peer_bandwidth(WINDOW),
            message.u32(message.SET_CHUNK, OUT_CHUNK),
            message.command(
                "_result",
                found.transaction,
                {"fmsVer": "FMS/3,0,1,123", "capabilities": 31.0, **able},
                {**connected, **able},
            ),
        ):
            self._send(reply)

    def _publish(self, found: Command) -> None:
        key = found.arguments[0] if found.arguments else None
        if not isinstance(key, str) or not key:
            return self._refuse(
                "NetStream.Publish.BadName", "There is no stream key. Copy it from the studio."
            )
        if self._feed or self._asking:
            return self._refuse("NetStream.Publish.BadName", "This connection publishes already.")
        request = PublishRequest(app=self._app, key=key, peer=self.peer, encoder=self._encoder)
        self._reader.largest = LARGEST_EARLY
        self._asking = self._loop.create_task(self._ask(request))
        return None

    async def _ask(self, request: PublishRequest) -> None:
        try:
            publisher = await self._gate.publish(request, self.kick)
        except PublishRefused as refused:
            self._refuse(refused.code, refused.description)
            return
        finally:
            self._asking = None
        if self._over:
            publisher.closed("The encoder left while it was being admitted.")
            return
        self._feed = Feed(publisher, self.peer, self._clock)
        self._reader.largest = LARGEST_MESSAGE
        self._last_data = self._loop.time()
        self._send(message.user_control(message.STREAM_BEGIN, 1))
        self._send(message.status("NetStream.Publish.Start", "You are live."))
        if self._transport:
            self._low_water = LowWater(self._transport, lambda: self._received)
        early, self._early = self._early, []
        for found in early:
            if self._feed:
                self._take(self._feed, found)

    def _refuse(self, code: str, description: str) -> None:
        """Say why, then hang up; encoders show the description."""
        self._send(message.status(code, description, level="error"))
        self.kick(description)

    def _send(self, what: Message) -> None:
        number = message.COMMAND_CHUNK if what.kind == message.COMMAND else message.CONTROL_CHUNK
        self._write(serialise(what, number, self._out_chunk))
        if what.kind == message.SET_CHUNK:
            self._out_chunk = OUT_CHUNK

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._over:
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MOST_UNREAD:
            self._ended_because = "The encoder does not read our answers."
            self.abort()
