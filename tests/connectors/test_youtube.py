"""YouTube over real sockets with Google's own client: what goes wrong, and what we make of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import Broadcast, ChatDeletion, ChatHealth, ChatMessage, Money, Tokens
from connectors.youtube import CONNECTOR
from connectors.youtube.api import until_pacific_midnight
from connectors.youtube.chat import YouTubeChat, YouTubeReplies, chat_item
from connectors.youtube.destination import YouTubeDestination
from connectors.youtube.fake import Fake
from connectors.youtube.oauth import GoogleOAuth
from tests.connectors.conftest import Clock, Rig, deaf_relay, next_message, reaching

SAMPLES = Path(__file__).parents[2] / "connectors" / "youtube" / "samples"
SHOW = Broadcast(title="Autumn show", description="Coats", privacy="unlisted", marker="show-1")


@pytest.fixture
async def rig(clock: Clock) -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3, now=clock.monotonic)) as made:
        yield made


async def live_chat(rig: Rig) -> str:
    """A broadcast's chat, ready to be read."""
    opened = await YouTubeDestination(rig.session).open(SHOW)
    assert opened.chat_ref is not None
    return opened.chat_ref


async def on_air(rig: Rig) -> tuple[YouTubeDestination, str]:
    """A broadcast that is live."""
    destination = YouTubeDestination(rig.session)
    opened = await destination.open(SHOW)
    await rig.ctl("ingest", event="publish", app="live2", key=opened.key.get_secret_value())
    await destination.started(opened.ref)
    assert (await destination.started(opened.ref)).state == "live"
    return destination, opened.ref


async def say(rig: Rig, text: str, **more: Any) -> None:
    await rig.ctl("chat", author="Ann", author_id="UC_ann", text=text, **more)


# --- destination ----------------------------------------------------------------------------------


async def test_opening_twice_gives_the_same_broadcast(rig: Rig) -> None:
    destination = YouTubeDestination(rig.session)
    first, second = await destination.open(SHOW), await destination.open(SHOW)
    state = await rig.state()
    assert first == second
    assert len(state["broadcasts"]) == 1
    assert state["broadcasts"][0]["contentDetails"]["enableAutoStop"] is False
    assert first.url == "rtmps://a.rtmps.youtube.com:443/live2"
    assert first.watch_url == f"https://www.youtube.com/watch?v={first.ref}"
    assert first.backup is not None
    assert first.backup.url == "rtmps://b.rtmps.youtube.com:443/live2?backup=1"
    assert first.backup.key == first.key


async def test_what_stands_in_for_youtubes_ingest_has_no_second_entrance(rig: Rig) -> None:
    elsewhere = replace(rig.session, addresses=replace(rig.addresses, ingest_url="rtmp://127.0.0.1:9/live"))
    opened = await YouTubeDestination(elsewhere).open(SHOW)
    assert (opened.url, opened.backup) == ("rtmp://127.0.0.1:9/live", None)


async def test_two_shows_never_share_a_stream_key_and_an_ended_one_gives_its_key_back(rig: Rig) -> None:
    destination, ref = await on_air(rig)
    other = await destination.open(SHOW.model_copy(update={"marker": "show-2"}))
    first_key = (await destination.open(SHOW)).key
    assert other.key != first_key
    await destination.close(ref)
    await rig.ctl("ingest", event="done", app="live2", key=first_key.get_secret_value())
    third = await destination.open(SHOW.model_copy(update={"marker": "show-3"}))
    assert third.key == first_key


async def test_the_broadcast_is_found_beyond_the_first_page(rig: Rig) -> None:
    destination = YouTubeDestination(rig.session)
    opened = [await destination.open(SHOW.model_copy(update={"marker": f"show-{n}"})) for n in range(52)]
    assert await destination.open(SHOW.model_copy(update={"marker": "show-51"})) == opened[51]


async def test_it_goes_live_when_youtube_sees_the_stream(rig: Rig) -> None:
    destination = YouTubeDestination(rig.session)
    opened = await destination.open(SHOW)
    with pytest.raises(RetryLater) as early:
        await destination.started(opened.ref)
    assert early.value.after == 3
    await rig.ctl("ingest", event="publish", app="live2", key=opened.key.get_secret_value())
    assert (await destination.started(opened.ref)).state == "starting"
    live = await destination.started(opened.ref)
    assert (live.state, live.receiving, live.viewers) == ("live", True, 0)


async def test_a_wrong_stream_key_is_refused_by_the_fake(rig: Rig) -> None:
    await YouTubeDestination(rig.session).open(SHOW)
    answer = await rig.control.post("/_ctl/ingest", json={"event": "publish", "app": "live2", "key": "guess"})
    assert answer.status_code == 403


