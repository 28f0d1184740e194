"""Media through a child's pipes: its FLV output as frames, and frames as its FLV input."""

from __future__ import annotations

import time
from typing import Final, Protocol

from restream.encode.process import Child
from restream.media import Frame, Kind
from restream.rtmp import amf0
from restream.rtmp.flv import BrokenTag, audio_frame, video_frame
from restream.rtmp.flv_file import HEADER, FlvReader, tag
from restream.rtmp.message import Unwrapper

BUFFER: Final = 4 << 20
"""Bytes a child may be behind before frames are dropped to the next keyframe."""


class Sink(Protocol):
    """What frames are read into; a publisher's session is one."""

    def frame(self, frame: Frame) -> None:
        """A frame, in order. BrokenTag when it is a header that makes no sense."""
        ...

    def metadata(self, values: dict[str, object]) -> None:
        """onMetaData."""
        ...


class Readable(Protocol):
    """A pipe out of a child."""

    async def read(self) -> bytes:
        """Some bytes; empty at the end."""
        ...


async def read_into(pipe: Readable, sink: Sink) -> None:
    """Every frame of a child's FLV output, until it closes it. Raises BrokenFlv or UnsupportedCodec."""
    reader, clock = FlvReader(), Unwrapper()
    while data := await pipe.read():
        for found in reader.feed(data):
            if found.kind == Kind.DATA:
                _metadata(found.body, sink)
                continue
            read = video_frame if found.kind == Kind.VIDEO else audio_frame
            try:
                frame = read(found.body, clock.unwrap(found.timestamp), time.time())
                if frame:
                    sink.frame(frame)
            except BrokenTag:
                continue


def _metadata(body: bytes, sink: Sink) -> None:
    try:
        values = amf0.decode(body)
    except amf0.BrokenAmf:
        return
    if len(values) > 1 and values[0] == "onMetaData" and isinstance(values[1], dict):
        sink.metadata(dict(values[1]))


class Feeder:
    """A Reader of a live that feeds a child; drops to the next keyframe when the child is too slow."""

    def __init__(self, child: Child, buffer: int = BUFFER) -> None:
        self._child = child
        self._buffer = buffer
        self._skipping = True
        self.frames = self.dropped = 0
        child.feed(HEADER)

    def push(self, frame: Frame) -> None:
        """Headers always; frames from a keyframe on, while the child keeps up."""
        if frame.kind == Kind.DATA:
            return
        if not frame.header:
            if frame.kind == Kind.VIDEO and frame.keyframe:
                self._skipping = self._child.waiting > self._buffer // 2
            elif self._child.waiting > self._buffer:
                self._skipping = True
            if self._skipping:
                self.dropped += 1
                return
            self.frames += 1
        self._child.feed(tag(frame.kind, frame.dts, frame.payload))

    def ended(self) -> None:
        """What comes next begins with headers and a keyframe."""
        self._skipping = True
