"""A resolver as an ASGI app, for any server and for requests that the fast path does not take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from restream.hls.bell import Waiting
from restream.hls.respond import (
    Answer,
    Receive,
    Request,
    Scope,
    Send,
    preflight,
    ranged,
    refusal,
    respond,
)

METHODS: Final = ("GET", "HEAD")
ALLOWED: Final = refusal(
    HTTPStatus.METHOD_NOT_ALLOWED, "no-store", "Only GET and HEAD.", ((b"allow", b"GET, HEAD, OPTIONS"),)
)


async def serve(
    resolve: Callable[[Request], Answer | Waiting], scope: Scope, receive: Receive, send: Send
) -> None:
    """One HTTP request. Nothing is sent when the client leaves while it waits."""
    request = Request.of(scope)
    if request.method == "OPTIONS":
        await preflight(send)
        return
    if request.method not in METHODS:
        await respond(send, ALLOWED, with_body=True)
        return
    found = resolve(request)
    answer = await _later(found, receive) if isinstance(found, Waiting) else found
    if answer is not None:
        await respond(send, ranged(answer, request), with_body=request.method != "HEAD")


class _Seat:
    """Waits at a bell as a future."""

    def __init__(self) -> None:
        self.given: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def answer(self, answer: Answer) -> None:
        if not self.given.done():
            self.given.set_result(answer)


async def _later(waiting: Waiting, receive: Receive) -> Answer | None:
    seat = _Seat()
    group = waiting.bell.join(waiting, seat)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait(
            (seat.given, leaving), timeout=waiting.patience, return_when=asyncio.FIRST_COMPLETED
        )
        if seat.given.done():
            return seat.given.result()
        return None if leaving.done() else waiting.late
    finally:
        waiting.bell.leave(group, seat)
        leaving.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # a request body is of no interest
