"""AMF0 (Adobe, 2007): the encoding of RTMP commands and metadata. Pure."""

from __future__ import annotations

import struct
from typing import Final

NUMBER, BOOLEAN, STRING, OBJECT, NULL, UNDEFINED, ECMA_ARRAY, END, STRICT_ARRAY, DATE, LONG_STRING = (
    *(0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12),
)
DEEPEST: Final = 16
LARGEST: Final = 256 << 10
"""Bytes; metadata of known encoders is under 4 KiB, and every value costs many times its bytes in memory."""

Value = float | bool | str | None | dict[str, "Value"] | list["Value"]


class BrokenAmf(ValueError):
    """The bytes are not AMF0, or more or deeper nested than any peer needs."""


def encode(*values: Value) -> bytes:
    """The values one after another, as in an RTMP command."""
    return b"".join(_encode(value) for value in values)


def decode(data: bytes | memoryview) -> list[Value]:
    """Every value in `data`. Raises BrokenAmf."""
    if len(data) > LARGEST:
        raise BrokenAmf(f"{len(data)} bytes of AMF0 are more than we take")
    data, values, at = bytes(data), [], 0
    try:
        while at < len(data):
            value, at = _decode(data, at, 0)
            values.append(value)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise BrokenAmf(f"AMF0 breaks off or is garbled: {error}") from None
    return values


def _encode(value: Value) -> bytes:
    if value is None:
        return bytes([NULL])
    if isinstance(value, bool):
        return bytes([BOOLEAN, value])
    if isinstance(value, int | float):
        return struct.pack(">Bd", NUMBER, value)
    if isinstance(value, str):
        return _encode_string(value)
    if isinstance(value, list):
        return struct.pack(">BI", STRICT_ARRAY, len(value)) + b"".join(map(_encode, value))
    return bytes([OBJECT]) + _encode_members(value)


def encode_ecma_array(members: dict[str, Value]) -> bytes:
    """The form onMetaData takes: like an object, with a count nobody relies on."""
    return struct.pack(">BI", ECMA_ARRAY, len(members)) + _encode_members(members)


def _encode_string(value: str) -> bytes:
    raw = value.encode()
    if len(raw) > 0xFFFF:
        return struct.pack(">BI", LONG_STRING, len(raw)) + raw
    return struct.pack(">BH", STRING, len(raw)) + raw


def _encode_members(members: dict[str, Value]) -> bytes:
    parts = []
    for name, value in members.items():
        raw = name.encode()
        parts += [struct.pack(">H", len(raw)), raw, _encode(value)]
    return b"".join(parts) + bytes([0, 0, END])


def _decode(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    if depth > DEEPEST:
        raise BrokenAmf("AMF0 is nested too deeply")
    kind, at = data[at], at + 1
    if kind == NUMBER:
        return struct.unpack_from(">d", data, at)[0], at + 8
    if kind == BOOLEAN:
        return bool(data[at]), at + 1
    if kind in (STRING, LONG_STRING):
        return _decode_string(data, at, 2 if kind == STRING else 4)
    if kind in (NULL, UNDEFINED):
        return None, at
    if kind == OBJECT:
        return _decode_members(data, at, depth)
    if kind == ECMA_ARRAY:
        return _decode_members(data, at + 4, depth)
    if kind == STRICT_ARRAY:
        return _decode_array(data, at, depth)
    if kind == DATE:
        return struct.unpack_from(">d", data, at)[0], at + 10
    raise BrokenAmf(f"AMF0 has no type {kind}")


def _decode_string(data: bytes, at: int, width: int) -> tuple[str, int]:
    length = int.from_bytes(data[at : at + width], "big")
    raw = data[at + width : at + width + length]
    at += width
    if at + length > len(data):
        raise BrokenAmf("a string breaks off")
    return raw.decode(), at + length


def _decode_members(data: bytes, at: int, depth: int) -> tuple[dict[str, Value], int]:
    members: dict[str, Value] = {}
    while True:
        name, at = _decode_string(data, at, 2)
        if not name and data[at] == END:
            return members, at + 1
        members[name], at = _decode(data, at, depth + 1)


def _decode_array(data: bytes, at: int, depth: int) -> tuple[list[Value], int]:
    (count,) = struct.unpack_from(">I", data, at)
    at += 4
    values: list[Value] = []
    for _ in range(count):
        value, at = _decode(data, at, depth + 1)
        values.append(value)
    return values, at
