"""HTTP requests and answers of the media port, apart from how they travel."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final, Protocol

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
    (
        b"access-control-expose-headers",
        b"Age, Cache-Control, Content-Length, Content-Range, Date, Retry-After",
    ),
    (b"timing-allow-origin", b"*"),
)
ALWAYS_LINES: Final = b"".join(b"%b: %b\r\n" % field for field in ALWAYS)
PREFLIGHT: Final[tuple[Header, ...]] = (
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (b"access-control-allow-headers", b"*"),
    (b"access-control-max-age", b"86400"),
)
RANGES: Final = re.compile(rb"bytes=(?:([0-9]{1,15})-([0-9]{1,15})?|-([0-9]{1,15}))")
"""One range; more than one at a time may be answered with the whole (RFC 9110, 14.2)."""


@dataclass(slots=True)
class Request:
    """What an answer may depend on."""

    method: str
    path: str
    """Decoded, without the query."""
    query: bytes = b""
    head: bytes = b""
    """The header fields as they came, each behind a CRLF. Ask `header`."""
    client: str = ""
    """The address at the other end of the connection, which may be a proxy's; empty when unknown."""
    _lower: bytes = field(default=b"", init=False, repr=False, compare=False)

    @classmethod
    def of(cls, scope: Scope) -> Request:
        """What an ASGI server was asked."""
        head = b"".join(b"\r\n%b: %b" % field for field in scope["headers"])
        client = scope.get("client")
        return cls(scope["method"], scope["path"], scope["query_string"], head, client[0] if client else "")

    def header(self, name: bytes) -> bytes:
        """The value of a header field (`name` in lower case); several are joined by commas, none is empty."""
        if not self._lower:
            self._lower = self.head.lower()
        wanted = b"\r\n%b:" % name
        at = self._lower.find(wanted)
        if at < 0:
            return b""
        value, at = self._value(at + len(wanted))
        while (at := self._lower.find(wanted, at)) >= 0:
            another, at = self._value(at + len(wanted))
            value = b"%b, %b" % (value, another)
        return value

    def _value(self, begins: int) -> tuple[bytes, int]:
        """What a line holds from there, and where it ends."""
        ends = self.head.find(b"\r\n", begins)
        ends = ends if ends >= 0 else len(self.head)
        return self.head[begins:ends].strip(b" \t"), ends

    @property
    def takes_gzip(self) -> bool:
        """Whether the answer may be zipped."""
        accepted = self.header(b"accept-encoding").lower()
        if b";" not in accepted:
            return b"gzip" in accepted
        for offer in accepted.split(b","):
            coding, _, weight = offer.partition(b";")
            if coding.strip() == b"gzip":
                return re.fullmatch(rb"q=0(\.0*)?", weight.replace(b" ", b"")) is None
        return False


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response; `body` may come in pieces, so that a segment need not be copied together.

    Make it once and give it to everybody: its header fields are put together at the first use.
    """

    status: int
    kind: str
    cache: str
    body: Sequence[bytes] = ()
    more: tuple[Header, ...] = ()
    ranges: bool = False
    """Whether a part of the body may be asked for (`ranged`)."""
    size: int = field(init=False)
    """Bytes of the body."""
    _head: bytes = field(default=b"", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", sum(map(len, self.body)))

    @property
    def head(self) -> bytes:
        """All header fields but those of the connection, each with its CRLF."""
        if not self._head:
            own = (
                f"content-type: {self.kind}\r\ncontent-length: {self.size}\r\ncache-control: {self.cache}\r\n"
            )
            ranges = b"accept-ranges: bytes\r\n" if self.ranges else b""
            more = b"".join(b"%b: %b\r\n" % field for field in self.more)
            object.__setattr__(self, "_head", b"%b%b%b%b" % (own.encode(), ranges, ALWAYS_LINES, more))
        return self._head

    @property
    def fields(self) -> list[Header]:
        """The same for an ASGI server."""
        lines = self.head.split(b"\r\n")[:-1]
        return [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]


class Guard(Protocol):
    """Asked before anything of a show is served. Must be quick: it is asked for every part."""

    def refusal(self, request: Request) -> Answer | None:
        """Why this request is not served; None when it may be."""
        ...


def refusal(status: HTTPStatus, cache: str, sentence: str, more: tuple[Header, ...] = ()) -> Answer:
    """An error with a sentence for whoever looks at the network tab."""
    return Answer(status, TEXT, cache, (f"{sentence}\n".encode(),), more)


def ranged(answer: Answer, request: Request) -> Answer:
    """The bytes a Range header asks for: 206, 416, or everything when it makes no sense (RFC 9110, 14).

    Everything also for If-Range: we name no versions, because no address ever gets a second one.
    """
    if not answer.ranges or request.method != "GET" or request.header(b"if-range"):
        return answer
    asked = request.header(b"range")
    found = RANGES.fullmatch(asked)
    if found is None:
        return answer
    first, last, suffix = found.groups()
    begins = int(first) if first else max(0, answer.size - int(suffix))
    ends = min(int(last) + 1, answer.size) if last else answer.size
    if first and last and int(last) < int(first):
        return answer
    if begins >= ends:
        more = ((b"content-range", b"bytes */%d" % answer.size),)
        return refusal(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, answer.cache, "That is past its end.", more
        )
    place = (b"content-range", b"bytes %d-%d/%d" % (begins, ends - 1, answer.size))
    body = _cut(answer.body, begins, ends)
    return replace(answer, status=HTTPStatus.PARTIAL_CONTENT, body=body, more=(*answer.more, place))


def _cut(body: Sequence[bytes], begins: int, ends: int) -> tuple[bytes, ...]:
    pieces, at = [], 0
    for piece in body:
        cut = piece[max(0, begins - at) : max(0, ends - at)]
        at += len(piece)
        if cut:
            pieces.append(cut)
    return tuple(pieces)


async def respond(send: Send, answer: Answer, *, with_body: bool) -> None:
    """Send the answer by ASGI; a HEAD request gets the same header fields and no body."""
    await send({"type": "http.response.start", "status": int(answer.status), "headers": answer.fields})
    *before, last = answer.body if with_body and answer.body else (b"",)
    for piece in before:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": last})


async def preflight(send: Send) -> None:
    """What a browser asks before a cross-origin request: everything is allowed."""
    headers = [*ALWAYS, *PREFLIGHT]
    await send({"type": "http.response.start", "status": HTTPStatus.NO_CONTENT.value, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
