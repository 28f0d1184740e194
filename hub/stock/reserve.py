"""Taking holds, the hottest path there is: all requests of about 2 ms are one transaction.

Lock and read in one go, decide in memory (`decide.py`, pure), write in one statement, commit, and only then
answer: what a buyer was told survives whatever happens next. Requests are judged in the order they came.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from hub.clock import Clock
from hub.db import Database, away
from hub.errors import HubError
from hub.news import Coalescer
from hub.stock.decide import HOARDING_WINDOW, Answer, Grant, decide
from hub.stock.facts import Facts, Held, Taken, Wish, facts_of
from hub.stock.statements import LOCK, READ, TUNE, WRITE

__all__ = ["Held", "Reservations", "Taken", "Wish"]

log = structlog.get_logger()

TICK: Final = 0.002
ENOUGH: Final = 24
"""So many waiting are a batch already: they don't wait for the tick."""
LARGEST_BATCH: Final = 500
MOST_WAITING: Final = 20_000
IDLE_SECONDS: Final = 1.0
"""How long the connection is kept for the next batch: fetching one for each costs a round trip more."""

GONE: Final = (
    *(OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError),
    asyncpg.exceptions.OperatorInterventionError,
)
"""The connection is lost, not the wishes bad."""


class NothingToWrite(Exception):
    """Ends a transaction that only held locks: a commit would wait for the disk for nothing."""


Waiting = tuple[Wish, "asyncio.Future[Taken]"]


class Reservations:
    """Collects wishes and decides them together. Starts with the first wish; `close` ends it."""

    def __init__(self, db: Database, clock: Clock, news: Coalescer[UUID], hold_for: timedelta) -> None:
        self._db = db
        self._clock = clock
        self._news = news
        self._usual_seconds = int(hold_for.total_seconds())
        self._waiting: list[Waiting] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def take(self, wish: Wish) -> Taken:
        """Holds, or Conflict, or NotFound. Same key, same answer.

        Conflict: `sold_out` | `limit` | `hold_over` | `key_taken` | `offer_over` | `members_only` |
        `tier_split` | `hoarding` | `live_only`.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise away()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="reservations")
        future: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        # Late in the queue is not late for an offer: what counts is when the wish came in.
        self._waiting.append((wish if wish.at else replace(wish, at=self._clock()), future))
        self._wake.set()
        return await future

    async def close(self) -> None:
        """Stop; those still waiting are told to try again."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(away())

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            try:
                async with self._db.pool.acquire() as connection:
                    await self._serve(connection)
            except Exception as error:  # noqa: BLE001 - a supervisor: every buyer gets an answer
                log.warning("reserve.no_connection", error=type(error).__name__)
                self._give_up(self._next_batch())

    async def _serve(self, connection: asyncpg.Connection) -> None:
        """Batch after batch over one connection, until nobody has come for a while."""
        await connection.execute(TUNE)
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                return
            if len(self._waiting) < ENOUGH:
                await asyncio.sleep(TICK)
            batch = self._next_batch()
            try:
                await self._decide(connection, batch)
            except GONE as error:
                log.warning("reserve.connection_lost", size=len(batch), error=type(error).__name__)
                await self._decide_again(batch)
                return
            except Exception as error:  # noqa: BLE001 - a supervisor, as above
                log.warning("reserve.batch_failed", size=len(batch), error=type(error).__name__)
                await self._decide_singly(batch)
                return

    def _next_batch(self) -> list[Waiting]:
        """Those who came first; who went away meanwhile is passed over."""
        batch = self._waiting[:LARGEST_BATCH]
        del self._waiting[:LARGEST_BATCH]
        if not self._waiting:
            self._wake.clear()
        return batch

    async def _decide(self, connection: asyncpg.Connection, batch: Sequence[Waiting]) -> None:
        answers = await self._transact(connection, [wish for wish, _ in batch])
        changed: set[UUID] = set()
        for (_, future), answer in zip(batch, answers, strict=True):
            if isinstance(answer, Grant):
                changed.update(row.held.variant_id for row in answer.rows)
            if future.done():
                continue
            if isinstance(answer, HubError):
                future.set_exception(answer)
            else:
                future.set_result(answer.taken)
        self._news.touch(*changed)

    async def _decide_again(self, batch: Sequence[Waiting]) -> None:
        """Once more over another connection: what was written before the loss is found by its key."""
        try:
            async with self._db.pool.acquire() as connection:
                await self._decide(connection, batch)
        except Exception as failure:  # noqa: BLE001 - a supervisor, as above
            log.warning("reserve.failed", size=len(batch), error=type(failure).__name__)
            self._give_up(batch)

    async def _decide_singly(self, batch: Sequence[Waiting]) -> None:
        """One bad wish must not cost the others theirs; a database that is away costs everybody."""
        for one in batch:
            if one[1].done():
                continue
            try:
                async with self._db.pool.acquire() as connection:
                    await self._decide(connection, [one])
            except Exception as failure:  # noqa: BLE001 - a supervisor, as above
                log.warning("reserve.failed", error=type(failure).__name__)
                self._give_up([one])

    def _give_up(self, batch: Sequence[Waiting]) -> None:
        for _, future in batch:
            if not future.done():
                future.set_exception(away())

    async def ask(self, wishes: Sequence[Wish]) -> list[Answer]:
        """One batch by itself, decided and written."""
        async with self._db.pool.acquire() as connection:
            return await self._transact(connection, wishes)

    async def _transact(self, connection: asyncpg.Connection, wishes: Sequence[Wish]) -> list[Answer]:
        now = self._clock()
        answers: list[Answer] = []
        with contextlib.suppress(NothingToWrite):
            async with connection.transaction():
                facts = await self._facts(connection, wishes)
                answers = decide(wishes, facts, now, self._usual_seconds)
                grants = [one for one in answers if isinstance(one, Grant)]
                if not grants:
                    raise NothingToWrite
                await connection.execute(WRITE, *columns(grants, facts, now))
        return answers

    async def _facts(self, connection: asyncpg.Connection, wishes: Sequence[Wish]) -> Facts:
        """Everything about these wishes, true until the transaction ends."""
        shows = [wish.show_id for wish in wishes]
        variants = [wish.variant_id for wish in wishes]
        wished = list(set(variants))
        offers = list({wish.offer_id for wish in wishes if wish.offer_id})
        await connection.execute(LOCK, [turn_of(show) for show in set(shows)], wished, offers)
        found: str = await connection.fetchval(
            READ,
            *(wished, offers, shows, variants),
            [wish.viewer_id for wish in wishes],
            [wish.brand_id for wish in wishes],
            [wish.key for wish in wishes],
            self._clock() - HOARDING_WINDOW,
        )
        return facts_of(json.loads(found))


