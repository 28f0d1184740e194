"""Shows that are forgotten at every CDN a brand has linked, and nowhere else."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from connectors.errors import Reconnect, RetryLater
from hub.delivery.service import Edge, Edges
from hub.shows.models import Show
from tests.hub.market import Market, Trade

KEYS = {"fastly": ("signing_secret",), "cloudfront": ("key_pair_id", "private_key_secret")}
TOKENS = Path(__file__).parents[3] / "dashboards" / "player" / "src" / "token.ts"
PLAYERS_LEAD = timedelta(seconds=30)
"""Our player asks so much sooner."""
NOW = datetime(2026, 11, 24, 20, 59, tzinfo=UTC)
PURGES = text("SELECT args FROM procrastinate_jobs WHERE task_name = 'delivery.purge' ORDER BY id")


async def forgotten(market: Market, edges: Edges) -> list[dict[str, Any]]:
    """The arguments of the jobs that wait after a show was forgotten."""
    async with market.hub.db.session() as session:
        show = await session.get_one(Show, market.shop.show_id)
        await edges.forget(session, show)
    async with market.hub.db.session() as session:
        connection = await session.connection()
        return [dict(row[0]) for row in await connection.execute(PURGES)]


async def test_a_show_is_forgotten_once_at_each_cdn(trade: Trade) -> None:
    market = await trade("fastly", "cloudfront", "shopify")
    edges = Edges(market.hub.connections)
    await forgotten(market, edges)
    jobs = await forgotten(market, edges)
    wanted = {str(market.connections[name]) for name in ("fastly", "cloudfront")}
    assert {job["connection_id"] for job in jobs} == wanted
    assert len(jobs) == len(wanted)
    for job in [*jobs, *jobs]:
        await edges.purge(UUID(job["connection_id"]), job["slug"], job["once"])
    slug = market.shop.slug
    assert (await market.fakes["fastly"].state())["purged"] == [f"show-{slug}"]
    assert (await market.fakes["cloudfront"].state()) == {"batches": 1, "purged": [f"/live/{slug}/*"]}


async def test_a_cdn_that_is_down_is_asked_again(trade: Trade) -> None:
    market = await trade("fastly")
    edges = Edges(market.hub.connections)
    [job] = await forgotten(market, edges)
    await market.fakes["fastly"].control("fault", {"kind": "status", "status": 503})
    with pytest.raises(RetryLater):
        await edges.purge(UUID(job["connection_id"]), job["slug"], job["once"])
    await edges.purge(UUID(job["connection_id"]), job["slug"], job["once"])
    assert len((await market.fakes["fastly"].state())["purged"]) == 1


async def test_players_are_sent_to_the_cdn_that_was_linked_first(trade: Trade) -> None:
    market = await trade("shopify", "fastly", "cloudfront")
    edges = Edges(market.hub.connections)
    async with market.hub.db.session() as session:
        show = await session.get_one(Show, market.shop.show_id)
        for name, keys in KEYS.items():
            row = await market.hub.connections.get(session, show.brand_id, market.connections[name])
            market.hub.connections.set_config(row, market.fakes[name].config | dict.fromkeys(keys, ""), {})
        await session.flush()
        assert await edges.edge(session, show, NOW) == Edge("https://cdn.example.com")
        row = await market.hub.connections.get(session, show.brand_id, market.connections["fastly"])
        await market.hub.connections.remove(session, row)
        await session.flush()
        assert await edges.edge(session, show, NOW) == Edge("https://d111111abcdef8.cloudfront.net")


async def test_a_purge_that_is_refused_takes_the_edge_from_nobody_who_watches(trade: Trade) -> None:
    market = await trade("fastly")
    edges = Edges(market.hub.connections)
    async with market.hub.db.session() as session:
        show = await session.get_one(Show, market.shop.show_id)
        before = await edges.edge(session, show, NOW)
    [job] = await forgotten(market, edges)
    await market.fakes["fastly"].control("fault", {"kind": "status", "status": 403})
    with pytest.raises(Reconnect):
        await edges.purge(UUID(job["connection_id"]), job["slug"], job["once"])
    async with market.hub.db.session() as session:
        row = await market.hub.connections.get(session, show.brand_id, market.connections["fastly"])
        assert row.state == "reconnect"
        assert before
        assert await edges.edge(session, show, NOW) == before


@pytest.mark.parametrize("name", list(KEYS))
async def test_an_edge_that_checks_signatures_lets_players_in_until_they_have_renewed(
    trade: Trade, name: str
) -> None:
    market = await trade(name)
    edges, slug = Edges(market.hub.connections), market.shop.slug

    async def opens(edge: Edge, path: str, at: datetime) -> bool:
        asked = {"url": f"{edge.origin}/live/{path}?{edge.query}", "at": at.timestamp()}
        return bool((await market.fakes[name].control("edge", asked))["status"] == 200)

    async with market.hub.db.session() as session:
        show = await session.get_one(Show, market.shop.show_id)
        edge = await edges.edge(session, show, NOW)
        assert edge
        renewed = [one for one in (edge.renew_at(f"viewer {number}") for number in range(5000)) if one]
        assert len(renewed) == 5000
        assert edge.renew_at("viewer 0") == renewed[0], "a viewer's time stays the same"
        names = {one.partition("=")[0] for one in edge.query.split("&")}
        assert all(f'"{name}"' in TOKENS.read_text() for name in names), "our player knows what to send along"
        assert await edges.edge(session, show, NOW - timedelta(minutes=50)) == edge, "the same for everybody"
        for path in ("index.m3u8", "source/live.m3u8", "replay/source/s1.m4s"):
            assert await opens(edge, f"{slug}/{path}", NOW)
            assert await opens(edge, f"{slug}/{path}", max(renewed) + timedelta(hours=1))
        assert not await opens(edge, f"{slug}/index.m3u8", NOW + timedelta(hours=4))
        assert not await opens(edge, "another/index.m3u8", NOW)
        later = await edges.edge(session, show, min(renewed) - PLAYERS_LEAD)
        assert later
        assert later.query != edge.query
        together = Counter(one.timestamp() // 10 for one in renewed)
        assert max(together.values()) < 5000 // 60, "in ten seconds there is never a crowd"


async def test_a_key_that_is_no_good_keeps_no_viewer_out(trade: Trade) -> None:
    market = await trade("fastly")
    edges = Edges(market.hub.connections)
    async with market.hub.db.session() as session:
        show = await session.get_one(Show, market.shop.show_id)
        row = await market.hub.connections.get(session, show.brand_id, market.connections["fastly"])
        market.hub.connections.set_config(row, market.fakes["fastly"].config | {"signing_secret": "eA=="}, {})
        assert await edges.edge(session, show, NOW) is None
        await session.rollback()


async def test_a_brand_without_a_cdn_has_no_other_address(trade: Trade) -> None:
    market = await trade("shopify")
    edges = Edges(market.hub.connections)
    assert await forgotten(market, edges) == []
    async with market.hub.db.session() as session:
        show = await session.get_one(Show, market.shop.show_id)
        assert await edges.edge(session, show, NOW) is None
