"""Durable work: a job is a row, written in the same transaction as the fact that causes it.

The queue is procrastinate's; it is deferred through its own SQL function so that job and fact commit
together. Jobs run at least once: every handler must be safe to repeat.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run

DEFER = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        'default', CAST(:task AS varchar), CAST(:priority AS integer),
        CAST(:lock AS text), CAST(:key AS text),
        CAST(:args AS jsonb), CAST(:at AS timestamptz))::procrastinate_job_to_defer_v1])
    """
)
URGENT: Final[Mapping[str, int]] = {
    "chat.moderate": 25,
    "chat.send": 20,
    "claim.told": 20,
    "payment.confirm": 12,
    "payment.authorise": 10,
    "payment.void": 6,
    "payment.capture": 5,
    "stock.stop": 8,
    "stock.push": 2,
}
"""Somebody is waiting for these: they go before whatever else a drop has queued."""

WAITING = text("SELECT id FROM procrastinate_jobs WHERE queueing_lock = :key AND status = 'todo' FOR UPDATE")


async def defer(
    session: AsyncSession,
    task: str,
    /,
    *,
    key: str | None = None,
    lock: str | None = None,
    at: datetime | None = None,
    **args: str | int | None,
) -> None:
    """Add a job to this transaction.

    `key`: while a job with this key waits, another is not added (the waiting one will do).
    `lock`: jobs with the same lock run one after another, in order. `at`: not before.
    """
    values = {
        "task": task,
        "priority": URGENT.get(task, 0),
        "lock": lock,
        "key": key,
        "args": json.dumps(args),
        "at": at,
    }
    while not await added(session, values):
        # Locked until we commit: a worker passes over locked jobs, so the waiting one cannot begin before
        # it can see what this transaction changes. When it has begun meanwhile, a new one is needed.
        if (await run(session, WAITING, {"key": key})).first():
            return


async def added(session: AsyncSession, values: Mapping[str, object]) -> bool:
    """Add the job; False when one with its key waits already."""
    try:
        # A savepoint, because a duplicate key must not spoil the caller's transaction.
        async with session.begin_nested():
            await run(session, DEFER, values)
    except IntegrityError as error:
        if values["key"] is None or "procrastinate_jobs_queueing_lock" not in str(error.orig):
            raise
        return False
    return True
