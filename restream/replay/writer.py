"""The one thread that writes a show's replay: media first, then the journal, fsync, an eye on the free space.

<root>/<slug>/replay/index.jsonl    the journal (see journal.py)
<root>/<slug>/replay/source.m4s     each rendition's media, one segment behind the other
<root>/<slug>/replay/about.json     who may watch it, and its cues (see about.py)
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Final

import structlog

from restream.hls.finished import FinishedSegment
from restream.record.writer import GIGABYTE, LOOK_SECONDS, RETRY_SECONDS, ROOM, SYNC_SECONDS, free_bytes
from restream.replay import journal
from restream.replay.about import About, save
from restream.replay.index import Index
from restream.replay.journal import Entry, Line, Opening

log = structlog.get_logger()

JOURNAL: Final = "index.jsonl"


def media_file(folder: Path, rendition: str) -> Path:
    """Where a rendition's media lies."""
    return folder / f"{rendition}.m4s"


def index_of(folder: Path) -> tuple[Index, journal.Whole]:
    """What can be relied on of a replay, and the same as lines. Blocks; raises OSError without a journal."""

    def size_of(rendition: str) -> int:
        try:
            return media_file(folder, rendition).stat().st_size
        except FileNotFoundError:
            return 0

    whole = journal.read((folder / JOURNAL).read_bytes(), size_of)
    return Index(whole.lines), whole


class Room:
    """Whether the disk has room; as for the recording, it must not stop and go on all the time."""

    def __init__(
        self, folder: Path, least_free_gb: float, clock: Callable[[], float], free: Callable[[Path], int]
    ) -> None:
        self.least_free = least_free_gb * GIGABYTE
        self.reason: str | None = None
        """Why nothing is written."""
        self._folder = folder
        self._clock = clock
        self._free = free
        self._looked_at = self._retry_at = float("-inf")

    @property
    def rests(self) -> bool:
        """Whether the disk still recovers from an error."""
        return self._clock() < self._retry_at

    def there(self) -> bool:
        """Whether there is room for media. Raises OSError."""
        now = self._clock()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            free = self._free(self._folder)
            wanted = self.least_free + (ROOM if self.reason else 0)
            self._say(
                f"Only {free / GIGABYTE:.1f} GB are free on the disk; {self.least_free / GIGABYTE:g} GB are "
                "to be left. Make room, and the replay goes on by itself."
                if free < wanted
                else None
            )
        return self.reason is None

    def broken(self, error: OSError) -> None:
        """The disk has failed."""
        self._retry_at = self._clock() + RETRY_SECONDS
        why = error.strerror or type(error).__name__
        self._say(f"The disk did not take the replay ({why}). It is tried again.")

    def _say(self, reason: str | None) -> None:
        if (reason is None) != (self.reason is None):
            log.info("replay.changed", show=self._folder.parent.name, reason=reason)
        self.reason = reason


