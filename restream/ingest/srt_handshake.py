"""SRT's handshake packets and the key material in them. Pure.

Sources: draft-sharabayko-srt-01, 3.2.1 (packets), 3.2.2 and 6.1.5 (key material), 4.3 (who says what);
libsrt's AccessControl.md (stream ids, rejection codes).
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

MARK: Final = b"\x80\0\0\0"
"""The first word of a handshake: a control packet of type 0."""
_HEAD: Final = struct.Struct(">IIIIIHHIIIIII16s")
_COOKIE_AT: Final = 44
SMALLEST: Final = _HEAD.size
"""Bytes: no question is shorter, and no answer of ours longer."""
MAGIC: Final = 0x4A17
INDUCTION: Final = 1
CONCLUSION: Final = 0xFFFF_FFFF
REJECTION: Final = 1000
"""Handshake types from here on say why not: this plus a `Reject`."""
VERSION: Final = 5
MTU: Final = 1500
WINDOW: Final = 8192
HSREQ, KMREQ, SID = 1, 3, 5
LONGEST_STREAM_ID: Final = 512

_KM_HEAD: Final = struct.Struct(">BHBI4BHBB")
_KM_FIRST: Final = 0x12
_KM_SIGN: Final = 0x2029
_KEY_SIZES: Final = (16, 24, 32)
_ITERATIONS: Final = 2048


class BrokenHandshake(ValueError):
    """The bytes are no SRT handshake."""


class Reject(IntEnum):
    """Why a caller is turned away; ffmpeg, OBS and srt-live-transmit print these."""

    VERSION = 8
    BAD_SECRET = 10
    UNSECURE = 11
    BAD_REQUEST = 1400
    UNAUTHORIZED = 1401
    OVERLOAD = 1402
    FORBIDDEN = 1403
    BAD_MODE = 1405
    CONFLICT = 1409
    FAILED = 1500


@dataclass(frozen=True, slots=True)
class Handshake:
    """One packet. `to` is the socket id it is meant for, 0 for a listener; `extensions` are (type, bytes)
    with whole words."""

    kind: int
    version: int = VERSION
    socket: int = 0
    cookie: int = 0
    to: int = 0
    time: int = 0
    encryption: int = 0
    extension: int = 0
    sequence: int = 0
    mtu: int = MTU
    window: int = WINDOW
    address: bytes = bytes(16)
    extensions: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)  # the key is in there

    def find(self, kind: int) -> bytes | None:
        """The contents of the first extension of that type."""
        return next((content for found, content in self.extensions if found == kind), None)

    @property
    def stream_id(self) -> str:
        """What the caller asked for; empty when it asked for nothing. Raises BrokenHandshake."""
        content = self.find(SID) or b""
        if len(content) > LONGEST_STREAM_ID:
            raise BrokenHandshake("the stream id is longer than SRT allows")
        try:
            return _swapped(content).rstrip(b"\0").decode()
        except UnicodeDecodeError as error:
            raise BrokenHandshake("the stream id is no text") from error

    @property
    def agent(self) -> str:
        """Which SRT the caller speaks, for a person to read."""
        content = self.find(HSREQ) or b""
        return f"SRT {content[1]}.{content[2]}.{content[3]}" if len(content) >= 4 else "SRT"


def is_handshake(datagram: bytes) -> bool:
    """Whether it claims to be one."""
    return datagram[:4] == MARK


def parse(datagram: bytes) -> Handshake:
    """Read a packet. Extensions are read where the caller says there are some. Raises BrokenHandshake."""
    if len(datagram) < SMALLEST or not is_handshake(datagram):
        raise BrokenHandshake("too short, or something else")
    _, _, time, to, version, encryption, extension, sequence, mtu, window, kind, socket, cookie, address = (
        _HEAD.unpack_from(datagram)
    )
    extensions: list[tuple[int, bytes]] = []
    at = SMALLEST
    while kind == CONCLUSION and extension and at < len(datagram):
        if at + 4 > len(datagram):
            raise BrokenHandshake("an extension breaks off")
        found, words = struct.unpack_from(">HH", datagram, at)
        at += 4 + 4 * words
        if at > len(datagram):
            raise BrokenHandshake("an extension breaks off")
        extensions.append((found, datagram[at - 4 * words : at]))
    return Handshake(
        kind=kind,
        version=version,
        socket=socket,
        cookie=cookie,
        to=to,
        time=time,
        encryption=encryption,
        extension=extension,
        sequence=sequence,
        mtu=mtu,
        window=window,
        address=address,
        extensions=tuple(extensions),
    )


def serialise(packet: Handshake) -> bytes:
    """The packet as bytes."""
    head = _HEAD.pack(
        0x8000_0000,
        0,
        packet.time,
        packet.to,
        packet.version,
        packet.encryption,
        packet.extension,
        packet.sequence,
        packet.mtu,
        packet.window,
        packet.kind,
        packet.socket,
        packet.cookie,
        packet.address,
    )
    return head + b"".join(
        struct.pack(">HH", kind, len(content) // 4) + content for kind, content in packet.extensions
    )


def with_cookie(datagram: bytes, cookie: int) -> bytes:
    """The same packet with another cookie; everything else stays as the caller wrote it."""
    return datagram[:_COOKIE_AT] + struct.pack(">I", cookie) + datagram[_COOKIE_AT + 4 :]


def stream_id(text: str) -> tuple[int, bytes]:
    """A stream id as an extension."""
    data = text.encode()
    return SID, _swapped(data + bytes(-len(data) % 4))


def induction_answer(question: Handshake, cookie: int) -> Handshake:
    """What a listener answers to an induction: version 5, the magic number, a cookie."""
    return replace(
        question, version=VERSION, encryption=0, extension=MAGIC, cookie=cookie, to=question.socket, time=0
    )


def rejection(question: Handshake, why: Reject) -> Handshake:
    """What a listener answers to a conclusion it does not like."""
    return replace(
        question,
        kind=REJECTION + why,
        version=VERSION,
        encryption=0,
        extension=0,
        extensions=(),
        to=question.socket,
        time=0,
    )


def unlocks(passphrase: str, material: bytes) -> bool:
    """Whether the passphrase opens the stream key in a KMREQ. Raises BrokenHandshake.

    The sender wraps its stream key (RFC 3394) with a key derived from the passphrase, so whoever can
    unwrap it knows the same passphrase.
    """
    if len(material) < _KM_HEAD.size:
        raise BrokenHandshake("the key material breaks off")
    first, sign, which, _, _, _, _, _, _, salt_words, key_words = _KM_HEAD.unpack_from(material)
    salt_size, key_size, count = 4 * salt_words, 4 * key_words, (which & 3).bit_count()
    wrapped = material[_KM_HEAD.size + salt_size :]
    if (first, sign) != (_KM_FIRST, _KM_SIGN) or not count or salt_size < 8 or key_size not in _KEY_SIZES:
        raise BrokenHandshake("the key material makes no sense")
    if len(wrapped) != count * key_size + 8:
        raise BrokenHandshake("the key material breaks off")
    salt = material[_KM_HEAD.size : _KM_HEAD.size + salt_size][-8:]
    outer = hashlib.pbkdf2_hmac("sha1", passphrase.encode(), salt, _ITERATIONS, key_size)
    try:
        aes_key_unwrap(outer, wrapped)
    except InvalidUnwrap:
        return False
    return True


def _swapped(data: bytes) -> bytes:
    """Every word's bytes the other way round: libsrt sends text as little-endian words."""
    return b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))
