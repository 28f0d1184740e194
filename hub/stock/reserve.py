"""Taking holds, the hottest path there is: all requests of about 2 ms are one transaction.

Lock and read in one go, decide in memory (`decide.py`, pure), write in one statement, commit, and only then
answer: what a buyer was told survives whatever happens next. Requests are judged in the order they came.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import asyncpg
import structlog

from hub.clock import Clock
from hub.db import Database, away
from hub.errors import HubError
from hub.news import Coalescer
from hub.stock.decide import HOARDING_WINDOW, Answer, Crowded, Grant, decide
from hub.stock.facts import Facts, Held, Taken, Wish, facts_of
from hub.stock.networks import Fullness
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


class Waiter(Protocol):
    """Who is told. A future is one; a connection may be one as well."""

    def done(self) -> bool:
        """Whether nobody waits any more."""
        ...

    def set_result(self, result: Taken, /) -> None:
        """The reservation."""
        ...

    def set_exception(self, exception: HubError, /) -> None:
        """Why there is none."""
        ...


Waiting = tuple[Wish, Waiter]


class Reservations:
    """Collects wishes and decides them together. Starts with the first wish; `close` ends it."""

    def __init__(self, db: Database, clock: Clock, news: Coalescer[UUID], hold_for: timedelta) -> None:
        self._db = db
        self._clock = clock
        self._news = news
        self._usual_seconds = int(hold_for.total_seconds())
        self._fullness = Fullness(clock)
        self._waiting: list[Waiting] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def take(self, wish: Wish) -> Taken:
        """Holds, or Conflict, or NotFound. Same key, same answer.

        Conflict: `sold_out` | `limit` | `hold_over` | `key_taken` | `offer_over` | `members_only` |
        `tier_split` | `hoarding` | `live_only`.
        """
        future: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self.queue(wish, future)
        return await future

    def queue(self, wish: Wish, waiter: Waiter) -> None:
        """The same without waiting: the waiter is told, within the event loop. Raises when too many wait."""
        if len(self._waiting) >= MOST_WAITING:
            raise away()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="reservations")
        # Late in the queue is not late for an offer: what counts is when the wish came in.
        self._waiting.append((wish if wish.at else replace(wish, at=self._clock()), waiter))
        self._wake.set()

    async def close(self) -> None:
        """Stop; those still waiting are told to try again."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._give_up(self._waiting)

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

    def _late(self, batch: Sequence[Waiting]) -> list[Waiting]:
        """Those who came while the locks were waited for, and need no other ones: they are judged along.

        Where several processes take turns, this is most of them.
        """
        room = LARGEST_BATCH - len(batch)
        if room <= 0 or not self._waiting:
            return []
        shows, variants, offers = locks_of([wish for wish, _ in batch])
        near, far = self._waiting[:room], self._waiting[room:]
        late = [one for one in near if needs_no_more(one[0], shows, variants, offers)]
        if late:
            taken = set(map(id, late))
            self._waiting = [one for one in near if id(one) not in taken] + far
        if not self._waiting:
            self._wake.clear()
        return late

    async def _decide(
        self, connection: asyncpg.Connection, batch: list[Waiting], *, along: bool = True
    ) -> None:
        """`batch` grows by those who are judged `along`, also when this fails: they are the caller's then."""

        def wishes() -> list[Wish]:
            if along:
                batch.extend(self._late(batch))
            return [wish for wish, _ in batch]

        answers = await self._transact(connection, [wish for wish, _ in batch], wishes)
        changed: set[UUID] = set()
        for (wish, waiter), answer in zip(batch, answers, strict=True):
            if isinstance(answer, Grant):
                changed.update(row.held.variant_id for row in answer.rows)
            elif isinstance(answer, Crowded):
                self._fullness.seen(wish.show_id)
            if waiter.done():
                continue
            if isinstance(answer, HubError):
                waiter.set_exception(answer)
            else:
                waiter.set_result(answer.taken)
        self._news.touch(*changed)

    async def _decide_again(self, batch: list[Waiting]) -> None:
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
                    await self._decide(connection, [one], along=False)
            except Exception as failure:  # noqa: BLE001 - a supervisor, as above
                log.warning("reserve.failed", error=type(failure).__name__)
                self._give_up([one])

    def _give_up(self, batch: Sequence[Waiting]) -> None:
        for _, waiter in batch:
            if not waiter.done():
                waiter.set_exception(away())

    async def ask(self, wishes: Sequence[Wish]) -> list[Answer]:
        """One batch by itself, decided and written."""
        async with self._db.pool.acquire() as connection:
            return await self._transact(connection, wishes, lambda: wishes)

    async def _transact(
        self, connection: asyncpg.Connection, first: Sequence[Wish], all_of: Callable[[], Sequence[Wish]]
    ) -> list[Answer]:
        """Lock for the first wishes, then decide on all there are by then."""
        answers: list[Answer] = []
        with contextlib.suppress(NothingToWrite):
            async with connection.transaction():
                shows, variants, offers = locks_of(first)
                await connection.execute(LOCK, list(map(turn_of, shows)), list(variants), list(offers))
                wishes = all_of()
                now = self._clock()
                facts = await self._facts(connection, wishes)
                answers = decide(wishes, facts, now, self._usual_seconds)
                grants = [one for one in answers if isinstance(one, Grant)]
                if not grants:
                    raise NothingToWrite
                await connection.execute(WRITE, *columns(grants, facts, now))
        return answers

    async def _facts(self, connection: asyncpg.Connection, wishes: Sequence[Wish]) -> Facts:
        """Everything about these wishes, true until the transaction ends."""
        _, variants, offers = locks_of(wishes)
        sorts: dict[tuple[UUID, UUID, UUID], int] = {}
        numbers = [
            sorts.setdefault((wish.show_id, wish.variant_id, wish.brand_id), len(sorts) + 1)
            for wish in wishes
        ]
        found: str = await connection.fetchval(
            READ,
            *(list(variants), list(offers)),
            *(list(column) for column in zip(*sorts, strict=True)),
            [wish.viewer_id for wish in wishes],
            [wish.key for wish in wishes],
            numbers,
            self._clock() - HOARDING_WINDOW,
            list({wish.network for wish in wishes if wish.network is not None}),
        )
        return facts_of(json.loads(found))


def locks_of(wishes: Sequence[Wish]) -> tuple[set[UUID], set[UUID], set[UUID]]:
    """The shows, variants and named offers whose locks they need."""
    offers = {wish.offer_id for wish in wishes if wish.offer_id}
    return {wish.show_id for wish in wishes}, {wish.variant_id for wish in wishes}, offers


def needs_no_more(wish: Wish, shows: set[UUID], variants: set[UUID], offers: set[UUID]) -> bool:
    """Whether these locks are enough for it."""
    known = wish.offer_id is None or wish.offer_id in offers
    return known and wish.show_id in shows and wish.variant_id in variants


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
            number = sorts.setdefault(sort, len(sorts) + 1)
            # A group counts by its first row. Where nothing is limited, or reserved, nothing is remembered.
            limited = row.units and not one.soft and facts.shows[wish.show_id].network_limit
            made.append((held.hold_id, group, wish.viewer_id, key, number, wish.network if limited else None))
    *own, networks = (list(column) for column in zip(*made, strict=True))
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
        *own,
        *alike,
        now,
        expires,
        *(part for total in (stock, offers, tiers) for part in (list(total), list(total.values()))),
        [row.id for row, _ in queued],
        [row.state for row, _ in queued],
        [taken.group_id for _, taken in queued],
        [taken.expires_at for _, taken in queued],
        networks,
    ]
