"""What the tests of Facebook and Instagram share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.errors import Refused
from connectors.facebook.chat import FacebookChat, Pace
from connectors.facebook.destination import FacebookDestination
from connectors.types import Broadcast, ChatDeletion, ChatHealth, ChatItem, ChatNews
from tests.connectors.conftest import Rig

SHOW = Broadcast(title="Autumn show", description="Coats", marker="show-1")
QUICK = Pace(reconcile=0.05, status=0.0, reconnect=0.01)
PUSH_ONLY = Pace(reconcile=3600, status=3600, reconnect=0.01)


async def opened(rig: Rig) -> str:
    """The chat of a live video that runs."""
    return str((await FacebookDestination(rig.session).open(SHOW)).chat_ref)


async def say(rig: Rig, text: str, **more: Any) -> str:
    """Ann comments; the comment's id as Facebook spells it."""
    said = await rig.ctl("chat", **{"author": "Ann", "author_id": "psid_ann", "text": text, **more})
    return str(said["ids"][0])


@asynccontextmanager
async def reading(
    rig: Rig, ref: str, pace: Pace = QUICK, cursor: str | None = None
) -> AsyncIterator[AsyncGenerator[ChatItem, None]]:
    """A chat reader that is closed with the test."""
    items = FacebookChat(rig.session, pace).messages(ref, cursor=cursor)
    async with aclosing(cast("AsyncGenerator[ChatItem, None]", items)) as generator:
        yield generator


async def next_health(items: AsyncIterator[ChatItem], state: str) -> ChatHealth:
    """The next word of the reader about itself, if it is this one."""
    async with asyncio.timeout(20):
        async for item in items:
            if isinstance(item, ChatHealth) and item.state == state:
                return item
    raise AssertionError("the chat ended")


async def next_deletion(items: AsyncIterator[ChatItem]) -> ChatDeletion:
    """What is taken back next."""
    async with asyncio.timeout(20):
        async for item in items:
            if isinstance(item, ChatDeletion):
                return item
    raise AssertionError("the chat ended")


def told(facts: list[tuple[str, Any]]) -> list[ChatNews]:
    """The chat's news among what an inbox got."""
    return [fact for _, fact in facts if isinstance(fact, ChatNews)]


class Door:
    """An address that answers a platform's question with a connector's handshake."""

    def __init__(self, answer: Callable[[Mapping[str, str]], str]) -> None:
        self._answer = answer
        self.app = Starlette(routes=[Route("/hook", self._hook)])

    async def _hook(self, request: Request) -> Response:
        try:
            return PlainTextResponse(self._answer(request.query_params))
        except Refused as refused:
            return PlainTextResponse(refused.reason, 403)
