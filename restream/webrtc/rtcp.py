"""RTCP of a sender: what viewers tell us, and what we tell them. Pure.

Sources: RFC 3550 6 (reports, descriptions, goodbyes), RFC 4585 6 (NACK, PLI), RFC 5104 4.3.1 (FIR).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION, GOODBYE = 200, 201, 202, 203
TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 205, 206
NACK, PLI, FIR = 1, 1, 4
CNAME: Final = 1
BLOCK: Final = 24
NTP_EPOCH: Final = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970."""
MOST_NUMBERS: Final = 1024
"""Sequence numbers taken from one datagram; more is no loss but an attempt to make us busy."""


@dataclass(frozen=True)
class Report:
    """One block of a receiver report. `fraction` is the share of packets lost lately, `jitter` in RTP units,
    `echo` the middle of our last sender report's NTP time, and `delay` (1/65536 s) the time since it came."""

    source: int
    fraction: float
    lost: int
    jitter: int
    echo: int
    delay: int


@dataclass
class Heard:
    """What a compound packet says. `missing` are sequence numbers by the stream they belong to."""

    reports: list[Report] = field(default_factory=list)
    missing: dict[int, list[int]] = field(default_factory=dict)
    refresh: bool = False
    goodbye: bool = False


def read(data: bytes) -> Heard:
    """Whatever makes sense in a compound packet; the rest is read over."""
    heard = Heard()
    at = 0
    while at + 4 <= len(data):
        first, kind, words = struct.unpack_from(">BBH", data, at)
        size = 4 * (words + 1)
        if first >> 6 != 2 or at + size > len(data):
            break
        _one(heard, first & 31, kind, data[at : at + size])
        at += size
    return heard


def _one(heard: Heard, count: int, kind: int, data: bytes) -> None:
    if kind in (SENDER_REPORT, RECEIVER_REPORT):
        begin = 28 if kind == SENDER_REPORT else 8
        for at in range(begin, min(begin + count * BLOCK, len(data) - BLOCK + 1), BLOCK):
            source, loss, _, jitter, echo, delay = struct.unpack_from(">IIIIII", data, at)
            heard.reports.append(Report(source, (loss >> 24) / 256, loss & 0xFF_FFFF, jitter, echo, delay))
    elif kind == GOODBYE:
        heard.goodbye = True
    elif kind == TRANSPORT_FEEDBACK and count == NACK and len(data) >= 12:
        _missing(heard, data)
    elif kind == PAYLOAD_FEEDBACK and count in (PLI, FIR):
        heard.refresh = True


def _missing(heard: Heard, data: bytes) -> None:
    (source,) = struct.unpack_from(">I", data, 8)
    numbers = heard.missing.setdefault(source, [])
    for at in range(12, len(data) - 3, 4):
        first, mask = struct.unpack_from(">HH", data, at)
        numbers.append(first)
        numbers += [first + 1 + bit & 0xFFFF for bit in range(16) if mask >> bit & 1]
        if len(numbers) > MOST_NUMBERS:
            return


def ntp(wall: float) -> int:
    """A wall clock (seconds since 1970) as NTP's 64 bits."""
    return round((wall + NTP_EPOCH) * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF


def middle(wall: float) -> int:
    """The 32 bits of it that reports echo."""
    return ntp(wall) >> 16 & 0xFFFF_FFFF


def sender_report(source: int, wall: float, timestamp: int, packets: int, octets: int) -> bytes:
    """What a timestamp of this stream means, and how much was sent."""
    body = struct.pack(
        ">IQIII", source, ntp(wall), timestamp & 0xFFFF_FFFF, packets & 0xFFFF_FFFF, octets & 0xFFFF_FFFF
    )
    return struct.pack(">BBH", 0x80, SENDER_REPORT, 6) + body


def description(sources: Sequence[int], name: str) -> bytes:
    """That these streams are one sender's, so that sound and picture are brought together."""
    chunks = b""
    for source in sources:
        item = struct.pack(">IBB", source, CNAME, len(name)) + name.encode()
        chunks += item + bytes(4 - len(item) % 4)
    return struct.pack(">BBH", 0x80 | len(sources), DESCRIPTION, len(chunks) // 4) + chunks


def goodbye(sources: Sequence[int]) -> bytes:
    """These streams are over."""
    body = struct.pack(f">{len(sources)}I", *sources)
    return struct.pack(">BBH", 0x80 | len(sources), GOODBYE, len(sources)) + body
