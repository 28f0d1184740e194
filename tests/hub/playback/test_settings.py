"""What a brand sets for its player, and what the media worker and the players are told of it."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from hub.playback.service import Playback
from hub.secrets import Vault
from restream.api import RungStatus
from tests.hub.playback.conftest import PNG, Stage
from tests.hub.site import Client


async def upload(stage: Stage, data: bytes = PNG) -> str:
    answer = await stage.studio.owner.http.post(f"/api/v1/shows/{stage.studio.show}/assets", content=data)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sha256"])


async def test_a_new_show_is_for_everybody_with_a_ladder_and_webrtc(stage: Stage) -> None:
    said = await stage.studio.call("GET", "/playback", ok=200)
    assert (said["mode"], said["part_ms"], said["access"]) == ("balanced", 333, "public")
    assert (said["origins"], said["viewer_cap"], said["key_since"]) == ([], None, None)
    spec = stage.studio.spec
    assert spec.ladder is not None
    assert spec.whep is not None
    assert (spec.playback.policy, spec.playback.keys, spec.playback.origins) == ("public", [], [])


async def test_what_is_set_reaches_the_worker_and_the_rest_stays(stage: Stage) -> None:
    await stage.change(mode="interactive", part_ms=200, ladder=False, viewer_cap=500)
    said = await stage.change(whep=False, origins=["Brand.com/", "http://shop.test:8000"])
    assert (said["mode"], said["part_ms"], said["viewer_cap"]) == ("interactive", 200, 500)
    assert said["origins"] == ["https://brand.com", "http://shop.test:8000"]
    spec = stage.studio.spec
    assert (spec.part_ms, spec.ladder, spec.whep) == (200, None, None)
    assert spec.playback.viewer_cap == 500
    own = stage.studio.market.hub.settings.site_url()
    assert spec.playback.origins == ["https://brand.com", "http://shop.test:8000", own]
    await stage.change(viewer_cap=None, origins=[])
    assert (stage.studio.spec.playback.viewer_cap, stage.studio.spec.playback.origins) == (None, [])


WRONG: tuple[dict[str, Any], ...] = (
    {"mode": "fast"},
    {"part_ms": 250},
    {"access": "secret"},
    {"origins": ["https://brand.com/shop"]},
    {"origins": ["javascript://x"]},
    {"origins": ["not a site"]},
    {"viewer_cap": 0},
    {"whep_url": "http://sfu.example.com/whep"},
    {"whep_url": "https://user:word@sfu.example.com/whep"},
    {"whep_url": "https://"},
    {"whep_url": "https://sfu.example.com:port/whep"},
    {"poster_asset": "x"},
)


async def test_settings_that_make_no_sense_are_refused(stage: Stage) -> None:
    version = stage.studio.spec.version
    for wrong in WRONG:
        problem = await stage.change(ok=422, **wrong)
        assert problem["code"] == "bad_input", wrong
    assert stage.studio.spec.version == version


async def test_the_length_of_parts_is_settled_before_the_show(stage: Stage) -> None:
    await stage.change(part_ms=500)
    await stage.studio.live()
    assert (await stage.change(ok=409, part_ms=200))["code"] == "part_fixed"
    await stage.change(part_ms=500, mode="interactive")
    assert stage.studio.spec.part_ms == 500


async def test_the_poster_is_a_picture_that_everybody_may_see(stage: Stage) -> None:
    sha = await upload(stage)
    await stage.change(poster_asset=sha)
    assert (await stage.page())["poster_url"]  # before the show as well
    await stage.on_air()
    page = await stage.page()
    poster = page["playback"]["poster_url"]
    assert poster == page["poster_url"]
    shown = await Client(stage.studio.market.origin).http.get(poster.partition("8080")[2])
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert "public" in shown.headers["cache-control"]
    loop = await upload(stage, b"\0\0\0\x18ftypmp42")
    assert (await stage.change(ok=422, poster_asset=loop))["code"] == "poster_no_picture"
    nowhere = hashlib.sha256(b"other").hexdigest()
    assert (await stage.change(ok=404, poster_asset=nowhere))["code"] == "asset_unknown"
    await stage.change(poster_asset=None)
    assert (await stage.page())["playback"]["poster_url"] is None
    await Client(stage.studio.market.origin).call("GET", poster.partition("8080")[2], ok=404)


async def test_the_players_document_has_every_address_whole(stage: Stage) -> None:
    await stage.change(mode="interactive")
    await stage.studio.call("PATCH", "/feed", {"recording": True}, ok=200)
    assert (await stage.page())["playback"] is None  # nothing to play yet
    await stage.on_air()
    page = await stage.page()
    media, site = "http://127.0.0.1:8081/live/evening", "http://127.0.0.1:8080"
    assert page["playback"] == {
        "mode": "interactive",
        "hls_url": f"{media}/index.m3u8",
        "whep_url": f"{media}/whep",
        "dvr_url": f"{media}/dvr.m3u8",
        "chapters_url": f"{media}/chapters.json",
        "replay": False,
        "paused": False,
        "poster_url": None,
        "ice_servers": [],
        "renew_at": None,
        "beacon_url": f"{site}/api/v1/public/shows/evening/quality",
    }
    assert (page["access"], page["access_reason"]) == ("open", None)


async def test_a_show_that_outgrew_one_machine_plays_from_its_own_server(stage: Stage) -> None:
    await stage.change(whep_url=" https://sfu.example.com/whep/evening ")
    await stage.on_air()
    assert (await stage.page())["playback"]["whep_url"] == "https://sfu.example.com/whep/evening"
    await stage.change(whep_url=None, whep=False)
    assert (await stage.page())["playback"]["whep_url"] is None


async def test_paused_is_told_from_playing(stage: Stage) -> None:
    await stage.on_air()
    assert (await stage.page())["playback"]["paused"] is False
    await stage.on_air(on_air="slate")
    assert (await stage.page())["playback"]["paused"] is True
    await stage.on_air(on_air="backup")
    assert (await stage.page())["playback"]["paused"] is False


async def test_a_recorded_show_plays_on_after_its_end_as_long_as_it_is_kept(stage: Stage) -> None:
    await stage.studio.call("PATCH", "/feed", {"recording": True}, ok=200)
    await stage.on_air()
    await stage.studio.call("POST", "/end")
    await stage.studio.market.work()
    page = await stage.page()
    assert page["show"]["state"] == "ended"
    replay = page["playback"]
    assert (replay["replay"], replay["paused"], replay["whep_url"]) == (True, False, None)
    assert replay["hls_url"].endswith("/live/evening/index.m3u8")
    stage.studio.market.clock.tick(7 * 24 * 3600)
    assert (await stage.page())["playback"] is None


async def test_without_a_recording_nothing_plays_after_the_end(stage: Stage) -> None:
    await stage.on_air()
    await stage.studio.call("POST", "/end")
    assert (await stage.page())["playback"] is None


async def test_the_studio_sees_each_rung_of_the_ladder(stage: Stage) -> None:
    rung = RungStatus(
        name="720p", height=720, state="refused", reason="Two cores.", video_kbps=2512, behind_ms=123
    )
    await stage.on_air(rungs=[rung])
    [seen] = (await stage.studio.snapshot())["health"]["rungs"]
    assert (seen["state"], seen["reason"]) == ("refused", "Two cores.")
    assert (seen["video_kbps"], seen["behind_ms"]) == (2500, 100)


async def test_the_embed_code_is_one_line_for_any_page(stage: Stage) -> None:
    said = await stage.studio.call("GET", "/playback", ok=200)
    assert said["embed_code"] == (
        '<script async src="http://127.0.0.1:8080/player.js"></script>'
        '<simulcast-player show="evening"></simulcast-player>'
    )


async def test_addresses_of_cdn_and_turn_are_as_the_installation_says(stage: Stage) -> None:
    hub = stage.studio.market.hub
    settings = hub.settings.model_copy(
        update={
            "playback_url": "https://cdn.example.com",
            "stun_urls": "stun:stun.example.com:3478",
            "turn_urls": "turn:a.example.com, turn:b.example.com",
            "turn_secret": SecretStr("shared with coturn"),
        }
    )
    playback = Playback(hub.db, hub.clock, Vault(SecretStr("x")), hub.shows, hub.edges, settings=settings)
    await stage.on_air()
    async with hub.db.session() as session:
        show = await hub.shows.get(session, stage.studio.market.shop.brand_id, UUID(stage.studio.show))
        played = await playback.play(session, show, None)
    assert played is not None
    assert played.hls_url == "https://cdn.example.com/live/evening/index.m3u8"
    assert played.whep_url == "http://127.0.0.1:8081/live/evening/whep"  # no CDN carries that
    stun, turn = played.ice_servers
    assert (stun.urls, stun.credential) == (["stun:stun.example.com:3478"], None)
    assert turn.urls == ["turn:a.example.com", "turn:b.example.com"]
    assert turn.credential
    assert "shared with coturn" not in played.model_dump_json()
