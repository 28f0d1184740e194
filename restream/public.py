"""The media port: playback for viewers, WHIP for encoders, and the worker's health and figures."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import SecretStr
from starlette import requests
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from restream.api import uplink_token
from restream.control import healthz
from restream.figures import Figures
from restream.health.uplink import UploadTest
from restream.hls import asgi
from restream.hls.bell import Waiting
from restream.hls.memo import Memo
from restream.hls.origin import Origin
from restream.hls.respond import Answer, Guard, Receive, Request, Scope, Send, respond
from restream.ingest.whip_door import WhipDoor
from restream.replay.door import ReplayDoor
from restream.webrtc.door import WhepDoor
from restream.worker import Worker

DIRECT: Final = (".m4s", "/live.m3u8")
"""How addresses end that only the origin can have, but for those of a replay."""


@dataclass(frozen=True)
class Doors:
    """What is behind the media port besides the origin, and who is asked before any of it is served."""

    guard: Guard
    whip: WhipDoor
    whep: WhepDoor
    replay: ReplayDoor


class MediaApp:
    """Playback goes to the origin without a detour (`resolve`); the rest is not asked often."""

    def __init__(self, worker: Worker, doors: Doors, token: SecretStr) -> None:
        self._origin = Memo(Origin(worker.renditions).resolve, worker.renditions)
        self._whip, self._whep, self._replay, self._guard = doors.whip, doors.whep, doors.replay, doors.guard

        def allowed(given: str) -> bool:
            wanted = (uplink_token(token.get_secret_value(), slug) for slug in worker.slugs())
            return any(hmac.compare_digest(given.encode(), one.encode()) for one in wanted)

        self._uplink = UploadTest(allowed)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Figures(worker))

        async def metrics(_: requests.Request) -> Response:
            return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

        self._rest = Starlette(routes=[Route("/healthz", healthz), Route("/metrics", metrics)])

    def resolve(self, request: Request) -> Answer | Waiting | None:
        """What a GET or HEAD of a show's playback is answered with; None for every other address."""
        path = request.path
        if path.endswith(DIRECT) and "/replay/" not in path and path.startswith("/live/"):
            return self._playback(request)  # a thousand times for each of the others
        if not path.startswith("/live/") or self._whip.serves(path) or self._whep.serves(path):
            return None
        if self._replay.serves(path):
            return self._replay.resolve(request)
        return self._playback(request)

    def _playback(self, request: Request) -> Answer | Waiting:
        return self._guard.refusal(request) or self._origin.resolve(request)

    async def _webrtc(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._guard.refusal(Request.of(scope))
        if refused:
            await respond(send, refused, with_body=scope["method"] != "HEAD")
        else:
            await self._whep(scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
        elif scope["path"].startswith("/live/"):
            path = scope["path"]
            if self._whip.serves(path):
                await self._whip(scope, receive, send)
            elif self._whep.serves(path):
                await self._webrtc(scope, receive, send)
            elif self._replay.serves(path):
                await self._replay(scope, receive, send)
            else:
                await asgi.serve(self._playback, scope, receive, send)
        elif scope["path"] == "/uplink":
            await self._uplink(scope, receive, send)
        else:
            await self._rest(scope, receive, send)
