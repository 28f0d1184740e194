"""Facebook over real sockets with facebook-sdk: what goes wrong, and what we make of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import facebook
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.base import Addresses
from connectors.errors import Reconnect, Refused, RetryLater
from connectors.facebook import CONNECTOR
from connectors.facebook.api import Usage
from connectors.facebook.chat import FacebookChat
from connectors.facebook.comments import comments_of, message
from connectors.facebook.destination import FacebookDestination, split_key
from connectors.facebook.errors import Lacking, classify, counters, graph_error
from connectors.facebook.fake import Fake
from connectors.facebook.replies import FacebookComments
from connectors.types import ChatItem, ChatMessage, Tokens
from tests.connectors.conftest import Rig, deaf_relay, next_message, reaching
from tests.connectors.facebook import PUSH_ONLY, SHOW, next_health, opened, reading, say

SAMPLES = Path(__file__).parents[2] / "connectors" / "facebook" / "samples"


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


# --- destination ----------------------------------------------------------------------------------


async def test_opening_twice_gives_the_same_live_video(rig: Rig) -> None:
    destination = FacebookDestination(rig.session)
    first, second = await destination.open(SHOW), await destination.open(SHOW)
    assert first == second
    assert len((await rig.state())["broadcasts"]) == 1
    assert first.url == "rtmps://live-api-s.facebook.com:443/rtmp"
    assert first.key.get_secret_value().endswith("?s_bl=1&s_ps=1")


async def test_a_live_video_is_pushed_to_by_both_entrances(rig: Rig) -> None:
    first = await FacebookDestination(rig.session).open(SHOW)
    assert first.backup is not None
    assert first.backup.url == first.url
    second = first.backup.key.get_secret_value()
    assert second != first.key.get_secret_value()
    assert second.startswith("FB-")
    assert second not in repr(first)
    await rig.ctl("ingest", event="publish", app="rtmp", key=second)


async def test_an_app_that_may_not_ask_for_the_second_entrance_uses_the_first(rig: Rig) -> None:
    await rig.ctl("fault", kind="unknown_field", field="secure_stream_secondary_urls")
    assert (await FacebookDestination(rig.session).open(SHOW)).backup is None


async def test_a_public_show_goes_live_when_the_stream_arrives(rig: Rig) -> None:
    destination = FacebookDestination(rig.session)
    ingest = await destination.open(SHOW)
    waiting = await destination.started(ingest.ref)
    await rig.ctl("ingest", event="publish", app="rtmp", key=ingest.key.get_secret_value())
    live = await destination.started(ingest.ref)
    assert (waiting.state, waiting.receiving) == ("starting", False)
    assert (live.state, live.receiving, live.viewers) == ("live", True, 0)


async def test_a_show_that_is_not_public_is_never_published(rig: Rig) -> None:
    destination = FacebookDestination(rig.session)
    ingest = await destination.open(SHOW.model_copy(update={"privacy": "unlisted"}))
    await rig.ctl("ingest", event="publish", app="rtmp", key=ingest.key.get_secret_value())
    live = await destination.started(ingest.ref)
    assert live.state == "live"
    assert "Only people who manage the Page" in (live.reason or "")
    assert (await rig.state())["broadcasts"][0]["status"] == "UNPUBLISHED"


async def test_a_wrong_stream_key_is_refused_by_the_fake(rig: Rig) -> None:
    await opened(rig)
    answer = await rig.control.post("/_ctl/ingest", json={"event": "publish", "app": "rtmp", "key": "guess"})
    assert answer.status_code == 403


@pytest.mark.parametrize("lost", ["answer breaks off", "closed without a word"])
async def test_a_lost_answer_to_creation_does_not_make_two_live_videos(lost: str) -> None:
    through = deaf_relay if lost == "closed without a word" else None
    async with reaching(CONNECTOR, Fake(seed=3), through=through) as rig:
        if through is None:
            await rig.ctl("fault", kind="lose", path="POST")
        ref = (await FacebookDestination(rig.session).open(SHOW)).ref
        state = await rig.state()
        assert [video["id"] for video in state["broadcasts"]] == [ref]
        assert sum(call.startswith("POST") for call in state["calls"]) == 1


async def test_two_addresses_in_one_process_do_not_mix(rig: Rig) -> None:
    before = facebook.FACEBOOK_GRAPH_URL
    async with reaching(CONNECTOR, Fake(seed=4)) as other:
        one, two = FacebookDestination(rig.session), FacebookDestination(other.session)
        await asyncio.gather(*(place.open(SHOW) for place in (one, two)))
        for made in (await rig.state(), await other.state()):
            assert len(made["broadcasts"]) == 1
    assert before == facebook.FACEBOOK_GRAPH_URL == "https://graph.facebook.com/"


def test_the_key_keeps_its_query() -> None:
    created = json.loads((SAMPLES / "live_video_created.json").read_text())
    assert split_key(created["secure_stream_url"]) == ("rtmps://sim:443/rtmp", "FB-lv_1-0-KEY?s_bl=1&s_ps=1")


@given(key=st.from_regex(r"[A-Za-z0-9-]+(\?[a-z_]+=[a-z0-9/?]*)?", fullmatch=True))
def test_any_key_is_split_off_whole(key: str) -> None:
    assert split_key(f"rtmps://sim:443/rtmp/{key}") == ("rtmps://sim:443/rtmp", key)


# --- chat -----------------------------------------------------------------------------------------


async def test_comments_are_pushed_and_what_was_there_before_is_backlog(rig: Rig) -> None:
    ref = await opened(rig)
    await say(rig, "before")
    async with reading(rig, ref, PUSH_ONLY) as items:
        before = await next_message(items)
        await next_health(items, "connected")
        await say(rig, "after")
        after = await next_message(items)
    assert (before.text, before.backlog) == ("before", True)
    assert (after.text, after.backlog, after.author_name) == ("after", False, "Ann")


async def test_without_a_push_comments_are_read(rig: Rig) -> None:
    ref = await opened(rig)
    await rig.ctl("fault", kind="refuse_push")
    async with reading(rig, ref) as items:
        assert "read instead" in (await next_health(items, "degraded")).detail
        await say(rig, "hello", anonymous=True)
        got = await next_message(items)
    assert (got.text, got.author_id) == ("hello", None)


async def test_throttled_reading_without_a_push_waits_as_long_as_facebook_says(rig: Rig) -> None:
    ref = await opened(rig)
    await rig.ctl("fault", kind="refuse_push")
    await rig.ctl("fault", kind="throttle", minutes=3, path="comments")
    async with reading(rig, ref) as items:
        with pytest.raises(RetryLater) as later:
            await next_message(items)
    assert later.value.after == 180


async def test_reading_resumes_at_the_cursor(rig: Rig) -> None:
    ref = await opened(rig)
    await say(rig, "one")
    async with reading(rig, ref) as items:
        first = await next_message(items)
    await say(rig, "two")
    async with reading(rig, ref, cursor=first.cursor) as items:
        again = await next_message(items)
    assert (again.text, again.backlog) == ("two", False)


async def test_a_cursor_facebook_no_longer_knows_is_reported_as_missed(rig: Rig) -> None:
    ref = await opened(rig)
    await say(rig, "old")
    async with reading(rig, ref, cursor="QV0-7") as items:
        assert (await next_health(items, "degraded")).missed
        assert (await next_message(items)).backlog


async def test_a_cursor_forgotten_while_reading_repeats_nothing(rig: Rig) -> None:
    ref = await opened(rig)
    await rig.ctl("fault", kind="refuse_push")
    await say(rig, "one")
    async with reading(rig, ref) as items:
        await next_message(items)
        await rig.ctl("fault", kind="forget_place")
        await say(rig, "two")
        two = await next_message(items)
    assert (two.text, two.backlog) == ("two", False)


async def test_more_comments_than_a_page_come_in_order(rig: Rig) -> None:
    ref = await opened(rig)
    await say(rig, "c", count=105)
    async with reading(rig, ref) as items:
        assert [(await next_message(items)).text for _ in range(105)] == [f"c{n}" for n in range(105)]


async def test_the_chat_ends_with_the_live_video(rig: Rig) -> None:
    ref, live = await opened(rig), (await FacebookDestination(rig.session).open(SHOW)).ref
    await say(rig, "bye")
    await FacebookDestination(rig.session).close(live)
    async with reading(rig, ref) as items, asyncio.timeout(10):
        got = [item.text async for item in items if isinstance(item, ChatMessage)]
    assert got == ["bye"]


async def test_closing_the_reader_closes_the_push(rig: Rig) -> None:
    ref = await opened(rig)
    others = asyncio.all_tasks()
    async with reading(rig, ref, PUSH_ONLY) as items:
        await next_health(items, "connected")
        mine = [task for task in asyncio.all_tasks() - others if "_listen" in repr(task)]
        assert len(mine) == 1
    assert mine[0].done()


async def test_a_reply_comes_back_with_the_id_it_was_given(rig: Rig) -> None:
    ref = await opened(rig)
    sent = await FacebookComments(rig.session).send(ref, "hello", key="k1")
    async with reading(rig, ref) as items:
        assert (await next_message(items)).id == sent
    with pytest.raises(Refused, match="already has exactly this comment"):
        await FacebookComments(rig.session).send(ref, "hello", key="k2")


async def test_moving_only_the_graph_address_never_reaches_the_real_stream_host(rig: Rig) -> None:
    ref = (await FacebookDestination(rig.session).open(SHOW)).ref
    moved = Addresses(base_url=rig.base_url, ws_url=CONNECTOR.addresses.ws_url)
    session = CONNECTOR.session(rig.session.http, rig.session.config, moved)
    items = FacebookChat(session, PUSH_ONLY).messages(ref)
    async with aclosing(cast("AsyncGenerator[ChatItem, None]", items)) as generator:
        await next_health(generator, "connected")
    assert f"GET /{ref}/live_comments" in (await rig.state())["calls"]


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        ({"code": 190, "error_subcode": 463}, Reconnect, "login has expired"),
        ({"code": 190, "error_subcode": 458}, Reconnect, "app was removed"),
        ({"code": 102}, Reconnect, "no longer accepts"),
        ({"code": 200}, Lacking, "lacks a permission"),
        ({"code": 10}, Lacking, "lacks a permission"),
        ({"code": 10, "error_subcode": 2018278}, Refused, "too old"),
        ({"code": 10900}, Refused, "answered already"),
        ({"code": 10903, "error_subcode": 1893062}, Refused, "no private message"),
        ({"code": 2}, RetryLater, "down"),
        ({"code": 99, "is_transient": True}, RetryLater, "down"),
        ({"code": 613}, RetryLater, "slow down"),
        ({"code": 368}, Refused, "blocked this Page"),
        ({"code": 100, "error_subcode": 33}, Refused, "no longer knows"),
        ({"code": 100, "message": "bad title"}, Refused, "bad title"),
    ],
)
def test_codes_decide_what_an_error_means(error: dict[str, Any], kind: type[Exception], said: str) -> None:
    mapped = graph_error(error, 400, {}, write=False)
    assert type(mapped) is kind
    assert said in mapped.reason


def test_the_sample_of_a_throttled_answer_is_retried_later() -> None:
    body = (SAMPLES / "error_throttled.json").read_bytes()
    assert isinstance(classify(400, {}, body), RetryLater)
    assert classify(500, {}, b"<html>") is None
    assert isinstance(classify(200, {}, body), RetryLater)
    assert classify(200, {}, b'{"data": []}') is None


def test_the_sample_of_a_second_private_answer_is_a_definite_no() -> None:
    error = classify(400, {}, (SAMPLES / "error_answered.json").read_bytes())
    assert isinstance(error, Refused)
    assert error.code == "answered"


def test_the_fullest_counter_counts_and_an_unreadable_one_does_not() -> None:
    usage = {"1": [{"type": "pages", "call_count": 10, "total_time": 80, "total_cputime": 5}]}
    headers = {"x-business-use-case-usage": json.dumps(usage), "x-app-usage": '{"call_count": 28}'}
    assert counters(headers) == {"1 pages": 80, "x-app-usage": 28}
    assert counters({"x-app-usage": "soon", "x-page-usage": "[]"}) == {}


def test_a_counter_of_another_kind_or_none_at_all_makes_no_other_smaller() -> None:
    now = 0.0
    usage = Usage(lambda: now)

    def business(kind: str, percent: float) -> dict[str, str]:
        return {"x-business-use-case-usage": json.dumps({"7": [{"type": kind, "call_count": percent}]})}

    usage.note(business("pages", 96))
    usage.note(business("messenger", 3))
    usage.note({"x-app-usage": '{"call_count": 28}'})
    usage.note({})
    throttled = {"7": [{"type": "pages", "estimated_time_to_regain_access": 3}]}
    usage.note({"x-business-use-case-usage": json.dumps(throttled)})
    assert usage.percent == 96
    usage.note(business("pages", 40))
    assert usage.percent == 40
    now = 301.0
    usage.note(business("messenger", 5))
    assert usage.percent == 5, "what nobody told for five minutes says nothing"


async def test_a_token_facebook_quotes_back_is_cut_out(rig: Rig) -> None:
    stolen = "EAAG" + "x" * 60
    async with reaching(
        CONNECTOR, Fake(seed=3), tokens=lambda _: Tokens(access=SecretStr(stolen))
    ) as spoiled:
        with pytest.raises(Reconnect) as dead:
            await FacebookDestination(spoiled.session).open(SHOW)
        assert stolen not in repr(dead.value)
        assert spoiled.session.config.app_secret.get_secret_value() not in repr(spoiled.session.config)
    # The server is gone now: requests' own error would name the address with the token in it.
    with pytest.raises(RetryLater) as gone:
        await FacebookDestination(spoiled.session).open(SHOW)
    assert stolen not in repr(gone.value)
    assert gone.value.__suppress_context__
    quoted = graph_error({"code": 100, "message": f"bad {stolen}"}, 400, {}, write=False)
    assert stolen not in quoted.reason


def test_comments_are_read_from_samples() -> None:
    page = json.loads((SAMPLES / "comments.json").read_text())
    first, second = (message("p_1", raw, "42", backlog=False) for raw in page["data"])
    assert (first.id, first.reply_to) == ("p_1_9", "p_1_3")
    assert (first.text, first.author_id, first.sent_at) == (
        "SKU12 x2",
        "psid_7",
        datetime(2026, 11, 24, 10, 1, 2, tzinfo=UTC),
    )
    assert second.author_id is None
    pushed = (SAMPLES / "push_comment.json").read_text()
    assert comments_of(pushed)[0]["message"] == "SKU12 x2"
    assert comments_of(f"[{pushed}]") == comments_of(pushed)
    assert comments_of('{"id": "9", "mess') == []
