"""Which groups somebody was in: to hand out, and to forget."""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

GROUPS: Final = """
    SELECT segment.name, segment_member.since FROM segment_member
    JOIN segment ON segment.id = segment_member.segment_id
    WHERE segment_member.brand_id = :brand AND customer_id = ANY(:customers) ORDER BY since
"""
CAME: Final = """
    SELECT channel, since FROM migrated_person WHERE brand_id = :brand AND customer_id = ANY(:customers)
"""
LEAVE: Final = "DELETE FROM segment_member WHERE brand_id = :brand AND customer_id = ANY(:customers)"
FORGET: Final = "DELETE FROM migrated_person WHERE brand_id = :brand AND customer_id = ANY(:customers)"


async def export(session: AsyncSession, who: Who) -> Rows:
    """Groups, and where somebody was met."""
    return {
        "segment_member": await rows_of(session, who, GROUPS, "customers"),
        "migrated_person": await rows_of(session, who, CAME, "customers"),
    }


async def erase(session: AsyncSession, who: Who) -> Counts:
    """They are in no group any more."""
    return {
        "segment_member": await done(session, who, LEAVE, "customers"),
        "migrated_person": await done(session, who, FORGET, "customers"),
    }
