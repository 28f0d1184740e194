"""Connectors to choose from, and the brand's linked accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field, SecretStr
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.base import AnyConnector, Consent
from connectors.types import Tokens
from hub.auth.guard import Hub, SignedIn
from hub.connections.alarms import Alarm, key_ends_at
from hub.connections.budgets import Spent, spent_of
from hub.connections.gone import WORDS
from hub.connections.matrix import Ability, Limits, capabilities, limits, matrix
from hub.connections.models import Connection
from hub.connections.service import in_our_words
from hub.services import Services

router = APIRouter(prefix="/api/v1", tags=["connections"])


class PermissionOut(BaseModel):
    """One thing a login allows, and why we ask for it."""

    scope: str
    why: str


class ConsentOut(BaseModel):
    """How an account is linked by pressing Allow on the platform.

    `redirect_uri` is entered in the settings of the brand's app there; `app` is the form of what is then
    entered here about that app.
    """

    redirect_uri: str
    app: dict[str, Any]
    permissions: list[PermissionOut]


class ConnectorOut(BaseModel):
    """A platform we can speak to, and the form that links an account on it.

    `token_help`: what login to paste and where it is found, when the form is not enough.
    `refreshes`: a refresh token keeps that login alive. `matrix`: what works there, and why not.
    `consent`: None where accounts are linked by keys alone.
    """

    name: str
    title: str
    capabilities: list[str]
    matrix: list[Ability]
    limits: Limits
    consent: ConsentOut | None
    config_schema: dict[str, Any] = Field(serialization_alias="schema")
    needs_tokens: bool
    token_help: str | None
    refreshes: bool


class BudgetOut(BaseModel):
    """The platform's allowance for today, shared by all accounts that came with the same app."""

    used: int
    units: int
    reserve: int
    resets_at: datetime


class AccountOut(BaseModel):
    """Whom the platform says this is."""

    id: str
    detail: str
    picture_url: str | None


class ConnectionOut(BaseModel):
    """A linked account; its secrets never leave.

    `renews`: the login is renewed by itself before `token_expires_at`. `app_known`: one press reconnects it.
    `settings`: what else is set for an account linked by consent, secrets left out. `key_ends_at`: when the
    stream key that was entered at `key_entered_at` is no longer good.
    """

    id: UUID
    connector: str
    title: str
    name: str
    state: str
    reason: str | None
    capabilities: list[str]
    token_expires_at: datetime | None
    renews: bool
    account: AccountOut | None
    app_known: bool
    settings: dict[str, Any]
    key_entered_at: datetime | None
    key_ends_at: datetime | None
    budget: BudgetOut | None
    webhook_url: str | None
    created_at: datetime


class TokensIn(BaseModel):
    """Tokens pasted by a person."""

    access: SecretStr
    refresh: SecretStr | None = None
    expires_at: AwareDatetime | None = None

    def tokens(self) -> Tokens:
        """As connectors know them."""
        return Tokens(access=self.access, refresh=self.refresh, expires_at=self.expires_at)


class ConnectionIn(BaseModel):
    """A new account."""

    connector: str
    name: str = Field(min_length=1, max_length=120)
    config: dict[str, Any] = {}
    tokens: TokensIn | None = None


class ConnectionChange(BaseModel):
    """Another name, config or login. `settings`: some fields of the config; the rest stays as it is."""

    name: str | None = Field(default=None, min_length=1, max_length=120)
    config: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None
    tokens: TokensIn | None = None


async def outs(hub: Services, session: AsyncSession, rows: Sequence[Connection]) -> list[ConnectionOut]:
    """Rows as the studio sees them."""
    legible = [row for row in rows if hub.connections.legible(row)]
    pots = {row.id: hub.connections.pot_of(row) for row in legible}
    spent = await spent_of(session, [pot for pot in pots.values() if pot], hub.clock())
    return [
        out(hub, row, spent[pot.key] if (pot := pots[row.id]) else None) if row.id in pots else lost(hub, row)
        for row in rows
    ]


def out(hub: Services, row: Connection, spent: Spent | None) -> ConnectionOut:
    """One row."""
    connector = hub.connections.connector(row.connector)
    return ConnectionOut(
        **plain(hub, row, connector),
        **row.model_dump(include={"state", "reason", "token_expires_at", "key_entered_at"}),
        renews=hub.connections.logins.renews(row, connector),
        app_known=hub.connections.app_of(row) is not None,
        settings=hub.connections.settings_of(row),
        key_ends_at=key_ends_at(row, connector.key_life),
        budget=BudgetOut.model_validate(spent, from_attributes=True) if spent else None,
    )


