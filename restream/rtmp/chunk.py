"""The RTMP chunk stream (RTMP 1.0, section 5.3): bytes to messages and back. Pure and incremental."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from restream.rtmp.message import ABORT, SET_CHUNK, Message

DEFAULT_CHUNK: Final = 128
LARGEST_CHUNK: Final = 0x7FFF_FFFF
LARGEST_MESSAGE: Final = 8 << 20
"""Bytes; a 1080p keyframe at 50 Mbit/s is about 1 MB. More is an attack or a broken encoder."""
EXTENDED: Final = 0xFFFFFF
HEADER_BYTES: Final = (11, 7, 3, 0)
MOST_STREAMS: Final = 64
LARGEST_COMMAND: Final = 64 << 10
"""Bytes; enough for whoever is not sending media: a peer we have not admitted, a platform that answers."""


class BrokenChunk(ValueError):
    """The bytes are not a chunk stream we can go on with."""


@dataclass(slots=True)
class _Stream:
    """What a chunk stream remembers from its last header."""

    timestamp: int = 0
    delta: int = 0
    length: int = 0
    kind: int = 0
    stream: int = 0
    extended: bool = False
    partial: bytearray = field(default_factory=bytearray)


class ChunkReader:
    """Feed bytes as they come; get whole messages. `chunk_size` follows the peer's SetChunk by itself.

    `largest` is the longest message taken, and half of what is held in messages that are not finished; it
    may be raised on the way.
    """

    def __init__(self, largest: int = LARGEST_MESSAGE) -> None:
        self.chunk_size = DEFAULT_CHUNK
        self.largest = largest
        self._buffer = bytearray()
        self._streams: dict[int, _Stream] = {}
        self._unfinished = 0

    def feed(self, data: bytes) -> list[Message]:
        """Messages that are complete now. Raises BrokenChunk; the connection is then beyond repair."""
        buffer = self._buffer
        buffer += data
        messages: list[Message] = []
        at = 0
        while True:
            used = self._read_chunk(buffer, at, messages)
            if not used:
                break
            at += used
        if at:
            del buffer[:at]
        return messages

    def _read_chunk(self, buffer: bytearray, start: int, messages: list[Message]) -> int:
        """Consume one chunk at `start`; the number of bytes, or 0 when it is not all there yet."""
        end = len(buffer)
        if start >= end:
            return 0
        form, number, at = buffer[start] >> 6, buffer[start] & 63, start + 1
        if number < 2:
            wide = number + 1
            if at + wide > end:
                return 0
            number = int.from_bytes(buffer[at : at + wide], "little") + 64
            at += wide
        stream = self._streams.get(number)
        if stream is None:
            stream = self._open(number, form)
        continues = form == 3 and bool(stream.partial)
        header, long_time = b"", None
        if not continues or stream.extended:
            size = HEADER_BYTES[form]
            if at + size > end:
                return 0
            header = bytes(buffer[at : at + size])
            at += size
            if int.from_bytes(header[:3], "big") == EXTENDED if form < 3 else stream.extended:
                if at + 4 > end:
                    return 0
                long_time = int.from_bytes(buffer[at : at + 4], "big")
                if form == 3 and not self._repeats_time(stream, long_time):
                    long_time = None  # this peer does not repeat the extended timestamp: it is payload
                else:
                    at += 4
        length = stream.length if form > 1 else int.from_bytes(header[3:6], "big")
        if length > self.largest:
            raise BrokenChunk(f"a message of {length} bytes is more than we take")
        take = min(length - len(stream.partial) if continues else length, self.chunk_size)
        if at + take > end:
            return 0
        if not continues:
            self._begin(stream, form, header, long_time)
        stream.partial += buffer[at : at + take]
        self._unfinished += take
        if len(stream.partial) >= stream.length:
            self._finish(stream, messages)
        elif self._unfinished > 2 * self.largest:
            raise BrokenChunk("too many unfinished messages")
        return at + take - start

    def _open(self, number: int, form: int) -> _Stream:
        if form != 0 and form != 1:
            raise BrokenChunk(f"chunk stream {number} begins without a header")
        if len(self._streams) >= MOST_STREAMS:
            raise BrokenChunk("too many chunk streams")
        return self._streams.setdefault(number, _Stream())

    def _repeats_time(self, stream: _Stream, value: int) -> bool:
        """Whether the 4 bytes behind a type 3 header are the extended timestamp (some peers omit it)."""
        return value in (stream.timestamp, stream.delta)

    def _begin(self, stream: _Stream, form: int, header: bytes, long_time: int | None) -> None:
        """Start a message; a new header while one is unfinished throws the old one away."""
        self._forget(stream)
        if form < 3:
            time = int.from_bytes(header[:3], "big") if long_time is None else long_time
            stream.extended = long_time is not None
            stream.delta = time
        if form < 2:
            stream.length = int.from_bytes(header[3:6], "big")
            stream.kind = header[6]
        if form == 0:
            stream.stream = int.from_bytes(header[7:11], "little")
            stream.timestamp = stream.delta
        else:
            stream.timestamp = (stream.timestamp + stream.delta) & 0xFFFF_FFFF

    def _finish(self, stream: _Stream, messages: list[Message]) -> None:
        payload = bytes(stream.partial)
        self._forget(stream)
        message = Message(stream.kind, stream.timestamp, stream.stream, payload)
        if message.kind == SET_CHUNK and len(payload) >= 4:
            size = int.from_bytes(payload[:4], "big") & LARGEST_CHUNK
            if not size:
                raise BrokenChunk("a chunk size of 0")
            self.chunk_size = size
        elif message.kind == ABORT and len(payload) >= 4:
            aborted = self._streams.get(int.from_bytes(payload[:4], "big"))
            if aborted:
                self._forget(aborted)
        messages.append(message)

    def _forget(self, stream: _Stream) -> None:
        self._unfinished -= len(stream.partial)
        stream.partial.clear()


def serialise(message: Message, number: int, chunk_size: int) -> bytes:
    """One message as chunks: a type 0 header, then type 3 continuations.

    Always whole headers, never deltas: the bytes then depend on nothing that was sent before, and the
    same bytes serve every peer with this chunk size.
    """
    long_time = message.timestamp if message.timestamp >= EXTENDED else None
    extra = b"" if long_time is None else long_time.to_bytes(4, "big")
    payload = message.payload
    head = b"".join(
        (
            bytes([number]),
            min(message.timestamp, EXTENDED).to_bytes(3, "big"),
            len(payload).to_bytes(3, "big"),
            bytes([message.kind]),
            message.stream.to_bytes(4, "little"),
            extra,
        )
    )
    if len(payload) <= chunk_size:
        return head + payload
    more = bytes([0xC0 | number]) + extra
    pieces = [head, payload[:chunk_size]]
    for at in range(chunk_size, len(payload), chunk_size):
        pieces += [more, payload[at : at + chunk_size]]
    return b"".join(pieces)
