"""The door of the media port: asked before anything of a show is served, for every playlist and part."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from restream.api import PlaybackSpec
from restream.hls.respond import Answer, Request, refusal
from restream.playback.audience import Audience
from restream.playback.sites import LOOPBACK, Addresses, Sites, within
from restream.playback.tokens import LONGEST, BadToken, Keyring, Network, Pass

LEEWAY: Final = 10.0
"""Seconds for which an expired token is still good: clocks differ, and a blocking request takes its time."""
MOST_PASSES: Final = 50_000
MOST_BAD: Final = 1000
MOST_GATES: Final = 1000
MEDIA: Final = (".m4s", ".mp4")
OPEN_TO_ASK: Final = ("index.m3u8", "dvr.m3u8", "chapters.json", "whep")
"""What has no secret in its address: it is the way to everything else."""
NEVER: Final = "no-store"
ASK: Final = ((b"www-authenticate", b"Bearer"),)
LATER: Final = ((b"retry-after", b"10"),)


def _no(status: HTTPStatus, sentence: str, more: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    return refusal(status, NEVER, sentence, more)


UNKNOWN: Final = _no(HTTPStatus.NOT_FOUND, "There is no such show.")
ELSEWHERE: Final = _no(HTTPStatus.NOT_FOUND, "There is nothing at this address. Begin at index.m3u8.")
FOREIGN: Final = _no(HTTPStatus.FORBIDDEN, "This show may not be played on this website.")
PRIVATE: Final = _no(
    HTTPStatus.UNAUTHORIZED, "This show is private. Open it with the link you were given.", ASK
)
INVALID: Final = _no(
    HTTPStatus.UNAUTHORIZED, "This pass is not valid for this show. Open the show's page again.", ASK
)
EXPIRED: Final = _no(HTTPStatus.UNAUTHORIZED, "This pass has run out. Open the show's page again.", ASK)
OTHER_PLACE: Final = _no(
    HTTPStatus.FORBIDDEN, "This pass belongs to another network. Ask for a link of your own."
)
FULL: Final = _no(
    HTTPStatus.SERVICE_UNAVAILABLE, "This show is full at the moment. Try again in a few seconds.", LATER
)


class _Gate:
    """One version of a show's rules, made ready to be asked."""

    def __init__(self, spec: PlaybackSpec) -> None:
        self.spec = spec
        self.signed = spec.policy == "signed"
        self.keys = Keyring(spec.keys)
        self.sites = Sites(spec.origins)
        self.door = f"{spec.path_secret.get_secret_value()}/" if spec.path_secret else ""
        self.bad: set[str] = set()
        """Tokens that these keys refuse, so that repeating one is cheap."""


