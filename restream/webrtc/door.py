"""WHEP (draft-ietf-wish-whep): players watch with `POST /live/SHOW/whep`.

Nothing is loaded and no process started before a viewer comes or `stand_by` expects one. Who may watch is
asked before (`restream.playback`); a session's address cannot be guessed and is all that is needed to end it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import structlog

from restream.api.ice import IceServer, ice_servers
from restream.hls.respond import Answer, Header, Receive, Scope, Send, respond
from restream.settings import MediaSettings
from restream.webrtc.addresses import addresses_of
from restream.webrtc.channel import Leave, Open, Restart
from restream.webrtc.http import (
    EXPOSED,
    FRAGMENT,
    NEVER,
    SDP,
    Refused,
    empty,
    header,
    must_be,
    read_body,
)
from restream.webrtc.offer import parse_viewer
from restream.webrtc.pool import Full, Pool
from restream.webrtc.screening import Screening
from restream.webrtc.sdp import BrokenOffer, Offer, UnfitOffer, parse_fragment
from restream.webrtc.seat import ANSWER_SECONDS, CannotSend, Place, Seat
from restream.webrtc.watch import Choice, NotWatchable, WatchFeed, choose

log = structlog.get_logger()

PART: Final = "whep"
ADDRESS: Final = re.compile(r"/live/(?P<slug>[^/]+)/whep(?:/(?P<id>[A-Za-z0-9_-]{1,64}))?")
TEND_EVERY: Final = 1.0
LOOK_EVERY: Final = 2.0
AFTER_FAILURE: Final = 60.0
"""A process that cannot start is not tried again and again beside a live feed."""
SOON: Final[tuple[Header, ...]] = ((b"retry-after", b"2"),)
LATER: Final[tuple[Header, ...]] = ((b"retry-after", b"10"),)
OPTIONS: Final[tuple[Header, ...]] = (
    (b"accept-post", SDP.encode()),
    (b"accept-patch", FRAGMENT.encode()),
    (b"access-control-allow-methods", b"OPTIONS, GET, HEAD, POST, PATCH, DELETE"),
    # A star would not include authorization (Fetch, 4.8).
    (b"access-control-allow-headers", b"authorization, content-type, if-match"),
    (b"access-control-max-age", b"86400"),
)


@dataclass(frozen=True)
class Terms:
    """How senders work. `port` is the first one's UDP port (0: any), the next have those after it; `ice` says
    which ICE servers a viewer is told."""

    host: str
    port: int
    processes: int
    public_host: str = ""
    ice: Callable[[], Sequence[IceServer]] = tuple

    @classmethod
    def of(cls, settings: MediaSettings) -> Terms:
        """As the worker was told: ports above WHIP's, and a sender for each core but one."""
        stun, turn = listed(settings.stun_urls), listed(settings.turn_urls)
        return cls(
            host=settings.bind,
            port=settings.webrtc_port + 1 if settings.webrtc_port else 0,
            processes=settings.whep_processes or max(1, len(os.sched_getaffinity(0)) - 1),
            public_host=settings.public_host,
            ice=lambda: ice_servers(stun, turn, settings.turn_secret, time.time()),
        )


@dataclass
class Session:
    """One viewer's. `username` is its half of ICE's."""

    slug: str
    screening: Screening
    seat: Seat
    username: str
    etag: str


