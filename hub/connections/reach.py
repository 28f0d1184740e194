"""Puts together what keeps accounts linked; part of the composition root (`hub/app.py`)."""

from __future__ import annotations

from typing import TypedDict

from hub.clock import Clock
from hub.connections.alarms import Alarms
from hub.connections.consent import Consents
from hub.connections.revoking import Revocations
from hub.connections.service import Connections
from hub.db import Database


class Reach(TypedDict):
    """The services of linked accounts, by the names they have in `Services`."""

    connections: Connections
    consents: Consents
    revocations: Revocations
    alarms: Alarms


def reach(db: Database, clock: Clock, links: Connections, site_url: str) -> Reach:
    """Every service of linked accounts, each given what it needs."""
    return Reach(
        connections=links,
        consents=Consents(db, clock, links, site_url),
        revocations=Revocations(db, clock, links),
        alarms=Alarms(db, clock, links),
    )
