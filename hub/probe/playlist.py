"""Playlists as a player without a screen needs them (RFC 8216bis, 4.4). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urljoin, urlsplit

WHOLE: Final = 1_000_000
"""The number of a piece that is a whole segment: after all of its parts."""
PLAIN_HOLD_BACK: Final = 3
"""Target durations behind the end at which a player without parts begins."""
LONGEST: Final = 86_400.0
"""Seconds of a piece, or of anything else a playlist counts in seconds."""
YEARS: Final = range(1970, 3000)
MOST_LINES: Final = 100_000
"""Of a picture: more is no picture."""
LAST_NUMBER: Final = 2**63
"""Of segments."""
ATTRIBUTE: Final = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')


class Unreadable(ValueError):
    """This is no playlist that can be played; the message says why."""


@dataclass(frozen=True)
class Choice:
    """The renditions to play: addresses of their playlists, the picture first, and its lines if known."""

    playlists: tuple[str, ...]
    height: int | None


@dataclass(frozen=True)
class Piece:
    """A part, or a segment of which no parts are listed. `wall`: when its first picture was taken."""

    url: str
    segment: int
    part: int
    seconds: float
    independent: bool
    wall: datetime | None

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in the stream."""
        return self.segment, self.part


@dataclass(frozen=True)
class Media:
    """What one rendition has now. `following`: segment and part to ask for next, where one may wait."""

    pieces: tuple[Piece, ...]
    maps: tuple[str, ...]
    hold_back: float
    target: float
    following: tuple[int, int] | None
    ended: bool

    def beginning(self) -> tuple[int, float]:
        """The piece that a player begins to fetch, and how many seconds from there it does not show.

        The picture begins the hold-back behind the end, decoding at the last keyframe before. What is over
        begins at its beginning.
        """
        if self.ended:
            return 0, 0.0
        behind, first, lead = 0.0, 0, 0.0
        for index in range(len(self.pieces) - 1, -1, -1):
            behind += self.pieces[index].seconds
            if self.pieces[index].independent or index == 0:
                first, lead = index, behind
                if behind >= self.hold_back:
                    break
        return first, max(0.0, lead - self.hold_back)


def attributes(line: str) -> dict[str, str]:
    """Those of a tag, without their quotes."""
    return {name: value.strip('"') for name, value in ATTRIBUTE.findall(line.partition(":")[2])}


def choose(text: str, url: str, tallest: int) -> Choice:
    """The largest picture up to so many lines, else the smallest, and its sound. Raises Unreadable."""
    if "#EXTM3U" not in text:
        raise Unreadable("What came is no playlist.")
    try:
        return chosen(text, url, tallest)
    except Unreadable:
        raise
    except ValueError as error:  # of `urljoin`
        raise Unreadable("The playlist has an address in it that cannot be read.") from error


