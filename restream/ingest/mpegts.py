"""What is in an MPEG transport stream, from its tables (ISO 13818-1, 2.4.4). Pure."""

from __future__ import annotations

from typing import Final

PACKET: Final = 188
SYNC: Final = 0x47
PAT_PID: Final = 0
AAC_TYPES: Final = frozenset({0x0F})
"""Stream types of AAC with ADTS headers, which is the one that can be copied."""
AUDIO_TYPES: Final = frozenset({0x03, 0x04, 0x06, 0x0F, 0x11, 0x1C, 0x80, 0x81, 0x82, 0x83, 0x84, 0x87})
"""Of all that may be audio; 0x06 (private data) is Opus and AC-3 among others."""


def stream_types(data: bytes) -> list[int] | None:
    """The types of the first programme's streams; None when its tables have not come yet."""
    table: int | None = None
    for at in range(0, len(data) - PACKET + 1, PACKET):
        packet = data[at : at + PACKET]
        if packet[0] != SYNC:
            return None
        pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
        if pid == PAT_PID and table is None:
            table = _programme_table(_section(packet, 0x00))
        elif pid == table and (found := _section(packet, 0x02)):
            return _types(found)
    return None


def copies_audio(types: list[int]) -> bool:
    """Whether all its audio is AAC."""
    return not any(kind in AUDIO_TYPES and kind not in AAC_TYPES for kind in types)


def _section(packet: bytes, table: int) -> bytes:
    """The section that begins in a packet, without its CRC; empty when it is not whole in there."""
    if not packet[1] & 0x40 or not packet[3] & 0x10:
        return b""
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    if at >= PACKET:
        return b""
    at += 1 + packet[at]
    if at + 3 > PACKET or packet[at] != table:
        return b""
    size = int.from_bytes(packet[at + 1 : at + 3], "big") & 0xFFF
    section = packet[at : at + 3 + size]
    return section[:-4] if len(section) == 3 + size else b""


def _programme_table(section: bytes) -> int | None:
    for at in range(8, len(section) - 3, 4):
        if int.from_bytes(section[at : at + 2], "big"):  # 0 is the network's own table
            return int.from_bytes(section[at + 2 : at + 4], "big") & 0x1FFF
    return None


def _types(section: bytes) -> list[int]:
    types: list[int] = []
    at = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
    while at + 5 <= len(section):
        types.append(section[at])
        at += 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF)
    return types
