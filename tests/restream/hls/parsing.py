"""Reads ISO BMFF boxes back, independently of the code that writes them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"mvex", b"moof", b"traf"}


@dataclass(frozen=True)
class Box:
    """A box; `inner` is set for containers, `at` is its place in what was parsed."""

    kind: bytes
    at: int
    content: bytes
    inner: tuple[Box, ...] = ()

    def all(self, kind: bytes) -> list[Box]:
        """Boxes of a kind directly inside."""
        return [box for box in self.inner if box.kind == kind]

    def one(self, *path: bytes) -> Box:
        """The only box at a path."""
        found = self
        for kind in path:
            (found,) = found.all(kind)
        return found


def parse(data: bytes, at: int = 0) -> tuple[Box, ...]:
    """All boxes; raises AssertionError when sizes do not add up to the data exactly."""
    boxes, place = [], 0
    while place < len(data):
        assert len(data) - place >= 8, "a broken box header"
        size, kind = struct.unpack_from(">I4s", data, place)
        assert 8 <= size <= len(data) - place, f"{kind!r} says {size} bytes"
        content = data[place + 8 : place + size]
        inner = parse(content, at + place + 8) if kind in CONTAINERS else ()
        boxes.append(Box(kind, at + place, content, inner))
        place += size
    return tuple(boxes)


@dataclass(frozen=True)
class Run:
    """One track of one fragment, in the track's scale."""

    track: int
    begins: int
    durations: tuple[int, ...]
    flags: tuple[int, ...]
    offsets: tuple[int, ...]
    bodies: tuple[bytes, ...]

    @property
    def ends(self) -> int:
        """Where the next fragment of this track has to begin."""
        return self.begins + sum(self.durations)


def runs(data: bytes) -> Iterator[Run]:
    """The tracks of each moof+mdat in some data."""
    boxes = parse(data)
    assert len(boxes) % 2 == 0
    for moof, mdat in zip(boxes[::2], boxes[1::2], strict=True):
        assert (moof.kind, mdat.kind) == (b"moof", b"mdat")
        taken = 0
        for traf in moof.all(b"traf"):
            run = _run(traf, data, moof.at)
            taken += sum(map(len, run.bodies))
            yield run
        assert taken == len(mdat.content), "media data nobody points to"


def _run(traf: Box, data: bytes, moof: int) -> Run:
    version_flags, track = struct.unpack(">II", traf.one(b"tfhd").content)
    assert version_flags == 0x02_0000
    _, begins = struct.unpack(">IQ", traf.one(b"tfdt").content)
    trun = traf.one(b"trun").content
    head, count, offset = struct.unpack_from(">IIi", trun)
    assert head == 1 << 24 | 0xF01
    rows = list(struct.iter_unpack(">IIIi", trun[12:]))
    assert len(rows) == count
    bodies, at = [], moof + offset
    for _, size, _, _ in rows:
        bodies.append(data[at : at + size])
        at += size
    durations, _, flags, offsets = zip(*rows, strict=True)
    return Run(track, begins, durations, flags, offsets, tuple(bodies))
