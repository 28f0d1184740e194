"""What was not heard becomes a line of the feed: which chat, from when to when, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import ChatMessage
from hub.chat.models import ChatReading, Message
from hub.chat.rows import Row, row_of
from hub.db import run
from hub.shows.models import Show, ShowTarget

HEARD: Final = text(
    """
    INSERT INTO chat_reading (target_id, brand_id, heard_at)
    SELECT id, brand_id, :now FROM show_target WHERE id = ANY(:targets) ORDER BY id
    ON CONFLICT (target_id) DO UPDATE SET heard_at = greatest(chat_reading.heard_at, excluded.heard_at)
    """
)
PLACE: Final = text(
    """
    WITH given AS (
        SELECT * FROM unnest(CAST(:targets AS uuid[]), CAST(:cursors AS varchar[])) AS given(id, cursor)),
    moved AS (
        UPDATE show_target SET chat_cursor = given.cursor FROM given
        WHERE show_target.id = given.id AND given.cursor IS NOT NULL)
    INSERT INTO chat_reading (target_id, brand_id, heard_at)
    SELECT given.id, :brand, :now FROM given ORDER BY given.id
    ON CONFLICT (target_id) DO UPDATE SET heard_at = greatest(chat_reading.heard_at, excluded.heard_at)
    """
)
SILENT: Final = "Nobody was reading this chat."


async def note_heard(session: AsyncSession, targets: Collection[UUID], now: datetime) -> None:
    """Up to now these chats were heard."""
    if targets:
        await run(session, HEARD, {"targets": [*targets], "now": now})


async def note_place(
    session: AsyncSession, show: Show, cursors: Mapping[UUID, str | None], now: datetime
) -> None:
    """Up to now these chats were heard, and there their reading may go on."""
    if cursors:
        values = {"targets": [*cursors], "cursors": [*cursors.values()], "brand": show.brand_id, "now": now}
        await run(session, PLACE, values)


async def heard_until(session: AsyncSession, target_id: UUID) -> datetime | None:
    """Until when a chat was heard; None when it never was."""
    query = select(ChatReading.heard_at).where(col(ChatReading.target_id) == target_id)
    return (await session.exec(query)).first()


async def gap_row(
    session: AsyncSession, show: Show, target: ShowTarget, since: datetime, now: datetime, why: str
) -> Row | None:
    """The line for what may be missing between two moments; None when it is there already."""
    message = ChatMessage(id=f"gap:{target.id}:{since.isoformat()}", text=why, sent_at=since)
    query = select(Message.id).where(
        col(Message.show_id) == show.id,
        col(Message.platform) == target.connector,
        col(Message.external_id) == message.id,
    )
    if since >= now or (await session.exec(query)).first():
        return None
    return row_of(show, target, message, now, hidden=False) | {"kind": "gap", "staff_only": True}
