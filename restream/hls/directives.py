"""Delivery directives of a playlist request, and what a timeline owes them. Pure.

Source: draft-pantos-hls-rfc8216bis, 6.2.5 (delta updates, blocking playlist reload).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from restream.hls.playlist import Skip
from restream.hls.timeline import Timeline

NUMBER: Final = re.compile(r"[0-9]{1,15}")
FUTURE_SEGMENTS: Final = 2
ADVANCE_SECONDS: Final = 3
NUMBERS: Final = ("_HLS_msn", "_HLS_part")
SKIP: Final = "_HLS_skip"


class BadDirective(ValueError):
    """The sentence says what is wrong with the request."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Wait for part `part` of segment `msn`, or for the whole segment when `part` is None."""

    msn: int
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Directives:
    """What is waited for, None when nothing is, and what may be left out."""

    wanted: Wanted | None = None
    skip: Skip | None = None


NONE: Final = Directives()


def parse(query: bytes) -> Directives:
    """The directives of a query string; other parameters, and kinds of skipping not known, do not count."""
    if b"_HLS_" not in query:
        return NONE
    found: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name in NUMBERS or name == SKIP:
            if name in found:
                raise BadDirective(f"{name} is given twice")
            found[name] = value
    for name in NUMBERS:
        if name in found and not NUMBER.fullmatch(found[name]):
            raise BadDirective(f"{name} is no number")
    skip: Skip | None = None
    if found.get(SKIP) in ("YES", "v2"):
        skip = "YES" if found[SKIP] == "YES" else "v2"
    if "_HLS_msn" not in found:
        if "_HLS_part" in found:
            raise BadDirective("_HLS_part needs _HLS_msn")
        return Directives(None, skip)
    part = found.get("_HLS_part")
    return Directives(Wanted(int(found["_HLS_msn"]), None if part is None else int(part)), skip)


def too_far(timeline: Timeline, wanted: Wanted) -> bool:
    """Past the last segment by more than two, or past the last part by more than the Advance Part Limit."""
    if wanted.msn > timeline.last_closed + FUTURE_SEGMENTS:
        return True
    if wanted.part is None:
        return False
    target = timeline.part_target or 1.0
    limit = ADVANCE_SECONDS if target >= 1 else math.ceil(ADVANCE_SECONDS / target)
    return _parts_ahead(timeline, wanted.msn, wanted.part) > limit


def satisfied(timeline: Timeline, wanted: Wanted) -> bool:
    """Whether the playlist has what was asked for, or anything later.

    A part past the end of a finished segment means the first one of the next, hence the plain comparison.
    """
    if timeline.ended:
        return True
    if not timeline.playable:
        return False
    if wanted.part is None:
        return timeline.last_closed >= wanted.msn
    return timeline.newest >= (wanted.msn, wanted.part)


def _parts_ahead(timeline: Timeline, msn: int, part: int) -> int:
    """How many parts lie between the newest and the one wanted; segments to come have the usual number."""
    newest_msn, newest_part = timeline.newest
    if msn <= newest_msn:
        return part - newest_part if msn == newest_msn else 0
    usual = round((timeline.target_duration or 1) / (timeline.part_target or 1.0))
    open_left = 0 if timeline.last_closed == newest_msn else max(0, usual - 1 - newest_part)
    return open_left + (msn - newest_msn - 1) * usual + part + 1
