"""Regions are probed at their own hours, once each; machines elsewhere report; a brand sees its own alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from hub.auth.roles import may
from hub.engines.nats import free_port
from hub.probe.command import Order, carry_out
from hub.probe.play import CannotProbe
from hub.probe.rounds import BROKE, MOST_REPORTS, NOTHING, TOO_BUSY, Probes
from hub.work.clockwork import clockwork
from tests.hub.market import Market, Trade
from tests.hub.probe.test_client import first_part
from tests.hub.probe.venue import Venue, venue
from tests.hub.site import Client

SINGAPORE = {"name": "Singapore", "zone": "Asia/Singapore"}


class Studio:
    """A brand with regions to probe."""

    def __init__(self, market: Market, owner: Client) -> None:
        self.market = market
        self.owner = owner

    async def call(self, method: str, path: str, body: object = None, ok: int = 200) -> Any:
        return await self.owner.call(method, f"/api/v1/probes{path}", body, ok=ok)

    async def place(self, **more: Any) -> Any:
        return await self.call("POST", "/places", SINGAPORE | more, ok=201)

    async def runs(self) -> list[Any]:
        found: list[Any] = await self.call("GET", "/runs")
        return found

    async def waiting(self) -> list[UUID]:
        found = await self.market.sql("SELECT id FROM probe_run WHERE state = 'waiting' ORDER BY at")
        return [row["id"] for row in found]

    async def jobs(self) -> int:
        [row] = await self.market.sql(
            "SELECT count(*) AS count FROM procrastinate_jobs WHERE task_name = 'probe.run'"
        )
        return int(row["count"])

    def hour(self, zone: str) -> int:
        return self.market.clock().astimezone(ZoneInfo(zone)).hour

    async def plays(self) -> None:
        """The market's show has a media worker and a picture."""
        await self.market.hub.media.register()
        await self.market.sql(
            "UPDATE show SET media_worker_id = (SELECT id FROM media_worker LIMIT 1), playable = true,"
            """ ingest = '{"state": "publishing"}'"""
        )


@pytest.fixture
async def studio(trade: Trade) -> Studio:
    market = await trade()
    return Studio(market, await market.owner())


@pytest.fixture
async def show() -> AsyncIterator[Venue]:
    async with venue(120) as opened:
        await first_part(opened.url())
        yield opened


async def test_a_region_is_probed_at_its_own_hours_once_each(studio: Studio) -> None:
    now = studio.hour("Asia/Singapore")
    await studio.place(hours=[now])
    await studio.place(name="São Paulo", zone="America/Sao_Paulo", hours=[now])  # eleven hours behind
    await studio.place(name="Reports", hours=[])
    probes = studio.market.hub.probes
    await probes.find_due()
    await probes.find_due()  # a tick that runs twice plans nothing twice
    assert (len(await studio.waiting()), await studio.jobs()) == (1, 1)
    studio.market.clock.tick(11 * 3600)
    await probes.find_due()
    [_, other] = await studio.market.sql(
        "SELECT name FROM probe_run JOIN probe_place AS place ON place.id = place_id ORDER BY at"
    )
    assert other["name"] == "São Paulo"


async def test_half_hour_zones_begin_their_hours_when_they_do(studio: Studio) -> None:
    studio.market.clock.stop()
    await studio.place(name="Delhi", zone="Asia/Kolkata", hours=[studio.hour("Asia/Kolkata")])
    await studio.market.hub.probes.find_due()
    [row] = await studio.market.sql("SELECT due_at FROM probe_run")
    due = row["due_at"].astimezone(UTC)
    assert due.minute == 30
    assert timedelta() <= studio.market.clock() - due < timedelta(hours=1)


