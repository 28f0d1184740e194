"""The feed of a show: its keys, what stands in while it is away, its profiles and what they cost."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from restream.api import (
    Delay,
    EncoderStatus,
    Finding,
    ProfileSpec,
    PublisherStatus,
    RecordingStatus,
)
from tests.hub.shows.conftest import Studio
from tests.hub.worker import target_status

PNG = b"\x89PNG\r\n\x1a\n" + b"a picture"
VERTICAL = "Vertical 720×1280"
NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


async def feed(studio: Studio) -> Any:
    return (await studio.snapshot())["show"]["feed"]


async def change(studio: Studio, ok: int = 200, **wish: Any) -> Any:
    answer = await studio.call("PATCH", "/feed", wish, ok=ok)
    await studio.market.work()
    return answer


async def upload(studio: Studio, data: bytes = PNG, ok: int = 201) -> Any:
    path = f"/api/v1/shows/{studio.show}/assets"
    answer = await studio.owner.http.post(path, content=data)
    assert answer.status_code == ok, answer.text
    return answer.json()


async def test_the_standby_has_a_key_of_its_own_that_can_be_renewed(studio: Studio) -> None:
    first = (await feed(studio))["backup_key"]
    assert first != (await studio.snapshot())["show"]["ingest"]["key"]
    assert studio.spec.backup_key_hashes == [hashlib.sha256(first.encode()).hexdigest()]
    second = (await studio.call("POST", "/backup-key", ok=200))["backup_key"]
    await studio.market.work()
    assert second != first
    assert studio.spec.backup_key_hashes == [hashlib.sha256(second.encode()).hexdigest()]
    assert len(studio.spec.key_hashes) == 1


async def test_what_is_set_reaches_the_worker_and_the_rest_stays(studio: Studio) -> None:
    assert (studio.spec.takeover, studio.spec.failback, studio.spec.grace_seconds) == ("newest", "return", 60)
    assert studio.spec.recording is None
    said = await change(studio, takeover="refuse", grace_seconds=120, slate_text="Back at nine")
    await change(studio, failback="sticky", recording=True)
    spec = studio.spec
    assert (spec.takeover, spec.failback, spec.grace_seconds) == ("refuse", "sticky", 120)
    assert spec.slate is not None
    assert (said["slate_text"], spec.slate.text) == ("Back at nine", "Back at nine")
    assert spec.recording is not None
    await change(studio, recording=False)
    assert studio.spec.recording is None


async def test_settings_that_make_no_sense_are_refused(studio: Studio) -> None:
    version = studio.spec.version
    for wrong in (
        {"takeover": "fight"},
        {"grace_seconds": 1801},
        {"slate_text": "x" * 81},
        {"slate_asset": "x"},
    ):
        await change(studio, ok=422, **wrong)
    assert studio.spec.version == version


async def test_srt_has_an_address_and_a_passphrase_if_wanted(studio: Studio) -> None:
    key = (await studio.snapshot())["show"]["ingest"]["key"]
    plain = await feed(studio)
    assert (plain["srt_url"], plain["srt_passphrase"]) == (
        f"srt://127.0.0.1:8890?streamid=publish:{key}",
        None,
    )
    sealed = await change(studio, srt_encrypted=True)
    assert 10 <= len(sealed["srt_passphrase"]) <= 79
    assert sealed["srt_url"].endswith(f"publish:{key}&passphrase={sealed['srt_passphrase']}")
    assert studio.spec.srt_passphrase is not None
    assert studio.spec.srt_passphrase.get_secret_value() == sealed["srt_passphrase"]
    assert (await change(studio, srt_encrypted=True))["srt_passphrase"] == sealed["srt_passphrase"]
    assert (await change(studio, srt_encrypted=False))["srt_passphrase"] is None
    assert studio.spec.srt_passphrase is None


async def test_keys_are_sealed_where_they_are_kept(studio: Studio) -> None:
    kept = await change(studio, srt_encrypted=True)
    ours = (await studio.snapshot())["show"]["ingest"]["key"]
    rows = str(await studio.market.sql("SELECT row_to_json(t)::text FROM show t"))
    for secret in (kept["backup_key"], kept["srt_passphrase"], ours):
        assert secret not in rows
    listed = str(await studio.owner.call("GET", "/api/v1/shows"))
    public = str(await studio.owner.call("GET", f"/api/v1/public/shows/{studio.slug}"))
    for secret in (kept["backup_key"], kept["srt_passphrase"], ours):
        assert secret not in listed + public


# --- the slate's picture --------------------------------------------------------------------------


async def test_the_slates_picture_is_with_the_worker_before_it_is_wanted(studio: Studio) -> None:
    asset = await upload(studio)
    assert asset == {"sha256": hashlib.sha256(PNG).hexdigest(), "media_type": "image/png"}
    await change(studio, slate_asset=asset["sha256"])
    assert studio.worker.assets == {asset["sha256"]: PNG}
    assert studio.spec.slate is not None
    assert studio.spec.slate.asset == asset["sha256"]
    shown = await studio.owner.http.get(f"/api/v1/shows/{studio.show}/assets/{asset['sha256']}")
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    await change(studio, slate_asset=None)
    assert studio.spec.slate.asset is None


async def test_a_restarted_worker_is_handed_the_pictures_again(studio: Studio) -> None:
    asset = await upload(studio)
    await change(studio, slate_asset=asset["sha256"])
    studio.worker.assets.clear()
    studio.worker.specs.clear()
    [row] = await studio.market.hub.media.workers()
    client = studio.market.hub.media.client(row)
    await studio.market.hub.media.sync_all(row, client)
    await client.close()
    assert studio.worker.assets.keys() == {asset["sha256"]}
    assert studio.slug in studio.worker.specs


async def test_the_same_picture_twice_is_kept_once(studio: Studio) -> None:
    assert await upload(studio) == await upload(studio)
    assert len(await studio.market.sql("SELECT id FROM asset")) == 1


@pytest.mark.parametrize(
    ("data", "code"), [(b"<svg/>", "asset_unknown"), (PNG + bytes(5 << 20), "asset_too_large")]
)
async def test_what_is_no_picture_or_too_large_is_refused(studio: Studio, data: bytes, code: str) -> None:
    assert (await upload(studio, data, ok=422))["code"] == code


async def test_nobody_draws_or_sees_anothers_picture(studio: Studio) -> None:
    sha = (await upload(studio))["sha256"]
    stranger = await studio.market.owner("Other")
    mine = await stranger.call("POST", "/api/v1/shows", {"title": "Mine"}, ok=201)
    show = f"/api/v1/shows/{mine['id']}"
    await stranger.call("PATCH", f"{show}/feed", {"slate_asset": sha}, ok=404)
    await stranger.call("GET", f"{show}/assets/{sha}", ok=404)
    layer = {"kind": "picture", "asset": sha}
    profile = {"name": "P", "width": 640, "height": 360, "video_kbps": 900, "layers": [layer]}
    await stranger.call("PUT", f"{show}/profiles", profile, ok=404)


# --- profiles -------------------------------------------------------------------------------------


async def choose(studio: Studio, connector: str, profile: str | None, ok: int = 200) -> Any:
    target = await studio.target(connector)
    answer = await studio.call("PATCH", f"/targets/{target['id']}", {"profile": profile}, ok=ok)
    await studio.market.work()
    return answer


async def test_a_target_takes_the_feed_as_it_is_or_a_profile(studio: Studio) -> None:
    await studio.live()
    assert studio.spec.profiles == []
    assert (await choose(studio, "youtube", VERTICAL))["profile"] == VERTICAL
    assert {one.platform: one.profile for one in studio.spec.targets} == {
        "youtube": VERTICAL,
        "facebook": None,
    }
    assert [one.name for one in studio.spec.profiles] == [VERTICAL]
    await choose(studio, "youtube", None)
    assert studio.spec.profiles == []  # nobody wants it: it costs nothing
    assert VERTICAL in {one["name"] for one in (await studio.snapshot())["profiles"]}
    assert (await choose(studio, "youtube", "Unheard of", ok=422))["code"] == "profile_unknown"


async def test_crop_and_overlay_change_while_live_under_the_same_name(studio: Studio) -> None:
    await studio.live()
    await choose(studio, "youtube", VERTICAL)
    [profile] = [one for one in (await studio.snapshot())["profiles"] if one["name"] == VERTICAL]
    layers = [
        {"kind": "text", "text": "Only tonight", "anchor": "top"},
        {"kind": "qr", "text": "https://example.com/bag"},
        {"kind": "card", "title": "Bag", "price": "49 €"},
    ]
    await studio.call("PUT", "/profiles", profile | {"crop_x": 0.2, "layers": layers}, ok=200)
    await studio.market.work()
    [told] = studio.spec.profiles
    assert (told.name, told.crop_x) == (VERTICAL, 0.2)
    assert [layer.kind for layer in told.layers] == ["text", "qr", "card"]


async def test_a_profile_that_makes_no_sense_is_refused(studio: Studio) -> None:
    good = ProfileSpec(name="P", width=640, height=360, video_kbps=900).model_dump()
    for wrong in ({"width": 641}, {"crop_x": 2}, {"layers": [{"kind": "clock"}]}, {"colour": "red"}):
        await studio.call("PUT", "/profiles", good | wrong, ok=422)
    for number in range(8):
        await studio.call("PUT", "/profiles", good | {"name": f"P{number}"}, ok=200)
    assert (await studio.call("PUT", "/profiles", good, ok=422))["code"] == "too_many_profiles"


async def test_a_profile_is_removed_only_when_nobody_uses_it(studio: Studio) -> None:
    await choose(studio, "youtube", VERTICAL)
    used = await studio.call("DELETE", f"/profiles?name={VERTICAL}", ok=409)
    assert "youtube" in used["detail"]
    await choose(studio, "youtube", None)
    assert await studio.call("DELETE", f"/profiles?name={VERTICAL}", ok=200) == []


async def test_the_cost_is_known_before_anybody_goes_live(studio: Studio) -> None:
    assert (await studio.call("GET", "/cost", ok=200))["costs"] == {}
    assert studio.worker.planned == []  # nothing to ask
    await choose(studio, "youtube", VERTICAL)
    await choose(studio, "facebook", "720p 3 Mbit/s")
    plan = await studio.call("GET", "/cost", ok=200)
    assert plan["costs"] == {VERTICAL: 1.5, "720p 3 Mbit/s": 1.5}
    assert plan["refused"] == {"720p 3 Mbit/s": "This machine has only 2 cores."}
    [asked] = studio.worker.planned
    assert {one.profile for one in asked.targets} == {VERTICAL, "720p 3 Mbit/s"}
    assert studio.spec.targets == []  # planning pushes nowhere
    studio.worker.down = True
    assert (await studio.call("GET", "/cost", ok=503))["code"] == "media_away"


# --- what the worker says -------------------------------------------------------------------------


async def test_the_feeds_health_is_shown_and_ends_with_the_show(studio: Studio) -> None:
    await studio.live()
    target = (await studio.target("youtube"))["id"]
    finding = Finding(code="gop", severity="warning", sentence="Set it to 2 s.", target=target, since=NOW)
    await studio.stats(
        target_status(target, "y", "live"),
        on_air="backup",
        publisher=PublisherStatus(since=NOW, peer="p", bitrate_kbps=4512, fps=29.97, drift_ms=33),
        backup=PublisherStatus(since=NOW, peer="q", protocol="srt", bitrate_kbps=4449),
        encoders=[EncoderStatus(profile=VERTICAL, state="running", cost_cores=0.8, speed=1.004)],
        findings=[finding],
        recording=RecordingStatus(state="recording", seconds=64.2, bytes=12_345_678),
        delays=[Delay(destination=target, ms=412.5, way="acknowledged", at=NOW)],
    )
    snapshot = await studio.snapshot()
    health = snapshot["health"]
    assert (health["on_air"], snapshot["ingest"]["drift_ms"]) == ("backup", 40)
    assert (health["backup"]["protocol"], health["backup"]["bitrate_kbps"]) == ("srt", 4400)
    assert health["encoders"][0]["state"] == "running"
    assert health["findings"][0]["sentence"] == "Set it to 2 s."
    assert health["recording"]["seconds"] == 60
    assert health["delays"] == {target: {"ms": 400, "way": "acknowledged"}}
    switched = studio.worker.event(studio.slug, "source.switched", on_air="slate")
    await studio.market.hub.media.heard(switched)
    assert (await studio.snapshot())["health"]["on_air"] == "slate"
    await studio.call("POST", "/end")
    assert (await studio.snapshot())["health"] is None
