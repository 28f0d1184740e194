"""What the tests of Twitch share: a reader, a viewer who speaks, and patience."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from connectors.twitch.chat import TwitchChat
from connectors.twitch.eventsub import Pace
from connectors.types import ChatHealth, ChatItem, ChatMessage
from tests.connectors.conftest import Rig

SAMPLES = Path(__file__).parents[2] / "connectors" / "twitch" / "samples"
QUICK = Pace(linger=0.2, welcome=5.0)
MESSAGE, DELETE = "channel.chat.message", "channel.chat.message_delete"
CLEAR, CLEAR_USER = "channel.chat.clear", "channel.chat.clear_user_messages"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def texts(items: list[ChatItem]) -> list[str]:
    return [item.text for item in items if isinstance(item, ChatMessage)]


@asynccontextmanager
async def reading(
    rig: Rig, pace: Pace = QUICK, cursor: str | None = None
) -> AsyncIterator[AsyncGenerator[ChatItem, None]]:
    """A chat reader without pauses between its attempts, closed with the test."""
    ref = (await rig.state())["chat_ref"]
    items = TwitchChat(rig.session, pace, jitter=lambda _: 0.0).messages(ref, cursor=cursor)
    async with aclosing(cast("AsyncGenerator[ChatItem, None]", items)) as generator:
        yield generator


class Net:
    """The way to Twitch, on which WebSockets can go dead: nothing comes through, and nothing is closed."""

    def __init__(self) -> None:
        self._swallowing = asyncio.Event()

    def swallow(self) -> None:
        """All WebSockets there are go dead; new ones work."""
        self._swallowing.set()
        self._swallowing = asyncio.Event()

    @asynccontextmanager
    async def relay(self, base_url: str) -> AsyncIterator[str]:
        """An address from which everything is passed on."""
        target = urlsplit(base_url)
        writers: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            up_reader, up_writer = await asyncio.open_connection(target.hostname, target.port)
            writers.extend((writer, up_writer))
            line = await reader.readline()
            up_writer.write(line)
            dead = self._swallowing if line.startswith(b"GET /ws") else asyncio.Event()

            async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
                while data := await source.read(65536):
                    if not dead.is_set():
                        sink.write(data)
                if not dead.is_set():
                    sink.close()

            await asyncio.gather(copy(reader, up_writer), copy(up_reader, writer), return_exceptions=True)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        finally:
            server.close()
            for writer in writers:
                writer.close()


async def connected(items: AsyncIterator[ChatItem]) -> ChatHealth:
    """Read on until the reader says that it is connected."""
    return await health(items, "connected")


async def health(items: AsyncIterator[ChatItem], state: str) -> ChatHealth:
    async with asyncio.timeout(10):
        async for item in items:
            if isinstance(item, ChatHealth) and item.state == state:
                return item
    raise AssertionError("the chat ended")


async def say(rig: Rig, text: str, author_id: str = "200", **other: Any) -> str:
    answer = await rig.ctl("chat", author="Ann", author_id=author_id, text=text, **other)
    return str(answer["ids"][0])


async def until(rig: Rig, **wanted: Any) -> dict[str, Any]:
    """The fake's state, once it is as wanted."""
    async with asyncio.timeout(10):
        while (state := await rig.state()) | wanted != state:
            await asyncio.sleep(0)
    return state


async def read_to(items: AsyncIterator[ChatItem], last: str) -> list[ChatItem]:
    """Everything up to and with a message."""
    got: list[ChatItem] = []
    async with asyncio.timeout(10):
        async for item in items:
            got.append(item)
            if isinstance(item, ChatMessage) and item.text == last:
                return got
    raise AssertionError("the chat ended")


def healths(items: list[ChatItem]) -> list[tuple[str, bool]]:
    return [(item.state, item.missed) for item in items if isinstance(item, ChatHealth)]