async def test_a_run_plays_and_is_shown_by_the_hour(studio: Studio, show: Venue) -> None:
    await studio.plays()
    place = await studio.place(base_url=f"{show.origin}/")
    assert place["base_url"] == show.origin
    await studio.call("POST", f"/places/{place['id']}/runs", ok=202)
    [run_id] = await studio.waiting()
    hub = studio.market.hub
    probes = Probes(hub.db, hub.clock, hub.playback, seconds=5.0, own=(show.origin,))
    await probes.run(run_id)
    [found] = await studio.runs()
    assert found["error"] is None
    assert (found["place_id"], found["source"], found["how"]) == (place["id"], "hub", "client")
    assert found["show_id"] == str(studio.market.shop.show_id)
    assert found["local_hour"] == studio.hour("Asia/Singapore")
    assert 0 <= found["startup_ms"] < 4_000
    assert found["watched_ms"] > 500
    asked = len(show.asked)
    assert any(studio.market.shop.slug in one for one in show.asked)
    await probes.run(run_id)  # a job that runs twice plays once
    assert len(show.asked) == asked


async def test_with_nothing_to_play_the_run_says_so(studio: Studio) -> None:
    await studio.market.sql("UPDATE show SET state = 'scheduled', live_at = NULL")
    place = await studio.place()
    await studio.call("POST", f"/places/{place['id']}/runs", ok=202)
    await studio.market.work()
    [found] = await studio.runs()
    assert (found["error"], found["startup_ms"]) == (NOTHING, None)


async def test_a_run_that_could_not_begin_within_its_hour_tells_nothing_of_another(studio: Studio) -> None:
    await studio.place(hours=[studio.hour("Asia/Singapore")])
    await studio.market.hub.probes.find_due()
    studio.market.clock.tick(2 * 3600)
    await studio.market.work()
    [found] = await studio.runs()
    assert found["error"] == TOO_BUSY


async def test_where_playing_breaks_off_the_run_says_so_and_the_next_brand_is_probed(studio: Studio) -> None:
    """By a setting that is no address: nothing is known that a server could send."""
    await studio.plays()
    hub = studio.market.hub
    place = await studio.place(base_url="https://edge.example")
    await studio.call("POST", f"/places/{place['id']}/runs", ok=202)
    [run_id] = await studio.waiting()

    await Probes(hub.db, hub.clock, hub.playback, own=("no address",)).run(run_id)
    [found] = await studio.runs()
    assert found["error"] == BROKE


async def test_one_run_at_a_time_waits_for_a_place(studio: Studio) -> None:
    place = await studio.place()
    for _ in range(3):
        await studio.call("POST", f"/places/{place['id']}/runs", ok=202)
    assert (len(await studio.waiting()), await studio.jobs()) == (1, 1)
    studio.market.clock.tick(2 * 3600)  # one whose job was given up stands in nobody's way
    await studio.call("POST", f"/places/{place['id']}/runs", ok=202)
    assert len(await studio.waiting()) == 2


async def test_a_place_inside_a_network_is_not_asked(studio: Studio, show: Venue) -> None:
    await studio.plays()
    before = len(show.asked)
    place = await studio.place(base_url=show.origin)
    await studio.call("POST", f"/places/{place['id']}/runs", ok=202)
    await studio.market.work()
    [found] = await studio.runs()
    assert found["error"] == "It leads into a private network, where a probe does not go."
    assert len(show.asked) == before


async def test_a_private_show_opens_where_its_own_media_worker_plays_it(studio: Studio, show: Venue) -> None:
    await studio.plays()
    await studio.owner.call(
        "PATCH", f"/api/v1/shows/{studio.market.shop.show_id}/playback", {"access": "signed"}
    )
    place = await studio.place(base_url=show.origin)
    hub, before = studio.market.hub, len(show.asked)
    for own in (False, True):
        if own:
            await studio.market.sql("UPDATE media_worker SET playback_url = :url", url=show.origin)
        await studio.call("POST", f"/places/{place['id']}/runs", ok=202)
        [run_id] = await studio.waiting()
        await Probes(hub.db, hub.clock, hub.playback, seconds=2.0).run(run_id)
        assert any("token=" in one for one in show.asked[before:]) is own


