"""Linked accounts: their sealed secrets, and a session for whoever must talk to the platform."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from pydantic import BaseModel
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import Addresses, AnyConnector, Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import Http, bearer
from connectors.types import Tokens
from hub.clock import Clock
from hub.connections.budgets import Pot, SharedBudget
from hub.connections.gone import WORDS, gone
from hub.connections.logins import Logins, give_back
from hub.connections.models import Connection
from hub.connections.news import tell_alarms
from hub.connections.sealed import Sealed, secret_fields, secrets_in, valid
from hub.connections.sealed import revealed as revealed
from hub.db import Database
from hub.errors import BadInput, Conflict, HubError, NotFound, Unavailable
from hub.secrets import Vault
from hub.settings import addresses_of

log = structlog.get_logger()

IDLE_AFTER = 64
"""Open sessions kept; beyond this the one unused for longest is closed."""
AT_ONCE = 8
"""Logins renewed side by side."""


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
        self.sealed = Sealed(vault)
        self.logins = Logins(db, self.sealed, clock)
        self._db = db
        self._environ = environ
        self._clock = clock
        self._open: dict[UUID, Opened] = {}

    async def close(self) -> None:
        """Close every session."""
        opened, self._open = self._open, {}
        for one in opened.values():
            await one.session.http.close()

    def connector(self, name: str) -> AnyConnector:
        """The connector that a row names; what stands for it when this version no longer has it."""
        return self.connectors.get(name) or gone(name)

    def chosen(self, name: str) -> AnyConnector:
        """The connector that somebody asks for. BadInput when there is none."""
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
        self.set_config(row, config, entered=config)
        self.logins.set(row, tokens)
        session.add(row)
        await session.flush()
        return row

    async def change(
        self,
        row: Connection,
        name: str | None,
        config: dict[str, Any] | None,
        tokens: Tokens | None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        """Rename or link again; a new login clears an old complaint.

        `config` is whole; `settings` are some of its fields: the others, secrets too, stay as they are.
        """
        row.name = name or row.name
        if config is not None:
            self.set_config(row, config, entered=config)
        if settings is not None:
            self.set_config(row, self.sealed.values(row.config_sealed) | settings, entered=settings)
        if tokens is not None:
            self.logins.set(row, tokens)
        if config is not None or tokens is not None:
            row.state, row.reason = "ok", None

    def set_config(self, row: Connection, config: dict[str, Any], entered: dict[str, Any]) -> None:
        """Seal a config. A stream key among what was `entered` just now is dated, and ends a complaint."""
        connector = self.chosen(row.connector)
        row.config_sealed = self.sealed.seal(valid(connector.config, config, connector.title))
        app = connector.consent.app.model_fields if connector.consent else {}
        if any(entered.get(name) for name in secret_fields(connector.config) - set(app)):
            row.key_entered_at = self._clock() if connector.key_life else None
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
        """Unlink: secrets are destroyed; the row stays where orders or targets refer to it.

        Where the platform takes a login back, a job gives it back, unless an account with the same app stays.
        """
        login = self.logins.tokens(row) if self.legible(row) else None
        app = self.app_of(row)
        if login and app and not await self.app_in_use(session, row.brand_id, app, beside=row.id):
            config = self.config_of(row)
            await give_back(session, self.sealed, row.brand_id, row.connector, config, login)
        row.state, row.reason, row.account_id = "off", "Unlinked.", None
        row.account_detail, row.account_picture, row.login_id = None, None, None
        row.config_sealed, row.key_entered_at, row.alarm = b"", None, None
        self.logins.set(row, None)

    def legible(self, row: Connection) -> bool:
        """Whether what is stored can be read.

        Not after the secret key was changed, a connector's config got a field that must be entered, or the
        connector is gone.
        """
        if row.connector not in self.connectors:
            return False
        try:
            self.config_of(row)
            self.logins.tokens(row)
        except ValueError:
            return False
        return True

    def app_of(self, row: Connection) -> BaseModel | None:
        """Its app's credentials: with them, a press on Allow is all that linking again takes.

        A pasted login may have come without them.
        """
        consent = self.connector(row.connector).consent
        if consent is None:
            return None
        try:
            app: BaseModel = self.sealed.open(row.config_sealed, consent.app)
        except ValueError:
            return None
        return app

    def settings_of(self, row: Connection) -> dict[str, Any]:
        """What may be set for an account linked by consent beside its app; secrets are left out.

        Nothing of accounts that were linked by keys: an address may have a key in it.
        """
        connector = self.connector(row.connector)
        if connector.consent is None or row.account_id is None:
            return {}
        hidden = secret_fields(connector.config) | set(connector.consent.app.model_fields)
        return self.config_of(row).model_dump(mode="json", exclude=hidden)

    async def app_in_use(
        self, session: AsyncSession, brand_id: UUID, app: BaseModel, beside: UUID | None = None
    ) -> bool:
        """Whether an account of the brand, on whatever connector, came with the same app.

        Google and Meta end all that a person ever allowed an app when one login is given back: that must not
        cut an account that is still linked.
        """
        theirs = [self.app_of(row) for row in await self.list(session, brand_id) if row.id != beside]
        return any(secrets_in(app) & secrets_in(one) for one in theirs if one)

    def config_of(self, row: Connection) -> BaseModel:
        """The connector's own config, opened."""
        config: BaseModel = self.sealed.open(row.config_sealed, self.connector(row.connector).config)
        return config

    def addresses(self, connector: AnyConnector) -> Addresses:
        """Where a platform is, for this process."""
        return addresses_of(connector, self._environ)

    @asynccontextmanager
    async def without_login(self, connector: AnyConnector) -> AsyncIterator[Http]:
        """A way to a platform for somebody who is nobody there yet."""
        http = Http(self.addresses(connector).base_url, classify=connector.classify)
        try:
            yield http
        finally:
            await http.close()

    def pot_of(self, row: Connection) -> Pot | None:
        """The daily allowance an account draws on."""
        quota = self.connector(row.connector).quota
        return Pot.of(row.brand_id, row.connector, quota(self.config_of(row))) if quota else None

    async def renew_due(self) -> None:
        """Renew every login that soon ends. One that cannot be renewed is marked, before anybody needs it."""
        limit = asyncio.Semaphore(AT_ONCE)

        async def renew(row: Connection) -> None:
            async with limit:
                try:
                    async with self.use(row.id) as opened:
                        login, tokens = opened.session.http.login, self.logins.tokens(row)
                        if login and tokens:
                            await login.renew(tokens.access.get_secret_value())
                except (ConnectorError, HubError) as error:
                    log.warning("connection.not_renewed", connection=str(row.id), why=type(error).__name__)

        await asyncio.gather(*(renew(row) for row in await self.logins.due(self.connectors)))

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
                await tell_alarms(session, row.id)

    async def _opened(self, connection_id: UUID) -> Opened:
        async with self._db.session() as session:
            row = await session.get(Connection, connection_id)
        if row is None or row.state == "off":
            raise NotFound("connection_unknown", "This account is no longer linked.")
        if row.connector not in self.connectors:
            raise NotFound("connector_gone", WORDS)
        if row.state == "reconnect":
            raise Reconnect(row.reason or "The account must be linked again.")
        kept = self._open.get(connection_id)
        if kept and built_from(kept.row) == built_from(row):
            self._open[connection_id] = self._open.pop(connection_id)
            kept.users += 1
            return kept
        try:
            opened = self._build(row)
        except ValueError:
            # The secret key was changed, or the config got a field that must be entered.
            raise Reconnect("What is stored of this account can't be read any more.") from None
        opened.users += 1
        self._open[connection_id] = opened
        if kept and kept.users == 0:
            await kept.session.http.close()
        await self._close_idle()
        return opened

    def _build(self, row: Connection) -> Opened:
        connector = self.connector(row.connector)
        config = self.config_of(row)
        addresses = self.addresses(connector)
        authorise = connector.authorise
        http = Http(
            addresses.base_url,
            login=self.logins.login(row, connector, config, addresses.base_url),
            authorise=(lambda token: authorise(config, token)) if authorise else bearer,
            classify=connector.classify,
        )
        pot = self.pot_of(row)
        budget = SharedBudget(self._db, self._clock, pot) if pot else None
        return Opened(row, connector, connector.session(http, config, addresses, budget))

    async def _close_idle(self) -> None:
        idle = [key for key, one in self._open.items() if one.users == 0]
        closing = [self._open.pop(key) for key in idle[: max(0, len(self._open) - IDLE_AFTER)]]
        for one in closing:
            await one.session.http.close()


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
