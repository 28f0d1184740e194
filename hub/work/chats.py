"""Follows the chats of live shows. A connection is followed by one worker at a time, by lease."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import ChatHealth, ChatItem
from hub.db import run
from hub.errors import HubError, Unavailable
from hub.services import Services

log = structlog.get_logger()

LOOK_EVERY: Final = 1.0
LEASE_SECONDS: Final = 15
LARGEST_BATCH: Final = 200
MOST_WAITING: Final = 2000
AFTER_REFUSAL: Final = 30.0
AFTER_END: Final = 10.0

LEASE: Final = text(
    """
    WITH wanted AS (
        SELECT target.id, target.connection_id, target.connector, target.chat_ref
        FROM show_target AS target JOIN show ON show.id = target.show_id
        WHERE show.state = 'live' AND target.chat_ref IS NOT NULL AND target.removed_at IS NULL),
    leased AS (
        UPDATE connection SET leased_by = :me, leased_until = now() + make_interval(secs => :seconds)
        WHERE id IN (SELECT connection_id FROM wanted) AND state = 'ok'
          AND (leased_by = :me OR leased_by IS NULL OR leased_until < now())
        RETURNING id)
    SELECT wanted.* FROM wanted JOIN leased ON leased.id = wanted.connection_id
    """
)
RELEASE: Final = text("UPDATE connection SET leased_by = NULL, leased_until = NULL WHERE leased_by = :me")


@dataclass(frozen=True)
class Following:
    """One chat to follow."""

    target_id: UUID
    connection_id: UUID
    connector: str
    chat_ref: str


class Chats:
    """Starts and stops one task per chat."""

    def __init__(self, hub: Services) -> None:
        self._hub = hub
        self._me = secrets.token_hex(8)
        self._tasks: dict[Following, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    self._follow(await self.lease())
                except Unavailable:
                    # Without the database no lease can be renewed, but what is read is kept until it is back.
                    log.warning("chats.no_database")
                await asyncio.sleep(LOOK_EVERY)
        finally:
            self._follow(set())
            await self.release()

    async def lease(self) -> set[Following]:
        """Take or renew what is to be followed and nobody else follows."""
        async with self._hub.db.session() as session:
            rows = await run(session, LEASE, {"me": self._me, "seconds": LEASE_SECONDS})
            found = {Following(row.id, row.connection_id, row.connector, row.chat_ref) for row in rows}
        known = self._hub.connections.connectors
        return {one for one in found if known[one.connector].chat_source}

    async def release(self) -> None:
        """Let others follow at once, not only when the lease runs out."""
        try:
            async with self._hub.db.session() as session:
                await run(session, RELEASE, {"me": self._me})
        except Unavailable:
            log.warning("chats.lease_left", seconds=LEASE_SECONDS)

    def _follow(self, wanted: set[Following]) -> None:
        for gone in self._tasks.keys() - wanted:
            self._tasks.pop(gone).cancel()
        for one in wanted - self._tasks.keys():
            self._tasks[one] = asyncio.create_task(self._keep_following(one), name=f"chat {one.connector}")

    async def _keep_following(self, one: Following) -> None:
        while True:
            pause = AFTER_END
            try:
                await self._read(one)
            except RetryLater as error:
                pause = error.after
                await self._health(one, "degraded", error.reason)
            except Reconnect as error:
                await self._health(one, "down", error.reason)
            except Refused as error:
                pause = AFTER_REFUSAL
                await self._health(one, "down", error.reason)
            except HubError as error:
                pause = 1.0
                log.warning("chat.interrupted", connector=one.connector, reason=error.detail)
            except Exception:  # a supervisor: a bug in one reader must not silence the others
                log.exception("chat.reader_failed", connector=one.connector)
                await self._health(one, "down", "The reader failed; it is being started again.")
            await asyncio.sleep(pause)

    async def _read(self, one: Following) -> None:
        """Reader and writer side by side: a slow database slows the reader, and loses nothing.

        However the reading ends, what was read is stored. When the storing fails, the reading ends too.
        """
        queue: asyncio.Queue[ChatItem] = asyncio.Queue(MOST_WAITING)
        reader = asyncio.create_task(self._fill(one, queue))
        writer = asyncio.create_task(self._write(one, queue))
        stored: asyncio.Task[None] | None = None
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            if not writer.done():
                stored = asyncio.create_task(queue.join())
                await asyncio.wait({stored, writer}, return_when=asyncio.FIRST_COMPLETED)
            (writer if writer.done() else reader).result()
        finally:
            tasks = [task for task in (reader, writer, stored) if task]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _fill(self, one: Following, queue: asyncio.Queue[ChatItem]) -> None:
        cursor = await self._cursor(one)
        async with self._hub.connections.use(one.connection_id) as opened:
            if opened.connector.chat_source is None:
                raise Refused("This platform's chat can't be read.")
            source = opened.connector.chat_source(opened.session)
            async for item in source.messages(one.chat_ref, cursor=cursor):
                await queue.put(item)

    async def _write(self, one: Following, queue: asyncio.Queue[ChatItem]) -> None:
        while True:
            batch = [await queue.get()]
            while not queue.empty() and len(batch) < LARGEST_BATCH:
                batch.append(queue.get_nowait())
            await self._store(one, batch)
            for _ in batch:
                queue.task_done()

    async def _store(self, one: Following, batch: list[ChatItem]) -> None:
        while True:
            try:
                async with self._hub.db.session() as session:
                    return await self._hub.chat.receive(session, one.target_id, batch)
            except Unavailable:
                log.warning("chat.waiting_for_database", waiting=len(batch))
                await asyncio.sleep(0.5)

    async def _cursor(self, one: Following) -> str | None:
        statement = text("SELECT chat_cursor FROM show_target WHERE id = :id")
        async with self._hub.db.session() as session:
            cursor: str | None = (await run(session, statement, {"id": one.target_id})).scalar_one()
            return cursor

    async def _health(self, one: Following, state: str, detail: str) -> None:
        health = ChatHealth.model_validate({"state": state, "detail": detail})
        try:
            async with self._hub.db.session() as session:
                await self._hub.chat.set_health(session, one.target_id, health)
        except Unavailable:
            log.warning("chat.health_not_told", connector=one.connector, state=state)
