"""The HTTP process with holds taken our way, or the plain way: `python -m tests.bench.holds_server plain`.

All else is the same code: routing, the viewer's token, the answer, the tables.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import uvicorn
from fastapi import FastAPI

from hub.app import create_app
from hub.clock import wall_clock
from hub.db import Database
from hub.errors import Conflict
from hub.ids import new_id
from hub.news import Coalescer
from hub.serve import configure_logs
from hub.settings import Settings
from hub.stock.reserve import Held, Reservations, Wish

TAKE = """
UPDATE stock SET held = held + $2, version = version + 1
WHERE variant_id = $1 AND on_hand - held - committed >= $2
RETURNING on_hand - held - committed AS available
"""
HOLD = """
INSERT INTO hold (id, brand_id, variant_id, show_id, viewer_id, quantity, state, key, channel, unit_minor,
                  currency, extended, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, 'held', $7, 'own', 4900, 'EUR', false, $8, $9)
"""
MOVEMENT = """
INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
VALUES ($1, $2, $3, 'hold', $4, 'hold', $5, $6)
"""
HOLD_FOR = timedelta(seconds=90)


class PlainReservations(Reservations):
    """What most shops do: one transaction for each buyer, who waits for the row's lock."""

    def __init__(self, db: Database) -> None:
        super().__init__(db, wall_clock, Coalescer(1.0, _nobody), HOLD_FOR)

    async def take(self, wish: Wish) -> Held:
        """The row update, the hold and the ledger row, then commit."""
        now = wall_clock()
        async with self._db.pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(TAKE, wish.variant_id, wish.quantity)
            if row is None:
                raise Conflict("sold_out", "Sold out.")
            key = (wish.id, wish.brand_id, wish.variant_id, wish.show_id, wish.viewer_id)
            await connection.execute(HOLD, *key, wish.quantity, wish.key, now, now + HOLD_FOR)
            moved = (new_id(), wish.brand_id, wish.variant_id, wish.quantity, str(wish.id), now)
            await connection.execute(MOVEMENT, *moved)
        return Held(wish.id, now + HOLD_FOR, 4900, "EUR", wish.quantity, row["available"])


async def _nobody(_: object) -> None:
    """Nobody is told."""


def plain(app: FastAPI) -> FastAPI:
    """The same app with the other way of taking holds."""
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(opened: FastAPI) -> AsyncIterator[None]:
        async with inner(opened):
            hub = opened.state.services
            opened.state.services = replace(hub, reservations=PlainReservations(hub.db))
            yield

    app.router.lifespan_context = lifespan
    return app


def main() -> None:
    """Serve until stopped."""
    settings = Settings(_env_file=None)
    configure_logs("WARNING")
    app = create_app(settings, dict(os.environ))
    uvicorn.run(
        plain(app) if sys.argv[1] == "plain" else app,
        host="127.0.0.1",
        port=settings.http_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        backlog=4096,
    )


if __name__ == "__main__":
    main()
