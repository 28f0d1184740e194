"""One process among all does what must be done once: elected by a Postgres advisory lock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import structlog

log = structlog.get_logger()

LOCK: Final = 0x51A1C457
LOOK_EVERY: Final = 2.0


async def lead(url: str, duty: Callable[[], Awaitable[None]]) -> None:
    """Run `duty` whenever we are the leader; cancel it when the lock's connection is lost."""
    while True:
        try:
            connection = await asyncpg.connect(url, timeout=5, command_timeout=5)
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            log.warning("leader.no_database", error=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY)
            continue
        try:
            await hold(connection, duty)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            log.warning("leader.lost", error=type(error).__name__)
        finally:
            connection.terminate()


async def hold(connection: asyncpg.Connection, duty: Callable[[], Awaitable[None]]) -> None:
    """Wait for the lock, then do the duty as long as the connection that holds it lives."""
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110
        await asyncio.sleep(LOOK_EVERY)  # the event is in another process's database
    log.info("leader.elected")
    task = asyncio.ensure_future(duty())
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_EVERY)
            await connection.fetchval("SELECT 1")
        task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
