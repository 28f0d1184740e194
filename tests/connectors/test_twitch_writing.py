"""Writing on Twitch: messages, answers, announcements, moderation, what the channel says about itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from twitchio.models.chat import SentMessage

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.twitch import CONNECTOR
from connectors.twitch.fake import Fake
from connectors.twitch.metadata import TwitchMetadata, language_of, tags_of
from connectors.twitch.moderation import ban, delete, timeout, unban
from connectors.twitch.oauth import NEEDED
from connectors.twitch.writing import TwitchAnnouncer, TwitchReplies
from connectors.types import Broadcast, ChatDeletion, ChatItem, ChatMessage
from tests.connectors.conftest import Rig, deaf_relay, next_message, reaching
from tests.connectors.twitch import connected, read_to, reading, sample, say

OURS = "141981764"
"""The fake's channel."""
SHOW = Broadcast(title="Autumn show", marker="show-1")


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


# --- messages -------------------------------------------------------------------------------------


async def test_a_message_that_twitch_drops_is_refused_with_its_reason(rig: Rig) -> None:
    replies = TwitchReplies(rig.session)
    assert not SentMessage(sample("helix")["dropped"]["data"][0]).sent
    await rig.ctl("fault", kind="drop_message", code="msg_rejected", message="It was held by AutoMod.")
    with pytest.raises(Refused, match="held by AutoMod") as dropped:
        await replies.send(OURS, "hello", key="1")
    assert dropped.value.code == "msg_rejected"
    await replies.send(OURS, "hello", key="2")
    with pytest.raises(Refused, match="identical") as repeated:
        await replies.send(OURS, "hello", key="3")
    assert repeated.value.code == "msg_duplicate"
    assert [each["text"] for each in (await rig.state())["sent"]] == ["hello"]


async def test_a_message_that_came_too_fast_may_be_sent_later(rig: Rig) -> None:
    replies = TwitchReplies(rig.session)
    await rig.ctl("fault", kind="drop_message", code="msg_ratelimit", message="Too fast.")
    with pytest.raises(RetryLater) as later:
        await replies.send(OURS, "hello", key="1")
    assert (later.value.after, later.value.unknown) == (30, False)
    await rig.ctl("fault", kind="status", status=429, retry_after=7)
    with pytest.raises(RetryLater) as throttled:
        await replies.send(OURS, "hello", key="1")
    assert throttled.value.after == pytest.approx(7, abs=1)
    assert not throttled.value.unknown
    # As many as the limits allow are taken, and not one more.
    assert CONNECTOR.chat_limits is not None
    for number in range(CONNECTOR.chat_limits.messages):
        await replies.send(OURS, f"hello {number}", key="2")
    with pytest.raises(RetryLater):
        await replies.send(OURS, "one more", key="3")


async def test_a_reply_whose_answer_is_lost_is_unknown_and_was_sent_once(rig: Rig) -> None:
    await rig.ctl("fault", kind="lost")
    with pytest.raises(RetryLater) as answered:
        await TwitchReplies(rig.session).send(OURS, "once", key="1")
    assert answered.value.unknown
    assert [each["text"] for each in (await rig.state())["sent"]] == ["once"]
    async with reaching(CONNECTOR, Fake(seed=3), through=deaf_relay) as deaf:
        with pytest.raises(RetryLater) as lost:
            await TwitchReplies(deaf.session).send(OURS, "once", key="1")
        assert lost.value.unknown
        assert [each["text"] for each in (await deaf.state())["sent"]] == ["once"]


async def test_a_text_that_twitch_cannot_take_is_refused_before_it_is_sent(rig: Rig) -> None:
    for text in ("", "x" * 501):
        with pytest.raises(Refused, match="1 to 500"):
            await TwitchReplies(rig.session).send(OURS, text, key="1")
        with pytest.raises(Refused, match="1 to 500"):
            await TwitchAnnouncer(rig.session).announce(OURS, text, key="1")
    assert (await rig.state())["calls"] == []


