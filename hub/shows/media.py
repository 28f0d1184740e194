"""Between the show table and the media worker: wanted state goes down whole, news comes up."""

from __future__ import annotations

from typing import Any
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
from hub.errors import Unavailable
from hub.ids import new_id
from hub.jobs import defer
from hub.playback.told import told
from hub.secrets import Vault
from hub.settings import Settings
from hub.shows.health import count, health_of, ingest_of
from hub.shows.models import Asset, MediaWorker, Show, ShowTarget
from hub.shows.service import Shows, lock_of
from hub.shows.spec import BACKUP, assets_of, spec_of
from restream.api import LiveSpec, LiveStatus, PlanStatus, TargetStatus, WorkerEvent
from restream.client import AssetsMissing, WorkerClient, WorkerUnreachable

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
            "srt_url": f"srt://{settings.public_host}:{settings.srt_port}",
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
            status = await self._send(client, spec, show.brand_id)
        except WorkerUnreachable as error:
            raise RetryLater(str(error), 1.0) from error
        finally:
            await client.close()
        if not spec.open:
            await self._take_last_counts(show, status)

    async def sync_all(self, worker: MediaWorker, client: WorkerClient) -> None:
        """After a worker came back: everything it should know, and an end for what it should not."""
        running = [live.slug for live in await client.lives() if live.open]
        async with self._db.session() as session:
            query = select(Show).where(
                col(Show.media_worker_id) == worker.id,
                (col(Show.state) != "ended") | col(Show.slug).in_(running),
            )
            specs = [(await self._spec(session, show), show.brand_id) for show in await session.exec(query)]
        for spec, brand_id in specs:
            await self._send(client, spec, brand_id)

    async def cost(self, brand_id: UUID, show_id: UUID) -> PlanStatus:
        """What the show's profiles will cost its worker, before anybody goes live."""
        async with self._db.session() as session:
            show = await self._shows.get(session, brand_id, show_id)
            spec = spec_of(show, await self._shows.targets(session, show.id), self._vault, planning=True)
            worker = await session.get(MediaWorker, show.media_worker_id) if show.media_worker_id else None
        if worker is None or not spec.profiles:
            return PlanStatus(cores=0, wanted_cores=0, costs={})
        client = self.client(worker)
        try:
            return await client.plan(spec)
        except WorkerUnreachable as error:
            log.warning("media.no_plan", slug=spec.slug, why=str(error))
            raise Unavailable(
                "media_away", "The media server does not say what this costs. Try again.", retry_after=5
            ) from error
        finally:
            await client.close()

    async def _send(self, client: WorkerClient, spec: LiveSpec, brand_id: UUID) -> LiveStatus:
        """PUT; the pictures the worker lacks are handed over first. It names them all at once."""
        try:
            return await client.put(spec)
        except AssetsMissing as lacking:
            await self._hand_over(client, assets_of(spec) & {*lacking.shas}, brand_id)
        try:
            return await client.put(spec)
        except AssetsMissing as lacking:
            # Dropped between two calls, or not ours to give: the job's next try begins anew.
            raise WorkerUnreachable(str(lacking)) from lacking

    async def _hand_over(self, client: WorkerClient, shas: set[str], brand_id: UUID) -> None:
        for sha in sorted(shas):
            query = select(Asset).where(col(Asset.brand_id) == brand_id, col(Asset.sha256) == sha)
            async with self._db.session() as session:
                asset = (await session.exec(query)).first()
            if asset:
                await client.put_asset(sha, asset.data)

    async def _spec(self, session: AsyncSession, show: Show) -> LiveSpec:
        rows = await told(session, show, self._clock(), self._settings.site_url())
        return spec_of(show, await self._shows.targets(session, show.id), self._vault, rows)

    async def heard(self, event: WorkerEvent) -> None:
        """One piece of news from a worker."""
        if event.status:
            await self._take_status(event.status)
        elif event.target:
            await self._hear_target(event.target)
        elif event.kind == "source.switched":
            await self._take_switch(event)
        elif event.role == "backup":
            return  # the standby's coming and going is in the next second's status; it is not the feed
        elif event.kind in ("publisher.started", "publisher.stopped", "publisher.refused"):
            await self._take_publisher(event)

    async def _take_status(self, status: LiveStatus) -> None:
        """The whole truth about a live, once a second: whatever news was lost before is made good here."""
        async with self._db.session() as session:
            show = await self._locked(session, status.slug)
            if show is None:
                return
            if show.state != "ended":
                self._take_feed(session, show, status)
            for target in sorted(status.targets, key=lambda one: one.id):
                await self._take_target(session, show, target, counted=True)

    async def _hear_target(self, status: TargetStatus) -> None:
        target_id = UUID(status.id.partition(BACKUP)[0])
        async with self._db.session() as session:
            query = select(Show).join(ShowTarget).where(col(ShowTarget.id) == target_id)
            if show := (await session.exec(query)).first():
                await self._take_target(session, show, status)

    def _take_feed(self, session: AsyncSession, show: Show, status: LiveStatus) -> None:
        ingest, health = ingest_of(status.publisher), health_of(status)
        if ingest != show.ingest:
            show.ingest = ingest
            self._tell(session, show, "ingest.changed", ingest or {})
        if health != show.health:
            show.health = health
            self._tell(session, show, "health.changed", health)
        if show.playable != status.playable:
            show.playable = status.playable
            data = {"playable": status.playable}
            announce(session, Event(show_id=show.id, kind="playback.changed", data=data))

    async def _take_target(
        self, session: AsyncSession, show: Show, status: TargetStatus, *, counted: bool = False
    ) -> None:
        """`counted`: the newest word, whose counters may be added up; news may be repeated and old."""
        found, backup, _ = status.id.partition(BACKUP)
        query = select(ShowTarget).where(col(ShowTarget.id) == UUID(found)).with_for_update()
        target = (await session.exec(query)).first()
        if target is None:
            return
        if backup:
            target.backup_state, target.backup_reason = status.state, status.reason
            if session.is_modified(target):
                self._shows.tell_target(session, show, target)
            return
        if counted:
            count(target, status)
        ended = show.state == "ended"
        went_live = not ended and target.removed_at is None and self._take_state(target, status)
        if session.is_modified(target) and target.removed_at is None:
            self._shows.tell_target(session, show, target)
        if went_live:
            key = f"target.started:{target.id}"
            await defer(session, "target.started", key=key, lock=lock_of(target), target_id=str(target.id))

    def _take_state(self, target: ShowTarget, status: TargetStatus) -> bool:
        """Whether it went live just now."""
        went_live = status.state == "live" and target.state != "live"
        if target.state != status.state:
            target.state_since = status.since
        target.state, target.next_try_at = status.state, status.next_try_at
        if status.state != "live":
            target.reason, target.receiving = status.reason, None
        elif went_live:
            target.reason = None
        return went_live

    async def _take_last_counts(self, show: Show, status: LiveStatus) -> None:
        """What became of each target, for the report: the worker forgets the show when it has ended."""
        async with self._db.session() as session:
            for target in sorted(status.targets, key=lambda one: one.id):
                await self._take_target(session, show, target, counted=True)

    async def _take_switch(self, event: WorkerEvent) -> None:
        """Another source is on air: told at once, not only with the next second's status."""
        async with self._db.session() as session:
            show = await self._locked(session, event.slug)
            if show is None or show.state == "ended" or show.health is None or event.on_air is None:
                return
            show.health = {**show.health, "on_air": event.on_air}
            self._tell(session, show, "health.changed", show.health)

    async def _take_publisher(self, event: WorkerEvent) -> None:
        async with self._db.session() as session:
            show = await self._locked(session, event.slug)
            if show is None:
                return
            if event.kind == "publisher.refused":
                self._tell(session, show, "ingest.refused", {"reason": event.reason})
                return
            publisher = event.publisher if event.kind == "publisher.started" else None
            show.ingest = ingest_of(publisher)
            data = show.ingest or {"publishing": False, "reason": event.reason}
            self._tell(session, show, "ingest.changed", data)

    async def _locked(self, session: AsyncSession, slug: str) -> Show | None:
        query = select(Show).where(col(Show.slug) == slug).with_for_update(key_share=True)
        return (await session.exec(query)).first()

    def _tell(self, session: AsyncSession, show: Show, kind: str, data: dict[str, Any]) -> None:
        announce(session, Event(show_id=show.id, kind=kind, audience="staff", data=data))
