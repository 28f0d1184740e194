"""Viewers are told apart by region, only their country is kept, and who is worse off is told of."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from hub.bus import Event
from hub.quality.region import NOWHERE, Region, Regions, country_of
from hub.quality.region_watch import ENOUGH, Reading, judged
from hub.quality.store import Report
from hub.quality.sweep import note_quality
from tests.hub.market import Market
from tests.hub.platforms import until
from tests.hub.quality.conftest import Door
from tests.hub.quality.players import report, said
from tests.hub.site import Client

HEADERS = "CloudFront-Viewer-Country, CF-IPCountry"
VIEWER, PROXY = ("198.51.100.9", 40_000), ("10.1.2.3", 40_000)


@pytest.mark.parametrize(
    ("peer", "headers", "zone", "region"),
    [
        (PROXY, {"cf-ipcountry": "br"}, None, Region("BR", "proxy")),
        (PROXY, {"cf-ipcountry": "BR", "cloudfront-viewer-country": "SG"}, None, Region("SG", "proxy")),
        (PROXY, {"cf-ipcountry": "BR"}, "Asia/Singapore", Region("BR", "proxy")),
        # Who was named by a proxy stands in its place, without a port; who is connected himself has one.
        ((VIEWER[0], 0), {"cf-ipcountry": "BR"}, None, Region("BR", "proxy")),
        (VIEWER, {"cf-ipcountry": "BR"}, None, NOWHERE),
        (VIEWER, {"cf-ipcountry": "BR"}, "Asia/Singapore", Region("SG", "zone")),
        (None, {"cf-ipcountry": "BR"}, None, NOWHERE),
        # What CDNs say of whom they do not know, and what is no region at all.
        (PROXY, {"cf-ipcountry": "XX"}, "America/Sao_Paulo", Region("BR", "zone")),
        (PROXY, {"cf-ipcountry": "T1"}, None, NOWHERE),
        (PROXY, {"cf-ipcountry": "<script>"}, None, NOWHERE),
        (PROXY, {"cf-ipcountry": ""}, "UTC", NOWHERE),
    ],
)
def test_a_proxys_word_counts_before_the_time_zone_and_only_a_trusted_ones(
    peer: Any, headers: dict[str, str], zone: str | None, region: Region
) -> None:
    assert Regions(HEADERS, "10.0.0.0/8,::1").of(peer, headers, zone) == region


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/Berlin", "DE"),
        ("Europe/Oslo", "NO"),  # the same times as Berlin's, another country
        ("Asia/Calcutta", "IN"),  # the name that browsers still use
        ("America/Buenos_Aires", "AR"),
        ("US/Pacific", "US"),
        ("UTC", None),
        ("Etc/GMT+3", None),
        ("CET", None),
        ("Nowhere/Atall", None),
        (None, None),
    ],
)
def test_a_time_zone_stands_for_its_country(zone: str | None, country: str | None) -> None:
    assert country_of(zone) == country


async def test_of_where_a_viewer_is_only_the_country_is_kept(door: Door) -> None:
    told = said(zone="America/Sao_Paulo")
    assert (await door.send(told, x_forwarded_for="203.0.113.7")).status_code == 204
    [row] = await door.rows()
    assert (row["region"], row["region_by"]) == ("BR", "zone")
    assert "Sao_Paulo" not in str(row)
    assert "203.0.113" not in str(row)
    # The proxy on this machine is trusted; its header counts for more.
    await door.send(told | {"seq": 2}, x_forwarded_for="203.0.113.7", cf_ipcountry="SG")
    [row] = await door.rows()
    assert (row["region"], row["region_by"]) == ("SG", "proxy")


async def test_an_older_player_that_says_no_time_zone_is_heard(door: Door) -> None:
    assert (await door.send(said())).status_code == 204
    [row] = await door.rows()
    assert (row["region"], row["region_by"]) == (None, None)
    assert (await door.send(said(zone="<b>"))).status_code == 422


def reading(region: str, startup_ms: float | None = 1_000, **more: Any) -> Reading:
    values = {"viewers": 50, "startups": 50, "watched_ms": 1_000_000, "stalled_ms": 0, **more}
    return Reading(region=region, startup_ms=startup_ms, **values)


def alarms(*readings: Reading) -> list[tuple[str, str]]:
    return [(one.region, one.kind) for one in judged(readings)]


def test_more_than_twice_the_median_of_the_regions_is_an_alarm_and_twice_is_not() -> None:
    fine = [reading("DE", 900), reading("FR", 1_000), reading("SG", 1_100)]
    assert alarms(*fine, reading("BR", 2_101)) == [("BR", "startup")]
    assert alarms(*fine, reading("BR", 2_100)) == []
    [found] = judged([*fine, reading("BR", 3_000)])
    assert (found.value, found.median, found.viewers) == (3_000, 1_050, 50)


def test_a_region_with_few_viewers_says_nothing_and_is_compared_with_nobody() -> None:
    fine = [reading("DE"), reading("FR"), reading("SG")]
    assert alarms(*fine, reading("BR", 9_000, startups=ENOUGH - 1)) == []
    assert alarms(*fine, reading("BR", 9_000, startups=ENOUGH)) == [("BR", "startup")]
    few = [reading("DE"), reading("FR", startups=3), reading("BR", 9_000)]
    assert alarms(*few) == []  # of two, none is more than twice what lies between them


def test_where_hardly_anybody_waits_a_stall_is_no_alarm() -> None:
    fine = [reading("DE"), reading("FR"), reading("SG")]
    assert alarms(*fine, reading("BR", stalled_ms=4_000)) == []  # 0.4 %: good anyhow
    assert alarms(*fine, reading("BR", stalled_ms=20_000)) == [("BR", "stalls")]
    bad = [reading(name, stalled_ms=20_000) for name in ("DE", "FR", "SG")]
    assert alarms(*bad, reading("BR", stalled_ms=30_000)) == []  # the show's trouble, not the region's
    assert alarms(*bad, reading("BR", stalled_ms=30_000, viewers=ENOUGH - 1, watched_ms=1)) == []


class Audience:
    """Viewers in several regions, and the studio that looks at them."""

    def __init__(self, market: Market, owner: Client) -> None:
        self.market = market
        self.owner = owner
        self.path = f"/api/v1/shows/{market.shop.show_id}/quality"

    async def watches(self, region: str | None, *, seq: int = 1, first: int = 1, **more: Any) -> None:
        """Ten players of a region; the same ones again with a higher `seq`."""
        base = sum(map(ord, region or "")) * 1_000
        told = [self._one(region, base + number, seq, more) for number in range(first, first + ENOUGH)]
        await self.market.hub.beacons.keep(told, self.market.clock())

    def _one(self, region: str | None, number: int, seq: int, more: dict[str, Any]) -> Report:
        made = report(self.market.shop.slug, UUID(int=number), seq=seq, **more)
        where = Region(region, "proxy") if region else NOWHERE
        return Report(made.slug, made.device, made.beacon, where)

    async def mark(self) -> None:
        await note_quality(self.market.hub)

    async def look(self, tail: str = "") -> Any:
        return await self.owner.call("GET", self.path + tail)

    async def alarms(self) -> list[tuple[str, str]]:
        found = await self.owner.call("GET", "/api/v1/quality/alarms")
        return [(one["region"], one["kind"]) for one in found]


@pytest.fixture
async def audience(market: Market) -> Audience:
    return Audience(market, await market.owner())


async def test_each_region_has_figures_of_its_own(audience: Audience) -> None:
    await audience.watches("DE", startup_ms=800, watched_ms=9_000, stalled_ms=1_000, stalls=1)
    await audience.watches("BR", startup_ms=2_400, ended=True)
    await audience.watches(None, startup_ms=1_000)
    found = await audience.look()
    assert [one["region"] for one in found["regions"]] == ["DE", None, "BR"]
    germany, nowhere, brazil = found["regions"]
    assert (germany["viewers"], germany["sessions"], germany["by"]) == (10, 10, "proxy")
    assert (germany["startup"]["median"], germany["startup"]["grade"]) == (800, "good")
    assert (germany["rebuffer"]["value"], germany["stalls"]) == (0.1, 10)
    assert (brazil["viewers"], brazil["startup"]["median"]) == (0, 2_400)
    assert (nowhere["by"], nowhere["latency"]["median"]) == (None, 1_500)
    assert found["viewers"]["all"] == 20


async def test_a_region_that_is_worse_off_is_told_of_until_it_is_better(audience: Audience) -> None:
    heard = await told(audience.market)

    async def twice() -> bool:
        return len(heard) == 2

    for region in ("DE", "FR", "SG"):
        await audience.watches(region, startup_ms=900)
    await audience.watches("BR", startup_ms=2_500)
    await audience.mark()
    assert await audience.alarms() == [("BR", "startup")]
    await audience.mark()
    [alarm] = await audience.look("/alarms")  # told once, however often it is looked at
    assert (alarm["value"], alarm["median"], alarm["viewers"], alarm["ended_at"]) == (2_500, 900, 10, None)
    assert (await audience.look())["regions"][0]["alarms"] == ["startup"]
    # Eleven minutes later others come, and to them it is as quick as everywhere.
    audience.market.clock.tick(660)
    for region in ("DE", "FR", "SG", "BR"):
        await audience.watches(region, first=500, startup_ms=950)
    await audience.mark()
    assert await audience.alarms() == []
    [alarm] = await audience.look("/alarms")
    assert alarm["ended_at"] is not None
    await until(twice)  # screens look again when it begins and when it ends


async def told(market: Market) -> list[Event]:
    """What the staff's screens hear of alarms."""
    heard: list[Event] = []

    async def hear(event: Event) -> None:
        heard.append(event)

    await market.hub.bus.subscribe(f"show.{market.shop.show_id}.staff.alarms.changed", hear)
    return heard


