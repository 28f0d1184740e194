"""An audit beside an installation that runs: put together here for the command line."""

from __future__ import annotations

from hub.analytics.audit.run import Auditor, Verdict
from hub.analytics.service import Analytics
from hub.attribution.runs import Runs
from hub.attribution.service import Attribution
from hub.clock import wall_clock
from hub.db import Database
from hub.engines.postgres import Postgres
from hub.errors import BadInput
from hub.events.log import EventLog
from hub.settings import Settings


async def audit_show(settings: Settings, show: str) -> Verdict:
    """`show`: its slug or id. BadInput where the database does not run."""
    url, data = settings.database_url or Postgres(settings.data).url, settings.data
    try:
        async with Database(url, pool_size=2) as db:
            attribution = Attribution(wall_clock, data, Runs(db, wall_clock, data))
            analytics = Analytics(wall_clock, attribution, EventLog(data / "events"))
            return await Auditor(db, analytics, attribution, data).audit(show, wall_clock())
    except OSError as error:
        raise BadInput(
            "not_running", "Start `simulcast up` first, then audit from another terminal."
        ) from error
