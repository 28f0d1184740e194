"""Follows the chats of live shows. A connection is followed by one worker at a time, by lease."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import ChatHealth
from hub.chat.gaps import heard_until, note_heard
from hub.db import run
from hub.errors import HubError, Unavailable
from hub.services import Services
from hub.work.readings import Reading, Writer

log = structlog.get_logger()

LOOK_EVERY: Final = 1.0
LEASE_SECONDS: Final = 6
HEARD_EVERY: Final = 5
"""Looks between two notes of how far the chats were heard: where a gap begins, should we die."""
AFTER_REFUSAL: Final = 30.0
AFTER_END: Final = 10.0
LONGEST_AFTER_END: Final = 160.0

LEASE: Final = text(
    """
    WITH wanted AS (
        SELECT target.id, target.show_id, target.connection_id, target.connector, target.chat_ref
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
    show_id: UUID
    connection_id: UUID
    connector: str
    chat_ref: str


class Chats:
    """Starts and stops one task per chat."""

    def __init__(self, hub: Services) -> None:
        self._hub = hub
        self._me = secrets.token_hex(8)
        self._tasks: dict[Following, asyncio.Task[None]] = {}
        self._writers: dict[UUID, Writer] = {}
        self._listening: dict[UUID, Reading] = {}

    async def run(self) -> None:
        """Until cancelled."""
        looks = 0
        try:
            while True:
                looks += 1
                try:
                    self._follow(await self.lease())
                    if looks % HEARD_EVERY == 0:
                        await self._note_heard()
                except Unavailable:
                    # Without the database no lease can be renewed, but what is read is kept until it is back.
                    log.warning("chats.no_database")
                await asyncio.sleep(LOOK_EVERY)
        finally:
            self._follow(set())
            for writer in tuple(self._writers.values()):
                await writer.stop()
            await self.release()

    async def lease(self) -> set[Following]:
        """Take or renew what is to be followed and nobody else follows."""
        async with self._hub.db.session() as session:
            rows = await run(session, LEASE, {"me": self._me, "seconds": LEASE_SECONDS})
            found = {
                Following(row.id, row.show_id, row.connection_id, row.connector, row.chat_ref) for row in rows
            }
        known = self._hub.connections.connectors
        return {one for one in found if one.connector in known and known[one.connector].chat_source}

    async def release(self) -> None:
        """Let others follow at once, not only when the lease runs out."""
        try:
            async with self._hub.db.session() as session:
                await run(session, RELEASE, {"me": self._me})
        except Unavailable:
            log.warning("chats.lease_left", seconds=LEASE_SECONDS)

    def _follow(self, wanted: set[Following]) -> None:
        ended = {one for one, task in self._tasks.items() if task.done()}  # by a bug; it begins anew
        for gone in ended | (self._tasks.keys() - wanted):
            self._tasks.pop(gone).cancel()
        for one in wanted - self._tasks.keys():
            self._tasks[one] = asyncio.create_task(self._keep_following(one), name=f"chat {one.connector}")

    async def _keep_following(self, one: Following) -> None:
        loop, ends = asyncio.get_running_loop(), 0
        while True:
            pause, began = AFTER_END, loop.time()
            try:
                await self._read(one)
                # Over, says the platform, and the show goes on: asking again costs some of them their quota.
                ends = ends + 1 if loop.time() - began < AFTER_END else 0
                pause = min(AFTER_END * 2**ends, LONGEST_AFTER_END)
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
        cursor, heard_at = await self._place(one)
        writer = self._writers.get(one.show_id) or Writer(self._hub, one.show_id)
        self._writers[one.show_id] = writer
        # A platform that gave us a cursor tells itself what it could not make good.
        reading = writer.open(one.target_id, None if cursor else heard_at)
        reader = asyncio.create_task(self._fill(one, cursor, reading))
        stored: asyncio.Task[None] | None = None
        try:
            await asyncio.wait({reader, reading.failed}, return_when=asyncio.FIRST_COMPLETED)
            self._listening.pop(one.target_id, None)
            if not reading.failed.done():
                stored = asyncio.create_task(reading.stored())
                await asyncio.wait({stored, reading.failed}, return_when=asyncio.FIRST_COMPLETED)
            (reading.failed if reading.failed.done() else reader).result()
        finally:
            self._listening.pop(one.target_id, None)
            writer.close(reading)
            if not writer.readings:
                del self._writers[one.show_id]
                await writer.stop()
            tasks = [task for task in (reader, stored) if task]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _fill(self, one: Following, cursor: str | None, reading: Reading) -> None:
        async with self._hub.connections.use(one.connection_id) as opened:
            if opened.connector.chat_source is None:
                raise Refused("This platform's chat can't be read.")
            source = opened.connector.chat_source(opened.session)
            async for item in source.messages(one.chat_ref, cursor=cursor):
                await reading.put(item)
                deaf = isinstance(item, ChatHealth) and item.state == "down"
                if deaf:
                    self._listening.pop(one.target_id, None)
                else:
                    self._listening[one.target_id] = reading

    async def _place(self, one: Following) -> tuple[str | None, datetime | None]:
        """Where reading goes on, and until when the chat was heard."""
        statement = text("SELECT chat_cursor FROM show_target WHERE id = :id")
        async with self._hub.db.session() as session:
            cursor: str | None = (await run(session, statement, {"id": one.target_id})).scalar_one()
            return cursor, await heard_until(session, one.target_id)

    async def _note_heard(self) -> None:
        """A quiet chat is heard all the same; one with a gap, or with words on their way, keeps its place."""
        heard = [target for target, reading in self._listening.items() if reading.settled]
        async with self._hub.db.session() as session:
            await note_heard(session, heard, self._hub.clock())

    async def _health(self, one: Following, state: str, detail: str) -> None:
        health = ChatHealth.model_validate({"state": state, "detail": detail})
        try:
            async with self._hub.db.session() as session:
                await self._hub.chat.set_health(session, one.target_id, health)
        except Unavailable:
            log.warning("chat.health_not_told", connector=one.connector, state=state)
        except Exception:  # a supervisor: whoever follows the chat goes on
            log.exception("chat.health_not_told", connector=one.connector, state=state)
