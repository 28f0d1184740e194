"""The Graph API as far as catalogues need it: every no has a number, and some of them mean "later"."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pydantic import BaseModel, Field

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import decoded, retry_after

GRAPH = "https://graph.facebook.com/"
VERSION = "v26.0"
PAGE_SIZE, SMALLEST_PAGE = 100, 10

DEAD = frozenset({102, 190})
LACKING = frozenset({3, 10, 200, 294})
LIMITED = frozenset({4, 17, 32, 613, 80009, 80014})
"""The last two are the catalogue's own, for reading and for batches."""
TROUBLE = frozenset({1, 2})
TOO_MUCH = "too_much"
"""Our code for a no that Meta spells as trouble, and that no waiting mends."""

RELINK = "Meta no longer accepts this access token. Make a new one for the system user and enter it."


class Config(BaseModel):
    """What a brand enters once; the system user's token is the login."""

    catalog_id: str = Field(
        title="Catalogue ID",
        description="The catalogue's number, from the Commerce Manager's settings.",
        pattern=r"^[0-9]+$",
    )


class Api:
    """Requests about one catalogue."""

    def __init__(self, session: Session[Config]) -> None:
        self._http = session.http
        self._root = f"{session.addresses.base_url.rstrip('/')}/{VERSION}/{session.config.catalog_id}/"

    async def get(self, edge: str, **query: str | int) -> dict[str, Any]:
        """One page of an edge."""
        return await self._call("GET", edge, params=query)

    async def post(self, edge: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for a change."""
        return await self._call("POST", edge, json=body)

    async def pages(self, edge: str, **query: str | int) -> AsyncIterator[dict[str, Any]]:
        """All nodes of an edge, in smaller pages where Meta finds them too much."""
        after: str | None = None
        size = PAGE_SIZE
        while True:
            at = {"after": after} if after else {}
            try:
                answer = await self.get(edge, limit=size, **query, **at)
            except Refused as refused:
                if refused.code != TOO_MUCH or size <= SMALLEST_PAGE:
                    raise
                size //= 2
                continue
            for node in answer.get("data") or ():
                yield node
            paging = answer.get("paging") or {}
            after = (paging.get("cursors") or {}).get("after") if paging.get("next") else None
            if not after:
                return

    async def _call(self, method: str, edge: str, **how: Any) -> dict[str, Any]:
        response = await self._http.request(method, self._root + edge, **how)
        answer = decoded(response.content)
        if answer is None:
            raise RetryLater("Meta answered with something unreadable.", 30.0, unknown=method != "GET")
        return answer


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """The error an answer's number means; without one the general rule decides."""
    said = decoded(body) if b'"error"' in body else None
    error = said.get("error") if said else None
    if not isinstance(error, dict):
        return None
    code = error.get("code")
    message = " ".join(str(error.get("message") or "no reason given")[:300].split())
    if code in DEAD:
        return Reconnect(RELINK)
    if code in LACKING:
        return Reconnect(f"The access token lacks a permission for this catalogue: {message}")
    if code in LIMITED:
        return RetryLater("Meta asks us to slow down.", retry_after(headers, 60.0))
    if code == 1 and "reduce the amount of data" in message.lower():
        return Refused("Meta finds this too much for one request.", code=TOO_MUCH)
    if code in TROUBLE or status >= 500:
        return RetryLater("Meta is in trouble.", retry_after(headers, 5.0), unknown=True)
    return None if status == 429 else Refused(f"Meta refused the request: {message}", code=str(code))