async def test_closing_twice_is_harmless_and_a_broadcast_that_was_never_live_disappears(rig: Rig) -> None:
    destination, ref = await on_air(rig)
    await destination.close(ref)
    await destination.close(ref)
    assert (await destination.status(ref)).state == "ended"
    unused = await destination.open(SHOW.model_copy(update={"marker": "show-2"}))
    await destination.close(unused.ref)
    await destination.close(unused.ref)
    assert [item["id"] for item in (await rig.state())["broadcasts"]] == [ref]


async def test_an_ended_broadcast_is_not_opened_again(rig: Rig) -> None:
    destination, ref = await on_air(rig)
    await destination.close(ref)
    with pytest.raises(Refused, match="has ended on YouTube"):
        await destination.open(SHOW)


async def test_a_wrong_transition_is_refused(rig: Rig) -> None:
    destination = YouTubeDestination(rig.session)
    opened = await destination.open(SHOW)
    with pytest.raises(Refused) as refused:
        await destination._transition(opened.ref, "complete")
    assert refused.value.code == "invalidTransition"
    with pytest.raises(RetryLater):
        await destination._transition(opened.ref, "live")


async def test_a_transition_somebody_else_made_is_success(rig: Rig) -> None:
    destination, ref = await on_air(rig)
    await destination._go_live(ref)
    assert (await destination.started(ref)).state == "live"


@pytest.mark.parametrize("lost", ["answer breaks off", "closed without a word"])
async def test_a_lost_answer_to_insert_does_not_make_two_broadcasts(clock: Clock, lost: str) -> None:
    through = deaf_relay if lost == "closed without a word" else None
    async with reaching(CONNECTOR, Fake(now=clock.monotonic), through=through) as rig:
        if through is None:
            await rig.ctl("fault", kind="lose", path="POST /youtube/v3/liveBroadcasts")
        destination = YouTubeDestination(rig.session)
        opened = await destination.open(SHOW)
        state = await rig.state()
        assert [item["id"] for item in state["broadcasts"]] == [opened.ref]
        assert state["calls"].count("POST /youtube/v3/liveBroadcasts") == 1


async def test_an_unreachable_youtube_is_retried_later(rig: Rig) -> None:
    await rig.ctl("fault", kind="status", status=502, html=True)
    with pytest.raises(RetryLater, match="502"):
        await YouTubeDestination(rig.session).status("vid_0000001")


# --- chat -----------------------------------------------------------------------------------------


async def test_the_first_page_is_backlog_and_what_follows_is_not(rig: Rig, clock: Clock) -> None:
    chat_ref = await live_chat(rig)
    await say(rig, "before")
    items = YouTubeChat(rig.session, clock.sleep).messages(chat_ref)
    before = await next_message(items)
    await say(rig, "after")
    after = await next_message(items)
    assert (before.text, before.backlog, before.author_id) == ("before", True, "UC_ann")
    assert (after.text, after.backlog, after.author_name) == ("after", False, "Ann")


async def test_reading_resumes_at_the_cursor_without_repeats(rig: Rig, clock: Clock) -> None:
    chat_ref = await live_chat(rig)
    await say(rig, "one")
    first = await next_message(YouTubeChat(rig.session, clock.sleep).messages(chat_ref))
    await say(rig, "two")
    clock.seconds += 60
    again = await next_message(YouTubeChat(rig.session, clock.sleep).messages(chat_ref, cursor=first.cursor))
    assert (again.text, again.backlog) == ("two", False)


async def test_the_polling_interval_is_honoured_and_too_early_is_refused_by_the_fake(
    rig: Rig, clock: Clock
) -> None:
    chat_ref = await live_chat(rig)
    await say(rig, "one")
    items = YouTubeChat(rig.session, clock.sleep).messages(chat_ref)
    await next_message(items)
    await say(rig, "two")
    await next_message(items)
    assert clock.naps
    assert set(clock.naps) == {0.5}

    async def impatient(_: float) -> None:
        await asyncio.sleep(0)

    hasty = YouTubeChat(rig.session, impatient).messages(chat_ref)
    with pytest.raises(RetryLater, match="slow down"):
        async for _ in hasty:
            pass


async def test_duplicates_are_dropped(rig: Rig, clock: Clock) -> None:
    chat_ref = await live_chat(rig)
    for text in ("a", "b", "c"):
        await say(rig, text)
    items = YouTubeChat(rig.session, clock.sleep).messages(chat_ref)
    got = [(await next_message(items)).text for _ in range(3)]
    await rig.ctl("fault", kind="repeat")
    await say(rig, "d")
    got.append((await next_message(items)).text)
    assert got == ["a", "b", "c", "d"]


