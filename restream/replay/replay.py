"""The replay of a running show: finished segments in, a thread writes. A stalled disk stalls nobody."""

from __future__ import annotations

import asyncio
import contextlib
import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from restream.api import LiveSpec, RecordingSpec
from restream.hls.finished import FinishedSegment
from restream.record.writer import GIGABYTE, SYNC_SECONDS, free_bytes
from restream.replay.about import About
from restream.replay.index import Index
from restream.replay.journal import Line
from restream.replay.screening import Screening
from restream.replay.writer import Writer

log = structlog.get_logger()

MOST_WAITING: Final = 32 << 20
"""Bytes (about 30 s of a full ladder) the disk may be behind before segments become gaps."""
MOST_SEGMENTS: Final = 1000
"""Segments and gaps that may wait; what comes on top leaves no trace."""
LAST_WRITES: Final = 10.0
"""Seconds the thread has to write what waits when the show ends."""


class Replay:
    """`start`, `take` segments, `apply` wishes, `stop`; all in the event loop's thread."""

    def __init__(
        self,
        folder: Path,
        spec: LiveSpec,
        recording: RecordingSpec,
        *,
        free: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.screening: Screening | None = None
        """What viewers get; None until what was there before is read."""
        self.about = about_of(spec)
        self._folder = folder
        self._segment_seconds = math.ceil(spec.segment_ms / 1000)
        self._most_waiting = most_waiting
        self._writer = Writer(
            folder,
            recording.least_free_gb,
            began=lambda index: self._tell(lambda: self._began(index)),
            told=lambda line: self._tell(lambda: self._written(line)),
            clock=clock,
            free=free,
        )
        self._queue: queue.SimpleQueue[FinishedSegment | About | None] = queue.SimpleQueue()
        self._put = self._taken = 0
        """Bytes put by the loop, bytes taken by the thread: each is counted by one side only."""
        self._skipped = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def trouble(self) -> str | None:
        """Why parts of the show are missing, as a sentence."""
        if self._thread and not self._thread.is_alive():
            return "The replay has failed. Switch the recording off and on, and tell us what the log says."
        if self._writer.room.reason or not self._skipped:
            return self._writer.room.reason
        return f"The disk was too slow: {self._skipped:.0f} s are missing from the replay."

    @property
    def size(self) -> int:
        """Bytes of media on the disk."""
        if self.screening is None:
            return 0
        return sum(rendition.bytes for rendition in self.screening.index.renditions.values())

    def start(self) -> None:
        """Begin, or go on after a restart."""
        self._loop = asyncio.get_running_loop()
        name = f"replay {self._folder.parent.name}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def take(self, segment: FinishedSegment) -> None:
        """Hand a segment to the thread; when the disk is too far behind, only that it is missing."""
        if self._thread is None or self._queue.qsize() >= MOST_SEGMENTS:
            return
        size = sum(map(len, segment.data))
        if self._put - self._taken + size > self._most_waiting and size:
            self._skipped += segment.seconds if segment.kind == "video" else 0
            segment, size = replace(segment, data=(), gap=True), 0
        self._put += size
        self._queue.put(segment)

    def apply(self, spec: LiveSpec, recording: RecordingSpec) -> None:
        """Take a new wish, without a break. An older one changes nothing."""
        if spec.version < self.about.version:
            return
        self._writer.room.least_free = recording.least_free_gb * GIGABYTE
        about = about_of(spec)
        if about != self.about:
            self.about = about
            if self.screening:
                self.screening.about = about
            if self._queue.qsize() < MOST_SEGMENTS:
                self._queue.put(about)  # wakes the thread, which writes down whatever is known by then

    async def stop(self, spec: LiveSpec | None = None) -> None:
        """Write what waits and close the files. With the `spec` of a show that is over, that is noted too."""
        thread, self._thread = self._thread, None
        if spec:
            self.about = about_of(spec)
            if self.screening:
                self.screening.about = self.about
        if thread:
            self._queue.put(None)
            await asyncio.to_thread(thread.join, LAST_WRITES)

    def _run(self) -> None:
        try:
            self._write_all()
        except Exception:  # our mistake; `trouble` tells, the show goes on
            log.exception("replay.failed", show=self._folder.parent.name)
            raise

    def _write_all(self) -> None:
        writer = self._writer
        writer.note(self.about)
        writer.prepare()
        while True:
            try:
                found = self._queue.get(timeout=SYNC_SECONDS)
            except queue.Empty:
                writer.note(self.about)
                writer.idle()
                continue
            writer.note(self.about)
            if found is None:
                break
            if isinstance(found, FinishedSegment):
                writer.write(found)
                self._taken += sum(map(len, found.data))
        writer.close()

    def _began(self, index: Index) -> None:
        index.target = max(index.target, self._segment_seconds)
        self.screening = Screening(self._folder, index, self.about, ended=False)

    def _written(self, line: Line) -> None:
        if self.screening:
            self.screening.index.add(line)

    def _tell(self, news: Callable[[], None]) -> None:
        """Called in the thread; the loop is told."""
        loop = self._loop
        if loop and not loop.is_closed():
            with contextlib.suppress(RuntimeError):  # closed meanwhile: nobody is left to be told
                loop.call_soon_threadsafe(news)


def about_of(spec: LiveSpec) -> About:
    """What of a wish concerns the replay."""
    return About(playback=spec.playback, version=spec.version, cues=spec.cues, over=not spec.open)
