"""Facebook around a show: announcing, changing, counting, measuring, moderating, and the rate limits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import Refused, RetryLater
from connectors.facebook import CONNECTOR
from connectors.facebook.api import Api
from connectors.facebook.audience import FacebookAudience, FacebookHealth, judged
from connectors.facebook.comments import fragments_of
from connectors.facebook.destination import FacebookDestination
from connectors.facebook.fake import Fake
from connectors.facebook.replies import FacebookReplier
from connectors.types import Audience, Broadcast, Fragment
from tests.connectors.conftest import Rig, next_message, reaching
from tests.connectors.facebook import PUSH_ONLY, SHOW, next_health, opened, reading, say


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


def at(when: timedelta) -> Broadcast:
    return SHOW.model_copy(update={"starts_at": datetime.now(UTC) + when})


# --- before and while it runs -----------------------------------------------------------------------


async def test_an_announced_show_is_taken_up_and_published_when_the_stream_arrives(rig: Rig) -> None:
    destination = FacebookDestination(rig.session)
    planned = await destination.plan(at(timedelta(days=2)))
    opened_one = await destination.open(SHOW)
    assert (planned.ref, planned.key, planned.chat_ref) == (
        opened_one.ref,
        opened_one.key,
        opened_one.chat_ref,
    )
    # An announced one is good until its time comes; one made now must be used within a day.
    assert planned.expires_at is None
    waiting = await destination.started(planned.ref)
    assert (waiting.state, waiting.reason) == ("starting", "Facebook waits for the stream.")
    await rig.ctl("ingest", event="publish", app="rtmp", key=planned.key.get_secret_value())
    assert (await destination.status(planned.ref)).state == "scheduled"
    assert (await destination.started(planned.ref)).state == "live"
    assert (await destination.started(planned.ref)).state == "live"
    assert [video["status"] for video in (await rig.state())["broadcasts"]] == ["LIVE"]


async def test_a_stream_address_says_until_when_it_must_be_used(rig: Rig) -> None:
    expires_at = (await FacebookDestination(rig.session).open(SHOW)).expires_at
    assert expires_at is not None
    assert abs(expires_at - datetime.now(UTC) - timedelta(hours=24)) < timedelta(minutes=5)


async def test_an_announcement_keeps_to_facebooks_times(rig: Rig) -> None:
    destination = FacebookDestination(rig.session)
    with pytest.raises(RetryLater) as early:
        await destination.plan(at(timedelta(days=9)))
    assert early.value.after == pytest.approx(2 * 86400, abs=300)
    with pytest.raises(Refused, match="ten minutes before"):
        await destination.plan(at(timedelta(minutes=2)))
    with pytest.raises(Refused, match="give it a time"):
        await destination.plan(SHOW)
    assert (await rig.state())["broadcasts"] == []


async def test_a_show_for_few_is_made_ready_and_announced_to_nobody(rig: Rig) -> None:
    quiet = at(timedelta(days=2)).model_copy(update={"privacy": "private"})
    await FacebookDestination(rig.session).plan(quiet)
    assert [video["status"] for video in (await rig.state())["broadcasts"]] == ["UNPUBLISHED"]


async def test_an_announcement_that_lapsed_or_was_called_off_does_not_stand_in_the_way(rig: Rig) -> None:
    destination = FacebookDestination(rig.session)
    first = await destination.plan(at(timedelta(days=2)))
    await rig.ctl("fault", kind="lapse")
    status = await destination.status(first.ref)
    assert (status.state, "Start the show again" in (status.reason or "")) == ("failed", True)
    second = await destination.plan(at(timedelta(days=2)))
    await destination.close(second.ref)
    await destination.close(second.ref)
    third = await destination.open(SHOW)
    assert len({first.ref, second.ref, third.ref}) == 3
    words = [video["status"] for video in (await rig.state())["broadcasts"]]
    assert words == ["SCHEDULED_EXPIRED", "SCHEDULED_CANCELED", "UNPUBLISHED"]


async def test_new_texts_and_a_new_time_keep_the_show_findable(rig: Rig) -> None:
    destination = FacebookDestination(rig.session)
    planned = await destination.plan(at(timedelta(days=2)))
    later = at(timedelta(days=3)).model_copy(update={"title": "Winter show", "description": "Boots"})
    await destination.set(planned.ref, later)
    [video] = (await rig.state())["broadcasts"]
    assert (video["title"], video["description"]) == ("Winter show", "Boots\n\nshow-1")
    assert later.starts_at is not None
    moved = datetime.fromisoformat(video["planned_start_time"])
    assert abs(moved - later.starts_at) < timedelta(seconds=2)
    assert (await destination.open(later)).ref == planned.ref
    with pytest.raises(Refused, match="255"):
        await destination.set(planned.ref, later.model_copy(update={"title": "t" * 255}))


async def test_where_live_videos_may_not_be_listed_the_chat_is_named_by_the_live_video(rig: Rig) -> None:
    await rig.ctl("fault", kind="no_listing")
    made = await FacebookDestination(rig.session).open(SHOW)
    assert made.chat_ref == made.ref
    async with reading(rig, str(made.chat_ref), PUSH_ONLY) as items:
        await next_health(items, "connected")
        rude = await say(rig, "hello")
        assert (await next_message(items)).text == "hello"
    assert CONNECTOR.moderation is not None
    assert CONNECTOR.moderation.hide is not None
    await CONNECTOR.moderation.hide(rig.session, str(made.chat_ref), f"{made.ref}_{rude.rpartition('_')[2]}")
    assert (await rig.state())["hidden"] == ["hello"]


# --- figures ----------------------------------------------------------------------------------------


async def test_viewers_and_reactions_are_counted_as_far_as_they_are_told(rig: Rig) -> None:
    ref = (await FacebookDestination(rig.session).open(SHOW)).ref
    await rig.ctl("measure", live_views=321, reactions=17)
    audience = FacebookAudience(rig.session)
    assert await audience.now(ref) == Audience(viewers=321, reactions=17)
    await rig.ctl("fault", kind="unknown_field", field="reactions")
    assert await audience.now(ref) == Audience(viewers=321)


async def test_what_facebook_measures_becomes_sentences(rig: Rig) -> None:
    made = await FacebookDestination(rig.session).open(SHOW)
    health = FacebookHealth(rig.session)
    assert (await health.now(made.ref)).state == "nothing"
    await rig.ctl("ingest", event="publish", app="rtmp", key=made.key.get_secret_value())
    assert (await health.now(made.ref)).state == "good"
    await rig.ctl("measure", health={"video_bitrate": 900_000.0, "audio_bitrate": 128000.0})
    fair = await health.now(made.ref)
    assert (fair.state, len(fair.issues)) == ("fair", 1)
    assert "0.9 Mbit/s" in fair.issues[0]
    await rig.ctl("measure", health={"video_bitrate": 3e6}, error="Your audio has stopped.")
    bad = await health.now(made.ref)
    assert (bad.state, bad.issues) == ("bad", ("Your audio has stopped.",))


@pytest.mark.parametrize(
    ("measured", "state", "issues"),
    [
        ({"some_name_of_tomorrow": 1}, "good", 0),
        ({"video_framerate": 5.0}, "fair", 1),
        ({"audio_bitrate": 0, "video_framerate": 5.0}, "bad", 2),
        ({"video_bitrate": 100_000.0}, "bad", 1),
    ],
)
def test_a_stream_is_judged_by_what_is_measured(measured: dict[str, Any], state: str, issues: int) -> None:
    found, said = judged(measured)
    assert (found, len(said)) == (state, issues)


async def test_usage_headers_slow_the_reads_and_stop_what_can_wait(rig: Rig) -> None:
    ref = (await FacebookDestination(rig.session).open(SHOW)).ref
    api = Api(rig.session)
    await rig.ctl("fault", kind="usage", percent=60, step=9)
    stretched = []
    for _ in range(3):
        await api.get(ref, fields="status")
        stretched.append((api.used, api.slower))
    assert stretched == [(60, 1.0), (69, 1.0), (78, 4.0)]
    assert Api(rig.session).slower == 4.0, "whatever else this account does"
    assert (await FacebookAudience(rig.session).now(ref)).viewers == 0
    # At 96 percent figures are given up; what cannot wait is asked until Facebook itself says no.
    with pytest.raises(RetryLater, match="nearly used up") as held:
        await FacebookAudience(rig.session).now(ref)
    assert held.value.after == 300
    with pytest.raises(RetryLater, match="slow down"):
        await FacebookDestination(rig.session).status(ref)


# --- people -----------------------------------------------------------------------------------------


async def test_an_answer_stands_below_its_comment_and_comes_back_as_ours(rig: Rig) -> None:
    ref = await opened(rig)
    asked = await say(rig, "which size?")
    sent = await FacebookReplier(rig.session).reply(ref, asked, "M, @Ann https://shop.example/m", key="k1")
    async with reading(rig, ref) as items:
        question, answer = await next_message(items), await next_message(items)
    assert (answer.id, answer.ours, answer.reply_to) == (sent, True, question.id)
    assert [badge.kind for badge in answer.badges] == ["owner"]
    assert answer.fragments[-1] == Fragment(
        kind="link", text="https://shop.example/m", url="https://shop.example/m"
    )
    with pytest.raises(Refused, match="no longer knows"):
        await FacebookReplier(rig.session).reply(ref, "unknown", "hello?", key="k2")


async def test_whoever_is_blocked_writes_no_more_until_let_in_again(rig: Rig) -> None:
    ref = await opened(rig)
    await say(rig, "rude")
    moderation = CONNECTOR.moderation
    assert moderation is not None
    assert moderation.ban is not None
    assert moderation.unban is not None
    await moderation.ban(rig.session, ref, "psid_ann")
    assert (await rig.state())["blocked"] == ["psid_ann"]
    await moderation.unban(rig.session, ref, "psid_ann")
    assert (await rig.state())["blocked"] == []
    # Somebody who left, or blocked the Page: nobody is there to be blocked.
    await moderation.ban(rig.session, ref, "psid_gone")


def test_words_links_mentions_and_stickers_are_told_apart() -> None:
    raw = {
        "message": "❤ Ann Bo, see https://a.example/x?y=1 ok",
        "message_tags": [{"id": "1", "name": "Ann Bo", "type": "user", "offset": 3, "length": 6}],
    }
    pieces = fragments_of(raw)
    assert "".join(piece.text for piece in pieces) == raw["message"]
    assert [piece.kind for piece in pieces] == ["text", "mention", "text", "link", "text"]
    sticker = {"message": "", "attachment": {"type": "sticker", "media": {"image": {"src": "http://s/1"}}}}
    assert fragments_of(sticker) == (Fragment(kind="emote", text="[sticker]", url="http://s/1"),)
    assert fragments_of({"message": ""}) == ()


async def test_an_app_that_may_not_see_pictures_reads_comments_without_them(rig: Rig) -> None:
    ref = await opened(rig)
    await say(rig, "hello")
    await rig.ctl("fault", kind="unknown_field", field="picture")
    async with reading(rig, ref) as items:
        assert (await next_message(items)).text == "hello"


async def test_news_are_subscribed_to_only_where_they_can_be_taken(rig: Rig) -> None:
    ref = await opened(rig)
    async with reading(rig, ref) as items:
        await next_health(items, "connected")
    assert (await rig.state())["subscribed"] == ["feed", "live_videos"]
    async with reaching(CONNECTOR, Fake(seed=4), config=lambda c: {**c, "verify_token": ""}) as other:
        ref = await opened(other)
        async with reading(other, ref, PUSH_ONLY) as items:
            await next_health(items, "connected")
        assert (await other.state())["subscribed"] == []
