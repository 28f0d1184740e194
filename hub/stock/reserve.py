"""Taking holds, the hottest path there is: all requests of about 2 ms are one SQL statement.

Each request gets its own outcome, durable before the answer. The first request for a variant is
always judged on its own; one refused only because a larger one stood before it is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from hub.clock import Clock
from hub.db import Database, away
from hub.errors import Conflict, HubError, NotFound
from hub.ids import new_id
from hub.news import Coalescer

log = structlog.get_logger()

TICK: Final = 0.002
LARGEST_BATCH: Final = 500
MOST_WAITING: Final = 20_000
MOST_UNITS: Final = 5
"""Units one viewer may hold at a time in one show."""

RESERVE: Final = """
WITH req AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::int[], $7::text[])
        WITH ORDINALITY AS r(id, brand_id, variant_id, show_id, viewer_id, quantity, key, n)),
known AS (
    SELECT req.n, earlier.* FROM req CROSS JOIN LATERAL (
        SELECT id, state, expires_at, unit_minor, currency, quantity, viewer_id FROM hold
        WHERE hold.brand_id = req.brand_id AND hold.key = req.key LIMIT 1) AS earlier),
priced AS (
    SELECT req.*, variant.price_minor, variant.currency FROM req
    JOIN variant ON variant.id = req.variant_id AND variant.brand_id = req.brand_id
    JOIN show_product ON show_product.show_id = req.show_id AND show_product.product_id = variant.product_id
    JOIN show ON show.id = req.show_id AND show.state <> 'ended'
    WHERE req.n NOT IN (SELECT n FROM known)),
allowed AS (
    SELECT * FROM priced WHERE quantity + (
        SELECT coalesce(sum(hold.quantity), 0) FROM hold
        WHERE hold.viewer_id = priced.viewer_id AND hold.show_id = priced.show_id AND hold.state = 'held'
    ) <= $8::int),
shelf AS (
    SELECT variant_id, on_hand, held, committed, version, on_hand - held - committed AS available FROM stock
    WHERE variant_id IN (SELECT variant_id FROM allowed) ORDER BY variant_id FOR UPDATE),
queue AS (
    SELECT allowed.*, shelf.available,
           sum(quantity) OVER (PARTITION BY variant_id ORDER BY n) AS wanted
    FROM allowed JOIN shelf USING (variant_id)),
taken AS (
    INSERT INTO hold (id, brand_id, variant_id, show_id, viewer_id, quantity, state, key, channel,
                      unit_minor, currency, extended, created_at, expires_at)
    SELECT id, brand_id, variant_id, show_id, viewer_id, quantity, 'held', key, 'own',
           price_minor, currency, false, $9::timestamptz, $10::timestamptz
    FROM queue WHERE wanted <= available
    ON CONFLICT (brand_id, key) DO NOTHING
    RETURNING id, brand_id, variant_id, quantity),
ledger AS (
    INSERT INTO stock_movement (id, brand_id, variant_id, kind, quantity, ref_type, ref_id, created_at)
    SELECT gen_random_uuid(), brand_id, variant_id, 'hold', quantity, 'hold', id::text, $9::timestamptz
    FROM taken),
total AS (SELECT variant_id, sum(quantity) AS quantity FROM taken GROUP BY variant_id),
counted AS (
    -- Whole numbers from the locked row: constraints are checked on sums made of the row as this statement
    -- first saw it, and when a return has come in between, such sums would be refused.
    UPDATE stock SET on_hand = shelf.on_hand, held = shelf.held + total.quantity,
                     committed = shelf.committed, version = shelf.version + 1
    FROM total JOIN shelf USING (variant_id) WHERE stock.variant_id = total.variant_id)
SELECT req.n, priced.n IS NOT NULL AS sellable, allowed.n IS NOT NULL AS permitted,
       taken.id IS NOT NULL AS taken, known.id AS known_id, known.state AS known_state,
       known.viewer_id AS known_viewer, coalesce(known.expires_at, $10::timestamptz) AS expires_at,
       coalesce(known.unit_minor, priced.price_minor) AS unit_minor,
       coalesce(known.currency, priced.currency) AS currency,
       coalesce(known.quantity, req.quantity) AS quantity,
       coalesce(queue.available - coalesce(total.quantity, 0), 0) AS available
FROM req LEFT JOIN known USING (n) LEFT JOIN priced USING (n) LEFT JOIN allowed USING (n)
LEFT JOIN queue USING (n) LEFT JOIN taken ON taken.id = req.id
LEFT JOIN total ON total.variant_id = req.variant_id
ORDER BY req.n
"""


@dataclass(frozen=True)
class Wish:
    """One request for a hold. `key` is the buyer's idempotency key."""

    brand_id: UUID
    show_id: UUID
    viewer_id: str
    variant_id: UUID
    quantity: int
    key: str
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True)
class Held:
    """A hold that stands; `available` is what was left after this batch."""

    hold_id: UUID
    expires_at: datetime
    unit_minor: int
    currency: str
    quantity: int
    available: int


