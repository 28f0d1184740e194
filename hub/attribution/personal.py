"""What attribution knows of people: their pseudonymous ids in the files of its runs, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.attribution import files
from hub.db import run
from hub.privacy.who import Counts, Rows, Who

STOP = text(
    """
    UPDATE attribution_run SET state = 'failed', step = '',
        reason_failed = 'Somebody was erased while it ran. Start a new one.'
    WHERE brand_id = :brand AND state = 'running'
    """
)


async def export(session: AsyncSession, who: Who) -> Rows:
    """Nothing of its own: their rooms hand out touches and orders; credits are figures of the shop."""
    return {}


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Give the person's rows in every kept file a name of nobody; counted in rows, so sums stay right.

    A run under way has read what is being erased: it is stopped, and does not come to an end.
    """
    await run(session, STOP, {"brand": who.brand_id})
    persons = [*map(str, who.customer_ids), *(f"v:{one}" for one in who.visitor_ids)]
    persons += [f"o:{one}" for one in who.order_ids]
    renamed = 0
    for file in await asyncio.to_thread(kept_files, who):
        renamed += await asyncio.to_thread(files.forget, file, persons, who.nobody)
    return {"attribution_run": renamed}


def kept_files(who: Who) -> list[Path]:
    """Every file of the brand's runs, also one that no row knows of: its run was killed before it said so."""
    return sorted((who.folder / "attribution" / str(who.brand_id)).glob("*.parquet"))
