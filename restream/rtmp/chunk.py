"""The RTMP chunk stream (RTMP 1.0, section 5.3): bytes to messages and back. Pure and incremental."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from restream.rtmp.message import ABORT, SET_CHUNK, Message

DEFAULT_CHUNK: Final = 128
LARGEST_CHUNK: Final = 0x7FFF_FFFF
LARGEST_MESSAGE: Final = 8 << 20
"""Bytes; a 1080p keyframe at 50 Mbit/s is about 1 MB. More is an attack or a broken encoder."""
EXTENDED: Final = 0xFFFFFF
HEADER_BYTES: Final = (11, 7, 3)
COMMON_HEADER: Final = struct.Struct(">HBHBB")
"""Timestamp and length in 16 and 8 bits each, and kind: what types 0 and 1 have in common."""
MOST_STREAMS: Final = 64
LARGEST_COMMAND: Final = 64 << 10
"""Bytes; enough for whoever is not sending media: a peer we have not admitted, a platform that answers."""
LONGER: Final = -1
"""No byte: the header of a continuation is longer than one."""


class BrokenChunk(ValueError):
    """The bytes are not a chunk stream we can go on with."""


@dataclass(slots=True)
class _Stream:
    """What a chunk stream remembers from its last header. `more` is the byte a continuation begins with,
    where that byte is its whole header."""

    number: int
    timestamp: int = 0
    delta: int = 0
    length: int = 0
    kind: int = 0
    stream: int = 0
    extended: bool = False
    more: int = LONGER
    partial: bytearray = field(default_factory=bytearray)


class ChunkReader:
    """Feed bytes as they come; get whole messages. `chunk_size` follows the peer's SetChunk by itself.

    `largest` is the longest message taken, and half of what is held in messages that are not finished; it
    may be raised on the way. Payload is taken in as it comes; only a header waits until it is whole.
    """

    def __init__(self, largest: int = LARGEST_MESSAGE) -> None:
        self.chunk_size = DEFAULT_CHUNK
        self.largest = largest
        self._rest = b""
        self._streams: dict[int, _Stream] = {}
        self._inside: _Stream | None = None
        self._left = 0
        self._unfinished = 0
        self._omits_time = False

    def feed(self, data: bytes | memoryview) -> list[Message]:
        """Messages that are complete now. Raises BrokenChunk; the connection is then beyond repair."""
        return list(self.messages(data))

    def messages(self, data: bytes | memoryview) -> Iterator[Message]:
        """The same one by one: what is done about a message, raising `largest` say, holds for the next.

        Who stops before the end loses the rest of `data`; who goes on to the end may write over it.
        """
        if self._rest:
            data, self._rest = b"".join((self._rest, data)), b""
        at, end = 0, len(data)
        while at < end:
            stream = self._inside
            if stream is None:
                header = self._read_header(data, at, end)
                if header is None:
                    self._rest = bytes(data[at:])
                    return
                stream, at = header
            length = stream.length
            after = at + length + max(length - 1, 0) // self.chunk_size  # with a byte before each other chunk
            payload = self._whole(stream, data, at, after) if after <= end and not stream.partial else None
            if payload is not None:
                at = after
                self._inside = None
            else:
                at = self._take_in(stream, data, at, end)
                if len(stream.partial) < length:
                    continue
                payload = bytes(stream.partial)
                self._forget(stream)
            found = Message(stream.kind, stream.timestamp, stream.stream, payload)
            if found.kind <= ABORT:
                self._obey(found)
            yield found

    def _whole(self, stream: _Stream, data: bytes | memoryview, at: int, after: int) -> bytes | None:
        """The payload of a message that is all there; None where its chunks are not all that follows."""
        size = self.chunk_size
        if stream.length <= size:
            return bytes(data[at:after])
        if stream.more == LONGER:
            return None
        headers = bytes(data[at + size : after : size + 1])
        if headers.count(stream.more) != len(headers):
            return None
        chunks = data[at:after]
        return b"".join([chunks[place : place + size] for place in range(0, after - at, size + 1)])

    def _take_in(self, stream: _Stream, data: bytes | memoryview, at: int, end: int) -> int:
        """Payload, through continuations as long as their header is one byte; the place where that ends."""
        partial, left, size, more = stream.partial, self._left, self.chunk_size, stream.more
        missing = wanted = stream.length - len(partial)
        while True:
            take = min(left, end - at)
            partial += data[at : at + take]
            at += take
            left -= take
            missing -= take
            if left or not missing or at == end or data[at] != more:
                break
            at += 1
            left = min(size, missing)
        self._left = left
        self._inside = stream if left else None
        self._unfinished += wanted - missing
        if missing and self._unfinished > 2 * self.largest:
            raise BrokenChunk("too many unfinished messages")
        return at

    def _read_header(self, data: bytes | memoryview, at: int, end: int) -> tuple[_Stream, int] | None:
        """One chunk's header: its stream, and where its payload begins; None when it is not all there yet."""
        form, number, at = data[at] >> 6, data[at] & 63, at + 1
        usual = self._streams.get(number) if form < 2 else None
        if usual and not usual.partial and at + 11 <= end and data[at] < 0xFF:
            return usual, self._begin_as_usual(usual, form, data, at)
        if number < 2:
            wide = number + 1
            if at + wide > end:
                return None
            number = int.from_bytes(data[at : at + wide], "little") + 64
            at += wide
        stream = self._streams.get(number) or self._open(number, form)
        after = self._go_on(stream, data, at, end) if form == 3 else self._begin(stream, form, data, at, end)
        if after is None:
            return None
        self._await_payload(stream, stream.length - len(stream.partial))
        return stream, after

    def _begin_as_usual(self, stream: _Stream, form: int, data: bytes | memoryview, at: int) -> int:
        """The header of most messages, in one go: type 0 or 1, all there, on a channel that is known, without
        an extended timestamp. The place behind it."""
        high, low, long, length, stream.kind = COMMON_HEADER.unpack_from(data, at)
        stream.delta = high << 8 | low
        stream.length = length = long << 8 | length
        stream.extended, stream.more = False, 0xC0 | stream.number
        self._await_payload(stream, length)
        if form:
            stream.timestamp = (stream.timestamp + stream.delta) & 0xFFFF_FFFF
            return at + 7
        stream.timestamp = stream.delta
        stream.stream = int.from_bytes(data[at + 7 : at + 11], "little")
        return at + 11

    def _await_payload(self, stream: _Stream, missing: int) -> None:
        if stream.length > self.largest:
            raise BrokenChunk(f"a message of {stream.length} bytes is more than we take")
        self._left = min(missing, self.chunk_size)
        self._inside = stream if missing else None

    def _open(self, number: int, form: int) -> _Stream:
        if form != 0 and form != 1:
            raise BrokenChunk(f"chunk stream {number} begins without a header")
        if len(self._streams) >= MOST_STREAMS:
            raise BrokenChunk("too many chunk streams")
        return self._streams.setdefault(number, _Stream(number))

    def _go_on(self, stream: _Stream, data: bytes | memoryview, at: int, end: int) -> int | None:
        """A type 3 header: the message goes on, or one like the last begins.

        The extended timestamp is repeated by the specification and left out by librtmp's relatives. Whoever
        left it out once always does: then nothing has to be compared, and waited for.
        """
        if stream.extended and not self._omits_time:
            if at + 4 > end:
                return None
            if int.from_bytes(data[at : at + 4], "big") in (stream.timestamp, stream.delta):
                at += 4
            else:
                self._omits_time = True
        if not stream.partial:
            stream.timestamp = (stream.timestamp + stream.delta) & 0xFFFF_FFFF
        return at

    def _begin(self, stream: _Stream, form: int, data: bytes | memoryview, at: int, end: int) -> int | None:
        """A message begins; one that is unfinished is thrown away."""
        after = at + HEADER_BYTES[form]
        if after > end:
            return None
        time = int.from_bytes(data[at : at + 3], "big")
        extended = time == EXTENDED
        if extended:
            if after + 4 > end:
                return None
            time = int.from_bytes(data[after : after + 4], "big")
        self._forget(stream)
        stream.delta, stream.extended = time, extended
        stream.more = LONGER if extended or stream.number >= 64 else 0xC0 | stream.number
        if form < 2:
            stream.length = int.from_bytes(data[at + 3 : at + 6], "big")
            stream.kind = data[at + 6]
        if form == 0:
            stream.stream = int.from_bytes(data[at + 7 : at + 11], "little")
            stream.timestamp = time
        else:
            stream.timestamp = (stream.timestamp + time) & 0xFFFF_FFFF
        return after + 4 if extended else after

    def _obey(self, found: Message) -> None:
        """SetChunk and Abort are about this reader."""
        if len(found.payload) < 4:
            return
        value = int.from_bytes(found.payload[:4], "big")
        if found.kind == SET_CHUNK:
            self.chunk_size = value & LARGEST_CHUNK
            if not self.chunk_size:
                raise BrokenChunk("a chunk size of 0")
        elif found.kind == ABORT and value in self._streams:
            self._forget(self._streams[value])

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
    # Eight bytes at once: chunk stream (1), timestamp (3), length (3), kind (1).
    first = number << 56 | min(message.timestamp, EXTENDED) << 32 | len(payload) << 8 | message.kind
    head = first.to_bytes(8, "big") + message.stream.to_bytes(4, "little") + extra
    if len(payload) <= chunk_size:
        return head + payload
    more = bytes([0xC0 | number]) + extra
    pieces = [head, payload[:chunk_size]]
    for at in range(chunk_size, len(payload), chunk_size):
        pieces += [more, payload[at : at + chunk_size]]
    return b"".join(pieces)
