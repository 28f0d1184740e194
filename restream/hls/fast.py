"""The fast path of the media port: answers that are known at once, written without an ASGI task.

uvicorn's connection is kept for everything else. A GET or HEAD that arrives whole and alone, which is what
players and caches send, is read with one regular expression and handed to the resolver; what waits for the
next part is served from the bell. Whatever else comes on the connection (bodies, pipelined requests, heads
in pieces, HTTP/1.0) goes the usual way and gets the same answers from the same resolver.

It also bounds what a connection may cost: how long a request may take to arrive, how large its head may be,
and how long an answer may lie unread. uvicorn's internals are used in this file alone.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from restream.hls.bell import SLICE, Group, Waiting
from restream.hls.respond import Answer, Request, ranged, refusal

log = structlog.get_logger()

Resolver = Callable[[Request], Answer | Waiting | None]
"""What a GET or HEAD is answered with; None when it is not for the fast path."""

REQUEST: Final = re.compile(
    rb"(GET|HEAD) (/[!-~]*) HTTP/1\.1((?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\r\n\0]*+)*+)\r\n\r\n"
)
"""A whole request without anything strange in it; what does not match is left to the HTTP parser."""
UNUSUAL: Final = re.compile(
    rb"\r\n(?:content-length|transfer-encoding|expect|upgrade):|\r\nconnection:[^\r]*(?:close|upgrade)",
    re.IGNORECASE,
)
LARGEST_HEAD: Final = 16 << 10
LARGEST_COPY: Final = 16 << 10
"""Answers up to this size are sent as one piece, which is made once for everybody."""
BROKEN: Final = refusal(HTTPStatus.BAD_REQUEST, "no-store", "That is no HTTP request.")
TOO_LARGE: Final = refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "no-store", "The request is too large."
)
TOO_SLOW: Final = refusal(HTTPStatus.REQUEST_TIMEOUT, "no-store", "The request did not come in time.")
TOO_MANY: Final = refusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "no-store", "Too many are watching.", ((b"retry-after", b"5"),)
)
FAILED: Final = refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "no-store", "This went wrong here. Try again.")
CLOSE: Final = b"connection: close\r\n"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may cost, in seconds, and how many there may be."""

    head: float = 10.0
    """From the first byte of a request, or from the connection, to the end of its head."""
    idle: float = 30.0
    """From an answer to the next request."""
    stalled: float = 30.0
    """In which not even the transport's buffer (64 kB) was read by the client."""
    connections: int = 16_000
    look: float = 1.0
    """How often all connections are looked at."""


