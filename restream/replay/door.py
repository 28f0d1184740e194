"""Serves replays: DVR while a show runs, video on demand afterwards, chapters, and the media of both.

/live/SLUG/dvr.m3u8                              variants; after the end /live/SLUG/index.m3u8 is the same
/live/SLUG/chapters.json                         cues, in seconds of the programme
/live/SLUG/[SECRET/]replay/RENDITION/media.m3u8  one rendition, from the show's beginning
…/RENDITION/initN.mp4, …/RENDITION/sN.m4s        its media
"""

from __future__ import annotations

import asyncio
import hmac
import re
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from restream.hls.respond import (
    PLAYLIST,
    Answer,
    Guard,
    Receive,
    Request,
    Scope,
    Send,
    preflight,
    refusal,
    respond,
)
from restream.replay.files import BUSY, NEVER, RETRY, Files, Gone, Part
from restream.replay.screening import Screening
from restream.replay.shelf import Shelf

ADDRESS: Final = re.compile(
    r"/live/(?P<slug>[^/]+)/(?:(?P<index>(?:index|dvr)\.m3u8)|(?P<chapters>chapters\.json)"
    r"|(?:(?P<door>[a-z0-9]{16,64})/)?replay/(?P<rendition>[a-z0-9]{1,20})/"
    r"(?:(?P<media>media\.m3u8)|init(?P<init>[0-9]{1,18})\.mp4|s(?P<segment>[0-9]{1,18})\.m4s))"
)
TOKEN: Final = re.compile(r"[A-Za-z0-9._-]{1,2000}")
METHODS: Final = ("GET", "HEAD")
JSON: Final = "application/json"
BRIEFLY: Final = "public, max-age=1"
MINUTE: Final = "public, max-age=60"
"""For what stays as it is unless the recording is removed, or the show goes on after all."""
MOST_TURNS: Final = 1000


def _missing(sentence: str) -> Answer:
    return refusal(HTTPStatus.NOT_FOUND, BRIEFLY, sentence)


NOWHERE: Final = _missing("There is nothing at this address.")
NOT_ALLOWED: Final = refusal(
    HTTPStatus.METHOD_NOT_ALLOWED, NEVER, "Only GET and HEAD.", ((b"allow", b"GET, HEAD, OPTIONS"),)
)
NOT_YET: Final = refusal(HTTPStatus.SERVICE_UNAVAILABLE, NEVER, "The show has not begun.", RETRY)
"""503, not 404: players try again after the one and give up after the other."""
NOT_KEPT: Final = _missing("There is no recording of this show, or it is no longer kept.")
SEALED: Final = refusal(
    HTTPStatus.FORBIDDEN,
    NEVER,
    "Who may watch this recording is not known any more. Save the show's playback settings again.",
)


class ReplayDoor:
    """`resolve` answers at once where that is possible; everything else goes through the ASGI app.

    `guard` decides about every request before anything is said of the show.
    """

    def __init__(self, shelf: Shelf, guard: Guard) -> None:
        self._shelf = shelf
        self._guard = guard
        self._files = Files(shelf.in_thread)

    def serves(self, path: str) -> bool:
        """Whether a request is for here. Quick: it is asked for everything below /live/."""
        if path.endswith("/index.m3u8"):
            address = ADDRESS.fullmatch(path)
            return address is not None and self._shelf.ended(address["slug"])
        return path.endswith(("/dvr.m3u8", "/chapters.json")) or "/replay/" in path

    def resolve(self, request: Request) -> Answer | None:
        """The answer to a GET or HEAD; None where the disk must be asked first."""
        found = self._found(request)
        return found if isinstance(found, Answer) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request.of(scope)
        if request.method == "OPTIONS":
            await preflight(send)
            return
        found = await self._found_later(request) if request.method in METHODS else NOT_ALLOWED
        if isinstance(found, Part):
            try:
                await self._files.send(found, request, send)
            except Gone:
                # Removed under our hands; whoever asks next is told so at once.
                self._shelf.forget(found.path.parent.parent.name)
                found = _missing("This recording is no longer kept.")
        if isinstance(found, Answer):
            await respond(send, found, with_body=request.method != "HEAD")

    async def _found_later(self, request: Request) -> Answer | Part:
        """With what it takes, but not for ever: others' replays may push this one out of memory again."""
        address = ADDRESS.fullmatch(request.path)
        for _ in range(MOST_TURNS):
            found = self._found(request)
            if found is not None or address is None:
                return found or NOWHERE
            await self._shelf.find(address["slug"])
            await asyncio.sleep(0)
        return BUSY

    def _found(self, request: Request) -> Answer | Part | None:
        """None: it must be loaded, or written, first."""
        address = ADDRESS.fullmatch(request.path)
        if address is None:
            return NOWHERE
        refused = self._guard.refusal(request)
        if refused:
            return refused
        slug = address["slug"]
        if self._shelf.sealed(slug):
            return SEALED
        if self._shelf.must_be_loaded(slug):
            return None
        screening = self._shelf.at_hand(slug)
        if screening is None or not screening.playable:
            return self._nothing(slug)
        if address["rendition"]:
            return _below(screening, request, address)
        cache = MINUTE if screening.ended else BRIEFLY
        if address["chapters"]:
            return screening.chapters().answer(JSON, cache, zipped=request.takes_gzip)
        text = screening.multivariant(_given(request, "token"))
        return Answer(HTTPStatus.OK, PLAYLIST, cache, (text.encode(),))

    def _nothing(self, slug: str) -> Answer:
        return NOT_YET if self._shelf.has(slug) and not self._shelf.ended(slug) else NOT_KEPT


def _below(screening: Screening, request: Request, address: re.Match[str]) -> Answer | Part | None:
    """What lies in a rendition's folder."""
    if not hmac.compare_digest((address["door"] or "").encode(), screening.door.encode()):
        return NOWHERE
    name = address["rendition"]
    if address["media"]:
        if not screening.has(name):
            return _missing("There is no such rendition.")
        if not screening.write(name):
            return None
        playlist = screening.media_playlist(name, delta=_given(request, "_HLS_skip") in ("YES", "v2"))
        cache = MINUTE if screening.ended else f"public, max-age={max(1, screening.index.target // 2)}"
        return playlist.answer(PLAYLIST, cache, zipped=request.takes_gzip)
    if address["init"]:
        found = screening.opening(name, int(address["init"]))
    else:
        found = screening.segment(name, int(address["segment"]))
    return found or _missing("This piece was not recorded.")


def _given(request: Request, name: str) -> str:
    """A parameter of the query, as far as it may stand in an address; empty without one."""
    values = dict(parse_qsl(request.query.decode("latin-1")))
    value = values.get(name, "")
    return value if TOKEN.fullmatch(value) else ""
