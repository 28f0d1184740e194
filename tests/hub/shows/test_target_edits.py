"""One target is added, edited, tried again and removed while live, and the others notice nothing."""

from __future__ import annotations

from typing import Any

from connectors.rtmp.destination import Config
from hub.shows.presets import TARGET_PRESETS, plan_of
from tests.hub.platforms import until
from tests.hub.shows.conftest import Studio
from tests.hub.worker import target_status

KEY = "live_123?token=very-secret"
KICK = {"name": "Kick", "url": "rtmps://abc.example.net:443/app", "key": KEY, "platform": "kick"}


async def add(studio: Studio, **custom: Any) -> Any:
    made = await studio.call("POST", "/targets", {"custom": KICK | custom}, ok=201)
    await studio.market.work()
    return made


def others(studio: Studio, target_id: str) -> list[Any]:
    """What the worker was told of all the rest."""
    return [one.model_dump() for one in studio.spec.targets if not one.id.startswith(target_id)]


async def test_an_address_is_added_without_linking_an_account_first(studio: Studio) -> None:
    await studio.live()
    made = await add(studio)
    told = studio.told(made["id"])
    assert told is not None
    assert (told.url, told.key.get_secret_value()) == (KICK["url"], KEY)
    assert (told.platform, told.plan, told.wanted) == ("kick", "steady", True)
    assert made["own_address"]
    linked = await studio.owner.call("GET", "/api/v1/connections")
    assert "Kick" in {one["name"] for one in linked}


async def test_the_key_of_an_address_is_sealed_and_never_answered(studio: Studio) -> None:
    await studio.live()
    made = await add(studio, url="srt://live.example.com:9000", passphrase="a long passphrase")
    told = studio.told(made["id"])
    assert told is not None
    assert told.passphrase is not None
    assert told.passphrase.get_secret_value() == "a long passphrase"
    answers = [made, await studio.snapshot(), await studio.owner.call("GET", "/api/v1/connections")]
    stored = [
        await studio.market.sql(f"SELECT row_to_json(t)::text AS row FROM {table} t")  # noqa: S608
        for table in ("show_target", "connection", "procrastinate_jobs", "procrastinate_events")
    ]
    for secret in (KEY, "a long passphrase"):
        assert secret not in str(answers)
        assert secret not in str(stored)


async def test_an_address_that_cannot_work_is_refused_in_words(studio: Studio) -> None:
    for wrong, words in (
        ({"key": ""}, "Enter the stream key"),
        ({"passphrase": "ten or more"}, "Only an SRT address"),
        ({"url": "ftp://example.com/x"}, "url"),
    ):
        body = {"custom": KICK | wrong}
        assert words in (await studio.call("POST", "/targets", body, ok=422))["detail"]
    assert (await studio.call("POST", "/targets", {}, ok=422))["code"] == "bad_input"
    assert len((await studio.snapshot())["targets"]) == 2


async def test_each_preset_leads_to_its_platforms_patience(studio: Studio) -> None:
    for preset in await studio.owner.call("GET", "/api/v1/target-presets"):
        url = preset["url"] or "rtmps://x.example.com/app"
        assert Config.model_validate({"url": url, "key": "k", "platform": preset["platform"]})
    assert {one.platform: plan_of(one.platform) for one in TARGET_PRESETS} == {
        "kick": "steady",
        "x": "steady",
        "linkedin": "steady",
        "amazon": "steady",
        "instagram": "single_use",
        "tiktok": "single_use",
        "youtube": "youtube",
        "facebook": "facebook",
        "twitch": "twitch",
        "": "steady",
    }


async def test_a_linked_platform_brings_its_own_patience_and_limits(studio: Studio) -> None:
    await studio.live()
    told = {one.platform: one.plan for one in studio.spec.targets}
    assert told == {"youtube": "youtube", "facebook": "facebook"}


async def test_a_new_key_reaches_one_target_and_no_other(studio: Studio) -> None:
    await studio.live()
    made = await add(studio)
    before = others(studio, made["id"])
    change = {"url": "rtmp://new.example.com/app", "key": "new-key", "name": "Kick 2"}
    changed = await studio.call("PATCH", f"/targets/{made['id']}", change, ok=200)
    assert (changed["id"], changed["name"]) == (made["id"], "Kick 2")
    await studio.market.work()
    told = studio.told(made["id"])
    assert told is not None
    assert (told.name, told.url, told.key.get_secret_value()) == ("Kick 2", change["url"], "new-key")
    assert others(studio, made["id"]) == before


async def test_a_passphrase_goes_with_the_srt_address_it_belonged_to(studio: Studio) -> None:
    await studio.live()
    made = await add(studio, url="srt://live.example.com:9000", passphrase="a long passphrase")
    await studio.call("PATCH", f"/targets/{made['id']}", {"url": "rtmp://x.example.com/app"}, ok=200)
    await studio.market.work()
    told = studio.told(made["id"])
    assert told is not None
    assert (told.url, told.passphrase) == ("rtmp://x.example.com/app", None)
    assert told.key.get_secret_value() == KEY


