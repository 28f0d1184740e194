"""Twitch's chat over real sockets: nothing lost, nothing twice, and a gap that is never kept secret."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.twitch import CONNECTOR
from connectors.twitch.chat import POLLS, TOPICS
from connectors.twitch.eventsub import Backoff, Pace, full_jitter
from connectors.twitch.fake import Fake
from connectors.types import ChatDeletion, ChatHealth, ChatItem, ChatMessage
from tests.connectors.conftest import Rig, next_message, reaching
from tests.connectors.twitch import (
    CLEAR_USER,
    DELETE,
    MESSAGE,
    QUICK,
    Net,
    connected,
    health,
    healths,
    read_to,
    reading,
    say,
    texts,
    until,
)

ALL = len(TOPICS + POLLS)
"""Subscriptions of one session."""


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


def test_a_storm_of_short_sessions_waits_longer_each_time_until_one_lives() -> None:
    backoff = Backoff(Pace(), jitter=lambda most: most)
    waits = []
    for _ in range(8):
        waits.append(backoff.next())
        backoff.lived(1.0)
    assert waits == [0, 2, 4, 8, 16, 32, 60, 60]
    backoff.lived(60.0)
    assert backoff.next() == 0


def test_waits_are_random_so_that_not_all_come_back_at_once() -> None:
    waits = {full_jitter(8.0) for _ in range(50)}
    assert len(waits) > 10
    assert all(0 <= wait <= 8 for wait in waits)


async def test_a_chat_is_read_and_its_removals_are_told(rig: Rig) -> None:
    async with reading(rig) as items:
        assert not (await connected(items)).missed
        await rig.ctl("fault", kind="duplicate", count=3)
        first = await say(rig, "first ❤")
        await say(rig, "second", cheer={"bits": 100}, color=None, badges=None)
        await rig.ctl("event", topic=DELETE, event={"message_id": first, "target_user_id": "200"})
        await rig.ctl("event", topic=CLEAR_USER, event={"target_user_id": "200"})
        await say(rig, "last")
        got = await read_to(items, "last")
    assert [(item.text, item.kind) for item in got if isinstance(item, ChatMessage)] == [
        ("first ❤", "text"),
        ("second", "paid"),
        ("last", "text"),
    ]
    said = [item for item in got if not isinstance(item, ChatHealth)]
    assert said[2:4] == [ChatDeletion(message_ids=(first,)), ChatDeletion(author_id="200")]


async def test_whoever_read_before_is_told_that_something_may_be_missing(rig: Rig) -> None:
    async with reading(rig, cursor="m1") as items:
        assert (await connected(items)).missed


async def test_moving_to_another_socket_loses_and_doubles_nothing(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        await rig.ctl("fault", kind="hold_welcome")
        await rig.ctl("fault", kind="reconnect")
        # The new socket is open and has not been greeted: all of this comes through the old one.
        for text in ("one", "two"):
            await say(rig, text)
        assert texts(await read_to(items, "two")) == ["one", "two"]
        await say(rig, "on its way")
        await rig.ctl("fault", kind="hold_welcome", on=False)
        await until(rig, opened=["new", "moved"])
        await rig.ctl("fault", kind="duplicate")
        await say(rig, "after")
        got = await read_to(items, "after")
        assert sorted(texts(got)) == ["after", "on its way"]
        assert healths(got) == []
        # The subscriptions came along.
        assert (await rig.state())["subscribed"] == ALL


async def test_the_old_socket_is_read_for_a_while_after_the_new_one_is_greeted(rig: Rig) -> None:
    async with reading(rig, replace(QUICK, linger=5.0)) as items:
        await connected(items)
        await rig.ctl("fault", kind="reconnect")
        await until(rig, opened=["new", "moved"])
        await say(rig, "through the new one")
        assert (await next_message(items)).text == "through the new one"
        await say(rig, "late, through the old one", late=True)
        assert (await next_message(items)).text == "late, through the old one"


@pytest.mark.parametrize("mode", ["dead", "refused"])
async def test_a_dead_reconnect_address_costs_nothing_while_the_old_socket_lives(rig: Rig, mode: str) -> None:
    async with reading(rig) as items:
        await connected(items)
        await rig.ctl("fault", kind="reconnect", mode=mode)
        await say(rig, "meanwhile")
        await until(rig, subscribed=2 * ALL)
        await say(rig, "through both")
        got = await read_to(items, "through both")
        assert texts(got) == ["meanwhile", "through both"]
        assert healths(got) == []
        # The old session is left after a moment, and the new one stays.
        await until(rig, sessions=[sorted(topic.type for topic in TOPICS + POLLS)])
        await say(rig, "through one")
        assert (await next_message(items)).text == "through one"


async def test_an_old_socket_that_is_cut_before_the_new_one_is_greeted_is_a_gap(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        await rig.ctl("fault", kind="hold_welcome")
        await rig.ctl("fault", kind="reconnect", mode="cut")
        await health(items, "degraded")
        await say(rig, "nobody hears this")
        await rig.ctl("fault", kind="hold_welcome", on=False)
        assert (await connected(items)).missed
        await say(rig, "heard")
        assert (await next_message(items)).text == "heard"
        assert (await rig.state())["opened"] == ["new", "moved"]


@pytest.mark.parametrize("code", [4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007, 1011])
async def test_a_closed_socket_leads_to_a_new_session_and_a_gap_that_is_told(rig: Rig, code: int) -> None:
    async with reading(rig) as items:
        await connected(items)
        await rig.ctl("fault", kind="drop", code=code)
        assert str(code) in (await health(items, "degraded")).detail
        assert (await connected(items)).missed
        await say(rig, "heard again")
        assert (await next_message(items)).text == "heard again"
        assert (await rig.state())["subscribed"] == 2 * ALL


async def test_a_socket_that_is_open_and_silent_is_replaced(rig: Rig) -> None:
    await rig.ctl("fault", kind="keepalive", seconds=0.2)
    async with reading(rig, replace(QUICK, grace=1.0)) as items:
        await connected(items)
        await rig.ctl("fault", kind="zombie")
        assert "silent" in (await health(items, "degraded")).detail
        assert (await connected(items)).missed
        await say(rig, "alive")
        assert (await next_message(items)).text == "alive"


async def test_a_dead_network_is_noticed_by_its_silence_and_its_answer_is_not_waited_for() -> None:
    net = Net()
    async with reaching(CONNECTOR, Fake(seed=3), through=net.relay) as rig:
        await rig.ctl("fault", kind="keepalive", seconds=0.2)
        async with reading(rig, replace(QUICK, grace=0.8)) as items:
            await connected(items)
            net.swallow()
            assert "silent" in (await health(items, "degraded")).detail
            # A goodbye that waits for an answer of the dead would take ten seconds.
            async with asyncio.timeout(9):
                assert (await connected(items)).missed
            await say(rig, "alive")
            assert (await next_message(items)).text == "alive"
            net.swallow()
            async with asyncio.timeout(9):
                await items.aclose()


async def test_signs_of_life_alone_keep_a_quiet_chat_open(rig: Rig) -> None:
    await rig.ctl("fault", kind="keepalive", seconds=0.1)
    async with reading(rig, replace(QUICK, grace=0.7)) as items:
        await connected(items)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await anext(items)
    assert (await rig.state())["opened"] == ["new"]


async def test_a_storm_of_closed_sessions_is_survived(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        await rig.ctl("fault", kind="storm", count=2)
        await rig.ctl("fault", kind="drop")
        await until(rig, opened=["new"] * 4, subscribed=2 * ALL)
        await say(rig, "after the storm")
        got = await read_to(items, "after the storm")
        assert healths(got)[-1] == ("connected", True)
        assert texts(got) == ["after the storm"]


async def test_a_session_that_dies_while_it_is_moved_is_a_gap(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        await rig.ctl("fault", kind="storm", count=1)
        await rig.ctl("fault", kind="reconnect")
        assert "closed" in (await health(items, "degraded")).detail
        assert (await connected(items)).missed
        await say(rig, "heard again")
        assert (await next_message(items)).text == "heard again"
        assert (await rig.state())["opened"] == ["new", "moved", "new"]


async def test_a_session_that_is_not_used_in_time_is_tried_again(rig: Rig) -> None:
    await rig.ctl("fault", kind="unused", seconds=0)
    with pytest.raises(RetryLater):
        async with reading(rig) as items:
            await connected(items)
    assert (await until(rig, sessions=[]))["subscribed"] == 0
    await rig.ctl("fault", kind="unused", seconds=10)
    async with reading(rig) as items:
        assert (await connected(items)).state == "connected"


async def test_a_subscription_that_cannot_be_made_now_is_made_later(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        await rig.ctl("fault", kind="status", status=429, retry_after=0.5)
        await rig.ctl("fault", kind="drop")
        async with asyncio.timeout(15):
            got = [await anext(items) for _ in range(3)]
    assert healths(got) == [("degraded", False), ("degraded", False), ("connected", True)]
    assert [item.detail for item in got if isinstance(item, ChatHealth)][1] == "Twitch asks us to slow down."


async def test_a_withdrawn_permission_is_reconnect(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        await rig.ctl("fault", kind="revoke")
        with pytest.raises(Reconnect):
            await anext(items)


async def test_a_login_that_dies_while_the_socket_is_replaced_is_reconnect(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        await rig.ctl("fault", kind="scopes", scopes=[])
        await rig.ctl("fault", kind="drop")
        await health(items, "degraded")
        with pytest.raises(Reconnect, match="lacks a permission"):
            await anext(items)


@pytest.mark.parametrize("status", ["beta_maintenance", "a_status_of_tomorrow"])
async def test_a_revocation_that_may_mend_is_told_and_subscribed_again(rig: Rig, status: str) -> None:
    async with reading(rig) as items:
        await connected(items)
        await rig.ctl("fault", kind="revoke_subscription", type=MESSAGE, status=status)
        assert status in (await health(items, "degraded")).detail
        assert (await connected(items)).missed
        await say(rig, "read again")
        assert (await next_message(items)).text == "read again"
        assert (await rig.state())["subscribed"] == 2 * ALL


async def test_a_revocation_while_the_session_is_moved_is_not_forgotten(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        await rig.ctl("fault", kind="hold_welcome")
        await rig.ctl("fault", kind="reconnect")
        await rig.ctl("fault", kind="revoke_subscription", type=MESSAGE, status="of_tomorrow")
        await health(items, "degraded")
        await rig.ctl("fault", kind="hold_welcome", on=False)
        assert (await connected(items)).missed
        await say(rig, "read again")
        assert "read again" in texts(await read_to(items, "read again"))


async def test_a_final_revocation_is_refused_and_one_of_deletions_only_told(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        for topic, said in ((DELETE, "removed messages"), ("channel.poll.end", "polls")):
            await rig.ctl("fault", kind="revoke_subscription", type=topic, status="version_removed")
            assert said in (await health(items, "degraded")).detail
        await say(rig, "still read")
        assert (await next_message(items)).text == "still read"
        await rig.ctl("fault", kind="revoke_subscription", type=MESSAGE, status="moderator_removed")
        with pytest.raises(Refused, match="no longer read"):
            await anext(items)


async def test_the_login_is_validated_again_while_the_chat_is_read(rig: Rig) -> None:
    async with reading(rig, replace(QUICK, check=0.05)) as items:
        await connected(items)
        await rig.ctl("fault", kind="expire_token")
        async with asyncio.timeout(10):
            while (await rig.state())["refreshes"] == 0:
                await asyncio.sleep(0)
        await rig.ctl("fault", kind="scopes", scopes=["user:read:chat"])
        with pytest.raises(Reconnect, match="channel:read:stream_key"):
            await anext(items)


async def test_what_cannot_be_read_does_not_stop_the_chat(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        for text in ("no json", "[]", '{"metadata": {"message_type": "notification"}}'):
            await rig.ctl("fault", kind="text", text=text)
        await say(rig, "readable")
        got = await read_to(items, "readable")
    assert healths(got) == [("connected", True)] * 3


async def test_a_fourth_reader_of_one_account_waits(rig: Rig) -> None:
    async with reading(rig) as one, reading(rig) as two, reading(rig) as three:
        for items in (one, two, three):
            await connected(items)
        with pytest.raises(RetryLater):
            async with reading(rig) as four:
                await connected(four)


async def whole(rig: Rig) -> bool:
    """True once no session is left that lacks messages: a revocation may meet several of them."""
    sessions = (await rig.state())["sessions"]
    return bool(sessions) and all(MESSAGE in topics for topics in sessions)


@pytest.mark.parametrize("seed", range(6))
async def test_no_sequence_of_troubles_loses_in_secret_or_doubles(rig: Rig, seed: int) -> None:
    """Whatever is said while a session lives arrives exactly once; only a told gap may swallow anything."""
    dice = random.Random(seed)
    got: list[ChatItem] = []

    async def read(items: AsyncIterator[ChatItem]) -> None:
        async for item in items:
            got.append(item)  # noqa: PERF401 - one by one: they are looked at meanwhile

    async def arrived(text: str) -> None:
        async with asyncio.timeout(15):
            while text not in texts(got):
                assert not reader.done()
                await asyncio.sleep(0)

    promised: list[str] = []
    async with reading(rig) as items:
        await connected(items)
        reader = asyncio.create_task(read(items))
        for step in range(10):
            trouble = dice.choice(["none", "duplicate", "good", "dead", "refused", "drop", "revoked"])
            if trouble == "duplicate":
                await rig.ctl("fault", kind="duplicate", count=2)
            elif trouble in {"drop", "revoked"}:
                gaps = healths(got).count(("connected", True))
                how = (
                    {"kind": "drop", "code": dice.choice([4000, 4006])}
                    if trouble == "drop"
                    else {"kind": "revoke_subscription", "type": MESSAGE, "status": "of_tomorrow"}
                )
                await rig.ctl("fault", **how)
                await say(rig, f"in the gap {step}")
                async with asyncio.timeout(10):
                    while healths(got).count(("connected", True)) == gaps or not await whole(rig):
                        await asyncio.sleep(0)
            elif trouble != "none":
                await rig.ctl("fault", kind="reconnect", mode=trouble)
            for number in range(dice.randrange(1, 4)):
                promised.append(f"{step}.{number}")
                await say(rig, promised[-1])
            await arrived(promised[-1])
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    assert sorted(text for text in texts(got) if not text.startswith("in the gap")) == sorted(promised)
    assert len(set(texts(got))) == len(texts(got))
