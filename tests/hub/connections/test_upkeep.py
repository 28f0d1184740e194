"""Logins are renewed before they end, once; what won't last is said before the show; allowances hold."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from connectors._template import CONNECTOR
from connectors.errors import Reconnect, RetryLater
from hub.bus import Event
from hub.connections.budgets import Pot, SharedBudget
from hub.connections.logins import renew_at
from hub.connections.models import Connection
from hub.services import Services
from tests.hub.connections.conftest import NAME, Bench
from tests.hub.platforms import until
from tests.hub.site import Client

TOKEN = "/v1/oauth/token"


async def mine(hub: Services, connection_id: str) -> int:
    """Ask the platform something with the login; how many channels it names."""
    async with hub.connections.use(UUID(connection_id)) as opened:
        answer = await opened.session.http.request("GET", "me/channels")
        return len(answer.json()["channels"])


async def test_two_processes_renew_a_login_once(bench: Bench) -> None:
    owner = await bench.member()
    await bench.control("consent", accounts=2)
    said = await bench.link(owner, app=bench.app)
    both = {"account_ids": ["ch1", "ch2"]}
    pair = await owner.call("POST", f"/api/v1/connections/pending/{said['choose']}", both, ok=201)
    ids = [one["id"] for one in pair]
    async with bench.another_process() as other:

        async def everybody() -> list[int]:
            """Four tasks in each of two processes, for two channels of one login."""
            return await asyncio.gather(
                *(mine(hub, one) for hub in (bench.hub, other) for one in ids for _ in range(2))
            )

        assert set(await everybody()) == {2}
        before = bench.platform.times(TOKEN)
        bench.clock.tick(3600 - 60)
        assert set(await everybody()) == {2}
        assert bench.platform.times(TOKEN) == before + 1, "its last minutes"
        await bench.control("fault", kind="expire_token")
        assert set(await everybody()) == {2}
        assert bench.platform.times(TOKEN) == before + 2, "the platform says it has ended"
        bench.clock.tick(3600 - 600)
        await asyncio.gather(bench.hub.connections.renew_due(), other.connections.renew_due())
        assert bench.platform.times(TOKEN) == before + 3, "the clockwork, ahead of time"
        assert set(await everybody()) == {2}
        await bench.hub.connections.renew_due()
        assert bench.platform.times(TOKEN) == before + 3
    states = {row["state"] for row in await owner.call("GET", "/api/v1/connections")}
    assert states == {"ok"}


@pytest.mark.parametrize(
    ("life", "ahead"),
    [
        (timedelta(hours=1), timedelta(minutes=15)),
        (timedelta(minutes=4), timedelta(minutes=2)),
        (timedelta(days=60), timedelta(days=12)),
        (None, timedelta(minutes=15)),
    ],
)
def test_a_login_is_renewed_in_the_last_part_of_its_life(life: timedelta | None, ahead: timedelta) -> None:
    ends = datetime(2026, 11, 24, 20, tzinfo=UTC)
    assert renew_at(ends, ends - life if life else None) == ends - ahead


async def heard(hub: Services, show: str) -> list[Event]:
    """News of the show's staff, as they come."""
    news: list[Event] = []

    async def hear(event: Event) -> None:
        news.append(event)

    await hub.bus.subscribe(f"show.{show}.staff.alarms.changed", hear)
    return news


async def test_a_platform_that_is_away_kills_no_login_and_a_dead_one_is_told_at_once(bench: Bench) -> None:
    owner = await bench.member()
    row = await bench.linked(owner)
    show = await bench.show(owner, row["id"], None)
    news = await heard(bench.hub, show)
    bench.clock.tick(3000)
    bench.platform.answers[TOKEN] = 503
    await bench.hub.connections.renew_due()
    assert (await bench.shown(owner, row["id"]))["state"] == "ok"
    assert await owner.call("GET", "/api/v1/alarms") == []
    bench.platform.answers.clear()
    await bench.control("fault", kind="revoke")
    await bench.hub.connections.renew_due()
    await until(lambda: length(news))
    [alarm] = await owner.call("GET", "/api/v1/alarms")
    assert (alarm["kind"], alarm["connection_id"]) == ("login_dead", row["id"])
    assert alarm["sentence"].startswith("Channel 1 on Example platform: ")
    assert "again" in alarm["sentence"]
    assert await (await bench.member("Other")).call("GET", "/api/v1/alarms") == []


async def length(found: list[Any]) -> int:
    return len(found)


