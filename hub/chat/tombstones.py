"""Which messages were here before, and which were deleted before they came: those are never shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.shows.models import Show

Name = tuple[str, str]
"""A message's platform, and its id there."""

KNOWN: Final = text(
    """
    WITH given AS (
        SELECT * FROM unnest(CAST(:platforms AS varchar[]), CAST(:ids AS varchar[])) AS given(platform, id))
    SELECT message.platform, message.external_id, false AS buried FROM message
    JOIN given ON message.platform = given.platform AND message.external_id = given.id
    WHERE message.show_id = :show
    UNION ALL
    SELECT stone.platform, stone.external_id, true FROM chat_tombstone AS stone
    JOIN given ON stone.platform = given.platform AND stone.external_id = given.id
    WHERE stone.show_id = :show
    """
)
BURY: Final = text(
    """
    INSERT INTO chat_tombstone (show_id, platform, external_id, brand_id)
    SELECT :show, CAST(:platform AS varchar), given.id, :brand
    FROM unnest(CAST(:ids AS varchar[])) AS given(id)
    WHERE NOT EXISTS (
        SELECT 1 FROM message
        WHERE show_id = :show AND message.platform = CAST(:platform AS varchar) AND external_id = given.id)
    ON CONFLICT DO NOTHING
    """
)


async def known(session: AsyncSession, show: Show, names: Iterable[Name]) -> tuple[set[Name], set[Name]]:
    """Those of them that are stored, and those that are not to be."""
    some = [*names]
    values = {"show": show.id, "platforms": [one for one, _ in some], "ids": [one for _, one in some]}
    rows = [*await run(session, KNOWN, values)]
    stored = {(row.platform, row.external_id) for row in rows if not row.buried}
    return stored, {(row.platform, row.external_id) for row in rows if row.buried}


async def bury(session: AsyncSession, show: Show, platform: str, ids: Iterable[str]) -> None:
    """A platform deleted these. Webhooks come in any order: what is not here yet must not come."""
    values = {"show": show.id, "brand": show.brand_id, "platform": platform, "ids": [*ids]}
    await run(session, BURY, values)
