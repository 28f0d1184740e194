"""What somebody did in shows, by the event log: to hand out, and to forget.

The events stay, so that a show's figures do; whose they were is gone. The files are rewritten here; the
stream, which may have the same for a few days, lets go of it in a job.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.events.log import EventLog, Merged
from hub.events.sealer import GONE
from hub.jobs import defer
from hub.privacy.who import Counts, Rows, Who


async def export(session: AsyncSession, who: Who) -> Rows:
    """Every event of theirs, by time."""
    log = EventLog(who.folder / "events")
    return {"viewer_event": await asyncio.to_thread(log.of_viewers, who.brand_id, who.visitor_ids)}


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Put an id that means nothing in their place, in every file of every show of the brand."""
    if not who.visitor_ids:
        return {"viewer_event": 0}
    changed, merged = await asyncio.to_thread(forget, EventLog(who.folder / "events"), who)
    if merged:
        # The new files get their rows when the log is tidied.
        paths = [path for one in merged for path in one.replaced]
        await run(session, GONE, {"brand": who.brand_id, "paths": paths})
    viewers = " ".join(who.visitor_ids)
    await defer(session, "events.forget", brand_id=str(who.brand_id), viewers=viewers)
    return {"viewer_event": changed}


def forget(log: EventLog, who: Who) -> tuple[int, list[Merged]]:
    """In the files: how many events, and which files are new."""
    changed, merged = 0, []
    shows: list[UUID] = log.shows(who.brand_id)
    for show_id in shows:
        with log.turn():
            count, one = log.rewrite(who.brand_id, show_id, {*who.visitor_ids})
        changed += count
        merged += [one] if one else []
    return changed, merged
