"""TikTok's chat through a bridge: JSON lines from a program that a person runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest

from connectors.errors import Refused, RetryLater
from connectors.tiktok import CONNECTOR
from connectors.tiktok.bridge import lines_items
from connectors.tiktok.fake import Fake
from connectors.tiktok.items import Inbox
from connectors.types import ChatDeletion, ChatHealth, ChatItem, ChatMessage
from tests.connectors.conftest import Rig, next_message, reaching
from tests.connectors.tiktok import SENT_AT, next_health, reading, sample, say


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


@asynccontextmanager
async def bridged(rig: Rig, cursor: str | None = None) -> AsyncIterator[AsyncGenerator[ChatItem, None]]:
    url = rig.base_url.replace("http", "ws", 1) + "bridge"
    async with reading(rig, cursor=cursor, bridge_url=url) as items:
        await next_health(items, "connected")
        async with asyncio.timeout(10):
            while not (await rig.state())["listeners"]:
                await asyncio.sleep(0)
        yield items


async def test_a_bridge_is_used_instead_of_the_signer(rig: Rig) -> None:
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
        items, ended = lines_items(json.dumps(line), inbox, missed=False)
        said += items
        over.append(ended)
    assert over == [False] * 10 + [True]
    messages = [item for item in said if isinstance(item, ChatMessage)]
    assert [(item.kind, item.text) for item in messages] == [
        ("text", "how much?"),
        ("paid", "sent Rose ×5"),
        ("notice", "follows now"),
    ]
    assert messages[0].sent_at == SENT_AT
    assert said[0] == ChatHealth(state="connected")
    assert said[-2:] == [ChatDeletion(message_ids=("7001",)), ChatDeletion(author_id="42")]


@pytest.mark.parametrize(
    "line", ["", "[]", "1", '{"v": 1}', '{"v": 1, "type": "comment"}', '{"v":1,"type":"delete","user_ids":1}']
)
def test_a_line_that_says_nothing_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError):
        lines_items(line, Inbox(None, lambda: 0.0), missed=False)


@pytest.mark.parametrize(
    "line", ['{"v": 2, "type": "comment"}', '{"v": 1, "type": "live_end", "reason": "suspended"}']
)
def test_another_version_and_a_suspension_are_refused(line: str) -> None:
    with pytest.raises(Refused):
        lines_items(line, Inbox(None, lambda: 0.0), missed=False)


def test_the_bridges_troubles_are_shown_in_sentences() -> None:
    for state, word in (("rate_limited", "degraded"), ("blocked", "down"), ("new", "degraded")):
        line = json.dumps({"v": 1, "type": "status", "state": state})
        ((health,), _) = lines_items(line, Inbox(None, lambda: 0.0), missed=False)
        assert isinstance(health, ChatHealth)
        assert (health.state, health.detail[-1]) == (word, ".")
