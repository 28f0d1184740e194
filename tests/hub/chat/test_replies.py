"""What the brand says goes out in each platform's own way, and never more than the platform takes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from connectors.errors import RetryLater
from connectors.types import ChatLimits
from hub.app import services
from hub.errors import Conflict
from tests.hub.chat.stage import Stage, said

LIMITS = ChatLimits(characters=20, messages=4, seconds=30)


async def test_an_answer_uses_the_platforms_own_reply_and_elsewhere_names_whom_it_answers(
    stage: Stage,
) -> None:
    await stage.add("replying", can="send reply")
    await stage.add("plain", can="send")
    await stage.add("silent", chat_sink="Silent gives programs no way to write in a LIVE's chat.")
    for name in stage.platforms:
        await stage.hear(name, said(1, f"Is it leather, {name}?"))
    asked = {one.platform: one for one in await stage.feed()}
    to = [str(one) for one in stage.targets.values()]
    for name in stage.platforms:
        await stage.say("Yes, real leather.", [str(stage.targets[name])], answers=asked[name].id)
    everywhere = await stage.say("It is.", to, answers=asked["replying"].id)
    await stage.work()
    assert [(how, words) for _, how, words in stage.platforms["replying"].sent] == [
        ("reply to m1", "Yes, real leather."),
        ("reply to m1", "It is."),
    ]
    assert stage.platforms["plain"].words() == ["@Ana Yes, real leather.", "It is."]
    assert everywhere.reply_to == "m1"
    ways = await stage.ways(everywhere.id)
    assert ways["silent"] == ("failed", "Silent gives programs no way to write in a LIVE's chat.")
    assert ways["replying"] == ("sent", None)


async def test_an_announcement_is_loud_where_it_can_be_and_its_echo_is_known_by_its_words(
    stage: Stage,
) -> None:
    loud = await stage.add("loud", can="send announce")
    await stage.add("plain", can="send")
    sent = await stage.say("Half price now", aloud=True)
    await stage.work()
    assert [how for _, how, _ in loud.sent] == ["announce"]
    assert [how for _, how, _ in stage.platforms["plain"].sent] == ["send"]
    await stage.hear("loud", said(1, "Half price  now", author_id="us", ours=True))
    assert (await stage.ways(sent.id))["loud"] == ("confirmed", None)
    assert len(await stage.feed()) == 1


async def test_what_a_platform_would_refuse_is_refused_before_it_is_sent(stage: Stage) -> None:
    strict = LIMITS.model_copy(update={"links": False, "repeats": False})
    platform = await stage.add("strict", can="send", limits=strict)
    await stage.say("hello there")
    await stage.work()
    refused = [await stage.say(words) for words in ("hello  there", "see https://x.example/a", "a" * 21)]
    assert [(await stage.ways(one.id))["strict"] for one in refused] == [
        ("failed", "Strict refuses the same words twice in a row. Say it differently."),
        ("failed", "Strict takes 20 characters, and this has 23. Make it shorter."),
        ("failed", "Strict takes 20 characters, and this has 21. Make it shorter."),
    ]
    assert (await stage.ways((await stage.say("see shop.example.com")).id))["strict"] == (
        "failed",
        "Strict refuses messages with links. Say it without the address.",
    )
    await stage.work()
    assert platform.words() == ["hello there"]


async def test_the_platforms_pace_is_kept_and_the_wait_is_said(stage: Stage) -> None:
    """Twelve messages at once to a chat that takes four in thirty seconds; the platform itself counts."""
    platform = await stage.add("slow", can="send", limits=LIMITS)
    sent = [await stage.say(f"words {number}") for number in range(12)]
    [waiting] = [one for one in sent[-1].deliveries if one.platform == "slow"]
    assert waiting.due_at is not None
    assert waiting.due_at - stage.clock() == timedelta(seconds=100)
    for _ in range(30):
        await stage.later()
        stage.clock.tick(5)
    assert platform.words() == [f"words {number}" for number in range(12)]
    times = [at for at, _, _ in platform.sent]
    window = timedelta(seconds=LIMITS.seconds)
    assert all(sum(start <= at < start + window for at in times) <= LIMITS.messages for start in times)
    # And the limit is used: nothing waits longer than the pace asks for, to the next look.
    assert times[-1] - times[0] <= timedelta(seconds=110)
    assert {(await stage.ways(one.id))["slow"][0] for one in sent} == {"sent"}


async def test_a_platform_that_is_away_for_a_moment_gets_it_later_and_once(stage: Stage) -> None:
    platform = await stage.add("shaky", can="send", limits=LIMITS)
    platform.fails = [RetryLater("Try later.")]
    sent = await stage.say("hello")
    await stage.work()
    assert (await stage.ways(sent.id))["shaky"] == ("queued", "Try later.")
    await stage.later()
    assert platform.words() == ["hello"]
    assert (await stage.ways(sent.id))["shaky"] == ("sent", None)


async def test_a_reply_that_is_sent_twice_with_its_key_is_said_once(stage: Stage) -> None:
    """Two clicks at once, and one more try because the answer got lost."""
    platform = await stage.add("plain", can="send")
    first, second = await asyncio.gather(*(stage.say("hello", key="a-key-of-mine") for _ in range(2)))
    await stage.work()
    again = await stage.say("hello", key="a-key-of-mine")
    assert first.id == second.id == again.id
    assert {one.platform: one.state for one in again.deliveries} == {"own": "confirmed", "plain": "sent"}
    with pytest.raises(Conflict, match="Something else was sent with this key"):
        await stage.say("goodbye", key="a-key-of-mine")
    await stage.say("hello", key="another-key")
    await stage.work()
    assert platform.words() == ["hello", "hello"]
    assert len(await stage.feed()) == 2


async def test_several_work_processes_keep_a_platforms_pace_together(stage: Stage) -> None:
    """Both go for the same chat at the same moment, over and over, without the queue that keeps order."""
    platform = await stage.add("slow", can="send", limits=LIMITS)
    for number in range(6):
        await stage.say(f"words {number}")
    ways = [row.id for row in await stage.sql("SELECT id FROM delivery WHERE platform = 'slow' ORDER BY id")]
    async with services(stage.hub.settings, {}, stage.clock) as other:
        other.connections.connectors = stage.hub.connections.connectors
        while len(platform.sent) < len(ways):
            tries = [one.replies.send(way) for way in ways for one in (stage.hub, other)]
            ended = await asyncio.gather(*tries, return_exceptions=True)
            assert all(one is None or isinstance(one, RetryLater) for one in ended)
            stage.clock.tick(10)
    assert sorted(platform.words()) == [f"words {number}" for number in range(6)]
    window = timedelta(seconds=LIMITS.seconds)
    times = [at for at, _, _ in platform.sent]
    assert all(sum(start <= at < start + window for at in times) <= LIMITS.messages for start in times)
    assert times[-1] > times[0] + window
