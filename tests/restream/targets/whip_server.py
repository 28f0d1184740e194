"""A platform that takes WHIP: aiortc behind a small HTTP server. It decodes what it gets and counts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from restream.serving import serving

TOKEN = "wh_secret.1~x+y/z="


class WhipServer:
    """`sessions` are those that are open; `pictures` and `sounds` what was decoded, over all of them."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[str | None] = []
        self.answer_with = 201
        self.deaf = False
        """Takes the offer, and then nothing more: no ICE, no DTLS."""
        self.decoded: Counter[str] = Counter()
        self.deleted = 0
        self.sessions: dict[str, RTCPeerConnection] = {}
        self._consuming: set[asyncio.Task[None]] = set()
        self.app = Starlette(
            routes=[
                Route("/whip", self._offered, methods=["POST"]),
                Route("/session/{name}", self._deleted, methods=["DELETE"]),
            ]
        )

    @property
    def url(self) -> str:
        """The address a target is given."""
        return f"http://127.0.0.1:{self.port}/whip"

    async def packets(self) -> int:
        """RTP packets that came, over the open sessions."""
        count = 0
        for session in self.sessions.values():
            for receiver in session.getReceivers():
                stats = await receiver.getStats()
                count += sum(getattr(item, "packetsReceived", 0) for item in stats.values())
        return count

    async def hang_up(self) -> None:
        """End every session from this side."""
        for session in self.sessions.values():
            await session.close()
        self.sessions.clear()

    async def _offered(self, request: Request) -> Response:
        self.asked.append(request.headers.get("Authorization"))
        if self.asked[-1] != f"Bearer {TOKEN}":
            return Response(status_code=401)
        if self.answer_with != 201:
            return Response(status_code=self.answer_with)
        offer = (await request.body()).decode()
        session = RTCPeerConnection()
        session.on("track", self._consume)
        await session.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await session.setLocalDescription(await session.createAnswer())
        name = str(len(self.asked))
        self.sessions[name] = session
        if self.deaf:
            await session.close()
        headers = {"Location": f"/session/{name}", "Content-Type": "application/sdp"}
        return Response(session.localDescription.sdp, 201, headers)

    async def _deleted(self, request: Request) -> Response:
        session = self.sessions.pop(request.path_params["name"])
        await session.close()
        self.deleted += 1
        return Response()

    def _consume(self, track: MediaStreamTrack) -> None:
        async def read() -> None:
            try:
                while True:
                    await track.recv()
                    self.decoded[track.kind] += 1
            except MediaStreamError:
                return

        self._consuming.add(asyncio.create_task(read()))

    async def close(self) -> None:
        """End everything."""
        await self.hang_up()
        for task in self._consuming:
            task.cancel()
        await asyncio.gather(*self._consuming, return_exceptions=True)


@asynccontextmanager
async def whip_server() -> AsyncIterator[WhipServer]:
    """It, on a free port."""
    server = WhipServer()
    async with serving(server.app, "127.0.0.1", 0) as port:
        server.port = port
        try:
            yield server
        finally:
            await server.close()
