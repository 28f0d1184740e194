"""Playlists of a replay, written once and lengthened with the show: a request costs no rendering of hours.

A show of four hours has 7,200 segments. Their text, and its gzip stream, is kept as far as it goes; a new
segment adds a line to both, and what ends a playlist is put behind a copy of the stream's state.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from restream.api import CueSpec
from restream.hls.cues import date
from restream.hls.rendered import VARY, ZIPPED
from restream.hls.respond import Answer
from restream.replay.cues import daterange
from restream.replay.index import AUDIO, Index, Rendition, peak_of
from restream.replay.journal import Opening

MEDIA: Final = "media.m3u8"
LEVEL: Final = 5
GZIP: Final = 31
"""zlib: a gzip header, without a date, and the largest window."""
DATED: Final = 10
"""Every so many segments have a date; between them it follows from their durations, and bytes are saved."""
DRIFT: Final = 0.05
"""Seconds the date may be off before it is said anew."""
SKIPPED_TARGETS: Final = 6
"""CAN-SKIP-UNTIL in target durations (rfc8216bis, 4.4.3.8)."""
AT_ONCE: Final = 500
"""Segments rendered in one go; about a millisecond."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as bytes, made once and shared by everybody who asks for it."""

    plain: bytes
    zipped: bytes
    answers: dict[tuple[str, str, bool], Answer] = field(default_factory=dict, repr=False)

    def answer(self, kind: str, cache: str, *, zipped: bool) -> Answer:
        """The same one whenever the same is wanted."""
        found = self.answers.get((kind, cache, zipped))
        if found is None:
            body, more = (self.zipped, (VARY, ZIPPED)) if zipped else (self.plain, (VARY,))
            found = self.answers[kind, cache, zipped] = Answer(HTTPStatus.OK, kind, cache, (body,), more)
        return found


class Scroll:
    """Text that grows at its end, and its gzip stream."""

    def __init__(self) -> None:
        self._plain: list[bytes] = []
        self._zipped: list[bytes] = []
        self._zip = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)

    def add(self, text: str) -> None:
        """More of it."""
        data = text.encode()
        self._plain.append(data)
        self._zipped.append(self._zip.compress(data))

    def whole(self, ending: str) -> Rendered:
        """All of it with an ending, which does not stay."""
        self._plain, self._zipped = [b"".join(self._plain)], [b"".join(self._zipped)]
        data, finished = ending.encode(), self._zip.copy()
        tail = finished.compress(data) + finished.flush()
        return Rendered(self._plain[0] + data, self._zipped[0] + tail)


def rendered(text: str) -> Rendered:
    """A short text."""
    scroll = Scroll()
    scroll.add(text)
    return scroll.whole("")


