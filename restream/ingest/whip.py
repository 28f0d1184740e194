"""WHIP (RFC 9725): browsers and OBS publish with `POST /live/SHOW/whip` and the stream key as bearer token.

The stream key is checked before an answer is made. A session's address cannot be guessed and is all that is
needed to end it. ICE restarts are not offered.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import structlog

from restream.gate import Gate, PublishRefused, PublishRequest
from restream.hls.respond import Answer, Header, Receive, Scope, Send, respond
from restream.ingest.admission import APP, Refusal
from restream.ingest.admission import refusal as why
from restream.ingest.limiter import Limiter
from restream.ingest.rtc import UdpPort
from restream.ingest.sdp import answer, parse_offer
from restream.ingest.whip_session import Patience, Session
from restream.webrtc.http import EXPOSED, FRAGMENT, NEVER, SDP, Refused, empty, header, must_be, read_body
from restream.webrtc.sdp import BrokenOffer, UnfitOffer, parse_fragment

__all__ = ["Patience", "WhipApp"]

log = structlog.get_logger()

ADDRESS: Final = re.compile(r"/live/(?P<slug>[^/]+)/whip(?:/(?P<id>[A-Za-z0-9_-]{1,64}))?")
BROWSER: Final = re.compile(r"(?:Edg|OPR|Firefox|Chrome|Version)/[\d.]+")
MOST_SESSIONS: Final = 32
TRIES_PER_SECOND, TRIES_AT_ONCE = 1.0, 10.0
STATUS: Final = {
    Refusal.KEY: HTTPStatus.UNAUTHORIZED,
    Refusal.OVER: HTTPStatus.FORBIDDEN,
    Refusal.TAKEN: HTTPStatus.CONFLICT,
}
BEARER: Final[tuple[Header, ...]] = ((b"www-authenticate", b"Bearer"),)
LATER: Final[tuple[Header, ...]] = ((b"retry-after", b"5"),)
OPTIONS: Final[tuple[Header, ...]] = (
    (b"accept-post", SDP.encode()),
    (b"accept-patch", FRAGMENT.encode()),
    (b"access-control-allow-methods", b"OPTIONS, GET, HEAD, POST, PATCH, DELETE"),
    # A star would not include authorization (Fetch, 4.8).
    (b"access-control-allow-headers", b"authorization, content-type, if-match"),
    (b"access-control-max-age", b"86400"),
)


class WhipApp:
    """A bare ASGI app for /live/SHOW/whip and what is below it. `known` says whether a show exists here."""

    def __init__(
        self,
        gate: Gate,
        known: Callable[[str], bool],
        port: UdpPort,
        patience: Patience | None = None,
    ) -> None:
        self._gate = gate
        self._known = known
        self._port = port
        self._patience = patience or Patience()
        self._sessions: dict[str, Session] = {}
        self._limiter = Limiter(TRIES_PER_SECOND, TRIES_AT_ONCE, asyncio.get_running_loop().time)

    async def close(self) -> None:
        """End every session and wait for it."""
        sessions = list(self._sessions.values())
        for session in sessions:
            session.kick("The server is stopping.")
        await asyncio.gather(*(session.task for session in sessions), return_exceptions=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            found = await self._answer(scope, receive)
        except Refused as refused:
            found = refused.answer
        await respond(send, found, with_body=scope["method"] != "HEAD")

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        address = ADDRESS.fullmatch(scope["path"])
        if address is None or not self._known(address["slug"]):
            raise Refused(HTTPStatus.NOT_FOUND, "There is no such show.")
        method, slug, name = scope["method"], address["slug"], address["id"]
        if method == "OPTIONS":
            return empty(HTTPStatus.OK, OPTIONS)
        if method == "POST" and name is None:
            return await self._post(scope, receive, slug)
        if name is not None and name not in self._sessions:
            raise Refused(HTTPStatus.NOT_FOUND, "This session is over.")
        if method in ("GET", "HEAD"):
            return empty(HTTPStatus.NO_CONTENT)
        if method == "PATCH" and name is not None:
            return await self._patch(scope, receive, self._sessions[name])
        if method == "DELETE" and name is not None:
            self._sessions[name].kick("The encoder stopped.")
            return empty(HTTPStatus.OK)
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "This address takes no such request.", OPTIONS[:1])

    async def _post(self, scope: Scope, receive: Receive, slug: str) -> Answer:
        peer = str((scope.get("client") or ("?",))[0])
        if not self._limiter.allows(peer):
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "Too many tries. Wait a little.", LATER)
        key = _key(scope)
        must_be(scope, SDP)
        try:
            offer = parse_offer(await read_body(receive))
        except BrokenOffer as error:
            raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from error
        except UnfitOffer as error:
            raise Refused(HTTPStatus.NOT_ACCEPTABLE, str(error)) from error
        if len(self._sessions) >= MOST_SESSIONS:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "This media worker is full. Try again.", LATER)
        request = PublishRequest(
            app=APP, key=key, peer=peer, encoder=_agent(scope), protocol="whip", slug=slug
        )
        session, publisher = Session(self._port, offer, self._patience), None
        try:
            publisher = await self._gate.publish(request, session.kick)
        except PublishRefused as refused:
            status = STATUS[why(refused)]
            raise Refused(status, refused.description, BEARER if status == 401 else ()) from refused
        finally:
            if publisher is None:
                await session.abandon()
        session.begin(publisher)
        name = secrets.token_urlsafe(24)
        self._sessions[name] = session
        session.task.add_done_callback(lambda _: self._sessions.pop(name, None))
        log.info("whip.answered", show=slug, peer=peer)
        more = ((b"location", f"/live/{slug}/whip/{name}".encode()), (b"etag", session.etag.encode()))
        body = answer(offer, session.local).encode()
        return Answer(HTTPStatus.CREATED, SDP, NEVER, (body,), (*more, *EXPOSED))

    async def _patch(self, scope: Scope, receive: Receive, session: Session) -> Answer:
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
        if fragment.username not in (None, session.offer.username):
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "ICE restarts are not offered. Connect anew.")
        await session.add(fragment.candidates)
        return empty(HTTPStatus.NO_CONTENT)


def _key(scope: Scope) -> str:
    scheme, _, key = header(scope, b"authorization").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Refused(
            HTTPStatus.UNAUTHORIZED, "The stream key is missing. Send it as the bearer token.", BEARER
        )
    return key.strip()


def _agent(scope: Scope) -> str:
    """The program's name; browsers hide theirs among those of all others."""
    said = header(scope, b"user-agent")
    found = BROWSER.search(said)
    return found[0] if found else said[:80] or "WHIP"
