"""RTP as it comes from a WHIP client: packets, their order, what is missing, and RTCP about it. Pure.

Sources: RFC 3550 (RTP, RTCP), RFC 4585 (NACK, PLI), draft-alvestrand-rmcat-remb-03, RFC 8285 (extensions).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

HEADER: Final = struct.Struct(">BBHII")
ONE_BYTE_EXTENSIONS: Final = 0xBEDE
SENDER_REPORT, RECEIVER_REPORT, GOODBYE, TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 200, 201, 203, 205, 206
WAIT: Final = 0.3
"""Seconds a packet is waited for, asked for again in between; then its picture is given up."""
ASK_EVERY: Final = 0.06
MOST_HELD: Final = 2048
MOST_ASKED: Final = 128
LARGEST_JUMP: Final = 3000
"""Packets; a sequence number further off than that is a new beginning."""


class BrokenRtp(ValueError):
    """The bytes are no RTP."""


class Packet(NamedTuple):
    """One packet. `send_time` is the 24-bit abs-send-time, where the peer adds it."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    source: int
    payload: bytes
    send_time: int | None = None


class Unwrapper:
    """Counts on where a number of so many bits begins anew."""

    def __init__(self, bits: int) -> None:
        self._half, self._whole = 1 << (bits - 1), 1 << bits
        self._last: int | None = None

    def unwrap(self, number: int) -> int:
        """The number nearest to the one before."""
        if self._last is None:
            self._last = number
        else:
            step = (number - self._last + self._half) % self._whole - self._half
            self._last += step
        return self._last


def parse(data: bytes, send_time: int | None = None) -> Packet:
    """Read a packet; `send_time` is the id of that extension. Raises BrokenRtp."""
    if len(data) < HEADER.size:
        raise BrokenRtp("too short")
    first, second, sequence, timestamp, source = HEADER.unpack_from(data)
    if first >> 6 != 2:
        raise BrokenRtp("another version")
    at, end, sent = HEADER.size + 4 * (first & 15), len(data), None
    if first & 0x10:
        if at + 4 > end:
            raise BrokenRtp("the extension breaks off")
        profile, words = struct.unpack_from(">HH", data, at)
        if send_time and profile == ONE_BYTE_EXTENSIONS:
            sent = _extension(data[at + 4 : at + 4 + 4 * words], send_time)
        at += 4 + 4 * words
    if first & 0x20:
        end -= data[-1]
    if at > end:
        raise BrokenRtp("the packet breaks off")
    return Packet(second & 127, second >= 128, sequence, timestamp, source, data[at:end], sent)


def _extension(data: bytes, wanted: int) -> int | None:
    at = 0
    while at < len(data):
        number, size = data[at] >> 4, (data[at] & 15) + 1
        if number == 0:
            at += 1
            continue
        if number == wanted and size == 3 and at + 4 <= len(data):
            return int.from_bytes(data[at + 1 : at + 4], "big")
        at += 1 + size
    return None


class Sequencer:
    """Packets in their order. What is missing is waited for a little, and then said to be lost."""

    def __init__(self) -> None:
        self._unwrap = Unwrapper(16)
        self._next: int | None = None
        self._held: dict[int, Packet] = {}
        self._missing: dict[int, tuple[float, float]] = {}  # number: noticed at, asked at
        self.received = self.lost = 0
        self.first: int | None = None
        self.highest = 0

    def push(self, packet: Packet, now: float) -> list[Packet | None]:
        """What is in order now; None stands for packets that will not come any more."""
        number = self._unwrap.unwrap(packet.sequence)
        self.received += 1
        if self._next is None or abs(number - self._next) > LARGEST_JUMP:
            again = self._next is not None
            self._restart(number)
            return [None, *self._release(packet, number)] if again else self._release(packet, number)
        if number < self._next or number in self._held:
            return []
        self._missing.pop(number, None)
        if number == self._next:
            return self._release(packet, number)
        self._held[number] = packet
        for gap in range(self.highest + 1, number):
            self._missing[gap] = (now, 0.0)
        self.highest = max(self.highest, number)
        return self._give_up(now)

    def _give_up(self, now: float) -> list[Packet | None]:
        """Go on without what has been waited for long enough."""
        out: list[Packet | None] = []
        while self._held:
            oldest = self._missing.get(self._next or 0)
            if oldest and now - oldest[0] < WAIT and len(self._held) < MOST_HELD:
                break
            first = min(self._held)
            for number in [number for number in self._missing if number < first]:
                del self._missing[number]
                self.lost += 1
            out += [None, *self._release(self._held.pop(first), first)]
        return out

    def asked_again(self, now: float) -> list[int]:
        """Sequence numbers to ask for now."""
        due = [number for number, (_, asked) in self._missing.items() if now - asked >= ASK_EVERY]
        for number in due[:MOST_ASKED]:
            self._missing[number] = (self._missing[number][0], now)
        return [number & 0xFFFF for number in due[:MOST_ASKED]]

    @property
    def expected(self) -> int:
        """How many packets the peer has sent, as far as is known."""
        return self.highest - self.first + 1 if self.first is not None else 0

    def _restart(self, number: int) -> None:
        self._held.clear()
        self._missing.clear()
        self._next = self.highest = number
        self.first = number if self.first is None else self.first

    def _release(self, packet: Packet, number: int) -> list[Packet | None]:
        out: list[Packet | None] = [packet]
        self._next = number + 1
        self.highest = max(self.highest, number)
        while (following := self._held.pop(self._next, None)) is not None:
            out.append(following)
            self._next += 1
        return out


