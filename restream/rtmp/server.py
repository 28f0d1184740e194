"""The RTMP server: accepts publishers whose key the gate knows, and feeds their frames on.

The key is checked before `NetStream.Publish.Start` is said. One connection's trouble ends that
connection and nothing else. Keys appear in no log line and no repr.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl as tls
import time
from dataclasses import dataclass
from typing import Final, cast

import structlog

from restream.gate import Gate, Publisher, PublishRefused, PublishRequest
from restream.rtmp import amf0, handshake, message
from restream.rtmp.chunk import (
    DEFAULT_CHUNK,
    LARGEST_COMMAND,
    LARGEST_MESSAGE,
    BrokenChunk,
    ChunkReader,
    serialise,
)
from restream.rtmp.flv import BrokenTag, UnsupportedCodec, audio_frame, video_frame
from restream.rtmp.message import Command, Message, Unwrapper

log = structlog.get_logger()

MOST_UNREAD: Final = 64 << 10
"""Bytes of answers we keep for a peer that does not read them."""
WINDOW: Final = 2_500_000
OUT_CHUNK: Final = 4096
MOST_BROKEN_TAGS: Final = 20


@dataclass(frozen=True)
class Patience:
    """Seconds: to begin publishing, without a byte from an encoder, to take our last words when cut."""

    greeting: float = 10.0
    silence: float = 30.0
    linger: float = 2.0


class RtmpServer:
    """A listening server. `close` cuts every connection."""

    def __init__(self, server: asyncio.Server, connections: set[_Connection], linger: float) -> None:
        self._server = server
        self._connections = connections
        self._linger = linger
        self.port: int = server.sockets[0].getsockname()[1]

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
) -> RtmpServer:
    """Listen; port 0 picks a free one."""
    patience = patience or Patience()
    connections: set[_Connection] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(gate, connections, patience),
        host,
        port,
        ssl=ssl,
        ssl_handshake_timeout=patience.greeting if ssl else None,
        backlog=128,
    )
    return RtmpServer(server, connections, patience.linger)


class _Connection(asyncio.Protocol):
    """One encoder: handshake, commands, then media."""

    def __init__(self, gate: Gate, connections: set[_Connection], patience: Patience) -> None:
        self._gate = gate
        self._connections = connections
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._greeting = bytearray()
        self._greeted = 0
        self._reader = ChunkReader(LARGEST_COMMAND)
        self._publisher: Publisher | None = None
        self._asking: asyncio.Task[None] | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._app = ""
        self._encoder = ""
        self._received = self._acknowledged = 0
        self._window = WINDOW
        self._last_data = self._loop.time()
        self._out_chunk = DEFAULT_CHUNK
        self._broken_tags = 0
        self._clock = Unwrapper()
        self._ended_because = "The encoder closed the connection."

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)
        self._watchdog = self._loop.call_later(self._patience.greeting, self._watch)

    def connection_lost(self, _: Exception | None) -> None:
        self._connections.discard(self)
        if self._watchdog:
            self._watchdog.cancel()
        if self._asking:
            self._asking.cancel()
        self._tell_publisher()

    def _tell_publisher(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher:
            publisher.closed(self._ended_because)

    def eof_received(self) -> bool:
        return False

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return  # over TLS, bytes still arrive while the close is being agreed on
        self._last_data = self._loop.time()
        self._received += len(data)
        try:
            if self._greeted < 2:
                data = self._greet(data)
            if data:
                for found in self._reader.feed(data):
                    if not self._closing:
                        self._handle(found)
        except (BrokenChunk, amf0.BrokenAmf) as error:
            self.kick(f"Broken RTMP: {error}")
        if self._received - self._acknowledged >= self._window // 2:
            self._acknowledged = self._received
            self._send(message.u32(message.ACK, self._received & 0xFFFF_FFFF))

    def kick(self, reason: str) -> None:
        """Cut the connection; harmless when it is cut already."""
        if self._transport and not self._transport.is_closing():
            self._ended_because = reason
            self._transport.close()
            self._loop.call_later(self._patience.linger, self._transport.abort)
            self._tell_publisher()

    def abort(self) -> None:
        """Cut it without a word."""
        if self._transport:
            self._transport.abort()

    @property
    def peer(self) -> str:
        """The encoder's address."""
        name = self._transport.get_extra_info("peername") if self._transport else None
        return str(name[0]) if name else "?"

    @property
    def _closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _watch(self) -> None:
        """Cut whoever does not begin to publish, or falls silent."""
        silence = self._patience.silence
        if not self._publisher and not self._asking:
            return self.kick("Nothing was published in time.")
        if self._loop.time() - self._last_data > silence:
            return self.kick(f"The encoder was silent for {silence:.0f} seconds.")
        self._watchdog = self._loop.call_later(silence / 3, self._watch)
        return None

    def _greet(self, data: bytes) -> bytes:
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
        if found.kind in (message.AUDIO, message.VIDEO):
            self._media(found)
        elif found.kind in (message.COMMAND, message.COMMAND_AMF3):
            self._command(message.parse_command(found))
        elif found.kind == message.DATA:
            self._data(found.payload)
        elif found.kind == message.WINDOW_ACK:
            self._window = max(int.from_bytes(found.payload[:4], "big"), 1024)
        elif found.kind == message.USER_CONTROL and found.payload[:2] == b"\0\6":
            self._send(message.user_control(message.PONG, int.from_bytes(found.payload[2:6], "big")))
        elif found.kind == message.AGGREGATE:
            raise BrokenChunk("aggregate messages are not in use by any encoder we know")

    def _media(self, found: Message) -> None:
        if not self._publisher:
            raise BrokenChunk("media before publish")
        read = video_frame if found.kind == message.VIDEO else audio_frame
        try:
            frame = read(found.payload, self._clock.unwrap(found.timestamp), time.time())
            if frame:
                self._publisher.frame(frame)
        except UnsupportedCodec as error:
            self._refuse("NetStream.Publish.Rejected", str(error))
            return
        except BrokenTag as error:
            self._overlook(error)

    def _overlook(self, error: BrokenTag | amf0.BrokenAmf) -> None:
        """One garbled message is left out; an encoder that garbles many is cut."""
        self._broken_tags += 1
        log.warning("ingest.broken_tag", peer=self.peer, error=str(error), count=self._broken_tags)
        if self._broken_tags >= MOST_BROKEN_TAGS:
            self._refuse("NetStream.Publish.Rejected", f"Too many broken FLV tags; the last one: {error}")

    def _data(self, payload: bytes) -> None:
        if not self._publisher:
            return None
        try:
            values = amf0.decode(payload)
        except amf0.BrokenAmf as error:
            return self._overlook(error)
        if values and values[0] == "@setDataFrame":
            values = values[1:]
        if len(values) > 1 and values[0] == "onMetaData" and isinstance(values[1], dict):
            self._publisher.metadata(dict(values[1]))
        return None

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
        elif found.name in ("FCUnpublish", "deleteStream", "closeStream") and self._publisher:
            self.kick("The encoder stopped.")

    def _connect(self, found: Command) -> None:
        info = found.target if isinstance(found.target, dict) else {}
        self._app = str(info.get("app") or "").strip("/")
        self._encoder = str(info.get("flashVer") or "")[:80]
        for reply in (
            message.u32(message.WINDOW_ACK, WINDOW),
            message.peer_bandwidth(WINDOW),
            message.u32(message.SET_CHUNK, OUT_CHUNK),
            message.command(
                "_result",
                found.transaction,
                {"fmsVer": "FMS/3,0,1,123", "capabilities": 31.0},
                {"level": "status", "code": "NetConnection.Connect.Success", "description": "Connected."},
            ),
        ):
            self._send(reply)

    def _publish(self, found: Command) -> None:
        key = found.arguments[0] if found.arguments else None
        if not isinstance(key, str) or not key:
            return self._refuse(
                "NetStream.Publish.BadName", "There is no stream key. Copy it from the studio."
            )
        if self._publisher or self._asking:
            return self._refuse("NetStream.Publish.BadName", "This connection publishes already.")
        request = PublishRequest(app=self._app, key=key, peer=self.peer, encoder=self._encoder)
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
        if self._closing:
            publisher.closed("The encoder left while it was being admitted.")
            return
        self._publisher = publisher
        self._reader.largest = LARGEST_MESSAGE
        self._last_data = self._loop.time()
        self._send(message.user_control(message.STREAM_BEGIN, 1))
        self._send(message.status("NetStream.Publish.Start", "You are live."))

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
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MOST_UNREAD:
            self._ended_because = "The encoder does not read our answers."
            self._transport.abort()