async def pasted(bench: Bench, owner: Client, ends: datetime) -> str:
    """An account whose login ends then and cannot renew itself."""
    tokens = {"access": "pasted", "expires_at": ends.isoformat()}
    body = {"connector": NAME, "name": "Linnea", "config": bench.app, "tokens": tokens}
    return str((await owner.call("POST", "/api/v1/connections", body, ok=201))["id"])


async def test_a_login_that_ends_before_a_planned_show_is_over_is_told_days_before(bench: Bench) -> None:
    owner = await bench.member()
    begins = bench.clock() + timedelta(days=5)
    soon = await pasted(bench, owner, begins + timedelta(hours=2))
    later = await pasted(bench, owner, begins + timedelta(days=30))
    unused = await pasted(bench, owner, begins)
    shows = [await bench.show(owner, one, begins.isoformat()) for one in (soon, later)]
    news = [await heard(bench.hub, show) for show in shows]
    await bench.hub.alarms.sweep()
    await until(lambda: length(news[0]))
    await bench.hub.alarms.sweep()
    [alarm] = await owner.call("GET", "/api/v1/alarms")
    assert (alarm["kind"], alarm["connection_id"]) == ("login_ends", soon)
    assert (alarm["show_id"], alarm["show_title"]) == (shows[0], "Evening")
    assert datetime.fromisoformat(alarm["at"]) == begins + timedelta(hours=2)
    assert "Press Reconnect" in alarm["sentence"]
    renewed = {"access": "pasted again", "expires_at": (begins + timedelta(days=60)).isoformat()}
    await owner.call("PATCH", f"/api/v1/connections/{soon}", {"tokens": renewed})
    assert await owner.call("GET", "/api/v1/alarms") == []
    await bench.hub.alarms.sweep()
    await until(lambda: said_twice(news[0]))
    assert (len(news[0]), len(news[1])) == (2, 0), "told when it came and when it went, and to nobody else"
    bench.clock.tick(5 * 86400)
    assert [one["connection_id"] for one in await owner.call("GET", "/api/v1/alarms")] == [unused]


async def said_twice(news: list[Event]) -> bool:
    return len(news) >= 2


async def test_a_stream_key_counts_down_from_when_a_person_entered_it(bench: Bench) -> None:
    owner = await bench.member()
    config = {"url": "rtmps://live.example.com:443/app", "key": "first"}
    body = {"connector": "keyed", "name": "Ana", "config": config}
    made = await owner.call("POST", "/api/v1/connections", body, ok=201)
    entered = datetime.fromisoformat(made["key_entered_at"])
    assert datetime.fromisoformat(made["key_ends_at"]) - entered == timedelta(hours=8)
    begins = bench.clock() + timedelta(hours=9)
    await bench.show(owner, made["id"], begins.isoformat())
    assert await owner.call("GET", "/api/v1/alarms") == [], "hours before, nobody can have the key of a show"
    bench.clock.tick(7 * 3600)
    [alarm] = await owner.call("GET", "/api/v1/alarms")
    assert alarm["kind"] == "key_ends"
    path = f"/api/v1/connections/{made['id']}"
    same = await owner.call("PATCH", path, {"settings": {"platform": "tiktok"}})
    assert same["key_entered_at"] == made["key_entered_at"]
    again = await owner.call("PATCH", path, {"settings": {"key": "second"}})
    assert again["key_entered_at"] > made["key_entered_at"]
    assert await owner.call("GET", "/api/v1/alarms") == []
    async with bench.hub.connections.use(UUID(made["id"])) as opened:
        kept = opened.config.model_dump()
    assert (kept["url"], kept["platform"]) == (config["url"], "tiktok")
    assert kept["key"].get_secret_value() == "second"
    plain = await owner.call("POST", "/api/v1/connections", body | {"connector": "rtmp"}, ok=201)
    assert (plain["key_entered_at"], plain["key_ends_at"]) == (None, None)


