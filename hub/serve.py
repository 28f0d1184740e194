"""How each process of the hub is run alone: the event loop, its logs, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog
import uvicorn
import uvloop

from hub.pauses import keep_pauses_short
from hub.settings import Settings

if TYPE_CHECKING:
    from hub.stock.lane import LanedApp

LAST_SECONDS: Final = 8
BACKLOG: Final = 4096
NOT_STARTED: Final = 3
"""Exit code, as uvicorn has it."""

Process = Callable[[Settings, Mapping[str, str]], None]


def configure_logs(level: str) -> None:
    """One JSON object per line on standard error, for us and for libraries."""
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # These log every address they call, and some platforms carry tokens in addresses.
    for name in ("httpx", "httpcore", "urllib3", "googleapiclient", "apscheduler", "procrastinate", "picows"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


def serve_api(settings: Settings, environ: Mapping[str, str]) -> None:
    """The HTTP process."""
    from hub.app import create_app

    configure_logs(settings.log_level)
    run_http(create_app(settings, environ), settings)


def run_http(app: LanedApp, settings: Settings) -> None:
    """Answer over HTTP until stopped."""
    from sqlalchemy.orm import configure_mappers

    from hub.stock.fast import protocol_of

    configure_mappers()  # half a second, which would fall on the first who asks
    keep_pauses_short()
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=protocol_of(app),
        ws="none",
        log_config=None,
        access_log=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=2,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
    )
    port = bound(settings.bind, settings.http_port, shared=settings.api_processes > 1)
    server = uvicorn.Server(config)
    server.run(sockets=[port])
    if not server.started:
        raise SystemExit(NOT_STARTED)


def bound(bind: str, port: int, *, shared: bool) -> socket.socket:
    """A port that is ours but does not listen yet: who comes while we start is refused, or, where several
    processes share the port, goes to another one.
    """
    found = socket.socket(socket.AF_INET6 if ":" in bind else socket.AF_INET)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        found.bind((bind, port))
    except OSError:
        found.close()
        raise
    return found


def serve_gateway(settings: Settings, _: Mapping[str, str]) -> None:
    """The gateway process."""
    from hub.gateway.app import run_gateway

    configure_logs(settings.log_level)
    keep_pauses_short()
    run_until_stopped(run_gateway(settings))


def serve_work(settings: Settings, environ: Mapping[str, str]) -> None:
    """The work process."""
    from hub.work.app import run_work

    configure_logs(settings.log_level)
    run_until_stopped(run_work(settings, environ, keep_pauses_short))


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop; SIGTERM and Ctrl-C cancel the work, which then cleans up, but not for ever."""

    async def guarded() -> None:
        task = asyncio.ensure_future(work)

        def stop() -> None:
            # Cleaning up may wait for a database that is gone; the kernel ends us then.
            signal.alarm(LAST_SECONDS)
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    uvloop.run(guarded())


PROCESSES: Final[Mapping[str, Process]] = {
    "api": serve_api,
    "gateway": serve_gateway,
    "work": serve_work,
}
