"""What a person agreed to: to hand out, and to forget with them."""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

CHOICES: Final = """
    SELECT at, purpose, granted, source, gpc, version, proof FROM consent_choice
    WHERE brand_id = :brand AND (visitor_id = ANY(:visitors) OR customer_id = ANY(:customers)) ORDER BY at, id
"""
FORGET: Final = """
    DELETE FROM consent_choice
    WHERE brand_id = :brand AND (visitor_id = ANY(:visitors) OR customer_id = ANY(:customers))
"""


async def export(session: AsyncSession, who: Who) -> Rows:
    """Each thing they said, with what they were shown."""
    return {"consent_choice": await rows_of(session, who, CHOICES, "visitors", "customers")}


async def erase(session: AsyncSession, who: Who) -> Counts:
    """All of it: nothing is done with their data any more that would need a yes."""
    return {"consent_choice": await done(session, who, FORGET, "visitors", "customers")}
