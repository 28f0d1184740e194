"""What somebody asked for before: to hand out, and to forget with its files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.privacy.rows import rows_of
from hub.privacy.who import Counts, Rows, Who

FOLDER: Final = "exports"
ASKED: Final = """
    SELECT kind, state, asked_at, done_at FROM rights_request
    WHERE brand_id = :brand AND customer_id = ANY(:customers) ORDER BY asked_at
"""
COPIES: Final = text(
    """
    UPDATE rights_request SET state = 'expired', file_path = NULL, proof = '{}'
    WHERE brand_id = :brand AND customer_id = ANY(:customers) AND kind = 'export' RETURNING id
    """
)


async def export(session: AsyncSession, who: Who) -> Rows:
    """Requests."""
    return {"rights_request": await rows_of(session, who, ASKED, "customers")}


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Copies that were made for them. The erasure's own request stays: it is the proof, and names nobody."""
    ids: list[UUID] = [*(await run(session, COPIES, who.values("customers"))).scalars()]
    await asyncio.to_thread(remove_copies, who.folder, ids)
    return {"rights_request": len(ids)}


def remove_copies(data: Path, ids: list[UUID]) -> None:
    """Files that may be gone already."""
    for one in ids:
        for suffix in ("sealed", "part"):
            (data / FOLDER / f"{one}.{suffix}").unlink(missing_ok=True)
