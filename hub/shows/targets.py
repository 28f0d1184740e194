"""The platform's side of a target: open its broadcast, tell it that we push, end it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import Destination
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import BroadcastStatus, Ingest
from hub.clock import Clock
from hub.connections.service import Connections, Opened
from hub.db import Database
from hub.errors import NotFound
from hub.jobs import defer
from hub.secrets import Vault
from hub.shows.details import locked, wish_of, with_show
from hub.shows.keys import entered_until
from hub.shows.models import Show, ShowTarget
from hub.shows.service import Shows, lock_of
from hub.shows.stages import ASKED, STARTING, UNKNOWN, UNOPENED, is_open

ASK_AGAIN = timedelta(seconds=3)
ASK_SELDOM = timedelta(seconds=15)
PATIENCE = timedelta(minutes=1)
"""A platform that has not put us on air by then may wait for a person: it is asked less often."""
LAST_WORD = timedelta(minutes=10)
"""How long after the end a platform may go on showing the broadcast before a person is asked to end it."""
ON = ("starting", "live")


class Targets:
    """Jobs; each may run twice. RetryLater passes through to the job's retry rule."""

    def __init__(
        self, db: Database, clock: Clock, vault: Vault, shows: Shows, *, connections: Connections
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._shows = shows
        self._connections = connections

    async def open(self, target_id: UUID) -> None:
        """Create or find the broadcast, then let the media worker push."""
        target, show = await self._load(target_id)
        if show.state != "live" or is_open(target) or not await self._begin(target_id):
            return
        # What an earlier attempt may have made is still there when this one is refused.
        lost = target.platform_state == ASKED
        try:
            async with self._connections.use(target.connection_id) as opened:
                wish = await wish_of(self._db, show, target, opened.connector)
                ingest = await destination(opened).open(wish)
        except (Refused, Reconnect, NotFound) as error:
            asked = ASKED if lost else "failed"
            await self._note(target_id, "failed", str(error), platform_state=asked)
            return
        except RetryLater as error:
            asked = ASKED if error.unknown or lost else UNOPENED
            why = f"{error.reason} Trying again …"
            if await self._note(target_id, "connecting", why, platform_state=asked):
                raise
            return  # over meanwhile: the closing must not wait behind us
        await self._opened(target_id, ingest, expiry_of(opened, ingest))

    async def started(self, target_id: UUID) -> None:
        """We are pushing: have the platform take the broadcast live, and ask until it says it is."""
        target, show = await self._load(target_id)
        if show.state != "live" or target.state != "live" or target.ref is None:
            return
        again = ASK_SELDOM if self._clock() - target.state_since > PATIENCE else ASK_AGAIN
        try:
            async with self._connections.use(target.connection_id) as opened:
                status = await destination(opened).started(target.ref)
        except (Refused, Reconnect, NotFound) as error:
            status = BroadcastStatus(state="failed", reason=str(error))
        except RetryLater as error:
            again = max(again, timedelta(seconds=error.after))
            await self._awaited(target_id, error.reason, again)
            return
        await self._took(target_id, target.ref, status, again)

    async def _awaited(self, target_id: UUID, reason: str, again: timedelta) -> None:
        """The platform said neither yes nor no: what it said last still holds."""
        async with self._db.session() as session:
            row, show = await locked(session, target_id)
            if show.state == "ended" or row.removed_at:
                return
            row.reason = reason
            self._shows.tell_target(session, show, row)
            await self._ask_again(session, row, again)

    async def _took(self, target_id: UUID, ref: str, status: BroadcastStatus, again: timedelta) -> None:
        async with self._db.session() as session:
            row, show = await locked(session, target_id)
            if show.state == "ended" or row.removed_at or row.ref != ref:
                return  # the closing has the last word; of another broadcast we know nothing
            row.platform_state, row.receiving = status.state, status.receiving
            row.reason = status.reason if status.state != "live" else None
            self._shows.tell_target(session, show, row)
            if status.state in STARTING:
                await self._ask_again(session, row, again)

    async def _ask_again(self, session: AsyncSession, row: ShowTarget, again: timedelta) -> None:
        key, at = f"target.started:{row.id}", self._clock() + again
        await defer(session, "target.started", key=key, at=at, target_id=str(row.id))

    async def close(self, target_id: UUID) -> None:
        """End the broadcast and say whether the platform did; a removal that was taken back goes on."""
        target, show = await self._load(target_id)
        if show.state != "ended" and target.removed_at is None:
            return
        reason = "Removed from the show." if target.removed_at else "The show has ended."
        if show.cancelled:
            reason = "The show was cancelled."
        if target.ref is None and target.platform_state != ASKED:
            await self._note(target_id, "idle", reason, platform_state="ended")
            return
        try:
            async with self._connections.use(target.connection_id) as opened:
                place, ref = destination(opened), target.ref
                if ref is None:
                    # Asked for, and whoever asked was killed: it may be there, and is found by its marker.
                    ref = (await place.open(await wish_of(self._db, show, target, opened.connector))).ref
                await place.close(ref)
                left = await still_on(place, ref)
        except (Refused, Reconnect, NotFound) as error:
            why = f"End it on the platform by hand: {error}"
            await self._note(target_id, "idle", why, platform_state=UNKNOWN)
            return
        title, ended_at = opened.connector.title, target.removed_at or show.ended_at or self._clock()
        if not left:
            await self._note(target_id, "idle", reason, platform_state="ended")
        elif (by_hand := opened.connector.after_end) and not show.cancelled:
            await self._note(target_id, "idle", by_hand, platform_state=UNKNOWN)
        elif self._clock() - ended_at < LAST_WORD:
            await self._note(target_id, "idle", f"{title} still shows the broadcast. Asking again …")
            raise RetryLater(f"{title} still shows the broadcast.", ASK_AGAIN.total_seconds())
        else:
            why = f"{title} still shows the broadcast. End it there by hand."
            await self._note(target_id, "idle", why, platform_state=UNKNOWN)

    async def _begin(self, target_id: UUID) -> bool:
        """From here on there may be a broadcast, whatever becomes of us. False: nobody wants it now."""
        async with self._db.session() as session:
            row, _ = await locked(session, target_id)
            if row.removed_at or not row.wanted:
                return False
            row.platform_state = ASKED
            return True

    async def _opened(self, target_id: UUID, ingest: Ingest, key_expires_at: datetime | None) -> None:
        async with self._db.session() as session:
            # Shows before targets, like everybody: nobody waits in a circle.
            query = select(Show).join(ShowTarget).where(col(ShowTarget.id) == target_id)
            await session.exec(query.with_for_update(of=Show, key_share=True))
            row, show = await locked(session, target_id)
            self._seal(row, ingest)
            row.ref, row.chat_ref, row.watch_url = ingest.ref, ingest.chat_ref, ingest.watch_url
            row.platform_state, row.receiving, row.reason = "scheduled", None, None
            row.key_expires_at = key_expires_at
            if row.state in ("connecting", "failed"):
                # So far our word on the opening; from now on it is the worker's on the push.
                row.state, row.state_since = "idle", self._clock()
            if show.state == "ended" or row.removed_at:
                # The show ended while the platform was still answering.
                await defer(session, "target.close", lock=lock_of(row), target_id=str(row.id))
            elif row.details_state == "waiting":
                # Changed while it was opened, or announced under an older title.
                await self._shows.describe(session, show, row)
            else:
                row.details_state, row.details_reason = "applied", None
            self._shows.tell_target(session, show, row)
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
    ) -> bool:
        """Whether the target is still part of a live show."""
        async with self._db.session() as session:
            row, show = await locked(session, target_id)
            if row.state != state:
                row.state_since = self._clock()
            row.state, row.reason = state, reason
            row.platform_state = platform_state or row.platform_state
            if row.removed_at is None:
                self._shows.tell_target(session, show, row)
            return show.state == "live" and row.removed_at is None

    async def _load(self, target_id: UUID) -> tuple[ShowTarget, Show]:
        async with self._db.session() as session:
            return (await session.exec(with_show(target_id))).one()


def destination(opened: Opened) -> Destination:
    """The destination of a connection."""
    if opened.connector.destination is None:
        raise Refused(f"{opened.connector.title} can't take a stream.")
    found: Destination = opened.connector.destination(opened.session)
    return found


async def still_on(place: Destination, ref: str) -> bool:
    """Whether the platform says, of its own knowledge, that a closed broadcast goes on."""
    try:
        status = await place.status(ref)
    except (Refused, RetryLater):
        return False  # gone, or too busy to contradict: the closing itself was taken
    return status.state in ON and (status.receiving is not None or status.state == "starting")


def expiry_of(opened: Opened, ingest: Ingest) -> datetime | None:
    """Until when the stream key is good: as the platform said, or as keys that people enter are."""
    return ingest.expires_at or entered_until(opened.connector, opened.row)