def chosen(text: str, url: str, tallest: int) -> Choice:
    """As `choose`. Raises ValueError for an address that is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if any(line.startswith("#EXTINF") for line in lines):
        return Choice((url,), None)
    found: list[tuple[int, str, str]] = []
    sounds: dict[str, str] = {}
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        told = attributes(line)
        if line.startswith("#EXT-X-STREAM-INF:") and not after.startswith("#"):
            _, _, tall = told.get("RESOLUTION", "").rpartition("x")
            lines_high = int(tall) if tall.isdecimal() and len(tall) < len(str(MOST_LINES)) else 0
            found.append((lines_high, urljoin(url, after), told.get("AUDIO", "")))
        elif line.startswith("#EXT-X-MEDIA:") and told.get("TYPE") == "AUDIO" and "URI" in told:
            sounds.setdefault(told.get("GROUP-ID", ""), urljoin(url, told["URI"]))
    if not found:
        raise Unreadable("The playlist names nothing to play.")
    fitting = [one for one in found if one[0] <= tallest]
    height, address, group = max(fitting) if fitting else min(found)
    sound = sounds.get(group)
    return Choice((address, sound) if sound and sound != address else (address,), height or None)


def read(text: str, url: str) -> Media:
    """A media playlist. Raises Unreadable."""
    if "#EXTM3U" not in text or "#EXT-X-TARGETDURATION:" not in text:
        raise Unreadable("What came is no media playlist.")
    reader = Reader(url)
    try:
        for line in text.splitlines():
            reader.take(line.strip())
    except (ValueError, KeyError, OverflowError) as error:
        raise Unreadable("The playlist has a line in it that cannot be read.") from error
    return reader.media()


class Reader:
    """Goes through a media playlist line by line."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._segment = 0
        self._target = 0.0
        self._hold_back = 0.0
        self._seconds = 0.0
        self._wall: datetime | None = None
        self._blocking = self._ended = self._gap = False
        self._part = 0
        self._parts: list[Piece] = []
        self._pieces: list[Piece] = []
        self._maps: list[str] = []

    def take(self, line: str) -> None:
        """One line, whatever it is."""
        tag, _, value = line.partition(":")
        match tag:
            case "#EXT-X-TARGETDURATION":
                self._target = seconds_of(value)
            case "#EXT-X-SERVER-CONTROL":
                told = attributes(line)
                self._hold_back = seconds_of(told.get("PART-HOLD-BACK", "0"))
                self._blocking = told.get("CAN-BLOCK-RELOAD") == "YES"
            case "#EXT-X-MEDIA-SEQUENCE":
                self._segment = number_of(value)
            case "#EXT-X-PROGRAM-DATE-TIME":
                self._wall = moment_of(value)
            case "#EXT-X-MAP":
                self._maps.append(urljoin(self._url, attributes(line)["URI"]))
            case "#EXT-X-PART":
                self._one_part(attributes(line))
            case "#EXTINF":
                self._seconds = seconds_of(value.split(",")[0])
            case "#EXT-X-GAP":
                self._gap = True
            case "#EXT-X-ENDLIST":
                self._ended = True
            case _ if line and not line.startswith("#"):
                self._whole(line)

    def media(self) -> Media:
        """All of it."""
        following = (self._segment, self._part)
        return Media(
            pieces=(*self._pieces, *self._parts),
            maps=tuple(dict.fromkeys(self._maps)),
            hold_back=self._hold_back or PLAIN_HOLD_BACK * self._target,
            target=self._target,
            following=following if self._blocking and not self._ended else None,
            ended=self._ended,
        )

    def _one_part(self, told: dict[str, str]) -> None:
        seconds = seconds_of(told["DURATION"])
        if told.get("GAP") != "YES":
            url, first = urljoin(self._url, told["URI"]), told.get("INDEPENDENT") == "YES"
            self._parts.append(Piece(url, self._segment, self._part, seconds, first, self._wall))
        self._part += 1
        self._on(seconds)

    def _whole(self, line: str) -> None:
        """The segment's own address: it comes after its parts, if these are listed."""
        if self._part:
            self._pieces += self._parts
        elif not self._gap:
            url = urljoin(self._url, line)
            self._pieces.append(Piece(url, self._segment, WHOLE, self._seconds, True, self._wall))
            self._on(self._seconds)
        self._parts, self._part, self._gap = [], 0, False
        self._segment += 1

    def _on(self, seconds: float) -> None:
        if self._wall:
            self._wall += timedelta(seconds=seconds)


def seconds_of(value: str) -> float:
    """A length of time. Raises ValueError for what is none: `float` reads 1e300 and nan as well."""
    found = float(value)
    if not 0 <= found <= LONGEST:
        raise ValueError(f"{found} s")
    return found


def number_of(value: str) -> int:
    """A segment's. Raises ValueError."""
    found = int(value)
    if not 0 <= found < LAST_NUMBER:
        raise ValueError("no number of a segment")
    return found


def moment_of(value: str) -> datetime:
    """A time of day; UTC where no zone is said. Raises ValueError."""
    found = datetime.fromisoformat(value)
    if found.year not in YEARS:
        raise ValueError("no time of this millennium")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def asking(url: str, following: tuple[int, int]) -> str:
    """The playlist's address that is answered when this part is there."""
    segment, part = following
    return f"{url}{'&' if '?' in url else '?'}_HLS_msn={segment}&_HLS_part={part}"


def moved(url: str, base_url: str | None, *, known: bool) -> str:
    """The same path and query at another origin; unchanged without one.

    Where that origin is not `known` to serve the show, what opens a private one does not go there.
    """
    if not base_url:
        return url
    asked = urlsplit(url)
    private = any(one.startswith("token=") for one in asked.query.split("&"))
    query = f"?{asked.query}" if asked.query and (known or not private) else ""
    return f"{base_url.rstrip('/')}{asked.path}{query}"


def carried(url: str, given: str) -> str:
    """An address of the show `given` leads to, with the CDN's signature that `given` has: whatever stands in
    its query beside the token. As it was written: not every edge reads it encoded in another way."""
    stream, asked = urlsplit(given), urlsplit(url)
    signature = [one for one in stream.query.split("&") if one and not one.startswith(("token=", "_HLS_"))]
    if not signature or (asked.scheme, asked.netloc) != (stream.scheme, stream.netloc):
        return url
    kept = [one for one in asked.query.split("&") if one and one not in signature]
    return asked._replace(query="&".join([*kept, *signature])).geturl()