async def test_a_key_alone_changes_and_the_address_stays(studio: Studio) -> None:
    made = await add(studio)
    await studio.call("PATCH", f"/targets/{made['id']}", {"key": "tonight"}, ok=200)
    await studio.live()
    told = studio.told(made["id"])
    assert told is not None
    assert (told.url, told.key.get_secret_value()) == (KICK["url"], "tonight")


async def test_an_address_changed_while_paused_is_the_one_that_is_resumed(studio: Studio) -> None:
    await studio.live()
    made = await add(studio)
    address = {"url": "rtmp://new.example.com/app", "key": "new-key"}
    for change in ({"wanted": False}, address, {"wanted": True}):
        await studio.call("PATCH", f"/targets/{made['id']}", change, ok=200)
        await studio.market.work()
    told = studio.told(made["id"])
    assert told is not None
    assert (told.wanted, told.url, told.key.get_secret_value()) == (True, *address.values())


async def test_a_live_target_with_a_new_address_is_asked_about_again(studio: Studio) -> None:
    await studio.live()
    made = await add(studio)
    await studio.says("rtmp", "live")
    await studio.market.work()
    await studio.call("PATCH", f"/targets/{made['id']}", {"key": "new-key"}, ok=200)
    await studio.market.work()
    assert (await studio.target("rtmp"))["platform_state"] == "live"


async def test_an_address_the_platform_gives_out_is_not_ours_to_change(studio: Studio) -> None:
    youtube = await studio.target("youtube")
    assert not youtube["own_address"]
    answer = await studio.call("PATCH", f"/targets/{youtube['id']}", {"key": "mine"}, ok=422)
    assert answer["code"] == "address_fixed"


async def test_a_failed_target_is_tried_again_by_its_next_attempt(studio: Studio) -> None:
    await studio.live()
    youtube = await studio.target("youtube")
    before, rest = studio.told(youtube["id"]), others(studio, youtube["id"])
    await studio.call("POST", f"/targets/{youtube['id']}/retry", ok=200)
    await studio.market.work()
    after = studio.told(youtube["id"])
    assert before is not None
    assert after is not None
    assert after.attempt == before.attempt + 1
    assert after.model_copy(update={"attempt": before.attempt}) == before
    assert others(studio, youtube["id"]) == rest


async def test_a_target_whose_platform_said_no_is_opened_again(studio: Studio) -> None:
    youtube = studio.market.fakes["youtube"]
    await youtube.control("fault", {"kind": "status", "status": 400, "count": 1})
    await studio.live()
    target = await studio.target("youtube")
    assert target["state"] == "failed"
    await studio.call("POST", f"/targets/{target['id']}/retry", ok=200)
    await studio.market.work()
    assert studio.told(target["id"]) is not None


async def test_a_removed_target_stops_at_once_and_comes_back_as_it_was(studio: Studio) -> None:
    await studio.live()
    youtube = await studio.target("youtube")
    before, rest = studio.told(youtube["id"]), others(studio, youtube["id"])
    await studio.call("DELETE", f"/targets/{youtube['id']}", ok=204)
    await studio.market.work()
    assert studio.told(youtube["id"]) is None
    assert youtube["id"] not in str((await studio.snapshot())["targets"])
    assert others(studio, youtube["id"]) == rest
    await studio.call("PATCH", f"/targets/{youtube['id']}", {"wanted": True}, ok=404)
    back = await studio.call("POST", f"/targets/{youtube['id']}/restore", ok=200)
    await studio.market.later()
    assert back["id"] == youtube["id"]
    assert studio.told(youtube["id"]) == before
    [broadcast] = (await studio.market.fakes["youtube"].state())["broadcasts"]
    assert broadcast["status"]["lifeCycleStatus"] == "ready"


async def test_a_removed_targets_broadcast_is_ended_when_nobody_took_it_back(studio: Studio) -> None:
    await studio.live()
    youtube = await studio.target("youtube")
    await studio.call("DELETE", f"/targets/{youtube['id']}", ok=204)
    await studio.market.later()
    # It never was live, so the platform drops it.
    assert (await studio.market.fakes["youtube"].state())["broadcasts"] == []
    answer = await studio.call("POST", f"/targets/{youtube['id']}/restore", ok=409)
    assert answer["code"] == "target_over"
    again = {"connection_id": str(studio.market.connections["youtube"])}
    made = await studio.call("POST", "/targets", again, ok=201)
    await studio.market.work()
    assert made["id"] != youtube["id"]
    assert studio.told(made["id"]) is not None


