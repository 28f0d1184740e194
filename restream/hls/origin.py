"""The HLS origin: a bare ASGI app that serves playlists, parts and segments straight from memory.

Sources: draft-pantos-hls-rfc8216bis, 6.2.5 (blocking reload), appendix B.2 (caching).
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from weakref import WeakKeyDictionary

from restream.hls import directives, playlist
from restream.hls.packager import Packager
from restream.hls.respond import (
    INITIALISATION,
    PLAYLIST,
    SEGMENT,
    Answer,
    Client,
    Gone,
    Receive,
    Scope,
    Send,
    preflight,
    refusal,
    respond,
)

ADDRESS: Final = re.compile(
    r"/live/(?P<slug>[^/]+)/(?:(?P<index>index\.m3u8)|(?P<media>live\.m3u8)"
    r"|init(?P<init>[0-9]{1,15})\.mp4|s(?P<msn>[0-9]{1,15})(?:\.(?P<part>[0-9]{1,9}))?\.m4s)"
)
METHODS: Final = ("GET", "HEAD")
BLOCKED_TARGETS: Final = 3.0
CACHED_TARGETS: Final = 6
BRIEFLY: Final = "public, max-age=1"
"""For what may exist a moment later: long enough to spare the origin, too short to hide a part."""
NEVER: Final = "no-store"
VARY: Final = (b"vary", b"accept-encoding")
ZIPPED: Final = (b"content-encoding", b"gzip")
RETRY: Final = ((b"retry-after", b"1"),)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A playlist as bytes, made once for each version and shared by everybody who waited for it."""

    version: int
    plain: bytes
    zipped: bytes


class Origin:
    """`find` gives the packager of a slug. `patience` is how many target durations a request may block."""

    def __init__(self, find: Callable[[str], Packager | None], patience: float = BLOCKED_TARGETS) -> None:
        self._find = find
        self._patience = patience
        self._media: WeakKeyDictionary[Packager, Rendered] = WeakKeyDictionary()
        self._index: WeakKeyDictionary[Packager, Rendered] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            raise ValueError(f"{scope['type']} is not served here")

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method == "OPTIONS":
            await preflight(send)
            return
        try:
            if method in METHODS:
                answer = await self._answer(scope, Client(receive))
            else:
                allow = ((b"allow", b"GET, HEAD, OPTIONS"),)
                answer = refusal(HTTPStatus.METHOD_NOT_ALLOWED, NEVER, "Only GET and HEAD.", allow)
        except Gone:
            return
        await respond(send, answer, with_body=method != "HEAD")

    async def _answer(self, scope: Scope, client: Client) -> Answer:
        address = ADDRESS.fullmatch(scope["path"])
        packager = self._find(address["slug"]) if address else None
        if address is None or packager is None:
            return _missing("There is no such show.")
        if address["media"]:
            return await self._playlist(packager, scope, client)
        if address["index"]:
            return self._multivariant(packager, scope)
        if address["init"]:
            data = packager.timeline.initialisations.get(int(address["init"]))
            return _file(packager, INITIALISATION, (data,)) if data else _missing("No such initialisation.")
        if address["part"]:
            return await self._part(packager, (int(address["msn"]), int(address["part"])), client)
        return _segment(packager, int(address["msn"]))

    def _multivariant(self, packager: Packager, scope: Scope) -> Answer:
        tracks, timeline = packager.tracks, packager.timeline
        if tracks is None or not timeline.playable:
            return _not_yet()
        rendered = self._index.get(packager)
        if rendered is None or rendered.version != timeline.version:
            text = playlist.multivariant(timeline, *tracks, packager.fps)
            rendered = self._index[packager] = _render(timeline.version, text)
        return _text(rendered, scope, BRIEFLY)

    async def _playlist(self, packager: Packager, scope: Scope, client: Client) -> Answer:
        try:
            wanted = directives.parse(scope["query_string"])
        except directives.BadDirective as error:
            return refusal(HTTPStatus.BAD_REQUEST, NEVER, f"{error}.")
        timeline = packager.timeline
        if wanted and not timeline.ended:
            if directives.too_far(timeline, wanted):
                return refusal(HTTPStatus.BAD_REQUEST, NEVER, "That is too far in the future.")
            if not await client.until(
                lambda: directives.satisfied(timeline, wanted), packager.bell.listen, self._limit(packager)
            ):
                return _too_late()
        target = timeline.target_duration
        if target is None:
            return _missing("The show ended without pictures.") if timeline.ended else _not_yet()
        rendered = self._media.get(packager)
        if rendered is None or rendered.version != timeline.version:
            rendered = self._media[packager] = _render(timeline.version, playlist.media(timeline))
        seconds = CACHED_TARGETS * target if wanted or timeline.ended else max(1, target // 2)
        return _text(rendered, scope, f"public, max-age={seconds}")

    async def _part(self, packager: Packager, place: tuple[int, int], client: Client) -> Answer:
        timeline = packager.timeline
        number, index = place

        def decided() -> bool:
            """It exists, or never will."""
            segment = timeline.segment(number)
            closed = segment is not None and segment.closed
            return timeline.ended or closed or timeline.newest >= place

        if not decided():
            if not timeline.may_come_next(place):
                return _missing("That part is not announced.")
            if not await client.until(decided, packager.bell.listen, self._limit(packager)):
                return _too_late()
        segment = timeline.segment(number)
        if segment is None or index >= len(segment.parts):
            return _missing("That part is gone, or was never made.")
        return _file(packager, SEGMENT, (segment.parts[index].data,))

    def _limit(self, packager: Packager) -> float:
        return self._patience * (packager.timeline.target_duration or packager.segment_seconds)


def _segment(packager: Packager, number: int) -> Answer:
    segment = packager.timeline.segment(number)
    if segment is None or not segment.closed:
        return _missing("That segment is gone, or not finished.")
    return _file(packager, SEGMENT, tuple(part.data for part in segment.parts))


def _file(packager: Packager, kind: str, body: tuple[bytes, ...]) -> Answer:
    """Media never changes, and no name comes twice; caches keep it as long as players can ask for it."""
    seconds = CACHED_TARGETS * (packager.timeline.target_duration or 1)
    return Answer(HTTPStatus.OK, kind, f"public, max-age={seconds}, immutable", body)


def _render(version: int, text: str) -> Rendered:
    plain = text.encode()
    return Rendered(version, plain, gzip.compress(plain, compresslevel=5, mtime=0))


def _text(rendered: Rendered, scope: Scope, cache: str) -> Answer:
    if _takes_gzip(scope):
        return Answer(HTTPStatus.OK, PLAYLIST, cache, (rendered.zipped,), (VARY, ZIPPED))
    return Answer(HTTPStatus.OK, PLAYLIST, cache, (rendered.plain,), (VARY,))


def _takes_gzip(scope: Scope) -> bool:
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding")
    for offer in accepted.decode("latin-1").lower().split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip() == "gzip":
            return re.fullmatch(r"q=0(\.0*)?", weight.replace(" ", "")) is None
    return False


def _missing(sentence: str) -> Answer:
    return refusal(HTTPStatus.NOT_FOUND, BRIEFLY, sentence)


def _not_yet() -> Answer:
    """503, not 404: players try again after the one and give up after the other."""
    return refusal(HTTPStatus.SERVICE_UNAVAILABLE, NEVER, "The show has not begun.", RETRY)


def _too_late() -> Answer:
    return refusal(HTTPStatus.SERVICE_UNAVAILABLE, NEVER, "Nothing new came in time.", RETRY)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