async def test_stalls_are_looked_at_of_the_last_ten_minutes_alone(audience: Audience) -> None:
    regions = ("BR", "DE", "FR", "SG")
    for region in regions:
        await audience.watches(region, watched_ms=60_000, stalled_ms=6_000 if region == "BR" else 0)
    await audience.mark()
    assert await audience.alarms() == [("BR", "stalls")]
    audience.market.clock.tick(660)
    for region in regions:  # what stood still then is in the sums for ever
        more = {"watched_ms": 720_000, "at_ms": 720_000}
        await audience.watches(region, seq=2, stalled_ms=6_000 if region == "BR" else 0, **more)
    await audience.mark()
    assert await audience.alarms() == []
    points = [one for one in await audience.look("/regions/history") if one["region"] == "BR"]
    assert [one["viewers"] for one in points] == [10, 10]
    assert points[0]["rebuffer_ratio"] == pytest.approx(6 / 66)
    assert points[1]["rebuffer_ratio"] == 0


async def test_with_the_show_its_alarms_end(audience: Audience) -> None:
    for region in ("DE", "FR", "SG"):
        await audience.watches(region)
    await audience.watches("BR", startup_ms=5_000)
    await audience.mark()
    assert len(await audience.alarms()) == 1
    await audience.owner.call("POST", f"/api/v1/shows/{audience.market.shop.show_id}/end", ok=202)
    await audience.mark()
    assert await audience.alarms() == []


async def test_another_brand_sees_no_regions_and_no_alarms(audience: Audience) -> None:
    for region in ("DE", "FR", "SG"):
        await audience.watches(region)
    await audience.watches("BR", startup_ms=5_000)
    await audience.mark()
    other = await audience.market.owner("Other")
    assert await other.call("GET", "/api/v1/quality/alarms") == []
    for tail in ("/alarms", "/regions/history"):
        await other.call("GET", audience.path + tail, ok=404)
