"""Linking by consent: a person presses Allow on the platform, and comes back with what they let us into."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from pydantic import BaseModel
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector, Consent
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.http import Http
from connectors.types import Account, Tokens
from hub.auth.models import Brand
from hub.auth.service import Staff, digest
from hub.clock import Clock
from hub.connections.logins import give_back
from hub.connections.models import Connection, Linking
from hub.connections.sealed import valid
from hub.connections.service import Connections
from hub.db import Database
from hub.errors import BadInput, Conflict, HubError, NotFound

log = structlog.get_logger()

CALLBACK: Final = "/connect/callback"
TAKEN: Final = "taken:"
"""Before a state that has been claimed: it still finds the login, should we have died over it."""
CONSENT_LASTS: Final = timedelta(minutes=10)
CHOICE_LASTS: Final = timedelta(hours=1)
MOST_ACCOUNTS: Final = 200


class Found(BaseModel):
    """What a consent brought: the person's login, and the accounts it reaches."""

    tokens: Tokens
    accounts: list[Account]


@dataclass(frozen=True)
class Wish:
    """How an account is to be linked. The app's credentials are given, or those of a linked account are used.

    `reconnect`: an account of ours that gets a new login, and keeps all else.
    """

    connector: str
    app: Mapping[str, Any] | None = None
    app_of: UUID | None = None
    reconnect: UUID | None = None


