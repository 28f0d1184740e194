"""What a strict low-latency player would complain of, for all renditions of a show and all their reloads.

`Watcher` follows one rendition: it reloads with and without deltas, fetches all that is new, and compares
what is said of it with what it is. `Checker` compares the renditions with one another. What Apple's
mediastreamvalidator reports for the low-latency profile is an AssertionError here.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from datetime import timedelta

from restream.hls.boxes import SYNC
from tests.restream.hls.browser import Browser
from tests.restream.hls.linter import Linted, LintedPart, LintedSegment, Reloads, attributes, lint, merged
from tests.restream.hls.parsing import Run, parse, runs

CACHED = 6
BYTERANGE = re.compile(r"(\d+)@(\d+)")


@dataclass
class Fetched:
    """A segment as it came: its place in time and what is in it."""

    segment: LintedSegment
    run: Run
    scale: int

    @property
    def begins(self) -> float:
        """When its first frame is shown, seconds."""
        return (self.run.begins + self.run.offsets[0]) / self.scale


@dataclass
class Watcher:
    """A player of one rendition. `base` is its folder."""

    browser: Browser
    base: str
    patient: bool = True
    """It takes every change as it comes; a rung's gaps come several at a time."""
    reloads: Reloads = field(default_factory=Reloads)
    fetched: dict[int, Fetched] = field(default_factory=dict)
    parts: int = 0
    gaps: int = 0
    deltas: int = 0
    keyframes: int = 0
    wanted: str = "_HLS_msn=0&_HLS_part=0"
    initialisations: dict[str, bytes] = field(default_factory=dict)
    """Every initialisation section, by its address."""
    _ends: tuple[int, int] | None = None
    """(discontinuities, end of the newest part in the track's scale)."""
    _scales: dict[str, int] = field(default_factory=dict)
    _newest: tuple[int, int] = (-1, -1)

    async def watch(self) -> None:
        """Until the end."""
        for turn in itertools.count():
            if await self.reload(turn):
                return

    async def reload(self, turn: int) -> bool:
        """One blocking reload and what follows from it; whether that was the end."""
        before = self.reloads.seen
        skip = ("", "&_HLS_skip=YES", "&_HLS_skip=v2")[turn % 3] if before else ""
        answer = await self.browser.ok(f"{self.base}/live.m3u8?{self.wanted}{skip}", "gzip")
        assert answer.headers["content-encoding"] == "gzip"
        said = lint(answer.text)
        assert answer.headers["cache-control"] == f"public, max-age={CACHED * said.target}"
        full_text = answer.text
        if said.skipped:
            full_text = (await self.browser.ok(f"{self.base}/live.m3u8")).text
        full = self.reloads.load(full_text)
        if said.skipped:
            assert before is not None
            self._compare(merged(before, said), full)
            self.deltas += 1
        await self._fetch(full)
        last = full.segments[-1]
        following = (last.number + 1, 0) if last.uri else (last.number, len(last.parts))
        self.wanted = f"_HLS_msn={following[0]}&_HLS_part={following[1]}"
        return full.ended

    def _compare(self, merged_: Linted, full: Linted) -> None:
        """A delta and what was known make the whole playlist; parts that a player has played are not said
        again."""
        assert merged_.header["EXT-X-MEDIA-SEQUENCE"] == full.header["EXT-X-MEDIA-SEQUENCE"]
        assert merged_.cues == full.cues
        assert (merged_.hint, merged_.ended) == (full.hint, full.ended)
        assert len(merged_.segments) == len(full.segments)
        for one, other in zip(merged_.segments, full.segments, strict=True):
            assert (one.number, one.uri, one.seconds, one.gap) == (
                other.number,
                other.uri,
                other.seconds,
                other.gap,
            )
            assert (one.map, one.moment, one.discontinuities) == (
                other.map,
                other.moment,
                other.discontinuities,
            )
            assert not one.parts or one.parts == other.parts

    async def _fetch(self, full: Linted) -> None:
        for segment in full.segments:
            for index, part in enumerate(segment.parts):
                if (segment.number, index) > self._newest:
                    self._newest = segment.number, index
                    await self._fetch_part(segment, part, first=index == 0)
            if segment.uri and segment.parts and segment.number not in self.fetched and not segment.gap:
                await self._fetch_segment(segment)
            if segment.gap and segment.uri:
                assert await self.browser.status(f"{self.base}/{segment.uri}") == 404

    async def _fetch_part(self, segment: LintedSegment, part: LintedPart, *, first: bool) -> None:
        if part.gap:
            self.gaps += 1
            assert await self.browser.status(f"{self.base}/{part.uri}") == 404
            self._ends = None
            return
        answer = await self.browser.ok(f"{self.base}/{part.uri}")
        assert answer.headers["content-type"] == "video/iso.segment"
        self.parts += 1
        (run,) = runs(answer.body)
        scale = await self._scale(segment.map)
        lasts = (run.ends - run.begins) / scale
        assert abs(part.seconds - lasts) < 2e-5, "DURATION is what it lasts"
        assert part.independent == (SYNC in run.flags), "INDEPENDENT is said of what has a keyframe"
        assert not (first and part.independent) or run.flags[0] == SYNC, "a segment begins with its keyframe"
        assert all(duration > 0 for duration in run.durations)
        if self._ends and self._ends[0] == segment.discontinuities:
            assert run.begins == self._ends[1], "a hole between parts"
        self._ends = segment.discontinuities, run.ends

    async def _scale(self, name: str) -> int:
        """The initialisation section, looked into once; its track's scale."""
        if name not in self._scales:
            answer = await self.browser.ok(f"{self.base}/{name}")
            assert answer.headers["content-type"] == "video/mp4"
            self.initialisations[name] = answer.body
            ftyp, moov = parse(answer.body)
            assert (ftyp.kind, moov.kind) == (b"ftyp", b"moov")
            (trak,) = moov.all(b"trak")
            assert len(moov.one(b"mvex").all(b"trex")) == 1
            mdhd = trak.one(b"mdia", b"mdhd").content
            self._scales[name] = int.from_bytes(mdhd[12:16], "big")
        return self._scales[name]

    async def _fetch_segment(self, segment: LintedSegment) -> None:
        whole = (await self.browser.ok(f"{self.base}/{segment.uri}")).body
        pieces = [(await self.browser.ok(f"{self.base}/{part.uri}")).body for part in segment.parts]
        assert whole == b"".join(pieces), "a segment is its parts"
        first = next(runs(whole))
        self.fetched[segment.number] = Fetched(segment, first, self._scales[segment.map])

    async def look_at_keyframes(self) -> None:
        """The I-frame playlist: every range is a moof and exactly the keyframe its segment begins with."""
        text = (await self.browser.ok(f"{self.base}/iframes.m3u8")).text
        lines = text.splitlines()
        assert "#EXT-X-I-FRAMES-ONLY" in lines
        assert not any("EXT-X-PART" in line for line in lines)
        number = int(next(line for line in lines if "MEDIA-SEQUENCE" in line).partition(":")[2])
        size = at = 0
        for line in lines:
            if line.startswith("#EXT-X-BYTERANGE:"):
                found = BYTERANGE.fullmatch(line.partition(":")[2])
                assert found
                size, at = int(found[1]), int(found[2])
            elif not line.startswith("#"):
                assert line == f"s{number}.m4s"
                if size:
                    await self._look_at_keyframe(line, at, size)
                number, size = number + 1, 0

    async def _look_at_keyframe(self, name: str, at: int, size: int) -> None:
        headers = {"range": f"bytes={at}-{at + size - 1}"}
        answer = await self.browser.get(f"{self.base}/{name}", headers=headers)
        assert answer is not None
        assert (answer.status, len(answer.body)) == (206, size)
        whole = await self.browser.ok(f"{self.base}/{name}")
        run = next(runs(whole.body))
        assert run.flags[0] == SYNC
        assert answer.body == whole.body[at : at + size]
        assert answer.body.endswith(run.bodies[0]), "no more and no less than the keyframe"
        assert answer.body[4:8] == b"moof"
        self.keyframes += 1


