"""The HLS origin: says what playlists, parts and segments are answered with, straight from memory.

Sources: draft-pantos-hls-rfc8216bis, 6.2.5 (blocking reload), appendix B.2 (caching).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

from restream.hls import asgi, directives, playlist
from restream.hls.bell import Waiting
from restream.hls.directives import Directives, Wanted
from restream.hls.rendered import Rendered, render
from restream.hls.rendition import Rendition
from restream.hls.renditions import Renditions
from restream.hls.respond import (
    INITIALISATION,
    PLAYLIST,
    SEGMENT,
    Answer,
    Receive,
    Request,
    Scope,
    Send,
    refusal,
)

ADDRESS: Final = re.compile(
    r"/live/(?P<slug>[^/]+)/(?:(?P<index>index\.m3u8)"
    r"|(?P<door>(?:[a-z0-9]{16,64}/)?)(?P<rendition>[a-z0-9]{1,15})/"
    r"(?:(?P<media>live\.m3u8)|(?P<iframes>iframes\.m3u8)|init(?P<init>[0-9]{1,15})\.mp4"
    r"|s(?P<msn>[0-9]{1,15})(?:\.(?P<part>[0-9]{1,9}))?\.m4s))"
)
TOKEN: Final = re.compile(r"[A-Za-z0-9._-]{1,2000}")
BLOCKED_TARGETS: Final = 3.0
CACHED_TARGETS: Final = 6
BRIEFLY: Final = "public, max-age=1"
"""For what may exist a moment later: long enough to spare the origin, too short to hide anything."""
NEVER: Final = "no-store"
"""Errors that time mends. A cache must not keep them: whoever asks it for tomorrow's part would hide it."""
RETRY: Final = ((b"retry-after", b"1"),)
NOT_YET: Final = refusal(HTTPStatus.SERVICE_UNAVAILABLE, NEVER, "The show has not begun.", RETRY)
"""503, not 404: players try again after the one and give up after the other."""
TOO_LATE: Final = refusal(HTTPStatus.SERVICE_UNAVAILABLE, NEVER, "Nothing new came in time.", RETRY)
TOO_FAR: Final = refusal(HTTPStatus.BAD_REQUEST, NEVER, "That is too far in the future.")
NO_SHOW: Final = refusal(HTTPStatus.NOT_FOUND, BRIEFLY, "There is no such show.")
EMPTY: Final = refusal(HTTPStatus.NOT_FOUND, BRIEFLY, "The show ended without anything to play.")
UNANNOUNCED: Final = refusal(HTTPStatus.NOT_FOUND, NEVER, "That is not announced.")