@dataclass(frozen=True)
class SenderReport:
    """What an RTP timestamp means on the peer's clock. `ntp` has 32 bits of fraction."""

    source: int
    ntp: int
    timestamp: int


def sender_reports(data: bytes) -> list[SenderReport]:
    """The sender reports in a compound packet; the rest of it is read over."""
    found: list[SenderReport] = []
    at = 0
    while at + 4 <= len(data):
        first, kind, words = struct.unpack_from(">BBH", data, at)
        size = 4 * (words + 1)
        if first >> 6 != 2 or at + size > len(data):
            break
        if kind == SENDER_REPORT and size >= 28:
            source, ntp, timestamp = struct.unpack_from(">IQI", data, at + 4)
            found.append(SenderReport(source, ntp, timestamp))
        at += size
    return found


def picture_loss(us: int, source: int) -> bytes:
    """Ask for a keyframe."""
    return struct.pack(">BBHII", 0x81, PAYLOAD_FEEDBACK, 2, us, source)


def missing(us: int, source: int, numbers: list[int]) -> bytes:
    """Ask for packets again."""
    blocks: list[tuple[int, int]] = []
    for number in numbers:
        if blocks and 0 < (ahead := (number - blocks[-1][0]) & 0xFFFF) <= 16:
            blocks[-1] = (blocks[-1][0], blocks[-1][1] | 1 << (ahead - 1))
        else:
            blocks.append((number, 0))
    body = b"".join(struct.pack(">HH", *block) for block in blocks)
    return struct.pack(">BBHII", 0x81, TRANSPORT_FEEDBACK, 2 + len(blocks), us, source) + body


def most_bits(us: int, rate: int, sources: list[int]) -> bytes:
    """How many bits a second we think the way carries (REMB)."""
    exponent = max(rate.bit_length() - 18, 0)
    head = b"REMB" + struct.pack(">I", len(sources) << 24 | exponent << 18 | rate >> exponent)
    body = head + b"".join(struct.pack(">I", source) for source in sources)
    return struct.pack(">BBHII", 0x8F, PAYLOAD_FEEDBACK, 2 + len(body) // 4, us, 0) + body


@dataclass(frozen=True)
class Reception:
    """One block of a receiver report. `fraction` is in 1/256; `last` and `delay` are in 1/65536 s."""

    source: int
    fraction: int = 0
    lost: int = 0
    highest: int = 0
    last: int = 0
    delay: int = 0


def receiver_report(us: int, blocks: list[Reception]) -> bytes:
    """How the peer's packets arrive; jitter is not measured and said to be 0."""
    body = b"".join(
        struct.pack(
            ">IIIIII",
            block.source,
            block.fraction << 24 | min(block.lost, 0x7F_FFFF),
            block.highest & 0xFFFF_FFFF,
            0,
            block.last,
            block.delay,
        )
        for block in blocks
    )
    return struct.pack(">BBHI", 0x80 | len(blocks), RECEIVER_REPORT, 1 + len(body) // 4, us) + body