def lost(hub: Services, row: Connection) -> ConnectionOut:
    """A row whose secrets cannot be read: it must be linked again, and that must be possible.

    One whose connector this version no longer has is `gone`: it can be unlinked.
    """
    known = row.connector in hub.connections.connectors
    return ConnectionOut(
        **plain(hub, row, hub.connections.connector(row.connector)),
        state="reconnect" if known else "gone",
        reason="What is stored of this account can't be read any more." if known else WORDS,
        token_expires_at=None,
        renews=False,
        app_known=False,
        settings={},
        key_entered_at=None,
        key_ends_at=None,
        budget=None,
    )


def plain(hub: Services, row: Connection, connector: AnyConnector) -> dict[str, Any]:
    """What is no secret and needs none."""
    hook = f"{hub.settings.site_url()}/webhooks/{row.connector}/{row.id}" if connector.webhooks else None
    return row.model_dump(include={"id", "connector", "name", "created_at"}) | {
        "title": connector.title,
        "capabilities": capabilities(connector),
        "account": account_of(row),
        "webhook_url": hook,
    }


def account_of(row: Connection) -> AccountOut | None:
    """None for what was pasted."""
    if row.account_id is None:
        return None
    return AccountOut(id=row.account_id, detail=row.account_detail or "", picture_url=row.account_picture)


def consent_out(hub: Services, consent: Consent | None) -> ConsentOut | None:
    """A connector's way of asking."""
    if consent is None:
        return None
    return ConsentOut(
        redirect_uri=hub.consents.redirect_uri,
        app=consent.app.model_json_schema(),
        permissions=[PermissionOut(scope=one.scope, why=one.why) for one in consent.permissions],
    )


@router.get("/connectors")
async def connectors(_: SignedIn, hub: Hub) -> list[ConnectorOut]:
    """Everything an account can be linked on, and what works there."""
    return [
        ConnectorOut(
            name=one.name,
            title=one.title,
            capabilities=capabilities(one),
            matrix=matrix(one),
            limits=limits(one),
            consent=consent_out(hub, one.consent),
            config_schema=one.config.model_json_schema(),
            needs_tokens=one.token_help is not None,
            token_help=one.token_help,
            refreshes=one.oauth is not None,
        )
        for one in hub.connections.connectors.values()
    ]


@router.get("/connections")
async def list_connections(staff: SignedIn, hub: Hub) -> list[ConnectionOut]:
    """Every linked account of the brand."""
    async with hub.db.session() as session:
        rows = await hub.connections.list(session, staff.brand_id)
        return await outs(hub, session, rows)


@router.post("/connections", status_code=201)
async def add_connection(body: ConnectionIn, staff: SignedIn, hub: Hub) -> ConnectionOut:
    """Link an account by its keys."""
    tokens = body.tokens.tokens() if body.tokens else None
    async with hub.db.session() as session:
        row = await hub.connections.add(
            session, staff.brand_id, body.name, body.connector, body.config, tokens
        )
        [made] = await outs(hub, session, [row])
    return made


@router.patch("/connections/{connection_id}")
async def change_connection(
    connection_id: UUID, body: ConnectionChange, staff: SignedIn, hub: Hub
) -> ConnectionOut:
    """Rename it, set it up differently, or link it again."""
    tokens = body.tokens.tokens() if body.tokens else None
    async with hub.db.session() as session:
        row = await hub.connections.get(session, staff.brand_id, connection_id)
        await hub.connections.change(row, body.name, body.config, tokens, body.settings)
        [changed] = await outs(hub, session, [row])
    return changed


@router.delete("/connections/{connection_id}", status_code=204)
async def remove_connection(connection_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Unlink it: its secrets are destroyed, and its login is given back to the platform."""
    async with hub.db.session() as session:
        row = await hub.connections.get(session, staff.brand_id, connection_id)
        await hub.connections.remove(session, row)


@router.get("/alarms")
async def alarms(staff: SignedIn, hub: Hub) -> list[Alarm]:
    """What somebody must see to before the audience notices, the most pressing first."""
    async with hub.db.session() as session:
        return await hub.alarms.of_brand(session, staff.brand_id)


@router.post("/connections/{connection_id}/listings")
async def import_listings(connection_id: UUID, staff: SignedIn, hub: Hub) -> dict[str, int]:
    """Read the shop's catalogue and tie each of its SKUs to ours."""
    async with hub.db.session() as session:
        row = await hub.connections.get(session, staff.brand_id, connection_id)
    with in_our_words():
        linked, unknown = await hub.catalog.import_listings(row)
    return {"linked": linked, "unknown": unknown}
