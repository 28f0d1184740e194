"""Signed shows: private links become short passes, which the real door of a media worker takes or refuses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.hub.playback.conftest import Stage, access_of


@pytest.fixture
async def private(stage: Stage) -> Stage:
    """A signed show that is on the air."""
    await stage.change(access="signed")
    await stage.on_air()
    return stage


async def test_who_has_no_link_is_told_so_and_sees_nothing_of_the_show(private: Stage) -> None:
    page = await private.page()
    assert (page["access"], page["playback"]) == ("private", None)
    assert page["access_reason"] == "This show is private. Open it with the link you were given."
    assert (page["products"], page["messages"], page["viewer_token"]) == ([], [], "")
    assert page["show"]["title"] == "Evening"
    assert private.asked("/live/evening/index.m3u8") == 401


async def test_a_private_link_opens_the_show_and_the_worker_takes_its_pass(private: Stage) -> None:
    link = await private.link(hours=2)
    assert link["url"].startswith("http://127.0.0.1:8080/watch/evening?access=")
    page = await private.page(access_of(link))
    assert (page["access"], page["access_reason"]) == ("open", None)
    assert page["viewer_token"]
    playback = page["playback"]
    assert private.asked(playback["hls_url"]) == 200
    assert private.asked(playback["whep_url"]) == 200
    token = playback["hls_url"].partition("?token=")[2]
    assert token.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert len(token) < 2000
    assert access_of(link) not in playback["hls_url"]


async def test_a_pass_runs_out_unless_it_is_renewed(private: Stage) -> None:
    access = access_of(await private.link(hours=24))
    page = await private.page(access)
    renew_at = datetime.fromisoformat(page["playback"]["renew_at"])
    now = private.studio.market.clock()
    assert timedelta(minutes=1) < renew_at - now <= timedelta(minutes=20)
    private.studio.market.clock.tick((renew_at - now).total_seconds())
    assert private.asked(page["playback"]["hls_url"]) == 200  # the hub may be away a while
    again = await private.page(access)
    private.studio.market.clock.tick(29.5 * 60)
    assert private.asked(page["playback"]["hls_url"]) == 401
    assert private.asked(again["playback"]["hls_url"]) == 200


async def test_a_link_that_has_run_out_says_so_and_took_its_passes_along(private: Stage) -> None:
    access = access_of(await private.link(hours=0.1))
    url = (await private.page(access))["playback"]["hls_url"]
    private.studio.market.clock.tick(5 * 60)
    assert private.asked(url) == 200
    private.studio.market.clock.tick(2 * 60)
    page = await private.page(access)
    assert page["access"] == "private"
    assert page["access_reason"] == "This private link has run out. Ask for a new one."
    assert private.asked(url) == 401


async def test_a_link_for_one_address_opens_nothing_elsewhere(private: Stage) -> None:
    here = access_of(await private.link(ip="127.0.0.1"))
    there = access_of(await private.link(ip="203.0.113.7"))
    page = await private.page(there)
    assert page["access"] == "private"
    assert "another network" in page["access_reason"]
    url = (await private.page(here))["playback"]["hls_url"]
    assert private.asked(url, client="127.0.0.1") == 200
    assert private.asked(url, client="203.0.113.8") == 403
    assert (await private.link(ok=422, ip="nowhere"))["code"] == "bad_input"


async def test_passes_and_links_do_not_stand_in_for_each_other(private: Stage) -> None:
    access = access_of(await private.link())
    token = (await private.page(access))["playback"]["hls_url"].partition("?token=")[2]
    assert (await private.page(token))["access"] == "private"
    assert private.asked(f"/live/evening/index.m3u8?token={access}") == 401


async def test_a_link_opens_no_other_show(private: Stage) -> None:
    other = await private.studio.owner.call("POST", "/api/v1/shows", {"title": "B", "slug": "other"}, ok=201)
    await private.studio.owner.call("PATCH", f"/api/v1/shows/{other['id']}/playback", {"access": "signed"})
    await private.studio.market.work()
    access = access_of(await private.link())
    page = await private.page(access, slug="other")
    assert (page["access"], page["playback"]) == ("private", None)
    assert "does not open this show" in page["access_reason"]
    token = (await private.page(access))["playback"]["hls_url"].partition("?token=")[2]
    assert private.asked(f"/live/other/index.m3u8?token={token}") == 401


async def test_who_asks_again_soon_gets_the_same_pass_and_is_one_viewer(private: Stage) -> None:
    access = access_of(await private.link())
    first = await private.page(access, viewer="a" * 32)
    again = await private.page(access, viewer="a" * 32)
    other = await private.page(access, viewer="b" * 32)
    if first["playback"]["renew_at"] == again["playback"]["renew_at"]:  # no ten minutes ended in between
        assert first["playback"]["hls_url"] == again["playback"]["hls_url"]
    for page in (first, again, other):
        assert private.asked(page["playback"]["hls_url"]) == 200
    assert private.door.viewers("evening") == 2


async def test_with_grace_old_links_and_passes_are_good_until_it_is_over(private: Stage) -> None:
    access = access_of(await private.link(hours=48))
    url = (await private.page(access))["playback"]["hls_url"]
    secret = private.studio.spec.playback.path_secret
    said = await rotate(private, grace_minutes=15)
    assert said["old_keys_until"] is not None
    assert len(private.studio.spec.playback.keys) == 2
    assert private.studio.spec.playback.path_secret == secret
    assert private.asked(url) == 200
    renewed = (await private.page(access))["playback"]["hls_url"]
    assert renewed.partition("?token=")[2] != url.partition("?token=")[2]  # signed with the new key
    private.studio.market.clock.tick(15 * 60 + 6)
    await private.studio.market.later()
    assert len(private.studio.spec.playback.keys) == 1
    assert private.asked(url) == 401
    assert private.asked(renewed) == 200
    assert (await private.page(access))["access"] == "private"
    assert (await private.studio.call("GET", "/playback", ok=200))["old_keys_until"] is None


async def test_cut_now_cuts_everybody_and_moves_the_media(private: Stage) -> None:
    access = access_of(await private.link())
    url = (await private.page(access))["playback"]["hls_url"]
    await rotate(private, grace_minutes=60)
    before = private.studio.spec.playback
    assert before.path_secret is not None
    door = before.path_secret.get_secret_value()
    assert private.asked(f"/live/evening/{door}/source/s1.m4s") == 200
    await rotate(private, grace_minutes=0)
    assert len(private.studio.spec.playback.keys) == 1
    assert private.asked(url) == 401
    assert private.asked(f"/live/evening/{door}/source/s1.m4s") == 404
    assert (await private.page(access))["access"] == "private"
    fresh = access_of(await private.link())
    assert private.asked((await private.page(fresh))["playback"]["hls_url"]) == 200


async def rotate(stage: Stage, grace_minutes: int) -> Any:
    said = await stage.studio.call("POST", "/playback/keys", {"grace_minutes": grace_minutes}, ok=200)
    await stage.studio.market.work()
    return said


async def test_media_moves_when_a_show_becomes_private(stage: Stage) -> None:
    before = stage.studio.spec.playback.path_secret
    assert before is not None
    await stage.change(access="unlisted")
    assert stage.studio.spec.playback.path_secret == before
    assert (await stage.link(ok=409))["code"] == "not_private"
    await stage.change(access="signed")
    after = stage.studio.spec.playback.path_secret
    assert after is not None
    assert after != before
    assert stage.studio.spec.playback.policy == "signed"
    await stage.change(access="signed", mode="interactive")
    assert stage.studio.spec.playback.path_secret == after


async def test_every_show_has_media_addresses_of_its_own(stage: Stage) -> None:
    await stage.studio.owner.call("POST", "/api/v1/shows", {"title": "B", "slug": "other"}, ok=201)
    await stage.studio.market.work()
    doors = {slug: spec.playback.path_secret for slug, spec in stage.studio.worker.specs.items()}
    mine, other = doors["evening"], doors["other"]
    assert mine is not None
    assert other is not None
    assert mine != other
    assert stage.asked(f"/live/evening/{mine.get_secret_value()}/source/s7.m4s") == 200
    assert stage.asked(f"/live/other/{mine.get_secret_value()}/source/s7.m4s") == 404
    assert stage.asked("/live/other/source/s7.m4s") == 404


async def test_the_studio_previews_a_private_show_without_a_link(stage: Stage) -> None:
    await stage.change(access="signed")
    await stage.studio.stats(playable=True)
    assert stage.asked((await stage.studio.snapshot())["playback"]["hls_url"]) == 200
    assert (await stage.page())["playback"] is None


async def test_private_keys_and_doors_are_sealed_where_they_are_kept(private: Stage) -> None:
    secret = private.studio.spec.playback.path_secret
    assert secret is not None
    kept = await private.studio.market.sql("SELECT row_to_json(t)::text FROM playback_key t")
    kept += await private.studio.market.sql("SELECT row_to_json(t)::text FROM show t")
    sealed = await private.studio.market.sql("SELECT private_key_sealed FROM playback_key")
    vault = private.studio.market.hub.playback._vault
    said = str(await private.studio.call("GET", "/playback", ok=200)) + str(await private.page())
    for hidden in (secret.get_secret_value(), vault.open(bytes(sealed[0]["private_key_sealed"]))):
        assert hidden not in str(kept)
        assert hidden not in said


async def test_another_site_may_not_embed_what_was_given_to_one(stage: Stage) -> None:
    await stage.change(origins=["https://brand.com"])
    await stage.on_air()
    url = (await stage.page())["playback"]["hls_url"]
    assert stage.asked(url, head=b"\r\nOrigin: https://brand.com") == 200
    assert stage.asked(url, head=b"\r\nOrigin: https://thief.example") == 403
    assert stage.asked(url, head=b"\r\nReferer: http://127.0.0.1:8080/watch/evening") == 200
    assert stage.asked(url) == 200


async def test_a_full_show_takes_nobody_more(stage: Stage) -> None:
    await stage.change(viewer_cap=2)
    await stage.on_air()
    url = (await stage.page())["playback"]["hls_url"]
    answers = [stage.asked(url, client=f"192.0.2.{number}") for number in (1, 2, 3, 1, 2)]
    assert answers == [200, 200, 503, 200, 200]