def test_the_studio_knows_the_sentences_that_tell_nothing_of_a_region() -> None:
    words = Path("dashboards/studio/src/show/quality/region-words.ts").read_text()
    assert NOTHING in words
    assert TOO_BUSY in words


async def test_the_clockwork_looks_for_what_is_due(studio: Studio) -> None:
    await studio.place(hours=[*range(24)])
    job = clockwork(studio.market.hub, studio.market.jobs).get_job("probes")
    assert job
    await job.func()
    assert len(await studio.waiting()) == 1


async def test_runs_are_forgotten_after_half_a_year(studio: Studio) -> None:
    place = await studio.place()
    await studio.call("POST", f"/places/{place['id']}/runs", ok=202)
    studio.market.clock.tick(181 * 86_400)
    await studio.market.hub.probes.find_due()
    assert await studio.waiting() == []


async def test_a_machine_elsewhere_reports_with_the_brands_token(studio: Studio) -> None:
    await studio.place()
    token = (await studio.call("POST", "/token", ok=201))["token"]
    there = Client(studio.market.origin, token)
    at = studio.market.clock() - timedelta(hours=3)
    told = {
        "region": "singapore",
        "show": studio.market.shop.slug,
        "at": at.isoformat(),
        "how": "browser",
        "startup_ms": 700,
        "watched_ms": 29_000,
        "stalls": 1,
        "stalled_ms": 1_000,
        "latency_ms": 1_900,
        "height": 720,
        "error": "fetching https://cdn.example/live/x?token=abc failed",
    }
    await there.call("POST", "/api/v1/public/probes", told, ok=204)
    [found] = await studio.runs()
    assert (found["source"], found["how"], found["startup_ms"]) == ("there", "browser", 700)
    assert found["rebuffer_ratio"] == pytest.approx(1 / 30)
    assert found["local_hour"] == at.astimezone(ZoneInfo("Asia/Singapore")).hour
    assert found["error"] == "fetching … failed"
    for wrong, status in (
        ({"region": "Atlantis"}, 404),
        ({"show": "no-such-show"}, 404),
        ({"at": datetime(2020, 1, 1, tzinfo=UTC).isoformat()}, 422),
        ({"startup_ms": -1}, 422),
        ({"email": "ana@example.com"}, 422),
    ):
        await there.call("POST", "/api/v1/public/probes", told | wrong, ok=status)
    assert len(await studio.runs()) == 1
    # A new token ends the one before.
    await studio.call("POST", "/token", ok=201)
    await there.call("POST", "/api/v1/public/probes", told, ok=401)
    await Client(studio.market.origin).call("POST", "/api/v1/public/probes", told, ok=401)
    assert token not in str(await studio.market.sql("SELECT * FROM probe_key"))


async def test_a_machine_that_reports_without_end_is_slowed_down(studio: Studio) -> None:
    await studio.place()
    token = (await studio.call("POST", "/token", ok=201))["token"]
    there = Client(studio.market.origin, token)
    told = {"region": "Singapore", "how": "client", "startup_ms": 700}
    # Whatever time a machine says it was: what counts is when it reports.
    old = told | {"at": (studio.market.clock() - timedelta(hours=20)).isoformat()}
    for _ in range(MOST_REPORTS):
        await there.call("POST", "/api/v1/public/probes", old, ok=204)
    for another in (old, told):
        await there.call("POST", "/api/v1/public/probes", another, ok=429)
    studio.market.clock.tick(3_601)
    await there.call("POST", "/api/v1/public/probes", told, ok=204)


