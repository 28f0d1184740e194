"""AAC to Opus, in one small ffmpeg for a show, and only while somebody watches."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections.abc import Callable
from typing import Final

import structlog

from restream.encode.pipe import read_into
from restream.encode.process import GOODBYE, Child, ffmpeg_binary, start
from restream.media import Frame, Kind
from restream.rtmp.flv import UnsupportedCodec
from restream.rtmp.flv_file import BrokenFlv, tag

log = structlog.get_logger()

SOUND_ONLY: Final = b"FLV\x01\x04" + struct.pack(">II", 9, 0)
"""An FLV header that promises no picture, or ffmpeg would wait for one."""
BUFFER: Final = 256 << 10
LEAD_MS: Final = 1000
"""The child's clock begins here: the encoder's first packet has a time before its input's."""
AGAIN_AFTER: Final = 1.0
"""Seconds until a child that died is followed by another."""


def arguments() -> list[str]:
    """ffmpeg from AAC in FLV to Opus in FLV, each packet as soon as it is there."""
    quiet = ("-hide_banner", "-loglevel", "error", "-nostats", "-copyts")
    source = ("-probesize", "32", "-analyzeduration", "0", "-f", "flv", "-i", "pipe:0")
    sound = ("-map", "0:a:0", "-af", "aresample=async=1000", "-ar", "48000", "-ac", "2")
    opus = ("-c:a", "libopus", "-b:a", "128k", "-application", "lowdelay", "-frame_duration", "20")
    cheap = ("-compression_level", "5")  # half of what the default costs, and not heard at this rate
    output = ("-f", "flv", "-flvflags", "no_duration_filesize", "-flush_packets", "1", "pipe:1")
    return [ffmpeg_binary(), *quiet, *source, *sound, *opus, *cheap, *output]


class Opus:
    """`push` AAC with its header first; `sounded` gets packets with their time (ms) and the wall clock."""

    def __init__(self, slug: str, sounded: Callable[[int, bytes, float], None]) -> None:
        self._slug = slug
        self._sounded = sounded
        self._header: Frame | None = None
        self._run: _Run | None = None
        self._failed_at = 0.0
        self._ending: set[_Run] = set()

    def push(self, frame: Frame) -> None:
        """A frame of the track; another header begins another child."""
        if frame.header:
            if self._header is None or self._header.body != frame.body:
                self.end()
            self._header = frame
            return
        run = self._run
        if run and run.over:
            self._failed_at, self._run = time.monotonic(), None  # its child is gone
        if self._header and self._run is None and time.monotonic() - self._failed_at >= AGAIN_AFTER:
            self._run = _Run(self._slug, self._header, frame.dts, self._sounded)
        if self._run:
            self._run.push(frame)

    def end(self) -> None:
        """The track is over."""
        self._header = None
        if self._run:
            self._run.cancel()
            self._ending = {run for run in self._ending if not run.over} | {self._run}
            self._run = None

    async def ended(self) -> None:
        """Wait until no child is left, after `end`."""
        await asyncio.gather(*(run.ended() for run in self._ending))


class _Run:
    """One child's life."""

    def __init__(
        self, slug: str, header: Frame, first: int, sounded: Callable[[int, bytes, float], None]
    ) -> None:
        self.over = False
        self._slug = slug
        self._shift = first - LEAD_MS
        self._sounded = sounded
        self._child: Child | None = None
        self._before = bytearray(SOUND_ONLY + tag(Kind.AUDIO, 0, header.payload))
        self._task = asyncio.create_task(self._live(), name=f"opus of {slug}")

    def push(self, frame: Frame) -> None:
        """Feed it, unless it does not keep up."""
        data = tag(Kind.AUDIO, max(frame.dts - self._shift, 0), frame.payload)
        if self._child is None:
            if len(self._before) < BUFFER:
                self._before += data
        elif self._child.waiting < BUFFER:
            self._child.feed(data)

    def cancel(self) -> None:
        """End it."""
        self._task.cancel()

    async def ended(self) -> None:
        """Until it has."""
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def frame(self, frame: Frame) -> None:
        """What the child says (`encode.pipe.Sink`)."""
        if frame.kind is Kind.AUDIO and not frame.header and not self._task.cancelling():
            self._sounded(frame.dts + self._shift, frame.body, frame.arrived)

    def metadata(self, values: dict[str, object]) -> None:
        """Of no interest."""

    async def _live(self) -> None:
        try:
            child = await start(f"opus of {self._slug}", arguments(), fed=True, read=True)
        except OSError as error:
            log.warning("whep.opus", show=self._slug, why=error.strerror)
            self.over = True
            return
        try:
            child.feed(bytes(self._before))
            self._child, self._before = child, bytearray()
            await read_into(child, self)
            log.warning("whep.opus", show=self._slug, said=child.last_words())
        except (BrokenFlv, UnsupportedCodec) as error:
            log.warning("whep.opus", show=self._slug, why=str(error))
        finally:
            self.over = True
            await child.stop(GOODBYE)
