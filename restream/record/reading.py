"""Recorded fMP4 read back: what is whole in a file, and what its fragments hold. Pure.

Only what `fragments` writes is understood; anything else is BrokenRecording.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from restream.hls.boxes import SYNC, VIDEO_ID, VIDEO_SCALE
from restream.record.fragments import NTP_EPOCH

HEADER: Final = 8
SMALL_BOX: Final = 1 << 20
"""Everything but mdat; a second of the fastest feed has a moof of a few kilobytes."""


class BrokenRecording(ValueError):
    """The bytes are not those of a recording."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One fragment of a file: place and size in bytes, time in the file and length in ms, wall clock, and
    whether decoding can begin there."""

    at: int
    size: int
    media: float
    lasts: float
    wall: float
    key: bool


@dataclass(frozen=True, slots=True)
class Run:
    """One track of one fragment, in the track's scale. `data` is where its media begins, from the moof on;
    a row is a sample's duration, size, flags and composition offset.
    """

    track: int
    time: int
    data: int
    rows: Sequence[tuple[int, int, int, int]]

    @property
    def lasts(self) -> int:
        """Its duration."""
        return sum(row[0] for row in self.rows)


def whole(file: BinaryIO, size: int) -> tuple[int, list[Entry]]:
    """(bytes of the initialisation, whole fragments) of a file that may break off anywhere.

    Without a whole initialisation, 0 and nothing.
    """
    boxes = _headers(file, size)
    first, second = next(boxes, None), next(boxes, None)
    if first is None or second is None or (first[0], second[0]) != (b"ftyp", b"moov"):
        return 0, []
    entries: list[Entry] = []
    begins = second[1] + second[2]
    initialisation = begins
    while (group := [box for _, box in zip(range(3), boxes, strict=False)]) and len(group) == 3:
        if [kind for kind, _, _ in group] != [b"prft", b"moof", b"mdat"]:
            break
        (_, _, clock_size), (_, moof_at, moof_size), (_, mdat_at, mdat_size) = group
        file.seek(begins)
        clock = file.read(clock_size)
        file.seek(moof_at)
        try:
            entries.append(_entry(begins, mdat_at + mdat_size - begins, clock, file.read(moof_size)))
        except (BrokenRecording, struct.error):
            break
        begins = mdat_at + mdat_size
    return initialisation, entries


def _headers(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, place, size) of each box that is whole."""
    at = 0
    while at + HEADER <= size:
        file.seek(at)
        head = file.read(HEADER)
        if len(head) < HEADER:
            return
        length, kind = struct.unpack(">I4s", head)
        if length < HEADER or at + length > size or (kind != b"mdat" and length > SMALL_BOX):
            return
        yield kind, at, length
        at += length


def _entry(at: int, size: int, clock: bytes, moof: bytes) -> Entry:
    ntp, media = struct.unpack_from(">QQ", clock, HEADER + 8)
    found = runs(moof)
    shown = next((run for run in found if run.track == VIDEO_ID), None)
    lasts = shown.lasts * 1000 / VIDEO_SCALE if shown else 0.0
    key = shown is not None and shown.rows[0][2] == SYNC
    return Entry(at, size, media * 1000 / VIDEO_SCALE, lasts, ntp / (1 << 32) - NTP_EPOCH, key)


def runs(moof: bytes) -> list[Run]:
    """The tracks of a fragment. Raises BrokenRecording."""
    found = []
    for kind, at, length in inside(moof, HEADER, len(moof)):
        if kind == b"traf":
            found.append(_run(moof, at + HEADER, at + length))
    return found


def inside(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, place, size) of the boxes in a part of some data. Raises BrokenRecording."""
    while at + HEADER <= end:
        length, kind = struct.unpack_from(">I4s", data, at)
        if not HEADER <= length <= end - at:
            raise BrokenRecording(f"{kind!r} does not fit")
        yield kind, at, length
        at += length


def _run(moof: bytes, at: int, end: int) -> Run:
    boxes = {kind: place for kind, place, _ in inside(moof, at, end)}
    try:
        track = struct.unpack_from(">I", moof, boxes[b"tfhd"] + 12)[0]
        time = struct.unpack_from(">Q", moof, boxes[b"tfdt"] + 12)[0]
        head, count, data = struct.unpack_from(">IIi", moof, boxes[b"trun"] + HEADER)
        if head != 1 << 24 | 0xF01 or not count:
            raise BrokenRecording("the samples are not described as we do it")
        rows = list(struct.iter_unpack(">IIIi", moof[boxes[b"trun"] + 20 :][: 16 * count]))
    except (KeyError, struct.error) as error:
        raise BrokenRecording("a track of a fragment is not whole") from error
    if len(rows) != count:
        raise BrokenRecording("samples are missing from a fragment")
    return Run(track, time, data, rows)


def find(data: bytes, wanted: bytes, at: int, end: int) -> tuple[int, int]:
    """(place, size) of a box in a part of some data. Raises BrokenRecording."""
    for kind, place, length in inside(data, at, end):
        if kind == wanted:
            return place, length
    raise BrokenRecording(f"there is no {wanted!r}")
