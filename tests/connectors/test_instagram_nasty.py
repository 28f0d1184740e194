"""The ten nastiest things Instagram does (reference E3), each over real sockets against the fake."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from pydantic import SecretStr

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.instagram import CONNECTOR
from connectors.instagram.api import Api, root_of
from connectors.instagram.chat import InstagramChat
from connectors.instagram.destination import InstagramDestination
from connectors.instagram.fake import Fake
from connectors.instagram.oauth import InstagramOAuth
from connectors.instagram.replies import InstagramReplier
from connectors.instagram.webhooks import InstagramWebhooks
from connectors.types import Broadcast, ChatHealth, ChatItem, ChatMessage, Tokens
from tests.connectors.conftest import Rig, deaf_relay, next_message, reaching, serving
from tests.connectors.facebook import next_health, told
from tests.connectors.inbox import Inbox

SHOW = Broadcast(title="Autumn show", marker="show-1")


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


async def nap(_: float) -> None:
    """Reads as fast as the fake answers."""
    await asyncio.sleep(0.005)


def account(rig: Rig) -> str:
    return str(rig.session.config.account_id)


@asynccontextmanager
async def reading(rig: Rig, cursor: str | None = None) -> AsyncIterator[AsyncGenerator[ChatItem, None]]:
    items = InstagramChat(rig.session, nap).messages(account(rig), cursor=cursor)
    async with aclosing(cast("AsyncGenerator[ChatItem, None]", items)) as generator:
        yield generator


async def say(rig: Rig, text: str, **more: Any) -> str:
    return str((await rig.ctl("chat", author="fan", author_id="igsid_9", text=text, **more))["ids"][0])


async def test_1_every_spelling_of_a_webhook_is_the_comment_that_is_read(rig: Rig) -> None:
    inbox = Inbox(InstagramWebhooks(rig.session.config))
    async with serving(inbox.app) as url, reading(rig) as items:
        await next_health(items, "connected")
        for number, form in enumerate(("changes", "entry", "array", "comment_id")):
            await rig.ctl("webhook_url", url=f"{url}hook", form=form)
            said = await say(rig, f"by {form}")
            read = await next_message(items)
            news = told(await inbox.until(number + 1))[-1]
            [item] = news.items
            assert isinstance(item, ChatMessage)
            assert (news.chat_ref, item.id, item.text) == (account(rig), said, f"by {form}")
            assert (read.id, read.text, read.author_id) == (item.id, item.text, item.author_id)
        # One without any id at all is nothing that could be answered or told apart.
        await rig.ctl("raw_hook", text="no id", media={"id": "1"})
        await rig.ctl("raw_hook", id="last", text="last", media={"id": "1"})
        assert [
            item.id for item in told(await inbox.until(5))[-1].items if isinstance(item, ChatMessage)
        ] == ["last"]


async def test_2_a_webhook_has_no_time_of_a_comment_so_order_is_arrival_and_reading_adds_the_time(
    rig: Rig,
) -> None:
    inbox = Inbox(InstagramWebhooks(rig.session.config))
    async with serving(inbox.app) as url, reading(rig) as items:
        await next_health(items, "connected")
        await rig.ctl("webhook_url", url=f"{url}hook")
        await say(rig, "when?")
        read = await next_message(items)
        [item] = told(await inbox.until(1))[0].items
    assert isinstance(item, ChatMessage)
    assert item.sent_at is None
    assert read.sent_at is not None
    assert abs(read.sent_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_3_a_live_is_shown_late_and_ends_at_once_and_one_empty_look_is_no_end(rig: Rig) -> None:
    await rig.ctl("live", on=False)
    destination = InstagramDestination(rig.session)
    before = await destination.started("show-1")
    assert (before.state, "Press Go live" in (before.reason or "")) == ("starting", True)
    await rig.ctl("live", on=True, lag=2)
    async with reading(rig) as items, asyncio.timeout(20):
        assert "does not show the live yet" in (await next_health(items, "degraded")).detail
        await say(rig, "early bird")
        early = await next_message(items)
        # It began under our eyes: nothing in it is history.
        assert (early.text, early.backlog) == ("early bird", False)
        assert (await destination.status("show-1")).state == "live"
        # The list still shows it for a look; its comments are gone already.
        await rig.ctl("live", on=False, lag=1)
        assert [item async for item in items if isinstance(item, ChatMessage)] == []
    # The reader waited for a second empty look; whoever asks for the state is told what is shown now.
    after = await destination.status("show-1")
    assert (after.state, "it has ended there" in (after.reason or "")) == ("starting", True)


async def test_4_a_private_reply_goes_once_per_comment_and_only_while_the_live_is_on(rig: Rig) -> None:
    replier, ref = InstagramReplier(rig.session), account(rig)
    first, second = await say(rig, "SKU12 x2"), await say(rig, "me too")
    assert await replier.reply(ref, first, "Pay here", key="k1") == "mid.1"
    with pytest.raises(Refused, match="answered already") as again:
        await replier.reply(ref, first, "Pay here!", key="k2")
    assert again.value.code == "answered"
    await rig.ctl("live", on=False)
    with pytest.raises(Refused, match="only while it runs") as late:
        await replier.reply(ref, second, "Pay here", key="k3")
    assert late.value.code == "closed"
    assert (await rig.state())["answered"] == {first: "Pay here"}


async def test_4_a_private_reply_whose_answer_is_lost_is_not_sent_again_by_itself() -> None:
    async with reaching(CONNECTOR, Fake(seed=3), through=deaf_relay) as rig:
        asked = await say(rig, "SKU12 x2")
        replier = InstagramReplier(rig.session)
        with pytest.raises(RetryLater) as lost:
            await replier.reply(account(rig), asked, "Pay here", key="k1")
        assert lost.value.unknown
        sends = [call for call in (await rig.state())["calls"] if call.endswith("/messages")]
        assert len(sends) == 1


async def test_5_a_burst_of_hundreds_of_comments_is_taken_whole_by_both_ways(rig: Rig) -> None:
    inbox = Inbox(InstagramWebhooks(rig.session.config), down=2)
    async with serving(inbox.app) as url, reading(rig) as items:
        await next_health(items, "connected")
        await rig.ctl("webhook_url", url=f"{url}hook")
        await rig.ctl("fault", kind="hold_webhooks")
        ids = (await rig.ctl("chat", text="c", count=400))["ids"]
        await rig.ctl("fault", kind="duplicate_webhook")
        # Two deliveries of one batch, and each finds us down once.
        await rig.ctl("fault", kind="release_webhooks")
        news = told(await inbox.until(2))
        read = [await next_message(items) for _ in ids]
    assert [one.id for one in read] == ids
    assert news[0] == news[1]
    assert {item.id for item in news[0].items if isinstance(item, ChatMessage)} == set(ids)


async def test_6_comments_that_are_counted_and_never_shown_are_reported(rig: Rig) -> None:
    await rig.ctl("fault", kind="silent")
    await say(rig, "nobody sees this")
    async with reading(rig) as items:
        assert "Advanced Access" in (await next_health(items, "degraded")).detail


async def test_7_own_words_are_ours_and_copies_made_by_an_advertisement_are_dropped(rig: Rig) -> None:
    inbox = Inbox(InstagramWebhooks(rig.session.config))
    async with serving(inbox.app) as url, reading(rig) as items:
        await next_health(items, "connected")
        await rig.ctl("webhook_url", url=f"{url}hook")
        await rig.ctl("chat", author="shop", author_id=account(rig), text="from the host's phone")
        assert (await next_message(items)).ours
        copy = {"id": "1", "text": "copied", "from": {"id": "x"}}
        await rig.ctl("raw_hook", **copy, media={"id": "2", "ad_id": "3"})
        await rig.ctl("raw_hook", **copy, media={"id": "2", "original_media_id": "4"})
        scoped = {"id": "55", "username": "shop", "self_ig_scoped_id": account(rig)}
        await rig.ctl("raw_hook", id="2", text="scoped", media={"id": "2"}, **{"from": scoped})
        news = told(await inbox.until(2))
    said = [item for piece in news for item in piece.items if isinstance(item, ChatMessage)]
    assert {(item.text, item.ours) for item in said} == {("from the host's phone", True), ("scoped", True)}


async def test_8_each_host_keeps_its_own_login_and_id(rig: Rig) -> None:
    config, tokens = cast("Fake", rig.fake).through_page()
    asked = await say(rig, "by the Page?")
    async with rig.linked(config, tokens) as session:
        assert (await InstagramDestination(session).status("show-1")).state == "live"
        assert await InstagramReplier(session).reply(account(rig), asked, "yes", key="k1")
    state = await rig.state()
    assert f"POST /v26.0/{config['page_id']}/messages" in state["calls"]
    # The Page's login with the Page's number where Instagram's own host wants the account's, and reversed.
    _, own = rig.fake.connection()
    assert own is not None
    async with rig.linked(config, own) as session:
        with pytest.raises(Refused):
            await InstagramReplier(session).reply(account(rig), asked, "no", key="k2")
    async with rig.linked({**config, "app_secret": "another"}, tokens) as session:
        with pytest.raises(Refused):
            await Api(session).live()
    assert root_of("https://graph.instagram.com/", "graph.facebook.com") == "https://graph.facebook.com/"
    assert root_of("https://graph.instagram.com/", "graph.instagram.com") == "https://graph.instagram.com/"
    assert root_of("http://127.0.0.1:9", "graph.facebook.com") == "http://127.0.0.1:9/"


async def test_8_a_person_is_the_number_and_not_the_name(rig: Rig) -> None:
    async with reading(rig) as items:
        await rig.ctl("chat", author="fan", author_id="igsid_9", text="one")
        await rig.ctl("chat", author="fan_renamed", author_id="igsid_9", text="two")
        got = [await next_message(items) for _ in range(2)]
    assert {one.author_id for one in got} == {"igsid_9"}
    assert [one.author_name for one in got] == ["fan", "fan_renamed"]


async def test_9_a_key_dies_with_its_live_and_a_broken_push_may_end_it(rig: Rig) -> None:
    destination = InstagramDestination(rig.session)
    key = (await destination.open(SHOW)).key.get_secret_value()
    assert CONNECTOR.key_life == timedelta(hours=4)
    await rig.ctl("ingest", event="publish", app="rtmp", key=key)
    assert (await destination.status("show-1")).state == "live"
    await rig.ctl("ingest", event="done", app="rtmp", key=key)
    await rig.ctl("fault", kind="minute")
    over = await destination.status("show-1")
    assert (over.state, over.receiving) == ("starting", False)
    again = await rig.control.post("/_ctl/ingest", json={"event": "publish", "app": "rtmp", "key": key})
    assert again.status_code == 403
    fresh = (await rig.ctl("live", on=True))["key"]
    assert fresh != key
    # The next live is seen as live, whatever became of the one before.
    assert (await destination.status("show-1")).state == "live"


async def test_10_a_login_is_renewed_with_itself_in_time_and_never_afterwards() -> None:
    def nearly_over(given: Tokens | None) -> Tokens | None:
        return given and given.model_copy(update={"expires_at": datetime.now(UTC) + timedelta(minutes=1)})

    async with reaching(CONNECTOR, Fake(seed=3), tokens=nearly_over) as rig:
        api = Api(rig.session)
        live = [await api.live() for _ in range(2)]
        assert all(live)
        [renewed] = rig.refreshes
        assert renewed.expires_at is not None
        assert renewed.expires_at - datetime.now(UTC) > timedelta(days=59)
        # Not a day old: Instagram refuses, and nothing is lost by it but the attempt.
        with pytest.raises(Reconnect):
            await InstagramOAuth().refresh(rig.plain, rig.session.config, renewed)
        await rig.ctl("fault", kind="expire_token")
        with pytest.raises(Reconnect, match="Link the account again"):
            await api.live()
        assert len(rig.refreshes) == 1
        await rig.ctl("fault", kind="status", status=503, html=True)
        with pytest.raises(RetryLater):
            await InstagramOAuth().refresh(rig.plain, rig.session.config, renewed)
    page = Tokens(access=SecretStr("EAAG"), refresh=SecretStr("EAAG"))
    through_page = CONNECTOR.config(host="graph.facebook.com")
    async with reaching(CONNECTOR, Fake(seed=3)) as rig:
        with pytest.raises(Reconnect):
            await InstagramOAuth().refresh(rig.plain, through_page, page)
        assert json.dumps((await rig.state())["calls"]).count("refresh") == 0


async def test_reading_resumes_at_its_place_and_only_what_was_there_first_is_backlog(rig: Rig) -> None:
    first = await say(rig, "read before")
    async with reading(rig) as items:
        cursor = (await next_message(items)).cursor
    assert cursor is not None
    assert cursor.endswith(f":{first}")
    await rig.ctl("chat", text="meanwhile ", count=3)
    async with reading(rig, cursor) as items:
        got = [await next_message(items) for _ in range(3)]
    assert [(one.text, one.backlog) for one in got] == [(f"meanwhile {n}", False) for n in range(3)]
    # Comments can be turned back to for a thousand; what lies deeper is gone, and that is said.
    await rig.ctl("chat", text="flood", count=1010)
    async with reading(rig, got[-1].cursor) as items:
        assert (await next_health(items, "degraded")).missed
        assert (await next_message(items)).text == "flood10"
    await rig.ctl("live", on=True)
    await rig.ctl("chat", text="of the next", count=4)
    # A place of another live is no place in this one, and what is in this one is new.
    async with reading(rig, "1789:1") as items:
        assert not (await next_message(items)).backlog
    async with reading(rig) as items, asyncio.timeout(20):
        fresh = [item async for item in _until_connected(items)]
    assert [item.backlog for item in fresh] == [True] * 4


async def _until_connected(items: AsyncIterator[ChatItem]) -> AsyncIterator[ChatMessage]:
    async for item in items:
        if isinstance(item, ChatHealth):
            return
        if isinstance(item, ChatMessage):
            yield item
