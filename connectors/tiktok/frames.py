"""TikTok's envelopes: the frame on the socket, and the batch of events in it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from connectors.tiktok import shapes
from connectors.tiktok.protobuf import Malformed, read, utf8, write

GZIP = b"\x1f\x8b"
PACKED = (b"compress_type", b"gzip")
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
        frame = read(shapes.Frame, data)
        payload = frame.payload
        # No protobuf message begins with these two bytes, so a forgotten header does no harm.
        if payload.startswith(GZIP) or any((one.name, one.value) == PACKED for one in frame.headers):
            payload = gunzip(payload)
        return cls(utf8(frame.kind), payload, frame.seq_id, frame.log_id)

    def encode(self, *, gzip: bool = False) -> bytes:
        """For the socket."""
        payload, headers = self.payload, []
        if gzip:
            packer = zlib.compressobj(wbits=31)
            payload = packer.compress(payload) + packer.flush()
            headers = [{"name": PACKED[0], "value": PACKED[1]}]
        return write(
            shapes.Frame,
            seq_id=self.seq_id,
            log_id=self.log_id,
            headers=headers,
            encoding=b"pb",
            kind=self.kind.encode(),
            payload=payload,
        )


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
        batch = read(shapes.Batch, data)
        return cls(
            events=tuple(
                Event(utf8(one.method), one.payload, one.msg_id, one.history) for one in batch.events
            ),
            cursor=utf8(batch.cursor),
            internal_ext=batch.internal_ext,
            need_ack=batch.need_ack,
            push_server=utf8(batch.push_server),
            route=tuple((utf8(one.name), utf8(one.value)) for one in batch.route),
            heartbeat=batch.heartbeat_ms / 1000,
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
    entering = {"room_id": room_id, "live_id": WEB_PLAYER, "identity": b"audience", "cursor": cursor.encode()}
    return Frame("im_enter_room", write(shapes.EnterRoom, **entering)).encode()


def heartbeat(room_id: int, count: int) -> bytes:
    """Keeps the connection; `count` starts at 1."""
    return Frame("hb", write(shapes.Heartbeat, room_id=room_id, count=count)).encode()


def ack(log_id: int, internal_ext: bytes) -> bytes:
    """Answers a batch that asks for it."""
    return Frame("ack", internal_ext, log_id=log_id).encode()
