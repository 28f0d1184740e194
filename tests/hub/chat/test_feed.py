"""The merged feed: every message once, numbered without holes, and replies whose state is true."""

from __future__ import annotations

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest

from connectors.errors import Reconnect
from connectors.types import ChatDeletion, ChatHealth, ChatItem, ChatMessage
from hub.services import Services
from hub.shows.models import ShowTarget
from hub.work.chats import LEASE_SECONDS, Chats
from tests.hub.market import Market, Trade
from tests.hub.shop import Shop


async def target_of(hub: Services, shop: Shop, connector: str = "rtmp") -> UUID:
    config = {"url": "rtmp://live.example.com/app", "key": "k"}
    async with hub.db.session() as session:
        row = await hub.connections.add(session, shop.brand_id, connector, "rtmp", config, None)
        target = ShowTarget(
            brand_id=shop.brand_id,
            show_id=shop.show_id,
            connection_id=row.id,
            connector=connector,
            name=connector,
        )
        session.add(target)
    return target.id


def said(number: int, author: str = "ana", **more: Any) -> ChatMessage:
    return ChatMessage(id=f"m{number}", text=f"words {number}", author_id=author, author_name=author, **more)


async def receive(hub: Services, target: UUID, *items: ChatItem) -> None:
    async with hub.db.session() as session:
        await hub.chat.receive(session, target, items)


async def feed(hub: Services, shop: Shop) -> list[Any]:
    async with hub.db.session() as session:
        return await hub.chat.feed(session, shop.show_id, limit=500)


async def seq_of(hub: Services, shop: Shop) -> int:
    async with hub.db.session() as session:
        return (await hub.shows.get(session, shop.brand_id, shop.show_id)).seq


async def test_two_readers_of_one_chat_store_each_message_once_and_in_order(
    hub: Services, shop: Shop
) -> None:
    """A lease that was just taken over: both workers still read, in batches cut differently."""
    target, before = await target_of(hub, shop), await seq_of(hub, shop)
    rng = random.Random(1)

    async def reader() -> None:
        place = 0
        while place < 60:
            size = rng.randint(1, 9)
            await receive(hub, target, *(said(n) for n in range(place, min(place + size, 60))))
            place += rng.randint(1, size)

    await asyncio.gather(*(reader() for _ in range(3)))
    messages = await feed(hub, shop)
    assert [m.text for m in messages] == [f"words {n}" for n in range(60)]
    assert [m.seq for m in messages] == list(range(before + 1, before + 61))


async def test_two_platforms_and_our_own_page_share_one_numbering(hub: Services, shop: Shop) -> None:
    first, second = await target_of(hub, shop, "one"), await target_of(hub, shop, "two")
    before = await seq_of(hub, shop)

    async def talk(target: UUID) -> None:
        for number in range(10):
            await receive(hub, target, said(number), said(number))

    async def own() -> None:
        for number in range(10):
            async with hub.db.session() as session:
                show = await hub.shows.get(session, shop.brand_id, shop.show_id)
                await hub.chat.say(session, show, shop.viewer(), "Bo", f"own {number}")

    await asyncio.gather(talk(first), talk(second), own())
    assert [m.seq for m in await feed(hub, shop)] == list(range(before + 1, before + 31))


async def test_odd_characters_in_a_name_do_not_stop_a_chat(hub: Services, shop: Shop) -> None:
    target = await target_of(hub, shop)
    odd = said(1).model_copy(update={"author_name": "A\0na\ud800", "text": "hi\0 \udfff"})
    await receive(hub, target, odd, said(2))
    messages = await feed(hub, shop)
    assert [(m.author_name, m.text) for m in messages] == [("Ana?", "hi ?"), ("ana", "words 2")]


async def test_what_a_platform_deletes_is_shown_no_more(hub: Services, shop: Shop) -> None:
    target = await target_of(hub, shop)
    await receive(hub, target, said(1), said(2, "eve"), said(3, "eve"))
    await receive(hub, target, ChatDeletion(message_ids=("m1",)), ChatDeletion(author_id="eve"))
    await receive(hub, target, said(1), said(2, "eve"))
    assert [(m.deleted, m.text) for m in await feed(hub, shop)] == [(True, "")] * 3


