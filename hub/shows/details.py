"""What the platforms are told of a show: announced ahead, changed while it is live, taken back.

The jobs here hold the target's lock, so that no broadcast is made twice; a platform that puts us off must
not keep going live waiting behind it. Hence they never sleep: what is `waiting` is found again by the clock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from connectors.base import AnyConnector
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import Broadcast, Ingest, Picture
from hub.clock import Clock
from hub.connections.service import Connections
from hub.db import Database
from hub.errors import NotFound
from hub.shows.models import Asset, Show, ShowTarget
from hub.shows.service import Shows
from hub.shows.stages import ASKED
from hub.shows.target_edits import give_up
from hub.shows.texts import TextsOut, broadcast_of, gap, preview_of

TRY_AGAIN = timedelta(minutes=1)
"""For a job that was lost with its process."""
MOST_FOUND = 100
"""In one sweep; the next one comes soon."""


class Details:
    """Jobs; each may run twice. What they do leads to the same end however often it is done."""

    def __init__(self, db: Database, clock: Clock, connections: Connections, shows: Shows) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._shows = shows

    async def preview(self, session: AsyncSession, show: Show) -> list[TextsOut]:
        """What every target would show. `show` may have texts that were not saved."""
        picture = await picture_of(session, show)
        return [
            preview_of(show, target, self._connections.connector(target.connector), picture)
            for target in await self._shows.targets(session, show.id)
        ]

    async def plan(self, target_id: UUID) -> None:
        """Announce a planned show on the platform, or take the announcement back."""
        target, show = await self._begin(target_id)
        if show.state != "scheduled" or target.removed_at:
            return  # going live and closing see to it
        if show.starts_at and target.wanted:
            await self._announce(target, show)
        elif target.ref or target.platform_state == ASKED:
            await self._take_back(target, show)
        else:
            await self._settle(target_id, None)

    async def describe(self, target_id: UUID) -> None:
        """Change the texts of a broadcast that is open."""
        target, show = await self._begin(target_id)
        if show.state != "live" or target.removed_at or target.ref is None:
            return
        if target.details_state != "waiting":
            return  # told by the job before, while this one was added
        connector = self._connections.connector(target.connector)
        async with self._noting(target_id):
            if connector.metadata is None:
                raise Refused(
                    gap(connector, "metadata", f"{connector.title} takes no changes. Make them there.")
                )
            async with self._connections.use(target.connection_id) as opened:
                wish = await wish_of(self._db, show, target, connector)
                await connector.metadata(opened.session).set(target.ref, wish)
            await self._told(target_id, show, wish)

    async def find_waiting(self) -> None:
        """What waits to be told is tried again when its time has come."""
        query = (
            select(ShowTarget, Show)
            .join(Show, col(Show.id) == col(ShowTarget.show_id))
            .where(
                col(ShowTarget.details_state) == "waiting",
                col(ShowTarget.removed_at).is_(None),
                or_(col(ShowTarget.details_at).is_(None), col(ShowTarget.details_at) <= self._clock()),
                col(Show.state).in_(("scheduled", "live")),
            )
            .order_by(col(ShowTarget.details_at).asc().nulls_first())
            .limit(MOST_FOUND)
            .with_for_update(of=ShowTarget, skip_locked=True)
        )
        async with self._db.session() as session:
            for target, show in (await session.exec(query)).all():
                # Also for one that nothing can be done about: it must not keep the others from being found.
                target.details_at = self._clock() + TRY_AGAIN
                await self._shows.describe(session, show, target)

    async def _announce(self, target: ShowTarget, show: Show) -> None:
        connector = self._connections.connector(target.connector)
        if connector.planner is None:
            return
        # One that may be there already, from an attempt whose answer was lost, may have older texts.
        lost = target.ref is None and target.platform_state == ASKED
        if not await self._mark(target.id):
            return
        async with self._noting(target.id, lost=lost):
            async with self._connections.use(target.connection_id) as opened:
                wish = await wish_of(self._db, show, target, connector)
                ingest = await connector.planner(opened.session).plan(wish)
                if (target.ref or lost) and connector.metadata:
                    await connector.metadata(opened.session).set(ingest.ref, wish)
            await self._told(target.id, show, wish, ingest)

    async def _take_back(self, target: ShowTarget, show: Show) -> None:
        connector = self._connections.connector(target.connector)
        async with self._noting(target.id, "Take the announcement back on the platform by hand: ", lost=True):
            async with self._connections.use(target.connection_id) as opened:
                if connector.destination:
                    place, ref = connector.destination(opened.session), target.ref
                    if ref is None:
                        # Asked for, and whoever asked was killed: it is found by its marker.
                        ref = (await place.open(await wish_of(self._db, show, target, connector))).ref
                    await place.close(ref)
            async with self._db.session() as session:
                row, show = await locked(session, target.id)
                give_up(row)
                if show.starts_at and row.wanted:
                    await self._shows.describe(session, show, row)  # wanted again meanwhile
                self._shows.tell_target(session, show, row)

    async def _begin(self, target_id: UUID) -> tuple[ShowTarget, Show]:
        async with self._db.session() as session:
            return (await session.exec(with_show(target_id))).one()

    async def _mark(self, target_id: UUID) -> bool:
        """From here on there may be an announcement; should we die, we try again. False: not wanted now."""
        async with self._db.session() as session:
            row, _ = await locked(session, target_id)
            if row.removed_at or not row.wanted:
                return False
            row.details_at = self._clock() + TRY_AGAIN
            if row.ref is None:
                row.platform_state = ASKED
            return True

    @asynccontextmanager
    async def _noting(self, target_id: UUID, todo: str = "", *, lost: bool = False) -> AsyncIterator[None]:
        """The platform's no, or not yet, is noted on the target; the rest of the block is passed over.

        `lost`: an earlier attempt may have made something, whatever became of this one.
        """
        try:
            yield
        except (Refused, Reconnect, NotFound) as error:
            await self._settle(target_id, "refused", f"{todo}{error}", none=not lost)
        except RetryLater as error:
            after, none = timedelta(seconds=error.after), not (lost or error.unknown)
            await self._settle(target_id, "waiting", error.reason, after=after, none=none)

    async def _settle(
        self,
        target_id: UUID,
        state: str | None,
        reason: str | None = None,
        *,
        after: timedelta = TRY_AGAIN,
        none: bool = False,
    ) -> None:
        """`none`: the platform certainly made nothing."""
        async with self._db.session() as session:
            row, show = await locked(session, target_id)
            if none and row.platform_state == ASKED:
                row.platform_state = None
            row.details_state, row.details_reason = state, reason
            row.details_at = self._clock() + after
            self._shows.tell_target(session, show, row)

    async def _told(
        self, target_id: UUID, before: Show, wish: Broadcast, ingest: Ingest | None = None
    ) -> None:
        """The platform has it, unless it was changed again meanwhile: then a newer job waits."""
        async with self._db.session() as session:
            row, show = await locked(session, target_id)
            limits = self._connections.connector(row.connector).text_limits
            newest = broadcast_of(show, row, limits)
            if newest == wish.model_copy(update={"thumbnail": None}) and same_picture(show, before):
                row.details_state, row.details_reason = "applied", None
            if ingest:
                row.ref, row.chat_ref, row.watch_url = ingest.ref, ingest.chat_ref, ingest.watch_url
                row.platform_state = "scheduled"
            self._shows.tell_target(session, show, row)


def with_show(target_id: UUID) -> Select[ShowTarget, Show]:
    """A target and its show."""
    return (
        select(ShowTarget, Show)
        .join(Show, col(Show.id) == col(ShowTarget.show_id))
        .where(col(ShowTarget.id) == target_id)
    )


async def locked(session: AsyncSession, target_id: UUID) -> tuple[ShowTarget, Show]:
    """The same, the target locked."""
    return (await session.exec(with_show(target_id).with_for_update(of=ShowTarget))).one()


async def wish_of(db: Database, show: Show, target: ShowTarget, connector: AnyConnector) -> Broadcast:
    """The show as the target's platform is told of it, with its picture."""
    async with db.session() as session:
        picture = await picture_of(session, show)
    return broadcast_of(show, target, connector.text_limits, picture)


async def picture_of(session: AsyncSession, show: Show) -> Picture | None:
    """The show's picture for platforms."""
    if show.picture_asset is None:
        return None
    query = select(Asset).where(col(Asset.brand_id) == show.brand_id, col(Asset.sha256) == show.picture_asset)
    asset = (await session.exec(query)).first()
    return Picture.model_validate({"media_type": asset.media_type, "data": asset.data}) if asset else None


def same_picture(one: Show, other: Show) -> bool:
    """Whether the picture was not changed."""
    return one.picture_asset == other.picture_asset
