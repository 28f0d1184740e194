"""WHIP behind its first request: what it needs is loaded, and its port opened, when somebody comes.

Most shows are never published to by WebRTC, and the libraries take a dozen megabytes of every worker.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import structlog

from restream.hls.respond import Receive, Scope, Send, refusal, respond
from restream.webrtc.addresses import addresses_of
from restream.worker import Worker

if TYPE_CHECKING:
    from restream.ingest.rtc import UdpPort
    from restream.ingest.whip import WhipApp

log = structlog.get_logger()

PART: Final = "whip"


@dataclass(frozen=True)
class Place:
    """Where media comes in by UDP, and the host by which encoders elsewhere reach it."""

    host: str
    port: int
    public_host: str = ""


class WhipDoor:
    """A bare ASGI app for the addresses that `serves` knows."""

    def __init__(self, worker: Worker, place: Place) -> None:
        self._worker = worker
        self._place = place
        self._app: WhipApp | None = None
        self._port: UdpPort | None = None
        self._opening = asyncio.Lock()

    @staticmethod
    def serves(path: str) -> bool:
        """Whether an address is one of WHIP's: /live/SHOW/whip and what is below it."""
        return path.startswith("/live/") and path.split("/")[3:4] == [PART]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            app = await self._opened()
        except OSError as error:
            log.error("whip.no_port", port=self._place.port, why=error.strerror)
            sentence = f"The UDP port {self._place.port} for WebRTC cannot be opened on this server."
            await respond(send, refusal(HTTPStatus.SERVICE_UNAVAILABLE, "no-store", sentence), with_body=True)
            return
        await app(scope, receive, send)

    async def close(self) -> None:
        """End every session and close the port."""
        if self._app:
            await self._app.close()
        if self._port:
            self._port.close()

    async def _opened(self) -> WhipApp:
        async with self._opening:
            if self._app is None:
                from restream.ingest.rtc import open_port
                from restream.ingest.whip import WhipApp

                told = await addresses_of(self._place.public_host)
                self._port = await open_port(self._place.host, self._place.port, told)
                self._app = WhipApp(self._worker, self._worker.carries, self._port)
            return self._app
