"""What the tests of TikTok's chat share: a reader, a viewer who speaks, and patience."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from connectors.errors import Refused, RetryLater
from connectors.tiktok import fake_wire as wire
from connectors.tiktok.chat import TikTokChat
from connectors.tiktok.fake import NAME
from connectors.tiktok.fake_wire import encode
from connectors.tiktok.pace import Pace
from connectors.types import ChatHealth, ChatItem
from tests.connectors.conftest import Rig

SAMPLES = Path(__file__).parents[2] / "connectors" / "tiktok" / "samples"
QUICK = Pace(tick=0.02)
SENT_AT = datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
"""The time in the samples."""
ROSE = encode((5, 5655), (11, 1), (12, 1), (16, "Rose"))
ANN = wire.user("42", "Ann")

Field = tuple[int, int | bytes | str]


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


@asynccontextmanager
async def reading(
    rig: Rig, pace: Pace = QUICK, cursor: str | None = None, **config: Any
) -> AsyncIterator[AsyncGenerator[ChatItem, None]]:
    """A chat reader that is closed with the test."""
    session = replace(rig.session, config=rig.session.config.model_copy(update=config))
    items = TikTokChat(session, pace).messages(NAME, cursor=cursor)
    async with aclosing(cast("AsyncGenerator[ChatItem, None]", items)) as generator:
        yield generator


async def next_health(items: AsyncIterator[ChatItem], state: str) -> ChatHealth:
    async with asyncio.timeout(10):
        async for item in items:
            if isinstance(item, ChatHealth) and item.state == state:
                return item
    raise AssertionError("the chat ended")


async def until(rig: Rig, name: str, least: int) -> Any:
    """What the fake has seen, once there is enough of it."""
    async with asyncio.timeout(10):
        while len((state := await rig.state())[name]) < least:
            await asyncio.sleep(0)
    return state[name]


async def entered(rig: Rig, items: AsyncIterator[ChatItem]) -> None:
    """Read on until both sides say that we are in."""
    await next_health(items, "connected")
    await until(rig, "entered", 1)


async def listened(rig: Rig) -> None:
    """Wait until the fake has somebody to talk to."""
    async with asyncio.timeout(10):
        while not (await rig.state())["listeners"]:
            await asyncio.sleep(0)


async def say(rig: Rig, text: str) -> str:
    return str((await rig.ctl("chat", author="Ann", author_id="42", text=text))["ids"][0])


async def happens(rig: Rig, method: str, *pairs: Field) -> str:
    """Any event with the usual beginning."""
    start = (1, wire.common(method, 0, 1, 1_790_000_000_000))
    return str((await rig.ctl("event", method=method, payload=encode(start, *pairs).hex()))["id"])


async def refusal(rig: Rig, wanted: type[RetryLater | Refused], **config: Any) -> Any:
    async with reading(rig, **config) as items:
        with pytest.raises(wanted) as raised:
            await anext(items)
    return raised.value
