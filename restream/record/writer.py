"""The one thread that writes a show's recording: fragments, index, fsync, and an eye on the free space."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Final, Literal

import structlog

from restream.record import shelf
from restream.record.batch import Batch
from restream.record.fragments import Assembler, NotRecordable, Piece
from restream.record.reading import Entry
from restream.rtmp.flv import BrokenTag

log = structlog.get_logger()

SYNC_SECONDS: Final = 3.0
LOOK_SECONDS: Final = 1.0
"""Between looks at the free space."""
RETRY_SECONDS: Final = 5.0
"""After an error of the disk."""
ROOM: Final = 256 << 20
"""Bytes more than the least that must be free before recording goes on: it must not stop again at once."""
GIGABYTE: Final = 1_000_000_000

State = Literal["waiting", "recording", "stopped"]


def free_bytes(folder: Path) -> int:
    """What is free on the disk of a folder."""
    return shutil.disk_usage(folder).free


class OpenFile:
    """A recording that grows, and its index."""

    def __init__(self, folder: Path, first: Batch) -> None:
        self.assembler = Assembler(first)
        wall = first.wall
        folder.mkdir(parents=True, exist_ok=True)
        while (path := folder / f"{shelf.file_name(wall)}.mp4").exists():
            wall += 0.001
        self.path = path
        self._size = 0
        self._media = path.open("xb", buffering=0)
        self._index = shelf.index_of(path).open("wb", buffering=0)
        track, sound = self.assembler.video, self.assembler.audio
        about = shelf.Description(
            initialisation=len(self.assembler.initialisation),
            video=track.codec,
            audio=sound.codec if sound else None,
            width=track.width,
            height=track.height,
        )
        try:
            self._append(self.assembler.initialisation)
            _write(self._index, about.model_dump_json().encode() + b"\n")
        except OSError:
            self.close()
            path.unlink(missing_ok=True)
            shelf.index_of(path).unlink(missing_ok=True)
            raise

    def add(self, piece: Piece) -> None:
        """The media first: an index never promises what is not there."""
        at = self._size
        self._append(piece.data)
        entry = Entry(at, len(piece.data), piece.media, piece.lasts, piece.wall, piece.key)
        _write(self._index, shelf.line(entry))

    def sync(self) -> None:
        """Onto the disk."""
        os.fdatasync(self._media.fileno())
        os.fdatasync(self._index.fileno())

    def close(self) -> None:
        """Close, without what an error tore; never raises."""
        for file in (self._media, self._index):
            with contextlib.suppress(OSError):
                if file is self._media:
                    file.truncate(self._size)
                os.fdatasync(file.fileno())
            with contextlib.suppress(OSError):
                file.close()

    def _append(self, data: bytes) -> None:
        _write(self._media, data)
        self._size += len(data)


class Writer:
    """`write` batches, `idle` when none come, `close` at the end: all in one thread.

    `state`, `reason`, `seconds` and `bytes` may be read from any thread; `changed` is called in this one.
    `clock` is monotonic.
    """

    def __init__(
        self,
        folder: Path,
        least_free_gb: float,
        *,
        changed: Callable[[], None],
        clock: Callable[[], float],
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.state: State = "waiting"
        self.reason: str | None = None
        self.seconds = 0.0
        self.bytes = 0
        self._folder = folder
        self.least_free = least_free_gb * GIGABYTE
        self._changed = changed
        self._clock = clock
        self._free = free
        self._file: OpenFile | None = None
        self._synced_at = self._looked_at = self._retry_at = float("-inf")

    def prepare(self) -> None:
        """Repair what a kill left, and count what is there already."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            shelf.repair(self._folder)
            for found in shelf.recordings(self._folder):
                self.seconds += found.seconds
                self.bytes += found.size
        except OSError as error:
            self._stop(_broken(error))

    def write(self, batch: Batch) -> None:
        """One batch; what the disk does not take is left out, and why is said."""
        try:
            if self._may_write():
                self._write(batch)
        except OSError as error:
            self._retry_at = self._clock() + RETRY_SECONDS
            self._stop(_broken(error))
        except (NotRecordable, BrokenTag) as error:
            self._stop(f"This feed can't be recorded: {error}")

    def idle(self) -> None:
        """Nothing came for a while: what was written goes onto the disk. The file stays open for more."""
        if self._file is None or self.state != "recording":
            return
        self._say("waiting", None)
        try:
            self._sync(self._file)
        except OSError as error:
            self._stop(_broken(error))

    def close(self) -> None:
        """The show is over, or the worker stops."""
        if self._file:
            self._file.close()
            self._file = None
        self._say("waiting", None)

    def _may_write(self) -> bool:
        """Whether the disk has room, and has had time to recover from an error."""
        now = self._clock()
        if now < self._retry_at:
            return False
        if now - self._looked_at < LOOK_SECONDS:
            return self.state != "stopped"
        self._looked_at = now
        free = self._free(self._folder)
        if free < self.least_free + (ROOM if self.state == "stopped" else 0):
            self._stop(
                f"Only {free / GIGABYTE:.1f} GB are free on the disk; {self.least_free / GIGABYTE:g} GB are "
                "to be left. Make room, and the recording goes on by itself."
            )
            return False
        return True

    def _write(self, batch: Batch) -> None:
        if self._file and not self._file.assembler.fits(batch):
            self._file.close()
            self._file = None
        if self._file is None:
            if not batch.keyframe:
                return
            self._file = OpenFile(self._folder, batch)
            self.bytes += self._file.path.stat().st_size
            self._synced_at = self._clock()
        piece = self._file.assembler.piece(batch)
        if piece is None:
            return
        self._file.add(piece)
        self.seconds += piece.lasts / 1000
        self.bytes += len(piece.data)
        self._say("recording", None)
        if self._clock() - self._synced_at >= SYNC_SECONDS:
            self._sync(self._file)

    def _sync(self, file: OpenFile) -> None:
        self._synced_at = self._clock()
        file.sync()

    def _stop(self, reason: str) -> None:
        if self._file:
            self._file.close()
            self._file = None
        self._say("stopped", reason)

    def _say(self, state: State, reason: str | None) -> None:
        if state == self.state:
            self.reason = reason  # figures in a reason are no news
            return
        self.state, self.reason = state, reason
        log.info("recording.changed", folder=self._folder.name, state=state, reason=reason)
        self._changed()


def _write(file: FileIO, data: bytes) -> None:
    """All of it: a raw file may take less at a time."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]


def _broken(error: OSError) -> str:
    return (
        f"The disk did not take the recording ({error.strerror or type(error).__name__}). It is tried again."
    )
