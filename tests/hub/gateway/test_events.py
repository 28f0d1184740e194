"""What pages tell the gateway: kept before it is acknowledged, stamped with who says it, never too much."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import pytest
from sqlalchemy import text

from hub.auth.tokens import Viewer
from hub.clock import wall_clock
from hub.db import Database, run
from hub.events.log import EventLog
from hub.events.schema import LARGEST_FRAME
from hub.events.sealer import Sealer
from hub.events.stream import EventStream
from hub.gateway.screen import LARGEST_WORDS, MOST_TOLD
from hub.settings import Settings
from tests.hub.conftest import settings_for
from tests.hub.events.stage import Evening, gateway, open_evening, rows_of, some_events, token_of


@dataclass
class House:
    """A gateway, a show, and the log."""

    address: str
    evening: Evening
    settings: Settings
    log: EventLog
    sealer: Sealer

    @asynccontextmanager
    async def socket(
        self, viewer: Viewer, *, deflate: bool = False
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """`deflate`: as browsers do."""
        target, window = f"{self.address}?token={token_of(self.settings, viewer)}&after=", 15 * deflate
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(target, compress=window) as socket,
        ):
            await socket.receive_str()  # hello
            yield socket

    async def rows(self, columns: str, more: str, count: int) -> list[tuple[Any, ...]]:
        """What the log says, as soon as there are so many."""
        async with asyncio.timeout(30):
            while True:
                await self.sealer.seal()
                found = await asyncio.to_thread(rows_of, self.log, self.evening, columns, more)
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.05)


@pytest.fixture
async def house(db: Database, database_url: str, nats_url: str, tmp_path: Path) -> AsyncIterator[House]:
    settings = settings_for(tmp_path, database_url, nats_url)
    evening = await open_evening(db)
    log = EventLog(tmp_path / "events")
    async with gateway(settings) as address, EventStream(nats_url) as stream:
        yield House(address, evening, settings, log, Sealer(db, stream, log, wall_clock))


async def told(socket: aiohttp.ClientWebSocketResponse, frame: dict[str, Any] | str) -> dict[str, Any]:
    """The gateway's answer."""
    await socket.send_str(frame if isinstance(frame, str) else json.dumps(frame, separators=(",", ":")))
    async with asyncio.timeout(20):
        while True:
            for event in json.loads(await socket.receive_str()):
                if event["kind"] in ("kept", "later"):
                    return dict(event)


async def test_events_are_kept_with_whose_they_are_and_every_join_has_one_leave(house: House) -> None:
    ana, bo = house.evening.viewer(), house.evening.viewer()
    kinds = ("product_view", "cart_add", "checkout_step", "reaction", "poll", "stall")
    events = [event for kind in kinds for event in some_events(1, kind)]
    odd = {**events[0], "id": str(uuid4()), "viewer_id": bo.id}
    async with house.socket(ana) as first, house.socket(bo), house.socket(bo):
        answer = await told(first, {"t": "events", "n": 3, "events": [*events, odd]})
        assert answer == {"kind": "kept", "seq": None, "data": {"n": 3, "refused": 1}}
        again = await told(first, {"t": "events", "n": 4, "events": events})
        assert again["data"] == {"n": 4, "refused": 0}
    found = await house.rows("viewer_id, show_ms", "WHERE source = 'page'", len(kinds))
    assert {viewer for viewer, _ in found} == {ana.id}
    assert len(found) == len(kinds)
    assert all(299_000 < ms < 420_000 for _, ms in found)  # five minutes into the show, by our clock
    stays = await house.rows("viewer_id, kind, data", "WHERE source = 'hub' ORDER BY kind", 6)
    assert [kind for _, kind, _ in stays] == ["join"] * 3 + ["leave"] * 3
    assert sorted(stays[:3]) == sorted((viewer, "join", stay) for viewer, _, stay in stays[3:])
    assert [viewer for viewer, *_ in stays[:3]].count(bo.id) == 2


async def test_a_page_that_tells_too_much_is_put_off_and_one_that_shouts_is_closed(house: House) -> None:
    async with house.socket(house.evening.viewer()) as page:
        full = {"t": "events", "n": 0, "events": some_events(20)}
        answers = [await told(page, {**full, "n": n}) for n in range(MOST_TOLD + 1)]
        assert [one["kind"] for one in answers] == ["kept"] * MOST_TOLD + ["later"]
        assert answers[-1]["data"]["seconds"] == 10
        await page.send_str('{"t":"events","n":1,"events":"odd"}')  # nobody waits for an answer to that
        await page.send_str("x" * (LARGEST_WORDS + 1))
        assert (await closed_with(page)) == aiohttp.WSCloseCode.POLICY_VIOLATION
    async with house.socket(house.evening.viewer()) as page:
        await page.send_str('{"t":"events"' + "x" * LARGEST_FRAME)
        assert (await closed_with(page)) is not None


async def test_events_that_a_browser_deflated_are_kept_and_bombs_are_not_read(house: House) -> None:
    async with house.socket(house.evening.viewer(), deflate=True) as page:
        assert page.compress, "the gateway agreed"
        answer = await told(page, {"t": "events", "n": 1, "events": some_events(20)})
        assert answer["data"] == {"n": 1, "refused": 0}
        await page.send_str('{"t":"events"' + " " * 10 * LARGEST_FRAME)  # a small frame
        assert (await closed_with(page)) == aiohttp.WSCloseCode.POLICY_VIOLATION
    assert await house.rows("viewer_id", "WHERE source = 'page'", 20)


@pytest.mark.parametrize(
    ("first", "why"),
    [(0x01, "it is the beginning of a text"), (0x80, "it goes on with a text that never began")],
)
async def test_a_page_that_sends_its_words_in_pieces_is_closed(house: House, first: int, why: str) -> None:
    """Over a bare socket: aiohttp, as browsers, never does."""
    split = urlsplit(house.address)
    reader, writer = await asyncio.open_connection(split.hostname, split.port)
    token = token_of(house.settings, house.evening.viewer())
    writer.write(
        f"GET {split.path}?token={token}&after= HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    words = json.dumps({"t": "events", "n": 0, "events": []}, separators=(",", ":")).encode()
    # A mask of zeros changes nothing.
    writer.write(bytes([first, 0x80 | len(words), 0, 0, 0, 0]) + words)
    async with asyncio.timeout(20):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        heard = await reader.read()
    writer.close()
    refusal = b"\x88\x02" + int(aiohttp.WSCloseCode.POLICY_VIOLATION).to_bytes(2, "big")
    assert heard.endswith(refusal), why
    assert b'"kept"' not in heard


async def closed_with(page: aiohttp.ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(20):
        while (await page.receive()).type == aiohttp.WSMsgType.TEXT:
            pass
    return page.close_code


async def test_before_a_show_is_live_there_is_no_show_time(house: House, db: Database) -> None:
    async with db.session() as session:
        not_yet = text("UPDATE show SET live_at = NULL WHERE id = :id")
        await run(session, not_yet, {"id": house.evening.show_id})
    async with house.socket(house.evening.viewer()) as page:
        await told(page, {"t": "events", "n": 0, "events": some_events(1)})
    assert (await house.rows("show_ms", "WHERE source = 'page'", 1)) == [(None,)]
