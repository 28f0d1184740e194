"""kill -9 of the work process at the worst moment: YouTube has made the broadcast, and nobody noted it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from hub.app import services
from hub.demo.fakes import environment_for
from hub.engines.process import Child, start
from hub.settings import Settings
from hub.work.jobs import revive_stalled
from tests.hub.conftest import settings_for
from tests.hub.market import MovableClock, trading
from tests.hub.platforms import standing_fakes
from tests.hub.shop import open_shop
from tests.hub.shows.conftest import studio_of

AGED = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '5 minutes'"
"""The database's own clock decides who is dead: its rows are aged instead of waiting."""


class Holding:
    """A way to the fake that keeps back the answer to one request: it is done, and nobody hears of it."""

    def __init__(self, base_url: str) -> None:
        self._target = urlsplit(base_url)
        self.url = ""
        self.held = asyncio.Event()
        self._kept: asyncio.Queue[None] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
        up_reader, up_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        up_writer.write(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1) + body)
        answer = await up_reader.read()
        up_writer.close()
        verb, path = head.split(b" ")[:2]
        if (
            verb == b"POST"
            and path.partition(b"?")[0].endswith(b"/liveBroadcasts")
            and not self.held.is_set()
        ):
            self.held.set()
            await reader.read()  # until whoever asked is dead
        writer.write(answer)
        writer.close()


@asynccontextmanager
async def holding(base_url: str) -> AsyncIterator[Holding]:
    """On a free port."""
    relay = Holding(base_url)
    async with await asyncio.start_server(relay.serve, "127.0.0.1", 0) as server:
        relay.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield relay


async def work_process(settings: Settings, environ: dict[str, str], log: Path) -> Child:
    """A real one, as `simulcast up` starts it."""
    known = {
        "DATABASE_URL": settings.database_url or "",
        "NATS_URL": settings.nats_url or "",
        "SIMULCAST_DATA": str(settings.data),
        "SIMULCAST_SECRET_KEY": settings.secret_key.get_secret_value() if settings.secret_key else "",
        "SIMULCAST_MEDIA_TOKEN": settings.media_token.get_secret_value() if settings.media_token else "",
        "SIMULCAST_MEDIA_CONTROL_PORT": "9",
    }
    argv = [sys.executable, "-m", "hub", "run", "work"]
    return await start("work", argv, log=log, env={**os.environ, **known, **environ})


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
            worker = await work_process(settings, environ, tmp_path / "work.log")
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