class Consents:
    """From the button in the studio to the linked account. No platform is called inside a transaction."""

    def __init__(self, db: Database, clock: Clock, connections: Connections, site_url: str) -> None:
        self.redirect_uri = site_url + CALLBACK
        self._db = db
        self._clock = clock
        self._connections = connections
        self._sealed = connections.sealed

    async def begin(self, session: AsyncSession, staff: Staff, wish: Wish) -> str:
        """Where to send the person. What comes back is good for ten minutes, once, for this member alone."""
        connector = self._connections.chosen(wish.connector)
        consent = consent_of(connector)
        app = await self._app(session, staff, wish, connector)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        session.add(
            Linking(
                brand_id=staff.brand_id,
                member_id=staff.member_id,
                connector=connector.name,
                app_sealed=self._sealed.seal(app),
                state_hash=digest(state),
                verifier_sealed=self._sealed.seal_text(verifier),
                reconnect_id=wish.reconnect,
                expires_at=self._clock() + CONSENT_LASTS,
            )
        )
        return consent.url(
            app,
            self._connections.addresses(connector),
            redirect_uri=self.redirect_uri,
            state=state,
            challenge=challenge_of(verifier),
        )

    async def returned(self, staff: Staff, state: str, code: str, error: str) -> dict[str, str]:
        """The platform sent a member back. Answers what the studio shows: `linked`, `choose` or `problem`.

        A code is exchanged once. When we died over it, whoever loads the page again goes on with the login it
        brought, or is told to start once more: nothing is ever linked by half.
        """
        row = await self._claim(staff, state)
        if row is None:
            row = await self._claimed(staff, state)
            if row is None or row.problem or not row.found_sealed or self.accounts(row):
                return said_again(row)
        elif error or not code:
            await self._forget(row)
            return {"problem": "denied" if error == "access_denied" else "failed"}
        connector = self._connections.connector(row.connector)
        try:
            found = await self._found(row, connector, code)
        except RetryLater as away:
            log.warning("consent.away", connector=connector.name, why=away.reason)
            await self._forget(row)
            return {"problem": "away"}
        except (Refused, Reconnect) as no:
            return await self._refused(row, without(no.reason, code))
        try:
            return await self._settle(row, found)
        except HubError as no:
            # The account to reconnect was unlinked meanwhile, or its config lacks something.
            async with self._db.session() as session:
                await self._return(session, row, found.tokens)
            return await self._refused(row, no.detail)

    async def pending(self, session: AsyncSession, staff: Staff, linking_id: UUID) -> Linking:
        """A login that waits for a choice, or says what went wrong."""
        row = await session.get(Linking, linking_id, with_for_update=True)
        if (
            row is None
            or (row.brand_id, row.member_id) != (staff.brand_id, staff.member_id)
            or row.expires_at <= self._clock()
            or not (row.problem or self.accounts(row))
        ):
            raise NotFound("linking_unknown", "This login is no longer waiting. Link the account again.")
        return row

    def accounts(self, row: Linking) -> list[Account]:
        """What there is to choose from; nothing when the login went wrong."""
        return self._sealed.open(row.found_sealed, Found).accounts if row.found_sealed else []

    async def choose(
        self, session: AsyncSession, staff: Staff, linking_id: UUID, account_ids: Sequence[str]
    ) -> list[Connection]:
        """Link these of the accounts it found."""
        row = await self.pending(session, staff, linking_id)
        known = {account.id: account for account in self.accounts(row)}
        if not row.found_sealed or not account_ids or not known.keys() >= set(account_ids):
            raise BadInput("account_unknown", "Choose among the accounts that are listed.")
        if row.reconnect_id and len(set(account_ids)) != 1:
            raise BadInput("one_account", "Choose the one account that is to be connected again.")
        tokens = self._sealed.open(row.found_sealed, Found).tokens
        linked = await self._link(session, row, tokens, [known[one] for one in dict.fromkeys(account_ids)])
        await session.delete(row)
        return linked

    async def linked_ids(self, session: AsyncSession, row: Linking) -> set[str]:
        """Which of the platform's accounts the brand has linked already."""
        query = select(Connection.account_id).where(
            col(Connection.brand_id) == row.brand_id,
            col(Connection.connector) == row.connector,
            col(Connection.state) != "off",
        )
        return {found for found in await session.exec(query) if found}

    async def expire(self) -> None:
        """Drop logins that nobody came back for; those that reach something are given back."""
        async with self._db.session() as session:
            query = select(Linking).where(col(Linking.expires_at) <= self._clock())
            for row in await session.exec(query.with_for_update(skip_locked=True)):
                try:
                    if row.found_sealed:
                        await self._return(session, row, self._sealed.open(row.found_sealed, Found).tokens)
                except (ValueError, BadInput) as error:
                    # The secret key was changed, or the connector is gone: the others expire all the same.
                    log.warning("consent.not_returned", connector=row.connector, why=type(error).__name__)
                await session.delete(row)

    async def _app(
        self, session: AsyncSession, staff: Staff, wish: Wish, connector: AnyConnector
    ) -> BaseModel:
        """What was entered about the brand's app, now or when another account was linked."""
        kind = consent_of(connector).app
        rows = [
            await self._connections.get(session, staff.brand_id, one)
            for one in (wish.app_of, wish.reconnect)
            if one
        ]
        if any(row.connector != connector.name for row in rows):
            raise BadInput("other_connector", f"That account is not one of {connector.title}'s.")
        if wish.app is not None or not rows:
            return valid(kind, wish.app or {}, connector.title)
        app = self._connections.app_of(rows[0])
        if app is None:
            raise BadInput("app_unknown", f"Enter the credentials of your app on {connector.title} first.")
        return app

    async def _claim(self, staff: Staff, state: str) -> Linking | None:
        """The login this state belongs to: once, in time, and only for whoever began it."""
        statement = (
            update(Linking)
            .where(
                col(Linking.state_hash) == digest(state),
                col(Linking.member_id) == staff.member_id,
                col(Linking.expires_at) > self._clock(),
            )
            .values(state_hash=digest(TAKEN + state))
            .returning(Linking)
        )
        async with self._db.session() as session:
            return (await session.exec(statement)).scalars().first()

    async def _claimed(self, staff: Staff, state: str) -> Linking | None:
        """The same, when the state was used before and nothing came of it yet."""
        query = select(Linking).where(
            col(Linking.state_hash) == digest(TAKEN + state),
            col(Linking.member_id) == staff.member_id,
            col(Linking.expires_at) > self._clock(),
        )
        async with self._db.session() as session:
            return (await session.exec(query)).first()

    async def _found(self, row: Linking, connector: AnyConnector, code: str) -> Found:
        consent = consent_of(connector)
        app = self._sealed.open(row.app_sealed, consent.app)
        async with self._connections.without_login(connector) as http:
            tokens = await self._login(row, consent, http, code)
            try:
                refuse_less(consent, tokens)
                accounts = await consent.accounts(http, app, tokens)
            except (RetryLater, Reconnect, Refused):
                async with self._db.session() as session:
                    await self._return(session, row, tokens)
                raise
        return Found(tokens=tokens, accounts=[*accounts][:MOST_ACCOUNTS])

    async def _login(self, row: Linking, consent: Consent, http: Http, code: str) -> Tokens:
        """Exchange the code, unless that was done. Stored at once: what we die over is given back later."""
        if row.found_sealed:
            return self._sealed.open(row.found_sealed, Found).tokens
        app = self._sealed.open(row.app_sealed, consent.app)
        verifier = self._sealed.text(row.verifier_sealed or b"")
        tokens = await consent.exchange(
            http, app, code=code, redirect_uri=self.redirect_uri, verifier=verifier
        )
        keep = {"found_sealed": self._sealed.seal(Found(tokens=tokens, accounts=[]))}
        async with self._db.session() as session:
            await session.exec(update(Linking).where(col(Linking.id) == row.id).values(**keep))
        return tokens

    async def _settle(self, row: Linking, found: Found) -> dict[str, str]:
        """Link what is clear; what is not is asked. The same login is settled once."""
        async with self._db.session() as session:
            if await session.get(Linking, row.id, with_for_update=True) is None:
                return said_again(None)
            wanted = await self._wanted(session, row, found)
            if wanted:
                linked = await self._link(session, row, found.tokens, wanted)
                await session.exec(delete(Linking).where(col(Linking.id) == row.id))
                return {"linked": str(row.reconnect_id or linked[0].id)}
            if found.accounts and wanted is None:
                keep = {"found_sealed": self._sealed.seal(found), "expires_at": self._clock() + CHOICE_LASTS}
                await session.exec(update(Linking).where(col(Linking.id) == row.id).values(**keep))
                return {"choose": str(row.id)}
            await self._return(session, row, found.tokens)
            await session.exec(delete(Linking).where(col(Linking.id) == row.id))
        return {"problem": "other_account" if found.accounts else "no_account"}

    async def _wanted(self, session: AsyncSession, row: Linking, found: Found) -> list[Account] | None:
        """The accounts to link without asking; none when the wrong ones came; None when a person must choose.

        A login that brings one account back brings back all that had died with it.
        """
        if row.reconnect_id is None:
            return found.accounts if len(found.accounts) == 1 else None
        query = select(Connection.id, Connection.account_id, Connection.state).where(
            col(Connection.brand_id) == row.brand_id, col(Connection.connector) == row.connector
        )
        ours = [*await session.exec(query)]
        sought = next((account_id for key, account_id, _ in ours if key == row.reconnect_id), None)
        if sought is None:
            return found.accounts if len(found.accounts) == 1 else None
        dead = {account_id for _, account_id, state in ours if state == "reconnect"}
        if sought not in {account.id for account in found.accounts}:
            return []
        return [account for account in found.accounts if account.id == sought or account.id in dead]

    async def _link(
        self, session: AsyncSession, row: Linking, tokens: Tokens, accounts: Sequence[Account]
    ) -> list[Connection]:
        """One connection for each account: the one it has, or a new one."""
        # One after another for a brand: the same account is never linked twice side by side.
        brand = select(Brand).where(col(Brand.id) == row.brand_id).with_for_update(key_share=True)
        await session.exec(brand)
        app = self._sealed.values(row.app_sealed)
        linked = []
        for account in accounts:
            ours = await self._ours(session, row, account, alone=len(accounts) == 1)
            known = ours.config_sealed and self._connections.legible(ours)
            before = self._sealed.values(ours.config_sealed) if known else {}
            self._connections.set_config(ours, before | app | account.config, entered={})
            self._connections.logins.set(ours, account.tokens or tokens)
            ours.account_id, ours.account_detail = account.id, account.detail
            ours.account_picture, ours.login_id = account.picture_url, row.id
            ours.state, ours.reason = "ok", None
            session.add(ours)
            await session.flush()
            log.info("connection.linked", connection=str(ours.id), connector=row.connector)
            linked.append(ours)
        return linked

    async def _ours(
        self, session: AsyncSession, row: Linking, account: Account, *, alone: bool
    ) -> Connection:
        query = select(Connection).where(
            col(Connection.brand_id) == row.brand_id,
            col(Connection.connector) == row.connector,
            col(Connection.account_id) == account.id,
            col(Connection.state) != "off",
        )
        known = (await session.exec(query)).first()
        if row.reconnect_id and alone:
            if known and known.id != row.reconnect_id:
                raise Conflict("linked_already", f"{account.title} is linked already, as “{known.name}”.")
            return await self._connections.get(session, row.brand_id, row.reconnect_id)
        return known or Connection(
            brand_id=row.brand_id, connector=row.connector, name=account.title[:120], config_sealed=b""
        )

    async def _return(self, session: AsyncSession, row: Linking, tokens: Tokens) -> None:
        """Give a login back that was of no use, unless that could cut an account of the same app."""
        connector = self._connections.connector(row.connector)
        app = self._sealed.open(row.app_sealed, consent_of(connector).app)
        await session.exec(update(Linking).where(col(Linking.id) == row.id).values(found_sealed=None))
        if not await self._connections.app_in_use(session, row.brand_id, app):
            await give_back(session, self._sealed, row.brand_id, row.connector, app, tokens)

    async def _refused(self, row: Linking, reason: str) -> dict[str, str]:
        """Kept for a while, so that the studio can say what the platform said."""
        log.warning("consent.refused", connector=row.connector, why=reason)
        kept = {"problem": reason, "expires_at": self._clock() + CHOICE_LASTS}
        async with self._db.session() as session:
            await session.exec(update(Linking).where(col(Linking.id) == row.id).values(**kept))
        return {"problem": "refused", "login": str(row.id)}

    async def _forget(self, row: Linking) -> None:
        async with self._db.session() as session:
            await session.exec(delete(Linking).where(col(Linking.id) == row.id))


