"""SRT's handshake: induction, conclusion, their extensions, and how a listener says no. Pure.

Who calls asks for a cookie (induction) and brings it back with everything it wants (conclusion); a question
and its answer have the same form.

Sources: draft-sharabayko-srt-01, sections 3.2.1 (packets) and 4.3 (who says what); libsrt's AccessControl.md
(stream ids, rejection codes).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from restream.srt.packets import HANDSHAKE, HEAD, BrokenSrt, control

if TYPE_CHECKING:
    from restream.srt.keys import Secret  # only its type: `keys` loads megabytes

MARK: Final = b"\x80\0\0\0"
"""The first word of a handshake: a control packet of type 0."""
MAGIC: Final = 0x4A17
INDUCTION: Final = 1
CONCLUSION: Final = 0xFFFF_FFFF
FIRST_REJECTION: Final = 1000
"""Handshake types from here on say why not: this plus a `Reject`."""
VERSION: Final = 5
OLD_VERSION: Final = 4
"""What an induction says, so that listeners older than 1.3 understand it too."""
DATAGRAM: Final = 2
"""What an induction wants, in the field that says later which extensions there are."""
MTU: Final = 1500
WINDOW: Final = 8192
HSREQ, KMREQ, KMRSP, SID = 1, 3, 4, 5
LONGEST_STREAM_ID: Final = 512

_SHAKE: Final = struct.Struct(">IHHIIIIII16s")
SMALLEST: Final = HEAD.size + _SHAKE.size
"""Bytes: no question is shorter, and no answer of a listener of ours longer."""
_COOKIE_AT: Final = 44
KEY_STATE_BYTES: Final = 4
_HAS_HSREQ, _HAS_KMREQ, _HAS_CONFIG = 1, 2, 4
_SRT_VERSION: Final = 0x01_05_03
_FLAGS: Final = 0x3F
"""Timed delivery both ways, encryption, too-late drop, periodic NAK, the retransmission bit."""
_LOOPBACK: Final = b"\1\0\0\x7f" + bytes(12)
"""In the field for an address, where a caller has nothing to say that the packet itself does not show."""


class Reject(IntEnum):
    """Why a caller is turned away; ffmpeg, OBS and srt-live-transmit print these."""

    PEER = 2
    RESOURCE = 3
    BACKLOG = 5
    VERSION = 8
    BAD_SECRET = 10
    UNSECURE = 11
    BAD_REQUEST = 1400
    UNAUTHORIZED = 1401
    OVERLOAD = 1402
    FORBIDDEN = 1403
    NOT_FOUND = 1404
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
        """What the caller asked for; empty when it asked for nothing. Raises BrokenSrt."""
        content = self.find(SID) or b""
        if len(content) > LONGEST_STREAM_ID:
            raise BrokenSrt("the stream id is longer than SRT allows")
        try:
            return _swapped(content).rstrip(b"\0").decode()
        except UnicodeDecodeError as error:
            raise BrokenSrt("the stream id is no text") from error

    @property
    def agent(self) -> str:
        """Which SRT the caller speaks, for a person to read."""
        content = self.find(HSREQ) or b""
        return f"SRT {content[1]}.{content[2]}.{content[3]}" if len(content) >= 4 else "SRT"

    @property
    def cannot_decrypt(self) -> bool:
        """A listener that does not insist takes the caller, and says with a bare state that the key fails."""
        return len(self.find(KMRSP) or b"") == KEY_STATE_BYTES

    @property
    def rejected(self) -> int | None:
        """Why the listener says no, a `Reject` where we know the reason; None when it does not say no."""
        return self.kind - FIRST_REJECTION if FIRST_REJECTION <= self.kind < CONCLUSION else None


def is_handshake(datagram: bytes) -> bool:
    """Whether it claims to be one."""
    return datagram[:4] == MARK


def parse(datagram: bytes) -> Handshake:
    """Read a packet. Extensions are read where a conclusion says there are some. Raises BrokenSrt."""
    packet = _fixed(datagram)
    if packet.kind == CONCLUSION and packet.extension:
        return replace(packet, extensions=tuple(_extensions(datagram)))
    return packet


def parse_answer(datagram: bytes) -> Handshake:
    """Read what a listener answers. Raises BrokenSrt."""
    packet = parse(datagram)
    if packet.kind == INDUCTION and (packet.version != VERSION or packet.extension != MAGIC):
        raise BrokenSrt("it speaks an SRT older than 1.3")
    return packet


def serialise(packet: Handshake) -> bytes:
    """The packet as bytes."""
    body = _SHAKE.pack(
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
    extensions = (
        struct.pack(">HH", kind, len(content) // 4) + content for kind, content in packet.extensions
    )
    return control(HANDSHAKE, 0, packet.time, packet.to, b"".join((body, *extensions)))


def with_cookie(datagram: bytes, cookie: int) -> bytes:
    """The same packet with another cookie; everything else stays as the caller wrote it."""
    return datagram[:_COOKIE_AT] + struct.pack(">I", cookie) + datagram[_COOKIE_AT + 4 :]


def greeting(latency: int) -> tuple[int, bytes]:
    """Who we are and how late packets may be (milliseconds), as an extension."""
    return HSREQ, struct.pack(">IIHH", _SRT_VERSION, _FLAGS, latency, latency)


def stream_id(text: str) -> tuple[int, bytes]:
    """A stream id as an extension."""
    data = text.encode()
    return SID, _swapped(data + bytes(-len(data) % 4))


def induction(socket: int, sequence: int, time: int) -> Handshake:
    """A caller's first question."""
    return Handshake(
        kind=INDUCTION,
        version=OLD_VERSION,
        extension=DATAGRAM,
        socket=socket,
        sequence=sequence,
        time=time,
        address=_LOOPBACK,
    )


