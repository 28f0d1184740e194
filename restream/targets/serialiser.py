"""Each message is serialised once per chunk size; every target writes the same bytes.

That works because all targets share the live's own timeline: a frame has the same timestamp
everywhere. Platforms take a stream that does not begin at zero; what they need is that it goes on.
"""

from __future__ import annotations

from typing import Final

from restream.media import Frame, Kind
from restream.rtmp import message
from restream.rtmp.chunk import serialise
from restream.rtmp.message import Message

STREAM: Final = 1
CHUNK_STREAMS: Final = {
    Kind.AUDIO: message.AUDIO_CHUNK,
    Kind.VIDEO: message.VIDEO_CHUNK,
    Kind.DATA: message.DATA_CHUNK,
}


class Serialiser:
    """Remembers the last frame's bytes. One per live, shared by its targets."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._bytes: dict[int, bytes] = {}

    def chunks(self, frame: Frame, chunk_size: int) -> bytes:
        """The frame as RTMP chunks."""
        if frame is not self._frame:
            self._frame = frame
            self._bytes.clear()
        found = self._bytes.get(chunk_size)
        if found is None:
            found = self._bytes[chunk_size] = serialised(frame, chunk_size)
        return found


def serialised(frame: Frame, chunk_size: int) -> bytes:
    """One frame as RTMP chunks."""
    whole = Message(frame.kind, frame.dts & 0xFFFF_FFFF, STREAM, frame.payload)
    return serialise(whole, CHUNK_STREAMS[frame.kind], chunk_size)
