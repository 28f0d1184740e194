"""A show fed in real time, behind the media worker's own playback, for clients that play it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus

from restream.hls import asgi
from restream.hls.bell import Waiting
from restream.hls.origin import Origin
from restream.hls.respond import Answer, Receive, Request, Scope, Send, refusal
from restream.serving import serving
from tests.restream.hls.feed import STARTED, Shape, Studio, synthetic

FPS = 30
AWAY = refusal(HTTPStatus.SERVICE_UNAVAILABLE, "no-store", "Away.")


class Venue:
    """`/live/SLUG/…`. While `away` it answers 503; `asked` is what it was asked for."""

    def __init__(self) -> None:
        self.studio = Studio()
        self.origin = ""
        self.away = False
        self.asked: list[str] = []
        self._origin = Origin(lambda slug: self.studio.renditions)
        self._began = time.monotonic()

    def clock(self) -> datetime:
        """The time of day where the show is filmed."""
        return datetime.fromtimestamp(STARTED + time.monotonic() - self._began, UTC)

    def url(self, slug: str = "evening") -> str:
        return f"{self.origin}/live/{slug}/index.m3u8"

    def answer(self, request: Request) -> Answer | Waiting:
        self.asked.append(f"{request.path}?{request.query.decode()}")
        return AWAY if self.away else self._origin.resolve(request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asgi.serve(self.answer, scope, receive, send)

    async def feed(self, seconds: float) -> None:
        """Publish in real time, then end the show."""
        frames = tuple(synthetic(Shape(), 48_000, FPS, seconds))
        self._began = time.monotonic()
        steps = self.studio.publish(frames)
        for frame in frames:
            await asyncio.sleep(self._began + frame.dts / 1000 - time.monotonic())
            next(steps)
        self.studio.renditions.finish()


@asynccontextmanager
async def venue(seconds: float) -> AsyncIterator[Venue]:
    """Open while it is used; its show begins at once."""
    opened = Venue()
    async with serving(opened, "127.0.0.1", 0) as port:
        opened.origin = f"http://127.0.0.1:{port}"
        feeding = asyncio.create_task(opened.feed(seconds))
        try:
            yield opened
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
