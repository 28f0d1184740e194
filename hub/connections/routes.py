"""Connectors to choose from, and the brand's linked accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field, SecretStr

from connectors.base import AnyConnector
from connectors.types import Tokens
from hub.auth.guard import Hub, SignedIn
from hub.connections.models import Connection
from hub.connections.service import in_our_words
from hub.services import Services

router = APIRouter(prefix="/api/v1", tags=["connections"])

CAPABILITIES = (
    *("destination", "chat_source", "chat_sink", "catalog_source", "order_source", "order_sink"),
    *("stock_sink", "payments", "webhooks", "delivery"),
)


class ConnectorOut(BaseModel):
    """A platform we can speak to, and the form that links an account on it.

    `token_help`: what login to paste and where it is found, when the form is not enough.
    `refreshes`: a refresh token keeps that login alive.
    """

    name: str
    title: str
    capabilities: list[str]
    config_schema: dict[str, Any] = Field(serialization_alias="schema")
    needs_tokens: bool
    token_help: str | None
    refreshes: bool


class ConnectionOut(BaseModel):
    """A linked account; its secrets never leave."""

    id: UUID
    connector: str
    title: str
    name: str
    state: str
    reason: str | None
    capabilities: list[str]
    token_expires_at: datetime | None
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
    """Another name, config or login."""

    name: str | None = Field(default=None, min_length=1, max_length=120)
    config: dict[str, Any] | None = None
    tokens: TokensIn | None = None


def capabilities(connector: AnyConnector) -> list[str]:
    """What a connector can do is exactly what is not None."""
    return [name for name in CAPABILITIES if getattr(connector, name) is not None]


def out(hub: Services, row: Connection) -> ConnectionOut:
    """A row as the studio sees it."""
    connector = hub.connections.connector(row.connector)
    hook = f"{hub.settings.site_url()}/webhooks/{row.connector}/{row.id}" if connector.webhooks else None
    return ConnectionOut(
        **row.model_dump(include={"id", "connector", "name", "state", "reason", "created_at"}),
        token_expires_at=row.token_expires_at,
        title=connector.title,
        capabilities=capabilities(connector),
        webhook_url=hook,
    )


@router.get("/connectors")
async def connectors(_: SignedIn, hub: Hub) -> list[ConnectorOut]:
    """Everything an account can be linked on."""
    return [
        ConnectorOut(
            name=one.name,
            title=one.title,
            capabilities=capabilities(one),
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
    return [out(hub, row) for row in rows]


@router.post("/connections", status_code=201)
async def add_connection(body: ConnectionIn, staff: SignedIn, hub: Hub) -> ConnectionOut:
    """Link an account."""
    tokens = body.tokens.tokens() if body.tokens else None
    async with hub.db.session() as session:
        row = await hub.connections.add(
            session, staff.brand_id, body.name, body.connector, body.config, tokens
        )
    return out(hub, row)


@router.patch("/connections/{connection_id}")
async def change_connection(
    connection_id: UUID, body: ConnectionChange, staff: SignedIn, hub: Hub
) -> ConnectionOut:
    """Rename it, or link it again."""
    tokens = body.tokens.tokens() if body.tokens else None
    async with hub.db.session() as session:
        row = await hub.connections.get(session, staff.brand_id, connection_id)
        await hub.connections.change(row, body.name, body.config, tokens)
    return out(hub, row)


@router.delete("/connections/{connection_id}", status_code=204)
async def remove_connection(connection_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Unlink it: its secrets are destroyed."""
    async with hub.db.session() as session:
        row = await hub.connections.get(session, staff.brand_id, connection_id)
        await hub.connections.remove(session, row)


@router.post("/connections/{connection_id}/listings")
async def import_listings(connection_id: UUID, staff: SignedIn, hub: Hub) -> dict[str, int]:
    """Read the shop's catalogue and tie each of its SKUs to ours."""
    async with hub.db.session() as session:
        row = await hub.connections.get(session, staff.brand_id, connection_id)
    with in_our_words():
        linked, unknown = await hub.catalog.import_listings(row)
    return {"linked": linked, "unknown": unknown}
