"""The ten nastiest behaviours of YouTube, one test and more for each, in the order of the reference."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import ChatDeletion, ChatHealth, ChatMessage
from connectors.youtube.chat import YouTubeReplies
from connectors.youtube.figures import YouTubeAudience
from connectors.youtube.oauth import GoogleOAuth
from connectors.youtube.refusals import until_pacific_midnight
from tests.connectors.conftest import Rig, deaf_relay, next_message
from tests.connectors.youtube import (
    SHOW,
    Day,
    Purse,
    both_ways,
    calls,
    chat_ref,
    destination,
    fault,
    on_air,
    opened,
    pushing,
    reader,
    say,
    standing,
)


@pytest.fixture
def clock() -> Day:
    return Day()


@pytest.fixture
async def rig(clock: Day) -> AsyncIterator[Rig]:
    async with standing(clock) as made:
        yield made


# --- 1: a lost place replays history --------------------------------------------------------------


async def test_1_a_forgotten_page_token_restarts_without_repeats(rig: Rig, clock: Day) -> None:
    async for ref in both_ways(rig):
        await say(rig, "one", chat_ref=ref)
        items = reader(rig, clock).messages(ref)
        await next_message(items)
        await say(rig, "two", chat_ref=ref)
        clock.seconds += 60
        await fault(rig, "forget_place")
        two = await next_message(items)
        assert (two.text, two.backlog) == ("two", False)


async def test_1_a_cursor_youtube_no_longer_knows_is_reported_as_missed(rig: Rig, clock: Day) -> None:
    ref = await chat_ref(rig)
    await say(rig, "old")
    items = reader(rig, clock).messages(ref, cursor="tok_from_last_week")
    health = await anext(items)
    assert isinstance(health, ChatHealth)
    assert health.missed
    assert (await next_message(items)).backlog


# --- 2: the first page triggers old orders --------------------------------------------------------


async def test_2_history_is_backlog_however_many_pages_it_has(rig: Rig, clock: Day) -> None:
    ref = await chat_ref(rig)
    for number in range(5):
        await say(rig, f"SKU12 x{number}")
    clock.seconds += 600
    await fault(rig, "page_size", size=2)
    items = reader(rig, clock).messages(ref)
    old = [await next_message(items) for _ in range(5)]
    await say(rig, "SKU12 x9")
    assert [message.backlog for message in old] == [True] * 5
    assert not (await next_message(items)).backlog


# --- 3: out of order, without an author, of an unknown kind ---------------------------------------


async def test_3_messages_out_of_order_tombstones_and_unknown_kinds_all_pass(rig: Rig, clock: Day) -> None:
    ref = await chat_ref(rig)
    late, early = "2026-11-24T20:00:05Z", "2026-11-24T20:00:01Z"
    await say(rig, "second", snippet={"publishedAt": late})
    await say(rig, "first", snippet={"publishedAt": early})
    gone = await say(rig, "", snippet={"type": "tombstone", "hasDisplayContent": False})
    await say(rig, "hologram", snippet={"type": "hologramEvent"}, tomorrow=True)
    await fault(rig, "end_chat")
    items = [item async for item in reader(rig, clock).messages(ref)]
    told = [(item.text, item.kind) for item in items if isinstance(item, ChatMessage)]
    assert told == [("second", "text"), ("first", "text"), ("hologram", "notice")]
    assert [item.sent_at for item in items if isinstance(item, ChatMessage)][:2] == [
        datetime.fromisoformat(late),
        datetime.fromisoformat(early),
    ]
    assert [item for item in items if isinstance(item, ChatDeletion)] == [ChatDeletion(message_ids=(gone,))]


# --- 4: the quota is used up in the middle of a show ----------------------------------------------


async def test_4_a_show_is_ended_and_answered_when_reading_has_used_up_its_units(clock: Day) -> None:
    purse = Purse(units=10_000, reserve=1_500)
    async with standing(clock, purse=purse) as rig:
        made = await on_air(rig)
        assert made.chat_ref is not None
        purse.spent = 8_500
        with pytest.raises(RetryLater, match="quota"):
            await next_message(reader(rig, clock).messages(made.chat_ref))
        assert await YouTubeReplies(rig.session).send(made.chat_ref, "Bye", key="k1")
        purse.spent = purse.units
        with pytest.raises(RetryLater, match="quota"):
            await YouTubeReplies(rig.session).send(made.chat_ref, "too late", key="k2")
        await destination(rig).close(made.ref)
        assert (await rig.state())["broadcasts"][0]["status"]["lifeCycleStatus"] == "complete"


async def test_4_a_quota_google_calls_used_up_is_left_alone_by_everybody_until_midnight_there(
    clock: Day,
) -> None:
    purse = Purse(units=10_000, reserve=1_500)
    async with standing(clock, purse=purse) as rig:
        made = await on_air(rig)
        assert made.chat_ref is not None
        await fault(rig, "quota")
        with pytest.raises(RetryLater, match="quota is used up") as later:
            await next_message(reader(rig, clock).messages(made.chat_ref))
        assert 0 < later.value.after <= 25 * 3600 + 60
        assert await purse.left() == 0
        before = len((await rig.state())["calls"])
        assert (await YouTubeAudience(rig.session).now(made.ref)).viewers is None
        with pytest.raises(RetryLater):
            await destination(rig).status(made.ref)
        assert len((await rig.state())["calls"]) == before
        await fault(rig, "midnight")
        rig.session = replace(rig.session, budget=Purse(units=10_000, reserve=1_500))
        assert (await destination(rig).status(made.ref)).state == "live"


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 11, 24, 20, 0, tzinfo=UTC), 12),
        (datetime(2026, 7, 1, 20, 0, tzinfo=UTC), 11),
        (datetime(2026, 11, 1, 7, 0, tzinfo=UTC), 25),
    ],
)
def test_4_pacific_midnight_follows_the_clock_change(now: datetime, hours: float) -> None:
    assert until_pacific_midnight(now) == hours * 3600 + 60


# --- 5: the token dies, and the refresh meets an outage -------------------------------------------


async def test_5_a_token_that_expires_is_refreshed_once_and_the_chat_goes_on(rig: Rig, clock: Day) -> None:
    times = 0
    async for ref in both_ways(rig):
        await say(rig, "one", chat_ref=ref)
        items = reader(rig, clock).messages(ref)
        await next_message(items)
        clock.seconds += 60
        await fault(rig, "expire_token")
        await say(rig, "two", chat_ref=ref)
        assert (await next_message(items)).text == "two"
        times += 1
        assert len(rig.refreshes) == (await rig.state())["refreshes"] == times
        # The first connection, the refusal, and the one with the new token.
        assert await calls(rig, "/stream") == (3 if times == 1 else 4)


async def test_5_a_token_endpoint_that_is_down_is_not_a_dead_login_and_a_dead_one_is(rig: Rig) -> None:
    made = await opened(rig)
    await fault(rig, "expire_token")
    await fault(rig, "status", status=503, path="/token")
    with pytest.raises(RetryLater):
        await destination(rig).status(made.ref)
    assert (await destination(rig).status(made.ref)).state == "scheduled"
    # invalid_grant: revoked, or seven days old while the consent screen is in testing.
    await fault(rig, "revoke")
    with pytest.raises(Reconnect, match="Link the account again"):
        await destination(rig).status(made.ref)


async def test_5_refreshed_tokens_keep_the_refresh_token_and_know_their_end(rig: Rig, clock: Day) -> None:
    _, tokens = rig.fake.connection()
    assert tokens is not None
    fresh = await GoogleOAuth(now=clock.now).refresh(rig.session.http, rig.session.config, tokens)
    assert fresh.refresh == tokens.refresh
    assert fresh.access != tokens.access
    assert fresh.expires_at == datetime(2026, 11, 24, 20, 59, 59, tzinfo=UTC)


# --- 6: lost answers, and a client that sends again by itself -------------------------------------


@pytest.mark.parametrize("lost", ["answer breaks off", "closed without a word"])
async def test_6_a_lost_answer_to_insert_does_not_make_two_broadcasts(clock: Day, lost: str) -> None:
    async with standing(clock, through=deaf_relay if lost == "closed without a word" else None) as rig:
        if lost == "answer breaks off":
            await fault(rig, "lose", path="POST /youtube/v3/liveBroadcasts")
        made = await opened(rig)
        state = await rig.state()
        assert [item["id"] for item in state["broadcasts"]] == [made.ref]
        assert state["calls"].count("POST /youtube/v3/liveBroadcasts") == 1


@pytest.mark.parametrize("verb", ["bind", "transition"])
async def test_6_a_lost_answer_to_bind_or_transition_is_made_good_by_asking_again(
    rig: Rig, verb: str
) -> None:
    await fault(rig, "lose", path=f"/{verb}")
    with pytest.raises(RetryLater) as lost:
        await on_air(rig)
    assert lost.value.unknown
    made = await on_air(rig)
    assert (await destination(rig).status(made.ref)).state == "live"
    assert await calls(rig, "/transition") == 1
    assert (await rig.state())["streams"] == 1


async def test_6_a_reply_whose_answer_is_lost_is_sent_once_and_unknown(clock: Day) -> None:
    async with standing(clock) as rig:
        ref = await chat_ref(rig)
        async with deaf_relay(rig.base_url) as lossy:
            there = replace(rig.session, addresses=replace(rig.addresses, base_url=lossy))
            with pytest.raises(RetryLater) as later:
                await YouTubeReplies(there).send(ref, "once", key="k1")
        assert later.value.unknown
        assert (await rig.state())["sent"] == ["once"]


# --- 7: the stream is inactive for a while; auto-start races us -----------------------------------


async def test_7_an_inactive_stream_is_waited_for_without_paying_for_a_refusal(rig: Rig) -> None:
    made = await opened(rig)
    for _ in range(3):
        with pytest.raises(RetryLater, match="does not see our stream yet"):
            await destination(rig).started(made.ref)
    assert await calls(rig, "/transition") == 0
    with pytest.raises(RetryLater, match="does not see our stream yet"):
        await destination(rig)._transition(made.ref, "live")


async def test_7_two_who_start_the_same_broadcast_at_once_both_see_it_live(rig: Rig) -> None:
    made = await opened(rig)
    await pushing(rig, made)
    both = await asyncio.gather(*(destination(rig).started(made.ref) for _ in range(2)))
    assert {status.state for status in both} <= {"starting", "live"}
    assert (await destination(rig).started(made.ref)).state == "live"


# --- 8: disabled, ended, forbidden and gone look alike --------------------------------------------


async def test_8_a_chat_that_was_switched_off_is_looked_at_again(rig: Rig, clock: Day) -> None:
    made = await on_air(rig)
    assert made.chat_ref is not None
    await fault(rig, "no_chat")
    with pytest.raises(RetryLater, match="Switch it on in YouTube Studio") as later:
        await next_message(reader(rig, clock).messages(made.chat_ref))
    assert later.value.after == 90


async def test_8_a_chat_that_is_switched_off_after_the_show_has_simply_ended(rig: Rig, clock: Day) -> None:
    made = await on_air(rig)
    assert made.chat_ref is not None
    await destination(rig).close(made.ref)
    await fault(rig, "no_chat")
    assert [item async for item in reader(rig, clock).messages(made.chat_ref)] == []


async def test_8_the_chat_of_a_deleted_broadcast_is_refused_with_what_happened(rig: Rig, clock: Day) -> None:
    made = await opened(rig)
    assert made.chat_ref is not None
    await destination(rig).close(made.ref)
    with pytest.raises(Refused, match="its broadcast was deleted"):
        await next_message(reader(rig, clock).messages(made.chat_ref))


# --- 9: fields that are missing, answers that are no JSON -----------------------------------------


async def test_9_missing_fields_are_survived(rig: Rig, clock: Day) -> None:
    await fault(rig, "no_stream")
    await fault(rig, "sparse")
    await fault(rig, "viewers", viewers=None)
    made = await on_air(rig)
    assert made.chat_ref is not None
    await say(rig, "still here")
    items = reader(rig, clock).messages(made.chat_ref)
    message = await next_message(items)
    assert (message.text, message.author_name) == ("still here", "Ann")
    await say(rig, "and again")
    await next_message(items)
    assert clock.naps[0] == 2
    assert (await destination(rig).status(made.ref)).viewers is None


async def test_9_an_answer_that_is_no_json_is_an_outage(rig: Rig, clock: Day) -> None:
    ref = await chat_ref(rig)
    for body in ("html", "empty"):
        for path in ("/stream", "GET /youtube/v3/liveChat/messages"):
            await fault(rig, "status", status=502, path=path, **{body: True})
        with pytest.raises(RetryLater, match="502"):
            await next_message(reader(rig, clock).messages(ref))


async def test_9_a_slow_answer_is_waited_for(rig: Rig) -> None:
    await fault(rig, "slow", seconds=0.3, path="POST /youtube/v3/liveBroadcasts")
    assert (await opened(rig)).ref == "vid_0000001"


# --- 10: a blip, another chat, a stream that closes -----------------------------------------------


@pytest.mark.parametrize("way", ["push", "poll"])
async def test_10_an_encoder_that_drops_for_a_moment_does_not_end_the_chat(
    rig: Rig, clock: Day, way: str
) -> None:
    if way == "poll":
        await fault(rig, "no_stream")
    made = await on_air(rig)
    assert made.chat_ref is not None
    items = reader(rig, clock).messages(made.chat_ref)
    await say(rig, "before")
    await next_message(items)
    clock.seconds += 60
    await pushing(rig, made, "done")
    await fault(rig, "cut")
    await say(rig, "during")
    assert (await next_message(items)).text == "during"
    await pushing(rig, made)
    await say(rig, "after")
    assert (await next_message(items)).text == "after"
    assert (await destination(rig).status(made.ref)).state == "live"


async def test_10_a_broadcast_begun_anew_names_its_new_chat(rig: Rig, clock: Day) -> None:
    made = await on_air(rig)
    assert made.chat_ref is not None
    items = reader(rig, clock).messages(made.chat_ref)
    await fault(rig, "new_chat")
    assert [item async for item in items if not isinstance(item, ChatHealth)] == []
    again = await destination(rig).open(SHOW)
    assert (again.ref, again.key) == (made.ref, made.key)
    assert again.chat_ref != made.chat_ref


async def test_10_a_stream_closed_every_ten_seconds_loses_and_doubles_nothing(rig: Rig, clock: Day) -> None:
    made = await on_air(rig)
    assert made.chat_ref is not None
    await fault(rig, "stream_life", seconds=10)
    items = reader(rig, clock).messages(made.chat_ref)
    for number in range(4):
        await say(rig, f"message {number}")
        message = await next_message(items)
        assert (message.text, message.backlog) == (f"message {number}", number == 0)
        clock.seconds += 11
    assert await calls(rig, "/stream") >= 3
