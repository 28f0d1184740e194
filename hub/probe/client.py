"""A plain LL-HLS player: fetches playlists and parts as a player does, and counts how it would have been.

It decodes nothing, so it costs next to nothing and runs where there is no browser. It plays one rung all
along (the largest up to 720 lines), so that runs at different hours and places compare.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from connectors.errors import ConnectorError, Reconnect, RetryLater
from connectors.http import Http
from hub.clock import Clock, wall_clock
from hub.probe.playhead import Playhead
from hub.probe.playlist import WHOLE, Media, Piece, Unreadable, asking, carried, choose, read

TALLEST: Final = 720
BUFFER: Final = 20.0
"""Seconds fetched ahead at most; of a live show there is less anyhow."""
LOOK_EVERY: Final = 0.25
PATIENCE: Final = 35.0
"""Seconds: a server holds a request for up to three target durations."""
PAUSE: Final = 0.5
"""Seconds before somebody asks again who was refused, or whose server lets nobody wait."""
MOST_LATE: Final = 3_600.0
"""Seconds: later than that, or early, is a wrong clock."""
MOST_FAILURES: Final = 8
"""In a row: then it is no use."""


@dataclass(frozen=True)
class Played:
    """How it was, in ms. `error`: a sentence, when it did not play or broke off."""

    startup_ms: int | None = None
    watched_ms: int = 0
    stalls: int = 0
    stalled_ms: int = 0
    latency_ms: int | None = None
    height: int | None = None
    error: str | None = None


class GaveUp(Exception):
    """It cannot be played; the message is a sentence."""


async def play_plainly(
    url: str, seconds: float, clock: Clock = wall_clock, steady: Callable[[], float] = time.monotonic
) -> Played:
    """Play the show at this multivariant playlist for so long; whatever goes wrong is in the answer."""
    http = Http("")
    sitting = Sitting(http, clock, steady)
    try:
        await sitting.play(url, seconds)
    finally:
        await http.close()
    return sitting.outcome()


class Sitting:
    """One visit."""

    def __init__(self, http: Http, clock: Clock, steady: Callable[[], float]) -> None:
        self._http = http
        self._clock = clock
        self._steady = steady
        self._head = Playhead(tracks=1, wished_at=steady())
        self._url = ""
        self._height: int | None = None
        self._error: str | None = None

    async def play(self, url: str, seconds: float) -> None:
        """Until the time is up, the show is over, or it is no use."""
        self._url = url
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._play_all(url)
        except* (GaveUp, Unreadable) as problems:
            self._error = str(first(problems))
        self._head.look(self._steady())
        if self._head.startup is None and self._error is None:
            self._error = f"No picture came within {seconds:.0f} s."

    def outcome(self) -> Played:
        """In whole ms."""
        head, late = self._head, self._head.latency
        return Played(
            startup_ms=None if head.startup is None else round(head.startup * 1000),
            watched_ms=round(head.watched * 1000),
            stalls=head.stalls,
            stalled_ms=round(head.stalled * 1000),
            latency_ms=round(late * 1000) if late is not None and 0 <= late < MOST_LATE else None,
            height=self._height,
            error=self._error,
        )

    async def _play_all(self, url: str) -> None:
        """Every rendition of the choice, until the last one ends."""
        choice = choose(await self._text(url), url, TALLEST)
        self._height = choice.height
        self._head.tracks = len(choice.playlists)
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._look())
            tracks = [group.create_task(self._follow(*one)) for one in enumerate(choice.playlists)]
            await asyncio.gather(*tracks)
            await self._play_out()
            looking.cancel()

    async def _follow(self, track: int, playlist: str) -> None:
        """One rendition, from where a player begins until its end."""
        media = read(await self._text(playlist), playlist)
        while not media.pieces and not media.ended:
            media = await self._newer(playlist, media)
        beginning, skip = media.beginning()
        self._head.begin(track, skip)
        pieces: Sequence[Piece] = media.pieces[beginning:]
        if track == 0 and not media.ended and pieces and pieces[0].wall:
            self._head.wall = pieces[0].wall + timedelta(seconds=skip)
        known: set[str] = set()
        last = (-1, -1)
        while True:
            for url in [one for one in media.maps[-1:] if one not in known]:
                known.add(url)
                await self._bytes(url)
            for piece in pieces:
                await self._room()
                await self._bytes(piece.url)
                self._head.arrived(track, piece.seconds, self._steady())
                last = piece.place
            if media.ended:
                return
            media = await self._newer(playlist, media)
            pieces = later(media.pieces, last)

    async def _newer(self, playlist: str, media: Media) -> Media:
        """The playlist when there is more in it; where nobody may wait, after a pause."""
        if media.following:
            return read(await self._text(asking(playlist, media.following), playlist), playlist)
        await asyncio.sleep(min(PAUSE, media.target / 2))
        return read(await self._text(playlist), playlist)

    async def _text(self, url: str, plain: str | None = None) -> str:
        return (await self._bytes(url, plain)).decode("utf-8", "replace")

    async def _bytes(self, url: str, plain: str | None = None) -> bytes:
        """A body; asked for again when it is refused, then at `plain`. Raises GaveUp."""
        said = ""
        for _ in range(MOST_FAILURES):
            try:
                asked = carried(url, self._url)
                return (await self._http.request("GET", asked, login=False, timeout=PATIENCE)).content
            except Reconnect:
                raise GaveUp("This show is private: its address needs a token that is good.") from None
            except ConnectorError as error:
                said = words_of(error)
                await asyncio.sleep(min(error.after, PAUSE) if isinstance(error, RetryLater) else PAUSE)
                url = plain or url
        raise GaveUp(f"{what_of(url)} did not come: {said}")

    async def _room(self) -> None:
        """Wait while enough is there."""
        more = self._head.ahead - BUFFER
        if more > 0:
            await asyncio.sleep(more)

    async def _play_out(self) -> None:
        """Nothing more comes: play what is there."""
        while self._head.ahead > 0:
            await asyncio.sleep(min(LOOK_EVERY, self._head.ahead))
            self._head.look(self._steady())

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self._head.look(self._steady(), self._clock())


def later(pieces: Iterable[Piece], last: tuple[int, int]) -> list[Piece]:
    """Those after the last one. A segment of which some parts were played is not played again as a whole."""
    return [one for one in pieces if one.place > last and (one.segment > last[0] or one.part != WHOLE)]


def words_of(error: ConnectorError) -> str:
    """Why, without what the server wrote: it may be anything."""
    code = getattr(error, "code", None)
    return f"the server answered {code}." if code else str(error).replace("The platform", "the server")


def what_of(url: str) -> str:
    """Playlists and media are told apart; addresses may hold a secret."""
    return "The playlist" if ".m3u8" in url else "The media"


def first(problems: BaseExceptionGroup[BaseException]) -> BaseException:
    """The innermost first of a group."""
    found: BaseException = problems
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
