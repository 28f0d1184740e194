"""Gives logins back to their platforms when an account is unlinked. Best effort: ours are gone at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlmodel import col, delete, update

from connectors.base import AnyConnector
from connectors.errors import Reconnect, Refused
from connectors.http import Http
from connectors.types import Tokens
from hub.clock import Clock
from hub.connections.models import Revocation
from hub.connections.service import Connections
from hub.db import Database

log = structlog.get_logger()

KEPT: Final = timedelta(days=1)
"""What a platform did not take back by then (the job tries for some hours) is destroyed here."""


class Revocations:
    """The job, and what is left when it never came through."""

    def __init__(self, db: Database, clock: Clock, connections: Connections) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._sealed = connections.sealed

    async def run(self, revocation_id: UUID) -> None:
        """The job. Repeatable. Raises RetryLater."""
        async with self._db.session() as session:
            row = await session.get(Revocation, revocation_id)
        if row is None:
            return
        connector = self._connections.connector(row.connector)
        if connector.consent:
            app = self._sealed.open(row.app_sealed, connector.consent.app)
            async with self._db.session() as session:
                in_use = await self._connections.app_in_use(session, row.brand_id, app)
            try:
                if in_use:
                    # Linked again while the platform was away: it would lose the new login with the old.
                    raise Refused("An account with the same app is linked.")
                async with self._connections.without_login(connector) as http:
                    tokens = await self._fresh(row, connector, http)
                    await connector.consent.revoke(http, app, tokens)
            except (Refused, Reconnect) as error:
                log.warning("connection.not_revoked", connector=connector.name, why=type(error).__name__)
        async with self._db.session() as session:
            await session.exec(delete(Revocation).where(col(Revocation.id) == row.id))

    async def _fresh(self, row: Revocation, connector: AnyConnector, http: Http) -> Tokens:
        """Some platforms take a login back only from somebody who is logged in."""
        tokens = self._sealed.tokens(row.tokens_sealed)
        ended = tokens.expires_at is not None and tokens.expires_at <= self._clock()
        if not ended or connector.oauth is None or tokens.refresh is None:
            return tokens
        try:
            config = self._sealed.open(row.app_sealed, connector.config)
        except ValidationError:
            return tokens
        fresh = await connector.oauth.refresh(http, config, tokens)
        async with self._db.session() as session:
            kept = {"tokens_sealed": self._sealed.seal(fresh)}
            await session.exec(update(Revocation).where(col(Revocation.id) == row.id).values(**kept))
        return fresh

    async def forget(self) -> None:
        """Destroy what could not be given back."""
        async with self._db.session() as session:
            old = col(Revocation.created_at) < self._clock() - KEPT
            await session.exec(delete(Revocation).where(old))
