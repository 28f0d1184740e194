"""The hot endpoint at the socket: a request for a hold is read and answered without an ASGI task.

uvicorn's connection is kept for everything else. A POST for a hold that arrives whole and alone, as browsers
and proxies send it, is read by its few headers that matter, queued, and written to when its batch is
decided. Whatever else comes (pieces, pipelined requests, other addresses) goes the usual way, where
`LanedApp` gives the same answers. uvicorn's internals are used in this file alone.
"""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Any, Final, cast

import structlog
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.errors import HubError
from hub.stock.facts import Taken
from hub.stock.lane import LARGEST_BODY, PATH, SAFE, LanedApp, Reply, answer_of, refused

log = structlog.get_logger()

BEGINS: Final = b"POST %b HTTP/1.1\r\n" % PATH.encode()
LENGTH: Final = b"\r\ncontent-length:"
CONNECTION: Final = b"\r\nconnection:"
AUTHORIZATION: Final = b"\r\nauthorization:"
FORWARDED: Final = b"\r\nx-forwarded-for:"
CREATED: Final = b"HTTP/1.1 201 Created\r\n%%b%b%%d\r\n%b\r\n%%b" % (
    b"content-type: application/json\r\ncontent-length: ",
    b"".join(b"%b: %b\r\n" % one for one in SAFE),
)
LARGEST_HELD: Final = 64 << 10
"""Bytes kept of a client that goes on asking before it was answered; more ends the connection."""


def protocol_of(app: LanedApp) -> type[asyncio.Protocol]:
    """What uvicorn makes of each connection (its `http` setting)."""
    return cast(type[asyncio.Protocol], partial(HoldsProtocol, app))


class HoldsProtocol(HttpToolsProtocol):
    """One connection, and the waiter of the request it is asking (`reserve.Waiter`)."""

    def __init__(self, app: LanedApp, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._laned = app
        self._asking = False
        self._held = b""
        """What came before the answer to the request before it."""
        self._inside = False
        """The parser is inside a request."""
        self._last = False
        """The connection ends with the next answer."""
        self._answered_at = 0.0
        self._said: list[tuple[bytes, bytes]] | None = None
        self._head = b""

    def data_received(self, data: bytes) -> None:
        """asyncio.Protocol."""
        if self._asking:
            self._held += data
            if len(self._held) > LARGEST_HELD:
                self.transport.abort()
        elif not (data.startswith(BEGINS) and self._idle and self._ask(data)):
            super().data_received(data)

    def shutdown(self) -> None:
        """uvicorn: the server ends. Who asked is still answered, and then let go."""
        if self._asking:
            self._last = True
        else:
            super().shutdown()

    def on_message_begin(self) -> None:
        """httptools."""
        self._inside = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """httptools."""
        self._inside = False
        super().on_message_complete()

    def done(self) -> bool:
        """Whether the buyer has gone."""
        return not self._asking or self.transport.is_closing()

    def set_result(self, result: Taken, /) -> None:
        """The reservation."""
        body = answer_of(result, self._laned.state.services.clock()).encode()
        self._write(CREATED % (self._always(), len(body), body))

    def set_exception(self, exception: HubError, /) -> None:
        """Why there is none."""
        self._answer(refused(exception))

    @property
    def _idle(self) -> bool:
        """Nothing of another request is on its way, neither in nor out, and the client reads its answers.

        Who doesn't is left to uvicorn, which waits for them.
        """
        done = self.cycle is None or self.cycle.response_complete
        return done and not self._inside and not self.flow.write_paused

    def _ask(self, data: bytes) -> bool:
        """Queue a wish; False when the request must go the usual way."""
        end = data.find(b"\r\n\r\n") + 2
        head = data[:end].lower()
        body = data[end + 2 :]
        if end < 2 or len(body) > LARGEST_BODY or not is_plain(head):
            return False
        if head.count(LENGTH) != 1 or value_of(head, head, LENGTH) != b"%d" % len(body):
            return False
        hub = self._laned.state.services
        self._asking = True
        try:
            address = self._address(value_of(data, head, FORWARDED))
            wish = self._laned.holds.asked(hub, value_of(data, head, AUTHORIZATION), body, address)
            hub.reservations.queue(wish, self)
        except HubError as error:
            self._answer(refused(error))
        return True

    def _address(self, forwarded: bytes) -> str | None:
        """Where the request comes from, as uvicorn's middleware for proxies would have it."""
        client, proxies = self.client[0] if self.client else None, self.app
        if not forwarded or not isinstance(proxies, ProxyHeadersMiddleware):
            return client
        if client not in proxies.trusted_hosts:
            return client
        said = forwarded.decode("latin-1")
        if "," not in said and ":" not in said:
            return said  # one address without a port: whoever it is, nobody else is named
        return proxies.trusted_hosts.get_trusted_client_address(said)[0] or client

    def _answer(self, reply: Reply) -> None:
        """Any answer but the usual one."""
        status = b"%d %b" % (reply.status, HTTPStatus(reply.status).phrase.encode())
        head = b"".join(b"%b: %b\r\n" % one for one in reply.headers)
        self._write(b"HTTP/1.1 %b\r\n%b%b\r\n%b" % (status, self._always(), head, reply.body))

    def _always(self) -> bytes:
        """uvicorn's own headers, which say the date: made once a second."""
        said = self.server_state.default_headers
        if self._said is not said:
            self._said = said
            self._head = b"".join(b"%b: %b\r\n" % one for one in said)
        return self._head + b"connection: close\r\n" if self._last else self._head

    def _write(self, answer: bytes) -> None:
        """Send it, and go on with what came meanwhile."""
        self._asking = False
        self.transport.write(answer)
        self.server_state.total_requests += 1
        if self._last:
            self._held = b""  # nobody would hear of what it asks for
            self.transport.close()
            return
        self._rest()
        if self._held:
            held, self._held = self._held, b""
            self.data_received(held)

    def _rest(self) -> None:
        """Wait for the next request, but not for ever. One timer serves many requests: when it rings it looks
        how long ago the last answer was.
        """
        self._answered_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """uvicorn's timer, or ours: a request may have come since it was set."""
        self.timeout_keep_alive_task = None
        left = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if self._asking:
            return  # its answer sets the next one
        if left > 0:
            self._wait(left)
        else:
            super().timeout_keep_alive_handler()

    def _wait(self, seconds: float) -> None:
        ring = self.timeout_keep_alive_handler
        self.timeout_keep_alive_task = self.loop.call_later(seconds, ring)


def is_plain(head: bytes) -> bool:
    """Whether there is nothing in a head, in small letters, that is the HTTP parser's business."""
    lines = head.count(b"\r\n")
    return not (
        head.count(b"\n") != lines
        or head.count(b"\r") != lines
        or b"transfer-encoding" in head
        or b"expect:" in head
        or b"upgrade" in head
        or b"\0" in head
        or b"length :" in head
        or b"\n " in head
        or b"\n\t" in head
        or head.count(FORWARDED) > 1
        or b"close" in value_of(head, head, CONNECTION)
    )


def value_of(data: bytes, head: bytes, name: bytes) -> bytes:
    """A header's value, as it was sent; `head` is its beginning in small letters."""
    at = head.find(name)
    return data[at + len(name) : head.find(b"\r\n", at + 2)].strip() if at >= 0 else b""
