"""Keeps logins alive: renewed ahead of time and at use, once, whatever process asks. Gives them back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from pydantic import BaseModel, SecretStr
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector
from connectors.errors import Reconnect
from connectors.http import Http
from connectors.oauth import Login
from connectors.types import Tokens
from hub.clock import Clock
from hub.connections.models import Connection, Revocation
from hub.connections.sealed import Sealed
from hub.db import Database
from hub.jobs import defer

log = structlog.get_logger()

AHEAD: Final = timedelta(minutes=15)
LAST_PART: Final = 0.2
"""A login is renewed in the last fifth of its life: one that lasts two months, not in its last minutes."""
LONGEST_AHEAD: Final = timedelta(days=60)


class Logins:
    """The tokens of connections that a session can be built with."""

    def __init__(self, db: Database, sealed: Sealed, clock: Clock) -> None:
        self._db = db
        self._sealed = sealed
        self._clock = clock

    def login(
        self, row: Connection, connector: AnyConnector, config: BaseModel, base_url: str
    ) -> Login | None:
        """A login for a session; None for an account without one."""
        tokens = self.tokens(row)
        if tokens is None:
            # A login without tokens still carries what `authorise` makes of the config alone.
            return Login(Tokens(access=SecretStr(""))) if connector.authorise else None

        async def refresh(stale: Tokens) -> Tokens:
            return await self._refresh(row, connector, config, base_url, stale)

        return Login(tokens, refresh if connector.oauth else None, self._clock)

    def set(self, row: Connection, tokens: Tokens | None) -> None:
        """Store a login, or that there is none."""
        if tokens is None:
            row.tokens_sealed, row.token_expires_at, row.tokens_at = None, None, None
            return
        row.tokens_sealed = self._sealed.seal(tokens)
        row.token_expires_at, row.tokens_at = tokens.expires_at, self._clock()

    def tokens(self, row: Connection) -> Tokens | None:
        """What is stored."""
        return self._sealed.tokens(row.tokens_sealed) if row.tokens_sealed else None

    def renews(self, row: Connection, connector: AnyConnector) -> bool:
        """Whether the login is kept alive by machine. Not one that can't be read any more."""
        try:
            tokens = self.tokens(row) if connector.oauth else None
        except ValueError:
            return False
        return tokens is not None and tokens.refresh is not None

    async def due(self, connectors: Mapping[str, AnyConnector]) -> list[Connection]:
        """Accounts whose login is to be renewed now."""
        now = self._clock()
        query = select(Connection).where(
            col(Connection.state) == "ok",
            col(Connection.token_expires_at) < now + LONGEST_AHEAD,
        )
        async with self._db.session() as session:
            rows = (await session.exec(query)).all()
        return [
            row
            for row in rows
            if row.token_expires_at
            and renew_at(row.token_expires_at, row.tokens_at) <= now
            and row.connector in connectors
            and self.renews(row, connectors[row.connector])
        ]

    async def _refresh(
        self, kept: Connection, connector: AnyConnector, config: BaseModel, base_url: str, stale: Tokens
    ) -> Tokens:
        """Exchange stale tokens once, whatever process asks: the row's lock is held meanwhile.

        Stored before used: many platforms kill the old refresh token with the first use of the new one.
        Channels that were linked by one consent share one login: all of them get the new tokens.
        """
        if connector.oauth is None:
            raise Reconnect("This login cannot be renewed. Link the account again.")
        async with self._db.session() as session:
            mine = col(Connection.id) == kept.id
            if kept.login_id:
                mine |= col(Connection.login_id) == kept.login_id
            # Not so hard that a webhook or a target of this account would wait for the platform as well.
            query = select(Connection).where(mine).order_by(col(Connection.id))
            query = query.with_for_update(key_share=True)
            held = {row.id: (row, self.tokens(row)) for row in await session.exec(query)}
            row, stored = held[kept.id]
            if stored is None:
                # Unlinked while a session was open: what was destroyed must not come back.
                raise Reconnect("This account is no longer linked.")
            if stored.access != stale.access:
                kept.tokens_sealed = row.tokens_sealed
                return stored
            http = Http(base_url, classify=connector.classify)
            try:
                fresh = await connector.oauth.refresh(http, config, stale)
            finally:
                await http.close()
            for one, before in held.values():
                if one is row or (before and before.access == stale.access):
                    self.set(one, fresh)
            kept.tokens_sealed = row.tokens_sealed
        log.info("connection.refreshed", connection=str(kept.id), connector=connector.name)
        return fresh


def renew_at(expires_at: datetime, given_at: datetime | None) -> datetime:
    """When a login that ends is renewed; `given_at` is None for one that was stored before this was noted."""
    life = expires_at - given_at if given_at else 4 * AHEAD
    return expires_at - max(min(AHEAD, life / 2), life * LAST_PART)


async def give_back(
    session: AsyncSession, sealed: Sealed, brand_id: UUID, connector: str, app: BaseModel, tokens: Tokens
) -> None:
    """In this transaction: a job that gives a login back."""
    row = Revocation(
        brand_id=brand_id, connector=connector, app_sealed=sealed.seal(app), tokens_sealed=sealed.seal(tokens)
    )
    session.add(row)
    await session.flush()
    await defer(session, "connection.revoke", revocation_id=str(row.id))
