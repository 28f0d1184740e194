"""The far side of TikTok's wire: what its servers write, and how they read a client.

It writes by field numbers, without the reader's list of them: who reads must find each where TikTok puts it.
"""

from __future__ import annotations

from connectors.tiktok import shapes
from connectors.tiktok.frames import Frame
from connectors.tiktok.protobuf import read

VARINT, BYTES = 0, 2
UNKNOWN = (900, "a field of tomorrow")


def varint(value: int) -> bytes:
    """A number as a varint; negative ones in 64-bit two's complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


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


def user(author_id: str, name: str) -> bytes:
    """A viewer. Ids are numbers at TikTok; one that is none here is spelled in `id_str` alone."""
    number = [(1, int(author_id))] if author_id.isdecimal() else []
    return encode(*number, (3, name), (38, name.lower()), (1028, author_id), UNKNOWN)


def common(method: str, msg_id: int, room_id: int, at_ms: int, sentence: str = "") -> bytes:
    """What every event begins with; `sentence` names the text TikTok's app would show."""
    shown = [(8, encode((1, sentence)))] if sentence else []
    return encode((1, method), (2, msg_id), (3, room_id), (4, at_ms), *shown, UNKNOWN)


def chat(start: bytes, author: bytes, text: str) -> bytes:
    """A WebcastChatMessage."""
    return encode((1, start), (2, author), (3, text), (14, "en"), UNKNOWN)


def viewers(start: bytes, watching: int) -> bytes:
    """A WebcastRoomUserSeqMessage."""
    return encode((1, start), (3, watching), (7, watching * 3))


def event(method: str, payload: bytes, msg_id: int, *, history: bool = False) -> bytes:
    """A BaseMessage."""
    return encode((1, method), (2, payload), (3, msg_id), *([(6, 1)] if history else []))


def batch(
    events: list[bytes], cursor: str, *, ext: str, more: tuple[tuple[int, int | bytes | str], ...] = ()
) -> bytes:
    """A FetchResult that wants to be acknowledged."""
    return encode(*((1, one) for one in events), (2, cursor), (5, ext), *more, (9, 1), UNKNOWN)


def route(params: dict[str, str]) -> tuple[tuple[int, int | bytes | str], ...]:
    """The map of parameters that the socket's address must carry."""
    return tuple((7, encode((1, name), (2, value))) for name, value in params.items())


def pushed(payload: bytes, number: int, *, gzip: bool) -> bytes:
    """A frame as the server sends it."""
    return Frame("msg", payload, seq_id=number, log_id=number).encode(gzip=gzip)


def entered(frame: Frame) -> tuple[int, str]:
    """(room, cursor) of an im_enter_room."""
    body = read(shapes.EnterRoom, frame.payload)
    return body.room_id, body.cursor.decode()


def beaten(frame: Frame) -> tuple[int, int]:
    """(room, count) of a heartbeat."""
    body = read(shapes.Heartbeat, frame.payload)
    return body.room_id, body.count
