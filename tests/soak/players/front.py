"""A way from browsers to the media worker that a test may break: HTTP by hand, WebRTC's packets by relay."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Literal

import httpx

from restream.hls.origin import NOT_YET
from restream.hls.respond import Receive, Scope, Send, respond
from restream.serving import serving
from restream.webrtc.http import read_body
from tests.bench.rows import free_port
from tests.restream.webrtc.lossy import Relay, relay

HOST: Final = re.compile(r"(?<= )\d+(?= typ host)")
OURS: Final = (b"host", b"connection", b"content-length", b"content-encoding", b"transfer-encoding")
"""Header fields of one connection, or of a body as it was packed there."""
ALL_HLS: Final = (".m3u8", ".m4s", ".mp4")
PATIENCE_SECONDS: Final = 30.0


@dataclass
class Front:
    """An ASGI app. Paths that end with one of `away` are answered as if nobody published.

    WHEP's answers name the `way` in the worker's place. `packets` says what becomes of those of sessions that
    begin now: carried, lost on the way, or sent to a port where nobody listens.
    """

    worker: str
    http: httpx.AsyncClient
    way: Relay
    address: str = ""
    away: tuple[str, ...] = ()
    packets: Literal["carried", "lost", "unheard"] = "carried"
    sessions: int = 0
    nobody: int = field(default_factory=free_port)
    """A port where nobody listens."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        url = httpx.URL(f"{self.worker}{scope['path']}", query=scope["query_string"])
        fields = [one for one in scope["headers"] if one[0].lower() not in OURS]
        asked = await read_body(receive)
        found = await self.http.request(scope["method"], url, headers=fields, content=asked)
        if scope["path"].endswith(self.away):
            await respond(send, NOT_YET, with_body=True)
            return
        text = found.content
        if found.status_code == HTTPStatus.CREATED:
            text = self._by_the_way(found.text).encode()
        headers = [one for one in found.headers.raw if one[0].lower() not in OURS]
        headers.append((b"content-length", str(len(text)).encode()))
        await send({"type": "http.response.start", "status": found.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    def cut(self) -> None:
        """From now on no picture and no sound arrives, and the worker hears nothing from the viewer."""
        self.way.server, self.way.loss = ("127.0.0.1", self.nobody), 1.0

    def _by_the_way(self, answer: str) -> str:
        named = HOST.search(answer)
        assert named, answer
        self.sessions += 1
        self.way.server = ("127.0.0.1", int(named[0]) if self.packets == "carried" else self.nobody)
        return HOST.sub(str(self.nobody if self.packets == "unheard" else self.way.port), answer)


@asynccontextmanager
async def front(port: int) -> AsyncIterator[Front]:
    """Before the worker whose media port that is."""
    async with relay() as way, httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        made = Front(f"http://127.0.0.1:{port}", http, way)
        async with serving(made, "127.0.0.1", 0) as own:
            made.address = f"http://127.0.0.1:{own}"
            yield made
