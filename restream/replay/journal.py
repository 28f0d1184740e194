"""The journal of a replay: one line for each initialisation section and each segment. Pure.

    {"rendition": "source", "number": 17, "at": 0, "size": 812, "kind": "video", "codec": "avc1.640028", …}
    ["source", 17, 812, 251034, 2.0, 1700000000.25, 0]

A segment's line has rendition, number, place and size in bytes, seconds, wall clock, and whether it begins
anew (a discontinuity). A size of 0 is a gap: media that should be there and is not. The lines of one
rendition lie one behind the other in its file, so a line that does not begin where the one before ended
is damage, and nothing behind it counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final, Literal, NamedTuple

NAME: Final = re.compile(r"[a-z0-9]{1,20}")
"""Of a rendition: `source`, `audio`, `720p`. It names a file, too."""
LONGEST_SECONDS: Final = 60.0
LARGEST: Final = 1 << 62
NUMBERS: Final = (int, float)


@dataclass(frozen=True, slots=True)
class Opening:
    """An initialisation section; `number` is that of the first segment that needs it."""

    rendition: str
    number: int
    at: int
    size: int
    kind: Literal["video", "audio"]
    codec: str
    width: int
    height: int
    fps: float | None


class Entry(NamedTuple):
    """A segment of a rendition. There are tens of thousands: a tuple is made faster than a dataclass."""

    rendition: str
    number: int
    at: int
    size: int
    seconds: float
    wall: float
    anew: bool


Line = Opening | Entry


@dataclass(frozen=True, slots=True)
class Whole:
    """What of a journal can be relied on: its lines, its length in bytes, and where each file ends."""

    lines: list[Line]
    size: int
    ends: dict[str, int]


def written(line: Line) -> bytes:
    """A line as bytes."""
    if isinstance(line, Opening):
        value: object = asdict(line)
    else:
        value = [
            line.rendition,
            line.number,
            line.at,
            line.size,
            round(line.seconds, 6),
            round(line.wall, 6),
            int(line.anew),
        ]
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def read(data: bytes, size_of: Callable[[str], int]) -> Whole:
    """The whole lines of a journal; `size_of` says how many bytes a rendition's file has."""
    lines: list[Line] = []
    ends: dict[str, int] = {}
    sizes: dict[str, int] = {}
    at = 0
    for text in data.split(b"\n")[:-1]:
        line = parsed(text)
        if line is None:
            break
        name = line.rendition
        if name not in sizes:
            sizes[name] = size_of(name)
        begins, ends_at = ends.get(name, 0), line.at + line.size
        decodable = begins or isinstance(line, Opening) or not line.size
        if line.at != begins or ends_at > sizes[name] or not decodable:
            break
        ends[name] = ends_at
        lines.append(line)
        at += len(text) + 1
    return Whole(lines, at, ends)


def parsed(text: bytes) -> Line | None:
    """A line; None when it makes no sense."""
    try:
        value = json.loads(text.decode())
        if isinstance(value, dict):
            line: Line = Opening(**value)
        else:
            rendition, number, at, size, seconds, wall, anew = value
            line = Entry(rendition, number, at, size, seconds, wall, bool(anew))
    except (ValueError, TypeError, RecursionError):
        return None
    return line if sane(line) else None


def sane(line: Line) -> bool:
    """Whether a line can be read again; one that can't would hide all behind it."""
    if not (
        type(line.rendition) is str
        and NAME.fullmatch(line.rendition)
        and type(line.number) is type(line.at) is type(line.size) is int
        and 0 <= line.number < LARGEST
        and 0 <= line.at < LARGEST
        and 0 <= line.size < LARGEST
    ):
        return False
    if isinstance(line, Entry):
        times = type(line.seconds) in NUMBERS and type(line.wall) in NUMBERS
        return times and 0 <= line.seconds <= LONGEST_SECONDS and abs(line.wall) < LARGEST
    return (
        line.size > 0
        and line.kind in ("video", "audio")
        and isinstance(line.codec, str)
        and type(line.width) is int
        and type(line.height) is int
        and (line.fps is None or type(line.fps) in NUMBERS)
    )
