"""What is limited holds for all processes together: private answers to claims, tries at a claim's link."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

from connectors.errors import RetryLater
from connectors.types import ChatLimits
from hub.app import services
from hub.claims.intake import WINDOW
from hub.services import Services
from tests.hub.chat.stage import Stage, said
from tests.hub.market import fronted
from tests.hub.shop import SetClock, Shop
from tests.hub.site import Client

FEW = ChatLimits(characters=200, messages=3, seconds=30)


async def test_private_links_keep_the_platforms_pace_from_several_work_processes(stage: Stage) -> None:
    platform = await stage.add("private", can="reply private", limits=FEW)
    await stage.hear("private", *(said(n, "sold 1", author_id=f"p{n}") for n in range(6)))
    stage.clock.tick(WINDOW.total_seconds())
    await stage.hub.claims.judge.sweep()
    ways = [row.id for row in await stage.sql("SELECT id FROM delivery WHERE platform = 'private'")]
    assert len(ways) == 6
    async with services(stage.hub.settings, {}, stage.clock) as other:
        other.connections.connectors = stage.hub.connections.connectors
        while len(platform.sent) < len(ways):
            tries = [one.replies.send(way) for way in ways for one in (stage.hub, other)]
            ended = await asyncio.gather(*tries, return_exceptions=True)
            assert all(one is None or isinstance(one, RetryLater) for one in ended)
            stage.clock.tick(10)
    # Each person once, and in no half minute more than the platform takes.
    assert {how for _, how, _ in platform.sent} == {f"private to m{n}" for n in range(6)}
    assert len(platform.sent) == 6
    times, window = [at for at, _, _ in platform.sent], timedelta(seconds=FEW.seconds)
    assert all(sum(start <= at < start + window for at in times) <= FEW.messages for start in times)


async def test_a_browser_tries_once_in_two_seconds_at_all_processes_together(
    hub: Services, shop: Shop, clock: SetClock
) -> None:
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(services(hub.settings, {}, clock))
        here = await stack.enter_async_context(fronted(hub))
        there = await stack.enter_async_context(fronted(other))
        guesser, neighbour = (hub.tokens.viewer(shop.viewer()) for _ in range(2))
        path = "/api/v1/public/claims/1abcdefgh/open"

        async def tries(origin: str, token: str, ok: int) -> dict[str, str]:
            answer: dict[str, str] = await Client(origin, token).call("POST", path, {"name": "Ana"}, ok)
            return answer

        assert (await tries(here, guesser, 404))["code"] == "claim_unknown"
        refused = await tries(there, guesser, 429)
        assert (refused["code"], refused["detail"]) == ("slow_down", "Wait a moment, then try again.")
        await tries(there, neighbour, 404)
        clock.tick(2)
        await tries(there, guesser, 404)
        await tries(here, guesser, 429)
