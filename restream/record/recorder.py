"""The recording of one show: a Reader whose frames a thread writes. A stalled disk never stalls the show."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from restream.api import RecordingSpec, RecordingStatus
from restream.media import Frame
from restream.record import shelf
from restream.record.batch import Batch, Cutter
from restream.record.writer import GIGABYTE, SYNC_SECONDS, Writer, free_bytes

MOST_WAITING: Final = 16 << 20
"""Bytes (about 25 s at 5 Mbit/s) the disk may be behind before media is left out to the next keyframe."""
MOST_BATCHES: Final = 600
LAST_WRITES: Final = 10.0
"""Seconds the thread has to write what waits when the recording ends."""


class Recorder:
    """`start`, then `push` and `ended` as a Reader, `stop` at the end; all in the event loop's thread.

    `on_change` is called in the event loop with every change of state.
    """

    def __init__(
        self,
        root: Path,
        slug: str,
        spec: RecordingSpec,
        *,
        on_change: Callable[[RecordingStatus], None] = lambda status: None,
        free: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.spec = spec
        self._folder = shelf.folder_of(root, slug)
        self._on_change = on_change
        self._now = now
        self._most_waiting = most_waiting
        self._writer = Writer(self._folder, spec.least_free_gb, changed=self._changed, clock=clock, free=free)
        self._cutter = Cutter(self._take, now)
        self._queue: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._put = self._taken = 0
        """Bytes put by the loop, bytes taken by the thread: each is counted by one side only."""
        self._skipping = False
        self._skipped_ms = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        # A Reader is called for every frame: no detour through a method of ours.
        self.push: Callable[[Frame], None] = self._cutter.push
        self.ended: Callable[[], None] = self._cutter.ended

    def start(self) -> None:
        """Begin; attach it to the live afterwards."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name=f"recording {self._folder.name}", daemon=True)
        self._thread.start()

    async def stop(self, *, show_over: bool = False) -> None:
        """Write what waits and close the file. With the show's end its time of being kept begins."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._cutter.ended()
        self._queue.put(None)
        await asyncio.to_thread(thread.join, LAST_WRITES)
        if show_over:
            await asyncio.to_thread(shelf.keep, self._folder, self.spec.keep_hours, self._now())

    def apply(self, spec: RecordingSpec) -> None:
        """Take a new wish, without a break."""
        self.spec = spec
        self._writer.least_free = spec.least_free_gb * GIGABYTE

    def status(self) -> RecordingStatus:
        """What is so."""
        writer, reason = self._writer, self._writer.reason
        if self._thread and not self._thread.is_alive():
            reason = "The recording has failed. Switch it off and on again, and tell us what the log says."
            return RecordingStatus(
                state="stopped", reason=reason, seconds=round(writer.seconds, 3), bytes=writer.bytes
            )
        if reason is None and self._skipped_ms:
            seconds = self._skipped_ms / 1000
            reason = f"The disk was too slow: {seconds:.0f} s are missing from the recording."
        return RecordingStatus(
            state=writer.state if self._thread else "off",
            reason=reason,
            seconds=round(writer.seconds, 3),
            bytes=writer.bytes,
        )

    def _take(self, batch: Batch) -> None:
        """Hand a batch to the thread, unless the disk is too far behind."""
        waiting = self._put - self._taken
        full = waiting + batch.size > self._most_waiting or self._queue.qsize() >= MOST_BATCHES
        if self._skipping:
            self._skipping = full or not batch.keyframe or waiting > self._most_waiting // 2
        else:
            self._skipping = full
        if self._skipping:
            self._skipped_ms += batch.frames[-1].dts - batch.frames[0].dts
            return
        self._put += batch.size
        self._queue.put(batch)

    def _changed(self) -> None:
        """Called in the thread; the loop is told."""
        loop = self._loop
        if loop and not loop.is_closed():
            with contextlib.suppress(RuntimeError):  # closed meanwhile: nobody is left to be told
                loop.call_soon_threadsafe(lambda: self._on_change(self.status()))

    def _run(self) -> None:
        self._writer.prepare()
        noted = self._note_keeping(None)
        while True:
            try:
                batch = self._queue.get(timeout=SYNC_SECONDS)
            except queue.Empty:
                self._writer.idle()
                continue
            if batch is None:
                break
            self._taken += batch.size
            noted = self._note_keeping(noted)
            self._writer.write(batch)
        self._writer.close()

    def _note_keeping(self, noted: float | None) -> float | None:
        """Write down how long the show is kept, unless that is what was `noted`; the hours noted now."""
        hours = self.spec.keep_hours
        if hours != noted:
            try:
                shelf.keep(self._folder, hours, None)
            except OSError:
                return None  # the writer says what is wrong when it can't write either
        return hours