class MediaPlaylist:
    """One rendition's playlist. `lengthen` until it says that all is there, then `whole` or `delta`."""

    def __init__(self, index: Index, rendition: Rendition, *, ended: bool) -> None:
        self._index = index
        self._rendition = rendition
        self._ended = ended
        self._draft = Draft(self._head())
        self._whole: Rendered | None = None
        self._delta: Rendered | None = None

    def lengthen(self, cues: Sequence[CueSpec]) -> bool:
        """Write some of what is missing; False when there is more. A longer target begins all anew."""
        head = self._head()
        if self._draft.head != head:
            self._draft, self._whole, self._delta = Draft(head), None, None
        draft = self._draft
        until = self._index.listed(self._rendition, ended=self._ended)
        first, draft.at = draft.at, max(draft.at, min(until, draft.at + AT_ONCE))
        lines = list(self._segments(first, draft.at, draft.state))
        if draft.at >= until:
            lines += draft.told.news(cues)
        if lines:
            draft.scroll.add("\n".join(lines) + "\n")
            self._whole = self._delta = None
        return draft.at >= until

    def whole(self) -> Rendered:
        """All of it."""
        if self._whole is None:
            self._whole = self._draft.scroll.whole("#EXT-X-ENDLIST\n" if self._ended else "")
        return self._whole

    def delta(self) -> Rendered:
        """Without the segments a player has already (4.4.5.2), or all of it where nothing can be left out."""
        skipped = 0 if self._ended else self._skippable()
        if not skipped:
            return self.whole()
        if self._delta is None:
            lines = [*self._draft.head, f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}"]
            lines += [*self._segments(skipped, self._draft.at, State()), *self._draft.told.lines]
            self._delta = rendered("\n".join(lines) + "\n")
        return self._delta

    def _head(self) -> list[str]:
        """Version 8 for gaps, 9 for deltas."""
        kind, version = ("VOD", 8) if self._ended else ("EVENT", 9)
        target = self._index.target
        lines = [
            "#EXTM3U",
            f"#EXT-X-VERSION:{version}",
            f"#EXT-X-TARGETDURATION:{target}",
            f"#EXT-X-PLAYLIST-TYPE:{kind}",
            "#EXT-X-MEDIA-SEQUENCE:0",
        ]
        if not self._ended:
            lines.append(f"#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL={SKIPPED_TARGETS * target}")
        return lines

    def _segments(self, first: int, until: int, state: State) -> Iterable[str]:
        index, rendition = self._index, self._rendition
        for place in range(first, until):
            seconds, wall = index.seconds[place], index.walls[place]
            anew = bool(index.anew[place])
            if anew:
                yield "#EXT-X-DISCONTINUITY"
            piece = rendition.piece(place)
            opening = rendition.opening_for(place, index.numbers[place])
            if anew or opening is not state.opening:
                state.opening = opening
                yield f'#EXT-X-MAP:URI="init{opening.number}.mp4"'
            due = wall if state.wall is None else state.wall
            if anew or place % DATED == 0 or state.wall is None or abs(wall - due) > DRIFT:
                due = wall
                yield f"#EXT-X-PROGRAM-DATE-TIME:{date(wall)}"
            state.wall = due + seconds
            if piece is None:
                yield "#EXT-X-GAP"
            yield f"#EXTINF:{seconds:.5f},"
            yield f"s{index.numbers[place]}.m4s"

    def _skippable(self) -> int:
        """Segments that lie wholly before the last CAN-SKIP-UNTIL seconds."""
        left, place = float(SKIPPED_TARGETS * self._index.target), self._draft.at
        while place > 0 and left > 0:
            place -= 1
            left -= self._index.seconds[place]
        return place


class Draft:
    """A playlist as far as it is written."""

    def __init__(self, head: list[str]) -> None:
        self.head = head
        self.at = 0
        self.state = State()
        self.told = Told()
        self.scroll = Scroll()
        self.scroll.add("\n".join(head) + "\n")


class State:
    """What the lines before have said: the initialisation section, and where the date has got to."""

    def __init__(self) -> None:
        self.opening: Opening | None = None
        self.wall: float | None = None


class Told:
    """The cues a playlist has. A line that was told stays; a cue's end comes in a second one."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._ended: dict[str, bool] = {}

    def news(self, cues: Sequence[CueSpec]) -> list[str]:
        """The lines for what is not told yet."""
        fresh = []
        for cue in cues:
            ended = cue.ends_at is not None
            if cue.id not in self._ended or (ended and not self._ended[cue.id]):
                self._ended[cue.id] = ended
                fresh.append(daterange(cue))
        self.lines += fresh
        return fresh


def multivariant(index: Index, *, ended: bool, door: str, token: str) -> str:
    """The variants, the leader first. `door` is '' or ends in a slash; `token` goes behind each address."""
    offered = index.offered(ended=ended)
    query = f"?token={token}" if token else ""
    sound = next((one for one in offered if one.name == AUDIO), None)
    pictures = [one for one in offered if one is not sound]
    lines = ["#EXTM3U", "#EXT-X-VERSION:6"]
    if sound and pictures:
        lines.append(
            '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Show",DEFAULT=YES,AUTOSELECT=YES,'
            f'URI="{door}replay/{sound.name}/{MEDIA}{query}"'
        )
    for one in pictures or offered:
        together = [one, sound] if sound and pictures else [one]
        lines.append(f"#EXT-X-STREAM-INF:{','.join(_attributes(one, together))}")
        lines.append(f"{door}replay/{one.name}/{MEDIA}{query}")
    return "\n".join(lines) + "\n"


def _attributes(one: Rendition, together: Sequence[Rendition]) -> Iterable[str]:
    yield f"BANDWIDTH={peak_of(together)}"
    yield f"AVERAGE-BANDWIDTH={round(sum(rendition.average for rendition in together))}"
    yield f'CODECS="{",".join(codec for rendition in together for codec in rendition.codecs)}"'
    largest = one.largest
    if largest and largest.width:
        yield f"RESOLUTION={largest.width}x{largest.height}"
        if largest.fps:
            yield f"FRAME-RATE={largest.fps:.3f}"
    if len(together) > 1:
        yield 'AUDIO="audio"'
