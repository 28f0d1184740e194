"""From a page to a file: whoever was told "kept" is in the log, once, whatever died on the way."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from hub.clock import wall_clock
from hub.db import Database
from hub.events.log import EventLog
from hub.events.sealer import Sealer
from hub.events.stream import EventStream
from tests.hub.conftest import settings_for
from tests.hub.events.stage import Nats, Page, gateway, open_evening, rows_of, some_events, token_of

PAGES, FRAMES, EACH = 20, 5, 20


class Killed(BaseException):
    """The process ends at this very line: nothing that follows runs."""


class Killer:
    """Kills whenever the next of these steps is done, one after the other."""

    def __init__(self, *steps: str) -> None:
        self.left = [*steps]

    def __call__(self, step: str) -> None:
        if self.left and step == self.left[0]:
            self.left.pop(0)
            raise Killed


async def test_whatever_was_acknowledged_is_in_the_log_once_though_nats_and_sealer_are_killed(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    nats = Nats(tmp_path)
    await nats.start()
    evening = await open_evening(db)
    settings = settings_for(tmp_path, database_url, nats.url)
    log = EventLog(tmp_path / "events")
    killer = Killer("fetched", "renamed", "noted")
    async with gateway(settings) as address, EventStream(nats.url, ack_wait=0.5) as stream:
        pages = [Page(address, token_of(settings, evening.viewer())) for _ in range(PAGES)]
        telling = [
            asyncio.create_task(page.tell([some_events(EACH) for _ in range(FRAMES)])) for page in pages
        ]

        async def seal() -> None:
            with contextlib.suppress(Killed):
                await Sealer(db, stream, log, wall_clock, step=killer).seal()

        while sum(len(page.kept) for page in pages) < PAGES * EACH:
            await asyncio.sleep(0.001)
        await nats.kill()
        assert not all(task.done() for task in telling)
        await asyncio.sleep(0.1)  # long enough for pages to talk to nobody
        await nats.start()
        async with asyncio.timeout(60):
            while not all(task.done() for task in telling) or killer.left:
                await seal()
                await asyncio.sleep(0.05)
            told = set().union(*(page.kept for page in pages))
            while len(rows_of(log, evening, "id", "WHERE kind = 'heartbeat'")) < len(told):
                await seal()
    await asyncio.gather(*telling)
    assert len(told) == PAGES * FRAMES * EACH
    found = [str(key) for (key,) in rows_of(log, evening, "id", "WHERE kind = 'heartbeat'")]
    assert len(found) == len(told)
    assert {*found} == told
    # It did come twice.
    assert sum(int(count) for (count,) in stored(log)) > len(rows_of(log, evening, "id"))
    await nats.stop()


def stored(log: EventLog) -> list[tuple[int]]:
    """Rows in all files, read or not."""
    with log.connect() as db:
        return db.execute(f"SELECT count(*) FROM read_parquet('{log.folder}/*/*/*.parquet')").fetchall()  # noqa: S608
