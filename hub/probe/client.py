"""A plain LL-HLS player: fetches playlists and parts as a player does, and counts how it would have been.

It decodes nothing, so it costs next to nothing and runs where there is no browser. It plays one rung all
along (the largest up to 720 lines), so that runs at different hours and places compare.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from connectors.errors import ConnectorError, Reconnect, RetryLater
from hub.clock import Clock, wall_clock
from hub.probe.playhead import Playhead
from hub.probe.playlist import WHOLE, Media, Piece, Unreadable, asking, carried, choose, read
from hub.probe.reach import GaveUp, Reach, Resolve, addresses_of

Came = TypeVar("Came")

TALLEST: Final = 720
BUFFER: Final = 20.0
"""Seconds fetched ahead at most; of a live show there is less anyhow."""
LOOK_EVERY: Final = 0.25
PAUSE: Final = 0.5
"""Seconds before somebody asks again who was refused, or whose server lets nobody wait."""
SHORTEST_PAUSE: Final = 0.1
BURST: Final = 400
MOST_A_SECOND: Final = 50
"""Requests after the burst: parts of a fifth of a second, with sound, take twenty."""
MOST_LATE: Final = 3_600.0
"""Seconds: later than that, or early, is a wrong clock."""
MOST_FAILURES: Final = 8
"""In a row: then it is no use."""
MOST_UNHELD: Final = 3
"""A playlist without what was asked for, at once: that often it is no chance."""
UNHELD: Final = (
    "The server does not hold requests, although its playlist says so: players ask it over and over."
)


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


async def play_plainly(
    url: str,
    seconds: float,
    clock: Clock = wall_clock,
    steady: Callable[[], float] = time.monotonic,
    *,
    own: Collection[str] = (),
    resolve: Resolve = addresses_of,
) -> Played:
    """Play the show at this multivariant playlist for so long; what goes wrong is in the answer.

    Only public addresses are asked, and whatever has the origin of one of `own`.
    """
    try:
        reach = Reach(own, resolve)
    except GaveUp as problem:
        return Played(error=str(problem))
    sitting = Sitting(reach, clock, steady)
    try:
        await sitting.play(url, seconds)
    finally:
        await reach.close()
    return sitting.outcome()


class Sitting:
    """One visit."""

    def __init__(self, reach: Reach, clock: Clock, steady: Callable[[], float]) -> None:
        self._reach = reach
        self._clock = clock
        self._steady = steady
        self._head = Playhead(tracks=1, wished_at=steady())
        self._url = ""
        self._height: int | None = None
        self._error: str | None = None
        self._began = steady()
        self._asked = self._unheld = 0

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
        if self._error is None and self._unheld >= MOST_UNHELD:
            self._error = UNHELD
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
        last = (-1, -1)
        while not media.pieces and not media.ended:
            media = await self._newer(playlist, media, last)
        beginning, skip = media.beginning()
        self._head.begin(track, skip)
        pieces: Sequence[Piece] = media.pieces[beginning:]
        if track == 0 and not media.ended and pieces and pieces[0].wall:
            self._head.wall = pieces[0].wall + timedelta(seconds=skip)
        known: set[str] = set()
        while True:
            for url in [one for one in media.maps[-1:] if one not in known]:
                known.add(url)
                await self._drain(url)
            for piece in pieces:
                await self._room()
                await self._drain(piece.url)
                self._head.arrived(track, piece.seconds, self._steady())
                last = piece.place
            if media.ended:
                return
            media = await self._newer(playlist, media, last)
            pieces = later(media.pieces, last)

    async def _newer(self, playlist: str, media: Media, last: tuple[int, int]) -> Media:
        """The playlist when there is more in it; after a pause where waiting is no use."""
        pause = max(SHORTEST_PAUSE, min(PAUSE, media.target / 2))
        if media.following is None:
            await asyncio.sleep(pause)
            return read(await self._text(playlist), playlist)
        asked_at = self._steady()
        newer = read(await self._text(asking(playlist, media.following)), playlist)
        if not later(newer.pieces, last) and not newer.ended:
            # What is missing in the stream moves it on, too.
            self._unheld += newer.following == media.following and self._steady() - asked_at < pause
            await asyncio.sleep(pause)
        return newer

    async def _text(self, url: str) -> str:
        return await self._came(self._reach.text, url)

    async def _drain(self, url: str) -> None:
        await self._came(self._reach.drain, url)

    async def _came(self, fetch: Callable[[str], Awaitable[Came]], url: str) -> Came:
        """What is fetched there; asked for again when it is refused. Raises GaveUp."""
        said = ""
        for _ in range(MOST_FAILURES):
            await self._pace()
            try:
                return await fetch(carried(url, self._url))
            except Reconnect:
                raise GaveUp("This show is private: its address needs a token that is good.") from None
            except ConnectorError as error:
                said = words_of(error)
                await asyncio.sleep(min(error.after, PAUSE) if isinstance(error, RetryLater) else PAUSE)
        raise GaveUp(f"{what_of(url)} did not come: {said}")

    async def _pace(self) -> None:
        """However short the pieces say they are, a server is not asked more often than any player asks."""
        self._asked += 1
        early = (self._asked - BURST) / MOST_A_SECOND - (self._steady() - self._began)
        if early > 0:
            await asyncio.sleep(early)

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


def first(problem: BaseException) -> BaseException:
    """The innermost first of a group; itself when it is none."""
    found = problem
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
