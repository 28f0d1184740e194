"""What somebody reserved or waits for: to hand out, and to forget. The ledger needs the holds, not whose."""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

HOLDS: Final = """
    SELECT show_id, variant_id, quantity, state, channel, unit_minor, currency, created_at, expires_at
    FROM hold WHERE brand_id = :brand AND viewer_id = ANY(:visitors) ORDER BY created_at
"""
WAITS: Final = """
    SELECT show_id, variant_id, quantity, state, created_at FROM waitlist
    WHERE brand_id = :brand AND viewer_id = ANY(:visitors) ORDER BY created_at
"""
UNNAME: Final = """
    UPDATE hold SET viewer_id = :nobody, network_hash = NULL
    WHERE brand_id = :brand AND viewer_id = ANY(:visitors)
"""
LEAVE: Final = "DELETE FROM waitlist WHERE brand_id = :brand AND viewer_id = ANY(:visitors)"


async def export(session: AsyncSession, who: Who) -> Rows:
    """Reservations and places in line."""
    return {
        "hold": await rows_of(session, who, HOLDS, "visitors"),
        "waitlist": await rows_of(session, who, WAITS, "visitors"),
    }


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Reservations are nobody's and end as they would have; nobody waits."""
    return {
        "hold": await done(session, who, UNNAME, "visitors", "nobody"),
        "waitlist": await done(session, who, LEAVE, "visitors"),
    }