async def test_a_target_added_again_meanwhile_is_not_taken_back_twice(studio: Studio) -> None:
    youtube = await studio.target("youtube")
    await studio.call("DELETE", f"/targets/{youtube['id']}", ok=204)
    again = {"connection_id": str(studio.market.connections["youtube"])}
    await studio.call("POST", "/targets", again, ok=201)
    answer = await studio.call("POST", f"/targets/{youtube['id']}/restore", ok=409)
    assert answer["code"] == "target_exists"


async def test_a_backup_ingest_is_pushed_to_as_a_target_of_its_own(doubled: Studio) -> None:
    await doubled.live()
    for connector in ("youtube", "facebook"):
        target = await doubled.target(connector)
        first, second = doubled.told(target["id"]), doubled.told(f"{target['id']}.backup")
        assert first is not None
        assert second is not None
        assert second.wanted
        assert (second.plan, second.platform) == (first.plan, first.platform)
        assert (second.url, second.key) != (first.url, first.key)
        assert target["backup_offered"]
        assert second.key.get_secret_value() not in str(await doubled.snapshot())


async def test_the_backup_is_shown_beside_its_target_and_can_be_switched_off(doubled: Studio) -> None:
    await doubled.live()
    target = await doubled.target("youtube")
    backup = target_status(f"{target['id']}.backup", "b", "retrying", reason="It hung up.")
    await doubled.stats(target_status(target["id"], "y", "live", bytes_sent=5), backup)
    youtube = await doubled.target("youtube")
    assert (youtube["state"], youtube["bytes_sent"]) == ("live", 5)
    assert (youtube["backup_state"], youtube["backup_reason"]) == ("retrying", "It hung up.")
    off = await doubled.call("PATCH", f"/targets/{target['id']}", {"backup_wanted": False}, ok=200)
    await doubled.market.work()
    assert off["backup_state"] is None
    assert doubled.told(target["id"]) is not None
    assert doubled.told(f"{target['id']}.backup") is None


async def test_what_became_of_each_target_is_kept_over_the_workers_restarts(studio: Studio) -> None:
    await studio.live()
    target = (await studio.target("youtube"))["id"]

    def word(**counts: float) -> Any:
        return target_status(target, "y", "live", **counts)

    await studio.stats(word(bytes_sent=900, bytes_acknowledged=800, connects=1, seconds_live=90))
    await studio.stats(word(bytes_sent=890, bytes_acknowledged=800, connects=1, seconds_live=89))  # late
    await studio.stats(word(bytes_sent=0, connects=0))  # restarted
    await studio.stats(word(bytes_sent=100, bytes_acknowledged=50, connects=2, gaps=1, seconds_live=10))
    await studio.stats(word(bytes_sent=100, bytes_acknowledged=50, connects=2, gaps=1, seconds_live=10))
    await studio.call("POST", "/end")
    await studio.market.work()
    await studio.stats(word(bytes_sent=120, bytes_acknowledged=60, connects=2, gaps=1, seconds_live=11))
    youtube = await studio.target("youtube")
    names = ("bytes_sent", "bytes_acknowledged", "connects", "gaps", "seconds_live")
    assert [youtube[name] for name in names] == [1020, 860, 3, 1, 101]
    assert (youtube["state"], youtube["platform_state"]) == ("idle", "ended")


async def test_an_ended_shows_report_knows_the_removed_targets_too(studio: Studio) -> None:
    await studio.live()
    target = (await studio.target("youtube"))["id"]
    await studio.stats(target_status(target, "y", "live", bytes_sent=900, seconds_wanted=60, seconds_live=30))
    await studio.call("DELETE", f"/targets/{target}", ok=204)
    await studio.call("POST", "/end")
    await studio.market.work()
    youtube = await studio.target("youtube")
    assert youtube["removed"]
    assert (youtube["bytes_sent"], youtube["seconds_wanted"]) == (900, 60)
    await studio.call("PATCH", f"/targets/{target}", {"wanted": False}, ok=404)


async def test_a_brand_reaches_no_target_of_another(studio: Studio) -> None:
    target = (await studio.target("youtube"))["id"]
    stranger = await studio.market.owner("Other")
    mine = await stranger.call("POST", "/api/v1/shows", {"title": "Mine"}, ok=201)
    for show in (studio.show, mine["id"]):
        path = f"/api/v1/shows/{show}/targets/{target}"
        for method, address in (("PATCH", path), ("DELETE", path), ("POST", f"{path}/retry")):
            await stranger.call(method, address, {}, ok=404)
        await stranger.call("POST", f"{path}/restore", {}, ok=404)


async def test_news_of_a_removal_reach_the_studio(studio: Studio) -> None:
    heard: list[Any] = []
    bus, target = studio.market.hub.bus, await studio.target("youtube")

    async def hear(event: Any) -> None:
        heard.append(event)

    async def removed() -> bool:
        return any(one.kind == "target.removed" and one.audience == "staff" for one in heard)

    stop = await bus.subscribe(f"show.{studio.show}.>", hear)
    await studio.call("DELETE", f"/targets/{target['id']}", ok=204)
    await until(removed)
    await stop()
