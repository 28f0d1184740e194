"""Shopify's GraphQL Admin API: one address per shop, errors inside a 200, a budget of points."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import decoded

VERSION = "2026-10"
ANY_SHOP = "https://myshopify.com/"
"""Stands for the shop's own host; another base address (a fake's) is used as it is."""

RELINK = "Shopify no longer accepts this access token. Install the app again and enter its token."
RESTORED_PER_SECOND = 100.0
LONGEST_PAUSE = 30.0

STATUSES = {
    402: "This Shopify store is frozen until its bill is paid.",
    404: "Shopify knows no store at this address.",
    423: "Shopify has locked this store.",
}


class Config(BaseModel):
    """What a brand enters once; the Admin API access token is the login."""

    shop: str = Field(
        title="Store address",
        description="The store's own Shopify address, like my-shop.myshopify.com.",
        # Nothing but Shopify's own hosts: the access token goes there.
        pattern=r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$",
    )
    webhook_secret: SecretStr = Field(
        title="App client secret",
        description="The app's client secret; Shopify signs webhooks with it.",
    )
    location_id: str | None = Field(
        None,
        title="Location",
        description="The location whose stock is kept (gid://shopify/Location/…); empty for the primary one.",
        pattern=r"^gid://shopify/Location/[0-9]+$",
    )


@dataclass(frozen=True)
class Answer:
    """What a query gave, and how long to wait before the shop can afford the same again (seconds)."""

    data: dict[str, Any]
    pause: float


class Graph:
    """Queries of one connection."""

    def __init__(
        self, session: Session[Config], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._http = session.http
        base = session.addresses.base_url
        shop = f"https://{session.config.shop}/" if base == ANY_SHOP else f"{base.rstrip('/')}/"
        self._url = f"{shop}admin/api/{VERSION}/graphql.json"
        self._sleep = sleep

    async def run(self, query: str, **variables: Any) -> Answer:
        """One query or mutation. Userland errors are in the data: see `agreed`."""
        body = {"query": query, "variables": variables}
        response = await self._http.request("POST", self._url, json=body)
        answer = decoded(response.content)
        if answer is None or not isinstance(answer.get("data"), dict):
            raise RetryLater("Shopify answered with something unreadable.", 30.0, unknown=True)
        return Answer(answer["data"], pause_of(answer))

    async def pages(self, query: str, root: str, **variables: Any) -> AsyncIterator[Answer]:
        """All pages of a connection, as fast as the shop's points allow."""
        after: str | None = None
        while True:
            answer = await self.run(query, after=after, **variables)
            yield answer
            page = answer.data[root]["pageInfo"]
            if not page["hasNextPage"]:
                return
            after = page["endCursor"]
            if answer.pause:
                await self._sleep(min(answer.pause, LONGEST_PAUSE))


def authorise(_: Config, token: str) -> dict[str, str]:
    """Shopify's own header."""
    return {"X-Shopify-Access-Token": token} if token else {}


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """GraphQL's errors come with status 200; the rest is left to the general rule."""
    if status == 401:
        return Reconnect(RELINK)
    if status == 403:
        return Reconnect("Shopify does not let this app do that. Check its permissions and link it again.")
    if status in STATUSES:
        return Refused(STATUSES[status], code=str(status))
    if status != 200 or b'"errors"' not in body:
        return None
    answer = decoded(body)
    errors = answer.get("errors") if answer else None
    if answer is None or not errors:
        return None
    if not isinstance(errors, list) or not isinstance(errors[0], dict):
        return Refused(f"Shopify refused the request: {errors}")
    return graph_error(errors[0], answer)


def graph_error(error: dict[str, Any], answer: dict[str, Any]) -> ConnectorError:
    """The error a GraphQL error means. https://shopify.dev/docs/api/admin-graphql#status_and_error_codes"""
    message = str(error.get("message", "no reason given"))
    match (error.get("extensions") or {}).get("code"):
        case "THROTTLED":
            return RetryLater("Shopify asks us to slow down.", max(1.0, pause_of(answer)))
        case "ACCESS_DENIED":
            return Reconnect(f"The Shopify app lacks a permission: {message}")
        case "INTERNAL_SERVER_ERROR" | "TIMEOUT":
            return RetryLater("Shopify is in trouble.", 5.0, unknown=True)
        case "IDEMPOTENCY_CONCURRENT_REQUEST":
            return RetryLater("Shopify is still working on this.", 2.0, unknown=True)
        case "SHOP_INACTIVE":
            return Refused("This Shopify store is not active.", code="SHOP_INACTIVE")
        case code:
            return Refused(f"Shopify refused the request: {message}", code=code)


def agreed(payload: dict[str, Any] | None, errors: str = "userErrors") -> dict[str, Any]:
    """A mutation's payload; its user errors as Refused (or RetryLater while a twin runs)."""
    if payload is None:
        raise Refused("Shopify gave no answer to this request.")
    for error in payload.get(errors) or ():
        if error.get("code") == "IDEMPOTENCY_CONCURRENT_REQUEST":
            raise RetryLater("Shopify is still working on this.", 2.0, unknown=True)
        raise Refused(f"Shopify refused: {error['message']}", code=error.get("code"))
    return payload


def pause_of(answer: dict[str, Any]) -> float:
    """Seconds until the points this query asked for are there again; 0 when they are."""
    cost = (answer.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    try:
        missing = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
        return max(0.0, missing / (float(status["restoreRate"]) or RESTORED_PER_SECOND))
    except (KeyError, TypeError, ValueError):
        return 0.0