class Origin:
    """`find` gives the renditions of a slug. `patience` is how many target durations a request may block."""

    def __init__(self, find: Callable[[str], Renditions | None], patience: float = BLOCKED_TARGETS) -> None:
        self._find = find
        self._patience = patience
        self._lists: WeakKeyDictionary[Rendition, dict[str, Rendered]] = WeakKeyDictionary()
        self._index: WeakKeyDictionary[Renditions, Rendered] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        await asgi.serve(self.resolve, scope, receive, send)

    def resolve(self, request: Request) -> Answer | Waiting:
        """What a GET or HEAD is answered with, now or later."""
        address = ADDRESS.fullmatch(request.path)
        show = self._find(address["slug"]) if address else None
        if address is None or show is None:
            return NO_SHOW
        if address["index"]:
            return self._multivariant(show, request)
        rendition = show.rendition(address["rendition"]) if address["door"] == show.door else None
        if rendition is None:
            return NO_SHOW
        if address["media"] or address["iframes"]:
            return self._playlist(show, rendition, request, iframes=bool(address["iframes"]))
        if address["init"]:
            return _initialisation(rendition, int(address["init"]))
        if address["part"]:
            return self._part(show, rendition, (int(address["msn"]), int(address["part"])))
        return _segment(rendition, int(address["msn"]))

    def _multivariant(self, show: Renditions, request: Request) -> Answer:
        if not show.playable:
            return EMPTY if show.over else NOT_YET
        token = b"token=" in request.query and parse_qs(request.query.decode("latin-1")).get("token", [""])[0]
        if token and TOKEN.fullmatch(token):
            return Answer(HTTPStatus.OK, PLAYLIST, BRIEFLY, (show.index(token).encode(),))
        rendered = self._index.get(show)
        if rendered is None or rendered.version != show.version:
            rendered = self._index[show] = render(show.version, show.index())
        return rendered.answer(BRIEFLY, zipped=request.takes_gzip)

    def _playlist(
        self, show: Renditions, rendition: Rendition, request: Request, *, iframes: bool
    ) -> Answer | Waiting:
        try:
            asked = directives.parse(request.query)
        except directives.BadDirective as error:
            return refusal(HTTPStatus.BAD_REQUEST, NEVER, f"{error}.")
        if iframes:
            asked = Directives(Wanted(asked.wanted.msn) if asked.wanted else None)
        timeline, zipped, wanted = rendition.timeline, request.takes_gzip, asked.wanted
        kind = "iframes" if iframes else asked.skip or "full"
        if wanted is None or directives.satisfied(timeline, wanted):
            return self._listed(show, rendition, kind, waited=wanted is not None, zipped=zipped)
        if directives.too_far(timeline, wanted):
            return TOO_FAR

        def ready() -> Answer | None:
            if directives.satisfied(timeline, wanted):
                return self._listed(show, rendition, kind, waited=True, zipped=zipped)
            return None

        return Waiting(rendition.bell, (wanted, kind, zipped), ready, self._limit(show, rendition), TOO_LATE)

    def _listed(
        self, show: Renditions, rendition: Rendition, kind: str, *, waited: bool, zipped: bool
    ) -> Answer:
        """The playlist as it is now."""
        timeline = rendition.timeline
        target = timeline.target_duration
        if target is None or not timeline.playable:
            return EMPTY if timeline.ended else NOT_YET
        lists = self._lists.setdefault(rendition, {})
        rendered = lists.get(kind)
        if rendered is None or rendered.version != timeline.version:
            rendered = lists[kind] = render(timeline.version, _text(show, rendition, kind))
        seconds = CACHED_TARGETS * target if waited or timeline.ended else max(1, target // 2)
        return rendered.answer(f"public, max-age={seconds}", zipped=zipped)

    def _part(self, show: Renditions, rendition: Rendition, place: tuple[int, int]) -> Answer | Waiting:
        timeline = rendition.timeline
        number, index = place

        def ready() -> Answer | None:
            segment = timeline.segment(number)
            closed = segment is not None and segment.closed
            if not (timeline.ended or closed or timeline.newest >= place):
                return None
            if segment is None or index >= len(segment.parts) or segment.parts[index].gap:
                return _missing(rendition, "That part is gone, or was never made.")
            return _file(rendition, SEGMENT, (segment.parts[index].data,))

        found = ready()
        if found is None and not timeline.may_come_next(place):
            return UNANNOUNCED
        return found or Waiting(rendition.bell, place, ready, self._limit(show, rendition), TOO_LATE)

    def _limit(self, show: Renditions, rendition: Rendition) -> float:
        return self._patience * (rendition.timeline.target_duration or show.segment_seconds)


def _text(show: Renditions, rendition: Rendition, kind: str) -> str:
    timeline = rendition.timeline
    if kind == "iframes":
        return playlist.iframes(timeline)
    beside = show.beside(rendition)
    if kind == "full":
        return playlist.media(timeline, beside)
    return playlist.media(timeline, beside, "YES" if kind == "YES" else "v2")


def _initialisation(rendition: Rendition, number: int) -> Answer:
    data = rendition.timeline.initialisations.get(number)
    if data is not None:
        return _file(rendition, INITIALISATION, (data,))
    if number > rendition.timeline.newest[0]:
        return UNANNOUNCED
    return _missing(rendition, "There is no such initialisation section.")


def _segment(rendition: Rendition, number: int) -> Answer:
    timeline = rendition.timeline
    segment = timeline.segment(number)
    if segment is not None and segment.closed and not segment.gap:
        return _file(rendition, SEGMENT, segment.data)
    if number > timeline.last_closed and not timeline.ended:
        return UNANNOUNCED
    return _missing(rendition, "That segment is gone, or was never made.")


def _file(rendition: Rendition, kind: str, body: tuple[bytes, ...]) -> Answer:
    """Media never changes, and no name comes twice; caches keep it as long as players can ask for it."""
    seconds = CACHED_TARGETS * (rendition.timeline.target_duration or 1)
    return Answer(HTTPStatus.OK, kind, f"public, max-age={seconds}, immutable", body, ranges=True)


def _missing(rendition: Rendition, sentence: str) -> Answer:
    """For what will never be there."""
    seconds = rendition.timeline.target_duration or 1
    return refusal(HTTPStatus.NOT_FOUND, f"public, max-age={seconds}", sentence)