class Lane:
    """What the connections of one port share."""

    def __init__(self, resolve: Resolver, limits: Limits) -> None:
        self._resolve = resolve
        self.limits = limits
        self.connections: set[FastProtocol] = set()
        self._status: dict[int, bytes] = {}
        self._shared: tuple[Answer, bytes] | None = None

    def resolve(self, request: Request) -> Answer | Waiting | None:
        """Ask the resolver."""
        try:
            return self._resolve(request)
        except Exception:  # our mistake about one address must not cost the connection
            log.exception("origin.failed")
            return FAILED

    def head(self, answer: Answer, more: bytes = b"") -> bytes:
        """All that is sent before the body."""
        status = self._status.get(answer.status)
        if status is None:
            phrase = HTTPStatus(answer.status).phrase
            line = f"HTTP/1.1 {int(answer.status)} {phrase}\r\ndate: {formatdate(usegmt=True)}\r\n"
            status = self._status[answer.status] = line.encode()
        return b"%b%b%b\r\n" % (status, answer.head, more)

    def whole(self, answer: Answer) -> bytes:
        """Head and body in one, the same object for everybody who gets this answer within a moment."""
        if self._shared is None or self._shared[0] is not answer:
            self._shared = (answer, b"".join((self.head(answer), *answer.body)))
        return self._shared[1]

    async def watch(self) -> None:
        """Keep the date right and end what takes too long, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.look)
            self._status.clear()
            self._shared = None
            now = loop.time()
            for number, connection in enumerate([one for one in self.connections if one.due <= now], 1):
                if connection.due <= now:
                    connection.expire()
                if number % SLICE == 0:
                    await asyncio.sleep(0)  # a whole crowd may have waited equally long


class FastProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, lane: Lane, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._lane = lane
        self._group: Group | None = None
        self._request: Request | None = None
        self._held = b""
        """What came before the answer to the request before it was sent."""
        self._begun = False
        """The parser is inside a request."""
        self._head_size: int | None = None
        """Bytes that came after the piece in which the head began, until it ends."""
        self._too_large = False
        self._deadline = math.inf
        self._stalled = math.inf

    @property
    def due(self) -> float:
        """The loop's time when `expire` must be called."""
        return min(self._deadline, self._stalled)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """asyncio.Protocol."""
        super().connection_made(transport)
        self._lane.connections.add(self)
        self._deadline = self.loop.time() + self._lane.limits.head
        if len(self._lane.connections) > self._lane.limits.connections:
            self._refuse(TOO_MANY)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio.Protocol."""
        self._lane.connections.discard(self)
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """asyncio.Protocol."""
        if self._request is not None or (self.flow.write_paused and self._idle):
            self._hold(data)
        elif not (self._idle and len(data) <= LARGEST_HEAD and self._take(data)):
            self._parse(data)

    def pause_writing(self) -> None:
        """asyncio.Protocol: the client reads more slowly than we write."""
        super().pause_writing()
        self._stalled = self.loop.time() + self._lane.limits.stalled

    def resume_writing(self) -> None:
        """asyncio.Protocol."""
        super().resume_writing()
        self._stalled = math.inf
        self._go_on()

    def answer(self, answer: Answer) -> None:
        """The answer to the request that was taken (`bell.Waiter`)."""
        request, self._request, self._group = self._request, None, None
        if request is None or self.transport.is_closing():
            return
        self._deadline = self.loop.time() + self._lane.limits.idle
        self._write(answer, request)
        self._go_on()

    def expire(self) -> None:
        """Too long: answer, close or cut the connection, whatever is fair."""
        if self._stalled <= self.loop.time() or self.transport.is_closing():
            self.transport.abort()
        elif self._group is not None:
            late = self._group.waiting.late
            self._leave()
            self.answer(late)
        elif self._head_size is not None:
            self._refuse(TOO_SLOW)
        else:
            self._close()

    def shutdown(self) -> None:
        """The server ends: who waits is told to come again."""
        if self._group is not None and self._request is not None:
            late, request = self._group.waiting.late, self._request
            self._leave()
            self._request = None
            self._write(late, request, CLOSE)
            self._close()
        else:
            super().shutdown()

    def on_message_begin(self) -> None:
        """httptools."""
        self._begun, self._head_size = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """httptools."""
        self._head_size, self._deadline = None, math.inf  # the app's time begins
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > LARGEST_HEAD:
            self._too_large = True
            raise ValueError("too large")  # ends in send_400_response
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """httptools."""
        self._begun = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """uvicorn: the app has answered."""
        limits = self._lane.limits
        self._deadline = self.loop.time() + (limits.head if self._begun else limits.idle)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """uvicorn: the parser gave up."""
        self._refuse(TOO_LARGE if self._too_large else BROKEN)

    @property
    def _idle(self) -> bool:
        """Nothing of another request is on its way, neither in nor out."""
        return not self._begun and (self.cycle is None or self.cycle.response_complete)

    def _take(self, data: bytes) -> bool:
        """Answer a request here, now or later; False when it must go the usual way."""
        found = REQUEST.fullmatch(data)
        if found is None:
            return False
        method, target, head = found.groups()
        if b"%" in target or UNUSUAL.search(head):
            return False
        path, _, query = target.partition(b"?")
        client = self.client[0] if self.client else ""
        request = Request(method.decode(), path.decode(), query, head, client)
        resolved = self._lane.resolve(request)
        if resolved is None:
            return False
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        self._request = request
        if isinstance(resolved, Waiting):
            self._group = resolved.bell.join(resolved, self)
            self._deadline = self.loop.time() + resolved.patience
        else:
            self.answer(resolved)
        return True

    def _write(self, answer: Answer, request: Request, more: bytes = b"") -> None:
        answer = ranged(answer, request)
        if request.method == "HEAD":
            self.transport.write(self._lane.head(answer, more))
        elif answer.size > LARGEST_COPY or more:
            self.transport.writelines((self._lane.head(answer, more), *answer.body))
        else:
            self.transport.write(self._lane.whole(answer))

    def _parse(self, data: bytes) -> None:
        """The usual way: httptools, uvicorn, the ASGI app."""
        if self.transport.is_closing():
            return
        if self._idle:
            self._deadline = min(self._deadline, self.loop.time() + self._lane.limits.head)
        if self._head_size is not None:
            self._head_size += len(data)
        super().data_received(data)
        if self._head_size is not None and self._head_size > LARGEST_HEAD:
            self._refuse(TOO_LARGE)

    def _refuse(self, answer: Answer) -> None:
        """The last answer on this connection, unless another one is on its way."""
        self._head_size = None
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.writelines((self._lane.head(answer, CLOSE), *answer.body))
        self._close()

    def _close(self) -> None:
        """Close as soon as the client has read what it was sent, or does not read any more."""
        self._deadline = self.loop.time() + self._lane.limits.stalled
        self.transport.close()

    def _hold(self, data: bytes) -> None:
        """Keep what comes too early, up to a limit; a client may ask for the next thing while it waits."""
        self._held += data
        if len(self._held) > LARGEST_HEAD:
            self.flow.pause_reading()

    def _go_on(self) -> None:
        if self._held and self._request is None and not self.flow.write_paused:
            held, self._held = self._held, b""
            self.flow.resume_reading()
            self.data_received(held)

    def _leave(self) -> None:
        if self._group is not None:
            self._group.waiting.bell.leave(self._group, self)
            self._group = None