class Doorkeeper:
    """A `restream.hls.respond.Guard`. `find` gives the rules of a slug; None: there is no such show.

    A show nobody knows is refused: what was kept of it may not be for everybody. `elsewhere` counts viewers
    that ask for no playlists (WebRTC), who take room as well. `clock` is Unix time.
    """

    def __init__(
        self,
        find: Callable[[str], PlaybackSpec | None],
        clock: Callable[[], float] = time.time,
        *,
        elsewhere: Callable[[str], int] = lambda slug: 0,
        proxies: Sequence[Network] = LOOPBACK,
    ) -> None:
        self._find = find
        self._clock = clock
        self._elsewhere = elsewhere
        self._addresses = Addresses(proxies)
        # No address is kept: what is counted leads back to none, not even for who reads our memory later.
        self._salt = secrets.randbits(64)
        self._gates: dict[str, _Gate] = {}
        self._audiences: dict[str, Audience] = {}
        self._passes: OrderedDict[str, Pass] = OrderedDict()

    def viewers(self, slug: str) -> int:
        """Distinct viewers by playlist in the last 15 seconds."""
        audience = self._audiences.get(slug)
        return audience.count(self._clock()) if audience else 0

    def refused(self, slug: str) -> int:
        """How many were turned away for lack of room."""
        audience = self._audiences.get(slug)
        return audience.refused if audience else 0

    def forget(self, slug: str) -> None:
        """The show is over, or begins anew: nobody watches it, and nobody was turned away."""
        self._gates.pop(slug, None)
        self._audiences.pop(slug, None)

    def refusal(self, request: Request) -> Answer | None:
        """Why this is not served; None when it may be. Takes some microseconds."""
        _, live, slug, what = (*request.path.split("/", 3), "", "", "")[:4]
        if live != "live" or request.method == "OPTIONS" or what == "whip" or what.startswith("whip/"):
            return None
        gate = self._gate(slug)
        if gate is None:
            return UNKNOWN
        if not gate.sites.admits(request):
            return FOREIGN
        if what.startswith("whep/"):
            return None  # a session's own address was told to nobody but its viewer
        if what not in OPEN_TO_ASK:
            if not what.startswith(gate.door):
                return ELSEWHERE
            if what.endswith(MEDIA):
                return None
        return self._admit(gate, request, slug, what)

    def _gate(self, slug: str) -> _Gate | None:
        spec = self._find(slug)
        if spec is None:
            self.forget(slug)
            return None
        gate = self._gates.get(slug)
        if gate and gate.spec is not spec and gate.spec == spec:
            gate.spec = spec  # read again, and the same: what was learnt holds
        if gate is None or gate.spec is not spec:
            if len(self._gates) >= MOST_GATES:
                for known in [one for one in self._gates if self._find(one) is None]:
                    self.forget(known)
            gate = self._gates[slug] = _Gate(spec)
        return gate

    def _admit(self, gate: _Gate, request: Request, slug: str, what: str) -> Answer | None:
        """Of playlists and of WHEP: by token where the show wants one, then by room."""
        now = self._clock()
        if gate.signed:
            found = self._pass(gate, request, slug, now)
            if isinstance(found, Answer):
                return found
            viewer = hash((self._salt, found.viewer))
        else:
            viewer = hash((self._salt, self._addresses.of(request), request.header(b"user-agent")))
        audience = self._audiences.get(slug)
        if audience is None:
            audience = self._audiences[slug] = Audience()
        cap = gate.spec.viewer_cap
        if cap is not None:
            inside = audience.count(now)
            if not audience.watches(viewer) and inside + self._elsewhere(slug) >= cap:
                audience.turned_away(viewer, now)
                return FULL
        if what == "whep":
            audience.joined(viewer)
        elif what.endswith(".m3u8"):
            audience.saw(viewer, now)
        return None

    def _pass(self, gate: _Gate, request: Request, slug: str, now: float) -> Pass | Answer:
        token = token_of(request)
        if not token:
            return PRIVATE
        found = self._passes.get(token)
        if found is None or not gate.keys.holds(found):
            found = self._verified(gate, token)
        if found is None or found.show != slug:
            return INVALID
        if found.expires + LEEWAY <= now:
            return EXPIRED
        if found.network and not within(self._addresses.of(request), found.network):
            return OTHER_PLACE
        return found

    def _verified(self, gate: _Gate, token: str) -> Pass | None:
        """Once for each token: a viewer asks several times a second."""
        self._passes.pop(token, None)
        if token in gate.bad:
            return None
        try:
            found = gate.keys.verify(token)
        except BadToken:
            if len(gate.bad) >= MOST_BAD:
                gate.bad.clear()
            gate.bad.add(token)
            return None
        self._passes[token] = found
        if len(self._passes) > MOST_PASSES:
            self._passes.popitem(last=False)
        return found


def token_of(request: Request) -> str:
    """From `?token=`, or a bearer token; empty without one, or with one that is too long to be ours."""
    query = b"&" + request.query
    at = query.find(b"&token=")
    if at >= 0:
        token = query[at + 7 :].partition(b"&")[0]
    else:
        scheme, _, token = request.header(b"authorization").partition(b" ")
        token = token.strip() if scheme.lower() == b"bearer" else b""
    return token.decode("latin-1") if len(token) <= LONGEST else ""
