"""YouTube over real sockets with Google's own client: broadcasts, what is said of them, and figures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import Audience, IngestHealth, Picture, Tokens
from connectors.youtube import CONNECTOR
from connectors.youtube.destination import YouTubeDestination
from connectors.youtube.fake import Fake
from connectors.youtube.fake_discovery import Discovery
from connectors.youtube.figures import ISSUES, YouTubeAudience, YouTubeHealth
from connectors.youtube.metadata import YouTubeMetadata
from tests.connectors.conftest import Rig, reaching
from tests.connectors.youtube import (
    SAMPLES,
    SHOW,
    Day,
    calls,
    destination,
    fault,
    on_air,
    opened,
    pushing,
    standing,
)

JPEG = Picture(media_type="image/jpeg", data=b"\xff\xd8\xff\xe0 a picture")


REFUSED = {
    "liveBroadcasts?part=id": "incompatibleParameters",
    "liveBroadcasts?part=id&mine=true&broadcastStatus=active": "incompatibleParameters",
    "liveBroadcasts?mine=true": "missingRequiredParameter",
    "liveBroadcasts?part=id,secrets&mine=true": "unknownPart",
    "liveBroadcasts?part=id&mine=true&maxResults=51": "invalidParameter",
    "liveStreams?part=id,contentDetails&mine=true": "unexpectedPart",
    "liveStreams?part=id&mine=true&sort=title": "badRequest",
    "liveChat/messages?part=id&liveChatId=x&maxResults=10": "invalidParameter",
}


@pytest.fixture
def clock() -> Day:
    return Day()


@pytest.fixture
async def rig(clock: Day) -> AsyncIterator[Rig]:
    async with standing(clock) as made:
        yield made


# --- broadcasts -----------------------------------------------------------------------------------


async def test_opening_twice_gives_the_same_broadcast(rig: Rig) -> None:
    first, second = await opened(rig), await opened(rig)
    state = await rig.state()
    assert first == second
    assert len(state["broadcasts"]) == 1
    details = state["broadcasts"][0]["contentDetails"]
    assert (details["enableAutoStart"], details["enableAutoStop"]) == (False, False)
    assert first.url == "rtmps://a.rtmps.youtube.com:443/live2"
    assert first.watch_url == f"https://www.youtube.com/watch?v={first.ref}"
    assert first.backup is not None
    assert first.backup.url == "rtmps://b.rtmps.youtube.com:443/live2?backup=1"
    assert first.backup.key == first.key


async def test_what_stands_in_for_youtubes_ingest_has_no_second_entrance(rig: Rig) -> None:
    elsewhere = replace(rig.session, addresses=replace(rig.addresses, ingest_url="rtmp://127.0.0.1:9/live"))
    made = await YouTubeDestination(elsewhere).open(SHOW)
    assert (made.url, made.backup) == ("rtmp://127.0.0.1:9/live", None)


async def test_a_planned_show_is_announced_whole_and_taken_up_when_it_opens(rig: Rig, clock: Day) -> None:
    starts_at = datetime(2026, 11, 26, 19, tzinfo=UTC)
    show = SHOW.model_copy(
        update={
            "starts_at": starts_at,
            "thumbnail": JPEG,
            "latency": "ultra_low",
            "made_for_kids": True,
            "category": "26",
            "tags": ("coats", "autumn"),
            "language": "de",
        }
    )
    planned = await YouTubeDestination(rig.session, clock.now).plan(show)
    state = await rig.state()
    [made] = state["broadcasts"]
    assert made["snippet"]["scheduledStartTime"] == "2026-11-26T19:00:00Z"
    assert made["snippet"]["description"] == "Coats\n\nshow-1"
    assert (made["snippet"]["title"], made["snippet"]["categoryId"]) == ("Autumn show", "26")
    assert made["status"]["privacyStatus"] == "unlisted"
    assert made["status"]["selfDeclaredMadeForKids"] is True
    assert made["status"]["lifeCycleStatus"] == "ready"
    assert made["contentDetails"]["latencyPreference"] == "ultraLow"
    assert state["thumbnails"] == {planned.ref: {"media_type": "image/jpeg", "bytes": len(JPEG.data)}}
    assert state["videos"][planned.ref] == {"tags": ["coats", "autumn"], "defaultLanguage": "de"}
    assert await destination(rig).open(show) == planned
    assert await calls(rig, "POST /upload") == 1


async def test_a_show_cut_off_before_it_was_bound_gets_its_picture_the_next_time(rig: Rig) -> None:
    show = SHOW.model_copy(update={"thumbnail": JPEG})
    await fault(rig, "status", status=503, path="/upload")
    with pytest.raises(RetryLater):
        await destination(rig).open(show)
    made = await destination(rig).open(show)
    state = await rig.state()
    assert list(state["thumbnails"]) == [made.ref]
    assert len(state["broadcasts"]) == 1


async def test_a_picture_youtube_does_not_like_stops_no_show_and_is_told_when_it_is_set(rig: Rig) -> None:
    show = SHOW.model_copy(update={"thumbnail": Picture(media_type="image/png", data=b"no png")})
    made = await destination(rig).open(show)
    assert (await destination(rig).status(made.ref)).state == "scheduled"
    with pytest.raises(Refused, match="JPEG or PNG of at most 2 MB"):
        await YouTubeMetadata(rig.session).set(made.ref, show)
    large = Picture(media_type="image/jpeg", data=b"\xff\xd8" + bytes(2_100_000))
    with pytest.raises(Refused, match="at most 2 MB"):
        await YouTubeMetadata(rig.session).set(made.ref, show.model_copy(update={"thumbnail": large}))


async def test_two_shows_never_share_a_stream_key_and_an_ended_one_gives_its_key_back(rig: Rig) -> None:
    first = await on_air(rig)
    other = await opened(rig, marker="show-2")
    assert other.key != first.key
    await destination(rig).close(first.ref)
    await pushing(rig, first, "done")
    assert (await opened(rig, marker="show-3")).key == first.key


async def test_the_broadcast_is_found_beyond_the_first_page(rig: Rig) -> None:
    await fault(rig, "page_size", size=1)
    made = [await opened(rig, marker=f"show-{number}") for number in range(3)]
    assert await opened(rig, marker="show-2") == made[2]


async def test_it_goes_live_when_youtube_sees_the_stream(rig: Rig) -> None:
    made = await opened(rig)
    with pytest.raises(RetryLater) as early:
        await destination(rig).started(made.ref)
    assert early.value.after == 3
    await pushing(rig, made)
    assert (await destination(rig).started(made.ref)).state == "starting"
    live = await destination(rig).started(made.ref)
    assert (live.state, live.receiving, live.viewers) == ("live", True, 0)


async def test_a_broadcast_with_a_monitor_stream_goes_live_through_a_test(rig: Rig) -> None:
    made = await opened(rig)
    await fault(rig, "monitor")
    await pushing(rig, made)
    seen = [(await destination(rig).started(made.ref)).state for _ in range(4)]
    assert seen == ["starting", "starting", "live", "live"]
    assert await calls(rig, "transition") == 2


async def test_a_brand_may_let_youtube_start_and_stop_by_itself(clock: Day) -> None:
    def chosen(entered: dict[str, Any]) -> dict[str, Any]:
        return {**entered, "auto_start": True, "auto_stop": True}

    fake = Fake(now=clock.monotonic, wall=clock.now)
    async with reaching(CONNECTOR, fake, config=chosen) as rig:
        made = await opened(rig)
        await pushing(rig, made)
        assert (await destination(rig).started(made.ref)).state in {"starting", "live"}
        assert (await destination(rig).started(made.ref)).state == "live"
        await pushing(rig, made, "done")
        await destination(rig).close(made.ref)
        assert (await destination(rig).status(made.ref)).state == "ended"
        assert await calls(rig, "transition") == 0


async def test_closing_twice_is_harmless_and_a_broadcast_that_was_never_live_disappears(rig: Rig) -> None:
    made = await on_air(rig)
    for _ in range(2):
        await destination(rig).close(made.ref)
    assert (await destination(rig).status(made.ref)).state == "ended"
    unused = await opened(rig, marker="show-2")
    for _ in range(2):
        await destination(rig).close(unused.ref)
    assert [item["id"] for item in (await rig.state())["broadcasts"]] == [made.ref]
    with pytest.raises(Refused, match="has ended on YouTube"):
        await opened(rig)


async def test_a_wrong_transition_is_refused_and_one_that_somebody_else_made_is_success(rig: Rig) -> None:
    made = await opened(rig)
    with pytest.raises(Refused) as refused:
        await destination(rig)._transition(made.ref, "complete")
    assert refused.value.code == "invalidTransition"
    await pushing(rig, made)
    for _ in range(2):
        await destination(rig)._advance(made.ref, "live")
    assert (await destination(rig).started(made.ref)).state == "live"


async def test_nothing_is_announced_on_another_channel_than_the_one_that_was_linked(clock: Day) -> None:
    fake = Fake(now=clock.monotonic, wall=clock.now)
    async with reaching(CONNECTOR, fake, config=lambda entered: {**entered, "channel_id": "UC_other"}) as rig:
        with pytest.raises(Reconnect, match="another YouTube channel"):
            await opened(rig)
        assert (await rig.state())["broadcasts"] == []


async def test_an_unreachable_youtube_is_retried_later(rig: Rig) -> None:
    await fault(rig, "status", status=502, html=True)
    with pytest.raises(RetryLater, match="502"):
        await destination(rig).status("vid_0000001")


# --- what is said of a show -----------------------------------------------------------------------


async def test_an_edit_changes_what_is_named_and_resets_nothing_else(rig: Rig) -> None:
    made = await opened(rig, category="26", made_for_kids=False)
    metadata = YouTubeMetadata(rig.session)
    edited = SHOW.model_copy(update={"title": "Winter show", "privacy": "private"})
    await metadata.set(made.ref, edited)
    [now] = (await rig.state())["broadcasts"]
    assert (now["snippet"]["title"], now["snippet"]["description"]) == ("Winter show", "Coats\n\nshow-1")
    assert (now["snippet"]["categoryId"], now["status"]["privacyStatus"]) == ("26", "private")
    assert now["contentDetails"]["latencyPreference"] == "low"
    assert now["contentDetails"]["monitorStream"]["enableMonitorStream"] is False
    assert await calls(rig, "PUT") == 2
    await metadata.set(made.ref, edited)
    assert await calls(rig, "PUT") == 2
    assert (await opened(rig)).ref == made.ref


async def test_a_planned_show_can_be_moved_and_its_latency_changed(rig: Rig, clock: Day) -> None:
    made = await opened(rig)
    starts_at = clock.now() + timedelta(days=1)
    wish = SHOW.model_copy(update={"starts_at": starts_at, "latency": "normal"})
    await YouTubeMetadata(rig.session, clock.now).set(made.ref, wish)
    [now] = (await rig.state())["broadcasts"]
    assert now["snippet"]["scheduledStartTime"] == "2026-11-25T20:00:00Z"
    assert now["contentDetails"]["latencyPreference"] == "normal"


async def test_a_live_show_keeps_its_latency_and_the_rest_is_changed(rig: Rig, clock: Day) -> None:
    made = await on_air(rig)
    wish = SHOW.model_copy(update={"title": "Now live", "latency": "normal", "starts_at": clock.now()})
    with pytest.raises(Refused, match=r"latency only before the show begins\. The rest is changed"):
        await YouTubeMetadata(rig.session).set(made.ref, wish)
    [now] = (await rig.state())["broadcasts"]
    assert (now["snippet"]["title"], now["contentDetails"]["latencyPreference"]) == ("Now live", "low")


async def test_a_long_description_keeps_its_marker_in_any_script(rig: Rig) -> None:
    made = await opened(rig, description="コート" * 1600)
    [kept] = (await rig.state())["broadcasts"]
    assert 4_990 < len(kept["snippet"]["description"].encode()) <= 5_000
    assert (await opened(rig, description="コート" * 1600)).ref == made.ref


async def test_a_title_youtube_does_not_take_is_refused_with_a_sentence(rig: Rig) -> None:
    for title, match in (("x" * 101, "at most 100"), ("a < b", "without < and >")):
        with pytest.raises(Refused, match=match):
            await opened(rig, title=title)


# --- figures --------------------------------------------------------------------------------------


async def test_viewers_are_counted_and_untold_is_not_nought(rig: Rig) -> None:
    made = await on_air(rig)
    await fault(rig, "viewers", viewers=1234, likes=56)
    assert await YouTubeAudience(rig.session).now(made.ref) == Audience(viewers=1234, reactions=56)
    await fault(rig, "viewers", viewers=None)
    assert await YouTubeAudience(rig.session).now(made.ref) == Audience(viewers=None, reactions=0)
    assert await YouTubeAudience(rig.session).now("unheard of") == Audience()


async def test_the_health_of_the_stream_is_told_in_sentences(rig: Rig) -> None:
    made = await opened(rig)
    health = YouTubeHealth(rig.session)
    assert await health.now(made.ref) == IngestHealth(state="nothing")
    await pushing(rig, made)
    assert await health.now(made.ref) == IngestHealth(state="good")
    issue = {"severity": "error", "type": "videoIngestionStarved", "reason": "r", "description": "d"}
    new = {"severity": "info", "reason": "ofTomorrow", "description": "Something new."}
    await fault(rig, "health", status="bad", issues=[issue, issue, new])
    told = await health.now(made.ref)
    assert (told.state, told.issues) == ("bad", (ISSUES["videoIngestionStarved"], "Something new."))


def test_every_issue_youtube_may_tell_has_a_sentence() -> None:
    known = Discovery()._schemas["LiveStreamConfigurationIssue"]["properties"]["type"]["enum"]
    assert set(ISSUES) == set(known)
    assert all(sentence.endswith(".") for sentence in ISSUES.values())


# --- the fake and its judge -----------------------------------------------------------------------


@pytest.mark.parametrize(("name", "schema"), [("broadcast", "LiveBroadcast"), ("stream", "LiveStream")])
def test_the_samples_are_as_google_describes_them(name: str, schema: str) -> None:
    sample = json.loads((SAMPLES / f"{name}.json").read_text())
    del sample["_source"]
    assert Discovery().faults_of(schema, sample) == []
    assert Discovery().faults_of(schema, {**sample, "snippet": {"title": 5, "sight": "x"}}) == [
        f"{schema}.snippet.title is no string: 5",
        f'Unknown name "sight" at {schema}.snippet',
    ]


async def test_the_fake_refuses_what_google_refuses(rig: Rig) -> None:
    _, tokens = rig.fake.connection()
    assert tokens is not None
    bearer = {"Authorization": f"Bearer {tokens.access.get_secret_value()}"}
    refused = {}
    for path in REFUSED:
        answer = await rig.control.get(f"/youtube/v3/{path}", headers=bearer)
        refused[path] = answer.json()["error"]["errors"][0]["reason"]
    assert refused == REFUSED


# --- login ----------------------------------------------------------------------------------------


async def test_many_calls_with_a_stale_token_refresh_once(rig: Rig) -> None:
    made = await opened(rig)
    await fault(rig, "expire_token")
    states = await asyncio.gather(*(destination(rig).status(made.ref) for _ in range(8)))
    assert {status.state for status in states} == {"scheduled"}
    assert (await rig.state())["refreshes"] == 1


async def test_many_calls_at_once_each_get_their_own_answer(rig: Rig) -> None:
    # Google's client gives threads that share a service each other's answers.
    made = [(await opened(rig, marker=f"show-{number}")).ref for number in range(3)]
    broadcasts = destination(rig)._broadcasts
    asked = made * 8
    answers = await asyncio.gather(*(broadcasts.one(ref) for ref in asked))
    assert [answer["id"] for answer in answers] == asked


async def test_no_secret_is_in_what_is_raised(clock: Day) -> None:
    def spoiled(tokens: Tokens | None) -> Tokens:
        return Tokens(access=SecretStr("ya29.stolen"), refresh=SecretStr("1//stolen"))

    async with reaching(CONNECTOR, Fake(now=clock.monotonic), tokens=spoiled) as rig:
        with pytest.raises(Reconnect) as dead:
            await opened(rig)
        secret: str = rig.session.config.client_secret.get_secret_value()
        for text in (repr(dead.value), repr(dead.value.__context__), repr(rig.session.config)):
            assert "stolen" not in text
            assert secret not in text
