"""Going live, pausing, ending: each platform for itself, and the media worker always told the newest."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from hub.shows.models import MediaWorker
from hub.work.app import follow_worker
from restream.api import PublisherStatus
from tests.hub.platforms import until
from tests.hub.shows.conftest import Studio
from tests.hub.worker import target_status


async def test_a_planned_show_lets_the_encoder_in_and_pushes_nowhere(studio: Studio) -> None:
    spec = studio.worker.specs[studio.slug]
    assert spec.open
    assert len(spec.key_hashes) == 1
    assert spec.targets == []
    assert studio.worker.tokens == {"Bearer a test's own media token"}


async def test_going_live_opens_a_broadcast_everywhere_and_tells_the_worker_where(studio: Studio) -> None:
    await studio.live()
    assert studio.worker.wanted(studio.slug) == {"youtube": True, "facebook": True}
    assert all(studio.worker.keys(studio.slug).values())
    for connector in ("youtube", "facebook"):
        assert (await studio.target(connector))["platform_state"] == "scheduled"
    snapshot = str(await studio.snapshot())
    assert not any(key in snapshot for key in studio.worker.keys(studio.slug).values())


async def test_going_live_twice_opens_one_broadcast(studio: Studio) -> None:
    await asyncio.gather(*(studio.call("POST", "/start") for _ in range(3)))
    await studio.market.work()
    targets = await studio.market.sql("SELECT id FROM show_target")
    for row in targets:
        await studio.market.hub.targets.open(row["id"])
    assert len((await studio.market.fakes["youtube"].state())["broadcasts"]) == 1


async def test_one_platforms_no_is_its_own_affair(studio: Studio) -> None:
    await studio.market.fakes["youtube"].control("fault", {"kind": "revoke"})
    await studio.market.fakes["youtube"].control("fault", {"kind": "expire_token"})
    await studio.live()
    youtube = await studio.target("youtube")
    assert youtube["state"] == "failed"
    assert youtube["reason"]
    assert studio.worker.wanted(studio.slug) == {"facebook": True}


async def test_an_account_unlinked_meanwhile_fails_its_target_and_says_so(studio: Studio) -> None:
    await studio.call("POST", "/start")
    connection = studio.market.connections["youtube"]
    await studio.owner.call("DELETE", f"/api/v1/connections/{connection}", ok=204)
    await studio.market.work()
    youtube = await studio.target("youtube")
    assert (youtube["state"], youtube["reason"]) == ("failed", "This account is no longer linked.")
    await studio.call("POST", "/end")
    await studio.market.work()
    assert await studio.market.sql("SELECT task_name, status, attempts FROM procrastinate_jobs") == []


async def test_a_busy_platform_is_asked_again(studio: Studio) -> None:
    await studio.market.fakes["youtube"].control("fault", {"kind": "status", "status": 503, "count": 1})
    await studio.live()
    assert studio.worker.wanted(studio.slug) == {"facebook": True}
    assert (await studio.target("youtube"))["state"] == "connecting"
    await studio.market.later()
    assert studio.worker.wanted(studio.slug) == {"facebook": True, "youtube": True}


async def test_pause_and_resume_reach_the_worker_in_versions(studio: Studio) -> None:
    await studio.live()
    target = (await studio.target("youtube"))["id"]
    versions = [studio.worker.specs[studio.slug].version]
    for wanted in (False, True):
        await studio.call("PATCH", f"/targets/{target}", {"wanted": wanted}, ok=200)
        await studio.market.work()
        assert studio.worker.wanted(studio.slug) == {"youtube": wanted, "facebook": True}
        versions.append(studio.worker.specs[studio.slug].version)
    assert versions == sorted(set(versions))


async def test_a_worker_that_was_away_learns_the_newest_when_it_is_back(studio: Studio) -> None:
    studio.worker.down = True
    await studio.live()
    assert studio.worker.specs[studio.slug].targets == []
    studio.worker.down = False
    await studio.market.later()
    assert studio.worker.wanted(studio.slug) == {"youtube": True, "facebook": True}


async def worker_row(studio: Studio) -> MediaWorker:
    [row] = await studio.market.hub.media.workers()
    return row


async def test_a_restarted_worker_is_told_everything_again(studio: Studio) -> None:
    await studio.live()
    following = asyncio.create_task(follow_worker(studio.market.hub, await worker_row(studio)))
    await until(lambda: told(studio))
    studio.worker.specs.clear()
    studio.worker.hang_up()
    await until(lambda: told(studio))
    assert studio.worker.wanted(studio.slug) == {"youtube": True, "facebook": True}
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def told(studio: Studio) -> bool:
    return studio.slug in studio.worker.specs


async def test_a_worker_that_missed_the_end_is_told_of_it(studio: Studio) -> None:
    await studio.live()
    studio.worker.down = True
    await studio.call("POST", "/end")
    await studio.market.work()
    assert studio.worker.specs[studio.slug].open
    await studio.market.sql("DELETE FROM procrastinate_jobs")
    studio.worker.down = False
    row = await worker_row(studio)
    client = studio.market.hub.media.client(row)
    await studio.market.hub.media.sync_all(row, client)
    await client.close()
    assert not studio.worker.specs[studio.slug].open


async def test_odd_news_does_not_stop_the_news_that_follow(studio: Studio) -> None:
    await studio.live()
    following = asyncio.create_task(follow_worker(studio.market.hub, await worker_row(studio)))
    target = await studio.target("facebook")
    for odd in (target_status("not-a-uuid", "x", "live"), target_status(target["id"], "x", "retrying")):
        studio.worker.say(studio.worker.event(studio.slug, "target.changed", target=odd))

    async def heard() -> bool:
        return bool((await studio.target("facebook"))["state"] == "retrying")

    await until(heard)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_a_target_that_is_live_is_taken_live_on_its_platform(studio: Studio) -> None:
    await studio.live()
    key = studio.worker.keys(studio.slug)["facebook"]
    body = {"event": "publish", "app": "rtmp", "key": key}
    await studio.market.fakes["facebook"].control("ingest", body)
    await studio.says("facebook", "live", bytes_sent=100)
    await studio.market.work()
    for _ in range(3):
        await studio.market.later()
    assert (await studio.target("facebook"))["platform_state"] == "live"
    assert (await studio.target("youtube"))["platform_state"] == "scheduled"


async def test_a_target_in_trouble_shows_why_and_the_others_nothing(studio: Studio) -> None:
    await studio.live()
    await studio.says("youtube", "retrying", reason="The far end hung up.", connects=2)
    youtube, facebook = await studio.target("youtube"), await studio.target("facebook")
    assert (youtube["state"], youtube["reason"]) == ("retrying", "The far end hung up.")
    assert facebook["state"] == "idle"


async def test_the_end_closes_broadcasts_and_is_final(studio: Studio) -> None:
    await studio.live()
    await studio.call("POST", "/end")
    await studio.call("POST", "/end")
    await studio.market.work()
    assert not studio.worker.specs[studio.slug].open
    for connector in ("youtube", "facebook"):
        target = await studio.target(connector)
        assert (target["state"], target["platform_state"]) == ("idle", "ended")
    assert (await studio.call("POST", "/start", ok=409))["code"] == "show_ended"


async def test_a_show_that_ends_while_a_platform_still_answers_leaves_no_broadcast(studio: Studio) -> None:
    await studio.call("POST", "/start")
    await studio.call("POST", "/end")
    await studio.market.work()
    assert {target["state"] for target in (await studio.snapshot())["targets"]} == {"idle"}


async def test_every_change_of_the_show_has_the_next_number(studio: Studio) -> None:
    before = (await studio.snapshot())["seq"]
    await studio.live()
    await studio.call("POST", "/highlight", {"product_id": str(studio.market.shop.product_id)}, ok=204)
    await studio.call("POST", "/messages", {"text": "Welcome", "to": ["own"]})
    await studio.call("POST", "/end")
    assert (await studio.snapshot())["seq"] == before + 4


async def test_a_new_key_replaces_the_old_one_at_the_worker(studio: Studio) -> None:
    old = studio.worker.specs[studio.slug].key_hashes
    await studio.call("POST", "/key", ok=200)
    await studio.market.work()
    assert studio.worker.specs[studio.slug].key_hashes != old


async def test_news_of_an_unknown_target_or_show_change_nothing(studio: Studio) -> None:
    hub = studio.market.hub
    unknown = target_status(str(UUID(int=1)), "x", "live")
    await hub.media.heard(studio.worker.event("nowhere", "target.changed", target=unknown))
    await hub.media.heard(studio.worker.event("nowhere", "publisher.stopped"))
    assert await studio.market.sql("SELECT task_name, status, attempts FROM procrastinate_jobs") == []


async def test_the_standbys_coming_and_going_is_not_the_feeds(studio: Studio) -> None:
    await studio.live()
    hub, event = studio.market.hub, studio.worker.event
    now = datetime.now(UTC)
    first = PublisherStatus(since=now, peer="10.0.0.1", encoder="OBS")
    standby = PublisherStatus(since=now, peer="10.0.0.2", encoder="vMix")
    await hub.media.heard(event(studio.slug, "publisher.started", role="primary", publisher=first))
    await hub.media.heard(event(studio.slug, "publisher.started", role="backup", publisher=standby))
    assert (await studio.snapshot())["ingest"]["encoder"] == "OBS"
    await hub.media.heard(event(studio.slug, "publisher.stopped", role="backup", reason="bye"))
    assert (await studio.snapshot())["ingest"]["encoder"] == "OBS"
