"""What is known of a show over time: the feed's history, delays, recordings, clips, pictures, the uplink."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from restream.api import Delay, HealthSample, RecordingInfo, uplink_token
from tests.hub.shows.conftest import Studio

JPEG = b"\xff\xd8\xff\xe0 a picture"
NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


async def download(studio: Studio, path: str) -> httpx.Response:
    return await studio.owner.http.get(f"/api/v1/shows/{studio.show}{path}")


async def recorded(studio: Studio, before: float = 3600) -> datetime:
    """A live show that was recorded from long before; when it went live."""
    await studio.live()
    live_at = datetime.fromisoformat((await studio.snapshot())["show"]["live_at"])
    begins = live_at - timedelta(seconds=before)
    studio.worker.recordings = [RecordingInfo(name="a.mp4", begins_at=begins, seconds=7200, bytes=5 << 20)]
    return live_at


async def test_the_feeds_history_goes_on_from_where_it_was_read(studio: Studio) -> None:
    moments = [NOW + timedelta(seconds=second) for second in range(3)]
    studio.worker.health = [HealthSample(at=at, video_kbps=4500, late_ms=20) for at in moments]
    every = await studio.call("GET", "/health", ok=200)
    assert [one["video_kbps"] for one in every] == [4500] * 3
    since = (NOW + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await studio.call("GET", f"/health?since={since}", ok=200) == every[1:]
    await studio.call("GET", "/health?since=2026-11-24T20:00:00", ok=422)  # whose eight o'clock?


async def test_delays_are_told_of_all_destinations_or_of_one(studio: Studio) -> None:
    studio.worker.delays = [
        Delay(destination="player", ms=2400, way="player", at=NOW),
        Delay(destination="t", ms=310.5, way="acknowledged", at=NOW),
    ]
    assert len(await studio.call("GET", "/delays", ok=200)) == 2
    [one] = await studio.call("GET", "/delays?destination=t", ok=200)
    assert (one["ms"], one["way"]) == (310.5, "acknowledged")


async def test_a_clip_is_cut_by_show_time_and_says_where_it_really_begins(studio: Studio) -> None:
    live_at = await recorded(studio)
    clip = await studio.call("POST", "/clips", {"begins_s": 30.5, "ends_s": 60.5}, ok=201)
    begins = (live_at + timedelta(seconds=30.5)).replace(microsecond=0)
    assert datetime.fromisoformat(clip["begins_at"]) == begins
    assert clip["begins_s"] == pytest.approx((begins - live_at).total_seconds())
    assert clip["begins_s"] <= 30.5
    assert clip["seconds"] >= 30


async def test_a_clip_is_downloaded_as_a_file(studio: Studio) -> None:
    live_at = await recorded(studio)
    moments = {"begins_at": live_at.isoformat(), "ends_at": (live_at + timedelta(seconds=9)).isoformat()}
    clip = await studio.call("POST", "/clips", moments, ok=201)
    file = await studio.owner.http.get(clip["url"])
    assert file.content == studio.worker.clips[clip["name"]]
    assert len(file.content) == clip["bytes"]
    assert file.headers["content-type"] == "video/mp4"
    assert file.headers["content-disposition"] == f'attachment; filename="{clip["name"]}"'


async def test_a_clip_that_cannot_be_cut_says_why(studio: Studio) -> None:
    early = await studio.call("POST", "/clips", {"begins_s": 0, "ends_s": 9}, ok=409)
    assert early["code"] == "show_not_live"
    await studio.live()
    nothing = await studio.call("POST", "/clips", {"begins_s": 0, "ends_s": 9}, ok=409)
    assert (nothing["code"], nothing["detail"]) == ("clip_impossible", "Nothing was recorded at that time.")
    backwards = await studio.call("POST", "/clips", {"begins_s": 9, "ends_s": 9}, ok=422)
    assert backwards["code"] == "clip_backwards"


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"begins_s": 1},
        {"begins_s": -1, "ends_s": 5},
        {"begins_s": 1, "ends_at": "2026-11-24T20:00:00Z"},
        {"begins_at": "2026-11-24T20:00:00", "ends_at": "2026-11-24T20:01:00"},
    ],
)
async def test_a_wish_that_names_no_piece_is_refused(studio: Studio, wish: Any) -> None:
    await studio.call("POST", "/clips", wish, ok=422)


async def test_a_download_that_is_not_there_is_a_problem_and_no_broken_file(studio: Studio) -> None:
    missing = await download(studio, "/clips/none.mp4")
    assert (missing.status_code, missing.json()["detail"]) == (404, "There is no such clip.")
    before = len(studio.worker.asked)
    for odd in ("%2E%2E", "a%3Fb", "a%20b", "a%5Cb"):
        assert (await download(studio, f"/clips/{odd}")).status_code == 422
    assert len(studio.worker.asked) == before  # no strange name reaches the worker


async def test_the_picture_is_of_now_or_of_a_moment_and_never_kept(studio: Studio) -> None:
    none = await download(studio, "/picture")
    assert (none.status_code, none.json()["code"]) == (404, "no_picture")
    studio.worker.picture = JPEG
    now = await download(studio, "/picture")
    assert (now.content, now.headers["content-type"]) == (JPEG, "image/jpeg")
    assert now.headers["cache-control"] == "no-store"
    await download(studio, "/picture?at=2026-11-24T20:00:00Z")
    assert [one.partition("?")[0] for one in studio.worker.asked[-2:]] == [
        f"GET /lives/{studio.slug}/picture",
        f"GET /lives/{studio.slug}/thumbnail",
    ]


async def test_recordings_and_clips_outlive_the_show(studio: Studio) -> None:
    live_at = await recorded(studio)
    await studio.call("POST", "/end")
    await studio.market.work()
    [file] = await studio.call("GET", "/recordings", ok=200)
    assert datetime.fromisoformat(file["begins_at"]) == live_at - timedelta(seconds=3600)
    await studio.call("POST", "/clips", {"begins_s": 0, "ends_s": 9}, ok=201)


async def test_the_upload_is_measured_where_the_show_will_be_sent(studio: Studio) -> None:
    assert (await studio.snapshot())["show"]["state"] == "scheduled"
    [row] = await studio.market.hub.media.workers()
    told = await studio.call("GET", "/uplink", ok=200)
    assert told == {
        "url": f"{row.playback_url}/uplink",
        "token": uplink_token("a test's own media token", studio.slug),
    }


@pytest.mark.parametrize("path", ["/health", "/delays", "/recordings", "/picture"])
async def test_a_worker_that_is_restarting_is_asked_again_later(studio: Studio, path: str) -> None:
    studio.worker.down = True
    answer = await download(studio, path)
    assert (answer.status_code, answer.json()["code"]) == (503, "media_away")


@pytest.mark.parametrize("path", ["/health", "/delays", "/recordings", "/picture", "/clips/a.mp4"])
async def test_a_worker_that_is_gone_is_told_of_in_plain_words(studio: Studio, path: str) -> None:
    await studio.market.sql("UPDATE media_worker SET address = 'http://127.0.0.1:9'")
    gone = await download(studio, path)
    assert (gone.status_code, gone.json()["code"]) == (503, "media_away")
    assert int(gone.headers["retry-after"]) > 0


async def test_a_show_that_no_worker_has_asks_nobody(studio: Studio) -> None:
    await studio.market.sql("UPDATE show SET media_worker_id = NULL")
    assert (await studio.call("GET", "/uplink", ok=503))["code"] == "media_away"
    assert (await studio.call("GET", "/health", ok=503))["code"] == "media_away"
