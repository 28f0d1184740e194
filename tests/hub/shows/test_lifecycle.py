"""One go live, one end, and each platform's own truth on the way."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.shows.details import locked
from hub.shows.models import Show, ShowTarget
from hub.shows.stages import stage_of
from hub.shows.targets import destination
from tests.hub.platforms import until
from tests.hub.shows.conftest import Studio
from tests.hub.shows.places import NO_TEXTS, PRESS, PRESS_END

OPEN = {"ref": "b1", "url_sealed": b"u"}


@pytest.mark.parametrize(
    ("show", "target", "stage"),
    [
        ("scheduled", {}, "ready"),
        ("scheduled", {"wanted": False}, "off"),
        ("scheduled", {"ref": "b1", "platform_state": "scheduled"}, "planned"),
        ("live", {"wanted": False}, "off"),
        ("live", {"ref": "b1", "platform_state": "scheduled"}, "opening"),
        ("live", OPEN, "created"),
        ("live", OPEN | {"state": "connecting"}, "connecting"),
        ("live", OPEN | {"state": "live", "platform_state": "scheduled"}, "waiting"),
        ("live", OPEN | {"state": "live", "platform_state": "starting", "receiving": False}, "waiting"),
        ("live", OPEN | {"state": "live", "platform_state": "scheduled", "receiving": True}, "starting"),
        ("live", OPEN | {"state": "live", "platform_state": "starting"}, "starting"),
        ("live", OPEN | {"state": "live", "platform_state": "live"}, "live"),
        ("live", OPEN | {"state": "live", "platform_state": "ended"}, "failed"),
        ("live", OPEN | {"state": "retrying", "platform_state": "live"}, "retrying"),
        ("live", {"state": "failed"}, "failed"),
        ("ended", OPEN | {"platform_state": "live"}, "ending"),
        ("ended", OPEN | {"platform_state": "ended"}, "ended"),
        ("ended", OPEN | {"platform_state": "unknown"}, "by_hand"),
        ("ended", {}, "ended"),
    ],
)
def test_only_the_platforms_own_word_makes_a_target_live_or_ended(
    show: str, target: dict[str, Any], stage: str
) -> None:
    evening = Show(slug="", title="", stream_key_sealed=b"", stream_key_hash="", state=show)
    assert stage_of(evening, ShowTarget(**target)) == stage


async def test_one_go_live_and_one_end_with_each_platforms_own_truth(staged: Studio) -> None:
    fake = staged.market.fakes["_template"]
    assert [(await staged.target(name))["stage"] for name in ("_template", "silent")] == ["ready", "ready"]
    await fake.control("fault", {"kind": "status", "status": 503, "count": 1})
    await staged.live()
    stages = {name: (await staged.target(name))["stage"] for name in ("_template", "silent")}
    # One of the two met the outage: it says so and goes on by itself, and the other does not wait for it.
    assert sorted(stages.values()) == ["created", "opening"]
    await staged.market.later()
    for name in ("_template", "silent"):
        assert (await staged.target(name))["stage"] == "created"
        await staged.says(name, "live")
    await staged.market.work()
    assert (await staged.target("_template"))["stage"] == "waiting"
    silent = await staged.target("silent")
    assert (silent["stage"], silent["todo"]) == ("starting", PRESS)
    await staged.on_air("_template")
    for _ in range(2):
        await staged.market.later()
    assert (await staged.target("_template"))["stage"] == "live"
    # Accepted is not shown: what the platform calls starting stays so however long we push.
    assert (await staged.target("silent"))["stage"] == "starting"

    await staged.call("POST", "/end")
    await staged.market.work()
    ended, silent = await staged.target("_template"), await staged.target("silent")
    assert (ended["stage"], ended["reason"], ended["todo"]) == ("ended", "The show has ended.", None)
    assert (silent["stage"], silent["reason"], silent["todo"]) == ("by_hand", PRESS_END, PRESS_END)
    assert {one["state"] for one in await staged.there()} == {"done"}
    assert len(await staged.there()) == 2


async def test_a_platform_that_takes_long_is_asked_less_often(staged: Studio) -> None:
    await staged.live()
    await staged.says("silent", "live")
    pauses = []
    for passed in (0, 90):
        staged.market.clock.tick(passed)
        await staged.market.sql("UPDATE procrastinate_jobs SET scheduled_at = NULL")
        await staged.market.work()
        [job] = await staged.market.sql("SELECT scheduled_at FROM procrastinate_jobs")
        pauses.append(job["scheduled_at"] - staged.market.clock())
    assert pauses[0] < timedelta(seconds=4) < timedelta(seconds=14) < pauses[1]


async def test_an_end_does_not_wait_for_an_opening_that_was_put_off(staged: Studio) -> None:
    fake = staged.market.fakes["_template"]
    await fake.control("fault", {"kind": "status", "status": 429, "retry_after": 9000, "count": 2})
    await staged.live()
    assert (await staged.target("_template"))["stage"] == "opening"
    await staged.call("POST", "/end")
    await staged.market.work()
    assert [(await staged.target(name))["stage"] for name in ("_template", "silent")] == ["ended", "ended"]
    assert await staged.there() == []


async def test_an_opening_put_off_while_the_show_ended_keeps_no_closing_waiting(staged: Studio) -> None:
    market, fake = staged.market, staged.market.fakes["_template"]
    await staged.call("POST", "/start")
    await fake.control("fault", {"kind": "status", "status": 429, "retry_after": 9000, "count": 1})
    [row] = await market.sql("SELECT id FROM show_target WHERE connector = '_template'")
    waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with market.hub.db.session() as session:
        await locked(session, row["id"])
        opening = asyncio.create_task(market.hub.targets.open(row["id"]))
        await until(lambda: market.sql(waits))
        await market.sql("UPDATE show SET state = 'ended'")
    await opening  # it does not ask for hours, with the closing behind it
    [row] = await market.sql("SELECT platform_state FROM show_target WHERE connector = '_template'")
    assert row["platform_state"] == "unopened"


@pytest.mark.parametrize("how", ["removed", "without a time"])
async def test_an_announcement_that_nobody_noted_is_found_and_taken_back(staged: Studio, how: str) -> None:
    market = staged.market
    await staged.call("PATCH", "", {"starts_at": soon(24)}, ok=200)
    await market.work()
    # As kill -9 leaves it between the platform's answer and our note.
    await market.sql("UPDATE show_target SET ref = NULL, platform_state = 'asked' WHERE ref IS NOT NULL")
    if how == "removed":
        target = await staged.target("_template")
        await staged.call("DELETE", f"/targets/{target['id']}", ok=204)
    else:
        await staged.call("PATCH", "", {"starts_at": None}, ok=200)
    await market.later()
    assert [one["state"] for one in await staged.there()] == ["done"]


async def test_a_removed_targets_last_word_is_its_closings(staged: Studio) -> None:
    market = staged.market
    await staged.live()
    await staged.says("silent", "live")
    await market.work()
    target = await staged.target("silent")
    await staged.call("DELETE", f"/targets/{target['id']}", ok=204)
    for _ in range(2):
        await market.later()
    [row] = await market.sql("SELECT platform_state FROM show_target WHERE connector = 'silent'")
    assert row["platform_state"] == "unknown", "a person must end it there, however often it was asked before"


async def test_try_now_asks_at_once_and_as_often_as_it_is_pressed(staged: Studio) -> None:
    market, fake = staged.market, staged.market.fakes["_template"]
    await fake.control("fault", {"kind": "status", "status": 429, "retry_after": 9000, "count": 2})
    await staged.live()
    path = f"/targets/{(await staged.target('_template'))['id']}/retry"
    await staged.call("POST", path, ok=200)
    await market.work()
    assert (await staged.target("_template"))["stage"] == "created", "not in 9000 seconds"
    await market.sql("UPDATE show_target SET platform_state = 'ended' WHERE connector = '_template'")
    await fake.control("fault", {"kind": "status", "status": 403})
    for stage in ("failed", "created"):
        await staged.call("POST", path, ok=200)
        await market.work()
        assert (await staged.target("_template"))["stage"] == stage


async def test_an_end_finds_what_a_killed_worker_had_asked_for(staged: Studio) -> None:
    await staged.live()
    # As kill -9 leaves it between the platform's answer and our note.
    await staged.market.sql("UPDATE show_target SET ref = NULL, url_sealed = NULL, platform_state = 'asked'")
    await staged.call("POST", "/end")
    await staged.market.work()
    assert [one["state"] for one in await staged.there()] == ["done", "done"]
    assert (await staged.target("_template"))["stage"] == "ended"


async def test_a_broadcast_that_ended_over_there_is_not_live_and_another_is_made_when_asked(
    staged: Studio,
) -> None:
    await staged.live()
    await staged.on_air("_template")
    market, row = staged.market, await staged.target("_template")
    assert row["stage"] == "live"
    [mine] = [one for one in await staged.there() if one["marker"] == f"simulcast-{row['id']}"]
    async with market.hub.connections.use(market.connections["_template"]) as opened:
        await destination(opened).close(mine["id"])  # as if by hand
    market.clock.tick(61)
    await market.hub.pulse.find_due()
    await market.work()
    row = await staged.target("_template")
    assert (row["stage"], row["viewers"]) == ("failed", 3)
    assert "Try now" in row["reason"]
    await staged.call("POST", f"/targets/{row['id']}/retry", ok=200)
    await market.work()
    made = await staged.there()
    assert len(made) == 3
    assert len({one["marker"] for one in made}) == 3
    await staged.on_air("_template")
    assert (await staged.target("_template"))["stage"] == "live"


async def test_how_it_goes_there_is_asked_politely_and_shown(staged: Studio) -> None:
    market, fake = staged.market, staged.market.fakes["_template"]
    await staged.live()
    await staged.on_air("_template")
    issue = {"kind": "quality", "mark": "red", "issues": ["low_bitrate"]}
    await fake.control("fault", issue)
    await market.hub.pulse.find_due()
    await market.work()
    row = await staged.target("_template")
    assert (row["viewers"], row["viewers_peak"], row["ingest_state"]) == (3, 3, "bad")
    assert "Raise the encoder's bitrate" in row["ingest_issues"][0]
    units = (await fake.state())["units"]
    await market.hub.pulse.find_due()
    await market.work()
    assert (await fake.state())["units"] == units  # not its turn yet
    market.clock.tick(61)
    await fake.control("fault", {"kind": "status", "status": 429, "retry_after": 600, "count": 9})
    for passed in (0, 300, 290):
        market.clock.tick(passed)
        await market.hub.pulse.find_due()
        await market.work()
    assert (await fake.state())["units"] == units
    left = await market.sql("SELECT look_at FROM show_target WHERE connector = '_template'")
    assert left[0]["look_at"] > market.clock()  # told to wait, it waits: one question, then silence
    row = await staged.target("_template")
    assert (row["viewers"], row["viewers_peak"], row["stage"]) == (None, 3, "live")


async def test_a_keys_end_is_known_before_it_is_used_and_kept_when_it_is(staged: Studio) -> None:
    market = staged.market
    entered = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
    await market.sql("UPDATE connection SET key_entered_at = :at", at=entered)
    assert (await staged.target("_template"))["key_expires_at"] is None
    until = (entered + timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    assert (await staged.target("silent"))["key_expires_at"] == until
    await staged.live()
    await market.sql("UPDATE connection SET key_entered_at = now()")
    # What is pushed with is the key there was when it was opened.
    assert (await staged.target("silent"))["key_expires_at"] == until


async def test_texts_reach_every_platform_and_it_is_said_where_they_do_not(staged: Studio) -> None:
    market, fake = staged.market, staged.market.fakes["_template"]
    await staged.live()
    assert (await staged.target("_template"))["details_state"] == "applied"
    change = {"title": "Bags <new> " + "and more " * 20, "description": "All bags.", "tags": ["bags"]}
    await staged.call("PATCH", "", change, ok=200)
    assert (await staged.target("_template"))["details_state"] == "waiting"
    await market.work()
    shown = {one["marker"]: one for one in await staged.there()}
    mine = shown[f"simulcast-{(await staged.target('_template'))['id']}"]
    assert mine["title"].startswith("Bags new and more")
    assert len(mine["title"]) <= 100
    assert (mine["description"], (await staged.target("_template"))["details_state"]) == (
        "All bags.",
        "applied",
    )
    # Nothing was ever promised where no program can change a title.
    assert (await staged.target("silent"))["details_state"] != "waiting"

    row = await staged.target("_template")
    await fake.control("fault", {"kind": "status", "status": 503, "count": 1})
    await staged.call("PATCH", f"/targets/{row['id']}", {"title": "Only here"}, ok=200)
    await market.work()
    row = await staged.target("_template")
    assert (row["details_state"], row["title"]) == ("waiting", "Only here")
    assert row["details_reason"]
    market.clock.tick(120)
    await market.hub.details.find_waiting()
    await market.work()
    assert "Only here" in {one["title"] for one in await staged.there()}
    assert (await staged.target("_template"))["details_state"] == "applied"
    [preview, silent] = sorted(await previewed(staged, {}), key=lambda one: one["title"] is None)
    assert preview["title"] == "Only here"
    assert silent["notes"] == [NO_TEXTS]


async def previewed(studio: Studio, draft: dict[str, Any]) -> list[Any]:
    found: list[Any] = await studio.call("POST", "/preview", draft, ok=200)
    return found


async def test_a_preview_shows_what_will_be_cut_and_keeps_nothing(staged: Studio) -> None:
    draft = {"title": "<b>" + "very " * 30 + "long", "tags": ["one"]}
    found = await previewed(staged, draft)
    [mine] = [one for one in found if one["title"]]
    assert mine["title"].endswith("very…")
    assert len(mine["title"]) <= mine["title_limit"] == 100
    assert mine["notes"] == [
        "Example platform does not take < or >: left out.",
        "The title is cut: Example platform takes 100 characters.",
    ]
    assert (await staged.snapshot())["show"]["title"] == "Evening"


def soon(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def test_a_show_with_a_time_is_announced_changed_and_taken_up_by_going_live(staged: Studio) -> None:
    market = staged.market
    await staged.call("PATCH", "", {"starts_at": soon(24), "title": "Friday"}, ok=200)
    await market.work()
    [there] = await staged.there()  # the silent platform can't announce anything
    row = await staged.target("_template")
    assert (there["title"], row["stage"], row["details_state"]) == ("Friday", "planned", "applied")
    await staged.call("PATCH", "", {"title": "Saturday", "starts_at": soon(48)}, ok=200)
    await market.work()
    [there] = await staged.there()
    assert there["title"] == "Saturday"
    # Paused before the show: nobody is promised anything there. Wanted again: announced again, as another.
    for wanted in (False, True):
        await staged.call("PATCH", f"/targets/{row['id']}", {"wanted": wanted}, ok=200)
        await market.work()
        assert (await staged.target("_template"))["stage"] == ("planned" if wanted else "off")
    first, second = await staged.there()
    assert (first["state"], second["state"]) == ("done", "new")
    await staged.live()
    assert len(await staged.there()) == 3  # one of them is the silent platform's
    await staged.on_air("_template")
    assert (await staged.there())[1]["state"] == "on_air"
    assert (await staged.call("PATCH", "", {"starts_at": None}, ok=409))["code"] == "show_began"
    assert (await staged.call("POST", "/cancel", ok=409))["code"] == "show_began"


async def test_youtube_and_facebook_announce_the_show_and_follow_its_time(studio: Studio) -> None:
    youtube = studio.market.fakes["youtube"]
    for hours, title in ((24, "Friday"), (48, "Saturday")):
        starts_at = (datetime.now(UTC) + timedelta(hours=hours)).replace(microsecond=0)
        await studio.call("PATCH", "", {"starts_at": starts_at.isoformat(), "title": title}, ok=200)
        await studio.market.work()
        [broadcast] = (await youtube.state())["broadcasts"]
        assert broadcast["snippet"]["title"] == title
        assert datetime.fromisoformat(broadcast["snippet"]["scheduledStartTime"]) == starts_at
    for name in ("youtube", "facebook"):
        target = await studio.target(name)
        assert (target["stage"], target["details_state"]) == ("planned", "applied")
        assert target["watch_url"]  # known, and to be posted, before it starts
    await studio.live()
    assert len((await youtube.state())["broadcasts"]) == 1
    assert studio.worker.wanted(studio.slug) == {"youtube": True, "facebook": True}
    await studio.call("POST", "/end")
    await studio.market.work()
    assert {t["stage"] for t in (await studio.snapshot())["targets"]} == {"ended"}


async def test_a_cancelled_show_is_taken_back_everywhere(staged: Studio) -> None:
    market = staged.market
    await staged.call("PATCH", "", {"starts_at": soon(24)}, ok=200)
    await market.work()
    for _ in range(2):
        show = await staged.call("POST", "/cancel")
        assert (show["state"], show["cancelled"]) == ("ended", True)
    await market.work()
    [there] = await staged.there()
    assert there["state"] == "done"
    targets = {t["connector"]: (t["stage"], t["todo"]) for t in (await staged.snapshot())["targets"]}
    assert targets == {"_template": ("ended", None), "silent": ("ended", None)}
    assert (await staged.call("POST", "/start", ok=409))["code"] == "show_ended"


async def test_a_platform_that_puts_an_announcement_off_keeps_nobody_from_going_live(staged: Studio) -> None:
    market, fake = staged.market, staged.market.fakes["_template"]
    await fake.control("fault", {"kind": "status", "status": 429, "retry_after": 9000, "count": 1})
    await staged.call("PATCH", "", {"starts_at": soon(24)}, ok=200)
    await market.work()
    assert (await staged.target("_template"))["details_state"] == "waiting"
    await staged.live()
    assert (await staged.target("_template"))["stage"] == "created"


async def test_the_picture_must_be_one_of_ours_that_platforms_take(staged: Studio) -> None:
    refused = await staged.call("PATCH", "", {"picture_asset": "0" * 64}, ok=404)
    assert refused["code"] == "asset_unknown"
    post = staged.owner.http.post
    webp = await post(f"/api/v1/shows/{staged.show}/assets", content=b"RIFF\0\0\0\0WEBP")
    refused = await staged.call("PATCH", "", {"picture_asset": webp.json()["sha256"]}, ok=422)
    assert refused["code"] == "picture_kind"
    png = await post(f"/api/v1/shows/{staged.show}/assets", content=b"\x89PNG\r\n\x1a\n" + bytes(3_000_000))
    await staged.call("PATCH", "", {"picture_asset": png.json()["sha256"]}, ok=200)
    [mine] = [one for one in await previewed(staged, {}) if one["title"]]
    assert mine["notes"] == ["The picture is too large: Example platform takes up to 2.0 MB."]