def turn_of(show_id: UUID) -> int:
    """The advisory lock of a show: 63 bits of its id."""
    return show_id.int & ((1 << 63) - 1)


def columns(grants: Sequence[Grant], facts: Facts, now: datetime) -> list[object]:
    """The parameters of WRITE."""
    sorts: dict[tuple[object, ...], int] = {}
    made: list[tuple[object, ...]] = []
    for one in grants:
        wish = one.wish
        for n, row in enumerate(one.rows):
            held = row.held
            sort = (
                *(wish.brand_id, held.variant_id, wish.show_id, held.quantity, row.units, one.soft),
                *(wish.channel, held.unit_minor, held.list_minor, held.currency, held.offer_id, held.tier_id),
                *(row.bundle_id, one.taken.expires_at),
            )
            # A space is in no buyer's key.
            key = f"{wish.key} {n}" if n else wish.key
            group = wish.id if n else None
            made.append((held.hold_id, group, wish.viewer_id, key, sorts.setdefault(sort, len(sorts) + 1)))
    *alike, expires = (list(column) for column in zip(*sorts, strict=True))
    offers: dict[UUID, int] = {}
    tiers: dict[UUID, int] = {}
    for one in grants:
        if one.taken.offer_id:
            offers[one.taken.offer_id] = offers.get(one.taken.offer_id, 0) + one.taken.quantity
        if one.taken.tier_id:
            tiers[one.taken.tier_id] = tiers.get(one.taken.tier_id, 0) + one.taken.quantity
    stock = {variant: shelf.taken for variant, shelf in facts.shelves.items() if shelf.taken}
    queued = [(one.queued, one.taken) for one in grants if one.queued]
    return [
        *(list(column) for column in zip(*made, strict=True)),
        *alike,
        now,
        expires,
        *(part for total in (stock, offers, tiers) for part in (list(total), list(total.values()))),
        [row.id for row, _ in queued],
        [row.state for row, _ in queued],
        [taken.group_id for _, taken in queued],
        [taken.expires_at for _, taken in queued],
    ]
