"""TikTok's envelopes: the frame on the socket, and the batch of events in it.

Not documented by TikTok. Source: observations of its web player published by others, written down as
field numbers; the vector in samples/frame.json was read back by an independent decoder. Unknown fields
are skipped.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from connectors.tiktok.protobuf import Malformed, Message, encode

GZIP = b"\x1f\x8b"
LARGEST = 8 * 1024 * 1024
"""Bytes of a payload after unpacking; a whole second of a busy room is a hundredth of this."""
WEB_PLAYER = 12


@dataclass(frozen=True)
class Frame:
    """One binary WebSocket message. `kind` is msg, hb, ack or im_enter_room; `payload` is unpacked."""

    kind: str
    payload: bytes = b""
    seq_id: int = 0
    log_id: int = 0

    @classmethod
    def decode(cls, data: bytes) -> Frame:
        """From the socket; raises Malformed."""
        frame = Message(data)
        headers = {header.text(1): header.text(2) for header in frame.messages(5)}
        payload = frame.blob(8)
        # No protobuf message begins with these two bytes, so a forgotten header does no harm.
        if headers.get("compress_type") == "gzip" or payload.startswith(GZIP):
            payload = gunzip(payload)
        return cls(frame.text(7), payload, frame.number(1), frame.number(2))

    def encode(self, *, gzip: bool = False) -> bytes:
        """For the socket."""
        payload, headers = self.payload, b""
        if gzip:
            packer = zlib.compressobj(wbits=31)
            payload = packer.compress(payload) + packer.flush()
            headers = encode((1, "compress_type"), (2, "gzip"))
        numbers = [(field, value) for field, value in ((1, self.seq_id), (2, self.log_id)) if value]
        return encode(*numbers, *([(5, headers)] if headers else []), (6, "pb"), (7, self.kind), (8, payload))


@dataclass(frozen=True)
class Event:
    """One thing that happened in the room; `payload` is the message that `method` names."""

    method: str
    payload: bytes
    msg_id: int = 0
    history: bool = False


@dataclass(frozen=True)
class Batch:
    """Payload of a `msg` frame, and the signing service's answer. `heartbeat` is seconds, 0 if unsaid."""

    events: tuple[Event, ...] = ()
    cursor: str = ""
    internal_ext: bytes = b""
    need_ack: bool = False
    push_server: str = ""
    route: tuple[tuple[str, str], ...] = ()
    heartbeat: float = 0.0

    @classmethod
    def decode(cls, data: bytes) -> Batch:
        """Raises Malformed."""
        batch = Message(data)
        return cls(
            events=tuple(
                Event(event.text(1), event.blob(2), event.number(3), bool(event.number(6)))
                for event in batch.messages(1)
            ),
            cursor=batch.text(2),
            internal_ext=batch.blob(5),
            need_ack=bool(batch.number(9)),
            push_server=batch.text(10),
            route=tuple((entry.text(1), entry.text(2)) for entry in batch.messages(7)),
            heartbeat=batch.number(8) / 1000,
        )


def gunzip(packed: bytes) -> bytes:
    """Unpack, but never more than LARGEST: a few bytes can unpack to gigabytes."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        data = unpacker.decompress(packed, LARGEST)
    except zlib.error:
        raise Malformed("a payload can't be unpacked") from None
    if not unpacker.eof:
        raise Malformed("a payload is cut off or too large")
    return data


def enter_room(room_id: int, cursor: str) -> bytes:
    """Said once after connecting: we only watch."""
    payload = encode((1, room_id), (4, WEB_PLAYER), (5, "audience"), (6, cursor))
    return Frame("im_enter_room", payload).encode()


def heartbeat(room_id: int, count: int) -> bytes:
    """Keeps the connection; `count` starts at 1."""
    return Frame("hb", encode((1, room_id), (2, count))).encode()


def ack(log_id: int, internal_ext: bytes) -> bytes:
    """Answers a batch that asks for it."""
    return Frame("ack", internal_ext, log_id=log_id).encode()
