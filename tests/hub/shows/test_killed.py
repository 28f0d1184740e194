"""kill -9 of the work process at the worst moment: YouTube has made the broadcast, and nobody noted it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hub.app import services
from hub.demo.fakes import environment_for
from hub.work.jobs import revive_stalled
from tests.hub.conftest import settings_for
from tests.hub.market import MovableClock, trading
from tests.hub.platforms import standing_fakes
from tests.hub.shop import open_shop
from tests.hub.shows.conftest import studio_of
from tests.hub.shows.holding import holding
from tests.hub.work.process import work_process

AGED = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '5 minutes'"
"""The database's own clock decides who is dead: its rows are aged instead of waiting."""


async def test_a_killed_worker_resumes_the_broadcast_it_had_made(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    clock, settings = MovableClock(), settings_for(tmp_path, database_url, nats_url)
    async with standing_fakes("youtube") as fakes, holding(fakes["youtube"].base_url) as relay:
        environ = environment_for(fakes) | {"SIMULCAST_YOUTUBE_BASE_URL": relay.url}
        async with (
            services(settings, environ, clock) as hub,
            trading(hub, await open_shop(hub), fakes, clock) as market,
            studio_of(market) as studio,
        ):
            await studio.call("POST", "/start")
            worker = await work_process(settings, environ)
            try:
                async with asyncio.timeout(60):
                    await relay.held.wait()
            finally:
                worker.kill()
                await worker.wait()
            assert len((await fakes["youtube"].state())["broadcasts"]) == 1, worker.last_words()
            [row] = await market.sql("SELECT ref, url_sealed FROM show_target")
            assert (row["ref"], row["url_sealed"]) == (None, None)

            await market.sql(AGED)
            await revive_stalled(market.jobs)
            await market.later()
            [made] = (await fakes["youtube"].state())["broadcasts"]
            [row] = await market.sql("SELECT ref FROM show_target")
            assert row["ref"] == made["id"]
            target = await studio.target("youtube")
            assert (target["stage"], target["details_state"]) == ("created", "applied")
            assert studio.worker.wanted(studio.slug) == {"youtube": True}