async def test_a_forgotten_page_token_restarts_without_repeats(rig: Rig, clock: Clock) -> None:
    chat_ref = await live_chat(rig)
    await say(rig, "one")
    items = YouTubeChat(rig.session, clock.sleep).messages(chat_ref)
    await next_message(items)
    await say(rig, "two")
    await rig.ctl("fault", kind="forget_place")
    two = await next_message(items)
    assert (two.text, two.backlog) == ("two", False)


async def test_a_cursor_youtube_no_longer_knows_is_reported_as_missed(rig: Rig, clock: Clock) -> None:
    chat_ref = await live_chat(rig)
    await say(rig, "old")
    items = YouTubeChat(rig.session, clock.sleep).messages(chat_ref, cursor="tok_from_last_week")
    health = await anext(items)
    assert isinstance(health, ChatHealth)
    assert health.missed
    assert (await next_message(items)).backlog


async def test_an_expired_token_is_refreshed_once_and_the_chat_goes_on(rig: Rig, clock: Clock) -> None:
    chat_ref = await live_chat(rig)
    await say(rig, "one")
    items = YouTubeChat(rig.session, clock.sleep).messages(chat_ref)
    await next_message(items)
    await rig.ctl("fault", kind="expire_token")
    await say(rig, "two")
    assert (await next_message(items)).text == "two"
    assert len(rig.refreshes) == (await rig.state())["refreshes"] == 1


async def test_a_revoked_login_is_reconnect(rig: Rig, clock: Clock) -> None:
    chat_ref = await live_chat(rig)
    await say(rig, "one")
    items = YouTubeChat(rig.session, clock.sleep).messages(chat_ref)
    await next_message(items)
    await rig.ctl("fault", kind="revoke")
    with pytest.raises(Reconnect, match="Link the account again"):
        await next_message(items)


async def test_a_used_up_quota_waits_for_midnight_in_california(rig: Rig, clock: Clock) -> None:
    chat_ref = await live_chat(rig)
    await rig.ctl("fault", kind="quota")
    with pytest.raises(RetryLater, match="quota") as later:
        await next_message(YouTubeChat(rig.session, clock.sleep).messages(chat_ref))
    assert 0 < later.value.after <= 25 * 3600 + 60


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 11, 24, 20, 0, tzinfo=UTC), 12),
        (datetime(2026, 7, 1, 20, 0, tzinfo=UTC), 11),
        (datetime(2026, 11, 1, 7, 0, tzinfo=UTC), 25),
    ],
)
def test_pacific_midnight_follows_the_clock_change(now: datetime, hours: float) -> None:
    assert until_pacific_midnight(now) == hours * 3600 + 60


async def test_the_chat_ends_with_the_show(rig: Rig, clock: Clock) -> None:
    chat_ref = await live_chat(rig)
    await say(rig, "bye")
    await rig.ctl("fault", kind="end_chat")
    first = [item async for item in YouTubeChat(rig.session, clock.sleep).messages(chat_ref)]
    assert [item.text for item in first if isinstance(item, ChatMessage)] == ["bye", ""]
    cursor = next(i.cursor for i in reversed(first) if isinstance(i, ChatMessage))
    clock.seconds += 60
    late = [item async for item in YouTubeChat(rig.session, clock.sleep).messages(chat_ref, cursor=cursor)]
    assert late == []


async def test_throttling_carries_youtubes_delay(rig: Rig, clock: Clock) -> None:
    chat_ref = await live_chat(rig)
    await rig.ctl("fault", kind="status", status=429, retry_after=17)
    with pytest.raises(RetryLater) as later:
        await next_message(YouTubeChat(rig.session, clock.sleep).messages(chat_ref))
    assert later.value.after == 17


async def test_paid_messages_carry_money_and_deletions_arrive(rig: Rig, clock: Clock) -> None:
    page = json.loads((SAMPLES / "chat_page.json").read_text())
    items = [chat_item(item, backlog=False) for item in page["items"]]
    paid = [
        (item.text, item.money) for item in items if isinstance(item, ChatMessage) and item.kind == "paid"
    ]
    assert paid == [
        ("hi", Money(amount=500, currency="USD")),
        ("¥500 sticker", Money(amount=500, currency="JPY")),
    ]
    assert [item for item in items if isinstance(item, ChatDeletion)] == [
        ChatDeletion(message_ids=("m5",)),
        ChatDeletion(author_id="UC_x"),
        ChatDeletion(message_ids=("m4",)),
    ]
    assert items[-1] == ChatMessage(
        id="m11", text="Something new", kind="notice", sent_at=datetime(2026, 11, 24, 10, 6, 2, tzinfo=UTC)
    )
    chat_ref = await live_chat(rig)
    await say(rig, "$5", snippet=page["items"][0]["snippet"] | {"liveChatId": chat_ref})
    received = await next_message(YouTubeChat(rig.session, clock.sleep).messages(chat_ref))
    assert (received.kind, received.money) == ("paid", Money(amount=500, currency="USD"))


