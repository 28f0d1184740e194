"""What the worker and its sender processes say to each other over a Unix socket. Pure.

Every message has its size before it. Control messages are JSON; media is bytes that are cut nowhere again.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

SIZE: Final = struct.Struct(">I")
MEDIA: Final = struct.Struct(">BIBdqH")
CONTROL_KIND, MEDIA_KIND = 0, 1
KEYFRAME: Final = 1
LARGEST: Final = 32 << 20


class BrokenChannel(ValueError):
    """The other side is not what it should be."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One picture, or one packet of sound, as RTP payloads.

    `at` is when it is shown or heard (ms on the show's timeline), `arrived` the wall clock when it came to us
    (seconds).
    """

    stream: int
    at: int
    arrived: float
    keyframe: bool
    payloads: tuple[bytes, ...]


@dataclass(frozen=True)
class Begin:
    """First of all: where to open the UDP port (0 picks one), and which addresses viewers are told."""

    host: str
    port: int
    told: Sequence[str] = ()


@dataclass(frozen=True)
class Ready:
    """The port is open; or why it is not."""

    port: int
    trouble: str = ""


@dataclass(frozen=True)
class Open:
    """A viewer comes with an offer. `picture` and `sound` are the streams it watches."""

    ask: int
    viewer: str
    offer: str
    profile: str
    show: str
    picture: int
    sound: int


@dataclass(frozen=True)
class Restart:
    """A viewer has changed networks and wants to be reached anew."""

    ask: int
    viewer: str


@dataclass(frozen=True)
class Answered:
    """To `Open` an SDP answer, to `Restart` a fragment; empty: the viewer is not known."""

    ask: int
    body: str


@dataclass(frozen=True)
class Leave:
    """A viewer is no longer wanted."""

    viewer: str


@dataclass(frozen=True)
class Forget:
    """A stream is over, for whoever watches it too."""

    stream: int


@dataclass(frozen=True)
class Gone:
    """A viewer has left, or has not been heard of for long."""

    viewer: str
    why: str


@dataclass(frozen=True)
class Told:
    """What viewers report, once in a while: by viewer (share of packets lost, round trip in ms or None)."""

    viewers: dict[str, tuple[float, float | None]]
    sent: int
    repeated: int
    dropped: int


Control = Begin | Ready | Open | Restart | Answered | Leave | Forget | Gone | Told
KINDS: Final[dict[str, type[Control]]] = {
    kind.__name__: kind for kind in (Begin, Ready, Open, Restart, Answered, Leave, Forget, Gone, Told)
}


def control(message: Control) -> bytes:
    """A control message as bytes."""
    body = json.dumps([type(message).__name__, asdict(message)]).encode()
    return SIZE.pack(len(body) + 1) + bytes([CONTROL_KIND]) + body


def media(unit: Unit) -> bytes:
    """A unit as bytes."""
    sizes = struct.pack(f">{len(unit.payloads)}H", *map(len, unit.payloads))
    head = MEDIA.pack(
        MEDIA_KIND, unit.stream, KEYFRAME if unit.keyframe else 0, unit.arrived, unit.at, len(unit.payloads)
    )
    size = len(head) + len(sizes) + sum(map(len, unit.payloads))
    return b"".join((SIZE.pack(size), head, sizes, *unit.payloads))


class Splitter:
    """Feed bytes as they come; get whole messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Control | Unit]:
        """What is complete now. Raises BrokenChannel."""
        buffer = self._buffer
        buffer += data
        found: list[Control | Unit] = []
        at = 0
        while at + SIZE.size <= len(buffer):
            (size,) = SIZE.unpack_from(buffer, at)
            if not 0 < size <= LARGEST:
                raise BrokenChannel("a message of that size is none")
            end = at + SIZE.size + size
            if end > len(buffer):
                break
            found.append(_read(bytes(buffer[at + SIZE.size : end])))
            at = end
        del buffer[:at]
        return found


def _read(body: bytes) -> Control | Unit:
    try:
        return _unit(body) if body[0] == MEDIA_KIND else _control(body[1:])
    except (ValueError, TypeError, KeyError, struct.error) as error:
        raise BrokenChannel(f"a message makes no sense: {error}") from error


def _control(body: bytes) -> Control:
    name, values = json.loads(body)
    kind: Any = KINDS[name]
    made: Control = kind(**values)
    return made


def _unit(body: bytes) -> Unit:
    _, stream, flags, arrived, at, count = MEDIA.unpack_from(body)
    sizes = struct.unpack_from(f">{count}H", body, MEDIA.size)
    begin = MEDIA.size + 2 * count
    payloads = []
    for size in sizes:
        payloads.append(body[begin : begin + size])
        begin += size
    if begin != len(body):
        raise BrokenChannel("a unit has another size")
    return Unit(stream, at, arrived, bool(flags & KEYFRAME), tuple(payloads))
