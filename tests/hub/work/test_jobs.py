"""The queue: a job and the fact that causes it are one, and neither is lost, whoever overtakes whom."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from procrastinate import App, PsycopgConnector

from connectors.errors import Refused, RetryLater
from hub.db import Database
from hub.jobs import defer
from hub.work.jobs import MOST_TRIES, Patience, Queue, revive_stalled


class Bench:
    """A queue with one task, `note`, that a test scripts: each run takes the next of `errors`."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.app = App(connector=PsycopgConnector(conninfo=db.url, min_size=1, max_size=3))
        self.app.job_manager = Queue(self.app.connector)
        self.ran: list[str] = []
        self.errors: list[Exception] = []
        self.before_error: Any = None

        async def note(words: str) -> None:
            self.ran.append(words)
            if self.errors:
                if self.before_error:
                    await self.before_error()
                raise self.errors.pop(0)

        self.app.task(name="note", retry=Patience())(note)

    async def defer(self, words: str, **how: Any) -> None:
        async with self.db.session() as session:
            await defer(session, "note", words=words, **how)

    async def work(self) -> None:
        await self.app.run_worker_async(
            wait=False, listen_notify=False, delete_jobs="successful", install_signal_handlers=False
        )

    async def hurry(self) -> None:
        await self.db.pool.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")

    async def pauses(self) -> list[float]:
        """Seconds until the next try of whatever waits, as of now."""
        rows = await self.db.pool.fetch(
            "SELECT extract(epoch FROM scheduled_at - now())::float8 AS wait FROM procrastinate_jobs"
        )
        return [row["wait"] for row in rows]

    async def left(self) -> list[str]:
        rows = await self.db.pool.fetch("SELECT status FROM procrastinate_jobs ORDER BY id")
        return [row["status"] for row in rows]


@pytest.fixture
async def bench(db: Database) -> Any:
    made = Bench(db)
    async with made.app.open_async():
        yield made


async def test_a_job_of_a_transaction_that_failed_does_not_exist(bench: Bench) -> None:
    async def change_and_fail() -> None:
        async with bench.db.session() as session:
            await defer(session, "note", words="never")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_and_fail()
    await bench.work()
    assert bench.ran == []


async def test_a_waiting_job_is_enough(bench: Bench) -> None:
    for _ in range(3):
        await bench.defer("once", key="k")
    await bench.work()
    assert bench.ran == ["once"]


async def test_a_waiting_job_does_not_begin_before_it_can_see_who_relied_on_it(bench: Bench) -> None:
    """Otherwise it would act on the old state, and nothing would ever act on the new one."""
    await bench.defer("x", key="k")
    async with bench.db.session() as session:
        await defer(session, "note", key="k", words="x")
        await bench.work()
        assert bench.ran == []
    await bench.work()
    assert bench.ran == ["x"]


async def test_a_job_that_has_begun_is_not_enough(bench: Bench) -> None:
    async def begin() -> None:
        await bench.defer("again", key="k")

    bench.before_error, bench.errors = begin, [RetryLater("busy", 0.0)]
    await bench.defer("first", key="k", lock="k")
    await bench.work()
    await bench.hurry()
    await bench.work()
    # The first could not be put back beside the waiting one; that one did its work, and nothing is stuck.
    assert bench.ran == ["first", "again"]
    assert await bench.left() == []


async def test_two_transactions_that_want_the_same_job_both_get_it(bench: Bench) -> None:
    async def want() -> None:
        await bench.defer("same", key="k")

    await asyncio.gather(*(want() for _ in range(8)))
    await bench.work()
    assert bench.ran == ["same"]


async def test_a_failed_job_runs_again_and_is_parked_at_last(bench: Bench) -> None:
    bench.errors = [ValueError("broken") for _ in range(MOST_TRIES + 1)]
    await bench.defer("x")
    for _ in range(MOST_TRIES + 5):
        await bench.work()
        await bench.hurry()
    assert len(bench.ran) == MOST_TRIES + 1
    assert await bench.left() == ["failed"]


async def test_waiting_for_a_turn_is_no_failed_try(bench: Bench) -> None:
    waits = MOST_TRIES + 3
    bench.errors = [RetryLater("no turn yet", 100.0, tries=0) for _ in range(waits)]
    # A failure after them counts as the first it is.
    bench.errors.append(RetryLater("busy", 0.0, tries=1))
    await bench.defer("x")
    pauses = []
    for _ in range(waits + 2):
        await bench.work()
        pauses += await bench.pauses()
        await bench.hurry()
    *turns, failure = pauses
    assert len(turns) == waits
    assert 50 < min(turns) <= max(turns) <= 100
    assert failure <= 1
    assert await bench.left() == []


async def test_a_definite_no_is_not_said_twice(bench: Bench) -> None:
    bench.errors = [Refused("no")]
    await bench.defer("x")
    await bench.work()
    assert bench.ran == ["x"]
    assert await bench.left() == ["failed"]


async def test_jobs_of_a_dead_worker_run_again(bench: Bench) -> None:
    await bench.defer("x")
    worker = await bench.db.pool.fetchval(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
    )
    await bench.db.pool.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = $1", worker)
    await bench.work()
    assert bench.ran == []
    await revive_stalled(bench.app)
    await bench.work()
    assert bench.ran == ["x"]


async def test_jobs_with_one_lock_run_in_order(bench: Bench) -> None:
    words = [uuid4().hex for _ in range(5)]
    for word in words:
        await bench.defer(word, lock="target")
    await bench.work()
    assert bench.ran == words
