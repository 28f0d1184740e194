"""H.264 and Opus as RTP payloads (RFC 6184, RFC 7587), cut once for all viewers. Pure."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from typing import Final

LARGEST: Final = 1186
"""Bytes of a payload: with RTP's header, two bytes when it is sent again, and SRTP's tag, that is 1,216."""
STAP_A, FU_A = 24, 28
IDR, NOTE, SPS, PPS, DELIMITER, FILLER = 5, 6, 7, 8, 9, 12
BEGINS, ENDS = 0x80, 0x40
BUFFERING: Final = frozenset({0, 1, 3})
"""Kinds of SEI messages that matter to a transmitter of constant rate only (H.264, D.1: buffering period,
picture timing, filler). Encoders at such a rate send one with every picture."""
MOST_PAYLOADS: Final = 0xFFFF
"""Of one picture; far more than any has."""


class BrokenPicture(ValueError):
    """The bytes are no H.264 as FLV carries it."""


class Parameters:
    """The parameter sets of an AVCDecoderConfigurationRecord (ISO 14496-15, 5.3.3)."""

    def __init__(self, config: bytes) -> None:
        """Raises BrokenPicture."""
        if len(config) < 7 or config[0] != 1:
            raise BrokenPicture("no H.264 configuration")
        self.profile = config[1:3].hex()
        self.length_size = (config[4] & 3) + 1
        self.units: list[bytes] = []
        at = 5
        for mask in (31, 255):
            if at >= len(config):
                raise BrokenPicture("the configuration breaks off")
            count, at = config[at] & mask, at + 1
            for _ in range(count):
                size = int.from_bytes(config[at : at + 2], "big")
                unit = config[at + 2 : at + 2 + size]
                if not size or len(unit) != size:
                    raise BrokenPicture("a parameter set breaks off")
                self.units.append(unit)
                at += 2 + size


def picture(body: bytes, keyframe: bool, parameters: Parameters) -> list[bytes]:
    """The payloads of one picture. Parameter sets go before a keyframe, so that one may join or change there.

    Raises BrokenPicture.
    """
    units = list(_units(body, parameters.length_size))
    if keyframe and not any(unit[0] & 31 == SPS for unit in units):
        units = [*parameters.units, *units]
    payloads: list[bytes] = []
    small: list[bytes] = []
    size = 1
    for unit in units:
        if size + 2 + len(unit) > LARGEST:
            payloads += _joined(small)
            small, size = [], 1
        if len(unit) > LARGEST:
            payloads += _cut(unit)
        else:
            small.append(unit)
            size += 2 + len(unit)
    payloads += _joined(small)
    if len(payloads) > MOST_PAYLOADS:
        raise BrokenPicture("a picture is not that large")
    return payloads


def _units(body: bytes, length_size: int) -> Iterator[bytes]:
    """NAL units behind their lengths. What fills up, separates, or times a buffer needs no packet."""
    at = 0
    while at < len(body):
        size = int.from_bytes(body[at : at + length_size], "big")
        unit = body[at + length_size : at + length_size + size]
        if len(unit) != size:
            raise BrokenPicture("a unit breaks off")
        kind = unit[0] & 31 if size else FILLER
        if kind not in (DELIMITER, FILLER) and not (kind == NOTE and _only_buffering(unit)):
            yield unit
        at += length_size + size


def _joined(units: Sequence[bytes]) -> list[bytes]:
    """Small units in one packet."""
    if len(units) < 2:
        return list(units)
    importance = max(unit[0] & 0x60 for unit in units)
    return [bytes([importance | STAP_A]) + b"".join(struct.pack(">H", len(unit)) + unit for unit in units)]


def _only_buffering(note: bytes) -> bool:
    """Whether an SEI unit says nothing about the picture (H.264, 7.3.2.3); captions, for one, do."""
    data = note[1:].replace(b"\0\0\3", b"\0\0")
    at = 0
    while at + 2 <= len(data):
        kind, size = data[at], data[at + 1]
        if kind not in BUFFERING or size == 0xFF:
            return False
        at += 2 + size
    return at > 0


def _cut(unit: bytes) -> Iterator[bytes]:
    """A unit in as few fragments as may be, all of one size but the last, which is little smaller.

    So the fragments of all slices of a picture are of nearly one size, too.
    """
    indicator, kind = bytes([unit[0] & 0xE0 | FU_A]), unit[0] & 31
    count = math.ceil((len(unit) - 1) / (LARGEST - 2))
    step = math.ceil((len(unit) - 1) / count)
    for at in range(1, len(unit), step):
        flags = (BEGINS if at == 1 else 0) | (ENDS if at + step >= len(unit) else 0)
        yield indicator + bytes([flags | kind]) + unit[at : at + step]
