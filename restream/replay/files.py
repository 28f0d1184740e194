"""Parts of files as HTTP answers: ranges, conditions, and bytes read in threads as the viewer takes them.

Sources: RFC 9110, 13 (conditions) and 14 (ranges).
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import structlog

from restream.hls.respond import ALWAYS, RANGES, Answer, Header, Request, Send, refusal, respond

log = structlog.get_logger()

PIECE: Final = 256 << 10
"""Bytes read at a time: what a viewer on a slow line keeps in memory."""
MOST_READS: Final = 200
"""Reads that may wait for the disk; who comes on top is asked to come again."""
NEVER: Final = "no-store"
RETRY: Final = ((b"retry-after", b"1"),)
BUSY: Final = refusal(HTTPStatus.SERVICE_UNAVAILABLE, NEVER, "Too many at once. Try again.", RETRY)

InThread = Callable[[Callable[[], bytes]], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a file that never change, as an answer of its own."""

    path: Path
    at: int
    size: int
    kind: str
    cache: str

    @property
    def tag(self) -> bytes:
        """ETag."""
        return b'"%x-%x"' % (self.at, self.size)


class Gone(Exception):
    """The file is not there any more, or too short."""


class Files:
    """`in_thread` runs what touches the disk."""

    def __init__(self, in_thread: InThread, most_reads: int = MOST_READS) -> None:
        self._in_thread = in_thread
        self._most_reads = most_reads
        self._reading = 0

    async def send(self, part: Part, request: Request, send: Send) -> None:
        """Answer a request for it. Raises Gone before anything was sent."""
        found = selected(part, request)
        if isinstance(found, Answer):
            await respond(send, found, with_body=request.method != "HEAD")
            return
        status, begins, ends, fields = found
        if request.method == "HEAD":
            await _start(send, status, fields)
            await send({"type": "http.response.body", "body": b""})
            return
        if self._reading >= self._most_reads:
            await respond(send, BUSY, with_body=True)
            return
        with _Open(part.path) as file:
            await self._stream(file, (begins, ends), send, (status, fields))

    async def _stream(
        self, file: _Open, span: tuple[int, int], send: Send, head: tuple[HTTPStatus, list[Header]]
    ) -> None:
        """The first piece is read before anything is said; later failures can only cut the connection."""
        at, ends = span
        data = await self._read(file, at, ends)
        if not data:
            raise Gone
        await _start(send, *head)
        while at + len(data) < ends:
            await send({"type": "http.response.body", "body": data, "more_body": True})
            at += len(data)
            data = await self._read(file, at, ends)
            if not data:
                raise ConnectionAbortedError("the file ended in the middle of an answer")
        await send({"type": "http.response.body", "body": data})

    async def _read(self, file: _Open, at: int, ends: int) -> bytes:
        """Some bytes; none when the file is gone or too short."""
        self._reading += 1
        try:
            return await self._in_thread(lambda: file.read(at, min(PIECE, ends - at)))
        except OSError as error:
            log.warning("replay.not_read", file=file.name, why=error.strerror)
            return b""
        finally:
            self._reading -= 1


class _Open:
    """A file that is opened in the thread that first reads it."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> _Open:
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def read(self, at: int, size: int) -> bytes:
        """Some bytes. Blocks; raises OSError."""
        if self._descriptor < 0:
            self._descriptor = os.open(self._path, os.O_RDONLY)
        return os.pread(self._descriptor, size, at)


def selected(part: Part, request: Request) -> Answer | tuple[HTTPStatus, int, int, list[Header]]:
    """Status, bytes from and to in the file, header fields; or the answer where no bytes are sent. Pure."""
    own: tuple[Header, ...] = ((b"etag", part.tag), (b"accept-ranges", b"bytes"))
    known = request.header(b"if-none-match")
    if known == b"*" or part.tag in re.split(rb"\s*,\s*", known.replace(b"W/", b"")):
        return Answer(HTTPStatus.NOT_MODIFIED, part.kind, part.cache, (), own)
    status, begins, ends = HTTPStatus.OK, 0, part.size
    condition = request.header(b"if-range")
    wanted = RANGES.fullmatch(request.header(b"range")) if condition in (b"", part.tag) else None
    if wanted:
        first, last, suffix = wanted.groups()
        begins = int(first) if first else max(0, part.size - int(suffix))
        ends = min(int(last) + 1, part.size) if last else part.size
        if first and last and int(last) < int(first):
            begins, ends = 0, part.size  # makes no sense, and so is no range
        elif begins >= ends:
            more = ((b"content-range", b"bytes */%d" % part.size),)
            status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            return refusal(status, part.cache, "That is past its end.", more)
        else:
            status = HTTPStatus.PARTIAL_CONTENT
            own = (*own, (b"content-range", b"bytes %d-%d/%d" % (begins, ends - 1, part.size)))
    fields = [
        (b"content-type", part.kind.encode()),
        (b"content-length", str(ends - begins).encode()),
        (b"cache-control", part.cache.encode()),
        *own,
        *ALWAYS,
    ]
    return status, part.at + begins, part.at + ends, fields


async def _start(send: Send, status: HTTPStatus, fields: list[Header]) -> None:
    await send({"type": "http.response.start", "status": status.value, "headers": fields})
