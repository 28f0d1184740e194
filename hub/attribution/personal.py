"""What attribution knows of people: their pseudonymous ids in the files of its runs, and nothing else."""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.attribution import files
from hub.attribution.models import AttributionRun
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
    kept = select(AttributionRun.path).where(
        col(AttributionRun.brand_id) == who.brand_id, col(AttributionRun.path).is_not(None)
    )
    renamed = 0
    for path in (await session.exec(kept)).all():
        file = who.folder / str(path)
        if persons and file.exists():
            renamed += await asyncio.to_thread(files.forget, file, persons, who.nobody)
    return {"attribution_run": renamed}
