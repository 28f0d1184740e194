"""Viewers of a brand that has linked a CDN, and what the CDN is told when a replay goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select

from hub.shows.models import Show
from tests.hub.market import Market, Trade
from tests.hub.playback.conftest import Stage, access_of
from tests.hub.shows.conftest import studio_of

EDGE = "https://cdn.example.com/live/evening"
PURGES = "SELECT 1 FROM procrastinate_jobs WHERE task_name = 'delivery.purge' AND status = 'todo'"
WAITING = "SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'playback.expired'"


async def purged(market: Market) -> int:
    """How many purges waited; they are done now."""
    waiting = len(await market.sql(PURGES))
    await market.work()
    return waiting


async def test_viewers_are_sent_to_the_cdn_of_their_brand_which_forgets_a_replay_that_goes(
    trade: Trade,
) -> None:
    market = await trade("youtube", "fastly")
    edge = market.connections.pop("fastly")  # no target
    async with studio_of(market) as studio:
        stage = Stage(studio)
        async with market.hub.db.session() as session:
            row = await market.hub.connections.get(session, market.shop.brand_id, edge)
            market.hub.connections.set_config(row, market.fakes["fastly"].config | {"signing_secret": ""}, {})
        await studio.call("PATCH", "/feed", {"recording": True}, ok=200)
        await stage.on_air()
        played = (await stage.page())["playback"]
        assert (played["hls_url"], played["dvr_url"]) == (f"{EDGE}/index.m3u8", f"{EDGE}/dvr.m3u8")
        assert played["whep_url"].startswith("http://127.0.0.1:8081/")  # no CDN carries that

        other = await market.owner("Other")
        plan = {"title": "Theirs", "slug": "theirs", "product_ids": [], "target_connection_ids": []}
        await other.call("POST", "/api/v1/shows", plan, ok=201)
        async with market.hub.db.session() as session:
            theirs = (await session.exec(select(Show).where(col(Show.slug) == "theirs"))).one()
            assert await market.hub.edges.edge(session, theirs, market.clock()) is None

        await studio.call("POST", "/end")
        assert (await stage.page())["playback"]["hls_url"] == f"{EDGE}/index.m3u8"
        [job] = await market.sql(WAITING)
        assert job["scheduled_at"] - market.clock() > timedelta(days=7)
        await market.hub.playback.expired(UUID(studio.show))  # too early
        assert await purged(market) == 0

        market.clock.tick(8 * 24 * 3600)
        await market.hub.playback.expired(UUID(studio.show))
        assert await purged(market) == 1
        assert (await market.fakes["fastly"].state())["purged"] == ["show-evening"]
        assert (await stage.page())["playback"] is None
        await studio.call("PATCH", "/feed", {"recording": False}, ok=200)  # taken back by hand
        assert await purged(market) == 1

        async with market.hub.db.session() as session:
            row = await market.hub.connections.get(session, market.shop.brand_id, edge)
            row.config_sealed = b"of another key"
            await session.flush()
            show = await session.get_one(Show, UUID(studio.show))
            assert await market.hub.edges.edge(session, show, market.clock()) is None
            await session.rollback()


async def test_players_get_the_signature_of_a_cdn_with_a_key_and_are_told_to_renew_it(trade: Trade) -> None:
    market = await trade("youtube", "fastly")
    market.connections.pop("fastly")  # no target
    async with studio_of(market) as studio:
        stage = Stage(studio)
        await studio.call("PATCH", "/feed", {"recording": True}, ok=200)
        await stage.on_air()
        page = await stage.page()
        played, viewer = page["playback"], page["viewer_id"]
        signature = played["hls_url"].partition("?")[2]
        assert played["hls_url"] == f"{EDGE}/index.m3u8?{signature}"
        assert played["dvr_url"] == f"{EDGE}/dvr.m3u8?{signature}"
        assert played["chapters_url"] == f"{EDGE}/chapters.json?{signature}"
        assert "?" not in played["whep_url"]
        asked = {"url": f"{EDGE}/source/s1.m4s?{signature}", "at": market.clock().timestamp()}
        assert (await market.fakes["fastly"].control("edge", asked))["status"] == 200
        renewed = datetime.fromisoformat(played["renew_at"]) - market.clock()
        assert timedelta(0) < renewed < timedelta(hours=2)
        assert (await stage.page(viewer=viewer))["playback"]["renew_at"] == played["renew_at"]
        others = [(await stage.page())["playback"] for _ in range(5)]
        assert {one["hls_url"] for one in others} == {played["hls_url"]}
        assert len({one["renew_at"] for one in (played, *others)}) == 6, "they do not all come at once"

        await stage.change(access="signed")
        link = await stage.link()
        private = (await stage.page(access_of(link), viewer))["playback"]
        token, _, more = private["hls_url"].partition("?")[2].partition("&")
        assert (token[:6], more) == ("token=", signature)
        assert private["whep_url"].partition("?")[2] == token
        assert datetime.fromisoformat(private["renew_at"]) <= datetime.fromisoformat(played["renew_at"])
        assert datetime.fromisoformat(private["renew_at"]) - market.clock() <= timedelta(minutes=20)