async def test_an_allowance_is_never_overdrawn_and_is_whole_again_at_the_platforms_midnight(
    bench: Bench,
) -> None:
    owner = await bench.member()
    row = await bench.linked(owner)
    assert CONNECTOR.quota
    async with bench.hub.db.session() as session:
        brand_id = (await session.get_one(Connection, UUID(row["id"]))).brand_id
    pot = Pot.of(brand_id, NAME, CONNECTOR.quota(CONNECTOR.config.model_validate(bench.app)))
    async with bench.another_process() as other:
        budgets = [SharedBudget(hub.db, bench.clock, pot) for hub in (bench.hub, other)]
        spent = await asyncio.gather(
            *(budget.spend(1000) for budget in budgets for _ in range(6)), return_exceptions=True
        )
        refused = [one for one in spent if one is not None]
        assert len(refused) == 3, "of 10,000 units 500 are kept for what is urgent"
        assert all(isinstance(one, RetryLater) for one in refused)
        assert await budgets[1].left() == 500
        await budgets[0].spend(1000, urgent=True)
        with pytest.raises(RetryLater) as over:
            await budgets[1].spend(1, urgent=True)
    async with bench.hub.connections.use(UUID(row["id"])) as opened:
        assert await opened.session.budget.left() == 0
    shown = (await bench.shown(owner, row["id"]))["budget"]
    assert (shown["used"], shown["units"], shown["reserve"]) == (10_000, 10_000, 500)
    resets = datetime.fromisoformat(shown["resets_at"])
    assert resets.astimezone(pot.resets_at(resets).tzinfo) == pot.resets_at(bench.clock())
    assert abs((resets - bench.clock()).total_seconds() - over.value.after) < 60
    [alarm] = await owner.call("GET", "/api/v1/alarms")
    assert (alarm["kind"], alarm["at"]) == ("quota_low", shown["resets_at"])
    bench.clock.tick(over.value.after + 1)
    assert (await bench.shown(owner, row["id"]))["budget"]["used"] == 0
    await budgets[0].spend(9_500)
    bench.clock.tick(4 * 86400)
    await bench.hub.alarms.sweep()
    assert await bench.market.sql("SELECT day FROM quota_use") == [], "days long past are forgotten"


async def test_an_unlinked_accounts_login_is_not_brought_back_by_whoever_still_uses_it(bench: Bench) -> None:
    owner = await bench.member()
    row = await bench.linked(owner)
    async with bench.hub.connections.use(UUID(row["id"])) as opened:
        login = opened.session.http.login
        assert login
        await owner.call("DELETE", f"/api/v1/connections/{row['id']}", ok=204)
        with pytest.raises(Reconnect):
            await login.renew(await login.access())
    [kept] = await bench.market.sql("SELECT tokens_sealed, state FROM connection")
    assert (kept["tokens_sealed"], kept["state"]) == (None, "off")


async def test_a_login_given_back_late_does_not_cut_the_account_that_was_linked_again(bench: Bench) -> None:
    owner = await bench.member()
    row = await bench.linked(owner)
    bench.platform.answers["/v1/oauth/revoke"] = 503
    await owner.call("DELETE", f"/api/v1/connections/{row['id']}", ok=204)
    await bench.market.work()
    again = await bench.linked(owner)
    bench.platform.answers.clear()
    await bench.market.later()
    assert not (await bench.state())["revoked"]
    assert await mine(bench.hub, again["id"]) == 1
    assert await bench.market.sql("SELECT id FROM revocation") == []


async def test_what_cannot_be_read_keeps_no_other_login_from_being_seen_to(bench: Bench) -> None:
    owner = await bench.member()
    await bench.linked(owner)
    lost = await pasted(bench, owner, bench.clock() + timedelta(hours=1))
    garbled = "UPDATE connection SET tokens_sealed = 'x' WHERE id = CAST(:id AS uuid)"
    await bench.market.sql(garbled, id=lost)
    with pytest.raises(Reconnect):
        await mine(bench.hub, lost)
    before = bench.platform.times(TOKEN)
    bench.clock.tick(3000)
    await bench.hub.connections.renew_due()
    assert bench.platform.times(TOKEN) == before + 1
    await bench.control("consent", accounts=2)
    await bench.link(owner, app=bench.app)
    await bench.market.sql("UPDATE linking SET found_sealed = 'x'")
    bench.clock.tick(3601)
    await bench.hub.consents.expire()
    assert await bench.market.sql("SELECT id FROM linking") == []


async def test_a_platform_that_renews_slowly_delays_nothing_else_of_its_account(bench: Bench) -> None:
    owner = await bench.member()
    row = await bench.linked(owner)
    before, release = bench.platform.times(TOKEN), asyncio.Event()
    bench.platform.held[TOKEN] = release
    bench.clock.tick(3600 - 60)
    asking = asyncio.create_task(mine(bench.hub, row["id"]))
    try:
        await until(lambda: times_since(bench, before))
        async with asyncio.timeout(8):
            await bench.show(owner, row["id"], None)
        assert not asking.done(), "it did not wait for the platform"
    finally:
        release.set()
    assert await asking == 1


async def times_since(bench: Bench, before: int) -> int:
    return bench.platform.times(TOKEN) - before
