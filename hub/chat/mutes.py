"""People whose messages we don't show, because their platform cannot be told to keep them out."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run

Author = tuple[str, str]
"""Platform and the author's id there."""

MUTED: Final = text(
    """
    SELECT platform, author_id FROM chat_mute
    WHERE brand_id = :brand AND author_id = ANY(:authors) AND (until IS NULL OR until > :now)
    """
)
MUTE: Final = text(
    """
    INSERT INTO chat_mute (brand_id, platform, author_id, until) VALUES (:brand, :platform, :author, :until)
    ON CONFLICT (brand_id, platform, author_id) DO UPDATE SET until = excluded.until
    """
)
UNMUTE: Final = text(
    "DELETE FROM chat_mute WHERE brand_id = :brand AND platform = :platform AND author_id = :author"
)


async def muted(
    session: AsyncSession, brand_id: UUID, authors: Collection[str], now: datetime
) -> set[Author]:
    """Those of them who are muted now."""
    if not authors:
        return set()
    rows = await run(session, MUTED, {"brand": brand_id, "authors": [*authors], "now": now})
    return {(row.platform, row.author_id) for row in rows}


async def mute(session: AsyncSession, brand_id: UUID, author: Author, until: datetime | None) -> None:
    """From now on; a later word replaces an earlier one."""
    values = {"brand": brand_id, "platform": author[0], "author": author[1], "until": until}
    await run(session, MUTE, values)


async def unmute(session: AsyncSession, brand_id: UUID, author: Author) -> None:
    """Repeatable."""
    await run(session, UNMUTE, {"brand": brand_id, "platform": author[0], "author": author[1]})
