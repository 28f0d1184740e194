"""Fragments as one plain MP4, its index in front: what phones, editors and platforms take. Pure.

Nothing is decoded: samples keep their bytes, and get tables instead of fragments.
Source: ISO/IEC 14496-12, 8.6 (stts, ctts, stss, elst) and 8.7 (stsz, stsc, co64).
"""

from __future__ import annotations

import itertools
import struct
from array import array
from collections.abc import Iterable, Iterator
from typing import Final

from restream.hls.box import box, full
from restream.hls.boxes import SYNC, VIDEO_ID
from restream.record.reading import HEADER, BrokenRecording, Run, find, inside

MOVIE_SCALE: Final = 1000
FILE_TYPE: Final = box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isomiso2mp41")
LARGE_HEADER: Final = 16
"""Of an mdat with a size of 64 bits."""
LATE_SECONDS: Final = 0.04
"""A track that begins this much after 0 gets an edit that says so. Some platforms take no edits, so sound may
be less than one of its frames early instead.
"""
DESCRIBED: Final = HEADER + 8
"""Bytes of an stsd before its first sample entry."""
WITH_LENGTHS_INSIDE: Final = (b"mdia", b"minf")


class Table:
    """One track's samples, in the track's scale."""

    def __init__(self, scale: int) -> None:
        self.scale = scale
        self.begins: int | None = None
        self.ends = 0
        self._durations = array("Q")
        self._sizes = array("I")
        self._offsets = array("i")
        self._keys = array("I")
        self._chunks = array("Q")
        self._counts = array("I")
        self._described = array("I")
        self._descriptions: list[bytes] = []
        self._current = 0

    def describe(self, entry: bytes) -> None:
        """What follows is coded as this sample entry says: the slate's parameters are not the encoder's."""
        if entry not in self._descriptions:
            self._descriptions.append(entry)
        self._current = self._descriptions.index(entry) + 1

    def add(self, run: Run, time: int, place: int) -> None:
        """The samples of a fragment at a new time; its media begins at a place in the mdat.

        Samples from before the track's end are left out; a hole lengthens the sample before it.
        """
        kept = 0
        for duration, size, _, _ in run.rows:
            if time >= self.ends:
                break
            kept, time, place = kept + 1, time + duration, place + size
        rows = run.rows[kept:]
        if not rows:
            return
        if self.begins is None:
            self.begins = self.ends = time
        elif time > self.ends:
            self._durations[-1] += time - self.ends
        for number, (duration, size, flags, offset) in enumerate(rows, len(self._sizes) + 1):
            self._durations.append(duration)
            self._sizes.append(size)
            self._offsets.append(offset)
            if flags == SYNC:
                self._keys.append(number)
            time += duration
        self.ends = time
        self._chunks.append(place)
        self._counts.append(len(rows))
        self._described.append(self._current)

    @property
    def seconds(self) -> float:
        """Where it ends."""
        return self.ends / self.scale

    @property
    def lasts(self) -> int:
        """Its samples' duration."""
        return self.ends - (self.begins or 0)

    def edits(self) -> bytes:
        """Says that the track begins late; nothing when it does not."""
        late = (self.begins or 0) / self.scale
        if late < LATE_SECONDS:
            return b""
        rows = [
            (round(late * MOVIE_SCALE), -1, 1 << 16),
            (round(self.lasts / self.scale * MOVIE_SCALE), 0, 1 << 16),
        ]
        listed = b"".join(struct.pack(">IiI", *row) for row in rows)
        return box(b"edts", full(b"elst", 0, 0, struct.pack(">I", len(rows)), listed))

    def boxes(self, base: int) -> Iterator[bytes]:
        """The content of stbl; `base` is where the mdat's content begins."""
        yield full(b"stsd", 0, 0, struct.pack(">I", len(self._descriptions)), *self._descriptions)
        yield _runs(b"stts", 0, ">II", self._durations)
        if any(self._offsets):
            yield _runs(b"ctts", 1, ">Ii", self._offsets)
        if len(self._keys) < len(self._sizes):
            yield full(b"stss", 0, 0, struct.pack(">I", len(self._keys)), _packed("I", self._keys))
        kinds = list(zip(self._counts, self._described, strict=True))
        firsts = [
            (chunk, *kind) for chunk, kind in enumerate(kinds, 1) if chunk == 1 or kind != kinds[chunk - 2]
        ]
        rows = b"".join(struct.pack(">III", *first) for first in firsts)
        yield full(b"stsc", 0, 0, struct.pack(">I", len(firsts)), rows)
        yield full(b"stsz", 0, 0, struct.pack(">II", 0, len(self._sizes)), _packed("I", self._sizes))
        places = array("Q", [base + place for place in self._chunks])
        yield full(b"co64", 0, 0, struct.pack(">I", len(places)), _packed("Q", places))