Waiting = tuple[Wish, "asyncio.Future[Held]"]


class Reservations:
    """Collects wishes and decides them together. Runs as a task: `async with` or start/close."""

    def __init__(self, db: Database, clock: Clock, news: Coalescer[UUID], hold_for: timedelta) -> None:
        self._db = db
        self._clock = clock
        self._news = news
        self._hold_for = hold_for
        self._waiting: list[Waiting] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def take(self, wish: Wish) -> Held:
        """A hold, or Conflict `sold_out` | `limit` | `hold_over`, or NotFound. Same key, same answer."""
        if len(self._waiting) >= MOST_WAITING:
            raise away()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="reservations")
        future: asyncio.Future[Held] = asyncio.get_running_loop().create_future()
        self._waiting.append((wish, future))
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
            await asyncio.sleep(TICK)
            batch = self._next_batch()
            try:
                await self._decide(batch)
            except Exception as error:  # noqa: BLE001 - a supervisor: every buyer gets an answer
                await self._decide_singly(batch, error)

    def _next_batch(self) -> list[Waiting]:
        """One wish per viewer and key, so that limits and keys hold within the batch too."""
        batch: list[Waiting] = []
        later: list[Waiting] = []
        seen: set[object] = set()
        for one in self._waiting:
            marks = {one[0].viewer_id, (one[0].brand_id, one[0].key)}
            if len(batch) >= LARGEST_BATCH or marks & seen:
                later.append(one)
            else:
                batch.append(one)
            seen |= marks
        self._waiting = later
        if not later:
            self._wake.clear()
        return batch

    async def _decide(self, batch: Sequence[Waiting]) -> None:
        rows = await self.ask([wish for wish, _ in batch])
        for (wish, future), row in zip(batch, rows, strict=True):
            self._answer(wish, future, row)
        self._news.touch(
            *{wish.variant_id for (wish, _), row in zip(batch, rows, strict=True) if row["taken"]}
        )

    async def _decide_singly(self, batch: Sequence[Waiting], error: Exception) -> None:
        """One bad wish must not cost the others theirs; a database that is away costs everybody."""
        log.warning("reserve.batch_failed", size=len(batch), error=type(error).__name__)
        for one in batch:
            if one[1].done():
                continue
            try:
                await self._decide([one])
            except Exception as failure:  # noqa: BLE001 - a supervisor, as above
                log.warning("reserve.failed", error=type(failure).__name__)
                if not one[1].done():
                    one[1].set_exception(away())

    async def ask(self, wishes: Sequence[Wish]) -> list[asyncpg.Record]:
        """One batch, decided by the database: a row per wish, in their order."""
        now = self._clock()
        columns = (
            [wish.id for wish in wishes],
            [wish.brand_id for wish in wishes],
            [wish.variant_id for wish in wishes],
            [wish.show_id for wish in wishes],
            [wish.viewer_id for wish in wishes],
            [wish.quantity for wish in wishes],
            [wish.key for wish in wishes],
        )
        rows: list[asyncpg.Record] = await self._db.pool.fetch(
            RESERVE, *columns, MOST_UNITS, now, now + self._hold_for
        )
        return rows

    def _answer(self, wish: Wish, future: asyncio.Future[Held], row: asyncpg.Record) -> None:
        if future.done():
            return
        refused = self._refusal(wish, row)
        if refused is AGAIN:
            self._waiting.insert(0, (wish, future))
            self._wake.set()
        elif refused:
            future.set_exception(refused)
        else:
            future.set_result(
                Held(
                    hold_id=row["known_id"] or wish.id,
                    expires_at=row["expires_at"],
                    unit_minor=row["unit_minor"],
                    currency=row["currency"],
                    quantity=row["quantity"],
                    available=row["available"],
                )
            )

    def _refusal(self, wish: Wish, row: asyncpg.Record) -> HubError | None:
        if row["known_id"]:
            if row["known_viewer"] != wish.viewer_id:
                return Conflict("key_taken", "Use a fresh random key for each reservation.")
            if row["known_state"] == "held":
                return None
            return Conflict("hold_over", "This reservation has ended. Buy again with a fresh key.")
        if not row["sellable"]:
            return NotFound("variant_unknown", "This product is not on sale in this show.")
        if not row["permitted"]:
            return Conflict("limit", f"You can reserve at most {MOST_UNITS} at a time.")
        if row["taken"]:
            return None
        if row["available"] >= wish.quantity:
            return AGAIN
        return Conflict("sold_out", "Sold out. Nothing was charged.", available=row["available"])


AGAIN: Final = Conflict("again", "Refused for its place in the batch only.")
