"""Linked accounts: their sealed secrets, and a session for whoever must talk to the platform."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from pydantic import BaseModel, SecretStr, ValidationError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector, Session
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.http import Http, bearer
from connectors.oauth import Login
from connectors.types import Tokens
from hub.clock import Clock
from hub.connections.models import Connection
from hub.db import Database
from hub.errors import BadInput, Conflict, NotFound, Unavailable
from hub.secrets import Vault
from hub.settings import addresses_of

log = structlog.get_logger()

IDLE_AFTER = 64
"""Open sessions kept; beyond this the one unused for longest is closed."""


@dataclass
class Opened:
    """One connection, ready to be used: build a capability with `connector.<capability>(session)`."""

    row: Connection
    connector: AnyConnector
    session: Session[Any]
    users: int = 0

    @property
    def config(self) -> BaseModel:
        """The connector's own config."""
        config: BaseModel = self.session.config
        return config


class Connections:
    """Keeps HTTP sessions open between uses, one per connection, until its secrets change."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        connectors: Mapping[str, AnyConnector],
        environ: Mapping[str, str],
        clock: Clock,
    ) -> None:
        self.connectors = connectors
        self._db = db
        self._vault = vault
        self._environ = environ
        self._clock = clock
        self._open: dict[UUID, Opened] = {}

    async def close(self) -> None:
        """Close every session."""
        opened, self._open = self._open, {}
        for one in opened.values():
            await one.session.http.close()

    def connector(self, name: str) -> AnyConnector:
        """A connector by name."""
        found = self.connectors.get(name)
        if found is None:
            known = ", ".join(sorted(self.connectors))
            raise BadInput("connector_unknown", f"There is no connector {name!r}. There are: {known}.")
        return found

    async def add(
        self,
        session: AsyncSession,
        brand_id: UUID,
        name: str,
        connector: str,
        config: dict[str, Any],
        tokens: Tokens | None,
    ) -> Connection:
        """Link an account."""
        row = Connection(brand_id=brand_id, name=name, connector=connector, config_sealed=b"")
        row.config_sealed = self._seal_config(self.connector(connector), config)
        self._set_tokens(row, tokens)
        session.add(row)
        await session.flush()
        return row

    async def change(
        self, row: Connection, name: str | None, config: dict[str, Any] | None, tokens: Tokens | None
    ) -> None:
        """Rename or link again; a new login clears an old complaint."""
        row.name = name or row.name
        if config is not None:
            row.config_sealed = self._seal_config(self.connector(row.connector), config)
        if tokens is not None:
            self._set_tokens(row, tokens)
        if config is not None or tokens is not None:
            row.state, row.reason = "ok", None

    async def list(self, session: AsyncSession, brand_id: UUID) -> list[Connection]:
        """Every account of a brand, oldest first."""
        query = (
            select(Connection)
            .where(col(Connection.brand_id) == brand_id, col(Connection.state) != "off")
            .order_by(col(Connection.id))
        )
        return [*(await session.exec(query)).all()]

    async def get(self, session: AsyncSession, brand_id: UUID, connection_id: UUID) -> Connection:
        """One account of a brand."""
        row = await session.get(Connection, connection_id)
        if row is None or row.brand_id != brand_id or row.state == "off":
            raise NotFound("connection_unknown", "There is no such connection.")
        return row

    async def remove(self, session: AsyncSession, row: Connection) -> None:
        """Unlink: secrets are destroyed; the row stays where orders or targets refer to it."""
        row.state, row.reason = "off", "Unlinked."
        row.config_sealed, row.tokens_sealed, row.token_expires_at = b"", None, None

    def config_of(self, row: Connection) -> BaseModel:
        """The connector's own config, opened."""
        config: BaseModel = self.connector(row.connector).config.model_validate_json(
            self._vault.open(row.config_sealed)
        )
        return config

    @asynccontextmanager
    async def use(self, connection_id: UUID) -> AsyncIterator[Opened]:
        """A session with the platform. A Reconnect raised inside is remembered on the connection."""
        opened = await self._opened(connection_id)
        try:
            yield opened
        except Reconnect as error:
            await self._lost(opened.row, error.reason)
            raise
        finally:
            opened.users -= 1
            if self._open.get(connection_id) is not opened and opened.users == 0:
                await opened.session.http.close()

    async def _lost(self, used: Connection, reason: str) -> None:
        """The login is dead: say so on the connection; a person must link it again.

        Unless somebody just did: a call that began with the old login says nothing about the new one.
        """
        log.warning("connection.reconnect", connection=str(used.id), reason=reason)
        async with self._db.session() as session:
            row = await session.get(Connection, used.id, with_for_update=True)
            if row and row.state == "ok" and built_from(row) == built_from(used):
                row.state, row.reason = "reconnect", reason

    async def _opened(self, connection_id: UUID) -> Opened:
        async with self._db.session() as session:
            row = await session.get(Connection, connection_id)
        if row is None or row.state == "off":
            raise NotFound("connection_unknown", "This account is no longer linked.")
        if row.state == "reconnect":
            raise Reconnect(row.reason or "The account must be linked again.")
        kept = self._open.get(connection_id)
        if kept and built_from(kept.row) == built_from(row):
            self._open[connection_id] = self._open.pop(connection_id)
            kept.users += 1
            return kept
        opened = self._build(row)
        opened.users += 1
        self._open[connection_id] = opened
        if kept and kept.users == 0:
            await kept.session.http.close()
        await self._close_idle()
        return opened

    def _build(self, row: Connection) -> Opened:
        connector = self.connector(row.connector)
        config = self.config_of(row)
        addresses = addresses_of(connector, self._environ)
        authorise = connector.authorise
        http = Http(
            addresses.base_url,
            login=self._login(row, connector, config, addresses.base_url),
            authorise=(lambda token: authorise(config, token)) if authorise else bearer,
            classify=connector.classify,
        )
        return Opened(row, connector, connector.session(http, config, addresses))

    def _login(
        self, row: Connection, connector: AnyConnector, config: BaseModel, base_url: str
    ) -> Login | None:
        if row.tokens_sealed is None:
            # A login without tokens still carries what `authorise` makes of the config alone.
            return Login(Tokens(access=SecretStr(""))) if connector.authorise else None
        tokens = self._read_tokens(row.tokens_sealed)

        async def refresh(stale: Tokens) -> Tokens:
            return await self._refresh(row, connector, config, base_url, stale)

        return Login(tokens, refresh if connector.oauth else None, self._clock)

    async def _refresh(
        self, kept: Connection, connector: AnyConnector, config: BaseModel, base_url: str, stale: Tokens
    ) -> Tokens:
        """Exchange stale tokens once, whatever process asks: the row's lock is held meanwhile.

        Stored before used: many platforms kill the old refresh token with the first use of the new one.
        """
        if connector.oauth is None:
            raise Reconnect("This login cannot be renewed. Link the account again.")
        async with self._db.session() as session:
            query = select(Connection).where(col(Connection.id) == kept.id).with_for_update()
            row = (await session.exec(query)).one()
            if row.tokens_sealed:
                stored = self._read_tokens(row.tokens_sealed)
                if stored.access != stale.access:
                    kept.tokens_sealed = row.tokens_sealed
                    return stored
            http = Http(base_url, classify=connector.classify)
            try:
                fresh = await connector.oauth.refresh(http, config, stale)
            finally:
                await http.close()
            self._set_tokens(row, fresh)
            kept.tokens_sealed = row.tokens_sealed
        log.info("connection.refreshed", connection=str(kept.id), connector=connector.name)
        return fresh

    async def _close_idle(self) -> None:
        idle = [key for key, one in self._open.items() if one.users == 0]
        closing = [self._open.pop(key) for key in idle[: max(0, len(self._open) - IDLE_AFTER)]]
        for one in closing:
            await one.session.http.close()

    def _seal_config(self, connector: AnyConnector, config: dict[str, Any]) -> bytes:
        try:
            valid = connector.config.model_validate(config)
        except ValidationError as error:
            # Only where and why: the value itself may be a secret.
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise BadInput("config_invalid", f"{connector.title}: {wrong}") from None
        return self._vault.seal(json.dumps(revealed(valid.model_dump())))

    def _set_tokens(self, row: Connection, tokens: Tokens | None) -> None:
        if tokens is None:
            row.tokens_sealed, row.token_expires_at = None, None
            return
        row.tokens_sealed = self._vault.seal(json.dumps(revealed(tokens.model_dump())))
        row.token_expires_at = tokens.expires_at

    def _read_tokens(self, sealed: bytes) -> Tokens:
        return Tokens.model_validate_json(self._vault.open(sealed))


@contextmanager
def in_our_words() -> Iterator[None]:
    """For a person who waits while we ask a platform: its no becomes an answer they understand."""
    try:
        yield
    except RetryLater as error:
        raise Unavailable("platform_away", error.reason, retry_after=math.ceil(error.after)) from error
    except Reconnect as error:
        raise Conflict("reconnect", error.reason) from error
    except Refused as error:
        raise Conflict("platform_refused", error.reason) from error


def built_from(row: Connection) -> tuple[bytes, bytes | None]:
    """What a session was built from: when it changes, the session is worthless."""
    return row.config_sealed, row.tokens_sealed


def revealed(values: Any) -> Any:
    """Plain values for sealing: secrets as text, times in ISO form."""
    if isinstance(values, dict):
        return {name: revealed(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [revealed(value) for value in values]
    if isinstance(values, SecretStr):
        return values.get_secret_value()
    return values.isoformat() if hasattr(values, "isoformat") else values
