"""A media worker that moves no media: it takes the wanted state and says what a test has it say."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import uvicorn
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from restream.api import (
    Clip,
    ClipWish,
    Delay,
    HealthSample,
    LiveSpec,
    LiveStatus,
    PlanStatus,
    RecordingInfo,
    TargetStatus,
    WorkerEvent,
)


class Worker:
    """`specs` is what it was told, newest version by slug; `down` makes it refuse.

    `targets`, when there are any, are what it says of them in its answers. `health`, `delays`, `recordings`
    and `picture` are what it knows of every show; a clip is cut from what was recorded, or refused.
    """

    def __init__(self) -> None:
        self.address = ""
        self.specs: dict[str, LiveSpec] = {}
        self.puts = 0
        self.down = False
        self.assets: dict[str, bytes] = {}
        self.planned: list[LiveSpec] = []
        self.targets: list[TargetStatus] = []
        self.tokens: set[str] = set()
        self.health: list[HealthSample] = []
        self.delays: list[Delay] = []
        self.recordings: list[RecordingInfo] = []
        self.clips: dict[str, bytes] = {}
        self.picture: bytes | None = None
        self.asked: list[str] = []
        self._events: asyncio.Queue[WorkerEvent | None] = asyncio.Queue()
        self._seq = 0
        self.app = Starlette(
            routes=[
                Route("/lives/{slug}", self._put, methods=["PUT"]),
                Route("/lives", self._lives),
                Route("/assets/{sha}", self._put_asset, methods=["PUT"]),
                Route("/plan", self._plan, methods=["POST"]),
                Route("/events", self._stream),
                Route("/lives/{slug}/health", self._known(self._health)),
                Route("/lives/{slug}/delays", self._known(self._delays)),
                Route("/lives/{slug}/delays", self._known(self._note_delay), methods=["POST"]),
                Route("/lives/{slug}/recordings", self._known(self._recordings)),
                Route("/lives/{slug}/clips", self._known(self._cut), methods=["POST"]),
                Route("/lives/{slug}/clips/{name}", self._known(self._clip)),
                Route("/lives/{slug}/picture", self._known(self._picture)),
                Route("/lives/{slug}/thumbnail", self._known(self._picture)),
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
        missing = sorted(named_assets(spec) - self.assets.keys())
        if missing:
            return JSONResponse({"missing": missing}, 409)
        self.puts += 1
        known = self.specs.get(spec.slug)
        if known is None or spec.version >= known.version:
            self.specs[spec.slug] = spec
        status = status_of(self.specs[spec.slug])
        status.targets = self.targets or status.targets
        return Response(status.model_dump_json(), media_type="application/json")

    async def _put_asset(self, request: Request) -> Response:
        data, sha = await request.body(), request.path_params["sha"]
        if hashlib.sha256(data).hexdigest() != sha:
            return JSONResponse({"error": "These are other bytes."}, 422)
        self.assets[sha] = data
        return Response(status_code=204)

    async def _plan(self, request: Request) -> Response:
        if self.down:
            return JSONResponse({"error": "down"}, 503)
        spec = LiveSpec.model_validate(await request.json())
        self.planned.append(spec)
        costs = {one.name: 1.5 for one in spec.profiles}
        plan = PlanStatus(cores=2, wanted_cores=sum(costs.values()), costs=costs)
        if plan.wanted_cores > plan.cores:
            plan.refused = {spec.profiles[-1].name: "This machine has only 2 cores."}
        return Response(plan.model_dump_json(), media_type="application/json")

    async def _lives(self, _: Request) -> Response:
        if self.down:
            return JSONResponse({"error": "down"}, 503)
        return JSONResponse([json.loads(status_of(spec).model_dump_json()) for spec in self.specs.values()])

    async def _stream(self, _: Request) -> Response:
        async def lines() -> AsyncIterator[str]:
            while event := await self._events.get():
                yield event.model_dump_json() + "\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    def _known(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
        """For questions about a show that it was told of."""

        async def asked(request: Request) -> Response:
            self.asked.append(f"{request.method} {request.url.path}?{request.url.query}".rstrip("?"))
            if self.down:
                return JSONResponse({"error": "down"}, 503)
            if request.path_params["slug"] not in self.specs:
                return JSONResponse({"error": "This show is not on this worker."}, 404)
            return await answer(request)

        return asked

    async def _health(self, request: Request) -> Response:
        since = request.query_params.get("since")
        after = datetime.fromisoformat(since) if since else datetime.min.replace(tzinfo=UTC)
        return listed([one for one in self.health if one.at >= after])

    async def _delays(self, request: Request) -> Response:
        named = request.query_params.get("destination")
        return listed([one for one in self.delays if named in (None, one.destination)])

    async def _note_delay(self, request: Request) -> Response:
        self.delays.append(Delay.model_validate(await request.json()))
        return Response(status_code=204)

    async def _recordings(self, _: Request) -> Response:
        return listed(self.recordings)

    async def _cut(self, request: Request) -> Response:
        """From the whole second at or before what was asked for, as if there were a keyframe in each."""
        wish = ClipWish.model_validate(await request.json())
        begins = wish.begins_at.replace(microsecond=0)
        if not any(one.begins_at <= begins for one in self.recordings):
            return JSONResponse({"error": "Nothing was recorded at that time."}, 409)
        name = f"{begins:%Y%m%dT%H%M%S}.mp4"
        self.clips[name] = b"\0\0\0\x18ftypmp42" + bytes(200_000)
        seconds = (wish.ends_at - begins).total_seconds()
        clip = Clip(name=name, begins_at=begins, ends_at=wish.ends_at, seconds=seconds, bytes=200_012)
        return Response(clip.model_dump_json(), 201, media_type="application/json")

    async def _clip(self, request: Request) -> Response:
        found = self.clips.get(request.path_params["name"])
        if found is None:
            return JSONResponse({"error": "There is no such clip."}, 404)
        return Response(found, media_type="video/mp4")

    async def _picture(self, _: Request) -> Response:
        if self.picture is None:
            return JSONResponse({"error": "No picture has come yet."}, 404)
        return Response(self.picture, media_type="image/jpeg")


def listed(found: Sequence[BaseModel]) -> Response:
    """A list as JSON."""
    return JSONResponse([one.model_dump(mode="json") for one in found])


def named_assets(spec: LiveSpec) -> set[str]:
    """Every picture a wanted state names, wherever in it."""
    return set(re.findall(r'"asset":"([0-9a-f]{64})"', spec.model_dump_json()))


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
