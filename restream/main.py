"""Puts a media worker together and runs it until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import structlog

from restream.control import Control
from restream.journal import Journal
from restream.public import MediaApp
from restream.rtmp.server import serve
from restream.serving import serving
from restream.settings import MediaSettings
from restream.targets.target import Outfit
from restream.tls import client_context, files_in, server_context
from restream.worker import Worker

log = structlog.get_logger()

STATISTICS_EVERY: Final = 1.0
LAST_SECONDS: Final = 15


@asynccontextmanager
async def running(settings: MediaSettings) -> AsyncIterator[Worker]:
    """A worker with all its ports open. OSError names a port that is taken."""
    journal = Journal()
    outfit = Outfit(client_context(settings.media_ca_file), on_change=lambda status: None)
    worker = Worker(outfit, journal)
    control = Control(worker, journal, settings.media_token)
    certificate, key = certificate_of(settings)
    async with AsyncExitStack() as stack:
        for port, context in (
            (settings.rtmp_port, None),
            (settings.rtmps_port, server_context(certificate, key)),
        ):
            server = await serve(worker, settings.bind, port, ssl=context)
            stack.push_async_callback(server.close)
        await stack.enter_async_context(serving(MediaApp(worker), settings.bind, settings.media_port))
        await stack.enter_async_context(serving(control.app, settings.bind, settings.media_control_port))
        stack.push_async_callback(worker.stop)
        statistics = asyncio.create_task(worker.tell_statistics(STATISTICS_EVERY))
        stack.callback(statistics.cancel)
        log.info("media.ready", rtmp=settings.rtmp_port, media=settings.media_port)
        yield worker


def certificate_of(settings: MediaSettings) -> tuple[Path, Path]:
    """For RTMPS: the one that is set, or one made for development."""
    if settings.rtmps_cert and settings.rtmps_key:
        return settings.rtmps_cert, settings.rtmps_key
    made = files_in(settings.data / "certificate")
    if not all(file.exists() for file in made):
        from restream.certificate import development_certificate

        development_certificate(settings.data / "certificate")
    return made


async def run(settings: MediaSettings) -> None:
    """Until cancelled."""
    async with running(settings):
        await asyncio.Event().wait()


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """SIGTERM and Ctrl-C cancel the work, which then cleans up, but not for ever."""
    task = asyncio.ensure_future(work)

    def stop() -> None:
        signal.alarm(LAST_SECONDS)  # the kernel ends us then
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await task
