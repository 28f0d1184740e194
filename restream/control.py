"""The control API over HTTP: for the hub alone, with a token, on loopback or a private network."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from typing import Final

from pydantic import SecretStr, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from restream.api import LiveSpec, LiveStatus
from restream.journal import Journal
from restream.worker import Worker

KEEP_ALIVE: Final = 5.0
"""Seconds of silence after which an empty line is sent, so that the listener knows we live."""
LIVES: Final = TypeAdapter(list[LiveStatus])


class Control:
    """The four routes."""

    def __init__(self, worker: Worker, journal: Journal, token: SecretStr) -> None:
        self._worker = worker
        self._journal = journal
        self._expected = f"Bearer {token.get_secret_value()}".encode()
        self.app = Starlette(
            routes=[
                Route("/healthz", healthz),
                Route("/lives", self._lives),
                Route("/lives/{slug}", self._put, methods=["PUT"]),
                Route("/events", self._events),
            ]
        )

    async def _put(self, request: Request) -> Response:
        if not self._trusted(request):
            return refused(401, "This needs the media token (SIMULCAST_MEDIA_TOKEN).")
        try:
            spec = LiveSpec.model_validate_json(await request.body())
        except ValidationError as error:
            # Where and why, never what: the values are stream keys.
            problems = error.errors(include_input=False, include_url=False, include_context=False)
            return JSONResponse({"error": "The wanted state makes no sense.", "problems": problems}, 422)
        if spec.slug != request.path_params["slug"]:
            return refused(422, "The slug in the address and in the body differ.")
        status = await self._worker.put(spec)
        return Response(status.model_dump_json(), media_type="application/json")

    async def _lives(self, request: Request) -> Response:
        if not self._trusted(request):
            return refused(401, "This needs the media token (SIMULCAST_MEDIA_TOKEN).")
        return Response(LIVES.dump_json(self._worker.statuses()), media_type="application/json")

    async def _events(self, request: Request) -> Response:
        if not self._trusted(request):
            return refused(401, "This needs the media token (SIMULCAST_MEDIA_TOKEN).")
        after = request.query_params.get("after", "0")
        if not after.isdecimal() or len(after) > 15:
            return refused(422, "`after` is the number of the last event that is known.")
        return StreamingResponse(self._lines(int(after)), media_type="application/x-ndjson")

    async def _lines(self, after: int) -> AsyncIterator[str]:
        async for event in self._journal.read(after, idle=KEEP_ALIVE):
            yield f"{event.model_dump_json()}\n" if event else "\n"

    def _trusted(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").encode()
        return hmac.compare_digest(given, self._expected)


async def healthz(_: Request) -> Response:
    """The process runs."""
    return JSONResponse({"ok": True})


def refused(status: int, sentence: str) -> Response:
    """An error with a sentence."""
    return JSONResponse({"error": sentence}, status)
