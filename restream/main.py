"""Puts a media worker together and runs it until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from restream.api import ViewersStatus
from restream.archive import Archive
from restream.control import Control
from restream.encode.encoders import Machine
from restream.encode.measure import NotMeasured, measure, remember, remembered
from restream.ingest.srt import serve_srt
from restream.ingest.whip_door import Place, WhipDoor
from restream.journal import Journal
from restream.playback.doorkeeper import Doorkeeper
from restream.playback.sites import networks
from restream.programme import House
from restream.public import Doors, MediaApp
from restream.record.library import Library
from restream.replay.door import ReplayDoor
from restream.rtmp.server import RtmpServer, serve
from restream.serving import serving
from restream.settings import MediaSettings
from restream.targets.target import Outfit
from restream.tls import client_context, files_in, server_context
from restream.webrtc.door import Terms, WhepDoor
from restream.worker import Worker

log = structlog.get_logger()

STATISTICS_EVERY: Final = 1.0
LAST_SECONDS: Final = 15
SWEEP_EVERY: Final = 3600.0
MEASURE_EVERY: Final = 5.0
MOVE_SECONDS: Final = 1.0
"""In which encoders bring up their next connection, on a planned end."""


@asynccontextmanager
async def running(settings: MediaSettings) -> AsyncIterator[Worker]:
    """A worker with all its ports open. OSError names a port that is taken."""
    journal = Journal()
    outfit = Outfit(client_context(settings.media_ca_file), on_change=lambda status: None)
    worker = Worker(House(outfit, journal, Machine(), settings.data))
    library = Library(worker.house.recordings)
    await look_for_replays(worker)
    certificate, key = certificate_of(settings)
    async with AsyncExitStack() as stack:
        servers: list[RtmpServer] = []
        for port, context in (
            (settings.rtmp_port, None),
            (settings.rtmps_port, server_context(certificate, key)),
        ):
            servers.append(await serve(worker, settings.bind, port, ssl=context))
            stack.push_async_callback(servers[-1].close)
        srt = await serve_srt(worker, settings.bind, settings.srt_port)
        stack.push_async_callback(srt.close)

        def drain(tc_url: str | None) -> int:
            return sum(server.ask_reconnect(tc_url) for server in servers)

        control = Control(worker, journal, settings.media_token, drain, Archive(worker, library).routes)
        doors = doors_of(worker, settings)
        stack.push_async_callback(doors.whip.close)
        stack.push_async_callback(doors.whep.close)
        public = MediaApp(worker, doors, settings.media_token)
        await stack.enter_async_context(serving(public, settings.bind, settings.media_port, public.resolve))
        await stack.enter_async_context(serving(control.app, settings.bind, settings.media_control_port))
        stack.push_async_callback(worker.stop)
        for task in (
            asyncio.create_task(worker.tell_statistics(STATISTICS_EVERY)),
            asyncio.create_task(sweep(worker, library, SWEEP_EVERY)),
            asyncio.create_task(learn_speed(worker, settings.data)),
            asyncio.create_task(doors.whep.stand_by(worker.all_watched)),
        ):
            stack.callback(task.cancel)
        stack.push_async_callback(until_moved, servers)
        log.info("media.ready", rtmp=settings.rtmp_port, media=settings.media_port)
        yield worker


def doors_of(worker: Worker, settings: MediaSettings) -> Doors:
    """The media port's doors, with one doorkeeper for all of them."""
    whep = WhepDoor(worker.watched, Terms.of(settings))
    proxies = networks(settings.trusted_proxies)
    guard = Doorkeeper(worker.playback, elsewhere=whep.viewers, proxies=proxies)
    worker.audience = lambda slug: ViewersStatus(
        hls=guard.viewers(slug), whep=whep.viewers(slug), refused=guard.refused(slug) + whep.refused(slug)
    )
    whip = WhipDoor(worker, Place(settings.bind, settings.webrtc_port, settings.public_host))
    return Doors(guard, whip, whep, ReplayDoor(worker.replays, guard))


async def look_for_replays(worker: Worker) -> None:
    """What lies on the disk; a disk that cannot be read costs the replays and nothing else."""
    try:
        await worker.replays.scan()
    except OSError as error:
        log.warning("replays.not_found", why=error.strerror)


async def sweep(worker: Worker, library: Library, every: float) -> None:
    """Remove recordings whose time is over, until cancelled."""
    while True:
        open_slugs = [status.slug for status in worker.statuses() if status.open]
        try:
            for slug in await library.sweep(datetime.now(UTC), open_slugs):
                log.info("recording.removed", show=slug)
            await worker.replays.scan()
        except OSError as error:
            log.warning("recording.not_swept", why=error.strerror)
        await asyncio.sleep(every)


async def learn_speed(worker: Worker, data: Path) -> None:
    """Find out, once and not during a show, what encoding costs on this machine."""
    file = data / "machine.json"
    factor = await asyncio.to_thread(remembered, file)
    while factor is None:
        await asyncio.sleep(MEASURE_EVERY)
        if not worker.may_measure():
            continue
        try:
            factor = await measure(data)
        except NotMeasured as error:
            log.warning("machine.not_measured", why=str(error))
            return
        await asyncio.to_thread(remember, file, factor)
        log.info("machine.measured", factor=factor)
    worker.house.machine.factor = factor


async def until_moved(servers: Sequence[RtmpServer]) -> None:
    """A planned end: encoders that understand are asked to come again, to whoever has the port then."""
    for server in servers:
        server.stop_listening()
    if sum(server.ask_reconnect() for server in servers):
        await asyncio.sleep(MOVE_SECONDS)


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