def conclusion(
    socket: int, sequence: int, cookie: int, latency: int, wanted: str, hidden: Secret | None, time: int
) -> Handshake:
    """A caller's second: who it is, how late packets may be (`latency`, milliseconds), the stream id it wants
    (none when empty), and the wrapped key.

    The listener sets its clock by `time`.
    """
    flags, extensions = _HAS_HSREQ, [greeting(latency)]
    if hidden:
        flags |= _HAS_KMREQ
        extensions.append((KMREQ, hidden.message))
    if wanted:
        flags |= _HAS_CONFIG
        extensions.append(stream_id(wanted))
    return Handshake(
        kind=CONCLUSION,
        encryption=len(hidden.key) // 8 if hidden else 0,
        extension=flags,
        socket=socket,
        sequence=sequence,
        cookie=cookie,
        time=time,
        address=_LOOPBACK,
        extensions=tuple(extensions),
    )


def induction_answer(question: Handshake, cookie: int) -> Handshake:
    """What a listener answers to an induction: version 5, the magic number, a cookie."""
    return replace(
        question, version=VERSION, encryption=0, extension=MAGIC, cookie=cookie, to=question.socket, time=0
    )


def rejection(question: Handshake, why: Reject) -> Handshake:
    """What a listener answers to a conclusion it does not like."""
    return replace(
        question,
        kind=FIRST_REJECTION + why,
        version=VERSION,
        encryption=0,
        extension=0,
        extensions=(),
        to=question.socket,
        time=0,
    )


def _fixed(datagram: bytes) -> Handshake:
    """The part that every handshake has."""
    if len(datagram) < SMALLEST or not is_handshake(datagram):
        raise BrokenSrt("too short for a handshake, or something else")
    _, _, time, to = HEAD.unpack_from(datagram)
    version, encryption, extension, sequence, mtu, window, kind, socket, cookie, address = _SHAKE.unpack_from(
        datagram, HEAD.size
    )
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
    )


def _extensions(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    """What follows the part that every handshake has. Raises BrokenSrt."""
    at = SMALLEST
    while at < len(datagram):
        if at + 4 > len(datagram):
            raise BrokenSrt("an extension breaks off")
        found, words = struct.unpack_from(">HH", datagram, at)
        at += 4 + 4 * words
        if at > len(datagram):
            raise BrokenSrt("an extension breaks off")
        yield found, datagram[at - 4 * words : at]


def _swapped(data: bytes) -> bytes:
    """Every word's bytes the other way round: libsrt sends text as little-endian words."""
    return b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))
