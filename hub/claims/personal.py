"""What somebody claimed by comment: to hand out, and to forget. A claim stays, as nobody's."""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

THEIRS: Final = """
    brand_id = :brand AND ((platform, author_id) IN (
        SELECT * FROM unnest(CAST(:platforms AS text[]), CAST(:author_ids AS text[])))
    OR viewer_id = ANY(:visitors) OR opened_by = ANY(:visitors))
"""
CLAIMED: Final = f"""
    SELECT show_id, platform, author_id, author_name, words, quantity, said_at, state, detail
    FROM claim WHERE {THEIRS} ORDER BY said_at
"""  # noqa: S608 - words of ours
BLANK: Final = f"""
    UPDATE claim SET author_id = :nobody, author_name = NULL, viewer_id = :nobody, words = '', detail = '',
           opened_by = CASE WHEN opened_by IS NULL THEN NULL ELSE :nobody END
    WHERE {THEIRS}
"""  # noqa: S608
BLOCKED: Final = """
    brand_id = :brand AND (platform, author_id) IN (
        SELECT * FROM unnest(CAST(:platforms AS text[]), CAST(:author_ids AS text[])))
"""


async def export(session: AsyncSession, who: Who) -> Rows:
    """Claims, and whether a brand takes no more of them."""
    names = ("platforms", "author_ids")
    blocked = f"SELECT platform, author_id, created_at FROM claim_block WHERE {BLOCKED}"  # noqa: S608
    return {
        "claim": await rows_of(session, who, CLAIMED, *names, "visitors"),
        "claim_block": await rows_of(session, who, blocked, *names),
    }


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Nobody claimed, and nobody is blocked."""
    names = ("platforms", "author_ids")
    return {
        "claim": await done(session, who, BLANK, *names, "visitors", "nobody"),
        "claim_block": await done(session, who, f"DELETE FROM claim_block WHERE {BLOCKED}", *names),  # noqa: S608
    }
