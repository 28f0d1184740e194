"""Every ten seconds, in one process: each live show's history and regions, and its delay to the worker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlmodel import col, select

from hub.services import Services
from hub.shows.models import MediaWorker, Show
from restream.api import Delay
from restream.client import NotPossible, WorkerUnreachable

log = structlog.get_logger()


async def note_quality(hub: Services) -> None:
    """Mark the history, then tell each worker how late its viewers are. Repeatable."""
    async with hub.db.session() as session:
        latencies = await hub.quality.mark(session)
        await hub.region_watch.mark(session)
        query = (
            select(MediaWorker, Show.id, Show.slug)
            .join(Show, col(Show.media_worker_id) == col(MediaWorker.id))
            .where(col(Show.id).in_(latencies))
        )
        found = (await session.exec(query)).all()
    workers: dict[UUID, MediaWorker] = {}
    delays: dict[UUID, list[tuple[str, float]]] = defaultdict(list)
    for worker, show_id, slug in found:
        workers[worker.id] = worker
        delays[worker.id].append((slug, latencies[show_id]))
    for worker_id, told in delays.items():
        await tell(hub, workers[worker_id], told)


async def tell(hub: Services, worker: MediaWorker, delays: Sequence[tuple[str, float]]) -> None:
    """The median latency of each show's viewers, in ms. One show that is not there is passed over."""
    client = hub.media.client(worker)
    try:
        for slug, ms in delays:
            try:
                delay = Delay(destination="player", ms=ms, way="player", at=hub.clock())
                await client.note_delay(slug, delay)
            except NotPossible as error:
                log.info("quality.delay_not_noted", slug=slug, why=str(error))
    except WorkerUnreachable as error:
        log.info("quality.worker_away", worker=worker.address, why=str(error))
    finally:
        await client.close()
