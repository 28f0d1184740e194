"""FLV as a byte stream (Adobe FLV 10.1, annex E): what goes through a pipe to or from ffmpeg. Pure.

The tags' bodies are the RTMP messages' payloads, so nothing is re-packed on either side.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

HEADER: Final = b"FLV\x01\x05" + struct.pack(">II", 9, 0)
"""Signature, version 1, audio and video, header size, and the size of the tag before the first."""
TAG_HEADER: Final = 11
LARGEST_TAG: Final = 8 << 20


class BrokenFlv(ValueError):
    """The bytes are no FLV stream."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag. `kind` is 8, 9 or 18, like the RTMP message types; `timestamp` is milliseconds."""

    kind: int
    timestamp: int
    body: bytes


def tag(kind: int, timestamp: int, body: bytes) -> bytes:
    """One tag as bytes, with the size that follows it. `timestamp` is taken modulo 2**32."""
    time = timestamp & 0xFFFF_FFFF
    head = struct.pack(">B", kind) + len(body).to_bytes(3, "big") + (time & 0xFF_FFFF).to_bytes(3, "big")
    return b"".join((head, bytes([time >> 24]), b"\0\0\0", body, struct.pack(">I", TAG_HEADER + len(body))))


class FlvReader:
    """Feed bytes as they come; get whole tags."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._begun = False

    def feed(self, data: bytes) -> list[Tag]:
        """Tags that are complete now. Raises BrokenFlv."""
        buffer = self._buffer
        buffer += data
        at = 0
        if not self._begun:
            if len(buffer) < len(HEADER):
                return []
            if buffer[:3] != b"FLV":
                raise BrokenFlv("the stream does not begin with FLV")
            at = int.from_bytes(buffer[5:9], "big") + 4
            self._begun = True
        tags: list[Tag] = []
        while at + TAG_HEADER <= len(buffer):
            size = int.from_bytes(buffer[at + 1 : at + 4], "big")
            if size > LARGEST_TAG:
                raise BrokenFlv(f"a tag of {size} bytes is more than we take")
            end = at + TAG_HEADER + size + 4
            if end > len(buffer):
                break
            time = int.from_bytes(buffer[at + 4 : at + 7], "big") | buffer[at + 7] << 24
            tags.append(Tag(buffer[at] & 31, time, bytes(buffer[at + TAG_HEADER : end - 4])))
            at = end
        del buffer[:at]
        return tags
