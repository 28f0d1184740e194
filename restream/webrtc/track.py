"""One RTP stream to one viewer: its numbers, and what may be asked for again."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Sequence
from itertools import repeat
from typing import Final, NamedTuple

from restream.webrtc import rtcp
from restream.webrtc.srtp import HEADER, Sealer

VERSION, PADDED, EXTENDED = 0x80, 0x20, 0x10
"""The version, that filling stands at the end, and that a header extension follows (RFC 3550, 5.1)."""
MOST_PADDING: Final = 0xFF
PLAIN: Final = bytes([VERSION])
ONE_BYTE: Final = b"\xbe\xde\x00\x01"
"""One word of elements with a head of a byte (RFC 8285, 4.2)."""
MARKER: Final = 0x80
KEPT: Final = 2048
"""Packets that may be asked for again: about three seconds of a 5 Mbit/s feed."""


class Run(NamedTuple):
    """Packets that left together. `last`: they end a picture. `hint`: what stands behind their headers, which
    begin with `heads`."""

    begin: int
    payloads: Sequence[bytes]
    heads: bytes
    timestamp: int
    last: bool
    hint: bytes


class Kept(NamedTuple):
    """A packet that may go out again."""

    number: int
    payload: bytes
    head: int
    timestamp: int
    last: bool
    hint: bytes


def shown(extension: int, *, at_once: bool) -> bytes:
    """A header extension about how long a player may keep a picture: not at all, or as it thinks best.

    Twelve bits each for the least and the most delay, in units of 10 ms.
    """
    most = 0 if at_once else 0xFFF
    return ONE_BYTE + bytes((extension << 4 | 2, 0, most >> 8, most & 0xFF))


def padded(payloads: Sequence[bytes]) -> tuple[bytes, Sequence[bytes]]:
    """The first bytes of the headers, and the payloads, filled up to the largest where little is missing.

    The last one may be smaller.
    """
    largest = max(map(len, payloads))
    missing = [largest - len(payload) for payload in payloads]
    missing[-1] = 0
    if not any(0 < few <= MOST_PADDING for few in missing):
        return PLAIN * len(payloads), payloads
    heads, filled = bytearray(), []
    for few, payload in zip(missing, payloads, strict=True):
        fits = 0 < few <= MOST_PADDING
        heads.append(VERSION | PADDED if fits else VERSION)
        filled.append(payload + bytes([few]).rjust(few, b"\0") if fits else payload)
    return bytes(heads), filled


def filling_of(heads: bytes, payloads: Sequence[bytes]) -> int:
    """Bytes that were only filled up, which reports do not count (RFC 3550, 6.4.1)."""
    if VERSION | PADDED not in heads:
        return 0
    return sum(one[-1] for head, one in zip(heads, payloads, strict=True) if head & PADDED)


class Track:
    """`index` counts packets and does not begin anew at 65,536; `source` is the SSRC."""

    def __init__(self, source: int, payload_type: int, per_ms: int) -> None:
        self.source = source
        self.packets = self.octets = 0
        self._type = payload_type
        self._per_ms = per_ms
        # The first half of the numbers, so that no viewer takes the first rollover for the beginning.
        self._index = secrets.randbelow(1 << 15)
        self._offset = secrets.randbits(32)
        self._kept: deque[Run] = deque()
        self._kept_packets = 0

    def timestamp(self, units: int) -> int:
        """RTP's, for a moment in units of this stream's clock."""
        return units + self._offset & 0xFFFF_FFFF

    def seal(
        self,
        sealer: Sealer,
        payloads: Sequence[bytes],
        timestamp: int,
        *,
        last: bool,
        keep: bool = True,
        heads: bytes = b"",
        hint: bytes = b"",
    ) -> list[bytes]:
        """The next packets; `last`: they end a picture.

        `heads` are the first bytes of their headers (nothing: none is filled up), `hint` is an extension
        or nothing.
        """
        index, source, kind, pack = self._index, self.source, self._type, HEADER.pack
        end = self._index = index + len(payloads)
        heads = heads or PLAIN * len(payloads)
        self.octets += sum(map(len, payloads)) - filling_of(heads, payloads)
        if hint:
            heads = bytes(head | EXTENDED for head in heads)
        if keep:
            self._keep(Run(index, payloads, heads, timestamp, last, hint))
        # Loops in C: this is done for every packet and viewer.
        numbers: Sequence[int] = range(index & 0xFFFF, (index & 0xFFFF) + len(payloads))
        if numbers[-1] > 0xFFFF:
            numbers = [number & 0xFFFF for number in numbers]
        headers = list(map(pack, heads, repeat(kind), numbers, repeat(timestamp), repeat(source)))
        if last:
            headers[-1] = pack(heads[-1], MARKER | kind, end - 1 & 0xFFFF, timestamp, source)
        if hint:
            headers = [header + hint for header in headers]
        self.packets += len(payloads)
        return sealer.seal(headers, index, source, payloads)

    def seal_one(self, sealer: Sealer, payload: bytes, timestamp: int) -> bytes:
        """The next packet, which is not kept."""
        index = self._index
        self._index = index + 1
        self.packets += 1
        self.octets += len(payload)
        header = HEADER.pack(VERSION, self._type, index & 0xFFFF, timestamp, self.source)
        return sealer.seal_one(header, index, self.source, payload)

    def find(self, number: int) -> Kept | None:
        """A kept packet by its sequence number."""
        index = self._index - 1 - ((self._index - 1 - number) & 0xFFFF)
        for sent in reversed(self._kept):
            if sent.begin <= index:
                at = index - sent.begin
                if at >= len(sent.payloads):
                    return None
                final = sent.last and at == len(sent.payloads) - 1
                return Kept(index, sent.payloads[at], sent.heads[at], sent.timestamp, final, sent.hint)
        return None

    def seal_again(self, sealer: Sealer, found: Kept) -> bytes:
        """The same packet once more, as it was."""
        kind = self._type | (MARKER if found.last else 0)
        header = (
            HEADER.pack(found.head, kind, found.number & 0xFFFF, found.timestamp, self.source) + found.hint
        )
        return sealer.seal_one(header, found.number, self.source, found.payload)

    def report(self, wall: float, now: float) -> bytes:
        """A sender report: the stream's time (ms) now."""
        return rtcp.sender_report(
            self.source, wall, self.timestamp(round(now * self._per_ms)), self.packets, self.octets
        )

    def _keep(self, sent: Run) -> None:
        self._kept.append(sent)
        self._kept_packets += len(sent.payloads)
        while self._kept_packets > KEPT:
            self._kept_packets -= len(self._kept.popleft().payloads)


class Repair(Track):
    """The stream for what is sent again (RFC 4588)."""

    def seal_repair(self, sealer: Sealer, found: Kept) -> bytes:
        """A packet of the other stream, with its number before it."""
        payload = found.payload[: -found.payload[-1]] if found.head & PADDED else found.payload
        body = (found.number & 0xFFFF).to_bytes(2, "big") + payload
        (packet,) = self.seal(sealer, (body,), found.timestamp, last=found.last, keep=False)
        return packet
