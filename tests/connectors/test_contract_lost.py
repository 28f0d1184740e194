"""Asked of every connector that makes or says something: the platform did it, and its answer never comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar

import pytest

from connectors.base import AnyConnector, Destination, Session
from connectors.errors import RetryLater
from connectors.http import SAFE
from connectors.types import ChatMessage
from tests.connectors.conftest import Deaf, Rig, local, make_fake, reaching
from tests.connectors.contract import IN_TIME, SHOW, chat_of, connected, hurried, on_air, reading, said

TRIES: Final = 8
OURS, LAST = "our words 9", "that is all"
Answer = TypeVar("Answer")


class Once:
    """Which answers are lost: of each write the first."""

    def __init__(self) -> None:
        self._lost: set[tuple[bytes, bytes]] = set()

    def __call__(self, verb: bytes, path: bytes) -> bool:
        """Whether this one is."""
        write = (verb, path)
        if verb.decode() in SAFE or write in self._lost:
            return False
        self._lost.add(write)
        return True


@asynccontextmanager
async def unanswered(rig: Rig) -> AsyncIterator[tuple[Session[Any], Deaf]]:
    """A session without patience, on a way to the platform on which answers get lost."""
    relay = Deaf(Once(), hangs_up=False)
    async with relay.before(rig.base_url) as reached:
        addresses = replace(rig.addresses, base_url=local(rig.addresses.base_url, reached))
        async with hurried(rig, addresses.base_url) as http:
            yield rig.connector.session(http, rig.session.config, addresses, rig.session.budget), relay


async def insisted(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """As the hub does it: what may be tried again is tried again. Each try ends in good time."""
    for _ in range(TRIES):
        try:
            async with asyncio.timeout(IN_TIME):
                return await call()
        except RetryLater:
            continue
    raise AssertionError("it never came about")


def destination_of(connector: AnyConnector, session: Session[Any]) -> Destination:
    assert connector.destination is not None
    made: Destination = connector.destination(session)
    return made


@pytest.mark.needs("destination")
async def test_a_broadcast_whose_answer_never_comes_is_looked_for_and_made_once(
    connector: AnyConnector,
) -> None:
    calm = Deaf(lambda *_: False, hangs_up=False)
    async with reaching(connector, make_fake(connector.name), through=calm.before) as rig:
        await destination_of(connector, rig.session).open(SHOW)
    if not calm.created:
        pytest.skip("nothing is made there for a show")
    async with reaching(connector, make_fake(connector.name)) as rig, unanswered(rig) as (session, relay):
        destination = destination_of(connector, session)
        opened = await insisted(lambda: destination.open(SHOW))
        assert len(relay.created) == len(calm.created), relay.created
        again = await destination_of(connector, rig.session).open(SHOW)
        assert (opened.ref, opened.url, opened.key) == (again.ref, again.url, again.key)


@pytest.mark.needs("destination")
async def test_a_broadcast_that_was_ended_without_an_answer_has_ended(rig: Rig) -> None:
    opened = await on_air(rig)
    async with unanswered(rig) as (session, relay):
        destination = destination_of(rig.connector, session)
        await insisted(lambda: destination.close(opened.ref))
        if not relay.created:
            pytest.skip("nobody is told of the end")
    assert (await destination_of(rig.connector, rig.session).status(opened.ref)).state in ("ending", "ended")


@pytest.mark.parametrize("way", ["chat_sink", "replier", "private_replier", "announcer"])
async def test_words_whose_answer_never_comes_are_in_doubt_and_were_said_once(rig: Rig, way: str) -> None:
    """In doubt: whoever sent them waits for them to come back through the chat, and says nothing again."""
    if getattr(rig.connector, way) is None:
        pytest.skip(f"{rig.connector.name} has no {way}")
    ref = await chat_of(rig)
    asked = await said(rig, "how much?") if way.endswith("replier") else ""
    async with AsyncExitStack() as stack:
        items = None
        if rig.connector.chat_source:
            items = await stack.enter_async_context(reading(rig, ref))
            await connected(items)
        async with unanswered(rig) as (session, relay):
            with pytest.raises(RetryLater) as raised:
                async with asyncio.timeout(IN_TIME):
                    await speak(rig.connector, session, way, ref, asked)
        assert raised.value.unknown
        assert len(relay.created) == 1
        await rig.ctl("chat", author="Ann", author_id="1001", text=LAST)
        heard = await heard_to(items, LAST) if items else []
    assert heard.count(OURS) <= 1
    assert OURS in heard or OURS in json.dumps(await rig.state())


async def speak(connector: AnyConnector, session: Session[Any], way: str, ref: str, asked: str) -> None:
    """Say it in one of the four ways."""
    if way == "replier" and connector.replier:
        await connector.replier(session).reply(ref, asked, OURS, key="lost-1")
    elif way == "private_replier" and connector.private_replier:
        await connector.private_replier(session).reply(ref, asked, OURS, key="lost-1")
    elif way == "announcer" and connector.announcer:
        await connector.announcer(session).announce(ref, OURS, key="lost-1")
    elif connector.chat_sink:
        await connector.chat_sink(session).send(ref, OURS, key="lost-1")


async def heard_to(items: AsyncIterator[Any], last: str) -> list[str]:
    """Everything said up to these words."""
    texts: list[str] = []
    async with asyncio.timeout(20):
        async for item in items:
            texts += [item.text] if isinstance(item, ChatMessage) else []
            if texts and texts[-1] == last:
                return texts
    raise AssertionError("the chat ended")