async def test_an_answer_is_shown_below_its_question_and_an_announcement_aloud(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        asked = await say(rig, "how much?")
        sent = await TwitchReplies(rig.session).reply(OURS, asked, "49 euros", key="1")
        got = await read_to(items, "49 euros")
        answer = got[-1]
        assert isinstance(answer, ChatMessage)
        assert (answer.id, answer.reply_to, answer.ours, answer.badges[0].kind) == (
            sent,
            asked,
            True,
            "owner",
        )
        assert await TwitchAnnouncer(rig.session).announce(OURS, "last pieces", key="2") == ""
        assert ((said := await next_message(items)).kind, said.text, said.ours) == (
            "announcement",
            "last pieces",
            True,
        )
    assert (await rig.state())["announced"] == [{"text": "last pieces", "color": "primary"}]
    with pytest.raises(RetryLater) as early:
        await TwitchAnnouncer(rig.session).announce(OURS, "and again", key="3")
    assert early.value.after <= 30
    with pytest.raises(Refused):
        await TwitchReplies(rig.session).reply(OURS, "nobody-said-this", "hello", key="4")


async def test_pictures_of_authors_are_asked_for_beside_the_chat(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        first = ""
        async with asyncio.timeout(10):
            while not first:
                await say(rig, "cheer100 wow")
                message = await next_message(items)
                first = message.author_picture or ""
        assert first.endswith("/200-profile_image-300x300.png")
        assert (
            message.fragments[0].url == "https://static-cdn.jtvnw.net/actions/cheer/dark/animated/100/2.gif"
        )
    calls = (await rig.state())["calls"]
    assert calls.count("GET /helix/users") == 1


# --- moderation -----------------------------------------------------------------------------------


async def test_what_moderation_does_comes_back_through_the_chat(rig: Rig) -> None:
    async with reading(rig) as items:
        await connected(items)
        rude = await say(rig, "rude")
        await delete(rig.session, OURS, rude)
        await timeout(rig.session, OURS, "200", 0)
        await timeout(rig.session, OURS, "200", 10**9)
        assert (await rig.state())["silenced"] == {"200": 1_209_600}
        await ban(rig.session, OURS, "200")
        # Somebody who is banned is silent already.
        await timeout(rig.session, OURS, "200", 60)
        await say(rig, "that is all", author_id="201")
        got = await read_to(items, "that is all")
    removed: list[ChatItem] = [item for item in got if isinstance(item, ChatDeletion)]
    assert removed == [ChatDeletion(message_ids=(rude,)), *[ChatDeletion(author_id="200")] * 3]
    assert (await rig.state())["silenced"] == {"200": None}
    await unban(rig.session, OURS, "200")
    assert (await rig.state())["silenced"] == {}


async def test_what_twitch_does_not_let_anybody_do_is_refused(rig: Rig) -> None:
    mine = await TwitchReplies(rig.session).send(OURS, "ours", key="1")
    with pytest.raises(Refused, match="broadcaster's messages"):
        await delete(rig.session, OURS, mine)
    with pytest.raises(Refused, match="may not be banned"):
        await ban(rig.session, OURS, OURS)
    await rig.ctl("fault", kind="status", status=409)
    with pytest.raises(RetryLater) as busy:
        await ban(rig.session, OURS, "200")
    assert busy.value.after == 1.0


async def test_a_login_that_lacks_a_permission_loses_that_and_nothing_else(rig: Rig) -> None:
    await rig.ctl("fault", kind="scopes", scopes=list(NEEDED))
    for act in (
        delete(rig.session, OURS, "m1"),
        timeout(rig.session, OURS, "200", 60),
        ban(rig.session, OURS, "200"),
        unban(rig.session, OURS, "200"),
    ):
        with pytest.raises(Refused, match="allow all") as refused:
            await act
        assert refused.value.code == "scope"
    with pytest.raises(Refused, match="allow all"):
        await TwitchAnnouncer(rig.session).announce(OURS, "loud", key="1")
    async with reading(rig) as items:
        assert "Polls are not shown" in (await connected(items)).detail
        await say(rig, "still read")
        assert (await next_message(items)).text == "still read"
    await rig.ctl("fault", kind="revoke")
    with pytest.raises(Reconnect):
        await ban(rig.session, OURS, "200")


# --- what the channel says about itself -----------------------------------------------------------


async def test_texts_category_language_and_tags_are_set(rig: Rig) -> None:
    metadata = TwitchMetadata(rig.session)
    show = SHOW.model_copy(
        update={"category": "makers & crafting", "language": "de-AT", "tags": ("home office", "Shopping")}
    )
    for _ in range(2):
        await metadata.set(OURS, show)
        state = await rig.state()
        assert [state[name] for name in ("title", "category", "language", "tags")] == [
            "Autumn show",
            "509673",
            "de",
            ["HomeOffice", "Shopping"],
        ]
    # Nothing said means nothing changed.
    await metadata.set(OURS, Broadcast(title=" ", marker="m"))
    assert (await rig.state())["title"] == "Autumn show"


async def test_a_category_twitch_does_not_know_is_refused_with_those_alike_and_the_rest_is_set(
    rig: Rig,
) -> None:
    metadata = TwitchMetadata(rig.session)
    with pytest.raises(Refused, match=r"'Crafting Makers'\. Did you mean: Makers & Crafting"):
        await metadata.set(OURS, SHOW.model_copy(update={"category": "Crafting Makers"}))
    assert (await rig.state())["title"] == "Autumn show"
    with pytest.raises(Refused, match=r"twitch\.tv/directory"):
        await metadata.set(OURS, SHOW.model_copy(update={"category": "zzz"}))
    unspoken = SHOW.model_copy(update={"language": "eo", "title": "New title"})
    with pytest.raises(Refused, match="language is not supported"):
        await metadata.set(OURS, unspoken)
    assert (await rig.state())["title"] == "New title"
    # A show that is about to begin does not fail because of it.
    assert CONNECTOR.destination is not None
    for wrong in ({"category": "zzz", "title": "Begins"}, {"language": "eo", "title": "Begins again"}):
        await CONNECTOR.destination(rig.session).open(SHOW.model_copy(update=wrong))
        assert (await rig.state())["title"] == wrong["title"]


def test_tags_and_languages_are_made_to_fit() -> None:
    many = tuple(f"tag {number}" for number in range(12))
    assert tags_of((*many[:2], "TAG-1", "!?", "x" * 30))[:4] == ["Tag0", "Tag1", "x" * 25]
    assert len(tags_of(many)) == 10
    languages = [language_of(tag) for tag in ("EN", "pt_BR", "gsw", "", None)]
    assert languages == ["en", "pt", "other", None, None]
