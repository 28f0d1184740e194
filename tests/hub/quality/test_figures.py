"""The figures are exactly what players told; probes and other brands' shows are never in them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from hub.quality.bars import grade
from hub.quality.store import Report
from hub.quality.sweep import note_quality
from hub.work.clockwork import clockwork
from tests.hub.market import Market
from tests.hub.quality.players import report
from tests.hub.site import Client
from tests.hub.worker import media_worker


class Studio:
    """Staff who look at the figures, and players who report."""

    def __init__(self, market: Market, owner: Client) -> None:
        self.market = market
        self.owner = owner
        self.slug = market.shop.slug

    async def look(self, path: str = "", ok: int = 200) -> Any:
        return await self.owner.call("GET", f"/api/v1/shows/{self.market.shop.show_id}/quality{path}", ok=ok)

    async def played(self, *reports: Report) -> None:
        await self.market.hub.beacons.keep(reports, self.market.clock())

    async def mark(self) -> None:
        await note_quality(self.market.hub)


@pytest.fixture
async def studio(market: Market) -> Studio:
    return Studio(market, await market.owner())


async def test_before_anybody_watches_nothing_is_claimed(studio: Studio) -> None:
    found = await studio.look()
    assert found["sessions"] == 0
    assert found["viewers"] == {"all": 0, "hls": 0, "whep": 0, "native": 0}
    assert found["startup"] == {"median": None, "p95": None, "measured": 0, "bar": 2000, "grade": None}
    assert found["rebuffer"] == {"value": None, "bar": 0.005, "grade": None}
    for name in ("stalls_per_hour", "average_height", "dropped_ratio"):
        assert found[name] is None
    assert (found["rungs"], found["errors"], found["probes"]) == ([], [], [])
    assert await studio.look("/history") == []
    assert await studio.look("/sessions") == []


def crowd(slug: str) -> list[Report]:
    """Four viewers with round numbers, and a probe with terrible ones."""
    return [
        report(
            slug,
            UUID(int=1),
            startup_ms=500,
            watched_ms=1_800_000,
            height=1080,
            height_ms=1080 * 900_000 + 720 * 900_000,
            latency_ms=1_000,
            frames=1_000,
            dropped=10,
        ),
        report(
            slug,
            UUID(int=2),
            transport="whep",
            startup_ms=1_000,
            watched_ms=895_000,
            stalls=2,
            stalled_ms=5_000,
            height=720,
            latency_ms=200,
            frames=1_000,
            fallbacks=1,
            errors=[{"code": "ice", "detail": "no route"}, {"code": "ice", "detail": "none again"}],
        ),
        report(
            slug,
            UUID(int=3),
            transport="native",
            startup_ms=1_500,
            watched_ms=900_000,
            height=720,
            latency_ms=3_000,
            frames=0,
            switches=3,
            errors=[{"code": "ice", "detail": ""}, {"code": "decode", "detail": "bad frame"}],
        ),
        report(
            slug,
            UUID(int=4),
            startup_ms=None,
            watched_ms=0,
            height=None,
            latency_ms=None,
            frames=0,
            ended=True,
        ),
        report(
            slug, UUID(int=5), kind="probe", startup_ms=9_000, stalls=50, stalled_ms=60_000, latency_ms=20_000
        ),
    ]


async def test_the_figures_are_exactly_what_the_players_told(studio: Studio) -> None:
    await studio.played(*crowd(studio.slug))
    found = await studio.look()
    assert found["sessions"] == 4
    assert found["without_picture"] == 1
    assert found["viewers"] == {"all": 3, "hls": 1, "whep": 1, "native": 1}
    assert found["startup"] == {"median": 1000, "p95": 1450, "measured": 3, "bar": 2000, "grade": "good"}
    assert found["latency"] == {"median": 1000, "p95": 2800, "measured": 3, "bar": 3000, "grade": "good"}
    assert found["rebuffer"]["value"] == 5_000 / 3_600_000
    assert found["rebuffer"]["grade"] == "good"
    assert found["stalls_per_hour"] == 2 * 3_600_000 / 3_595_000
    assert found["watched_hours"] == 3_595_000 / 3_600_000
    assert found["rungs"] == [{"height": 1080, "viewers": 1}, {"height": 720, "viewers": 2}]
    height_ms = (1080 + 720) * 900_000 + 720 * 895_000 + 720 * 900_000
    assert found["average_height"] == pytest.approx(height_ms / 3_595_000)
    assert found["dropped_ratio"] == 10 / 2_000
    assert (found["switches"], found["fallbacks"]) == (3, 1)
    assert found["errors"] == [
        {"code": "ice", "count": 3, "sessions": 2, "detail": "none again"},
        {"code": "decode", "count": 1, "sessions": 1, "detail": "bad frame"},
    ]


async def test_probes_are_listed_apart(studio: Studio) -> None:
    await studio.played(*crowd(studio.slug))
    [probe] = (await studio.look())["probes"]
    assert probe["session"] == str(UUID(int=5))
    assert (probe["startup_ms"], probe["stalls"], probe["latency_ms"]) == (9_000, 50, 20_000)
    assert probe["rebuffer_ratio"] == 60_000 / 70_000
    assert len(await studio.look("/sessions")) == 4


async def test_each_viewer_is_reported_with_an_average_height_those_in_trouble_first(studio: Studio) -> None:
    await studio.played(*crowd(studio.slug))
    found = await studio.look("/sessions")
    assert [UUID(one["session"]).int for one in found[:2]] == [4, 2]
    heights = {UUID(one["session"]).int: one["average_height"] for one in found}
    assert heights == {1: 900, 2: 720, 3: 720, 4: None}
    assert len(await studio.look("/sessions?limit=1")) == 1
    await studio.look("/sessions?limit=0", ok=422)


async def test_who_is_not_heard_of_for_25_seconds_or_says_goodbye_is_no_viewer_any_more(
    studio: Studio,
) -> None:
    stays, goes, ends = UUID(int=1), UUID(int=2), UUID(int=3)
    await studio.played(*(report(studio.slug, one) for one in (stays, goes, ends)))
    assert (await studio.look())["viewers"]["all"] == 3
    await studio.played(report(studio.slug, ends, seq=2, ended=True))
    assert (await studio.look())["viewers"]["all"] == 2
    studio.market.clock.tick(20)
    await studio.played(report(studio.slug, stays, seq=2))
    studio.market.clock.tick(6)
    found = await studio.look()
    assert found["viewers"]["all"] == 1
    assert found["latency"]["measured"] == 1
    assert found["sessions"] == 3
    assert found["rungs"] == [{"height": 720, "viewers": 1}]


async def test_another_brand_and_a_stranger_see_nothing(studio: Studio) -> None:
    await studio.played(report(studio.slug))
    path = f"/api/v1/shows/{studio.market.shop.show_id}/quality"
    other = await studio.market.owner("Other")
    stranger = Client(studio.market.origin)
    for tail in ("", "/sessions", "/history"):
        await other.call("GET", path + tail, ok=404)
        await stranger.call("GET", path + tail, ok=401)


def test_a_figure_is_good_below_its_bar_and_bad_from_twice_the_bar() -> None:
    words = [grade(value, 2_000) for value in (None, 0, 1_999, 2_000, 3_999, 4_000)]
    assert words == [None, "good", "good", "attention", "attention", "bad"]


async def test_the_history_says_what_happened_in_each_time_alone(studio: Studio) -> None:
    studio.market.clock.stop()
    session = UUID(int=1)
    told = [(10_000, 0, 0, 1_500), (15_000, 5_000, 1, 1_800), (25_000, 5_000, 1, 2_100)]
    for seq, (watched, stalled, stalls, latency) in enumerate(told):
        more: dict[str, Any] = {
            "watched_ms": watched,
            "stalled_ms": stalled,
            "stalls": stalls,
            "latency_ms": latency,
        }
        await studio.played(report(studio.slug, session, seq=seq, **more))
        await studio.mark()
        await studio.mark()  # a tick that runs twice marks nothing twice
        studio.market.clock.tick(10)
    found = await studio.look("/history")
    assert [one["rebuffer_ratio"] for one in found] == [0, 0.5, 0]
    assert [one["stalls"] for one in found] == [0, 1, 0]
    assert [one["latency_ms"] for one in found] == [1_500, 1_800, 2_100]
    assert [(one["viewers"], one["height"]) for one in found] == [(1, 720)] * 3
    since = found[0]["at"].replace("+00:00", "Z")
    assert await studio.look(f"/history?since={since}") == found[1:]
    [*_, last] = await studio.look("/history?every=1m")
    assert last["at"] == found[-1]["at"]
    await studio.look("/history?every=1s", ok=422)
    studio.market.clock.tick(30)
    await studio.mark()
    [*_, gone] = await studio.look("/history")
    assert (gone["viewers"], gone["latency_ms"], gone["rebuffer_ratio"]) == (0, None, None)


async def test_by_the_minute_the_history_adds_up(studio: Studio) -> None:
    studio.market.clock.stop()
    for seq in range(13):
        more: dict[str, Any] = {
            "watched_ms": 9_000 * (seq + 1),
            "stalled_ms": 1_000 * (seq + 1),
            "stalls": seq + 1,
        }
        await studio.played(report(studio.slug, UUID(int=1), seq=seq, **more))
        await studio.mark()
        studio.market.clock.tick(10)
    found = await studio.look("/history?every=1m")
    assert len(found) == 3
    assert sum(one["stalls"] for one in found) == 13
    assert {one["rebuffer_ratio"] for one in found} == {0.1}


async def test_the_media_worker_is_told_how_late_viewers_are(studio: Studio) -> None:
    market = studio.market
    async with media_worker() as worker:
        await market.hub.media.register()
        await market.sql("UPDATE media_worker SET address = :address", address=worker.address)
        await market.sql("UPDATE show SET media_worker_id = (SELECT id FROM media_worker)")
        await market.hub.media.sync(market.shop.show_id)
        await studio.mark()
        assert worker.delays == []
        await studio.played(*(report(studio.slug, latency_ms=ms) for ms in (1_200, 1_400, 9_000)))
        await studio.played(report(studio.slug, kind="probe", latency_ms=60_000))
        await studio.mark()
        [delay] = worker.delays
        assert (delay.destination, delay.way, delay.ms) == ("player", "player", 1_400)
        worker.down = True
        await studio.mark()  # a worker that is away costs the history nothing
    assert len(await studio.look("/history")) >= 1


async def test_the_clockwork_marks_the_history(studio: Studio) -> None:
    await studio.played(report(studio.slug))
    job = clockwork(studio.market.hub, studio.market.jobs).get_job("viewers' quality")
    assert job
    await job.func()
    assert len(await studio.look("/history")) == 1


async def test_the_figures_survive_the_end_of_the_show(studio: Studio) -> None:
    await studio.played(*crowd(studio.slug))
    await studio.owner.call("POST", f"/api/v1/shows/{studio.market.shop.show_id}/end", ok=202)
    studio.market.clock.tick(3600)
    found = await studio.look()
    assert (found["sessions"], found["viewers"]["all"]) == (4, 0)
    assert found["startup"]["median"] == 1000
    await studio.mark()
    assert await studio.look("/history") == []
