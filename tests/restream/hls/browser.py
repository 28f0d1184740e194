"""Asks an ASGI app in this process, as a browser would, and may leave before the answer."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass

from restream.hls.origin import Origin
from restream.hls.respond import Message

SECONDS = 10.0


@dataclass(frozen=True)
class Response:
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, unzipped."""
        zipped = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if zipped else self.body).decode()


class Browser:
    """`get` an address of an origin; `leave` closes the connection of whatever waits."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Close the window."""
        self._leaving.set()

    async def get(
        self, address: str, method: str = "GET", encoding: str = "", headers: Mapping[str, str] | None = None
    ) -> Response | None:
        """The answer; None when there was nobody left to answer."""
        path, _, query = address.partition("?")
        fields = {**(headers or {}), **({"accept-encoding": encoding} if encoding else {})}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
        }
        sent: list[Message] = []
        asked = False

        async def receive() -> Message:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self._leaving.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        async with asyncio.timeout(SECONDS):
            await self._origin(scope, receive, send)
        if not sent:
            return None
        begin, *rest = sent
        assert all(message["type"] == "http.response.body" for message in rest)
        assert [bool(message.get("more_body")) for message in rest] == [True] * (len(rest) - 1) + [False]
        headers = {name.decode(): value.decode() for name, value in begin["headers"]}
        return Response(begin["status"], headers, b"".join(message["body"] for message in rest))

    async def ok(self, address: str, encoding: str = "") -> Response:
        """An answer that must be 200."""
        found = await self.get(address, encoding=encoding)
        assert found is not None
        assert found.status == 200, (address, found.status, found.body)
        return found

    async def status(self, address: str, method: str = "GET") -> int:
        """Only the status."""
        found = await self.get(address, method)
        assert found is not None
        return found.status