async def test_reading_resumes_where_the_last_stored_message_was(hub: Services, shop: Shop) -> None:
    target = await target_of(hub, shop)
    await receive(hub, target, said(1, cursor="a"), said(2), said(3, cursor="b"), said(4))
    async with hub.db.session() as session:
        row = await session.get_one(ShowTarget, target)
        assert row.chat_cursor == "b"


async def test_a_readers_health_is_told_once_per_change(hub: Services, shop: Shop) -> None:
    target = await target_of(hub, shop)
    health = ChatHealth(state="degraded", detail="Slow.", missed=True)
    await receive(hub, target, health, health)
    async with hub.db.session() as session:
        row = await session.get_one(ShowTarget, target)
        assert (row.chat_state, row.chat_detail) == ("degraded", "Slow. Some messages may be missing.")


async def test_a_dead_workers_chats_are_taken_over_within_fifteen_seconds(trade: Trade) -> None:
    market = await trade("youtube")
    youtube = market.connections["youtube"]
    async with market.hub.db.session() as session:
        show = await market.hub.shows.get(session, market.shop.brand_id, market.shop.show_id)
        target = await market.hub.shows.add_target(session, show, youtube)
        target.chat_ref = "chat_0001"
    first, second = Chats(market.hub), Chats(market.hub)
    assert len(await first.lease()) == 1
    assert await second.lease() == set()
    # The first is killed: nobody renews. The database's own clock decides, so its rows are aged instead.
    [left] = await market.sql(
        "SELECT extract(epoch FROM leased_until - now())::float AS seconds FROM connection"
    )
    assert 0 < left["seconds"] <= LEASE_SECONDS <= 15
    await market.sql("UPDATE connection SET leased_until = leased_until - interval '15 seconds'")
    assert len(await second.lease()) == 1
    assert await first.lease() == set()
    await second.release()
    assert len(await first.lease()) == 1


class Desk:
    """A live show on two platforms, and the brand's replies."""

    def __init__(self, market: Market) -> None:
        self.market = market

    async def say(self, to: Any = "all") -> str:
        path = f"/api/v1/shows/{self.market.shop.show_id}/messages"
        sent = await (await self.market.owner()).call(
            "POST", path, {"text": "Real leather.", "to": to}, ok=202
        )
        return str(sent["id"])

    async def states(self) -> dict[str, str]:
        rows = await self.market.sql("SELECT platform, state FROM delivery")
        return {row["platform"]: row["state"] for row in rows}

    async def reasons(self) -> dict[str, str]:
        rows = await self.market.sql("SELECT platform, reason FROM delivery")
        return {row["platform"]: row["reason"] for row in rows}


@pytest.fixture
async def desk(trade: Trade) -> Desk:
    market = await trade("youtube", "facebook")
    async with market.hub.db.session() as session:
        show = await market.hub.shows.get(session, market.shop.brand_id, market.shop.show_id, lock=True)
        for connection in market.connections.values():
            await market.hub.shows.add_target(session, show, connection)
    await market.work()
    return Desk(market)


async def test_a_reply_to_all_goes_everywhere_once(desk: Desk) -> None:
    await desk.say()
    await desk.market.work()
    assert await desk.states() == {"own": "confirmed", "youtube": "sent", "facebook": "sent"}
    for row in await desk.market.sql("SELECT id FROM delivery"):
        await desk.market.hub.replies.send(row["id"])
    assert await desk.states() == {"own": "confirmed", "youtube": "sent", "facebook": "sent"}


async def test_a_reply_to_one_goes_there_only_and_not_to_our_viewers(desk: Desk) -> None:
    [target] = await desk.market.sql("SELECT id FROM show_target WHERE connector = 'youtube'")
    await desk.say([str(target["id"])])
    await desk.market.work()
    assert await desk.states() == {"youtube": "sent"}
    assert (await desk.market.viewer()).page["messages"] == []


async def test_its_echo_confirms_a_reply_and_is_no_second_message(desk: Desk) -> None:
    await desk.say()
    await desk.market.work()
    for row in await desk.market.sql("SELECT target_id, external_id FROM delivery WHERE platform <> 'own'"):
        echo = ChatMessage(id=row["external_id"], text="Real leather.", author_id="us", author_name="Us")
        await receive(desk.market.hub, row["target_id"], echo, echo)
    assert set((await desk.states()).values()) == {"confirmed"}
    assert len(await feed(desk.market.hub, desk.market.shop)) == 1


