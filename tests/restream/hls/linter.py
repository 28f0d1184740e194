"""A strict linter for low-latency media playlists: each one alone, and from one reload to the next.

Rules: draft-pantos-hls-rfc8216bis sections 4.4, 6.2 and appendix B, Apple's HLS authoring specification.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]+)(?:,|$)')
HEADER = (
    "EXT-X-VERSION",
    "EXT-X-TARGETDURATION",
    "EXT-X-INDEPENDENT-SEGMENTS",
    "EXT-X-PART-INF",
    "EXT-X-SERVER-CONTROL",
    "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-DISCONTINUITY-SEQUENCE",
)
DRIFT = timedelta(milliseconds=40)


@dataclass
class LintedPart:
    """A part as listed."""

    uri: str
    seconds: float
    independent: bool


@dataclass
class LintedSegment:
    """A segment as listed; `uri` is None while it is open."""

    number: int
    map: str
    moment: datetime
    discontinuities: int
    parts: list[LintedPart] = field(default_factory=list)
    uri: str | None = None
    seconds: float = 0.0


@dataclass
class Linted:
    """A parsed playlist."""

    header: dict[str, str]
    segments: list[LintedSegment]
    hint: str | None
    ended: bool

    @property
    def parts(self) -> list[str]:
        """The addresses of all parts listed, in order."""
        return [part.uri for segment in self.segments for part in segment.parts]

    @property
    def part_target(self) -> float:
        """PART-TARGET, seconds."""
        return float(attributes(self.header["EXT-X-PART-INF"])["PART-TARGET"])

    @property
    def target(self) -> int:
        """TARGETDURATION, seconds."""
        return int(self.header["EXT-X-TARGETDURATION"])


def attributes(text: str) -> dict[str, str]:
    """An attribute list, quotes taken off; no attribute twice."""
    found = ATTRIBUTE.findall(text)
    assert "".join(f"{name}={value}," for name, value in found).rstrip(",") == text, text
    assert len({name for name, _ in found}) == len(found), text
    return {name: value.strip('"') for name, value in found}


def lint(text: str) -> Linted:
    """Parse one playlist; every rule broken is an AssertionError."""
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    assert lines[0] == "#EXTM3U"
    assert all(line and line == line.strip() for line in lines)
    header: dict[str, str] = {}
    at = 1
    while (name := lines[at][1:].partition(":")[0]) in HEADER:
        assert name not in header, f"{name} twice"
        header[name] = lines[at].partition(":")[2]
        at += 1
    segments, hint, ended = _body(lines[at:], header)
    linted = Linted(header, segments, hint, ended)
    _check_header(linted)
    _check_segments(linted)
    return linted


def _body(lines: list[str], header: dict[str, str]) -> tuple[list[LintedSegment], str | None, bool]:
    segments: list[LintedSegment] = []
    number = int(header["EXT-X-MEDIA-SEQUENCE"])
    breaks = int(header["EXT-X-DISCONTINUITY-SEQUENCE"])
    current: LintedSegment | None = None
    shown, hint, ended, broken, extinf = "", None, False, False, None
    for line in lines:
        name, _, value = line[1:].partition(":")
        assert hint is None, "something after the hint"
        assert not ended, "something after ENDLIST"
        if not line.startswith("#"):
            assert current is not None
            assert extinf is not None, "an address without EXTINF"
            current.uri, current.seconds = line, extinf
            current, extinf = None, None
            number += 1
            continue
        assert extinf is None, "EXTINF without an address"
        match name:
            case "EXT-X-DISCONTINUITY":
                assert current is None, "DISCONTINUITY inside a segment"
                breaks, broken = breaks + 1, True
            case "EXT-X-MAP":
                assert current is None, "MAP inside a segment"
                assert not shown or broken, "another MAP without DISCONTINUITY"
                shown = attributes(value)["URI"]
            case "EXT-X-PROGRAM-DATE-TIME":
                assert current is None, "two dates for one segment"
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value)
                assert shown, "no MAP"
                current = LintedSegment(number, shown, datetime.fromisoformat(value), breaks)
                segments.append(current)
                broken = False
            case "EXT-X-PART":
                assert current is not None, "a part before the tags of its segment"
                current.parts.append(_part(value))
            case "EXTINF":
                assert current is not None
                assert re.fullmatch(r"\d+\.\d{5},", value)
                extinf = float(value[:-1])
            case "EXT-X-PRELOAD-HINT":
                given = attributes(value)
                assert given["TYPE"] == "PART"
                hint = given["URI"]
            case "EXT-X-ENDLIST":
                ended = True
            case _:
                raise AssertionError(f"unknown tag {line}")
    assert not broken, "a DISCONTINUITY of nothing"
    return segments, hint, ended


def _part(value: str) -> LintedPart:
    given = attributes(value)
    assert set(given) <= {"URI", "DURATION", "INDEPENDENT"}
    assert given.get("INDEPENDENT", "YES") == "YES"
    return LintedPart(given["URI"], float(given["DURATION"]), "INDEPENDENT" in given)


def _check_header(linted: Linted) -> None:
    header, target, part_target = linted.header, linted.target, linted.part_target
    assert set(HEADER) - set(header) <= {"EXT-X-INDEPENDENT-SEGMENTS"}
    assert header["EXT-X-VERSION"] == "6", "MAP needs 6, nothing here needs more"
    control = attributes(header["EXT-X-SERVER-CONTROL"])
    assert control["CAN-BLOCK-RELOAD"] == "YES"
    assert float(control["PART-HOLD-BACK"]) >= 3 * part_target - 1e-9
    assert float(control["HOLD-BACK"]) >= 3 * target
    assert set(control) == {"CAN-BLOCK-RELOAD", "PART-HOLD-BACK", "HOLD-BACK"}
    assert (linted.hint is None) == linted.ended, "a hint until the end, none after it"


def _check_segments(linted: Linted) -> None:
    part_target, target = linted.part_target, linted.target
    assert linted.segments, "an empty playlist"
    for index, segment in enumerate(linted.segments):
        newest = index == len(linted.segments) - 1
        assert segment.uri == f"s{segment.number}.m4s" or (segment.uri is None and newest)
        assert segment.parts or segment.uri
        assert round(segment.seconds) <= target, "a segment longer than TARGETDURATION"
        _check_parts(segment, part_target)
        if segment.uri and segment.parts:
            total = sum(part.seconds for part in segment.parts)
            assert abs(total - segment.seconds) < 1e-4, "EXTINF is the sum of its parts"
        if "EXT-X-INDEPENDENT-SEGMENTS" in linted.header and segment.parts:
            assert segment.parts[0].independent, "a segment that does not begin with a keyframe"
    _check_dates(linted)
    _check_which_have_parts(linted)
    closed = [segment.seconds for segment in linted.segments if segment.uri]
    if int(linted.header["EXT-X-MEDIA-SEQUENCE"]) > 0:
        assert sum(closed) >= 3 * target, "too little left in the playlist"


def _check_parts(segment: LintedSegment, part_target: float) -> None:
    for index, part in enumerate(segment.parts):
        assert part.uri == f"s{segment.number}.{index}.m4s"
        assert 0 < part.seconds <= part_target, f"{part.uri} is longer than PART-TARGET"
        last_or_open = index == len(segment.parts) - 1
        assert part.independent or last_or_open or part.seconds >= 0.85 * part_target, f"{part.uri} is short"


def _check_dates(linted: Linted) -> None:
    for before, after in zip(linted.segments, linted.segments[1:], strict=False):
        due = before.moment + timedelta(seconds=before.seconds)
        if after.discontinuities == before.discontinuities:
            assert abs(after.moment - due) <= DRIFT, "dates drift from durations"
        assert after.moment >= due - timedelta(milliseconds=2), "time goes back"


def _check_which_have_parts(linted: Linted) -> None:
    """The last three target durations, and in one piece."""
    have = [bool(segment.parts) for segment in linted.segments]
    assert have == sorted(have)
    listed = sum(s.seconds or sum(p.seconds for p in s.parts) for s in linted.segments if s.parts)
    assert all(have) or listed >= 3 * linted.target


class Reloads:
    """Follows a playlist over its reloads."""

    def __init__(self) -> None:
        self.seen: Linted | None = None
        self.count = 0
        self.hints_wrong = 0

    def load(self, text: str) -> Linted:
        """The next version of the playlist."""
        linted, before = lint(text), self.seen
        self.seen, self.count = linted, self.count + 1
        if before is None:
            return linted
        assert not before.ended, "changed after its end"
        for name in ("EXT-X-TARGETDURATION", "EXT-X-PART-INF", "EXT-X-SERVER-CONTROL", "EXT-X-VERSION"):
            assert linted.header[name] == before.header[name], f"{name} changed"
        for name in ("EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE"):
            assert int(linted.header[name]) >= int(before.header[name]), f"{name} went back"
        _check_same(before, linted)
        self._check_hint(before, linted)
        return linted

    def _check_hint(self, before: Linted, linted: Linted) -> None:
        fresh = linted.parts[linted.parts.index(before.parts[-1]) + 1 :]
        assert len(fresh) <= 1, "more than one new part at once"
        if fresh and fresh[0] != before.hint:
            number = linted.segments[-1].number
            ended_early = before.hint and before.hint.startswith(f"s{number - 1}.")
            assert fresh[0] == f"s{number}.0.m4s", "the hint named another part of the same segment"
            assert ended_early, "the hint named nothing that could have come"
            self.hints_wrong += 1


def _check_same(before: Linted, linted: Linted) -> None:
    """What both list is the same in both; only the oldest leave, only the newest come."""
    first = linted.segments[0].number
    assert first <= before.segments[-1].number, "nothing in common"
    now = {segment.number: segment for segment in linted.segments}
    for old in before.segments:
        if old.number < first:
            continue
        new = now[old.number]
        assert (old.map, old.moment, old.discontinuities) == (new.map, new.moment, new.discontinuities)
        if old.uri:
            assert (old.uri, old.seconds) == (new.uri, new.seconds)
            assert not new.parts or old.parts == new.parts
        else:
            assert old.parts == new.parts[: len(old.parts)], "a part changed"
