"""A live show on a real API, with players that report."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.hub.market import Market, Trade
from tests.hub.site import no_authorities


@pytest.fixture
async def market(trade: Trade) -> Market:
    """A brand with a live show and no accounts."""
    return await trade()


class Door:
    """What a player's browser sends; no cookie jar, and never a token."""

    def __init__(self, market: Market, http: httpx.AsyncClient) -> None:
        self.market = market
        self.http = http

    async def send(self, body: Any, slug: str = "", **headers: str) -> httpx.Response:
        """As sendBeacon does: text/plain, from another site."""
        url = f"{self.market.origin}/api/v1/public/shows/{slug or self.market.shop.slug}/quality"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        wanted = {"content-type": "text/plain;charset=UTF-8", "origin": "https://shop.example"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(url, content=data, headers=wanted | named)

    async def rows(self) -> list[dict[str, Any]]:
        """What is stored."""
        return [dict(row) for row in await self.market.sql("SELECT * FROM playback_session ORDER BY session")]


@pytest.fixture
async def door(market: Market) -> AsyncIterator[Door]:
    """The public address for beacons."""
    async with httpx.AsyncClient(timeout=20, verify=no_authorities()) as http:
        yield Door(market, http)
