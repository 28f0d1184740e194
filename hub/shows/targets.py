"""The platform's side of a target: open its broadcast, tell it that we push, end it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import Destination
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import Broadcast, BroadcastStatus, Ingest
from hub.clock import Clock
from hub.connections.service import Connections, Opened
from hub.db import Database
from hub.errors import NotFound
from hub.jobs import defer
from hub.secrets import Vault
from hub.shows.models import Show, ShowTarget
from hub.shows.service import Shows, lock_of

ASK_AGAIN = timedelta(seconds=3)
STARTING = ("scheduled", "starting")


class Targets:
    """Jobs; each may run twice. RetryLater passes through to the job's retry rule."""

    def __init__(
        self, db: Database, clock: Clock, vault: Vault, connections: Connections, shows: Shows
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._connections = connections
        self._shows = shows

    async def open(self, target_id: UUID) -> None:
        """Create or find the broadcast, then let the media worker push."""
        target, show = await self._load(target_id)
        opened_already = target.url_sealed is not None and target.ref is not None
        if show.state != "live" or not target.wanted or target.removed_at or opened_already:
            return
        wish = Broadcast(title=show.title, description=show.description, marker=f"simulcast-{target.id}")
        try:
            async with self._connections.use(target.connection_id) as opened:
                ingest = await destination(opened).open(wish)
        except (Refused, Reconnect, NotFound) as error:
            await self._note(target_id, "failed", str(error), platform_state="failed")
            return
        except RetryLater as error:
            await self._note(target_id, "connecting", f"{error.reason} Trying again …")
            raise
        await self._opened(target_id, ingest)

    async def started(self, target_id: UUID) -> None:
        """We are pushing: have the platform take the broadcast live, and ask until it says it is."""
        target, show = await self._load(target_id)
        if show.state != "live" or target.state != "live" or target.ref is None:
            return
        try:
            async with self._connections.use(target.connection_id) as opened:
                status = await destination(opened).started(target.ref)
        except (Refused, Reconnect, NotFound) as error:
            status = BroadcastStatus(state="failed", reason=str(error))
        except RetryLater as error:
            status = BroadcastStatus(state="starting", reason=error.reason)
        async with self._db.session() as session:
            row = await self._locked(session, target_id)
            row.platform_state = status.state
            row.reason = status.reason if status.state != "live" else None
            self._shows.tell_target(session, row)
            if status.state in STARTING:
                key = f"target.started:{target_id}"
                at = self._clock() + ASK_AGAIN
                await defer(session, "target.started", key=key, at=at, target_id=str(row.id))

    async def close(self, target_id: UUID) -> None:
        """End the broadcast on the platform; a target whose removal was taken back goes on."""
        target, show = await self._load(target_id)
        if show.state != "ended" and target.removed_at is None:
            return
        if target.ref:
            try:
                async with self._connections.use(target.connection_id) as opened:
                    await destination(opened).close(target.ref)
            except (Refused, Reconnect, NotFound) as error:
                await self._note(target_id, "idle", f"End it on the platform by hand: {error}")
                return
        reason = "Removed from the show." if target.removed_at else "The show has ended."
        await self._note(target_id, "idle", reason, platform_state="ended")

    async def _opened(self, target_id: UUID, ingest: Ingest) -> None:
        async with self._db.session() as session:
            show = (
                await session.exec(
                    select(Show)
                    .join(ShowTarget, col(ShowTarget.show_id) == col(Show.id))
                    .where(col(ShowTarget.id) == target_id)
                    .with_for_update(of=Show)
                )
            ).one()
            row = await self._locked(session, target_id)
            self._seal(row, ingest)
            row.ref, row.chat_ref, row.watch_url = ingest.ref, ingest.chat_ref, ingest.watch_url
            row.platform_state, row.reason = "scheduled", None
            self._shows.tell_target(session, row)
            if show.state == "ended" or row.removed_at:
                # The show ended while the platform was still answering.
                await defer(session, "target.close", lock=lock_of(row), target_id=str(row.id))
            if row.state == "live":
                # Pushed to already, by an older address: nothing else would ask the platform again.
                key = f"target.started:{row.id}"
                await defer(session, "target.started", key=key, lock=lock_of(row), target_id=str(row.id))
            await self._shows.sync(session, show)

    def _seal(self, row: ShowTarget, ingest: Ingest) -> None:
        row.url_sealed = self._vault.seal(ingest.url)
        row.key_sealed = self._vault.seal(ingest.key.get_secret_value())
        secret, backup = ingest.passphrase, ingest.backup
        row.passphrase_sealed = self._vault.seal(secret.get_secret_value()) if secret else None
        row.backup_url_sealed = self._vault.seal(backup.url) if backup else None
        row.backup_key_sealed = self._vault.seal(backup.key.get_secret_value()) if backup else None

    async def _note(
        self, target_id: UUID, state: str, reason: str, *, platform_state: str | None = None
    ) -> None:
        async with self._db.session() as session:
            row = await self._locked(session, target_id)
            if row.state != state:
                row.state_since = self._clock()
            row.state, row.reason = state, reason
            row.platform_state = platform_state or row.platform_state
            if row.removed_at is None:
                self._shows.tell_target(session, row)

    async def _load(self, target_id: UUID) -> tuple[ShowTarget, Show]:
        query = (
            select(ShowTarget, Show)
            .join(Show, col(Show.id) == col(ShowTarget.show_id))
            .where(col(ShowTarget.id) == target_id)
        )
        async with self._db.session() as session:
            return (await session.exec(query)).one()

    async def _locked(self, session: AsyncSession, target_id: UUID) -> ShowTarget:
        query = select(ShowTarget).where(col(ShowTarget.id) == target_id).with_for_update()
        return (await session.exec(query)).one()


def destination(opened: Opened) -> Destination:
    """The destination of a connection."""
    if opened.connector.destination is None:
        raise Refused(f"{opened.connector.title} can't take a stream.")
    found: Destination = opened.connector.destination(opened.session)
    return found
