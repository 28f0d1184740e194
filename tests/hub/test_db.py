"""Connections of the pool are there when they are used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.engine import make_url

from hub.db import Database, run

SHOOT = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = ANY(:pids)"
"""Returns when they are gone."""
OWN = text("SELECT pg_backend_pid()")


class Firewall:
    """Between us and PostgreSQL; what it forgot it cuts when something is said there."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._known = 0
        self._open: list[asyncio.Task[None]] = []

    def forget(self) -> None:
        """All that is open now."""
        self._known += 1

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        behind, beyond = await asyncio.open_unix_connection(self._socket)
        known = self._known

        async def back() -> None:
            while some := await behind.read(65536):
                writer.write(some)
            writer.close()

        returning = asyncio.create_task(back())
        while (some := await reader.read(65536)) and known == self._known:
            beyond.write(some)
        returning.cancel()
        writer.transport.abort()
        beyond.close()


@asynccontextmanager
async def firewall(url: str) -> AsyncIterator[tuple[Firewall, str]]:
    """And the address of the database behind it."""
    parsed = make_url(url)
    wall = Firewall(f"{parsed.query['host']}/.s.PGSQL.{parsed.query.get('port', 5432)}")
    server = await asyncio.start_server(wall.carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    address = parsed.set(host="127.0.0.1", port=port, query={})
    yield wall, address.render_as_string(hide_password=False)
    server.close()


async def backend(db: Database) -> int:
    """Which of the server's processes answers now."""
    async with db.session() as session:
        return int((await run(session, OWN)).scalar_one())


async def test_connections_that_were_cut_meanwhile_are_replaced_without_an_error(db: Database) -> None:
    async with db.session() as first, db.session() as second, db.session() as third:
        gone = [(await run(one, OWN)).scalar_one() for one in (first, second)]
        await run(third, OWN)
    async with db.session() as session:
        others = [pid for pid in gone if pid != (await run(session, OWN)).scalar_one()]
        await run(session, text(SHOOT), {"pids": others})
    async with db.session() as one, db.session() as two, db.session() as three:
        for session in (one, two, three):
            assert (await run(session, OWN)).scalar_one() not in others


async def test_a_connection_that_a_firewall_forgot_is_replaced_without_an_error(database_url: str) -> None:
    async with (
        firewall(database_url) as (wall, address),
        Database(address, pool_size=1, trusted_for=-1.0) as db,
    ):
        before = await backend(db)
        assert await backend(db) == before
        wall.forget()
        assert await backend(db) != before
