"""What a player hears on somebody else's website, where a browser shows only what is meant for every site."""

from __future__ import annotations

import httpx
import pytest

from tests.hub.market import Market, Trade
from tests.hub.site import no_authorities


@pytest.fixture
async def market(trade: Trade) -> Market:
    """A brand with a live show and no accounts."""
    return await trade()


async def test_a_player_on_any_site_may_read_the_show_and_that_there_is_none(market: Market) -> None:
    there, nowhere = (f"/api/v1/public/shows/{slug}" for slug in (market.shop.slug, "no-such-show"))
    async with httpx.AsyncClient(base_url=market.origin, verify=no_authorities()) as site:
        site.headers["Origin"] = "https://shop.example"
        found, missing = await site.get(there), await site.get(nowhere)
    assert (found.status_code, missing.status_code) == (200, 404)
    assert missing.headers["content-type"] == "application/problem+json"
    assert missing.json()["code"] == "show_unknown"
    for answer in (found, missing):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
