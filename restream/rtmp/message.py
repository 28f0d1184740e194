"""RTMP messages: type ids, protocol control, user control, commands (RTMP 1.0, sections 5.4 and 7). Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from restream.rtmp import amf0

SET_CHUNK, ABORT, ACK, USER_CONTROL, WINDOW_ACK, PEER_BANDWIDTH = 1, 2, 3, 4, 5, 6
AUDIO, VIDEO, DATA_AMF3, COMMAND_AMF3, DATA, COMMAND, AGGREGATE = 8, 9, 15, 17, 18, 20, 22
MEDIA = frozenset({AUDIO, VIDEO, DATA})
STREAM_BEGIN, STREAM_EOF, PING, PONG = 0, 1, 6, 7

CONTROL_CHUNK, COMMAND_CHUNK, DATA_CHUNK, AUDIO_CHUNK, VIDEO_CHUNK = 2, 3, 5, 4, 6
"""Chunk stream ids: 2 is prescribed for control, the others are custom."""


class Message(NamedTuple):
    """One whole message. `timestamp` is milliseconds modulo 2**32. A tuple: it costs a third to make."""

    kind: int
    timestamp: int
    stream: int
    payload: bytes


def u32(kind: int, value: int) -> Message:
    """SetChunk, Ack or WindowAck."""
    return Message(kind, 0, 0, struct.pack(">I", value))


def peer_bandwidth(size: int, limit: int = 2) -> Message:
    """SetPeerBandwidth; 2 is the dynamic limit type."""
    return Message(PEER_BANDWIDTH, 0, 0, struct.pack(">IB", size, limit))


def user_control(event: int, value: int) -> Message:
    """StreamBegin, Ping, Pong …"""
    return Message(USER_CONTROL, 0, 0, struct.pack(">HI", event, value))


def command(name: str, transaction: float, *arguments: amf0.Value, stream: int = 0) -> Message:
    """A command in AMF0."""
    return Message(COMMAND, 0, stream, amf0.encode(name, transaction, *arguments))


def status(code: str, description: str, level: str = "status", stream: int = 1) -> Message:
    """onStatus: what became of a publish."""
    info: dict[str, amf0.Value] = {"level": level, "code": code, "description": description}
    return command("onStatus", 0, None, info, stream=stream)


def reconnect_request(tc_url: str | None) -> Message:
    """NetConnection.Connect.ReconnectRequest (enhanced RTMP v2): come again, to `tc_url` if there is one."""
    info: dict[str, amf0.Value] = {
        "level": "status",
        "code": "NetConnection.Connect.ReconnectRequest",
        "description": "The server is about to restart.",
    }
    if tc_url is not None:
        info["tcUrl"] = tc_url
    return command("onStatus", 0, None, info)


@dataclass(frozen=True, slots=True)
class Command:
    """A parsed command. `arguments` begins behind the command object."""

    name: str
    transaction: float
    target: amf0.Value
    arguments: list[amf0.Value]


def parse_command(message: Message) -> Command:
    """The command in a message of kind COMMAND or COMMAND_AMF3. Raises BrokenAmf.

    A transaction number may be missing (ffmpeg's onFCPublish is a name alone); it is then 0.
    """
    payload = message.payload
    if message.kind == COMMAND_AMF3 and payload[:1] == b"\0":
        payload = payload[1:]  # the AMF3 marker; what follows is AMF0 in every known encoder
    values = amf0.decode(payload)
    if not values or not isinstance(values[0], str):
        raise amf0.BrokenAmf("a command has a name")
    number = values[1] if len(values) > 1 else None
    transaction = float(number) if isinstance(number, int | float) else 0.0
    return Command(values[0], transaction, values[2] if len(values) > 2 else None, values[3:])


class Unwrapper:
    """32-bit millisecond timestamps, made to go on past the wrap after 49.7 days."""

    def __init__(self) -> None:
        self._last: int | None = None

    def unwrap(self, timestamp: int) -> int:
        """The timestamp nearest to the last one."""
        if self._last is None:
            self._last = timestamp
        step = (timestamp - self._last) & 0xFFFF_FFFF
        if step > 0x7FFF_FFFF:
            step -= 1 << 32
        self._last = max(0, self._last + step)
        return self._last
