"""HTTP servers inside an event loop that somebody else runs, and logs as JSON lines."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Final, cast

import structlog
import uvicorn

from restream.hls.fast import FastProtocol, Lane, Limits, Resolver
from restream.hls.respond import Request

MOST_CONNECTIONS: Final = 50_000
OTHER_FILES: Final = 512
"""Open files that connections must leave to publishers, targets, recordings and children."""

TICKS: Final = 10
"""What uvicorn counts as a second."""


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the loop, and wakes an idle worker seldom."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()

    async def main_loop(self) -> None:
        """Once a second, for the Date header; uvicorn's own loop wakes up ten times as often."""
        ticks = 0
        while not self.stopping.is_set():
            await self.on_tick(ticks)
            ticks += TICKS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self.stopping.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def nothing(request: Request) -> None:
    """A resolver that leaves everything to the app."""


def room() -> int:
    """How many connections this process can have, after asking for as many files as it may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    files = soft if soft != resource.RLIM_INFINITY else MOST_CONNECTIONS
    return max(files // 2, min(files - OTHER_FILES, MOST_CONNECTIONS))


@asynccontextmanager
async def serving(
    app: Any, host: str, port: int, resolve: Resolver = nothing, limits: Limits | None = None
) -> AsyncIterator[int]:
    """Serve an ASGI app; the port it got (0 picks a free one). OSError when the port is taken.

    `resolve` is asked first about every simple GET; what it knows is answered without the app.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, 6)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(4096)
    except OSError:
        listener.close()
        raise
    lane = Lane(resolve, limits or Limits(connections=room()))
    config = uvicorn.Config(
        app,
        http=cast(type[asyncio.Protocol], partial(FastProtocol, lane)),
        interface="asgi3",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    watching = asyncio.create_task(lane.watch())
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        server.stopping.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        watching.cancel()
        for connection in list(lane.connections):
            connection.transport.abort()  # it had its time to read what it was sent
        with contextlib.suppress(asyncio.CancelledError):
            await watching


def configure_logs(level: str) -> None:
    """One JSON object per line on standard error."""
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # It writes whole addresses, and some hold what only we and a platform should know.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
