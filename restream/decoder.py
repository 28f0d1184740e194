"""Decodes H.264 in a thread, to prove that what arrived can be shown. For receivers; never on the way out."""

from __future__ import annotations

import queue
import threading
from typing import Any, Final

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

from restream.media import Frame

MOST_WAITING: Final = 600


class Decoder:
    """`frames` and `errors` grow as the thread works. Frames that come faster than it works are errors."""

    def __init__(self) -> None:
        self.frames = 0
        self.errors = 0
        self._queue: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="decoder", daemon=True).start()

    def feed(self, frame: Frame) -> None:
        """A video frame or header; never blocks."""
        if self._queue.qsize() < MOST_WAITING:
            self._queue.put(frame)
        else:
            self.errors += 1

    def finish(self) -> None:
        """Nothing more will come; the thread decodes what is waiting and ends. Harmless when repeated."""
        self._queue.put(None)

    def _run(self) -> None:
        context: VideoCodecContext | None = None
        while frame := self._queue.get():
            if frame.header:
                self._drain(context)
                context = _context(frame.body)
            elif context is None:
                self.errors += 1
            else:
                self._decode(context, av.Packet(frame.body))
        self._drain(context)

    def _drain(self, context: VideoCodecContext | None) -> None:
        if context:
            self._decode(context, None)

    def _decode(self, context: VideoCodecContext, packet: av.Packet[Any] | None) -> None:
        try:
            pictures = context.decode(packet)
        except FFmpegError:
            self.errors += 1
            return
        for picture in pictures:
            if picture.is_corrupt:
                self.errors += 1
            else:
                self.frames += 1


def _context(config: bytes) -> VideoCodecContext:
    """A decoder that refuses what is broken instead of concealing it."""
    context = av.CodecContext.create("h264", "r")
    assert isinstance(context, VideoCodecContext)  # noqa: S101 (h264 is video)
    context.extradata = config
    context.thread_count = 1
    context.options = {"err_detect": "explode"}
    return context
