"""Tells the staff of shows that something about an account of theirs changed."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.bus import Event
from hub.db import announce, run

SHOWS = text(
    """
    SELECT show.id FROM show JOIN show_target AS target ON target.show_id = show.id
    WHERE target.connection_id = :connection AND target.removed_at IS NULL AND show.state <> 'ended'
    """
)


async def tell_alarms(session: AsyncSession, connection_id: UUID) -> None:
    """`alarms.changed`, once this transaction has committed, in every show that is to come or live."""
    for row in await run(session, SHOWS, {"connection": connection_id}):
        announce(session, Event(show_id=row.id, kind="alarms.changed", audience="staff"))
