"""Puts together what is worked out from shows and people; part of the composition root (`hub/app.py`)."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from hub.analytics.cohorts import Cohorts
from hub.analytics.service import Analytics
from hub.attribution.service import Attribution
from hub.benefits.segments import Segments
from hub.clock import Clock
from hub.db import Database
from hub.events.log import EventLog
from hub.events.service import Events
from hub.events.stream import EventStream
from hub.secrets import Vault


class Insight(TypedDict):
    """The services that reckon, by the names they have in `Services`."""

    events: Events
    analytics: Analytics
    cohorts: Cohorts
    segments: Segments


def insight(
    db: Database, clock: Clock, vault: Vault, data: Path, stream: EventStream, attribution: Attribution
) -> Insight:
    """Every service that reckons, each given what it needs."""
    log = EventLog(data / "events")
    cohorts = Cohorts(clock, vault, log)
    return Insight(
        events=Events(db, clock, stream, data / "events"),
        analytics=Analytics(clock, attribution, log),
        cohorts=cohorts,
        segments=Segments(db, clock, cohorts),
    )
