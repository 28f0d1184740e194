"""A media worker that moves no media: it takes the wanted state and says what a test has it say."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from restream.api import LiveSpec, LiveStatus, TargetStatus, WorkerEvent


class Worker:
    """`specs` is what it was told, newest version by slug; `down` makes it refuse."""

    def __init__(self) -> None:
        self.address = ""
        self.specs: dict[str, LiveSpec] = {}
        self.puts = 0
        self.down = False
        self.tokens: set[str] = set()
        self._events: asyncio.Queue[WorkerEvent | None] = asyncio.Queue()
        self._seq = 0
        self.app = Starlette(
            routes=[
                Route("/lives/{slug}", self._put, methods=["PUT"]),
                Route("/lives", self._lives),
                Route("/events", self._stream),
            ]
        )

    def wanted(self, slug: str) -> dict[str, bool]:
        """Which targets are to be pushed to."""
        return {target.name: target.wanted for target in self.specs[slug].targets}

    def keys(self, slug: str) -> dict[str, str]:
        """The stream keys it was handed."""
        return {target.name: target.key.get_secret_value() for target in self.specs[slug].targets}

    def event(self, slug: str, kind: str, **more: Any) -> WorkerEvent:
        """Something to say."""
        self._seq += 1
        now = datetime.now(UTC)
        return WorkerEvent.model_validate({"seq": self._seq, "at": now, "slug": slug, "kind": kind, **more})

    def say(self, event: WorkerEvent) -> None:
        """Say it to whoever listens."""
        self._events.put_nowait(event)

    def hang_up(self) -> None:
        """End the stream of news, as a restart does."""
        self._events.put_nowait(None)

    async def _put(self, request: Request) -> Response:
        self.tokens.add(request.headers.get("authorization", ""))
        if self.down:
            return JSONResponse({"error": "down"}, 503)
        spec = LiveSpec.model_validate(await request.json())
        self.puts += 1
        known = self.specs.get(spec.slug)
        if known is None or spec.version >= known.version:
            self.specs[spec.slug] = spec
        return Response(status_of(self.specs[spec.slug]).model_dump_json(), media_type="application/json")

    async def _lives(self, _: Request) -> Response:
        if self.down:
            return JSONResponse({"error": "down"}, 503)
        return JSONResponse([json.loads(status_of(spec).model_dump_json()) for spec in self.specs.values()])

    async def _stream(self, _: Request) -> Response:
        async def lines() -> AsyncIterator[str]:
            while event := await self._events.get():
                yield event.model_dump_json() + "\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")


def status_of(spec: LiveSpec) -> LiveStatus:
    """A live nobody publishes to."""
    targets = [target_status(target.id, target.name, "connecting") for target in spec.targets]
    return LiveStatus(
        slug=spec.slug, version=spec.version, open=spec.open, publisher=None, targets=targets, playable=False
    )


def target_status(target_id: str, name: str, state: str, **more: Any) -> TargetStatus:
    """What a target is doing since now."""
    now = datetime.now(UTC)
    values = {"id": target_id, "name": name, "wanted": True, "state": state, "since": now, **more}
    return TargetStatus.model_validate(values)


@asynccontextmanager
async def media_worker() -> AsyncIterator[Worker]:
    """On a port of its own."""
    worker = Worker()
    listener = socket.create_server(("127.0.0.1", 0))
    worker.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(worker.app, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    try:
        yield worker
    finally:
        worker.hang_up()
        server.should_exit = True
        await task
