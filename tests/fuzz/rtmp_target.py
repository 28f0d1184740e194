"""What the fuzzer does with its bytes: the first says who reads the rest.

Only what the parsers document may leave them, and a chunk stream must read the same however it is cut.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Final, cast

from restream.gate import PublishRequest
from restream.media import Frame, Kind
from restream.rtmp import amf0, message
from restream.rtmp.chunk import BrokenChunk, ChunkReader
from restream.rtmp.codecs import opus_samples
from restream.rtmp.flv import (
    BrokenTag,
    UnsupportedCodec,
    audio_frame,
    audio_track,
    video_frame,
    video_track,
)
from restream.rtmp.flv_file import BrokenFlv, FlvReader
from restream.rtmp.message import Message, Unwrapper
from restream.rtmp.server import READ, Patience, _Connection

CHUNKS, AMF, VIDEO, AUDIO, FLV, VIDEO_CONFIGURATION, AUDIO_CONFIGURATION, CONNECTION = range(8)
LARGEST: Final = 1 << 20


def one_input(data: bytes) -> None:
    """One try. Raises what is a bug."""
    if data:
        readers = (chunks, amf, video, audio, flv, video_configuration, audio_configuration, connection)
        readers[data[0] % len(readers)](data[1:])


def chunks(data: bytes) -> None:
    """A chunk stream, whole and in pieces of a length that its first byte gives."""
    size = data[0] % 16 + 1 if data else 1
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    found = list(read(iter([data])))
    assert found == list(read(pieces)), "cutting makes a difference"
    for one in found:
        if isinstance(one, Message):
            understand(one)


def read(pieces: Iterator[bytes]) -> Iterator[Message | str]:
    """Every message, and what ended them."""
    reader = ChunkReader(LARGEST)
    try:
        for piece in pieces:
            yield from reader.messages(piece)
    except BrokenChunk as error:
        yield str(error)


def understand(found: Message) -> None:
    """What the server and the client make of a message."""
    if found.kind == message.VIDEO:
        video(found.payload)
    elif found.kind == message.AUDIO:
        audio(found.payload)
    elif found.kind == message.DATA:
        amf(found.payload)
    elif found.kind in (message.COMMAND, message.COMMAND_AMF3):
        with contextlib.suppress(amf0.BrokenAmf):
            message.parse_command(found)
    Unwrapper().unwrap(found.timestamp)


def amf(data: bytes) -> None:
    """AMF0; what was read can be written, and is read the same again."""
    with contextlib.suppress(amf0.BrokenAmf):
        values = amf0.decode(data)
        assert repr(amf0.decode(amf0.encode(*values))) == repr(values)


def video(data: bytes) -> None:
    """A video tag; its header is looked into."""
    with contextlib.suppress(BrokenTag, UnsupportedCodec):
        frame = video_frame(data, 0, 0.0)
        if frame:
            plain(frame, video_frame)
            if frame.header:
                video_configuration(frame.body)


def audio(data: bytes) -> None:
    """An audio tag; its header is looked into."""
    with contextlib.suppress(BrokenTag, UnsupportedCodec):
        frame = audio_frame(data, 0, 0.0)
        if frame:
            plain(frame, audio_frame)
            assert opus_samples(frame.body) >= 0
            if frame.header:
                audio_configuration(frame.body)


def plain(frame: Frame, again: Callable[[bytes, int, float], Frame | None]) -> None:
    """What is relayed reads as the same frame at the next server."""
    assert frame.payload.endswith(frame.body)
    assert again(frame.payload, 0, 0.0) == frame


def flv(data: bytes) -> None:
    """A file."""
    with contextlib.suppress(BrokenFlv):
        for tag in FlvReader().feed(data):
            {Kind.VIDEO: video, Kind.AUDIO: audio, Kind.DATA: amf}.get(cast(Kind, tag.kind), len)(tag.body)


def video_configuration(data: bytes) -> None:
    """avcC, hvcC or av1C."""
    with contextlib.suppress(BrokenTag):
        track = video_track(data)
        assert track.config == data


def audio_configuration(data: bytes) -> None:
    """AudioSpecificConfig or OpusHead."""
    with contextlib.suppress(BrokenTag):
        track = audio_track(data)
        assert track.config == data


def connection(data: bytes) -> None:
    """All that an encoder says, greeting and all, to a server that lets everybody in."""
    asyncio.run(_talk(data))


async def _talk(data: bytes) -> None:
    buffer = memoryview(bytearray(READ))
    wire = Wire()
    server = _Connection(Everybody(), set(), Patience(), lambda: 0.0, buffer)
    server.connection_made(wire)
    for at in range(0, len(data), 1000):
        piece = data[at : at + 1000]
        server.get_buffer(-1)[: len(piece)] = piece
        server.buffer_updated(len(piece))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if wire.is_closing():
            break
    server.connection_lost(None)


class Everybody:
    """A gate without a lock, and where what comes through it goes."""

    async def publish(self, request: PublishRequest, kick: Callable[[str], None]) -> Everybody:
        return self

    def frame(self, frame: Frame) -> None:
        if frame.header:
            (video_track if frame.kind == Kind.VIDEO else audio_track)(frame.body)

    def metadata(self, values: dict[str, object]) -> None:
        assert isinstance(values, dict)

    def closed(self, reason: str) -> None:
        assert reason


class Wire(asyncio.Transport):
    """A transport to nowhere."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 1)})
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview[int]) -> None:
        pass

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    def abort(self) -> None:
        self._closing = True

    def get_write_buffer_size(self) -> int:
        return 0
