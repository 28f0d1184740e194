"""The work process: jobs, chats, and, in one process at a time, the clockwork and the media workers' news."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from hub.app import services
from hub.errors import Unavailable
from hub.services import Services
from hub.settings import Settings
from hub.shows.models import MediaWorker
from hub.work.chats import Chats
from hub.work.clockwork import clockwork
from hub.work.jobs import job_app, run_jobs
from hub.work.leader import lead
from restream.api import WorkerEvent
from restream.client import WorkerUnreachable

log = structlog.get_logger()

CONCURRENCY = 16
RESTART_AFTER = 1.0


async def run_work(
    settings: Settings, environ: Mapping[str, str], ready: Callable[[], None] = lambda: None
) -> None:
    """Until cancelled. `ready` is called when everything is loaded."""
    async with services(settings, environ) as hub:
        await hub.media.register()
        app = job_app(hub)
        async with app.open_async():

            async def duty() -> None:
                scheduler = clockwork(hub, app)
                scheduler.start()
                try:
                    await follow_workers(hub)
                finally:
                    scheduler.shutdown(wait=False)

            async with asyncio.TaskGroup() as group:
                group.create_task(again("jobs", lambda: run_jobs(app, CONCURRENCY)))
                group.create_task(again("leader", lambda: lead(hub.db.url, duty)))
                group.create_task(again("chats", Chats(hub).run))
                ready()
                log.info("work.ready")


async def again(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Keep one part running: its end, for whatever reason, is followed by a fresh start."""
    while True:
        try:
            await run()
        except Exception:  # a supervisor: the parts must not take each other down
            log.exception("work.part_failed", part=name)
        await asyncio.sleep(RESTART_AFTER)


async def follow_workers(hub: Services) -> None:
    """Hear every media worker's news."""
    async with asyncio.TaskGroup() as group:
        for worker in await hub.media.workers():
            group.create_task(follow_worker(hub, worker))


async def follow_worker(hub: Services, worker: MediaWorker) -> None:
    """One worker: tell it everything when it comes (back), then listen."""
    client = hub.media.client(worker)
    try:
        while True:
            try:
                await hub.media.sync_all(worker, client)
                async for event in client.events():
                    await hear(hub, event)
            except WorkerUnreachable as error:
                log.warning("media.worker_away", worker=worker.address, why=str(error))
            except Unavailable as error:
                log.warning("media.no_database", why=error.detail)
            await asyncio.sleep(RESTART_AFTER)
    finally:
        await client.close()


async def hear(hub: Services, event: WorkerEvent) -> None:
    """One piece of news. An odd one is passed over: stopping here would stop all that come after it."""
    try:
        await hub.media.heard(event)
    except Unavailable:
        raise
    except Exception:  # a supervisor: the once-a-second status makes good what was passed over
        log.exception("media.news_not_understood", kind=event.kind, slug=event.slug)
