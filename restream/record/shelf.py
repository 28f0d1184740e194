"""Where recordings lie, and what is known of them: files, their indexes, how long they are kept.

    <root>/<slug>/20260117T200000123Z.mp4     a recording; a new one for every change of codec or size
    <root>/<slug>/20260117T200000123Z.jsonl   its index: a line about the file, then one for each fragment
    <root>/<slug>/show.json                   when the show ended, how long it is kept
    <root>/<slug>/clips/                      what was cut out

Everything here touches the disk: call it in a thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from restream.record.reading import Entry, whole

SLUG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
HOUR: Final = 3600.0


class Keeping(BaseModel):
    """show.json. `ended_at` is seconds of the wall clock, None while the show goes on."""

    keep_hours: float
    ended_at: float | None = None


class Description(BaseModel):
    """First line of an index."""

    initialisation: int
    video: str | None = None
    audio: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """One file and its index."""

    path: Path
    about: Description
    entries: list[Entry]

    @property
    def seconds(self) -> float:
        """How much it shows."""
        return sum(entry.lasts for entry in self.entries) / 1000

    @property
    def size(self) -> int:
        """Bytes that are whole."""
        last = self.entries[-1] if self.entries else None
        return last.at + last.size if last else self.about.initialisation


def folder_of(root: Path, slug: str) -> Path:
    """The folder of a show. ValueError for a slug that would lead elsewhere."""
    if not SLUG.fullmatch(slug):
        raise ValueError("not the slug of a show")
    return root / slug


def file_name(wall: float) -> str:
    """A file's name without ending, from when it begins; names sort by time."""
    begins = datetime.fromtimestamp(wall, UTC)
    return begins.strftime("%Y%m%dT%H%M%S") + f"{begins.microsecond // 1000:03}Z"


def line(entry: Entry) -> bytes:
    """An entry as a line of an index."""
    return json.dumps(asdict(entry), separators=(",", ":")).encode() + b"\n"


def recordings(folder: Path) -> Iterator[Recorded]:
    """The recordings of a show, the oldest first, by their indexes; what is not whole is left out."""
    for path in sorted(folder.glob("*.mp4")):
        found = _by_index(path)
        if found and found.entries:
            yield found


def repair(folder: Path) -> None:
    """After a kill: cut off what is not whole, write indexes anew that do not fit, remove what holds nothing.

    Only for a folder nobody records into.
    """
    for path in sorted(folder.glob("*.mp4")):
        known = _by_index(path)
        if known is None or not known.entries or known.size != path.stat().st_size:
            _repair(path, known.about if known else None)
    for left in folder.glob("*.part"):
        left.unlink(missing_ok=True)


def index_of(path: Path) -> Path:
    """The index of a recording."""
    return path.with_suffix(".jsonl")


def _by_index(path: Path) -> Recorded | None:
    """What an index says, as far as the file reaches; None without a readable one."""
    try:
        first, *rest = index_of(path).read_bytes().splitlines()
        about, size = Description.model_validate_json(first), path.stat().st_size
    except (OSError, ValueError):
        return None
    entries = []
    for text in rest:
        try:
            entry = Entry(**json.loads(text))
        except (ValueError, TypeError):
            break  # the line a kill tore
        if entry.at + entry.size > size:
            break
        entries.append(entry)
    return Recorded(path, about, entries)


def _repair(path: Path, about: Description | None) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        initialisation, entries = whole(file, size)
        if entries:
            file.truncate(entries[-1].at + entries[-1].size)
            os.fsync(file.fileno())
    if not entries:
        index_of(path).unlink(missing_ok=True)
        path.unlink()
        return
    about = about or Description(initialisation=initialisation)
    fresh = path.with_suffix(".part")
    lines = [about.model_dump_json().encode() + b"\n", *map(line, entries)]
    fresh.write_bytes(b"".join(lines))
    fresh.replace(index_of(path))


def keep(folder: Path, keep_hours: float, ended_at: float | None) -> None:
    """Write down how long a show is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / "show.json.part"
    fresh.write_text(Keeping(keep_hours=keep_hours, ended_at=ended_at).model_dump_json())
    fresh.replace(folder / "show.json")


def sweep(root: Path, now: float, open_slugs: Collection[str], keep_hours: float) -> list[str]:
    """Remove recordings whose time is over; the slugs that went. `open_slugs` are never touched.

    A show whose end nobody wrote down (the worker was killed) ended with its last byte, and is kept
    `keep_hours` unless it says otherwise.
    """
    gone = []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if not folder.is_dir() or folder.name in open_slugs:
            continue
        kept = _keeping(folder, keep_hours)
        ended = kept.ended_at if kept.ended_at is not None else _newest(folder)
        if now - ended >= kept.keep_hours * HOUR:
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder.name)
    return gone


def _keeping(folder: Path, keep_hours: float) -> Keeping:
    try:
        return Keeping.model_validate_json((folder / "show.json").read_bytes())
    except (OSError, ValidationError):
        return Keeping(keep_hours=keep_hours)


def _newest(folder: Path) -> float:
    times = [folder.stat().st_mtime]
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times)
