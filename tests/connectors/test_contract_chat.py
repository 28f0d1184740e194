"""Asked of every connector with a chat: reading, writing, answering, and keeping order in it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import AnyConnector
from connectors.errors import Refused
from connectors.types import ChatMessage
from tests.connectors.conftest import ROOT, Rig, make_fake, reaching
from tests.connectors.contract import chat_of, connected, message_like, reading, said

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
TRICKY = (
    "https://shop.example/a?b=c&d www.shop.example. (http://a.example) @ann @ #SKU12 ❤ 🇩🇪 :wave: : "
    "Kappa <3 &amp; مرحبا ß [wow] ["
)
PIECES = st.sampled_from([*TRICKY.split(), FAMILY, "a\u0301", "  x"]) | st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=12
)
WORDS = st.lists(PIECES, min_size=1, max_size=6).map(" ".join)


@pytest.mark.needs("chat_source")
async def test_each_message_arrives_once_and_in_order(rig: Rig) -> None:
    ref = await chat_of(rig)
    texts = ["first", "second ❤", "third"]
    async with reading(rig, ref) as items:
        await connected(items)
        for text in texts:
            await rig.ctl("chat", author="Ann", author_id="1001", text=text)
        got: list[ChatMessage] = []
        async with asyncio.timeout(15):
            while len(got) < len(texts):
                item = await anext(items)
                if isinstance(item, ChatMessage) and item.text in texts:
                    got.append(item)
    assert [item.text for item in got] == texts
    assert len({item.id for item in got}) == len(texts)
    assert {item.author_name for item in got} == {"Ann"}


@pytest.mark.needs("chat_source", "chat_sink")
async def test_a_reply_comes_back_with_the_id_it_was_given(rig: Rig) -> None:
    assert rig.connector.chat_sink is not None
    ref = await chat_of(rig)
    async with reading(rig, ref) as items:
        await connected(items)
        sent = await rig.connector.chat_sink(rig.session).send(ref, "our reply", key="reply-1")
        back = await message_like(items, "our reply")
    assert back.id == sent
    assert back.ours


@pytest.mark.needs("chat_source")
async def test_cancelling_a_reader_stops_within_a_second_and_leaves_no_task(rig: Rig) -> None:
    ref = await chat_of(rig)
    ready = asyncio.Event()

    async def read() -> None:
        async with reading(rig, ref) as items:
            await connected(items)
            ready.set()
            async for _ in items:
                pass

    task = asyncio.create_task(read())
    async with asyncio.timeout(10):
        await ready.wait()
    task.cancel()
    async with asyncio.timeout(1):
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert [left for left in asyncio.all_tasks() if runs_in_connectors(left)] == []


def runs_in_connectors(task: asyncio.Task[Any]) -> bool:
    """True for a task that runs a connector's code, its fake's apart."""
    code = getattr(task.get_coro(), "cr_code", None)
    where = Path(code.co_filename) if code else Path()
    return where.is_relative_to(ROOT) and not where.name.startswith("fake")


@pytest.mark.needs("chat_source")
@given(spoken=st.lists(WORDS, min_size=6, max_size=12))
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fragments_put_together_are_the_text(connector: AnyConnector, spoken: list[str]) -> None:
    async def read() -> list[ChatMessage]:
        async with reaching(connector, make_fake(connector.name)) as rig:
            ref = await chat_of(rig)
            async with reading(rig, ref) as items:
                await connected(items)
                for text in spoken:
                    await rig.ctl("chat", author="Ann", author_id="1001", text=text)
                await rig.ctl("chat", author="Ann", author_id="1001", text="that is all")
                got: list[ChatMessage] = []
                async with asyncio.timeout(15):
                    while not got or got[-1].text != "that is all":
                        item = await anext(items)
                        got += [item] if isinstance(item, ChatMessage) else []
                return got

    got = asyncio.run(read())
    assert len(got) == len(spoken) + 1
    for message in got:
        assert not message.fragments or "".join(one.text for one in message.fragments) == message.text


@pytest.mark.needs("chat_source", "chat_sink", "chat_limits")
async def test_a_message_as_long_as_allowed_is_taken_and_a_longer_one_refused(rig: Rig) -> None:
    assert rig.connector.chat_sink is not None
    assert rig.connector.chat_limits is not None
    limits, ref = rig.connector.chat_limits, await chat_of(rig)
    sink = rig.connector.chat_sink(rig.session)
    longest = "😀" * (limits.characters // (2 if limits.unit == "utf16" else 1))
    assert await sink.send(ref, longest, key="long-1")
    with pytest.raises(Refused):
        await sink.send(ref, longest + "😀", key="long-2")


@pytest.mark.needs("replier")
async def test_an_answer_reaches_whoever_asked(rig: Rig) -> None:
    assert rig.connector.replier is not None
    ref = await chat_of(rig)
    asked = await said(rig, "how much?")
    sent = await rig.connector.replier(rig.session).reply(ref, asked, "our answer 7", key="answer-1")
    assert sent
    await spoken_as(rig, ref, "our answer 7", sent)


@pytest.mark.needs("private_replier")
async def test_a_private_answer_reaches_one_person_once_and_no_chat(rig: Rig) -> None:
    assert rig.connector.private_replier is not None
    ref = await chat_of(rig)
    asked = await said(rig, "sold 12")
    replier = rig.connector.private_replier(rig.session)
    assert await replier.reply(ref, asked, "for your eyes 7", key="private-1")
    assert "for your eyes 7" in json.dumps((await rig.state())["answered"])
    with pytest.raises(Refused) as again:
        await replier.reply(ref, asked, "for your eyes 8", key="private-2")
    assert again.value.code == "answered"
    if rig.connector.chat_source is None:
        return
    async with reading(rig, ref) as items:
        await connected(items)
        await said(rig, "the next word")
        heard: list[str] = []
        async with asyncio.timeout(15):
            while "the next word" not in heard:
                item = await anext(items)
                heard += [item.text] if isinstance(item, ChatMessage) else []
    assert not any("for your eyes" in one for one in heard)


@pytest.mark.needs("announcer")
async def test_an_announcement_is_made(rig: Rig) -> None:
    assert rig.connector.announcer is not None
    ref = await chat_of(rig)
    sent = await rig.connector.announcer(rig.session).announce(ref, "last pieces 7", key="announce-1")
    await spoken_as(rig, ref, "last pieces 7", sent)


async def spoken_as(rig: Rig, ref: str, text: str, sent: str) -> None:
    """The platform has the text; where the chat shows it, then under this id."""
    if text in json.dumps(await rig.state()):
        return
    if rig.connector.chat_source is None:
        pytest.skip("neither the fake nor a chat tells what was said")
    async with reading(rig, ref) as items:
        assert (await message_like(items, text)).id == sent


@pytest.mark.needs("moderation")
@pytest.mark.parametrize("verb", ["delete", "hide", "unhide"])
async def test_what_is_done_to_a_message_may_be_done_twice_and_to_one_that_is_gone(
    rig: Rig, verb: str
) -> None:
    act = verb_of(rig, verb)
    ref = await chat_of(rig)
    one = await said(rig, "rude words")
    for message_id in (one, one, "unknown"):
        await act(rig.session, ref, message_id)


@pytest.mark.needs("moderation")
async def test_whoever_is_sent_away_twice_is_let_in_twice(rig: Rig) -> None:
    moderation = rig.connector.moderation
    assert moderation is not None
    if moderation.ban is None and moderation.timeout is None:
        pytest.skip("nobody can be sent away")
    ref = await chat_of(rig)
    await said(rig, "rude words", author_id="1002")
    for _ in range(2):
        if moderation.timeout:
            await moderation.timeout(rig.session, ref, "1002", 60)
        if moderation.ban:
            await moderation.ban(rig.session, ref, "1002")
    for _ in range(2):
        if moderation.unban:
            await moderation.unban(rig.session, ref, "1002")


def verb_of(rig: Rig, verb: str) -> Any:
    """A function of the connector's moderation, or skip."""
    found = getattr(rig.connector.moderation, verb)
    if found is None:
        pytest.skip(f"{rig.connector.name} has no {verb}")
    return found
