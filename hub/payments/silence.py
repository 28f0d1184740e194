"""Whether gateways still tell us by themselves: payments of which no webhook told are noticed.

A payment's own calls go on without webhooks, so nothing seems wrong, while refunds made at the gateway,
captures that fail later and disputes would be missed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import text

from hub.clock import Clock
from hub.connections.service import Connections
from hub.db import Database, run

log = structlog.get_logger()

TAKES: Final = timedelta(minutes=5)
"""A webhook may take so long; a payment that is younger proves nothing."""
EARLY: Final = timedelta(minutes=1)
"""It may also be here before our own call was answered."""
LOOK_BACK: Final = timedelta(days=1)
TOO_MANY: Final = 2
"""Payments that nobody told us of, until it is an alarm: one delivery may be lost anywhere."""
REMEDY: Final = (
    "Open the webhooks page of your {title} account and see that it sends to {address}, is switched on, and "
    "that its secret is the one entered here."
)
UNTOLD: Final = text(
    """
    SELECT connection.id, connection.brand_id, connection.connector, count(*) AS missed
    FROM connection JOIN payment ON payment.connection_id = connection.id
    LEFT JOIN shop_watch AS watch ON watch.connection_id = connection.id
    WHERE connection.state = 'ok' AND connection.connector = ANY(:telling) AND watch.silent_since IS NULL
      AND payment.state IN ('capturing', 'captured', 'refunded')
      AND payment.updated_at BETWEEN :since AND :until
      AND payment.updated_at > coalesce(watch.hook_at, connection.created_at) + CAST(:early AS interval)
    GROUP BY connection.id HAVING count(*) >= :many
    """
)
SILENT: Final = text(
    """
    INSERT INTO shop_watch (connection_id, brand_id, missed, silent_since, problem)
    VALUES (:id, :brand_id, :missed, :now, :problem)
    ON CONFLICT (connection_id) DO UPDATE SET missed = :missed, silent_since = :now, problem = :problem
    """
)


class Silence:
    """`site` is our own address, as gateways reach it."""

    def __init__(self, db: Database, clock: Clock, connections: Connections, site: str) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._site = site

    @property
    def telling(self) -> list[str]:
        """Gateways that tell of every payment by themselves."""
        return [name for name, one in self._connections.connectors.items() if one.tells_payments]

    async def find(self) -> int:
        """Raise the alarm for those that fell silent; the next webhook ends it. How many there are."""
        known = self._connections.connectors
        now = self._clock()
        values = {
            "telling": self.telling,
            "since": now - LOOK_BACK,
            "until": now - TAKES,
            "early": EARLY,
            "many": TOO_MANY,
        }
        async with self._db.session() as session:
            found = (await run(session, UNTOLD, values)).all()
            for row in found:
                address = f"{self._site}/webhooks/{row.connector}/{row.id}"
                problem = REMEDY.format(title=known[row.connector].title, address=address)
                await run(session, SILENT, {**row._asdict(), "now": now, "problem": problem})
                log.warning("payments.silent", connection=str(row.id), missed=row.missed)
        return len(found)
