"""The database: one engine, one session per request or job, and the only place that commits.

Besides SQLAlchemy sessions there is a raw asyncpg pool for the hot paths (holds, chat), whose
statements are one round trip each and commit by themselves.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
from sqlalchemy import CursorResult, Executable
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.event import listens_for
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.bus import Bus, Event
from hub.errors import BadInput, HubError, Unavailable

POINT_LOOKUPS: Final = {"enable_seqscan": "off", "enable_bitmapscan": "off", "jit": "off"}
"""The hot statements look rows up by key, in tables that may have grown from nothing a second ago: plans
made from the statistics of an empty table would read the whole of it for every buyer."""

USED: Final = "used"
IDLE_SECONDS: Final = 10.0
"""A connection that nobody used for so long is asked whether it is there: firewalls forget idle ones."""

RESTARTS: Final = frozenset({"40001", "40P01"})
"""SQLSTATEs of a transaction that lost against another one (deadlock, serialisation): try again."""

Afterwards = Callable[[], Awaitable[None]]


class Database:
    """Opens with `async with Database(url) as db`. `url` is a libpq-style postgresql:// address.

    `bus` carries what `announce` was given, once the transaction has committed; None drops it. `trusted_for`:
    seconds of idleness after which a connection is asked whether it is there.
    """

    def __init__(
        self, url: str, bus: Bus | None = None, pool_size: int = 10, *, trusted_for: float = IDLE_SECONDS
    ) -> None:
        self.url = url
        self._trusted_for = trusted_for
        self.bus = bus
        self._pool_size = pool_size
        self._engine: AsyncEngine | None = None
        self._pool: asyncpg.Pool | None = None

    async def __aenter__(self) -> Database:
        self._engine = create_async_engine(
            sqlalchemy_url(self.url),
            pool_size=self._pool_size,
            max_overflow=5,
            # In a drop orders queue here: to wait is better than to be sent away with a hold in hand.
            pool_timeout=15,
            # Parameters are people's names and addresses: they have no place in an error or a log.
            hide_parameters=True,
            connect_args={"timeout": 5, "command_timeout": 30},
        )
        look_before_use(self._engine, self._trusted_for)
        self._sessions = async_sessionmaker(self._engine, class_=AsyncSession, expire_on_commit=False)
        self._pool = await asyncpg.create_pool(
            self.url, min_size=1, max_size=4, command_timeout=10, server_settings=POINT_LOOKUPS
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._engine:
            await self._engine.dispose()
        if self._pool:
            await self._pool.close()

    @property
    def pool(self) -> asyncpg.Pool:
        """The raw pool for hot paths."""
        if self._pool is None:
            raise RuntimeError("the database is not open")
        return self._pool

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A session that commits when the block ends well and rolls back when it does not.

        A database that is away becomes Unavailable: nothing was changed, trying again is safe.
        """
        try:
            async with self._sessions(info={"bus": self.bus, "afterwards": []}) as session:
                yield session
                await session.commit()
                afterwards: list[Afterwards] = session.info["afterwards"]
        except PoolTimeout as error:
            raise Unavailable(
                "busy", "Very many people are here right now. Trying again in a moment.", retry_after=1
            ) from error
        except (OperationalError, InterfaceError, NoConnectionFree, asyncpg.PostgresError, OSError) as error:
            # A raw PostgresError comes from connecting: shutting down, starting up, too many clients.
            raise away() from error
        except DBAPIError as error:
            raise meaning_of(error) or error from error
        for tell in afterwards:
            await tell()


def look_before_use(engine: AsyncEngine, trusted_for: float) -> None:
    """A connection that was cut meanwhile is replaced before it is given out.

    SQLAlchemy's pre-ping asks the server each time, which is one round trip in five of a short transaction.
    That a connection was closed the driver knows; only one that was idle for a while is asked.
    """

    @listens_for(engine.sync_engine, "checkin")
    def given_back(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info[USED] = time.monotonic()

    @listens_for(engine.sync_engine, "checkout")
    def taken(connection: DBAPIConnection, record: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        driver: asyncpg.Connection = connection.driver_connection
        if driver.is_closed():
            raise InvalidatePoolError
        now = time.monotonic()
        if now - record.info.get(USED, now) > trusted_for:
            try:
                engine.dialect.do_ping(connection)
            except (engine.dialect.loaded_dbapi.Error, OSError) as error:
                raise InvalidatePoolError from error


async def run(
    session: AsyncSession, statement: Executable, values: Mapping[str, object] | None = None
) -> CursorResult[Any]:
    """Plain SQL in this transaction; `session.exec` is for selects of tables."""
    await session.flush()
    connection = await session.connection()
    return await connection.execute(statement, values or {})


async def finish_early(session: AsyncSession) -> None:
    """Commit before somebody outside is asked: a connection held meanwhile is one that others wait for."""
    await session.commit()


def after_commit(session: AsyncSession, tell: Afterwards) -> None:
    """Call `tell` when this transaction has committed, and only then."""
    session.info["afterwards"].append(tell)


def announce(session: AsyncSession, event: Event) -> None:
    """Publish `event` when this transaction has committed: screens never hear what did not happen."""
    bus: Bus | None = session.info["bus"]
    if bus:
        after_commit(session, lambda: bus.publish(event))


def meaning_of(error: DBAPIError) -> HubError | None:
    """The database's no in our words; None for a mistake of ours."""
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if error.connection_invalidated or state in RESTARTS or state.startswith(("08", "53", "55", "57")):
        return away()
    if state in ("22021", "22P05"):
        return BadInput("bad_text", "This text has characters in it that cannot be kept.")
    return None


def away() -> Unavailable:
    """The error for a database that does not answer."""
    return Unavailable(
        "database_away", "The database is not answering. Try again in a moment.", retry_after=2
    )


def sqlalchemy_url(url: str) -> URL:
    """The same address with the asyncpg driver; a Unix socket directory moves into the query."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+asyncpg")