class WhepDoor:
    """A bare ASGI app for the addresses that `serves` knows. `find` tells what a show is watched from."""

    def __init__(self, find: Callable[[str], WatchFeed | None], terms: Terms) -> None:
        self._find = find
        self._terms = terms
        self._pool: Pool | None = None
        self._sessions: dict[str, Session] = {}
        self._screenings: dict[tuple[str, str], Screening] = {}
        self._refused: Counter[str] = Counter()
        self._streams = itertools.count(1)
        self._opening = asyncio.Lock()
        self._work: set[asyncio.Task[None]] = set()

    @staticmethod
    def serves(path: str) -> bool:
        """Whether an address is one of WHEP's: /live/SHOW/whep and what is below it."""
        return path.startswith("/live/") and path.split("/")[3:4] == [PART]

    def viewers(self, slug: str) -> int:
        """Who watches a show now."""
        sessions = self._sessions.items()
        return sum(name in one.seat.told.viewers for name, one in sessions if one.slug == slug)

    def refused(self, slug: str) -> int:
        """How many were turned away for lack of room."""
        return self._refused[slug]

    def health(self, slug: str) -> list[tuple[float, float | None]]:
        """Of each viewer the share of packets lost lately, and the round trip in milliseconds."""
        sessions = [(name, one.seat.told.viewers) for name, one in self._sessions.items() if one.slug == slug]
        return [told[name] for name, told in sessions if name in told]

    async def stand_by(self, shows: Callable[[], Iterable[WatchFeed]], every: float = LOOK_EVERY) -> None:
        """While one of the shows can be watched, have a process ready, until cancelled.

        The first viewer would wait a second or more for it.
        """
        while True:
            wait = every
            try:
                if any(_watchable(one) for one in shows()):
                    await (await self._opened()).ready()
            except (CannotSend, OSError) as error:  # viewers are told, and try as well
                log.warning("whep.not_ready", why=str(error))
                wait = AFTER_FAILURE
            await asyncio.sleep(wait)

    async def close(self) -> None:
        """End every session, and the processes."""
        for name in list(self._sessions):
            self._leave(name)
        for task in [task for task in self._work if task.get_name() == PART]:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        if self._pool:
            await self._pool.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            found = await self._answer(scope, receive)
        except Refused as refused:
            found = refused.answer
        await respond(send, found, with_body=scope["method"] != "HEAD")

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        address = ADDRESS.fullmatch(scope["path"])
        method = scope["method"]
        if method == "OPTIONS" and address:
            return empty(HTTPStatus.OK, (*OPTIONS, *self._links(secret=False)))
        watched = self._find(address["slug"]) if address else None
        if address is None or (watched is None and address["id"] is None):
            raise Refused(HTTPStatus.NOT_FOUND, "There is no such show.")
        name = address["id"]
        if watched and name is None and method == "POST":
            return await self._post(scope, receive, address["slug"], watched)
        if name is None and method == "HEAD":  # how a player finds out what this address is
            return Answer(HTTPStatus.OK, SDP, NEVER, (), (*OPTIONS[:2], *EXPOSED))
        session = self._sessions.get(name) if name else None
        if name is not None and (session is None or session.slug != address["slug"]):
            raise Refused(HTTPStatus.NOT_FOUND, "This session is over.")
        if method in ("GET", "HEAD"):
            return empty(HTTPStatus.NO_CONTENT, OPTIONS[:2])
        if session and method == "PATCH":
            return await self._patch(scope, receive, name, session)
        if session and method == "DELETE":
            self._leave(name)
            return empty(HTTPStatus.OK)
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "This address takes no such request.", OPTIONS[:1])

    async def _post(self, scope: Scope, receive: Receive, slug: str, watched: WatchFeed) -> Answer:
        must_be(scope, SDP)
        body = await read_body(receive)
        choice = _chosen(watched)
        offer = _offer(body, choice, watched)
        name = secrets.token_urlsafe(24)
        try:
            pool = await self._opened()
            seat = await pool.take(name, watched.most_viewers)
            self._sessions[name] = Session(slug, self._screening(slug, choice, watched), seat, "", _etag())
            text = await self._seated(name, offer, body)
        except Full as error:
            self._refused[slug] += 1
            sentence = f"All places for WebRTC are taken. Play {watched.hls_url} instead, or try again later."
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, sentence, LATER) from error
        except (CannotSend, TimeoutError) as error:
            self._leave(name)
            log.error("whep.failed", show=slug, why=str(error) or "no answer")
            sentence = f"WebRTC does not work on this server right now. Play {watched.hls_url} instead."
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, sentence, LATER) from error
        session = self._sessions.get(name)
        if session is None:
            raise Refused(HTTPStatus.CONFLICT, "The feed has just changed. Try again.", SOON)
        log.info("whep.answered", show=slug, feed=choice.name, sender=seat.number)
        more: tuple[Header, ...] = (
            (b"location", f"/live/{slug}/{PART}/{name}".encode()),
            (b"etag", session.etag.encode()),
            *self._links(secret=True),
        )
        return Answer(HTTPStatus.CREATED, SDP, NEVER, (text.encode(),), (*more, *EXPOSED))

    async def _seated(self, name: str, offer: Offer, body: bytes) -> str:
        """The answer of the process that has a place for the viewer. Raises CannotSend or TimeoutError."""
        session = self._sessions[name]
        session.username = offer.username
        screening, seat = session.screening, session.seat
        pictures, sound = screening.pictures.stream, screening.sound.stream
        text, profile, slug = body.decode(), screening.choice.profile, session.slug
        asked = seat.ask(lambda ask: Open(ask, name, text, profile, slug, pictures, sound))
        screening.add(seat)  # after the question: what is told of an unknown stream is not heard
        async with asyncio.timeout(ANSWER_SECONDS):
            answered = await asked
        if not answered:
            raise CannotSend("The sender has not taken the viewer.")
        return answered

    async def _patch(self, scope: Scope, receive: Receive, name: str, session: Session) -> Answer:
        must_be(scope, FRAGMENT)
        wanted = header(scope, b"if-match")
        if not wanted:
            raise Refused(HTTPStatus.PRECONDITION_REQUIRED, "If-Match with the session's ETag is missing.")
        if wanted not in ("*", session.etag):
            raise Refused(HTTPStatus.PRECONDITION_FAILED, "The ETag is not that of this session.")
        try:
            fragment = parse_fragment(await read_body(receive))
        except BrokenOffer as error:
            raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from error
        if fragment.username in (None, session.username):
            return empty(HTTPStatus.NO_CONTENT)  # viewers find us; we need no candidates of theirs
        if not fragment.password:
            raise Refused(HTTPStatus.BAD_REQUEST, "An ICE restart has a user name and a password.")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                text = await session.seat.ask(lambda ask: Restart(ask, name))
        except (CannotSend, TimeoutError) as error:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The sender does not answer.", SOON) from error
        if not text:
            raise Refused(HTTPStatus.NOT_FOUND, "This session is over.")
        session.username, session.etag = fragment.username, _etag()
        more = ((b"etag", session.etag.encode()), *EXPOSED)
        return Answer(HTTPStatus.OK, FRAGMENT, NEVER, (text.encode(),), more)

    def _links(self, *, secret: bool) -> tuple[Header, ...]:
        """ICE servers (RFC 9725, 4.6). Passwords are for those who may watch."""
        links: list[Header] = []
        for server in self._terms.ice():
            if server.credential and not secret:
                continue
            login = ""
            if server.credential:
                login = f'; username="{server.username}"; credential="{server.credential}"'
                login += '; credential-type="password"'
            links += [(b"link", f'<{url}>; rel="ice-server"{login}'.encode()) for url in server.urls]
        return tuple(links)

    async def _opened(self) -> Pool:
        async with self._opening:
            if self._pool is None:
                terms = self._terms
                place = Place(terms.host, terms.port, await addresses_of(terms.public_host))
                self._pool = Pool(place, terms.processes, self._gone, self._lost)
                self._do(self._tend(self._pool), PART)
            return self._pool

    def _screening(self, slug: str, choice: Choice, watched: WatchFeed) -> Screening:
        before = self._screenings.get((slug, choice.name))
        if before and before.choice.feed is choice.feed:
            return before
        made = Screening(slug, choice, watched, self._streams, self._end)
        self._screenings[slug, choice.name] = made
        return made

    def _leave(self, name: str) -> None:
        """A viewer is gone, or shall go."""
        session = self._sessions.pop(name, None)
        if session is None or self._pool is None:
            return
        screening = session.screening
        session.seat.tell(Leave(name))
        self._pool.leave(session.seat, name)
        screening.remove(session.seat)
        if screening.empty:
            if self._screenings.get((session.slug, screening.choice.name)) is screening:
                del self._screenings[session.slug, screening.choice.name]
            self._do(screening.close(), "screening")

    def _gone(self, name: str, why: str) -> None:
        if name in self._sessions:
            log.info("whep.gone", show=self._sessions[name].slug, why=why)
            self._leave(name)

    def _lost(self, seat: Seat) -> None:
        for name in list(seat.viewers):
            self._leave(name)

    def _end(self, screening: Screening, why: str) -> None:
        """Nothing more comes of it: its viewers ask again, and get what there is then."""
        names = [name for name, one in self._sessions.items() if one.screening is screening]
        if names:
            log.info("whep.ended", show=screening.slug, viewers=len(names), why=why)
        for name in names:
            self._leave(name)

    async def _tend(self, pool: Pool) -> None:
        while True:
            await asyncio.sleep(TEND_EVERY)
            pool.tend()
            for screening in list(self._screenings.values()):
                try:
                    if why := self._over(screening):
                        self._end(screening, why)
                except Exception:  # our mistake about one show must not leave the others untended
                    log.exception("whep.not_tended", show=screening.slug)

    def _over(self, screening: Screening) -> str:
        watched = self._find(screening.slug)
        if watched is None:
            return "The show has ended."
        if watched.rung and watched.rung.feed is screening.choice.feed:
            return ""  # who watches the rung stays there; a slate without B-frames may be on the air
        try:
            choice = choose(watched)
        except NotWatchable as error:
            return "" if error.later else str(error)
        return "" if choice.feed is screening.choice.feed else "There is another feed to watch."

    def _do(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


def _watchable(watched: WatchFeed) -> bool:
    try:
        choose(watched)
    except NotWatchable:
        return False
    return True


def _chosen(watched: WatchFeed) -> Choice:
    try:
        return choose(watched)
    except NotWatchable as error:
        raise Refused(error.status, str(error), SOON if error.later else ()) from error


def _offer(body: bytes, choice: Choice, watched: WatchFeed) -> Offer:
    try:
        return parse_viewer(body, choice.profile)
    except BrokenOffer as error:
        raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from error
    except UnfitOffer as error:
        sentence = f"{error} Play {watched.hls_url} instead."
        raise Refused(HTTPStatus.NOT_ACCEPTABLE, sentence) from error


def listed(text: str) -> list[str]:
    """What stands between commas."""
    return [part for one in text.split(",") if (part := one.strip())]


def _etag() -> str:
    return f'"{secrets.token_hex(8)}"'
