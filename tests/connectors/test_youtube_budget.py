"""YouTube's daily quota: every call is paid for, and reading chat lasts as long as the show."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.errors import RetryLater
from connectors.types import Audience, ChatHealth, ChatMessage, Picture
from connectors.youtube import CONNECTOR, moderation
from connectors.youtube.chat import YouTubeReplies
from connectors.youtube.config import UNITS, Config, quota_of
from connectors.youtube.figures import YouTubeAudience, YouTubeHealth
from connectors.youtube.metadata import YouTubeMetadata
from connectors.youtube.pace import READ, Pace
from tests.connectors.conftest import next_message
from tests.connectors.youtube import (
    SHOW,
    Day,
    Purse,
    calls,
    destination,
    fault,
    on_air,
    reader,
    say,
    standing,
)

HOUR = 3600.0


def a_days_units() -> Purse:
    """What Google gives everybody, and what the connector keeps back."""
    return Purse(units=10_000, reserve=1_500)


async def test_what_we_count_is_what_youtube_counts_over_a_whole_show() -> None:
    clock, purse = Day(), a_days_units()
    async with standing(clock, purse=purse) as rig:
        picture = Picture(media_type="image/png", data=b"\x89PNG")
        await destination(rig).plan(SHOW.model_copy(update={"thumbnail": picture, "tags": ("coats",)}))
        made = await on_air(rig)
        ref = made.chat_ref
        assert ref is not None
        edited = SHOW.model_copy(update={"title": "Winter show", "privacy": "public"})
        await YouTubeMetadata(rig.session).set(made.ref, edited)
        await YouTubeAudience(rig.session).now(made.ref)
        await YouTubeHealth(rig.session).now(made.ref)
        await YouTubeReplies(rig.session).send(ref, "Welcome", key="k1")
        await say(rig, "spam")
        items = reader(rig, clock).messages(ref)
        seen = [await next_message(items) for _ in range(2)]
        await fault(rig, "no_stream")
        await fault(rig, "cut")
        await say(rig, "polled")
        await next_message(items)
        await moderation.timeout(rig.session, ref, "UC_ann", 60)
        await moderation.unban(rig.session, ref, "UC_ann")
        await moderation.delete(rig.session, ref, seen[1].id)
        await destination(rig).close(made.ref)
        state = await rig.state()
        assert purse.spent == state["units"]
        paths = {call.partition("/v3/")[2].lower() for call in state["calls"]}
        named = {name.partition(".")[0].lower().removeprefix("livechat") for name in UNITS}
        assert {path.removeprefix("livechat/").partition("/")[0] for path in paths} == named - {"channels"}


async def test_an_expired_login_is_not_paid_twice() -> None:
    clock, purse = Day(), a_days_units()
    async with standing(clock, purse=purse) as rig:
        made = await on_air(rig)
        await fault(rig, "expire_token")
        await destination(rig).status(made.ref)
        assert purse.spent == (await rig.state())["units"]


@pytest.mark.parametrize(("hours", "readers", "seconds"), [(2.0, 1, 4.2), (4.0, 1, 8.5), (2.0, 2, 8.5)])
async def test_the_readmes_worked_example(hours: float, readers: int, seconds: float) -> None:
    clock, purse = Day(), a_days_units()
    paces = [Pace(purse, floor=1, hours=hours, now=clock.now) for _ in range(readers)]
    waits: list[float] = []
    due = [0.0] * readers
    while clock.seconds < hours * HOUR:
        number = due.index(min(due))
        clock.seconds = due[number]
        await purse.spend(READ)
        waits.append(await paces[number].wait(0.5))
        paces[number].read(1, waits[-1])
        due[number] += waits[-1]
    # Never dry before the end, nothing left over to speak of, and the same pace all along.
    left = await purse.left()
    assert left is not None
    assert left < 0.15 * 8_500
    middle = waits[len(waits) // 4 : len(waits) // 2]
    assert sum(middle) / len(middle) == pytest.approx(seconds, rel=0.1)


@pytest.mark.parametrize("overtime", [0.5, 1.5])
async def test_a_show_that_lasts_longer_than_planned_is_read_more_slowly_and_never_not_at_all(
    overtime: float,
) -> None:
    clock, purse = Day(), a_days_units()
    pace = Pace(purse, floor=1, hours=2, now=clock.now)
    longest = 0.0
    while clock.seconds < (2 + overtime) * HOUR:
        await purse.spend(READ)
        wait = await pace.wait(0.5)
        pace.read(1, wait)
        longest = max(longest, wait)
        clock.seconds += wait
    assert longest <= 120


async def test_a_silent_chat_is_asked_less_often_while_units_are_short_and_a_word_ends_that() -> None:
    clock, purse = Day(), a_days_units()
    pace = Pace(purse, floor=1, hours=2, now=clock.now)
    waits = []
    for messages in (0, 0, 0, 3):
        waits.append(await pace.wait(0.5))
        pace.read(messages, waits[-1])
    assert waits == [pytest.approx(expected, abs=0.1) for expected in (4.2, 8.5, 12.0, 12.0)]
    assert await pace.wait(0.5) == pytest.approx(4.2, abs=0.1)
    plenty = Pace(Purse(10_000_000), floor=1, hours=2, now=clock.now)
    plenty.read(0, await plenty.wait(0.5))
    assert await plenty.wait(0.5) == 1


async def test_the_wait_ends_with_the_day_at_youtube() -> None:
    # An hour before midnight in California the whole rest may be used in that hour.
    clock, purse = Day(), a_days_units()
    clock.seconds = 11 * HOUR
    purse.spent = 7_500
    pace = Pace(purse, floor=1, hours=8, now=clock.now)
    assert await pace.wait(0.5) == pytest.approx(5 * 3660 / 1_000, abs=0.1)


async def test_a_stream_that_is_closed_too_soon_costs_no_more_than_polling() -> None:
    clock, purse = Day(), a_days_units()
    async with standing(clock, purse=purse) as rig:
        made = await on_air(rig)
        assert made.chat_ref is not None
        await fault(rig, "stream_life", seconds=0)
        before = purse.spent
        began = clock.seconds
        items = reader(rig, clock).messages(made.chat_ref)
        for number in range(12):
            await say(rig, f"message {number}")
            assert (await next_message(items)).text == f"message {number}"
        spent, passed = purse.spent - before, clock.seconds - began
        assert await calls(rig, "/stream") == 1
        # The one connection that taught us, and then what polling costs.
        assert spent <= 5 + 5 * (passed / 4 + 1)


async def test_a_producer_is_told_when_the_chat_is_read_slowly() -> None:
    clock, purse = Day(), a_days_units()
    async with standing(clock, purse=purse) as rig:
        made = await on_air(rig)
        assert made.chat_ref is not None
        await fault(rig, "no_stream")
        purse.spent = 7_300
        await say(rig, "hello")
        async with asyncio.timeout(10):
            told = [
                await anext(items) for items in [reader(rig, clock).messages(made.chat_ref)] for _ in range(2)
            ]
        health, message = told
        assert isinstance(health, ChatHealth)
        assert isinstance(message, ChatMessage)
        assert (health.state, health.missed) == ("degraded", False)
        assert re.search(r"of today's YouTube quota: the chat is read every 3\d seconds\.$", health.detail)


async def test_viewers_go_uncounted_before_the_chat_goes_unread() -> None:
    clock, purse = Day(), a_days_units()
    async with standing(clock, purse=purse) as rig:
        made = await on_air(rig)
        purse.spent = 8_300
        assert await YouTubeAudience(rig.session).now(made.ref) == Audience()
        assert await calls(rig, "/videos") == 0
        purse.spent = 8_500
        with pytest.raises(RetryLater, match="quota"):
            await destination(rig).status(made.ref)
        await YouTubeReplies(rig.session).send(str(made.chat_ref), "still answered", key="k1")


def test_connections_of_one_google_project_share_a_pot() -> None:
    def quota(client_id: str, units: int = 10_000) -> object:
        return quota_of(
            Config.model_validate({"client_id": client_id, "client_secret": "s", "daily_units": units})
        )

    assert quota("81-web.apps.googleusercontent.com") == quota("81-other.apps.googleusercontent.com")
    assert quota("81-web.apps.googleusercontent.com") != quota("82-web.apps.googleusercontent.com")
    assert CONNECTOR.quota is not None
    small = CONNECTOR.quota(
        Config.model_validate({"client_id": "a", "client_secret": "s", "daily_units": 400})
    )
    assert (small.zone, small.units, small.reserve) == ("America/Los_Angeles", 400, 100)


async def test_the_fakes_day_ends_at_midnight_in_california() -> None:
    clock = Day()
    async with standing(clock) as rig:
        made = await on_air(rig)
        await fault(rig, "quota", left=2)
        await destination(rig).status(made.ref)
        with pytest.raises(RetryLater, match="used up"):
            await destination(rig).status(made.ref)
        clock.seconds += timedelta(hours=12, seconds=1).total_seconds()
        rig.session = replace(rig.session, budget=Purse(10_000))
        assert (await destination(rig).status(made.ref)).state == "live"
