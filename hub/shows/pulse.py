"""How a live show is doing on its platforms: asked politely, each platform for itself.

Viewers, the platform's opinion of what it receives, and whether it still shows us at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import Audience, BroadcastStatus, IngestHealth
from hub.clock import Clock
from hub.connections.service import Connections, Opened
from hub.db import Database, run
from hub.errors import NotFound
from hub.jobs import defer
from hub.shows.details import locked, with_show
from hub.shows.models import Show, ShowTarget
from hub.shows.service import Shows, lock_of
from hub.shows.stages import STARTING
from hub.shows.targets import destination

EVERY = timedelta(seconds=20)
EVERY_COUNTED = timedelta(seconds=60)
EVERY_SCARCE = timedelta(minutes=5)
SCARCE = 500
"""Units of a daily allowance below which looking is the last thing they are for."""
LEASE = timedelta(minutes=2)
"""A look that was lost with its process is made good after this."""

DUE = text(
    """
    UPDATE show_target SET look_at = :next WHERE id IN (
        SELECT target.id FROM show_target AS target JOIN show ON show.id = target.show_id
        WHERE show.state = 'live' AND target.wanted AND target.removed_at IS NULL
          AND target.ref IS NOT NULL AND target.url_sealed IS NOT NULL
          AND (target.look_at IS NULL OR target.look_at <= :now)
        FOR UPDATE OF target SKIP LOCKED)
    RETURNING id
    """
)
"""Whoever is being changed is looked at in the next sweep: nobody waits, and nobody in a circle."""


@dataclass
class Seen:
    """What one look brought; None: not told. `after`: when to look again."""

    after: timedelta
    audience: Audience | None = None
    health: IngestHealth | None = None
    status: BroadcastStatus | None = None


class Pulse:
    """`find_due` runs by the clock; each look is a job, so that no platform waits for another."""

    def __init__(self, db: Database, clock: Clock, connections: Connections, shows: Shows) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._shows = shows

    async def find_due(self) -> None:
        """Look at every live target whose turn it is."""
        now = self._clock()
        async with self._db.session() as session:
            rows = (await run(session, DUE, {"now": now, "next": now + LEASE})).all()
            for row in rows:
                await defer(session, "target.look", key=f"target.look:{row.id}", target_id=str(row.id))

    async def look(self, target_id: UUID) -> None:
        """Ask one platform how it is going."""
        async with self._db.session() as session:
            target, show = (await session.exec(with_show(target_id))).one()
        if show.state != "live" or target.ref is None:
            return
        try:
            async with self._connections.use(target.connection_id) as opened:
                seen = await ask(opened, target, target.ref)
        except (Reconnect, NotFound):
            # The connection says so itself; the picture goes on without its login.
            seen = Seen(EVERY_COUNTED)
        async with self._db.session() as session:
            row, show = await locked(session, target_id)
            if show.state == "live" and row.removed_at is None and row.ref == target.ref:
                row.look_at = self._clock() + seen.after
                await self._take(session, show, row, seen)

    async def _take(self, session: AsyncSession, show: Show, row: ShowTarget, seen: Seen) -> None:
        counted = seen.audience or seen.status
        row.viewers = counted.viewers if counted else None
        if row.viewers is not None:
            row.viewers_peak = max(row.viewers, row.viewers_peak or 0)
        if seen.audience and seen.audience.reactions is not None:
            row.reactions = seen.audience.reactions
        if seen.health:
            row.ingest_state, row.ingest_issues = seen.health.state, [*seen.health.issues]
        if seen.status:
            await self._take_status(session, row, seen.status)
        self._shows.tell_target(session, show, row)

    async def _take_status(self, session: AsyncSession, row: ShowTarget, status: BroadcastStatus) -> None:
        """A broadcast that the platform has ended, or taken off the air, is not shown as live."""
        if status.state == row.platform_state or row.platform_state in STARTING:
            return  # one that is starting is asked by its own job
        if row.state != "live" and status.state in STARTING:
            return  # nothing is pushed: it waits for us, not we for it
        row.platform_state, row.receiving = status.state, status.receiving
        row.reason = status.reason if status.state != "live" else None
        if status.state == "ended":
            row.reason = "The platform has ended this broadcast. “Try now” opens another one."
        if status.state in STARTING:
            key = f"target.started:{row.id}"
            await defer(session, "target.started", key=key, lock=lock_of(row), target_id=str(row.id))


async def ask(opened: Opened, target: ShowTarget, ref: str) -> Seen:
    """Whatever the platform can tell. Told to wait, nothing more is asked."""
    left = await opened.session.budget.left()
    pause = EVERY if left is None else EVERY_COUNTED if left > SCARCE else EVERY_SCARCE
    connector, seen = opened.connector, Seen(pause)
    place = destination(opened)
    # `started` knows of platforms that show less than the world what we push.
    asked = place.started if target.state == "live" else place.status
    try:
        if connector.audience:
            seen.audience = await told(connector.audience(opened.session).now, ref)
        if connector.health:
            seen.health = await told(connector.health(opened.session).now, ref)
        if target.platform_state not in STARTING:
            seen.status = await told(asked, ref)
    except RetryLater as error:
        seen.after = max(pause, timedelta(seconds=error.after))
    return seen


async def told(now: Callable[[str], Awaitable[Any]], ref: str) -> Any:
    """The answer, or None where the platform keeps it to itself."""
    try:
        return await now(ref)
    except Refused:
        return None
