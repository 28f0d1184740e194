"""EventSub over WebSockets: one stream of frames out of sockets that come and go.

twitchio has such a socket; it loses what arrives while it changes sockets, repeats what Twitch repeats,
and does not survive a dead reconnect address. Hence this one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp

from connectors.errors import ConnectorError, RetryLater
from connectors.http import Patience, websocket
from connectors.twitch.events import Frame
from connectors.types import ChatHealth

WAITING = 10_000
"""Frames that may wait for the reader; after that the sockets are read more slowly."""

ENDS = frozenset(
    (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
)

Jitter = Callable[[float], float]
Subscribe = Callable[[str], Awaitable[None]]
"""Makes the subscriptions of a session, given its id. Raises the three errors."""


@dataclass(frozen=True)
class Pace:
    """Seconds. `keepalive` is what we ask for: silence longer than that plus `grace` is a dead socket.

    `linger` is how long a replaced socket is still read: what was on its way comes then. A session that
    dies before `settled` makes the next attempt wait, up to `longest`. `check` is Twitch's own rule.
    """

    keepalive: int = 10
    grace: float = 7.0
    welcome: float = 10.0
    linger: float = 3.0
    settled: float = 60.0
    longest: float = 60.0
    check: float = 3000.0


def full_jitter(most: float) -> float:
    """Anything up to `most`, so that many clients never come back at once."""
    return random.uniform(0.0, most)


class Backoff:
    """How long to wait before the next session. The first attempt is immediate."""

    def __init__(self, pace: Pace, jitter: Jitter = full_jitter) -> None:
        self._pace = pace
        self._jitter = jitter
        self._tries = 0

    def lived(self, seconds: float) -> None:
        """A session has ended: one that lived long enough makes up for the failures before it."""
        if seconds >= self._pace.settled:
            self._tries = 0

    def next(self) -> float:
        """Seconds to wait now; counts as an attempt."""
        wait = self._jitter(min(self._pace.longest, 2.0 ** min(self._tries, 10))) if self._tries else 0.0
        self._tries += 1
        return wait


class Link:
    """One socket and how it is doing."""

    def __init__(self, address: str, pace: Pace, heard: Heard, lost: Lost) -> None:
        loop = asyncio.get_running_loop()
        self.since = loop.time()
        self.over = False
        self.moved_to: str | None = None
        """Where Twitch wants this session to go on; empty when it did not say."""
        self.broken = ""
        """Why it no longer tells everything, although it lives."""
        self._address = address
        self._pace = pace
        self._heard = heard
        self._lost = lost
        self._greeting: asyncio.Future[str] = loop.create_future()

    async def welcome(self) -> str:
        """The session's id; RetryLater when Twitch does not greet us."""
        return await asyncio.shield(self._greeting)

    async def run(self) -> None:
        """Read until it is lost, or until cancelled."""
        why = "Twitch closed the chat."
        try:
            async with websocket(self._address, connect_timeout=self._pace.welcome) as socket:
                why = await self._read(socket)
        except RetryLater as later:
            why = later.reason
        finally:
            self.over = True
            if not self._greeting.done():
                self._greeting.set_exception(RetryLater(why))
                # Looked at here, because perhaps nobody waits for it any more.
                self._greeting.exception()
        await self._lost(self, why)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """Why it ended."""
        seconds, patience = self._pace.welcome, Patience()
        while True:
            try:
                # Around receive() and not its own timeout, which every ping would start again.
                message = await patience.wait(socket.receive(), seconds)
            except TimeoutError:
                return "Twitch's chat had gone silent."
            if message.type in ENDS:
                return f"Twitch closed the chat ({socket.close_code or 'no reason'})."
            frame = Frame.of(message.data) if message.type is aiohttp.WSMsgType.TEXT else Frame(kind="binary")
            if frame.kind == "session_welcome":
                seconds = self._greeted(frame)
            elif frame.kind not in ("session_keepalive", "binary"):
                await self._heard(self, frame)

    def _greeted(self, frame: Frame) -> float:
        """How long this session may be silent."""
        session = frame.part("session")
        if not self._greeting.done():
            self._greeting.set_result(str(session.get("id", "")))
        # Twitch says how often it gives a sign of life; what we asked for is a wish.
        seconds = session.get("keepalive_timeout_seconds")
        known = seconds if isinstance(seconds, int | float) else self._pace.keepalive
        return known + self._pace.grace


Heard = Callable[[Link, Frame], Awaitable[None]]
Lost = Callable[[Link, str], Awaitable[None]]


