"""How somebody signs in: to hand out, and to forget."""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

SESSIONS: Final = """
    SELECT created_at, last_seen_at, proved_at, proved_by FROM shopper_session
    WHERE brand_id = :brand AND customer_id = ANY(:customers) ORDER BY created_at
"""
PASSKEYS: Final = """
    SELECT created_at, last_used_at FROM passkey
    WHERE brand_id = :brand AND customer_id = ANY(:customers) ORDER BY created_at
"""
CODES: Final = """
    SELECT created_at, used FROM sign_in_code
    WHERE brand_id = :brand AND email_hash = ANY(:hashes) ORDER BY created_at
"""
OF_CUSTOMER: Final = ("shopper_session", "passkey", "passkey_challenge")
FORGET: Final = "DELETE FROM {table} WHERE brand_id = :brand AND customer_id = ANY(:customers)"
FORGET_CODES: Final = "DELETE FROM sign_in_code WHERE brand_id = :brand AND email_hash = ANY(:hashes)"


async def export(session: AsyncSession, who: Who) -> Rows:
    """Browsers that are signed in, devices with a passkey, codes that were sent."""
    return {
        "shopper_session": await rows_of(session, who, SESSIONS, "customers"),
        "passkey": await rows_of(session, who, PASSKEYS, "customers"),
        "sign_in_code": await rows_of(session, who, CODES, "hashes"),
    }


async def erase(session: AsyncSession, who: Who) -> Counts:
    """They are signed out everywhere."""
    counts = {
        table: await done(session, who, FORGET.format(table=table), "customers") for table in OF_CUSTOMER
    }
    return counts | {"sign_in_code": await done(session, who, FORGET_CODES, "hashes")}
