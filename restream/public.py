"""The media port: playback for everybody, WHIP for encoders, and the worker's health and figures."""

from __future__ import annotations

import hmac

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from restream.api import uplink_token
from restream.control import healthz
from restream.figures import Figures
from restream.health.uplink import UploadTest
from restream.hls.origin import Origin
from restream.hls.respond import Receive, Scope, Send
from restream.ingest.whip_door import WhipDoor
from restream.worker import Worker


class MediaApp:
    """`/live/` goes to the origin without a detour; the rest is not asked often."""

    def __init__(self, worker: Worker, whip: WhipDoor, token: SecretStr) -> None:
        self._origin = Origin(worker.packager)
        self._whip = whip

        def allowed(given: str) -> bool:
            wanted = (uplink_token(token.get_secret_value(), slug) for slug in worker.slugs())
            return any(hmac.compare_digest(given.encode(), one.encode()) for one in wanted)

        self._uplink = UploadTest(allowed)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Figures(worker))

        async def metrics(_: Request) -> Response:
            return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

        self._rest = Starlette(routes=[Route("/healthz", healthz), Route("/metrics", metrics)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
        elif scope["path"].startswith("/live/"):
            app = self._whip if self._whip.serves(scope["path"]) else self._origin
            await app(scope, receive, send)
        elif scope["path"] == "/uplink":
            await self._uplink(scope, receive, send)
        else:
            await self._rest(scope, receive, send)
