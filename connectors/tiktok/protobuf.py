"""Protocol Buffers on the wire: enough to read and write messages whose schema only the caller knows.

Source: the encoding page of protobuf.dev (proto3). Written from that description; there is no generated
code. What the caller does not ask for is skipped, fields of another wire type included, as the format
demands of readers older than the writer.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = range(6)
LONGEST_VARINT = 10
MASK = (1 << 64) - 1
HIGHEST_FIELD = (1 << 29) - 1

Value = int | bytes


class Malformed(ValueError):
    """These bytes are not a message."""


def varint(value: int) -> bytes:
    """A number as a varint; negative ones in 64-bit two's complement."""
    value &= MASK
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, 0 … 2^64-1, and where it ends."""
    value = shift = 0
    for byte in data[at : at + LONGEST_VARINT]:
        at += 1
        if byte < 0x80:
            return (value | byte << shift) & MASK, at
        value |= (byte & 0x7F) << shift
        shift += 7
    raise Malformed("a number is cut off" if at >= len(data) else "a number is longer than 64 bits")


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """(field number, value) in order. Fixed-width fields and groups are stepped over: TikTok has none."""
    at, size = 0, len(data)
    groups: list[int] = []
    while at < size:
        # Most numbers are one byte long, and a busy room has thousands of them a second.
        tag = data[at]
        if tag < 0x80:
            at += 1
        else:
            tag, at = read_varint(data, at)
        number, wire = tag >> 3, tag & 7
        if not 1 <= number <= HIGHEST_FIELD:
            raise Malformed("no such field number")
        if wire == BYTES:
            if at < size and (length := data[at]) < 0x80:
                start = at + 1
            else:
                length, start = read_varint(data, at)
            at = within(data, start + length)
            if not groups:
                yield number, data[start:at]
        elif wire == VARINT:
            value, at = read_varint(data, at)
            if not groups:
                yield number, value
        elif wire in (FIXED64, FIXED32):
            at = within(data, at + (8 if wire == FIXED64 else 4))
        elif wire == GROUP:
            groups.append(number)
        elif wire != END_GROUP or not groups or groups.pop() != number:
            raise Malformed("no such wire type")
    if groups:
        raise Malformed("a group is cut off")


def within(data: bytes, end: int) -> int:
    """`end`, if the data reaches that far."""
    if end > len(data):
        raise Malformed("a field is cut off")
    return end


class Message:
    """One message, read by field number. A field that is absent, or of another type, has its default."""

    def __init__(self, data: bytes = b"") -> None:
        self._fields: dict[int, list[Value]] = {}
        for number, value in fields(data):
            if number in self._fields:
                self._fields[number].append(value)
            else:
                self._fields[number] = [value]

    def number(self, field: int) -> int:
        """An unsigned number, the last one given; 0 when there is none."""
        return next((one for one in reversed(self._fields.get(field, ())) if isinstance(one, int)), 0)

    def numbers(self, field: int) -> list[int]:
        """A repeated number, packed or not."""
        found: list[int] = []
        for value in self._fields.get(field, ()):
            if isinstance(value, int):
                found.append(value)
                continue
            at = 0
            while at < len(value):
                one, at = read_varint(value, at)
                found.append(one)
        return found

    def blobs(self, field: int) -> list[bytes]:
        """Every value of a repeated field of bytes, text or messages."""
        return [value for value in self._fields.get(field, ()) if isinstance(value, bytes)]

    def blob(self, field: int) -> bytes:
        """Bytes, the last ones given; empty when there are none."""
        return next((one for one in reversed(self._fields.get(field, ())) if isinstance(one, bytes)), b"")

    def text(self, field: int) -> str:
        """Text; bytes that are no UTF-8 are replaced rather than losing the message."""
        return self.blob(field).decode("utf-8", "replace")

    def message(self, field: int) -> Message:
        """A message inside; an empty one when it is absent."""
        return Message(self.blob(field))

    def messages(self, field: int) -> list[Message]:
        """Every message of a repeated field."""
        return [Message(blob) for blob in self.blobs(field)]


def encode(*pairs: tuple[int, int | bytes | str]) -> bytes:
    """A message of (field number, value) pairs, in that order; a message inside is given as its bytes."""
    out = bytearray()
    for number, value in pairs:
        if isinstance(value, int):
            out += varint(number << 3 | VARINT) + varint(value)
            continue
        raw = value.encode() if isinstance(value, str) else value
        out += varint(number << 3 | BYTES) + varint(len(raw)) + raw
    return bytes(out)
