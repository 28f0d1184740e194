"""A local RTMP address: it knows one stream key and whether somebody pushes with it."""

from __future__ import annotations

import random
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.types import Tokens


class Fake:
    """The control side of a receiver; the receiver itself asks `/_ctl/ingest` whether a key is good."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._url = ingest_url or "rtmp://127.0.0.1:1935/live"
        self._key = f"{random.Random(seed).getrandbits(64):016x}"
        self._publishing = False
        self.app = Starlette(
            routes=[
                Route("/_ctl/ingest", self._ctl_ingest, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """The address and the key; there is no login."""
        return {"url": self._url, "key": self._key}, None

    def set_base_url(self, url: str) -> None:
        """Nothing here builds absolute addresses."""

    async def _ctl_ingest(self, request: Request) -> Response:
        body = await request.json()
        if body.get("key") != self._key:
            return JSONResponse({"error": "unknown stream key"}, 403)
        self._publishing = body.get("event") == "publish"
        return JSONResponse({"publishing": self._publishing})

    async def _ctl_state(self, request: Request) -> Response:
        return JSONResponse({"publishing": self._publishing})
