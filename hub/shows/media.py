"""Between the show table and the media worker: wanted state goes down whole, news comes up."""

from __future__ import annotations

from uuid import UUID

import structlog
from pydantic import SecretStr
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.errors import RetryLater
from hub.bus import Event
from hub.clock import Clock
from hub.db import Database, announce
from hub.ids import new_id
from hub.jobs import defer
from hub.secrets import Vault
from hub.settings import Settings
from hub.shows.models import MediaWorker, Show, ShowTarget
from hub.shows.service import Shows, lock_of
from restream.api import LiveSpec, LiveStatus, TargetSpec, TargetStatus, WorkerEvent
from restream.client import WorkerClient, WorkerUnreachable

log = structlog.get_logger()


class Media:
    """Speaks to one installation's media workers."""

    def __init__(
        self, db: Database, clock: Clock, vault: Vault, shows: Shows, *, settings: Settings, token: SecretStr
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._shows = shows
        self._settings = settings
        self._token = token

    async def register(self) -> None:
        """Enter the local worker into the table, with the addresses it has today."""
        settings = self._settings
        now = {
            "playback_url": settings.media_url(),
            "ingest_url": f"rtmp://{settings.public_host}:{settings.rtmp_port}/live",
            "last_seen": self._clock(),
        }
        row = {"id": new_id(), "address": settings.control_url(), "capacity": 4, "last_event": 0}
        async with self._db.session() as session:
            statement = insert(MediaWorker).values(**row, **now)
            await session.exec(statement.on_conflict_do_update(index_elements=["address"], set_=now))

    async def workers(self) -> list[MediaWorker]:
        """Every worker."""
        async with self._db.session() as session:
            return [*(await session.exec(select(MediaWorker))).all()]

    def client(self, worker: MediaWorker) -> WorkerClient:
        """A client of one worker."""
        return WorkerClient(worker.address, self._token.get_secret_value())

    async def sync(self, show_id: UUID) -> None:
        """Send a show's whole wanted state to its worker."""
        async with self._db.session() as session:
            show = await session.get(Show, show_id)
            if show is None or show.media_worker_id is None:
                return
            worker = await session.get_one(MediaWorker, show.media_worker_id)
            spec = await self._spec(session, show)
        client = self.client(worker)
        try:
            await client.put(spec)
        except WorkerUnreachable as error:
            raise RetryLater(str(error), 1.0) from error
        finally:
            await client.close()

    async def sync_all(self, worker: MediaWorker, client: WorkerClient) -> None:
        """After a worker came back: everything it should know, and an end for what it should not."""
        running = [live.slug for live in await client.lives() if live.open]
        async with self._db.session() as session:
            query = select(Show).where(
                col(Show.media_worker_id) == worker.id,
                (col(Show.state) != "ended") | col(Show.slug).in_(running),
            )
            specs = [await self._spec(session, show) for show in await session.exec(query)]
        for spec in specs:
            await client.put(spec)

    async def _spec(self, session: AsyncSession, show: Show) -> LiveSpec:
        targets = [
            TargetSpec(
                id=str(target.id),
                name=target.name,
                url=self._vault.open(target.url_sealed),
                key=SecretStr(self._vault.open(target.key_sealed)),
                wanted=target.wanted and show.state == "live",
            )
            for target in await self._shows.targets(session, show.id)
            if target.url_sealed and target.key_sealed
        ]
        return LiveSpec(
            slug=show.slug,
            version=show.spec_version,
            key_hashes=[show.stream_key_hash],
            targets=targets,
            open=show.state != "ended",
        )

    async def heard(self, event: WorkerEvent) -> None:
        """One piece of news from a worker."""
        if event.status:
            await self._take_status(event.status)
        elif event.target:
            async with self._db.session() as session:
                await self._take_target(session, event.target)
        elif event.kind in ("publisher.started", "publisher.stopped", "publisher.refused"):
            await self._take_publisher(event)

    async def _take_status(self, status: LiveStatus) -> None:
        """The whole truth about a live, once a second: whatever news was lost before is made good here."""
        async with self._db.session() as session:
            query = select(Show).where(col(Show.slug) == status.slug).with_for_update()
            show = (await session.exec(query)).first()
            if show is None or show.state == "ended":
                return
            ingest = ingest_of(status)
            if ingest != show.ingest:
                show.ingest = ingest
                data = ingest or {}
                announce(session, Event(show_id=show.id, kind="ingest.changed", audience="staff", data=data))
            if show.playable != status.playable:
                show.playable = status.playable
                data = {"playable": status.playable}
                announce(session, Event(show_id=show.id, kind="playback.changed", data=data))
            for target in sorted(status.targets, key=lambda one: one.id):
                await self._take_target(session, target)

    async def _take_target(self, session: AsyncSession, status: TargetStatus) -> None:
        query = select(ShowTarget).where(col(ShowTarget.id) == UUID(status.id)).with_for_update()
        target = (await session.exec(query)).first()
        if target is None:
            return
        went_live = status.state == "live" and target.state != "live"
        if target.state != status.state:
            target.state_since = status.since
        target.state, target.next_try_at = status.state, status.next_try_at
        if status.state != "live":
            target.reason = status.reason
        elif went_live:
            target.reason = None
        for counter in ("bytes_sent", "frames_sent", "frames_dropped", "connects"):
            setattr(target, counter, getattr(status, counter))
        if session.is_modified(target):
            self._shows.tell_target(session, target)
        if went_live:
            key = f"target.started:{target.id}"
            await defer(session, "target.started", key=key, lock=lock_of(target), target_id=str(target.id))

    async def _take_publisher(self, event: WorkerEvent) -> None:
        async with self._db.session() as session:
            query = select(Show).where(col(Show.slug) == event.slug).with_for_update()
            show = (await session.exec(query)).first()
            if show is None:
                return
            if event.kind == "publisher.refused":
                data = {"reason": event.reason}
                announce(session, Event(show_id=show.id, kind="ingest.refused", audience="staff", data=data))
                return
            publisher = event.publisher if event.kind == "publisher.started" else None
            show.ingest = {"publishing": True, **publisher.model_dump(mode="json")} if publisher else None
            data = show.ingest or {"publishing": False, "reason": event.reason}
            announce(session, Event(show_id=show.id, kind="ingest.changed", audience="staff", data=data))


def ingest_of(status: LiveStatus) -> dict[str, object] | None:
    """What the studio shows of the feed; rates rounded, so that they are news only when they change."""
    if status.publisher is None:
        return None
    found = status.publisher.model_dump(mode="json")
    found["bitrate_kbps"] = round(status.publisher.bitrate_kbps, -2)
    found["fps"] = round(status.publisher.fps) if status.publisher.fps else None
    return {"publishing": True, **found}
