"""An account that is part of two shows at once has one limit at its platform, and one here."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

from connectors.errors import RetryLater
from connectors.types import ChatLimits
from hub.app import services
from hub.chat.relay import Pair
from hub.shows.models import Show
from tests.hub.chat.stage import Stage, said

LIMITS = ChatLimits(characters=200, messages=4, seconds=30)


async def test_two_shows_of_one_account_keep_its_pace_together(stage: Stage) -> None:
    """In two processes; the platform itself counts."""
    platform = await stage.add("slow", can="send", limits=LIMITS)
    matinee = await stage.another_show()
    for number in range(4):
        await stage.say(f"evening {number}")
        await matinee.say(f"matinee {number}")
    ways = [row.id for row in await stage.sql("SELECT id FROM delivery WHERE platform = 'slow' ORDER BY id")]
    async with services(stage.hub.settings, {}, stage.clock) as other:
        other.connections.connectors = stage.hub.connections.connectors
        for _ in range(20):
            tries = [one.replies.send(way) for way in ways for one in (stage.hub, other)]
            ended = await asyncio.gather(*tries, return_exceptions=True)
            assert all(one is None or isinstance(one, RetryLater) for one in ended), ended
            stage.clock.tick(5)
    states = await stage.sql(
        "SELECT state, count(*) AS many FROM delivery WHERE platform = 'slow' GROUP BY 1"
    )
    assert [(row.state, row.many) for row in states] == [("sent", len(ways))]
    times = [at for at, _, _ in platform.sent]
    window = timedelta(seconds=LIMITS.seconds)
    assert all(sum(start <= at < start + window for at in times) <= LIMITS.messages for start in times)
    # And none of it goes to waste.
    assert times[-1] - times[0] <= timedelta(seconds=75)


async def test_whoever_answers_is_told_of_the_wait_that_another_show_makes(stage: Stage) -> None:
    await stage.add("slow", can="send", limits=LIMITS)
    matinee = await stage.another_show()
    for number in range(4):
        await stage.say(f"evening {number}")
    [way] = [one for one in (await matinee.say("hello")).deliveries if one.platform == "slow"]
    assert way.due_at is not None
    assert way.due_at - stage.clock() == timedelta(seconds=30)


async def test_a_show_beside_one_that_floods_waits_no_longer_than_it_was_told(stage: Stage) -> None:
    """By the jobs' own rule: to wait for a place is no failed try, and the pause does not grow."""
    platform = await stage.add("slow", can="send", limits=LIMITS)
    matinee = await stage.another_show()
    for number in range(40):
        await stage.say(f"evening {number}")
    [way] = [one for one in (await matinee.say("matinee")).deliveries if one.platform == "slow"]
    assert way.due_at is not None
    began, told = stage.clock(), way.due_at
    late = 0
    while "matinee" not in platform.words() and stage.clock() < told + timedelta(minutes=10):
        await stage.passes(5)
        await stage.say(f"late {late}")
        late += 1
    sent = {words: at for at, _, words in platform.sent}
    assert told - began >= timedelta(minutes=6)
    assert sent["matinee"] <= told + timedelta(seconds=10)
    # Whatever was refused a place again and again is not given up, either.
    assert await stage.sql("SELECT 1 FROM procrastinate_jobs WHERE status = 'failed'") == []
    times = [at for at, _, _ in platform.sent]
    assert max(later - one for one, later in pairwise(times)) <= timedelta(seconds=15)


async def test_two_shows_of_one_account_know_the_same_of_its_rate_at_the_platform(stage: Stage) -> None:
    """Whatever the platform counts by the minute is one process's to remember, once for each account."""
    await stage.add("fast", can="send")
    await stage.another_show()
    targets = await stage.sql("SELECT connection_id FROM show_target WHERE connector = 'fast'")
    evening, matinee = (row.connection_id for row in targets)
    uses = stage.hub.connections.use
    async with uses(evening) as first, uses(matinee) as second:
        assert first.session.common is second.session.common


async def test_what_two_shows_pass_on_has_room_once_and_each_counts_its_own_losses(stage: Stage) -> None:
    platform = await stage.add("into", can="send", limits=LIMITS)
    await stage.add("from", can="send", limits=LIMITS)
    matinee = await stage.another_show()
    for one in (stage, matinee):
        async with one.hub.db.session() as session:
            show = await session.get_one(Show, one.shop.show_id)
            targets = await one.hub.shows.targets(session, show.id)
            pair = Pair(str(one.targets["from"]), one.targets["into"])
            await one.hub.relay.choose(session, show, targets, [pair])
    storms = [one.hear("from", *(said(n) for n in range(10))) for one in (stage, matinee)]
    await asyncio.gather(*storms)
    await stage.work()
    # One of the two places that are free at once is kept for a person's answer.
    assert len(platform.sent) == 1
    lost = 0
    for one in (stage, matinee):
        async with one.hub.db.session() as session:
            dropped = await one.hub.relay.dropped(session, one.shop.show_id)
        assert dropped.keys() <= {one.targets["into"]}
        lost += sum(dropped.values())
    assert lost == 20 - len(platform.sent)
