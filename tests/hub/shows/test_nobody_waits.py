"""One platform's trouble is nobody else's: not the other platforms', and not the till's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.app import services
from hub.demo.fakes import environment_for
from hub.work.app import CONCURRENCY
from hub.work.chats import Chats
from hub.work.jobs import run_jobs
from tests.hub.conftest import settings_for
from tests.hub.market import MovableClock, trading
from tests.hub.platforms import standing_fakes, until
from tests.hub.shop import open_shop
from tests.hub.shows.conftest import Studio, studio_of
from tests.hub.shows.holding import holding

MEANWHILE = "Read and answer in the TikTok app meanwhile."


@asynccontextmanager
async def beside(part: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """A part of the work process, as long as it is needed."""
    running = asyncio.create_task(part)
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def stage(studio: Studio, connector: str) -> str:
    return str((await studio.target(connector))["stage"])


async def test_one_go_live_opens_every_target_while_one_platform_hangs(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    clock, settings = MovableClock(), settings_for(tmp_path, database_url, nats_url)
    async with standing_fakes("youtube", "facebook") as fakes, holding(fakes["youtube"].base_url) as relay:
        environ = environment_for(fakes) | {"SIMULCAST_YOUTUBE_BASE_URL": relay.url}
        async with (
            services(settings, environ, clock) as hub,
            trading(hub, await open_shop(hub), fakes, clock) as market,
            studio_of(market) as studio,
        ):
            await studio.call("POST", "/start")
            async with beside(run_jobs(market.jobs, CONCURRENCY)):
                async with asyncio.timeout(60):
                    await relay.held.wait()
                await until(lambda: pushed(studio, "facebook"), 60)
                assert await stage(studio, "youtube") == "opening"
                await studio.receive("facebook")
                await studio.says("facebook", "live")
                await until(lambda: live(studio, "facebook"), 60)

                relay.released.set()
                await until(lambda: pushed(studio, "facebook", "youtube"), 60)
            assert await stage(studio, "youtube") == "created"
            assert len((await fakes["youtube"].state())["broadcasts"]) == 1


async def pushed(studio: Studio, *connectors: str) -> bool:
    """Whether the worker was told to push to these, and to no other."""
    return studio.worker.wanted(studio.slug) == dict.fromkeys(connectors, True)


async def live(studio: Studio, connector: str) -> bool:
    return await stage(studio, connector) == "live"


async def tiktoks_chat(studio: Studio) -> Any:
    """What the studio is shown of it, once both ways to it have been tried."""

    async def told() -> Any:
        [chat] = (await studio.snapshot())["chats"]
        return chat if chat["detail"].endswith(MEANWHILE) else None

    return await until(told)


async def test_money_stock_and_orders_never_depend_on_tiktoks_chat(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    """The signing service refuses our reader and nobody is at the bridge, from first to last."""
    clock, settings = MovableClock(), settings_for(tmp_path, database_url, nats_url)
    async with standing_fakes("tiktok", "stripe") as fakes:
        tiktok = fakes["tiktok"]
        fakes["tiktok"] = replace(tiktok, config=tiktok.config | {"bridge_url": "ws://127.0.0.1:9/bridge"})
        await tiktok.control("fault", {"kind": "signer_down", "status": 403, "count": 99})
        async with (
            services(settings, environment_for(fakes), clock) as hub,
            trading(hub, await open_shop(hub, 5), fakes, clock) as market,
            studio_of(market) as studio,
            beside(Chats(hub).run()),
        ):
            await studio.live()
            chat = await tiktoks_chat(studio)
            assert (chat["platform"], chat["state"]) == ("tiktok", "degraded")

            # The target says what TikTok itself says, either way.
            await studio.receive("tiktok")
            await tiktok.control("fault", {"kind": "offline"})
            await studio.says("tiktok", "live")
            await market.work()
            target = await studio.target("tiktok")
            assert target["stage"] == "starting"
            assert "Press Go LIVE in TikTok" in target["reason"]
            await tiktok.control("fault", {"kind": "offline", "on": False})
            await market.later()
            target = await studio.target("tiktok")
            assert (target["stage"], target["reason"]) == ("live", None)

            here = replace(market, shop=replace(market.shop, slug=studio.slug))
            for quantity, sold in ((2, 2), (1, 3)):
                buyer = await here.viewer()
                order = await buyer.order(await buyer.hold(quantity=quantity))
                await market.arrived("stripe")
                assert (await buyer.status(order))["state"] == "paid"
                assert await market.shop.stock() == (5, 0, sold)
            await (await here.viewer()).hold(quantity=3, ok=409)
            assert [intent["captured"] for intent in await market.intents()] == [2 * 4900, 4900]
            sales = (await studio.snapshot())["sales"]
            assert (sales["orders"], sales["revenue_minor"]) == (2, 3 * 4900)
            await market.shop.check_ledger()

            assert await tiktoks_chat(studio) == chat
            assert (await tiktok.state())["listeners"] == 0
            await studio.call("POST", "/end")
            await market.work()
            assert await stage(studio, "tiktok") == "by_hand"
