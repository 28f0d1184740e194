"""A strict linter for low-latency media playlists: each one alone, and from one reload to the next.

Rules: draft-pantos-hls-rfc8216bis sections 4.4, 6.2 and appendix B, Apple's HLS authoring specification.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]+)(?:,|$)')
HEADER = (
    "EXT-X-VERSION",
    "EXT-X-TARGETDURATION",
    "EXT-X-INDEPENDENT-SEGMENTS",
    "EXT-X-SERVER-CONTROL",
    "EXT-X-PART-INF",
    "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-DISCONTINUITY-SEQUENCE",
)
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DRIFT = timedelta(milliseconds=40)


@dataclass
class LintedPart:
    """A part as listed."""

    uri: str
    seconds: float
    independent: bool
    gap: bool = False


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
    gap: bool = False


@dataclass
class Linted:
    """A parsed playlist."""

    header: dict[str, str]
    segments: list[LintedSegment]
    hint: str | None = None
    ended: bool = False
    skipped: int = 0
    removed: list[str] | None = None
    cues: dict[str, dict[str, str]] = field(default_factory=dict)
    reports: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def newest(self) -> tuple[int, int]:
        """(media sequence number, part) of the newest part."""
        last = self.segments[-1]
        return last.number, len(last.parts) - 1

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
    linted = Linted(header, [])
    _Body(linted).read(lines[at:])
    _check_header(linted)
    _check_segments(linted)
    return linted


class _Body:
    """What comes after the header, line by line."""

    def __init__(self, linted: Linted) -> None:
        self._linted = linted
        self._number = int(linted.header["EXT-X-MEDIA-SEQUENCE"])
        self._breaks = int(linted.header["EXT-X-DISCONTINUITY-SEQUENCE"])
        self._current: LintedSegment | None = None
        self._extinf: float | None = None
        self._map = ""
        self._broken = self._gap = False

    def read(self, lines: list[str]) -> None:
        """All of them."""
        for line in lines:
            assert not self._linted.ended, "something after ENDLIST"
            if line.startswith("#"):
                assert self._extinf is None, "EXTINF without an address"
                self._tag(*line[1:].partition(":")[::2])
            else:
                self._address(line)
        assert not self._broken, "a DISCONTINUITY of nothing"
        assert not self._gap, "a GAP of nothing"

    def _address(self, line: str) -> None:
        current = self._current
        assert current is not None
        assert self._extinf is not None, "an address without EXTINF"
        current.uri, current.seconds, current.gap = line, self._extinf, self._gap
        self._current, self._extinf, self._gap = None, None, False
        self._number += 1

    def _tag(self, name: str, value: str) -> None:
        linted, current = self._linted, self._current
        late = linted.hint is not None and name not in ("EXT-X-RENDITION-REPORT", "EXT-X-ENDLIST")
        assert not late, "something after the hint"
        match name:
            case "EXT-X-DATERANGE":
                assert not linted.segments
                self._cue(attributes(value))
            case "EXT-X-SKIP":
                assert not linted.segments
                self._skip(attributes(value))
            case "EXT-X-DISCONTINUITY":
                assert current is None, "DISCONTINUITY inside a segment"
                self._breaks, self._broken = self._breaks + 1, True
            case "EXT-X-MAP":
                assert current is None, "MAP inside a segment"
                self._map = attributes(value)["URI"]
            case "EXT-X-PROGRAM-DATE-TIME":
                assert current is None, "two dates for one segment"
                assert DATE.fullmatch(value)
                assert self._map, "no MAP"
                moment = datetime.fromisoformat(value)
                self._current = LintedSegment(self._number, self._map, moment, self._breaks)
                linted.segments.append(self._current)
                self._broken = False
            case "EXT-X-PART":
                assert current is not None, "a part before the tags of its segment"
                current.parts.append(_part(value))
            case "EXT-X-GAP":
                self._gap = True
            case "EXTINF":
                assert current is not None
                assert re.fullmatch(r"\d+\.\d{5},", value)
                self._extinf = float(value[:-1])
            case "EXT-X-PRELOAD-HINT":
                given = attributes(value)
                assert given["TYPE"] == "PART"
                linted.hint = given["URI"]
            case "EXT-X-RENDITION-REPORT":
                given = attributes(value)
                linted.reports[given["URI"]] = (int(given["LAST-MSN"]), int(given["LAST-PART"]))
            case "EXT-X-ENDLIST":
                linted.ended = True
            case _:
                raise AssertionError(f"unknown tag {name}")

    def _cue(self, given: dict[str, str]) -> None:
        assert {"ID", "CLASS", "START-DATE"} <= set(given)
        assert given["CLASS"].startswith("com.simulcast.")
        assert all(DATE.fullmatch(given[name]) for name in given if name.endswith("-DATE"))
        assert given.get("END-DATE", given["START-DATE"]) >= given["START-DATE"]
        assert given["ID"] not in self._linted.cues
        self._linted.cues[given["ID"]] = given

    def _skip(self, given: dict[str, str]) -> None:
        linted = self._linted
        assert not linted.skipped, "two SKIPs"
        linted.skipped = int(given["SKIPPED-SEGMENTS"])
        assert linted.skipped > 0
        self._number += linted.skipped
        if "RECENTLY-REMOVED-DATERANGES" in given:
            linted.removed = [one for one in given["RECENTLY-REMOVED-DATERANGES"].split("\t") if one]


def _part(value: str) -> LintedPart:
    given = attributes(value)
    assert set(given) <= {"URI", "DURATION", "INDEPENDENT", "GAP"}
    assert given.get("INDEPENDENT", "YES") == given.get("GAP", "YES") == "YES"
    return LintedPart(given["URI"], float(given["DURATION"]), "INDEPENDENT" in given, "GAP" in given)


def _check_header(linted: Linted) -> None:
    header, target, part_target = linted.header, linted.target, linted.part_target
    assert set(HEADER) - set(header) <= {"EXT-X-INDEPENDENT-SEGMENTS"}
    assert header["EXT-X-VERSION"] == ("9" if linted.removed is None else "10")
    control = attributes(header["EXT-X-SERVER-CONTROL"])
    assert (control.pop("CAN-BLOCK-RELOAD"), control.pop("CAN-SKIP-DATERANGES")) == ("YES", "YES")
    assert float(control.pop("PART-HOLD-BACK")) >= 3 * part_target - 1e-9
    assert float(control.pop("HOLD-BACK")) >= 3 * target
    assert float(control.pop("CAN-SKIP-UNTIL")) >= 6 * target
    assert not control
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
            first = segment.parts[0]
            assert first.independent or first.gap, "a segment that does not begin with a keyframe"
        assert not segment.uri or not segment.parts or segment.gap == any(part.gap for part in segment.parts)
    _check_dates(linted)
    _check_which_have_parts(linted)
    closed = [segment.seconds for segment in linted.segments if segment.uri]
    if linted.skipped:
        assert sum(closed) >= 6 * target - 1e-3, "more was skipped than may be"


def _check_parts(segment: LintedSegment, part_target: float) -> None:
    for index, part in enumerate(segment.parts):
        assert part.uri == f"s{segment.number}.{index}.m4s"
        assert 0 < part.seconds <= part_target, f"{part.uri} is longer than PART-TARGET"
        last_or_open = index == len(segment.parts) - 1
        exempt = last_or_open or part.independent or part.gap or segment.parts[index + 1].gap
        assert exempt or part.seconds >= 0.85 * part_target, f"{part.uri} is short"


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

    def __init__(self, most_at_once: int = 1) -> None:
        self.most_at_once = most_at_once
        """A rung that is given up loses several parts at one moment."""
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
        if int(linted.header["EXT-X-MEDIA-SEQUENCE"]) > int(before.header["EXT-X-MEDIA-SEQUENCE"]):
            kept = sum(segment.seconds for segment in linted.segments if segment.uri)
            assert kept >= 12 * linted.target - 0.1, "too little left in the playlist"
        for name in ("EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE"):
            assert int(linted.header[name]) >= int(before.header[name]), f"{name} went back"
        _check_same(before, linted)
        check_cues(before, linted)
        self._check_hint(before, linted)
        return linted

    def _check_hint(self, before: Linted, linted: Linted) -> None:
        fresh = linted.parts[linted.parts.index(before.parts[-1]) + 1 :]
        assert len(fresh) <= self.most_at_once, "more than one new part at once"
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
            assert old.gap == new.gap
        else:
            assert old.parts == new.parts[: len(old.parts)], "a part changed"


def check_cues(before: Linted, linted: Linted) -> None:
    """What was told of a cue stays, but that it may end."""
    for name in before.cues.keys() & linted.cues.keys():
        old, new = before.cues[name], linted.cues[name]
        assert {**new, "END-DATE": ""} == {**old, "END-DATE": ""}, f"{name} changed"
        assert "END-DATE" not in old or old["END-DATE"] == new["END-DATE"], f"{name} ends anew"


def merged(before: Linted, delta: Linted) -> Linted:
    """A delta put together with the playlist before it (6.3.7)."""
    assert delta.skipped
    first = int(delta.header["EXT-X-MEDIA-SEQUENCE"])
    known = [segment for segment in before.segments if segment.number >= first][: delta.skipped]
    assert [one.number for one in known] == list(range(first, first + delta.skipped)), "skipped too much"
    cues = delta.cues
    if delta.removed is not None:
        kept = {name: cue for name, cue in before.cues.items() if name not in delta.removed}
        cues = {**kept, **delta.cues}
    breaks = known[-1].discontinuities - int(delta.header["EXT-X-DISCONTINUITY-SEQUENCE"])
    fresh = [replace(one, discontinuities=one.discontinuities + breaks) for one in delta.segments]
    segments = [replace(segment, parts=[]) for segment in known] + fresh
    return replace(delta, segments=segments, cues=cues, skipped=0, removed=None)
