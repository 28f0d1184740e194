"""The ten nastiest things Facebook does (reference E2), each over real sockets against the fake."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.facebook import CONNECTOR
from connectors.facebook.destination import FacebookDestination
from connectors.facebook.fake import Fake
from connectors.facebook.moderation import hide
from connectors.facebook.replies import FacebookComments
from connectors.facebook.webhooks import FacebookWebhooks
from connectors.types import ChatDeletion, ChatMessage, Webhook
from tests.connectors.conftest import Rig, deaf_relay, next_message, reaching, serving
from tests.connectors.facebook import (
    PUSH_ONLY,
    SHOW,
    next_deletion,
    next_health,
    opened,
    reading,
    say,
    told,
)
from tests.connectors.inbox import Inbox


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


def webhooks(rig: Rig) -> FacebookWebhooks:
    return FacebookWebhooks(rig.session.config)


async def test_1_a_comment_by_push_by_reading_and_by_webhook_is_one_message(rig: Rig) -> None:
    ref = await opened(rig)
    inbox = Inbox(webhooks(rig))
    async with serving(inbox.app) as url, reading(rig, ref) as items:
        await next_health(items, "connected")
        await rig.ctl("webhook_url", url=f"{url}hook")
        # Pushed as `c`, `post_c` and `video_c`, told as `post_c`, read as `page_post_c`.
        await rig.ctl("fault", kind="repeat")
        await say(rig, "one")
        await say(rig, "two")
        read = [await next_message(items) for _ in range(2)]
        news = told(await inbox.until(2))
    assert [one.text for one in read] == ["one", "two"]
    assert {piece.chat_ref for piece in news} == {ref}
    assert {item.id for piece in news for item in piece.items if isinstance(item, ChatMessage)} == {
        one.id for one in read
    }


async def test_2_what_the_push_drops_and_what_is_said_while_it_is_gone_is_read(rig: Rig) -> None:
    ref = await opened(rig)
    async with reading(rig, ref) as items:
        await next_health(items, "connected")
        await say(rig, "thought to be of low quality", low_quality=True)
        assert (await next_message(items)).text == "thought to be of low quality"
    async with reading(rig, ref, PUSH_ONLY) as items:
        await next_health(items, "connected")
        await say(rig, "pushed")
        got = [(await next_message(items)).text]
        await rig.ctl("fault", kind="drop_push")
        await rig.ctl("fault", kind="deaf_push")
        await say(rig, "while the push was gone")
        assert (await next_health(items, "degraded")).missed is False
        got.append((await next_message(items)).text)
        await next_health(items, "connected")
        await say(rig, "pushed again")
        got.append((await next_message(items)).text)
    assert got == ["pushed", "while the push was gone", "pushed again"]


async def test_3_a_comment_without_an_author_is_a_message_and_never_ours(rig: Rig) -> None:
    ref = await opened(rig)
    async with reading(rig, ref) as items:
        await say(rig, "who am I", anonymous=True)
        nobody = await next_message(items)
        await say(rig, "and I?", author="", author_id="psid_9")
        nameless = await next_message(items)
    assert (nobody.author_id, nobody.author_name, nobody.ours) == (None, None, False)
    assert (nameless.author_id, nameless.ours) == ("psid_9", False)


async def test_4_pages_emptied_by_deletions_and_late_comments_lose_nothing(rig: Rig) -> None:
    ref = await opened(rig)
    await rig.ctl("fault", kind="refuse_push")
    ids = (await rig.ctl("chat", text="c", count=102))["ids"]
    assert rig.connector.moderation is not None
    assert rig.connector.moderation.delete is not None
    # A whole page is gone, but it still has a next one.
    delete = rig.connector.moderation.delete
    await asyncio.gather(*(delete(rig.session, ref, one) for one in ids[:100]))
    async with reading(rig, ref) as items:
        assert [(await next_message(items)).text for _ in range(2)] == ["c100", "c101"]
        await say(rig, "after them")
        assert (await next_message(items)).text == "after them"
    assert (await rig.state())["comments"] == 3


@pytest.mark.parametrize(("subcode", "why"), [(460, "password"), (463, "expired"), (467, "invalidated")])
async def test_5_a_login_that_dies_mid_show_is_reconnect_though_the_push_just_ends(
    rig: Rig, subcode: int, why: str
) -> None:
    ref = await opened(rig)
    async with reading(rig, ref, PUSH_ONLY) as items:
        await next_health(items, "connected")
        await rig.ctl("fault", kind="kill_token", subcode=subcode)
        await rig.ctl("fault", kind="drop_push")
        with pytest.raises(Reconnect, match=why):
            await next_message(items)


@pytest.mark.parametrize("code", [4, 32, 80001])
async def test_6_reading_that_is_throttled_without_warning_does_not_stop_the_push(
    rig: Rig, code: int
) -> None:
    ref = await opened(rig)
    async with reading(rig, ref) as items:
        await next_health(items, "connected")
        await rig.ctl("fault", kind="throttle", path="comments", code=code)
        assert "slow down" in (await next_health(items, "degraded")).detail
        await say(rig, "still here")
        assert (await next_message(items)).text == "still here"
        # The push comes back while we rest: that is no leave to read, which would lengthen the penalty.
        reads = sum(call.endswith("/comments") for call in (await rig.state())["calls"])
        await rig.ctl("fault", kind="drop_push")
        with pytest.raises(RetryLater) as later:
            await next_message(items)
        assert later.value.after > 250
        assert sum(call.endswith("/comments") for call in (await rig.state())["calls"]) == reads


async def test_6_a_reader_that_was_held_up_says_so_and_when_it_is_well_again(rig: Rig) -> None:
    ref = await opened(rig)
    async with reading(rig, ref) as items:
        await next_health(items, "connected")
        await rig.ctl("fault", kind="status", status=503, retry_after=0.05, path="comments")
        await next_health(items, "degraded")
        assert (await next_health(items, "connected")).detail == ""


@pytest.mark.parametrize(
    ("trouble", "wanted", "unknown"),
    [
        ({"kind": "status", "status": 200, "code": 2}, RetryLater, True),
        ({"kind": "status", "status": 200, "code": 190}, Reconnect, False),
        ({"kind": "status", "status": 503, "html": True}, RetryLater, True),
        ({"kind": "answer", "body": {"success": False}}, RetryLater, False),
        ({"kind": "answer", "body": False}, RetryLater, False),
    ],
)
async def test_7_success_is_read_from_the_body_and_not_from_the_status(
    rig: Rig, trouble: dict[str, Any], wanted: type[ConnectorError], unknown: bool
) -> None:
    ref = await opened(rig)
    await rig.ctl("fault", **trouble, path="POST")
    with pytest.raises(wanted) as raised:
        await FacebookComments(rig.session).send(ref, "hello", key="k1")
    assert getattr(raised.value, "unknown", False) is unknown


async def test_7_a_bare_true_is_a_success_where_nothing_else_is_needed(rig: Rig) -> None:
    destination = FacebookDestination(rig.session)
    ref = (await destination.open(SHOW)).ref
    await rig.ctl("fault", kind="answer", body=True, path="POST")
    await destination.close(ref)
    await rig.ctl("fault", kind="answer", body=True, path="GET")
    with pytest.raises(RetryLater, match="unreadable"):
        await destination.status(ref)
    # A 200 that carries an error instead of events is no push, not one that ends again and again.
    await rig.ctl("fault", kind="error_push")
    async with reading(rig, ref) as items:
        assert "read instead" in (await next_health(items, "degraded")).detail


async def test_8_ending_twice_or_into_a_void_ends_once_and_processing_is_not_the_end(rig: Rig) -> None:
    destination = FacebookDestination(rig.session)
    ref = (await destination.open(SHOW)).ref
    await rig.ctl("fault", kind="slow_stop")
    await rig.ctl("fault", kind="lose", path=f"POST /v26.0/{ref}")
    with pytest.raises(RetryLater) as lost:
        await destination.close(ref)
    assert lost.value.unknown
    await destination.close(ref)
    assert [(await destination.status(ref)).state for _ in range(3)] == ["ending"] * 3
    await destination.close(ref)
    await destination.close("120000000000099")
    with pytest.raises(Refused, match="has ended on Facebook"):
        await destination.open(SHOW)
    async with reading(rig, ref) as items, asyncio.timeout(10):
        assert [item async for item in items if isinstance(item, ChatMessage)] == []


async def test_9_webhooks_late_doubled_batched_and_out_of_order_tell_the_same_story(rig: Rig) -> None:
    ref = await opened(rig)
    inbox = Inbox(webhooks(rig))
    async with serving(inbox.app) as url, reading(rig, ref) as items:
        await next_health(items, "connected")
        await rig.ctl("webhook_url", url=f"{url}hook")
        await rig.ctl("fault", kind="duplicate_webhook")
        await say(rig, "👩‍👧 Größe M? ä/b")
        first = told(await inbox.until(2))
        assert first[0] == first[1]
        assert len({delivery for delivery, _ in inbox.got}) == 1
        # Held for minutes, then all in one delivery, newest first: the removal before what it removes.
        await rig.ctl("fault", kind="hold_webhooks")
        bad = await say(rig, "rude")
        await say(rig, "polite")
        assert rig.connector.moderation is not None
        assert rig.connector.moderation.delete is not None
        await rig.connector.moderation.delete(rig.session, ref, bad)
        await rig.ctl("fault", kind="release_webhooks")
        [news] = told((await inbox.until(3))[2:])
    assert [item.text for item in first[0].items if isinstance(item, ChatMessage)] == ["👩‍👧 Größe M? ä/b"]
    key = f"{ref}_{bad.rpartition('_')[2]}"
    assert [item.message_ids for item in news.items if isinstance(item, ChatDeletion)] == [(key,)]
    assert [item.text for item in news.items if isinstance(item, ChatMessage)] == ["polite"]


def test_9_a_thousand_updates_in_one_delivery_are_read_and_signed_as_escaped() -> None:
    fake = Fake(seed=3)
    config = CONNECTOR.config.model_validate(fake.connection()[0])
    value = {"item": "comment", "verb": "add", "post_id": "1_2", "message": "❤", "created_time": 1795514461}
    entries = [
        {"id": "1", "time": 1, "changes": [{"field": "feed", "value": {**value, "comment_id": f"2_{n}"}}]}
        for n in range(1000)
    ]
    body = json.dumps({"object": "page", "entry": entries}).encode()
    made = hmac.new(config.app_secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
    told_by = FacebookWebhooks(config)
    hook = Webhook(
        headers={"x-hub-signature-256": f"sha256={made}"}, body=body, received_at=datetime.now(UTC)
    )
    assert told_by.verify(hook)
    # The same words unescaped are other bytes, whatever they mean.
    naive = json.dumps(json.loads(body), ensure_ascii=False).encode()
    with pytest.raises(Refused):
        told_by.verify(hook.model_copy(update={"body": naive}))
    [news] = told([("", fact) for fact in told_by.parse(body)])
    assert len(news.items) == 1000


async def test_10_blocked_and_doubled_replies_are_told_apart_and_what_was_hidden_stays_hidden(
    rig: Rig,
) -> None:
    ref = await opened(rig)
    comments = FacebookComments(rig.session)
    await rig.ctl("fault", kind="status", status=403, path="POST")
    with pytest.raises(Refused, match="blocked this Page") as blocked:
        await comments.send(ref, "hello", key="k1")
    assert blocked.value.code == "368"
    await comments.send(ref, "hello", key="k2")
    with pytest.raises(Refused, match="already has exactly this comment"):
        await comments.send(ref, "hello", key="k3")
    async with reading(rig, ref) as items:
        await next_health(items, "connected")
        await rig.ctl("fault", kind="repeat")
        rude = await say(rig, "rude")
        shown = await next_message(items)
        while shown.text != "rude":
            shown = await next_message(items)
        await hide(rig.session, ref, rude)
        assert (await next_deletion(items)).message_ids == (shown.id,)
        await say(rig, "next")
        assert (await next_message(items)).text == "next"
    assert (await rig.state())["hidden"] == ["rude"]


async def test_10_a_reply_whose_answer_is_lost_is_unknown_and_comes_back_as_ours() -> None:
    async with reaching(CONNECTOR, Fake(seed=3), through=deaf_relay) as rig:
        ref = await opened(rig)
        with pytest.raises(RetryLater) as lost:
            await FacebookComments(rig.session).send(ref, "hello", key="k1")
        assert lost.value.unknown
        async with reading(rig, ref) as items:
            back = await next_message(items)
        assert (back.text, back.ours) == ("hello", True)
