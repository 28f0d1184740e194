"""HTTP answers of the origin as ASGI messages, and the client that may leave while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

PLAYLIST: Final = "application/vnd.apple.mpegurl"
INITIALISATION: Final = "video/mp4"
SEGMENT: Final = "video/iso.segment"
TEXT: Final = "text/plain; charset=utf-8"
ALWAYS: Final[tuple[Header, ...]] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Age, Cache-Control, Content-Length, Date, Retry-After"),
    (b"timing-allow-origin", b"*"),
)
PREFLIGHT: Final[tuple[Header, ...]] = (
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (b"access-control-allow-headers", b"*"),
    (b"access-control-max-age", b"86400"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response; `body` may come in pieces, so that a segment need not be copied together."""

    status: int
    kind: str
    cache: str
    body: Sequence[bytes] = ()
    more: tuple[Header, ...] = ()


def refusal(status: HTTPStatus, cache: str, sentence: str, more: tuple[Header, ...] = ()) -> Answer:
    """An error with a sentence for whoever looks at the network tab."""
    return Answer(status, TEXT, cache, (f"{sentence}\n".encode(),), more)


async def respond(send: Send, answer: Answer, *, with_body: bool) -> None:
    """Send the answer; a HEAD request gets the same headers and no body."""
    headers = [
        (b"content-type", answer.kind.encode()),
        (b"content-length", str(sum(map(len, answer.body))).encode()),
        (b"cache-control", answer.cache.encode()),
        *ALWAYS,
        *answer.more,
    ]
    await send({"type": "http.response.start", "status": int(answer.status), "headers": headers})
    *before, last = answer.body if with_body and answer.body else (b"",)
    for piece in before:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": last})


async def preflight(send: Send) -> None:
    """What a browser asks before a cross-origin request: everything is allowed."""
    headers = [*ALWAYS, *PREFLIGHT]
    await send({"type": "http.response.start", "status": HTTPStatus.NO_CONTENT.value, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


class Gone(Exception):
    """The client closed the connection; nobody reads an answer."""


class Client:
    """Waits for something without outliving the connection."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    async def until(
        self, ready: Callable[[], bool], listen: Callable[[], asyncio.Future[None]], patience: float
    ) -> bool:
        """True as soon as `ready`, asked again after every ring; False after `patience` seconds.

        Raises Gone when the client leaves.
        """
        if ready():
            return True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        leaving = asyncio.ensure_future(self._left())
        try:
            while not ready():
                ring = listen()
                try:
                    await asyncio.wait(
                        (ring, leaving),
                        timeout=max(0.0, deadline - loop.time()),
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                finally:
                    ring.cancel()
                if leaving.done():
                    raise Gone
                if loop.time() >= deadline and not ready():
                    return False
            return True
        finally:
            leaving.cancel()

    async def _left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass  # a request body is of no interest