async def test_another_brand_sees_and_changes_nothing(studio: Studio) -> None:
    place = await studio.place()
    other = Studio(studio.market, await studio.market.owner("Other"))
    assert await other.call("GET", "/places") == []
    assert await other.runs() == []
    await other.call("PATCH", f"/places/{place['id']}", {"name": "Mine"}, ok=404)
    await other.call("DELETE", f"/places/{place['id']}", ok=404)
    token = (await other.call("POST", "/token", ok=201))["token"]
    told = {"region": "Singapore", "how": "client", "startup_ms": 700}
    await Client(studio.market.origin, token).call("POST", "/api/v1/public/probes", told, ok=404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/places", False),  # an origin to play from: the hub asks whatever it names
        ("PATCH", "/places/1", False),
        ("DELETE", "/places/1/", False),
        ("POST", "/token", False),
        ("POST", "/places/1/runs", True),
        ("GET", "/places", True),
    ],
)
def test_owners_alone_say_where_probes_go_and_producers_send_them(
    method: str, path: str, *, allowed: bool
) -> None:
    assert may("producer", method, f"/api/v1/probes{path}") is allowed
    assert may("owner", method, f"/api/v1/probes{path}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Asia/Atlantis"},
        {"zone": "../../etc/passwd"},
        {"hours": [24]},
        {"base_url": "ftp://edge.example"},
        {"base_url": "https://edge.example/live"},
        {"base_url": "https://ana:secret@edge.example"},
        {"name": " "},
    ],
)
async def test_a_place_that_makes_no_sense_is_refused(studio: Studio, wrong: dict[str, Any]) -> None:
    await studio.call("POST", "/places", SINGAPORE | wrong, ok=422)


async def test_places_are_changed_and_removed_with_their_runs(studio: Studio) -> None:
    place = await studio.place(hours=[21, 20, 21], base_url="https://edge.example")
    assert place["hours"] == [20, 21]
    path = f"/places/{place['id']}"
    changed = await studio.call("PATCH", path, {"name": "Lion City", "base_url": None})
    assert (changed["name"], changed["hours"], changed["base_url"]) == ("Lion City", [20, 21], None)
    await studio.place()
    assert (await studio.call("PATCH", path, {"name": "Singapore"}, ok=409))["code"] == "place_known"
    await studio.call("POST", f"{path}/runs", ok=202)
    await studio.call("DELETE", path, ok=204)
    assert await studio.waiting() == []
    await studio.market.work()  # its job finds nothing to do


def order(studio: Studio, token: str, **more: Any) -> Order:
    told: dict[str, Any] = {"show": None, "seconds": 5, "transport": "auto", "throttle_kbps": None}
    told |= {"plain": True, "region": "Singapore", "token": SecretStr(token), "site": studio.market.origin}
    return Order(**told | more)


async def test_the_command_asks_what_is_on_plays_it_plainly_and_reports(studio: Studio, show: Venue) -> None:
    await studio.plays()
    await studio.market.sql("UPDATE media_worker SET playback_url = :url", url=show.origin)
    await studio.place()
    token = (await studio.call("POST", "/token", ok=201))["token"]
    report = await carry_out(order(studio, token))
    assert (report.show, report.transport) == (studio.market.shop.slug, "hls")
    assert report.startup_ms is not None
    [found] = await studio.runs()
    assert (found["source"], found["how"], found["startup_ms"]) == ("there", "client", report.startup_ms)
    # By its slug a public show plays without a token, and nothing is reported without a region.
    alone = await carry_out(order(studio, "", show=studio.market.shop.slug, region=None))
    assert alone.startup_ms is not None
    assert len(await studio.runs()) == 1


async def test_the_command_says_what_is_missing(studio: Studio) -> None:
    with pytest.raises(CannotProbe, match="SIMULCAST_PROBE_TOKEN"):
        await carry_out(order(studio, ""))
    with pytest.raises(CannotProbe, match="does not take this probe token"):
        await carry_out(order(studio, "nonsense"))
    token = (await studio.call("POST", "/token", ok=201))["token"]
    with pytest.raises(CannotProbe, match=f"^{NOTHING}$"):
        await carry_out(order(studio, token))
    with pytest.raises(CannotProbe, match="does not play by LL-HLS now, or it is private"):
        await carry_out(order(studio, token, show=studio.market.shop.slug))
    with pytest.raises(CannotProbe, match="could not be reached"):
        await carry_out(order(studio, "x", site=f"http://127.0.0.1:{free_port()}"))