class Writer:
    """`prepare`, then `write` segments, `note` what is known, `idle` when nothing comes, `close`.

    All in one thread, and nothing of it raises. There, too, `began` is called with what was on the disk,
    once, and `told` with every line that came to it. `clock` is monotonic.
    """

    def __init__(
        self,
        folder: Path,
        least_free_gb: float,
        *,
        began: Callable[[Index], None],
        told: Callable[[Line], None],
        clock: Callable[[], float],
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.room = Room(folder, least_free_gb, clock, free)
        self._folder = folder
        self._began: Callable[[Index], None] | None = began
        self._told = told
        self._clock = clock
        self._journal: FileIO | None = None
        self._files: dict[str, FileIO] = {}
        self._ends: dict[str, int] = {}
        self._inits: dict[str, bytes] = {}
        self._newest = -1
        self._first: int | None = None
        self._shift = 0
        self._noted: About | None = None
        self._synced_at = float("-inf")

    def prepare(self) -> None:
        """Open what there is of the replay."""
        try:
            self._opened()
        except OSError as error:
            self._failed(error)

    def note(self, about: About) -> None:
        """Write down what is known of the show, unless that is written already."""
        if about is self._noted or self.room.rests:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save(self._folder, about)
            self._noted = about
        except OSError as error:
            self._failed(error)

    def write(self, segment: FinishedSegment) -> None:
        """A segment; a gap where there is no room for it."""
        if self.room.rests or self._noted is None:
            return  # nothing may lie there before it is known who may see it
        try:
            journal_file = self._opened()
            room = self.room.there() and not segment.gap
            self._write(journal_file, segment, b"".join(segment.data) if room else b"")
            if self._clock() - self._synced_at >= SYNC_SECONDS:
                self._sync()
        except OSError as error:
            self._failed(error)

    def idle(self) -> None:
        """Nothing came for a while: onto the disk with what was written."""
        try:
            self._sync()
        except OSError as error:
            self._failed(error)

    def close(self) -> None:
        """The end of this writer; another may go on."""
        self.idle()
        self._close()

    def _opened(self) -> FileIO:
        """The journal, to be written at its end. What a kill or an error tore is cut off first."""
        if self._journal:
            return self._journal
        self._folder.mkdir(parents=True, exist_ok=True)
        file = (self._folder / JOURNAL).open("ab", buffering=0)
        try:
            # The thread of a worker or show before may still hang in a write that the disk does not end.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            index, whole = index_of(self._folder)
            file.truncate(whole.size)
            for path in self._folder.glob("*.m4s"):
                os.truncate(path, whole.ends.get(path.stem, 0))
            for name, rendition in index.renditions.items():
                if rendition.openings:
                    self._inits[name] = self._read(rendition.openings[-1])
        except OSError:
            file.close()
            raise
        self._journal, self._ends = file, whole.ends
        self._newest = index.numbers[-1] if len(index) else -1
        began, self._began = self._began, None
        if began:
            began(index)
        return file

    def _write(self, journal_file: FileIO, segment: FinishedSegment, data: bytes) -> None:
        if self._first is None:
            # A clock that was set back must not give two segments one name.
            self._shift = max(0, self._newest + 1 - segment.number)
            self._first = segment.number
        name, number = segment.rendition, segment.number + self._shift
        at = self._ends.get(name, 0)
        lines: list[tuple[Line, bytes]] = []
        if data and self._inits.get(name) != segment.init:
            picture = (segment.width, segment.height, segment.fps)
            opening = Opening(name, number, at, len(segment.init), segment.kind, segment.codec, *picture)
            lines.append((opening, segment.init))
            at += opening.size
        anew = segment.discontinuity or segment.number == self._first
        lines.append((Entry(name, number, at, len(data), segment.seconds, segment.wall, anew), data))
        if not all(journal.sane(line) for line, _ in lines):
            log.error("replay.strange_segment", show=self._folder.parent.name, segment=segment)
            return
        for line, media in lines:
            self._append(journal_file, line, media)
        if len(lines) > 1:
            self._inits[name] = segment.init

    def _append(self, journal_file: FileIO, line: Line, data: bytes) -> None:
        """Media first: the journal never promises what is not there."""
        if data:
            _write_all(self._file(line.rendition), data)
        _write_all(journal_file, journal.written(line))
        self._ends[line.rendition] = line.at + line.size
        self._told(line)

    def _file(self, rendition: str) -> FileIO:
        if rendition not in self._files:
            self._files[rendition] = media_file(self._folder, rendition).open("ab", buffering=0)
        return self._files[rendition]

    def _read(self, opening: Opening) -> bytes:
        with media_file(self._folder, opening.rendition).open("rb") as file:
            return os.pread(file.fileno(), opening.size, opening.at)

    def _sync(self) -> None:
        self._synced_at = self._clock()
        for file in (*self._files.values(), self._journal):
            if file:
                os.fdatasync(file.fileno())

    def _failed(self, error: OSError) -> None:
        """What the error tore is cut off when the files are opened again."""
        self.room.broken(error)
        self._close()

    def _close(self) -> None:
        for file in (*self._files.values(), self._journal):
            if file:
                with contextlib.suppress(OSError):
                    file.close()
        self._journal = None
        self._files.clear()


def _write_all(file: FileIO, data: bytes) -> None:
    """All of it: a raw file may take less at a time."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]
