"""TikTok's chat through a bridge: JSON lines from a program that a person runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from connectors.errors import Refused, RetryLater
from connectors.tiktok import CONNECTOR
from connectors.tiktok.bridge import Bridge, event_items, event_of
from connectors.tiktok.fake import NAME, Fake
from connectors.tiktok.items import STREAK_PATIENCE, Inbox
from connectors.types import ChatDeletion, ChatHealth, ChatItem, ChatMessage
from tests.connectors.conftest import Clock, Rig, next_message, reaching
from tests.connectors.tiktok import QUICK, SENT_AT, listened, next_health, reading, sample, say


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


@asynccontextmanager
async def bridged(rig: Rig, cursor: str | None = None) -> AsyncIterator[AsyncGenerator[ChatItem, None]]:
    url = rig.base_url.replace("http", "ws", 1) + "bridge"
    async with reading(rig, cursor=cursor, bridge_url=url, signer_url="") as items:
        await next_health(items, "connected")
        await listened(rig)
        yield items


async def test_a_bridge_is_enough_without_a_signer(rig: Rig) -> None:
    async with bridged(rig) as items:
        said = await say(rig, "through the bridge")
        message = await next_message(items)
        assert (message.id, message.author_id, message.author_name) == (said, "42", "Ann")
        assert (await rig.state())["signed"] == 0
        await rig.ctl("bridge", text='{"v": 1, "type": "live_end", "id": "1", "reason": "ended"}')
        async with asyncio.timeout(10):
            assert [item async for item in items] == []


async def test_a_bridge_that_hangs_up_is_asked_again(rig: Rig) -> None:
    async with bridged(rig) as items:
        await rig.ctl("bridge", text="no json\nnor this")
        assert (await next_health(items, "degraded")).missed
        await rig.ctl("fault", kind="drop")
        with pytest.raises(RetryLater, match="bridge closed"):
            await anext(items)


def test_every_kind_of_line_is_understood_or_skipped() -> None:
    inbox = Inbox(None, lambda: 0.0)
    said: list[ChatItem] = []
    over = []
    for line in sample("bridge")["lines"]:
        items, ended = event_items(line, inbox, missed=False)
        said += items
        over.append(ended)
    assert over == [False] * 10 + [True]
    said += inbox.due(all_of_them=True)
    messages = [item for item in said if isinstance(item, ChatMessage)]
    assert [(item.kind, item.text) for item in messages] == [
        ("text", "how [emote]much?"),
        ("gift", "sent Rose ×5"),
        ("notice", "follows now"),
        ("reaction", "3 likes"),
    ]
    first = messages[0]
    assert (first.sent_at, first.author_picture) == (SENT_AT, "https://p16.example/buyer.webp")
    assert [(one.kind, one.title) for one in first.badges] == [
        ("moderator", "Moderator"),
        ("other", "Level 14"),
    ]
    assert [one.kind for one in first.fragments] == ["text", "emote", "text"]
    assert said[0] == ChatHealth(state="connected")
    assert ChatDeletion(message_ids=("7001",)) in said
    assert ChatDeletion(author_id="42") in said


def test_a_streak_of_gifts_is_told_once_even_when_its_end_never_comes(clock: Clock) -> None:
    gift: dict[str, Any] = next(line for line in sample("bridge")["lines"] if line["type"] == "gift")
    inbox = Inbox(None, clock.monotonic)

    def given(number: int, repeat: int, *, final: bool) -> list[str]:
        line = {**gift, "id": str(number), "repeat": repeat, "final": final}
        items, _ = event_items(line, inbox, missed=False)
        return [item.text for item in items if isinstance(item, ChatMessage)]

    assert [given(1, 1, final=False), given(2, 2, final=False)] == [[], []]
    clock.seconds += STREAK_PATIENCE
    assert [item.text for item in inbox.due() if isinstance(item, ChatMessage)] == ["sent Rose ×2"]
    assert given(3, 3, final=True) == []


async def test_a_bridge_that_stops_counting_viewers_is_shown_and_then_left(rig: Rig, clock: Clock) -> None:
    url = rig.base_url.replace("http", "ws", 1) + "bridge"
    items = Bridge(url, QUICK, clock.monotonic).messages(NAME, Inbox(None, clock.monotonic), missed=False)
    async with aclosing(items):
        await next_health(items, "connected")
        await listened(rig)
        clock.seconds = 500
        # It has never counted: silence is no sign of anything.
        said = await say(rig, "still here")
        assert (await next_message(items)).id == said
        await rig.ctl("bridge", text='{"v": 1, "type": "viewers", "id": "1", "current": 3}')
        await rig.ctl("bridge", text='{"v": 1, "type": "follow", "id": "2"}')
        assert (await next_message(items)).kind == "notice"
        clock.seconds += QUICK.quiet
        assert (await next_health(items, "degraded")).missed
        clock.seconds += QUICK.dead
        with pytest.raises(RetryLater, match="silent"):
            await next_message(items)


@pytest.mark.parametrize(
    "line", ["", "[]", "1", '{"v": 1}', '{"v": 1, "type": "comment"}', '{"v":1,"type":"delete","user_ids":1}']
)
def test_a_line_that_says_nothing_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError):
        event_items(event_of(line), Inbox(None, lambda: 0.0), missed=False)


@pytest.mark.parametrize(
    "line", ['{"v": 2, "type": "comment"}', '{"v": 1, "type": "live_end", "reason": "suspended"}']
)
def test_another_version_and_a_suspension_are_refused(line: str) -> None:
    with pytest.raises(Refused):
        event_items(event_of(line), Inbox(None, lambda: 0.0), missed=False)


def test_the_bridges_troubles_are_shown_in_sentences() -> None:
    for state, word in (("rate_limited", "degraded"), ("blocked", "down"), ("new", "degraded")):
        line = json.dumps({"v": 1, "type": "status", "state": state})
        ((health,), _) = event_items(event_of(line), Inbox(None, lambda: 0.0), missed=False)
        assert isinstance(health, ChatHealth)
        assert (health.state, health.detail[-1]) == (word, ".")
