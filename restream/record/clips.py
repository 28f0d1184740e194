"""Clips: fragments of a recording copied into a plain MP4 of their own, without decoding anything."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from restream.api import Clip
from restream.record import shelf
from restream.record.flat import Flat, shape
from restream.record.reading import HEADER, BrokenRecording, Entry, Run, runs
from restream.record.shelf import Recorded

PRFT_BYTES: Final = 32
GAP_SECONDS: Final = 0.5
"""Arrivals jitter: a group that seems to end this much before a moment may still hold it."""


class NotCut(ValueError):
    """There is no such clip; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Media:
    """The media of one fragment, as it lies in a file."""

    path: Path
    at: int
    size: int


@dataclass(frozen=True, slots=True)
class Selection:
    """The fragments of one file that belong to a clip."""

    recorded: Recorded
    entries: list[Entry]


def cut(folder: Path, begins: float, ends: float, room: Callable[[Path], int]) -> Clip:
    """Cut out what was received between two moments (seconds of the wall clock); blocks, use a thread.

    It begins at the last keyframe at or before `begins` and ends with the fragment `ends` falls into. `room`
    says how many bytes may be used. Raises NotCut or OSError.
    """
    chosen = select(list(shelf.recordings(folder)), begins, ends)
    size = sum(entry.size for part in chosen for entry in part.entries)
    if size > room(folder):
        raise NotCut("There is not enough room on the disk for this clip. Make room, then cut it again.")
    first, last = chosen[0].entries[0], chosen[-1].entries[-1]
    try:
        flat, media = _laid_out(chosen)
    except BrokenRecording as error:
        raise NotCut("This part of the recording is damaged. Cut a clip before or after it.") from error
    seconds = flat.seconds
    target = folder / "clips" / f"{shelf.file_name(first.wall)}-{round(seconds * 1000)}.mp4"
    target.parent.mkdir(exist_ok=True)
    fresh = target.with_suffix(".part")
    try:
        with fresh.open("wb") as out:
            out.write(flat.head())
            _copy(media, out)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return Clip(
        name=target.name,
        begins_at=datetime.fromtimestamp(first.wall, UTC),
        ends_at=datetime.fromtimestamp(last.wall + last.lasts / 1000, UTC),
        seconds=round(seconds, 3),
        bytes=target.stat().st_size,
    )


def select(recordings: Sequence[Recorded], begins: float, ends: float) -> list[Selection]:
    """What a clip is made of. Raises NotCut."""
    if ends <= begins:
        raise NotCut("A clip has to end after it begins.")
    places = [(one, entry) for one in recordings for entry in one.entries]
    chosen: list[Selection] = []
    for one, entry in places[_start([entry for _, entry in places], begins, ends) :]:
        if entry.wall >= ends:
            break
        if not chosen or chosen[-1].recorded is not one:
            chosen.append(Selection(one, []))
        chosen[-1].entries.append(entry)
    parts = [(part, _initialisation(part.recorded)) for part in chosen]
    for part, head in parts[1:]:
        if head != parts[0][1] and shape(head) != shape(parts[0][1]):
            at = datetime.fromtimestamp(part.entries[0].wall, UTC)
            raise NotCut(
                f"The picture's size or codec changed at {at:%H:%M:%S} UTC. "
                "Cut one clip before and one after it."
            )
    return chosen


def _start(entries: Sequence[Entry], begins: float, ends: float) -> int:
    """The group of pictures a moment falls into; in a gap, the one after it. Raises NotCut."""
    keys = [index for index, entry in enumerate(entries) if entry.key]
    before = [index for index in keys if entries[index].wall <= begins]
    after = [index for index in keys if begins < entries[index].wall < ends]
    if before:
        last = entries[next((index for index in keys if index > before[-1]), len(entries)) - 1]
        if last.wall + last.lasts / 1000 > begins - GAP_SECONDS:
            return before[-1]
    if after:
        return after[0]
    raise NotCut("Nothing was recorded at that time.")


def _initialisation(recorded: Recorded) -> bytes:
    with recorded.path.open("rb") as file:
        return file.read(recorded.about.initialisation)


def _laid_out(chosen: Sequence[Selection]) -> tuple[Flat, list[Media]]:
    """The tables of a clip, and where its media lies. Files follow each other without a hole."""
    flat = Flat(_initialisation(chosen[0].recorded))
    media = []
    for part in chosen:
        with part.recorded.path.open("rb") as file:
            for number, entry in enumerate(part.entries):
                found, header = _moof(file, entry)
                if number == 0:
                    flat.begin(_initialisation(part.recorded), found)
                before = PRFT_BYTES + header
                flat.add(found, header, entry.size - before)
                media.append(Media(part.recorded.path, entry.at + before, entry.size - before))
    return flat, media


def _moof(file: BinaryIO, entry: Entry) -> tuple[list[Run], int]:
    """The tracks of a fragment, and the bytes of its moof and of the mdat's header."""
    file.seek(entry.at + PRFT_BYTES)
    head = file.read(HEADER)
    size = int.from_bytes(head[:4], "big")
    if head[4:] != b"moof" or size > entry.size:
        raise BrokenRecording("this is not a fragment")
    return runs(head + file.read(size - HEADER)), size + HEADER


def _copy(media: Sequence[Media], out: BinaryIO) -> None:
    for path, pieces in itertools.groupby(media, key=lambda piece: piece.path):
        with path.open("rb") as file:
            for piece in pieces:
                file.seek(piece.at)
                out.write(file.read(piece.size))
