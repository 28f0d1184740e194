"""TikTok's chat over real sockets: read through a signing service, and nobody's promise."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

import pytest
from pydantic import SecretStr

from connectors.base import Addresses
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.http import websocket
from connectors.tiktok import CONNECTOR
from connectors.tiktok.chat import TikTokChat
from connectors.tiktok.config import PUSH
from connectors.tiktok.fake import NAME, Fake
from connectors.tiktok.fake_wire import varint
from connectors.tiktok.frames import Batch, Frame, enter_room
from connectors.tiktok.reader import PROTOCOL
from connectors.tiktok.rooms import Room, Rooms, room_of, said_by
from connectors.tiktok.signer import Door, Signer
from connectors.types import ChatDeletion, ChatHealth, ChatItem, ChatMessage
from tests.connectors.conftest import Rig, next_message, reaching
from tests.connectors.tiktok import (
    ANN,
    QUICK,
    ROSE,
    entered,
    happens,
    reading,
    refusal,
    sample,
    say,
    until,
)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


async def test_comments_arrive_once_with_their_author_and_are_acknowledged(rig: Rig) -> None:
    # Nothing else is said meanwhile, so that the frames can be counted.
    await rig.ctl("fault", kind="silent")
    async with reading(rig) as items:
        await entered(rig, items)
        ids = [await say(rig, text) for text in ("first", "second ❤")]
        got = [await next_message(items) for _ in ids]
        assert [(item.id, item.text) for item in got] == list(zip(ids, ("first", "second ❤"), strict=True))
        assert {(item.author_id, item.author_name, item.backlog) for item in got} == {("42", "Ann", False)}
        acks = await until(rig, "acks", 2)
        assert acks == [[1, "ie1"], [2, "ie2"]]
        state = await rig.state()
        assert state["entered"] == [{"room": state["room"], "cursor": "c0"}]


async def test_the_socket_of_a_rehearsal_is_used_instead_of_the_named_one() -> None:
    async with reaching(CONNECTOR, Fake(seed=3)) as rig:
        moved = Addresses(base_url=rig.base_url, ws_url=rig.base_url.replace("http", "ws", 1) + "ws")
        session = replace(rig.session, addresses=moved)
        async with aclosing(
            cast("AsyncGenerator[ChatItem, None]", TikTokChat(session, QUICK).messages(NAME))
        ) as items:
            await entered(rig, items)
            await say(rig, "hello")
            assert (await next_message(items)).text == "hello"


async def test_nothing_is_lost_between_the_signature_and_the_socket(rig: Rig) -> None:
    await say(rig, "before the signature")
    door = await Signer(rig.session).door((await Rooms(rig.session).find(NAME)).number)
    said = await say(rig, "in between")
    async with websocket(door.address, headers=door.headers(), protocols=(PROTOCOL,)) as socket:
        await socket.send_bytes(enter_room(door.room_id, door.batch.cursor))
        frame = Frame.decode(await socket.receive_bytes(timeout=10))
    (event,) = Batch.decode(frame.payload).events
    assert (str(event.msg_id), event.history) == (said, False)


async def test_heartbeats_go_out_at_the_pace_tiktok_asks_for(rig: Rig) -> None:
    await rig.ctl("fault", kind="beat", ms=20)
    async with reading(rig) as items:
        await entered(rig, items)
        reader = asyncio.create_task(anext(items))
        beats = await until(rig, "beats", 3)
        assert beats[:3] == [1, 2, 3]
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


async def test_gifts_and_deletions_come_through(rig: Rig) -> None:
    async with reading(rig) as items:
        await entered(rig, items)
        await happens(rig, "WebcastGiftMessage", (5, 2), (7, ANN), (9, 1), (11, 7), (15, ROSE))
        await happens(rig, "WebcastImDeleteMessage", (2, varint(7001) + varint(7002)), (3, 42))
        assert (await next_message(items)).text == "sent Rose ×2"
        assert await anext(items) == ChatDeletion(message_ids=("7001", "7002"))
        assert await anext(items) == ChatDeletion(author_id="42")


async def test_the_end_of_the_live_ends_the_chat_after_open_streaks(rig: Rig) -> None:
    async with reading(rig) as items:
        await entered(rig, items)
        await happens(rig, "WebcastGiftMessage", (5, 4), (7, ANN), (11, 7), (15, ROSE))
        await happens(rig, "WebcastControlMessage", (2, 1))
        await happens(rig, "WebcastControlMessage", (2, 2))
        await happens(rig, "WebcastControlMessage", (2, 3))
        async with asyncio.timeout(10):
            rest = [item async for item in items]
    healths = [item.state for item in rest if isinstance(item, ChatHealth)]
    assert healths == ["degraded", "connected"]
    assert [item.text for item in rest if isinstance(item, ChatMessage)] == ["sent Rose ×4"]


async def test_garbage_is_shown_and_does_not_stop_the_chat(rig: Rig) -> None:
    async with reading(rig) as items:
        await entered(rig, items)
        for _ in range(3):
            await rig.ctl("fault", kind="garbage")
        await say(rig, "still here")
        shown = await anext(items)
        assert isinstance(shown, ChatHealth)
        assert (shown.state, shown.missed) == ("degraded", True)
        assert await anext(items) == ChatHealth(state="connected")
        assert (await next_message(items)).text == "still here"


async def test_nothing_but_garbage_ends_the_connection(rig: Rig) -> None:
    async with reading(rig) as items:
        await entered(rig, items)
        for _ in range(20):
            await rig.ctl("fault", kind="garbage")
        with pytest.raises(RetryLater, match="understood"):
            await next_message(items)


# --- ways to fail before the socket ---------------------------------------------------------------


async def test_before_the_live_nobody_is_asked_for_a_signature(rig: Rig) -> None:
    await rig.ctl("fault", kind="offline")
    assert "not LIVE" in (await refusal(rig, RetryLater)).reason
    assert (await rig.state())["signed"] == 0


async def test_an_unknown_name_is_refused(rig: Rig) -> None:
    session = rig.session
    with pytest.raises(Refused, match="knows no LIVE of @nobody"):
        await anext(aiter(TikTokChat(session, QUICK).messages("nobody")))


async def test_a_bad_key_stops_the_chat_but_never_the_stream(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        refused = await refusal(rig, Refused, signer_key=SecretStr("wrong-key"))
    said = [repr(refused), *(record.getMessage() for record in caplog.records)]
    assert not any("wrong-key" in text for text in said)
    assert refused.code == "401"
    assert not isinstance(said_by("It", Reconnect("dead")), Reconnect)


async def test_a_socket_that_is_not_encrypted_is_refused_outside_rehearsals(rig: Rig) -> None:
    # Base moved, socket not: the address the fake names counts, and it is plain ws.
    named = Addresses(base_url=rig.base_url, ws_url=PUSH)
    with pytest.raises(Refused, match="not encrypted"):
        await anext(aiter(TikTokChat(replace(rig.session, addresses=named), QUICK).messages(NAME)))


def test_rooms_are_read_from_every_answer_tiktok_gives() -> None:
    rooms = sample("room")
    assert room_of(rooms["on_air"]) == Room(7300000000000000001, on_air=True, viewers=77)
    assert room_of(rooms["offline"]) == Room(7300000000000000001, on_air=False)
    numbers = ("", "0", "not a number", str(1 << 64), "9" * 5000)
    unusable = [{"data": {"user": {"roomId": number, "status": 2}}} for number in numbers]
    nothings: tuple[Any, ...] = (rooms["unknown"], None, [], *unusable)
    for nothing in nothings:
        assert room_of(nothing) is None


def test_the_address_and_the_cookie_are_not_printed() -> None:
    assert "secret" not in repr(Door(1, Batch(), "wss://x/?wrss=secret", "ttwid=secret"))
