"""JPEGs of a show: decoded from one keyframe, by a child, for what comes from outside may crash a decoder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from restream.encode.process import ffmpeg_binary, start
from restream.media import Frame, Kind
from restream.record.batch import Batch
from restream.record.fragments import Assembler, NotRecordable
from restream.rtmp.flv import BrokenTag

WIDEST: Final = 640
QUALITY: Final = "3"
"""Of 2 (best) to 31."""
NICE: Final = 10
PATIENCE: Final = 15.0
"""Seconds a picture may take on a busy machine."""
REFRESH_SECONDS: Final = 10.0


class NoPicture(ValueError):
    """There is nothing to show; the sentence says why."""


async def jpeg(data: bytes) -> bytes:
    """The first picture of an fMP4 (initialisation and a fragment), at most 640 wide. Raises NoPicture."""
    argv = [
        ffmpeg_binary(),
        *("-hide_banner", "-loglevel", "error", "-threads", "1", "-skip_frame", "nokey"),
        *("-f", "mp4", "-i", "pipe:0", "-frames:v", "1", "-vf", f"scale='min({WIDEST},iw)':-2"),
        *("-q:v", QUALITY, "-f", "mjpeg", "pipe:1"),
    ]
    made = bytearray()
    child = await start("picture", argv, fed=True, read=True, nice=NICE)
    try:
        async with asyncio.timeout(PATIENCE):
            child.feed(data)
            child.finish()
            while piece := await child.read():
                made += piece
    except TimeoutError:
        made.clear()
    finally:
        await child.stop()
    if not made:
        raise NoPicture("This picture can't be decoded.")
    return bytes(made)


class LatestPicture:
    """A Reader that remembers the newest keyframe. It is decoded only when somebody asks, and seldom."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, every: float = REFRESH_SECONDS) -> None:
        self._clock = clock
        self._every = every
        self._header: Frame | None = None
        self._keyframe: tuple[Frame, Frame] | None = None
        self._made: bytes | None = None
        self._made_at = float("-inf")
        self._making = asyncio.Lock()

    def push(self, frame: Frame) -> None:
        """A frame of the live."""
        if frame.kind != Kind.VIDEO:
            return
        if frame.header:
            self._header = frame
        elif frame.keyframe and self._header:
            self._keyframe = (self._header, frame)

    def ended(self) -> None:
        """The last picture stays: it is what was seen last."""

    async def get(self) -> bytes | None:
        """A JPEG at most `every` seconds old while pictures come; None before the first one."""
        async with self._making:
            due = self._clock() - self._made_at >= self._every
            if self._keyframe and due:
                try:
                    self._made = await jpeg(_movie(*self._keyframe))
                except NoPicture:
                    self._made = None
                self._made_at = self._clock()
            return self._made


def _movie(header: Frame, keyframe: Frame) -> bytes:
    batch = Batch((keyframe,), header, None, None, keyframe.arrived, len(keyframe.body))
    try:
        assembler = Assembler(batch)
    except (NotRecordable, BrokenTag) as error:
        raise NoPicture("This picture can't be decoded.") from error
    piece = assembler.piece(batch)
    return assembler.initialisation + (piece.data if piece else b"")
