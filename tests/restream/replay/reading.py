"""Reads playlists of a replay as a strict player does. Rules: rfc8216bis 4.4, 6.2.1."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.restream.hls.linter import attributes

HEADER = (
    "EXT-X-VERSION",
    "EXT-X-TARGETDURATION",
    "EXT-X-PLAYLIST-TYPE",
    "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-SERVER-CONTROL",
)


@dataclass(frozen=True)
class Listed:
    """A segment as listed; `moment` (seconds of the wall clock) follows from the date said before."""

    uri: str
    seconds: float
    map: str
    moment: float
    anew: bool
    gap: bool


@dataclass
class Media:
    """A media playlist. `skipped`: so many segments are left out in front."""

    header: dict[str, str]
    segments: list[Listed] = field(default_factory=list)
    dateranges: list[dict[str, str]] = field(default_factory=list)
    skipped: int = 0
    ended: bool = False

    @property
    def numbers(self) -> list[int]:
        """The numbers in the segments' names."""
        return [int(segment.uri[1:-4]) for segment in self.segments]

    @property
    def cues(self) -> dict[str, dict[str, str]]:
        """Date ranges merged by their id; what is said twice must be the same."""
        found: dict[str, dict[str, str]] = {}
        for one in self.dateranges:
            known = found.setdefault(one["ID"], {})
            assert all(known.get(name, value) == value for name, value in one.items()), one
            known |= one
        return found


def read(text: str) -> Media:
    """Every rule broken is an AssertionError."""
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
    media = Media(header)
    _body(lines[at:], media)
    version, target = int(header["EXT-X-VERSION"]), int(header["EXT-X-TARGETDURATION"])
    assert version >= 8, "GAP"
    assert version >= 9 or not media.skipped, "SKIP"
    assert all(int(one.seconds + 0.5) <= target for one in media.segments)
    assert media.ended == (header["EXT-X-PLAYLIST-TYPE"] == "VOD")
    if "EXT-X-SERVER-CONTROL" in header:
        assert float(attributes(header["EXT-X-SERVER-CONTROL"])["CAN-SKIP-UNTIL"]) >= 6 * target
    return media


def _body(lines: list[str], media: Media) -> None:
    state: dict[str, Any] = {"map": None, "moment": None, "seconds": None}
    anew = gap = False
    for line in lines:
        name, _, value = line[1:].partition(":")
        assert not media.ended, "something after ENDLIST"
        if not line.startswith("#"):
            assert state["map"], "no MAP"
            assert state["moment"] is not None, "no date"
            seconds, state["seconds"] = state["seconds"], None
            assert seconds is not None, "an address without EXTINF"
            assert re.fullmatch(r"s\d+\.m4s", line)
            media.segments.append(Listed(line, seconds, state["map"], state["moment"], anew, gap))
            state["moment"] += seconds
            anew = gap = False
            continue
        match name:
            case "EXT-X-DISCONTINUITY":
                anew, state["moment"] = True, None
            case "EXT-X-MAP":
                state["map"] = attributes(value)["URI"]
            case "EXT-X-PROGRAM-DATE-TIME":
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value)
                state["moment"] = datetime.fromisoformat(value).timestamp()
            case "EXT-X-GAP":
                gap = True
            case "EXTINF":
                assert re.fullmatch(r"\d+\.\d{5},", value)
                state["seconds"] = float(value[:-1])
            case "EXT-X-DATERANGE":
                media.dateranges.append(attributes(value))
            case "EXT-X-SKIP":
                assert not media.segments
                media.skipped = int(attributes(value)["SKIPPED-SEGMENTS"])
            case "EXT-X-ENDLIST":
                media.ended = True
            case _:
                raise AssertionError(f"unknown tag {line}")
    assert (anew, gap, state["seconds"]) == (False, False, None), "tags of nothing"


def merged(before: Media, delta: Media) -> Media:
    """What a player makes of a delta (6.3.7)."""
    assert delta.skipped <= len(before.segments)
    segments = before.segments[: delta.skipped] + delta.segments
    return Media(delta.header, segments, delta.dateranges, 0, delta.ended)


@dataclass(frozen=True)
class Variant:
    """One choice of a multivariant playlist."""

    uri: str
    given: dict[str, str]


def variants(text: str) -> tuple[list[Variant], dict[str, str] | None]:
    """The choices, and the sound they share."""
    lines = text[:-1].split("\n")
    assert lines[0] == "#EXTM3U"
    found, sound = [], None
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        name, _, value = line[1:].partition(":")
        if name == "EXT-X-STREAM-INF":
            found.append(Variant(following, attributes(value)))
        elif name == "EXT-X-MEDIA":
            assert sound is None
            sound = attributes(value)
    for one in found:
        assert int(one.given["BANDWIDTH"]) >= int(one.given["AVERAGE-BANDWIDTH"]) > 0
        assert one.given.get("AUDIO") == (sound["GROUP-ID"] if sound else None)
    return found, sound