async def test_an_echo_that_overtakes_the_answer_is_taken_back(desk: Desk) -> None:
    await desk.say()
    [youtube] = await desk.market.sql("SELECT id, target_id FROM delivery WHERE platform = 'youtube'")
    await desk.market.work()
    [row] = await desk.market.sql("SELECT external_id FROM delivery WHERE platform = 'youtube'")
    # As if the chat had brought it before the platform's answer was noted.
    await desk.market.sql(
        "UPDATE delivery SET external_id = NULL, state = 'unknown' WHERE platform = 'youtube'"
    )
    await receive(
        desk.market.hub, youtube["target_id"], said(1).model_copy(update={"id": row["external_id"]})
    )
    await desk.market.hub.replies.sent(youtube["id"], row["external_id"])
    assert (await desk.states())["youtube"] == "confirmed"
    assert len(await feed(desk.market.hub, desk.market.shop)) == 1


async def test_the_echo_of_a_reply_whose_answer_was_lost_confirms_it(desk: Desk) -> None:
    await desk.market.fakes["facebook"].control("fault", {"kind": "lose"})
    await desk.say()
    await desk.market.work()
    [row] = await desk.market.sql("SELECT id, target_id FROM delivery WHERE platform = 'facebook'")
    stranger = ChatMessage(id="c1", text="Real leather.", author_id="eve")
    echo = ChatMessage(id="c2", text="Real  leather.", author_id="us", ours=True)
    await receive(desk.market.hub, row["target_id"], stranger, echo, echo)
    # The platform's late answer changes nothing any more.
    await desk.market.hub.replies.sent(row["id"], "c2")
    assert (await desk.states())["facebook"] == "confirmed"
    assert [m.author_name for m in await feed(desk.market.hub, desk.market.shop)] == [None, None]
    again = ChatMessage(id="c3", text="Real leather.", author_id="us", ours=True)
    await receive(desk.market.hub, row["target_id"], again)
    assert len(await feed(desk.market.hub, desk.market.shop)) == 3


async def test_a_platform_that_asks_to_wait_gets_the_reply_later(desk: Desk) -> None:
    fault = {"kind": "status", "status": 429, "retry_after": 7}
    await desk.market.fakes["facebook"].control("fault", fault)
    await desk.say()
    await desk.market.work()
    assert await desk.states() == {"own": "confirmed", "youtube": "sent", "facebook": "queued"}
    await desk.market.later()
    assert (await desk.states())["facebook"] == "sent"


async def test_a_dead_login_fails_its_reply_and_no_other(desk: Desk) -> None:
    await desk.market.fakes["facebook"].control("fault", {"kind": "revoke"})
    await desk.say()
    await desk.market.work()
    assert await desk.states() == {"own": "confirmed", "youtube": "sent", "facebook": "failed"}
    assert (await desk.reasons())["facebook"]
    assert (await desk.market.connection("facebook")).state == "reconnect"


async def test_an_unlinked_account_fails_its_reply(desk: Desk) -> None:
    await desk.say()
    owner = await desk.market.owner()
    await owner.call("DELETE", f"/api/v1/connections/{desk.market.connections['facebook']}", ok=204)
    await desk.market.work()
    assert (await desk.states())["facebook"] == "failed"


async def test_a_reply_whose_answer_is_lost_is_not_said_twice(desk: Desk) -> None:
    await desk.market.fakes["facebook"].control("fault", {"kind": "lose"})
    await desk.say()
    await desk.market.work()
    await desk.market.later()
    assert (await desk.states())["facebook"] == "unknown"
    assert (await desk.reasons())["facebook"]


async def test_a_login_linked_again_is_not_spoiled_by_a_call_that_began_before(desk: Desk) -> None:
    links, connection = desk.market.hub.connections, desk.market.connections["facebook"]

    async def fail_late() -> None:
        async with links.use(connection):
            await desk.market.sql("UPDATE connection SET tokens_sealed = 'new' WHERE connector = 'facebook'")
            raise Reconnect("The old login is dead.")

    with pytest.raises(Reconnect):
        await fail_late()
    assert (await desk.market.connection("facebook")).state == "ok"
