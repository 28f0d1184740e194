"""H.264 out of RTP (RFC 6184) and into FLV: pictures, and the configuration before them. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from restream.ingest.rtp import Packet

SINGLE: Final = range(1, 24)
STAP_A, FU_A = 24, 28
IDR, SPS, PPS, DELIMITER = 5, 7, 8, 9
LARGEST_PICTURE: Final = 8 << 20
MOST_SETS, LARGEST_SET = 31, 65535
"""What a decoder configuration has room for."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One access unit: its NAL units, whole. `timestamp` is RTP's."""

    timestamp: int
    units: tuple[bytes, ...]

    @property
    def keyframe(self) -> bool:
        """Whether decoding can begin here."""
        return any(unit[0] & 31 == IDR for unit in self.units)


class Depacketiser:
    """Feed packets in order (None for a hole). A picture with a hole is left out, and so are those after it
    up to a keyframe, because they would show its ruins; `wants_keyframe` says so meanwhile."""

    def __init__(self) -> None:
        self.wants_keyframe = True
        self._timestamp: int | None = None
        self._units: list[bytes] = []
        self._fragments: list[bytes] = []
        self._size = 0
        self._broken = False

    def push(self, packet: Packet | None) -> list[Picture]:
        """The pictures that are complete now."""
        if packet is None:
            self._broken = True
            return []
        done: list[Picture] = []
        if packet.timestamp != self._timestamp:
            if self._units or self._broken:
                done += self._finish()
            self._timestamp = packet.timestamp
        self._take(packet.payload)
        if packet.marker:
            done += self._finish()
        return done

    def _take(self, payload: bytes) -> None:
        self._size += len(payload)
        if self._size > LARGEST_PICTURE or not payload:
            self._broken = self._broken or bool(payload)
            return
        kind = payload[0] & 31
        if kind in SINGLE:
            self._units.append(payload)
        elif kind == STAP_A:
            self._aggregate(payload)
        elif kind == FU_A and len(payload) > 2:
            self._fragment(payload)
        else:
            self._broken = True

    def _aggregate(self, payload: bytes) -> None:
        at = 1
        while at + 2 <= len(payload):
            size = int.from_bytes(payload[at : at + 2], "big")
            unit = payload[at + 2 : at + 2 + size]
            if not size or len(unit) != size:
                self._broken = True
                return
            self._units.append(unit)
            at += 2 + size

    def _fragment(self, payload: bytes) -> None:
        begins, ends = payload[1] & 0x80, payload[1] & 0x40
        if begins:
            self._fragments = [bytes([payload[0] & 0xE0 | payload[1] & 31])]
        elif not self._fragments:
            self._broken = True
            return
        self._fragments.append(payload[2:])
        if ends:
            self._units.append(b"".join(self._fragments))
            self._fragments = []

    def _finish(self) -> list[Picture]:
        units, broken = tuple(self._units), self._broken or bool(self._fragments)
        timestamp, self._timestamp = self._timestamp, None
        self._units, self._fragments, self._size, self._broken = [], [], 0, False
        if broken or timestamp is None:
            self.wants_keyframe = True
            return []
        picture = Picture(timestamp, units)
        if self.wants_keyframe and not picture.keyframe:
            # Parameter sets may travel ahead of their keyframe; nothing else is let through.
            sets = tuple(unit for unit in units if unit[0] & 31 in (SPS, PPS))
            return [Picture(timestamp, sets)] if sets else []
        self.wants_keyframe = self.wants_keyframe and not picture.keyframe
        return [picture]


class Writer:
    """Pictures as FLV tag bodies; a configuration goes before the first keyframe and wherever it changes."""

    def __init__(self) -> None:
        self._sets: dict[int, tuple[bytes, ...]] = {SPS: (), PPS: ()}
        self._written: bytes | None = None

    def write(self, picture: Picture) -> list[tuple[bool, bool, bytes]]:
        """Bodies with whether they are a header, and whether they are a keyframe."""
        for kind, least in ((SPS, 4), (PPS, 2)):
            units = (unit for unit in picture.units if unit[0] & 31 == kind)
            found = tuple(unit for unit in units if least <= len(unit) <= LARGEST_SET)[:MOST_SETS]
            self._sets[kind] = found or self._sets[kind]
        slices = [unit for unit in picture.units if unit[0] & 31 not in (SPS, PPS, DELIMITER)]
        if not slices:
            return []
        bodies: list[tuple[bool, bool, bytes]] = []
        if picture.keyframe:
            configuration = self._configuration()
            if configuration is None:
                return []
            if configuration != self._written:
                self._written = configuration
                bodies.append((True, False, b"\x17\0\0\0\0" + configuration))
        if self._written is None:
            return []
        first = b"\x17\1\0\0\0" if picture.keyframe else b"\x27\1\0\0\0"
        body = b"".join(struct.pack(">I", len(unit)) + unit for unit in slices)
        return [*bodies, (False, picture.keyframe, first + body)]

    def _configuration(self) -> bytes | None:
        """An AVCDecoderConfigurationRecord (ISO 14496-15, 5.3.3)."""
        sequence, picture = self._sets[SPS], self._sets[PPS]
        if not sequence or not picture:
            return None
        record = bytes([1, *sequence[0][1:4], 0xFF, 0xE0 | len(sequence)])
        record += b"".join(struct.pack(">H", len(unit)) + unit for unit in sequence)
        record += bytes([len(picture)])
        return record + b"".join(struct.pack(">H", len(unit)) + unit for unit in picture)