@given(amount=st.integers(0, 10**9), currency=st.sampled_from([("EUR", 2), ("JPY", 0), ("KWD", 3)]))
def test_micros_become_minor_units_exactly(amount: int, currency: tuple[str, int]) -> None:
    code, digits = currency
    details = {"amountMicros": str(amount * 10 ** (6 - digits)), "currency": code}
    snippet = {"type": "superChatEvent", "superChatDetails": details}
    item = chat_item({"id": "m", "snippet": snippet}, backlog=False)
    assert isinstance(item, ChatMessage)
    assert item.money == Money(amount=amount, currency=code)


async def test_a_reply_comes_back_with_the_id_it_was_given(rig: Rig, clock: Clock) -> None:
    chat_ref = await live_chat(rig)
    sent = await YouTubeReplies(rig.session).send(chat_ref, "hello", key="k1")
    received = await next_message(YouTubeChat(rig.session, clock.sleep).messages(chat_ref))
    assert (received.id, received.text) == (sent, "hello")


async def test_a_reply_youtube_does_not_take_is_refused_with_a_sentence(rig: Rig) -> None:
    chat_ref = await live_chat(rig)
    with pytest.raises(Refused, match="at most 200 characters"):
        await YouTubeReplies(rig.session).send(chat_ref, "x" * 201, key="k1")


async def test_a_reply_whose_answer_is_lost_is_sent_once_and_unknown(clock: Clock) -> None:
    async with reaching(CONNECTOR, Fake(now=clock.monotonic)) as direct:
        chat_ref = await live_chat(direct)
        async with deaf_relay(direct.base_url) as lossy:
            session = direct.connector.session(
                direct.session.http, direct.session.config, CONNECTOR.addresses.__class__(base_url=lossy)
            )
            with pytest.raises(RetryLater) as later:
                await YouTubeReplies(session).send(chat_ref, "once", key="k1")
        assert later.value.unknown
        assert (await direct.state())["sent"] == ["once"]


# --- login ----------------------------------------------------------------------------------------


async def test_many_calls_with_a_stale_token_refresh_once(rig: Rig) -> None:
    destination = YouTubeDestination(rig.session)
    opened = await destination.open(SHOW)
    await rig.ctl("fault", kind="expire_token")
    states = await asyncio.gather(*(destination.status(opened.ref) for _ in range(8)))
    assert {status.state for status in states} == {"scheduled"}
    assert (await rig.state())["refreshes"] == 1


async def test_refreshed_tokens_keep_the_refresh_token_and_know_their_end(rig: Rig, clock: Clock) -> None:
    _, tokens = rig.fake.connection()
    assert tokens is not None
    fresh = await GoogleOAuth(now=clock.now).refresh(rig.session.http, rig.session.config, tokens)
    assert fresh.refresh == tokens.refresh
    assert fresh.access != tokens.access
    assert fresh.expires_at == datetime(2026, 11, 24, 20, 59, 59, tzinfo=UTC)


async def test_a_token_endpoint_that_is_down_is_not_a_dead_login(rig: Rig) -> None:
    await rig.ctl("fault", kind="expire_token")
    await rig.ctl("fault", kind="status", status=503, path="/token")
    with pytest.raises(RetryLater):
        await YouTubeDestination(rig.session).status("vid_0000001")


async def test_no_secret_is_in_what_is_raised(clock: Clock) -> None:
    def spoiled(tokens: Tokens | None) -> Tokens:
        return Tokens(access=SecretStr("ya29.stolen"), refresh=SecretStr("1//stolen"))

    async with reaching(CONNECTOR, Fake(now=clock.monotonic), tokens=spoiled) as rig:
        with pytest.raises(Reconnect) as dead:
            await YouTubeDestination(rig.session).open(SHOW)
        secret = cast("str", rig.session.config.client_secret.get_secret_value())
        for text in (repr(dead.value), repr(dead.value.__context__), repr(rig.session.config)):
            assert "stolen" not in text
            assert secret not in text
