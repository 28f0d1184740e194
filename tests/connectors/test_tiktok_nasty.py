"""The ten nastiest behaviours of TikTok LIVE, and what becomes of them here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from connectors.base import Addresses
from connectors.errors import Refused, RetryLater
from connectors.tiktok import CONNECTOR
from connectors.tiktok import fake_wire as wire
from connectors.tiktok.chat import MEANWHILE, TikTokChat
from connectors.tiktok.destination import TikTokDestination
from connectors.tiktok.fake import DUD, NAME, Fake
from connectors.tiktok.fake_wire import encode
from connectors.tiktok.frames import Event
from connectors.tiktok.items import STREAK_PATIENCE, Inbox
from connectors.tiktok.pace import Pace
from connectors.types import Broadcast, ChatMessage
from tests.connectors.conftest import Clock, Rig, next_message, reaching
from tests.connectors.tiktok import (
    ANN,
    QUICK,
    ROSE,
    entered,
    happens,
    listened,
    next_health,
    reading,
    refusal,
    say,
)

SHOW = Broadcast(title="Autumn show", marker="show-1")


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


def bridge_of(rig: Rig) -> str:
    return rig.base_url.replace("http", "ws", 1) + "bridge"


# 1. The signing service is down for hours, says no after a change of policy, or has moved away.


@pytest.mark.parametrize(
    ("status", "error", "why"),
    [
        (500, RetryLater, "can't be used"),
        (404, Refused, "refused"),
        (401, Refused, "does not accept the key"),
    ],
)
async def test_without_a_signer_the_stream_goes_on_and_the_bridge_takes_over(
    rig: Rig, status: int, error: type[RetryLater | Refused], why: str
) -> None:
    await rig.ctl("fault", kind="signer_down", status=status, count=2)
    alone = await refusal(rig, error)
    assert why in alone.reason
    assert alone.reason.endswith(MEANWHILE)
    opened = await TikTokDestination(rig.session).open(SHOW)
    assert (await TikTokDestination(rig.session).started(opened.ref)).state == "live"
    async with reading(rig, bridge_url=bridge_of(rig)) as items:
        fallen = await next_health(items, "degraded")
        assert fallen.detail.endswith("Trying the bridge.")
        await next_health(items, "connected")
        await listened(rig)
        said = await say(rig, "through the bridge")
        assert (await next_message(items)).id == said


# 2. The signing service counts by the minute and the day.


async def test_a_signer_that_asks_for_patience_is_given_it_whatever_the_bridge_does(
    rig: Rig, clock: Clock
) -> None:
    await rig.ctl("fault", kind="signer_down", status=429, retry_after=600, count=2)
    assert (await refusal(rig, RetryLater)).after == 600
    session = rig.session.config.model_copy(update={"bridge_url": bridge_of(rig)})
    chat = TikTokChat(replace(rig.session, config=session), QUICK, clock=clock.monotonic)
    async with aclosing(cast("AsyncGenerator[Any, None]", chat.messages(NAME))) as items:
        await next_health(items, "connected")
        await listened(rig)
        clock.seconds += 200
        await rig.ctl("fault", kind="drop")
        with pytest.raises(RetryLater, match="bridge closed") as raised:
            await next_message(items)
    assert raised.value.after == 400
    assert (await rig.state())["signed"] == 0


async def test_a_bridge_of_no_use_does_not_end_the_hope_for_the_reader(rig: Rig) -> None:
    for status, error in ((503, RetryLater), (401, Refused)):
        await rig.ctl("fault", kind="signer_down", status=status)
        async with reading(rig, bridge_url=bridge_of(rig)) as items:
            await next_health(items, "connected")
            await listened(rig)
            await rig.ctl("bridge", text='{"v": 2, "type": "comment"}')
            with pytest.raises(error, match="another version"):
                await next_message(items)


# 3. An address that is blocked gets a page instead of a socket, and one that looks like a robot's, too.


async def test_a_page_instead_of_a_socket_is_a_long_wait(rig: Rig) -> None:
    await rig.ctl("fault", kind="handshake")
    assert (await refusal(rig, RetryLater)).after == 60
    await rig.ctl("fault", kind="page")
    assert "does not answer programs" in (await refusal(rig, RetryLater)).reason


# 4. The past is repeated at every connect and looks like new questions.


async def test_the_past_is_backlog_at_first_and_news_after_a_gap(rig: Rig) -> None:
    await say(rig, "before we came")
    async with reading(rig) as items:
        await next_health(items, "connected")
        first = await next_message(items)
        assert (first.text, first.backlog) == ("before we came", True)
    assert first.sent_at is not None
    # A whole millisecond later, so that it is younger than the cursor.
    while datetime.now(UTC).timestamp() * 1000 < first.sent_at.timestamp() * 1000 + 1:
        await asyncio.sleep(0)
    await say(rig, "while we were away")
    async with reading(rig, cursor=first.cursor) as items:
        assert (await next_health(items, "connected")).missed
        again, missed = await next_message(items), await next_message(items)
        assert (again.id, again.backlog) == (first.id, True)
        assert (missed.text, missed.backlog) == ("while we were away", False)


# 5. The same message twice in one frame, and again after a reconnect.


async def test_what_the_reader_said_is_not_said_again_by_the_bridge(rig: Rig) -> None:
    async with reading(rig, bridge_url=bridge_of(rig)) as items:
        await entered(rig, items)
        once = await say(rig, "once")
        assert (await next_message(items)).id == once
        # Dead before it has settled: another signature would be wasted.
        await rig.ctl("fault", kind="drop", code=1011)
        assert (await next_health(items, "degraded")).missed
        assert (await next_health(items, "connected")).missed
        await listened(rig)
        await rig.ctl("bridge", text=f'{{"v": 1, "type": "comment", "id": "{once}", "text": "once"}}')
        twice = await say(rig, "twice")
        assert (await next_message(items)).id == twice


# 6. A streak of gifts is many messages, and its last one may never come.


def test_a_streak_is_told_once_whoever_tells_it_and_whether_or_not_it_ends(clock: Clock) -> None:
    inbox = Inbox(None, clock.monotonic)

    def gift(number: int, count: int, *, end: bool = False) -> list[Any]:
        start = (1, wire.common("WebcastGiftMessage", number, 1, 1000))
        last = [(9, 1)] if end else []
        body = encode(start, (2, 5655), (5, count), (7, ANN), (11, 7), (15, ROSE), *last)
        return inbox.read(Event("WebcastGiftMessage", body, number))

    assert [gift(number, number) for number in (1, 2, 3)] == [[], [], []]
    clock.seconds += STREAK_PATIENCE
    (told,) = inbox.due()
    assert isinstance(told, ChatMessage)
    assert (told.text, told.kind, told.money) == ("sent Rose ×3", "gift", None)
    assert gift(4, 4, end=True) == []


# 7. The connection is cut without a word: no close frame, no event.


@asynccontextmanager
async def cut_on_demand(base_url: str, cut: asyncio.Event) -> AsyncIterator[str]:
    """A relay in front of the socket that drops everything at once when told."""
    target = urlsplit(base_url)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(target.hostname, target.port)
        ways = [asyncio.create_task(pump(reader, up_writer)), asyncio.create_task(pump(up_reader, writer))]
        await cut.wait()
        for way in ways:
            way.cancel()
        writer.transport.abort()
        up_writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"


async def test_a_cut_connection_is_noticed_without_a_word_of_it(rig: Rig) -> None:
    cut = asyncio.Event()
    async with cut_on_demand(rig.base_url, cut) as relay:
        session = replace(rig.session, addresses=Addresses(base_url=rig.base_url, ws_url=relay))
        chat = TikTokChat(session, QUICK)
        async with aclosing(cast("AsyncGenerator[Any, None]", chat.messages(NAME))) as items:
            await entered(rig, items)
            cut.set()
            with pytest.raises(RetryLater, match="1006"):
                await next_message(items)


async def test_a_connection_that_dies_young_is_not_tried_again_at_once(rig: Rig) -> None:
    for settled, pause in ((60.0, 30.0), (0.0, 5.0)):
        async with reading(rig, Pace(tick=0.02, settled=settled)) as items:
            await next_health(items, "connected")
            async with asyncio.timeout(10):
                while not (await rig.state())["listeners"]:
                    await asyncio.sleep(0)
            await rig.ctl("fault", kind="drop", code=1011)
            with pytest.raises(RetryLater, match="1011") as raised:
                await next_message(items)
            assert raised.value.after == pause


# 8. The socket is open, heartbeats are fine, and nothing comes any more.


async def test_an_open_socket_that_says_nothing_is_shown_and_then_left(rig: Rig, clock: Clock) -> None:
    await rig.ctl("fault", kind="silent")
    chat = TikTokChat(rig.session, QUICK, clock=clock.monotonic)
    async with aclosing(cast("AsyncGenerator[Any, None]", chat.messages(NAME))) as items:
        await entered(rig, items)
        clock.seconds = 45
        assert (await next_health(items, "degraded")).missed
        clock.seconds = 90
        with pytest.raises(RetryLater, match="silent") as raised:
            await next_message(items)
        assert raised.value.after == 5


# 9. The room is closed while RTMP still says connected; or TikTok suspends the LIVE.


async def test_a_closed_room_is_no_live_and_no_signature_is_spent_on_it(rig: Rig) -> None:
    push = {"event": "publish", "app": "stage", "key": rig.session.config.key.get_secret_value()}
    await rig.ctl("ingest", **push)
    await rig.ctl("fault", kind="offline")
    assert (await TikTokDestination(rig.session).started("show-1")).state == "starting"
    assert "not LIVE" in (await refusal(rig, RetryLater, bridge_url=bridge_of(rig))).reason
    assert (await rig.state())["signed"] == 0
    await rig.ctl("fault", kind="key_expired")
    assert (await rig.control.post("/_ctl/ingest", json=push)).status_code == 403


async def test_a_suspended_live_is_refused_in_a_sentence(rig: Rig) -> None:
    # The bridge would only say the same.
    async with reading(rig, bridge_url=bridge_of(rig)) as items:
        await entered(rig, items)
        await happens(rig, "WebcastControlMessage", (2, 4))
        with pytest.raises(Refused, match="suspended this LIVE"):
            await next_message(items)


# 10. Unknown kinds, missing users, empty names, ids beyond 2^53, joins by the thousand.


async def test_one_event_in_a_new_shape_costs_only_itself(rig: Rig) -> None:
    async with reading(rig) as items:
        await entered(rig, items)
        await rig.ctl("event", method="WebcastChatMessage", payload=DUD.hex())
        await rig.ctl("event", method="WebcastControlMessage", payload=DUD.hex())
        await say(rig, "fine")
        assert (await next_health(items, "degraded")).missed
        assert (await next_message(items)).text == "fine"


async def test_strangers_and_crowds_cost_nothing_and_large_ids_stay_whole(rig: Rig) -> None:
    async with reading(rig) as items:
        await entered(rig, items)
        await happens(rig, "WebcastOfTomorrowMessage", (1, b"\xff"))
        for _ in range(50):
            await happens(rig, "WebcastMemberMessage", (2, ANN), (3, 4000), (10, 1))
        await happens(rig, "WebcastChatMessage", (2, encode((1, 2**63 + 1))), (3, "no name"))
        message = await next_message(items)
        assert (message.author_id, message.author_name) == (str(2**63 + 1), None)
        assert int(message.id) > 2**53