class Flat:
    """Tables for all tracks of an initialisation. Raises BrokenRecording."""

    def __init__(self, initialisation: bytes) -> None:
        self._initialisation = initialisation
        self._moov = find(initialisation, b"moov", 0, len(initialisation))
        self.tables = {track: Table(scale) for track, (scale, _, _, _) in tracks(initialisation).items()}
        self._size = 0
        self._shift = 0.0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return max(table.seconds for table in self.tables.values())

    def begin(self, initialisation: bytes, runs: Iterable[Run]) -> None:
        """Fragments of another file of the same `shape` follow: the first of them goes to where we are."""
        for track, (_, _, _, entry) in tracks(initialisation).items():
            self.tables[track].describe(entry)
        shown = next((run for run in runs if run.track == VIDEO_ID), None)
        if shown is None:
            raise BrokenRecording("a clip begins with a picture")
        self._shift = self.seconds - shown.time / self.tables[VIDEO_ID].scale

    def add(self, runs: Iterable[Run], header: int, size: int) -> None:
        """A fragment: its tracks, the bytes of moof and mdat header before its media, those of its media."""
        for run in runs:
            if (table := self.tables.get(run.track)) is None:
                raise BrokenRecording(f"nothing is known of track {run.track}")
            time = run.time + round(self._shift * table.scale)
            table.add(run, time, self._size + run.data - header)
        self._size += size

    def head(self) -> bytes:
        """Everything that comes before the media."""
        moov = self._rebuilt(0)
        base = len(FILE_TYPE) + len(moov) + LARGE_HEADER
        mdat = struct.pack(">I4sQ", 1, b"mdat", LARGE_HEADER + self._size)
        return FILE_TYPE + self._rebuilt(base) + mdat

    def _rebuilt(self, base: int) -> bytes:
        place, length = self._moov
        return box(b"moov", *self._children(place, length, Table(MOVIE_SCALE), base))

    def _children(self, place: int, length: int, table: Table, base: int) -> Iterator[bytes]:
        """The boxes inside of one, with lengths and tables of ours; `table` is that of the track inside."""
        data = self._initialisation
        for kind, at, size in inside(data, place + HEADER, place + length):
            content = data[at + HEADER : at + size]
            movie_time = struct.pack(">I", round(self.seconds * MOVIE_SCALE))
            if kind == b"mvhd":
                yield box(kind, content[:16], movie_time, content[20:])
            elif kind == b"trak":
                own = self.tables[_track(data, at, size)]
                yield box(kind, *self._children(at, size, own, base))
            elif kind == b"tkhd":
                yield box(kind, content[:20], movie_time, content[24:])
                yield table.edits()
            elif kind == b"mdhd":
                yield box(kind, content[:16], struct.pack(">I", table.lasts), content[20:])
            elif kind == b"stbl":
                yield box(kind, *table.boxes(base))
            elif kind in WITH_LENGTHS_INSIDE:
                yield box(kind, *self._children(at, size, table, base))
            elif kind != b"mvex":
                yield data[at : at + size]


def shape(initialisation: bytes) -> object:
    """What files must have in common to be one clip: tracks, time scales, picture size, codecs."""
    return {track: known[:3] for track, known in tracks(initialisation).items()}


def tracks(data: bytes) -> dict[int, tuple[int, bytes, bytes, bytes]]:
    """Of each track of an initialisation: time scale, size, codec, sample entry. Raises BrokenRecording."""
    moov, length = find(data, b"moov", 0, len(data))
    found = {}
    for kind, at, size in inside(data, moov + HEADER, moov + length):
        if kind == b"trak":
            tkhd, header = _below(data, at, size, b"tkhd")
            mdhd, _ = _below(data, at, size, b"mdia", b"mdhd")
            stsd, described = _below(data, at, size, b"mdia", b"minf", b"stbl", b"stsd")
            (scale,) = struct.unpack_from(">I", data, mdhd + 20)
            picture = data[tkhd + header - 8 : tkhd + header]
            entry = data[stsd + DESCRIBED : stsd + described]
            found[_track(data, at, size)] = (int(scale), picture, entry[4:8], entry)
    return found


def _below(data: bytes, at: int, length: int, *path: bytes) -> tuple[int, int]:
    """Where a box lies inside of others, and its length."""
    for name in path:
        at, length = find(data, name, at + HEADER, at + length)
    return at, length


def _track(data: bytes, at: int, length: int) -> int:
    tkhd, _ = find(data, b"tkhd", at + HEADER, at + length)
    return int(struct.unpack_from(">I", data, tkhd + 20)[0])


def _runs(kind: bytes, version: int, row: str, values: Iterable[int]) -> bytes:
    """A table of (how many, value) for equal values in a row."""
    groups = [(sum(1 for _ in group), value) for value, group in itertools.groupby(values)]
    rows = b"".join(struct.pack(row, *group) for group in groups)
    return full(kind, version, 0, struct.pack(">I", len(groups)), rows)


def _packed(kind: str, values: array[int]) -> bytes:
    """Big-endian."""
    return struct.pack(f">{len(values)}{kind}", *values)