class Sessions:
    """Keeps one subscribed session alive, over as many sockets as it takes.

    Asked to move, it opens the new socket first and reads both. A lost socket is replaced by a new
    session, and so is one whose subscriptions Twitch revoked for a reason that asking again may mend; what
    may have been said in between is reported as missed, never silently lost. All of this happens in tasks
    of its own: a slow reader delays frames, not the next socket.
    """

    def __init__(
        self,
        address: str,
        subscribe: Subscribe,
        *,
        check: Callable[[], Awaitable[object]],
        mendable: Callable[[Frame], str | None],
        pace: Pace,
        jitter: Jitter = full_jitter,
    ) -> None:
        self._address = f"{address}?keepalive_timeout_seconds={pace.keepalive}"
        self._subscribe = subscribe
        self._check = check
        self._mendable = mendable
        self._pace = pace
        self._backoff = Backoff(pace, jitter)
        self._out: asyncio.Queue[Frame | ChatHealth | BaseException] = asyncio.Queue(WAITING)
        self._current: Link | None = None
        self._opening: asyncio.Task[None] | None = None
        self._reading: dict[Link, asyncio.Task[None]] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._gap = False
        self._troubled = False

    async def frames(self, *, missed: bool) -> AsyncGenerator[Frame | ChatHealth, None]:
        """Frames of all sockets, as they come. The first connect must succeed; later ones are repeated.

        Raises RetryLater for the first connect only, Reconnect and Refused at any time. Never ends.
        """
        try:
            self._backoff.next()
            await self._take_over(await self._fresh())
            self._start(self._keep_checking())
            yield ChatHealth(state="connected", missed=missed)
            while True:
                said = await self._out.get()
                if isinstance(said, BaseException):
                    raise said
                yield said
        finally:
            await self._end()

    async def _heard(self, link: Link, frame: Frame) -> None:
        if frame.kind == "revocation" and (why := self._mendable(frame)):
            # One after the other, all its subscriptions may go: the first is enough.
            if not link.broken:
                link.broken = why
                await self._lost(link, why)
        elif frame.kind != "session_reconnect":
            await self._out.put(frame)
        else:
            link.moved_to = str(frame.part("session").get("reconnect_url") or "")
            if link is self._current:
                self._replace(link.moved_to)

    async def _lost(self, link: Link, why: str) -> None:
        if link is not self._current:
            return
        self._gap = self._troubled = True
        self._backoff.lived(asyncio.get_running_loop().time() - link.since)
        self._replace("")
        await self._out.put(ChatHealth(state="degraded", detail=why))

    async def _take_over(self, link: Link) -> None:
        """From now on this is the session's socket; the one before is read a little longer."""
        old, self._current, self._opening = self._current, link, None
        if old is not None and not old.over:
            self._start(self._retire(old))
        if link.over or link.broken:
            # It was lost between its welcome and now.
            await self._lost(link, link.broken or "Twitch closed the chat.")
            return
        gap, troubled, self._gap, self._troubled = self._gap, self._troubled, False, False
        if gap or troubled:
            await self._out.put(ChatHealth(state="connected", missed=gap))
        if link.moved_to is not None and link is self._current:
            self._replace(link.moved_to)

    def _replace(self, reconnect_url: str) -> None:
        """Open a successor, unless one is on its way."""
        if self._opening is None:
            self._opening = self._start(self._open(reconnect_url))

    async def _open(self, reconnect_url: str) -> None:
        link = await self._moved(reconnect_url) if reconnect_url else None
        if link is not None and self._current is not None and self._current.broken:
            # The same session moved is missing the same subscriptions.
            await self._drop(link)
            link = None
        pause = 0.0
        while link is None:
            await asyncio.sleep(max(pause, self._backoff.next()))
            try:
                link = await self._fresh()
            except RetryLater as later:
                pause = later.after
                self._troubled = True
                await self._out.put(ChatHealth(state="degraded", detail=later.reason))
        await self._take_over(link)

    async def _moved(self, reconnect_url: str) -> Link | None:
        """The same session on another socket: subscriptions come along. None when that fails."""
        link = self._link(reconnect_url)
        try:
            await link.welcome()
        except RetryLater:
            await self._drop(link)
            return None
        return link

    async def _fresh(self) -> Link:
        """A new session with its subscriptions; Twitch gives us ten seconds for the first of them."""
        link = self._link(self._address)
        try:
            await self._subscribe(await link.welcome())
        except ConnectorError:
            await self._drop(link)
            raise
        return link

    def _link(self, address: str) -> Link:
        link = Link(address, self._pace, self._heard, self._lost)
        self._reading[link] = task = self._start(link.run())
        task.add_done_callback(lambda _: self._reading.pop(link, None))
        return link

    async def _drop(self, link: Link) -> None:
        if task := self._reading.get(link):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _retire(self, link: Link) -> None:
        # Closing at once would throw away what Twitch had sent on it before the new one's welcome.
        await asyncio.sleep(self._pace.linger)
        await self._drop(link)

    async def _keep_checking(self) -> None:
        wait = self._pace.check
        while True:
            await asyncio.sleep(wait)
            try:
                await self._check()
                wait = self._pace.check
            except RetryLater as later:
                wait = min(later.after, self._pace.check)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """What a task died of, Reconnect and Refused among it, is the reader's to raise."""
        self._chores.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            if self._out.full():
                # Nothing can be waited for here, and an end must be told; what is missing after it as well.
                self._out.get_nowait()
            self._out.put_nowait(error)

    async def _end(self) -> None:
        chores = list(self._chores)
        for task in chores:
            task.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
