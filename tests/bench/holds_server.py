"""The HTTP process with holds taken our way, or another: `python -m tests.bench.holds_server plain`.

All else is the same code: the fast lane, the viewer's token, the answer, the tables.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg
from fastapi import FastAPI

from hub.app import create_app
from hub.clock import wall_clock
from hub.db import Database
from hub.errors import Conflict, HubError
from hub.ids import new_id
from hub.news import Coalescer
from hub.serve import configure_logs, run_http
from hub.settings import Settings
from hub.stock.facts import Held, taken_of
from hub.stock.lane import LanedApp
from hub.stock.reserve import Reservations, Taken, Waiter, Wish

TAKE = """
UPDATE stock SET held = held + $2, version = version + 1
WHERE variant_id = $1 AND on_hand - held - committed >= $2
RETURNING on_hand - held - committed AS available
"""
LOOK = "SELECT on_hand - held - committed AS available, version FROM stock WHERE variant_id = $1"
TAKE_IF_SAME = """
UPDATE stock SET held = held + $2, version = version + 1
WHERE variant_id = $1 AND version = $3 AND on_hand - held - committed >= $2
"""
HOLD = """
INSERT INTO hold (id, group_id, brand_id, variant_id, show_id, viewer_id, quantity, units, state, soft, key,
                  channel, unit_minor, list_minor, currency, extended, created_at, expires_at)
VALUES ($1, $1, $2, $3, $4, $5, $6, $6, 'held', false, $7, 'own', 4900, 4900, 'EUR', false, $8, $9)
"""
MOVEMENT = """
INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
VALUES ($1, $2, $3, 'hold', $4, 'hold', $5, $6)
"""
HOLD_FOR = timedelta(seconds=90)
MOST_TRIES = 1000


class PlainReservations(Reservations):
    """What most shops do: one transaction for each buyer, who waits for the row's lock."""

    def __init__(self, db: Database) -> None:
        super().__init__(db, wall_clock, Coalescer(1.0, _nobody), HOLD_FOR)
        self._taking: set[asyncio.Task[None]] = set()

    def queue(self, wish: Wish, waiter: Waiter) -> None:
        """Nobody is queued: each buyer's request is a task."""
        task = asyncio.get_running_loop().create_task(self._tell(wish, waiter))
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)

    async def _tell(self, wish: Wish, waiter: Waiter) -> None:
        try:
            waiter.set_result(await self.take(wish))
        except HubError as error:
            waiter.set_exception(error)

    async def take(self, wish: Wish) -> Taken:
        """The row update, the hold and the ledger row, then commit."""
        now = wall_clock()
        async with self._db.pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(TAKE, wish.variant_id, wish.quantity)
            if row is None:
                raise Conflict("sold_out", "Sold out.")
            await write_down(connection, wish, now)
        return answer(wish, now, row["available"])


class OptimisticReservations(PlainReservations):
    """What others do: read the row and its version, write if the version is still the same, else again."""

    async def take(self, wish: Wish) -> Taken:
        """As often as it takes; each try waits a little longer, as one is told to."""
        now = wall_clock()
        for tries in range(MOST_TRIES):
            async with self._db.pool.acquire() as connection:
                row = await connection.fetchrow(LOOK, wish.variant_id)
                if row["available"] < wish.quantity:
                    raise Conflict("sold_out", "Sold out.")
                async with connection.transaction():
                    done = await connection.execute(
                        TAKE_IF_SAME, wish.variant_id, wish.quantity, row["version"]
                    )
                    if done == "UPDATE 1":
                        await write_down(connection, wish, now)
                        return answer(wish, now, row["available"] - wish.quantity)
            await asyncio.sleep(random.random() * min(0.05, 0.001 * 2 ** min(tries, 6)))
        raise Conflict("too_busy", "Try again.")


async def write_down(connection: asyncpg.Connection, wish: Wish, now: datetime) -> None:
    """The hold and its row in the ledger."""
    key = (wish.id, wish.brand_id, wish.variant_id, wish.show_id, wish.viewer_id)
    await connection.execute(HOLD, *key, wish.quantity, wish.key, now, now + HOLD_FOR)
    moved = (new_id(), wish.brand_id, wish.variant_id, wish.quantity, str(wish.id), now)
    await connection.execute(MOVEMENT, *moved)


def answer(wish: Wish, now: datetime, available: int) -> Taken:
    """What a buyer is told."""
    held = Held(wish.id, wish.variant_id, wish.quantity, 4900, 4900, "EUR")
    return taken_of(wish.id, now + HOLD_FOR, [(held, wish.quantity)], available)


async def _nobody(_: object) -> None:
    """Nobody is told."""


KINDS = {"plain": PlainReservations, "optimistic": OptimisticReservations}


def otherwise(app: LanedApp, kind: type[PlainReservations]) -> LanedApp:
    """The same app with another way of taking holds."""
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(opened: FastAPI) -> AsyncIterator[None]:
        async with inner(opened):
            hub = opened.state.services
            opened.state.services = replace(hub, reservations=kind(hub.db))
            yield

    app.router.lifespan_context = lifespan
    return app


def main() -> None:
    """Serve until stopped."""
    settings = Settings(_env_file=None)
    configure_logs("WARNING")
    app = create_app(settings, dict(os.environ))
    kind = KINDS.get(sys.argv[1])
    run_http(otherwise(app, kind) if kind else app, settings)


if __name__ == "__main__":
    main()
