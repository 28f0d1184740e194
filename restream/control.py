"""The control API over HTTP: for the hub alone, with a token, on loopback or a private network."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final

from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from restream.api import LiveSpec, LiveStatus
from restream.assets import LARGEST, AssetRefused
from restream.journal import Journal
from restream.worker import Worker

KEEP_ALIVE: Final = 5.0
"""Seconds of silence after which an empty line is sent, so that the listener knows we live."""
LIVES: Final = TypeAdapter(list[LiveStatus])

Drain = Callable[[str | None], int]
"""Ask publishers to come again, to another address or to the same; how many were asked."""


class Moved(BaseModel):
    """Where publishers are to go; None: to where they came, where the next worker will be."""

    tc_url: str | None = None


class Control:
    """Everything but a show's archive, whose routes are handed in. Every route wants the token."""

    def __init__(
        self, worker: Worker, journal: Journal, token: SecretStr, drain: Drain, routes: Iterable[Route] = ()
    ) -> None:
        self._worker = worker
        self._journal = journal
        self._drain = drain
        self._expected = f"Bearer {token.get_secret_value()}".encode()
        own = [
            Route("/lives", self._lives),
            Route("/lives/{slug}", self._put, methods=["PUT"]),
            Route("/assets/{sha}", self._asset, methods=["PUT"]),
            Route("/plan", self._plan, methods=["POST"]),
            Route("/events", self._events),
            Route("/drain", self._ask_to_move, methods=["POST"]),
        ]
        guarded = [
            Route(route.path, self._guarded(route.endpoint), methods=route.methods)
            for route in (*own, *routes)
        ]
        self.app = Starlette(routes=[Route("/healthz", healthz), *guarded])

    def _guarded(self, endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[..., object]:
        async def guarded(request: Request) -> Response:
            if not self._trusted(request):
                return refused(401, "This needs the media token (SIMULCAST_MEDIA_TOKEN).")
            return await endpoint(request)

        return guarded

    async def _put(self, request: Request) -> Response:
        spec = await spec_in(request)
        if isinstance(spec, Response):
            return spec
        if spec.slug != request.path_params["slug"]:
            return refused(422, "The slug in the address and in the body differ.")
        missing = self._worker.assets.missing(spec)
        if missing:
            return JSONResponse({"error": "Send these assets first.", "missing": missing}, 409)
        status = await self._worker.put(spec)
        return Response(status.model_dump_json(), media_type="application/json")

    async def _asset(self, request: Request) -> Response:
        data = bytearray()
        async for piece in request.stream():
            data += piece
            if len(data) > LARGEST:
                return refused(413, "The file is larger than 20 MB. Send a smaller one.")
        try:
            await asyncio.to_thread(self._worker.assets.store, bytes(data), request.path_params["sha"])
        except AssetRefused as error:
            return refused(422, str(error))
        return Response(status_code=204)

    async def _plan(self, request: Request) -> Response:
        spec = await spec_in(request)
        if isinstance(spec, Response):
            return spec
        return Response(self._worker.plan(spec).model_dump_json(), media_type="application/json")

    async def _lives(self, _: Request) -> Response:
        return Response(LIVES.dump_json(self._worker.statuses()), media_type="application/json")

    async def _events(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal() or len(after) > 15:
            return refused(422, "`after` is the number of the last event that is known.")
        return StreamingResponse(self._lines(int(after)), media_type="application/x-ndjson")

    async def _lines(self, after: int) -> AsyncIterator[str]:
        async for event in self._journal.read(after, idle=KEEP_ALIVE):
            yield f"{event.model_dump_json()}\n" if event else "\n"

    async def _ask_to_move(self, request: Request) -> Response:
        try:
            moved = Moved.model_validate_json(await request.body() or b"{}")
        except ValidationError:
            return refused(422, "`tc_url` is the RTMP address publishers are to go to.")
        return JSONResponse({"asked": self._drain(moved.tc_url)})

    def _trusted(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").encode()
        return hmac.compare_digest(given, self._expected)


async def spec_in(request: Request) -> LiveSpec | Response:
    """The wanted state in the body, or the answer to one that makes no sense."""
    try:
        return LiveSpec.model_validate_json(await request.body())
    except ValidationError as error:
        # Where and why, never what: the values are stream keys.
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        return JSONResponse({"error": "The wanted state makes no sense.", "problems": problems}, 422)


async def healthz(_: Request) -> Response:
    """The process runs."""
    return JSONResponse({"ok": True})


def refused(status: int, sentence: str) -> Response:
    """An error with a sentence."""
    return JSONResponse({"error": sentence}, status)
