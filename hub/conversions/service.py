"""Conversions out, put together: what is found, what is sent, what is seen of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import text

from hub.clock import Clock
from hub.connections.service import Connections
from hub.conversions.ad_ids import AdIdBook
from hub.conversions.board import Board
from hub.conversions.outbox import Outbox
from hub.conversions.permits import Book
from hub.conversions.pixels import Pixels
from hub.conversions.queue import Queueing
from hub.db import Database, run
from hub.secrets import Vault

KEEP_REFUSED: Final = timedelta(days=30)
FORGET: Final = text(
    "UPDATE conversion SET payload_sealed = NULL WHERE payload_sealed IS NOT NULL AND event_at < :before"
)


class Conversions:
    """Tells Google, Meta and TikTok what was bought, as far as the buyers agreed."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        vault: Vault,
        connections: Connections,
        book: Book,
        *,
        site_url: str,
    ) -> None:
        self._db = db
        self._clock = clock
        self.ad_ids = AdIdBook(clock, vault)
        self.queue = Queueing(db, clock, vault, connections, book, site_url=site_url)
        self.outbox = Outbox(db, clock, vault, connections, book, self.ad_ids)
        self.board = Board(clock, connections)
        self.pixels = Pixels(db, clock, connections)

    async def sweep(self) -> None:
        """Find what is to be told, and have what is due sent."""
        await self.queue.sweep()
        await self.outbox.find_due()

    async def forget(self) -> None:
        """Browser ids after 90 days, and what no platform would take any more."""
        async with self._db.session() as session:
            await self.ad_ids.forget(session)
            await run(session, FORGET, {"before": self._clock() - KEEP_REFUSED})
