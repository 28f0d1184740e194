"""SRT's packets but for the handshake: numbers, data, and what the two ends tell each other about it. Pure.

Source: draft-sharabayko-srt-01, section 3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

HANDSHAKE, KEEPALIVE, ACK, NAK, SHUTDOWN, ACKACK, DROP_REQUEST = 0, 1, 2, 3, 5, 6, 7
SEQUENCES: Final = 1 << 31
MESSAGES: Final = 1 << 26
TS_PACKET: Final = 188
PAYLOAD: Final = 7 * TS_PACKET
HEAD: Final = struct.Struct(">IIII")
"""What every packet begins with; of a control packet: type, a word the type defines, time, to whom."""

_CONTROL: Final = 0x8000_0000
_SOLO: Final = 0xC000_0000
_EVEN_KEY: Final = 0x0800_0000
_AGAIN: Final = 0x0400_0000


class BrokenSrt(ValueError):
    """Not an SRT packet we can read."""


@dataclass(frozen=True, slots=True)
class Control:
    """A control packet. `info` is the word its type defines."""

    kind: int
    info: int
    body: bytes


def control(kind: int, info: int, time: int, peer: int, body: bytes = b"") -> bytes:
    """A control packet; `time` is microseconds since the connection began, `peer` its socket.

    libsrt wants a body where the draft has none.
    """
    return HEAD.pack(_CONTROL | kind << 16, info, time & 0xFFFF_FFFF, peer) + (body or bytes(4))


def data(sequence: int, message: int, time: int, peer: int, payload: bytes, *, encrypted: bool) -> bytes:
    """A data packet that is a whole message. `payload` is encrypted already, if it is to be."""
    word = _SOLO | (_EVEN_KEY if encrypted else 0) | message % MESSAGES
    return HEAD.pack(sequence, word, time & 0xFFFF_FFFF, peer) + payload


def again(packet: bytes) -> bytes:
    """The same data packet, marked as sent again."""
    word = int.from_bytes(packet[4:8], "big") | _AGAIN
    return b"".join((packet[:4], word.to_bytes(4, "big"), packet[8:]))


def drop_request(first: int, last: int, time: int, peer: int) -> bytes:
    """These packets will never come."""
    return control(DROP_REQUEST, 0, time, peer, struct.pack(">II", first, last))


def read_control(packet: bytes) -> Control | None:
    """A control packet; None for data. Raises BrokenSrt."""
    if len(packet) < HEAD.size:
        raise BrokenSrt("a packet has a header")
    first, info, _, _ = HEAD.unpack_from(packet)
    if not first & _CONTROL:
        return None
    return Control(first >> 16 & 0x7FFF, info, packet[HEAD.size :])


def acknowledged(body: bytes) -> int:
    """The number of the first packet an ACK does not cover. Raises BrokenSrt."""
    if len(body) < 4:
        raise BrokenSrt("an ACK breaks off")
    return int.from_bytes(body[:4], "big") % SEQUENCES


def lost(body: bytes) -> Iterator[tuple[int, int]]:
    """The ranges (first, last) of a NAK."""
    words = iter(struct.unpack_from(f">{len(body) // 4}I", body))
    for word in words:
        first = word & 0x7FFF_FFFF
        yield first, next(words, word) % SEQUENCES if word >> 31 else first


def ahead(sequence: int, of: int) -> int:
    """How far a packet is ahead of another (negative: behind), across the wrap."""
    step = (sequence - of) % SEQUENCES
    return step - SEQUENCES if step >= SEQUENCES // 2 else step
