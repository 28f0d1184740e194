"""The stream itself: full, away, without JetStream, with a consumer's promises."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from hub.doctor import events_finding
from hub.engines.nats import binary, free_port
from hub.engines.process import start
from hub.errors import Unavailable
from hub.events.schema import Apart, ViewerEvent
from hub.events.stream import MOST_IN_FLIGHT, NAME, NO_JETSTREAM, EventStream, subject_of
from hub.ids import new_id
from tests.hub.events.stage import LIVE, Nats


def heartbeat(brand: UUID, show: UUID) -> ViewerEvent:
    return ViewerEvent(
        id=new_id(), brand_id=brand, show_id=show, viewer_id="a", kind="heartbeat", at=LIVE, source="page"
    )


async def test_a_repeated_event_is_one_and_a_full_stream_refuses_and_forgets_nothing(tmp_path: Path) -> None:
    nats, brand, show = Nats(tmp_path), uuid4(), uuid4()
    await nats.start()
    async with EventStream(nats.url) as stream:
        events = [heartbeat(brand, show) for _ in range(50)]
        await stream.keep(events)
        await stream.keep(events)
        assert await stream.shows_of(brand) == [show]
        assert [seq async for page in stream.of_show(brand, show) for seq, _ in page] == [*range(1, 51)]
        info = await stream.js.stream_info(NAME)
        config = info.config
        config.max_bytes = info.state.bytes
        await stream.js.update_stream(config)
        with pytest.raises(Unavailable) as full:
            await stream.keep([heartbeat(brand, show)])
        assert full.value.extra["retry_after"] == 60
        assert len(await stream.fetch(100)) == 50
        with pytest.raises(Unavailable):
            await stream.keep([heartbeat(brand, show)] * (MOST_IN_FLIGHT + 1))
        assert stream.in_flight == 0
        # As it should be again; and a stream that somebody deleted is made again.
        assert await stream.ensure()
        await stream.keep([heartbeat(brand, show)])
        await stream.js.delete_stream(NAME)
        async with asyncio.timeout(20):
            while True:
                try:
                    await stream.keep([heartbeat(brand, show)])
                    break
                except Unavailable:
                    await asyncio.sleep(0.02)
        assert stream.why == ""
    await nats.stop()


async def test_without_jetstream_events_are_kept_by_the_pages_and_it_is_said_why(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "plain.json"
    config.write_text(json.dumps({"host": "127.0.0.1", "port": port}))
    child = await start("nats", [binary(), "-c", config], log=tmp_path / "nats.log")
    async with asyncio.timeout(20):
        while True:
            try:
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            except OSError:
                await asyncio.sleep(0.02)
    url = f"nats://127.0.0.1:{port}"
    async with EventStream(url) as stream:
        assert stream.why == NO_JETSTREAM
        with pytest.raises(Unavailable):
            await stream.keep([heartbeat(uuid4(), uuid4())])
        assert await stream.fetch(10) == []
        finding = await asyncio.to_thread(events_finding, url)
        assert (finding.ok, finding.detail) == (False, NO_JETSTREAM)
    await child.stop()


async def test_what_nobody_can_read_waits_apart(tmp_path: Path, nats_url: str) -> None:
    brand, show = uuid4(), uuid4()
    async with EventStream(nats_url) as stream:
        assert (await asyncio.to_thread(events_finding, nats_url)).ok
        apart = Apart(v=9, id=new_id(), brand_id=brand, show_id=show, more="news")
        await stream.keep([apart])
        [page] = [page async for page in stream.of_show(brand, show)]
        assert json.loads(page[0][1])["more"] == "news"
        await stream.forget(brand, show, page[0][0])
        assert [page async for page in stream.of_show(brand, show)] == []
        assert subject_of(brand, show) == f"events.{brand}.{show}"