def consent_of(connector: AnyConnector) -> Consent:
    """How a person lets us in there. BadInput where accounts are linked by keys alone."""
    if connector.consent is None:
        raise BadInput("no_consent", f"{connector.title} is linked by entering its keys.")
    return connector.consent


def said_again(row: Linking | None) -> dict[str, str]:
    """To somebody who loads the way back once more: what was said before, as far as that is known."""
    if row is None:
        return {"problem": "stale"}
    if row.problem:
        return {"problem": "refused", "login": str(row.id)}
    return {"choose": str(row.id)} if row.found_sealed else {"problem": "cut_off"}


def refuse_less(consent: Consent, tokens: Tokens) -> None:
    """Refused when the person left out something we need; a platform that does not tell is believed."""
    needed = [one for one in consent.permissions if one.needed]
    left_out = [one.why for one in needed if tokens.scopes and one.scope not in tokens.scopes]
    if left_out:
        raise Refused(
            "Not everything was allowed. Link the account again and leave every box ticked. "
            f"What is missing: {' '.join(left_out)}"
        )


def challenge_of(verifier: str) -> str:
    """RFC 7636, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def without(reason: str, secret: str) -> str:
    """A platform's sentence, should it quote the code back to us."""
    return reason.replace(secret, "…") if secret else reason
