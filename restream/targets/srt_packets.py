"""SRT packets, as one who calls and sends needs them. Pure.

Source: draft-sharabayko-srt-01, sections 3 (packets), 4.3 (handshake), 6 (encryption); rejection codes from
libsrt's access control document.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

HANDSHAKE, KEEPALIVE, ACK, NAK, SHUTDOWN, ACKACK, DROP_REQUEST = 0, 1, 2, 3, 5, 6, 7
INDUCTION: Final = 1
CONCLUSION: Final = 0xFFFF_FFFF
MAGIC: Final = 0x4A17
FIRST_REJECTION: Final = 1000
SEQUENCES: Final = 1 << 31
MESSAGES: Final = 1 << 26
MTU: Final = 1500
WINDOW: Final = 8192
TS_PACKET: Final = 188
PAYLOAD: Final = 7 * TS_PACKET
LONGEST_STREAM_ID: Final = 512

_HEAD: Final = struct.Struct(">IIII")
_SHAKE: Final = struct.Struct(">IHHIIIIII16s")
_CONTROL: Final = 0x8000_0000
_SRT_VERSION: Final = 0x01_05_03
_FLAGS: Final = 0x3F
"""Timed delivery both ways, encryption, too-late drop, periodic NAK, the retransmission bit."""
_HSREQ, _KMREQ, _SID = 1, 3, 5
_HAS_HSREQ, _HAS_KMREQ, _HAS_CONFIG = 1, 2, 4
_DATAGRAM: Final = 2
_SOLO: Final = 0xC000_0000
_EVEN_KEY: Final = 0x0800_0000
_AGAIN: Final = 0x0400_0000
_KM_HEAD: Final = struct.pack(">BHBIBBBBHB", 0x12, 0x2029, 1, 0, 2, 0, 2, 0, 0, 4)
"""Key material: version 1, even key, key from a passphrase, AES-CTR, no authentication, 16 bytes of salt."""
_ITERATIONS: Final = 2048


class BrokenSrt(ValueError):
    """Not an SRT packet we can read."""


@dataclass(frozen=True, slots=True)
class Control:
    """A control packet. `info` is the word its type defines."""

    kind: int
    info: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the listener answers. `type` is INDUCTION, CONCLUSION or a rejection."""

    type: int
    window: int
    socket: int
    cookie: int


@dataclass(frozen=True)
class Secret:
    """The stream's key, and the message that carries it, wrapped with the passphrase."""

    key: bytes = field(repr=False)
    salt: bytes
    message: bytes

    def encrypt(self, sequence: int, payload: bytes) -> bytes:
        """AES in counter mode; the packet's number is part of the counter's start."""
        start = int.from_bytes(self.salt[:14], "big") ^ sequence
        cipher = Cipher(AES(self.key), CTR((start << 16).to_bytes(16, "big"))).encryptor()
        return cipher.update(payload) + cipher.finalize()


def secret(passphrase: str, key: bytes, salt: bytes) -> Secret:
    """Wrap a random key of 16, 24 or 32 bytes; `salt` is 16 random bytes."""
    wrapping = hashlib.pbkdf2_hmac("sha1", passphrase.encode(), salt[-8:], _ITERATIONS, len(key))
    message = _KM_HEAD + bytes([len(key) // 4]) + salt + aes_key_wrap(wrapping, key)
    return Secret(key, salt, message)


def control(kind: int, info: int, time: int, peer: int, body: bytes = b"") -> bytes:
    """A control packet; `time` is microseconds since the connection began, `peer` its socket.

    libsrt wants a body where the draft has none.
    """
    return _HEAD.pack(_CONTROL | kind << 16, info, time & 0xFFFF_FFFF, peer) + (body or bytes(4))


def data(sequence: int, message: int, time: int, peer: int, payload: bytes, *, encrypted: bool) -> bytes:
    """A data packet that is a whole message. `payload` is encrypted already, if it is to be."""
    word = _SOLO | (_EVEN_KEY if encrypted else 0) | message % MESSAGES
    return _HEAD.pack(sequence, word, time & 0xFFFF_FFFF, peer) + payload


def again(packet: bytes) -> bytes:
    """The same data packet, marked as sent again."""
    word = int.from_bytes(packet[4:8], "big") | _AGAIN
    return b"".join((packet[:4], word.to_bytes(4, "big"), packet[8:]))


def induction(socket: int, sequence: int, time: int) -> bytes:
    """The first question."""
    return control(HANDSHAKE, 0, time, 0, _shake(4, 0, _DATAGRAM, sequence, INDUCTION, socket, 0))


def conclusion(
    socket: int, sequence: int, cookie: int, latency: int, stream_id: str, hidden: Secret | None, time: int
) -> bytes:
    """The second: who we are, how late packets may be (`latency`, milliseconds), and the wrapped key.

    The listener sets its clock by `time`.
    """
    flags, extensions = _HAS_HSREQ, _extension(_HSREQ, _greeting(latency))
    if hidden:
        flags |= _HAS_KMREQ
        extensions += _extension(_KMREQ, hidden.message)
    if stream_id:
        flags |= _HAS_CONFIG
        extensions += _extension(_SID, _turned(stream_id.encode()))
    key_field = len(hidden.key) // 8 if hidden else 0
    body = _shake(5, key_field, flags, sequence, CONCLUSION, socket, cookie)
    return control(HANDSHAKE, 0, time, 0, body + extensions)


def drop_request(first: int, last: int, time: int, peer: int) -> bytes:
    """These packets will never come."""
    return control(DROP_REQUEST, 0, time, peer, struct.pack(">II", first, last))


def read_control(packet: bytes) -> Control | None:
    """A control packet; None for data. Raises BrokenSrt."""
    if len(packet) < _HEAD.size:
        raise BrokenSrt("a packet has a header")
    first, info, _, _ = _HEAD.unpack_from(packet)
    if not first & _CONTROL:
        return None
    return Control(first >> 16 & 0x7FFF, info, packet[_HEAD.size :])


def read_handshake(body: bytes) -> Handshake:
    """The listener's answer. Raises BrokenSrt."""
    if len(body) < _SHAKE.size:
        raise BrokenSrt("a handshake breaks off")
    version, _, extension, _, _, window, kind, socket, cookie, _ = _SHAKE.unpack_from(body)
    if kind == INDUCTION and (version != 5 or extension != MAGIC):
        raise BrokenSrt("it speaks an SRT older than 1.3")
    return Handshake(kind, window, socket, cookie)


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


def _shake(
    version: int, key: int, extension: int, sequence: int, kind: int, socket: int, cookie: int
) -> bytes:
    local = b"\1\0\0\x7f" + bytes(12)
    return _SHAKE.pack(version, key, extension, sequence, MTU, WINDOW, kind, socket, cookie, local)


def _greeting(latency: int) -> bytes:
    return struct.pack(">IIHH", _SRT_VERSION, _FLAGS, latency, latency)


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack(">HH", kind, len(body) // 4) + body


def _turned(text: bytes) -> bytes:
    """Text goes as little-endian words."""
    padded = text + bytes(-len(text) % 4)
    return b"".join(padded[at : at + 4][::-1] for at in range(0, len(padded), 4))