class Checker:
    """A show: its multivariant playlist, and watchers of its renditions."""

    def __init__(self, browser: Browser, base: str) -> None:
        self._browser = browser
        self._base = base
        self.watchers: dict[str, Watcher] = {}

    def watcher(self, name: str, most_at_once: int = 1) -> Watcher:
        """Somebody who watches a rendition."""
        found = Watcher(self._browser, f"{self._base}/{name}", reloads=Reloads(most_at_once))
        self.watchers[name] = found
        return found

    async def look_at_index(self) -> list[str]:
        """The renditions offered; each must be there, and its playlist agree with what is said."""
        text = (await self._browser.ok(f"{self._base}/index.m3u8")).text
        lines = text.splitlines()
        offered = [line.partition("/")[0] for line in lines if not line.startswith("#")]
        medias = [attributes(line.partition(":")[2]) for line in lines if line.startswith("#EXT-X-MEDIA:")]
        streams = [attributes(li.partition(":")[2]) for li in lines if li.startswith("#EXT-X-STREAM-INF:")]
        assert len(offered) == len(streams) == len(set(offered))
        for stream in streams:
            assert int(stream["BANDWIDTH"]) >= int(stream["AVERAGE-BANDWIDTH"]) > 0
            assert ("AUDIO" in stream) == bool(medias)
            assert len(stream["CODECS"].split(",")) == 1 + bool(medias)
            if "RESOLUTION" in stream:
                assert "FRAME-RATE" in stream
        frames = [li for li in lines if li.startswith("#EXT-X-I-FRAME-STREAM-INF:")]
        assert len(frames) == len([stream for stream in streams if "RESOLUTION" in stream])
        names = offered + [media["URI"].partition("/")[0] for media in medias]
        await self._compare_playlists(names)
        return names

    async def _compare_playlists(self, names: list[str]) -> None:
        """The same control, target and hold-back everywhere; every other one reported, and rightly."""
        lists = {n: lint((await self._browser.ok(f"{self._base}/{n}/live.m3u8")).text) for n in names}
        first = lists[names[0]]
        for name, listed in lists.items():
            for tag in ("EXT-X-TARGETDURATION", "EXT-X-SERVER-CONTROL", "EXT-X-VERSION"):
                assert listed.header[tag] == first.header[tag], f"{tag} of {name}"
            assert listed.cues == first.cues
            if listed.ended:
                continue
            assert set(listed.reports) == {f"../{other}/live.m3u8" for other in names if other != name}
            for other in names:
                if other != name:
                    self._compare_report(listed.reports[f"../{other}/live.m3u8"], lists[other])

    def _compare_report(self, report: tuple[int, int], other: Linted) -> None:
        assert report <= other.newest, "a report of what is not there yet"
        later = sum(1 for s in other.segments for i in range(len(s.parts)) if (s.number, i) > report)
        assert later <= 2, "a report that is older than the playlist it stands in"

    def check_alignment(self) -> int:
        """Segments of the same number are the same moment in all renditions; how many were compared."""
        compared = 0
        reference = self.watchers["source"].fetched
        for name, watcher in self.watchers.items():
            if name == "source":
                continue
            for number, mine in watcher.fetched.items():
                theirs = reference.get(number)
                if theirs is None:
                    continue
                compared += 1
                assert mine.segment.discontinuities == theirs.segment.discontinuities
                assert len(mine.segment.parts) == len(theirs.segment.parts), f"{name}: parts of {number}"
                sound = name == "audio"
                allowed = 0.025 if sound else 0.0021
                assert abs(mine.segment.seconds - theirs.segment.seconds) <= (0.05 if sound else 1e-4)
                later = mine.begins - theirs.begins
                dated = (mine.segment.moment - theirs.segment.moment).total_seconds()
                assert abs(later) <= allowed, f"{name}: beginning of {number} is {later} late"
                # Dates do not go back: after a discontinuity sound may be dated by half a frame too late.
                assert abs(later - dated) <= (0.0125 if sound else 0.0021), f"{name}: dates of {number}"
        return compared

    def check_dates(self) -> None:
        """PROGRAM-DATE-TIME goes on as the media does."""
        for watcher in self.watchers.values():
            for before, after in itertools.pairwise(sorted(watcher.fetched)):
                one, two = watcher.fetched[before].segment, watcher.fetched[after].segment
                if after == before + 1 and one.discontinuities == two.discontinuities:
                    due = one.moment + timedelta(seconds=one.seconds)
                    assert abs(two.moment - due) <= timedelta(milliseconds=40)
